//! How much of a trajectory is new: statistical inefficiency and effective sample sizes.

use rayon::prelude::*;
use serde::Serialize;

use super::gather::Series;
use super::relaxation::autocorrelation_of;
use super::row::{Looker, Row};
use super::statistics::median;
use crate::geometry::torsion::Kind;

/// Lags in frames below which a correlation that is negative by chance does not end the sum, as in
/// pymbar.
const SHORTEST: usize = 3;

/// Statistical inefficiency: how many frames count as one. g = 1 + 2 Σ (1 − t/N)·C(t), to the first
/// lag above three where C is not positive, at least 1 (Chodera et al., J. Chem. Theory Comput. 3
/// (2007) 26; pymbar's `statistical_inefficiency`). `correlation` is C(0), C(1), …; `frames` is N.
pub fn statistical_inefficiency(correlation: &[f64], frames: usize) -> f64 {
    let mut sum = 1.0;
    let last = correlation.len().min(frames.saturating_sub(1));
    for (lag, &value) in correlation[..last].iter().enumerate().skip(1) {
        if value <= 0.0 && lag > SHORTEST {
            break;
        }
        sum += 2.0 * value * (1.0 - lag as f64 / frames as f64);
    }
    sum.max(1.0)
}

/// Effective number of samples of points in a plane, or of numbers with 0 as their second
/// coordinate: frames over the statistical inefficiency. Segments are independent. None where
/// nothing moves, or where there are fewer than four frames.
pub fn effective_samples(segments: &[&[[f64; 2]]]) -> Option<f64> {
    let longest = segments.iter().map(|segment| segment.len()).max()?;
    let frames: usize = segments.iter().map(|segment| segment.len()).sum();
    let correlation = autocorrelation_of(segments, longest);
    let moves = longest >= 4 && correlation.iter().any(|&value| value < 1.0);
    moves.then(|| frames as f64 / statistical_inefficiency(&correlation, longest))
}

/// Effective sample size of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Samples {
    /// What: a torsion, the RMSD, the radius of gyration.
    pub label: String,
    /// Effective number of independent samples.
    pub samples: f64,
}

/// Effective sample sizes of a side.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Sampling {
    /// Frames that were looked at.
    pub frames: usize,
    /// Of the RMSD, the radius of gyration and every torsion that moves.
    pub quantities: Vec<Samples>,
    /// Median over the quantities.
    pub median: Option<f64>,
}

/// What is read off a row.
type Value = fn(&Row) -> f32;

impl Sampling {
    /// Of all rows of a side.
    pub fn of(series: &Series, looker: &Looker) -> Self {
        let mut quantities: Vec<Samples> = Vec::new();
        let sizes: [(&str, Value); 2] = [
            ("RMSD to the start structure", |row| row.rmsd),
            ("radius of gyration", |row| row.gyration),
        ];
        for (label, value) in sizes {
            let samples = samples_of(series, &|row| [f64::from(value(row)), 0.0]);
            quantities.extend(samples.map(|samples| Samples {
                label: label.into(),
                samples,
            }));
        }
        let of_torsion = |(index, torsion): (usize, &crate::geometry::torsion::Torsion)| {
            let unit = |row: &Row| {
                let (sin, cos) = f64::from(row.torsions[index]).sin_cos();
                [cos, sin]
            };
            let label = torsion.label(&looker.topology);
            let turns = torsion.kind != Kind::Omega;
            let samples = samples_of(series, &unit).filter(|_| turns)?;
            Some(Samples { label, samples })
        };
        let torsions: Vec<Option<Samples>> = looker
            .torsions
            .par_iter()
            .enumerate()
            .map(of_torsion)
            .collect();
        quantities.extend(torsions.into_iter().flatten());
        let all: Vec<f64> = quantities.iter().map(|quantity| quantity.samples).collect();
        Sampling {
            frames: series.rows.len(),
            median: Some(median(&all)).filter(|value| value.is_finite()),
            quantities,
        }
    }

    /// The quantity that is sampled worst.
    pub fn slowest(&self) -> Option<&Samples> {
        self.quantities
            .iter()
            .min_by(|a, b| a.samples.total_cmp(&b.samples))
    }
}

fn samples_of(series: &Series, value: &dyn Fn(&Row) -> [f64; 2]) -> Option<f64> {
    let segments: Vec<Vec<[f64; 2]>> = series
        .segments
        .iter()
        .map(|segment| {
            series.rows[segment.rows.clone()]
                .iter()
                .map(value)
                .collect()
        })
        .collect();
    let views: Vec<&[[f64; 2]]> = segments.iter().map(Vec::as_slice).collect();
    effective_samples(&views)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// x(t + 1) = φ x(t) + noise.
    fn autoregression(phi: f64, count: usize, seed: u64) -> Vec<[f64; 2]> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut state = 0.0;
        let mut next = || {
            let noise: f64 = StandardNormal.sample(&mut rng);
            state = phi * state + (1.0 - phi * phi).sqrt() * noise;
            [state, 0.0]
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn autoregressions_have_the_samples_that_theory_gives_them() {
        for (phi, seed) in [(0.0, 1), (0.5, 2), (0.9, 3)] {
            let series = autoregression(phi, 200_000, seed);
            let exact = 200_000.0 * (1.0 - phi) / (1.0 + phi);
            let found = effective_samples(&[&series]).unwrap();
            assert!((found / exact - 1.0).abs() <= 0.1, "{phi}: {found} {exact}");
            // as pieces it has as many
            let pieces: Vec<&[[f64; 2]]> = series.chunks(10_000).collect();
            let found = effective_samples(&pieces).unwrap();
            assert!((found / exact - 1.0).abs() <= 0.1, "{phi}: {found} {exact}");
        }
    }

    #[test]
    fn the_sum_is_that_of_the_definition() {
        // 1 + 2·(.5·(1 − 1/10) + .25·(1 − 2/10) − .1·(1 − 3/10) + .05·(1 − 4/10)), then an end
        let correlation = [1.0, 0.5, 0.25, -0.1, 0.05, -0.1, 0.7];
        let found = statistical_inefficiency(&correlation, 10);
        let exact = 1.0 + 2.0 * (0.5 * 0.9 + 0.25 * 0.8 - 0.1 * 0.7 + 0.05 * 0.6);
        assert!((found - exact).abs() <= 1e-12, "{found} {exact}");
        assert_eq!(effective_samples(&[&[[1.0, 0.0]; 50]]), None);
        assert_eq!(effective_samples(&[]), None);
    }
}
