//! Whether a series of numbers has settled: drift at its start, its halves, its replicas.

use rayon::prelude::*;
use serde::Serialize;

use crate::compare::relaxation::autocorrelation_of;
use crate::compare::sampling::{effective_samples, statistical_inefficiency};
use crate::compare::statistics::{deviation, mean};

/// Starts that are tried.
const STARTS: usize = 100;
/// Values that are looked at, at most: longer series are thinned.
const VALUES: usize = 20_000;

/// From where on a series holds the most effective samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settled {
    /// First value of that stretch.
    pub start: usize,
    /// Its statistical inefficiency, in values.
    pub inefficiency: f64,
    /// Its effective samples.
    pub samples: f64,
}

/// The start that leaves the most effective samples, of every `every`-th (Chodera, J. Chem. Theory
/// Comput. 12 (2016) 1799; pymbar's `detect_equilibration`). None where nothing varies.
pub fn settled(values: &[f64], every: usize) -> Option<Settled> {
    if values.len() < 4 || deviation(values) <= 0.0 {
        return None;
    }
    let starts: Vec<usize> = (0..values.len() - 1).step_by(every).collect();
    let from = |&start: &usize| {
        let rest = &values[start..];
        let inefficiency = inefficiency(rest);
        Settled {
            start,
            inefficiency,
            samples: (rest.len() + 1) as f64 / inefficiency,
        }
    };
    let tried: Vec<Settled> = starts.par_iter().map(from).collect();
    // the first of the best
    let best = tried.iter().rev();
    best.copied().max_by(|a, b| a.samples.total_cmp(&b.samples))
}

/// Statistical inefficiency of a series; that of one which does not vary is its length.
fn inefficiency(values: &[f64]) -> f64 {
    let points: Vec<[f64; 2]> = values.iter().map(|&value| [value, 0.0]).collect();
    let correlation = autocorrelation_of(&[&points], values.len());
    if correlation.iter().all(|&value| value >= 1.0) {
        return (values.len() + 1) as f64;
    }
    statistical_inefficiency(&correlation, values.len())
}

/// A drift at the start of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drift {
    /// Share of the series that is unlike the rest.
    pub share: f64,
    /// Mean of that share.
    pub before: f64,
    /// Mean of the rest.
    pub after: f64,
    /// How far these are apart, in standard errors of their difference.
    pub errors: f64,
}

/// Standard errors beyond which a start is unlike the rest. The start is chosen where it is most
/// unlike it, so that chance gives more than it would of a start that was fixed before: of 600
/// stationary series with 3 to 650 effective samples ten were beyond.
const DRIFTS: f64 = 4.5;
/// A shorter start does not matter.
const SHORTEST: f64 = 0.03;
/// Effective samples of a half from which its standard error is taken seriously.
const FEWEST: f64 = 10.0;

/// The part at the start of a series that is unlike the rest, where there is one. What chance gives
/// is read off the second half, or off the rest where that varies more or more slowly: a short rest
/// is chosen for being still.
pub fn drift(values: &[f64]) -> Option<Drift> {
    let every = values.len().div_ceil(VALUES);
    let values: Vec<f64> = values.iter().copied().step_by(every).collect();
    let settled = settled(&values, values.len().div_ceil(STARTS))?;
    let (early, late) = values.split_at(settled.start);
    let share = early.len() as f64 / values.len() as f64;
    let half = &values[values.len() / 2..];
    let slow = inefficiency(half).max(settled.inefficiency);
    if share < SHORTEST || (half.len() as f64) < FEWEST * slow {
        return None;
    }
    let variance = deviation(late).max(deviation(half)).powi(2) * slow;
    let error = (variance / early.len() as f64 + variance / late.len() as f64).sqrt();
    let (before, after) = (mean(early), mean(late));
    let errors = (before - after).abs() / error;
    (errors > DRIFTS).then_some(Drift {
        share,
        before,
        after,
        errors,
    })
}

/// First half against second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Halves {
    /// Mean of the first halves of all replicas.
    pub first: f64,
    /// Mean of the second halves.
    pub second: f64,
    /// Effective samples of each.
    pub samples: [f64; 2],
    /// How far the means are apart, in standard errors of their difference.
    pub errors: f64,
}

impl Halves {
    /// Whether each half has enough samples for its error to mean something.
    pub fn known(&self) -> bool {
        self.samples.iter().all(|&samples| samples >= FEWEST)
    }

    /// Whether the halves differ by more than chance gives.
    pub fn differ(&self) -> bool {
        self.known() && self.errors > DIFFER
    }
}

/// Standard errors beyond which halves differ: one pair in 370 of normal means.
const DIFFER: f64 = 3.0;

/// Halves of series that are independent of each other. None where nothing varies.
pub fn halves(series: &[Vec<f64>]) -> Option<Halves> {
    let half = |second: bool| -> Vec<&[f64]> {
        let cut = |values: &'_ Vec<f64>| values.len() / 2;
        series
            .iter()
            .map(|values| {
                let (early, late) = values.split_at(cut(values));
                if second { late } else { early }
            })
            .collect()
    };
    let (first, second) = (of_half(&half(false))?, of_half(&half(true))?);
    let error = (first.error.powi(2) + second.error.powi(2)).sqrt();
    Some(Halves {
        first: first.mean,
        second: second.mean,
        samples: [first.samples, second.samples],
        errors: (first.mean - second.mean).abs() / error,
    })
}

/// Mean of numbers with its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Standard error: the deviation over the root of the effective samples.
    pub error: f64,
    /// Effective samples.
    pub samples: f64,
}

fn of_half(parts: &[&[f64]]) -> Option<Estimate> {
    let whole: Vec<Vec<f64>> = parts.iter().map(|part| part.to_vec()).collect();
    estimate(&whole)
}

/// Of series that are independent of each other. None where nothing varies.
pub fn estimate(series: &[Vec<f64>]) -> Option<Estimate> {
    let points = |values: &Vec<f64>| values.iter().map(|&x| [x, 0.0]).collect();
    let points: Vec<Vec<[f64; 2]>> = series.iter().map(points).collect();
    let views: Vec<&[[f64; 2]]> = points.iter().map(Vec::as_slice).collect();
    let samples = effective_samples(&views)?;
    let all = series.concat();
    Some(Estimate {
        mean: mean(&all),
        error: deviation(&all) / samples.sqrt(),
        samples,
    })
}

/// Potential scale reduction R̂ (Gelman & Rubin, Stat. Sci. 7 (1992) 457) of series of one length,
/// the shortest: √((n − 1)/n + B/(nW)), W the mean of the series' variances and B n times the
/// variance of their means, both with one less than their number below. 1 where replicas agree.
/// None for fewer than two, or where nothing varies.
pub fn scale_reduction(series: &[Vec<f64>]) -> Option<f64> {
    let length = series.iter().map(Vec::len).min()?;
    if series.len() < 2 || length < 4 {
        return None;
    }
    let parts: Vec<&[f64]> = series.iter().map(|values| &values[..length]).collect();
    let n = length as f64;
    let variances: Vec<f64> = parts.iter().map(|part| spread(part)).collect();
    let means: Vec<f64> = parts.iter().map(|part| mean(part)).collect();
    let (within, between) = (mean(&variances), n * spread(&means));
    (within > 0.0).then(|| ((n - 1.0) / n + between / (n * within)).sqrt())
}

/// Variance, divided by n − 1.
fn spread(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    deviation(values).powi(2) * n / (n - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// x(t + 1) = φ x(t) + noise of deviation 1, begun in equilibrium.
    fn autoregression(phi: f64, count: usize, seed: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut state: f64 = StandardNormal.sample(&mut rng);
        let mut next = || {
            let noise: f64 = StandardNormal.sample(&mut rng);
            state = phi * state + (1.0 - phi * phi).sqrt() * noise;
            state
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn what_is_stationary_seldom_drifts_and_what_relaxes_does() {
        let mut drifting = 0;
        for seed in 0..300 {
            let phi = [0.3, 0.9, 0.98][seed as usize % 3];
            let series = autoregression(phi, [300, 1000][seed as usize % 2], seed);
            drifting += usize::from(drift(&series).is_some());
        }
        assert!(drifting <= 12, "{drifting} of 300 stationary series");
        let mut shares = Vec::new();
        for seed in 0..20 {
            let mut series = autoregression(0.8, 1000, 1000 + seed);
            for (t, value) in series.iter_mut().enumerate() {
                *value += 8.0 * (-(t as f64) / 100.0).exp();
            }
            let found = drift(&series).expect("it relaxes from 8 deviations");
            assert!(found.before > found.after + 1.0, "{found:?}");
            shares.push(found.share);
        }
        // within two to five times the time that it relaxes in
        let middle = crate::compare::statistics::median(&shares);
        assert!((0.15..0.5).contains(&middle), "{shares:?}");
    }

    #[test]
    fn halves_differ_where_the_mean_moves() {
        let mut apart = 0;
        for seed in 0..200 {
            let series = autoregression(0.9, 1000, seed);
            apart += usize::from(halves(&[series]).unwrap().differ());
        }
        assert!(apart <= 6, "{apart} of 200");
        let mut moved = autoregression(0.9, 1000, 7);
        moved[500..].iter_mut().for_each(|value| *value += 3.0);
        assert!(halves(&[moved]).unwrap().differ());
        assert_eq!(halves(&[vec![1.0; 50]]), None);
        // a series with two effective samples knows nothing
        let slow: Vec<f64> = (0..100).map(|t| f64::from(t) * 0.1).collect();
        assert!(!halves(&[slow]).unwrap().known());
    }

    #[test]
    fn replicas_of_other_means_are_told() {
        let alike: Vec<Vec<f64>> = (0..4).map(|k| autoregression(0.0, 500, k)).collect();
        let near_one = scale_reduction(&alike).unwrap();
        assert!((near_one - 1.0).abs() <= 0.01, "{near_one}");
        // W = 1, means 0 and 2: B/n = 2, R̂² = 3/4 + 2
        let one = [-1.0, 1.0, -1.0, 1.0].iter().map(|x| x * 0.75f64.sqrt());
        let one: Vec<f64> = one.collect();
        let other: Vec<f64> = one.iter().map(|x| x + 2.0).collect();
        let found = scale_reduction(&[one, other]).unwrap();
        assert!((found - 2.75f64.sqrt()).abs() <= 1e-12, "{found}");
        assert_eq!(scale_reduction(&[vec![1.0; 10]]), None);
    }
}
