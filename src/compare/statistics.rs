//! Means, correlations and the block bootstrap.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Mean; NaN for none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation of the values as they are (divided by n); NaN for none.
pub fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// Pearson's correlation coefficient; NaN where one side does not vary.
///
/// # Panics
/// Where the lengths differ.
pub fn pearson(left: &[f64], right: &[f64]) -> f64 {
    assert_eq!(left.len(), right.len(), "correlation of lists of different length");
    let (mean_left, mean_right) = (mean(left), mean(right));
    let (mut cross, mut square_left, mut square_right) = (0.0, 0.0, 0.0);
    for (x, y) in left.iter().zip(right) {
        let (x, y) = (x - mean_left, y - mean_right);
        cross += x * y;
        square_left += x * x;
        square_right += y * y;
    }
    cross / (square_left * square_right).sqrt()
}

/// The value below which a share of the values lies, between neighbours linearly (numpy's default); NaN for none.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    if sorted.is_empty() {
        return f64::NAN;
    }
    sorted.sort_by(f64::total_cmp);
    let place = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// Median; NaN for none.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Block bootstrap (Künsch, Ann. Statist. 17 (1989) 1217; here with fixed, not overlapping blocks): blocks of neighbouring frames
/// are drawn with replacement, as many as there are, and a statistic of the drawn ones is computed, `resamples` times.
///
/// Frames of a trajectory are correlated, blocks longer than the correlation time are not: their scatter is the statistic's.
/// `statistic` is given indices of blocks. The same seed gives the same numbers on any number of threads.
pub fn block_bootstrap(blocks: usize, resamples: usize, seed: u64, statistic: impl Fn(&[usize]) -> f64 + Sync) -> Vec<f64> {
    let draw = |resample: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(resample as u64);
        let drawn: Vec<usize> = (0..blocks).map(|_| rng.random_range(0..blocks)).collect();
        statistic(&drawn)
    };
    (0..resamples).into_par_iter().map(draw).collect()
}

/// The interval between the 2.5 % and 97.5 % quantiles of bootstrap values.
pub fn interval(values: &[f64]) -> (f64, f64) {
    (quantile(values, 0.025), quantile(values, 0.975))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn moments_and_quantiles_of_small_lists() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0];
        assert!((mean(&values) - 2.8).abs() <= 1e-15);
        assert!((deviation(&values) - 1.6).abs() <= 1e-15);
        // numpy.quantile([3, 1, 4, 1, 5], .1) = 1, (.6) = 3.4
        assert!((quantile(&values, 0.1) - 1.0).abs() <= 1e-15 && (quantile(&values, 0.6) - 3.4).abs() <= 1e-12);
        assert!(quantile(&[], 0.5).is_nan());
        assert!((pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]) - 1.0).abs() <= 1e-15);
        assert!((pearson(&[1.0, 2.0, 3.0], &[1.0, 0.0, 5.0]) - 0.755_928_946_018_454_5).abs() <= 1e-15);
        assert!(pearson(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
    }

    #[test]
    fn the_bootstrap_finds_the_standard_error_of_a_correlated_mean() {
        // First-order autoregression x' = φx + √(1 − φ²)·ξ: s.d. of the mean of n values is √((1 + φ)/(1 − φ)/n), n large.
        let (phi, count, blocks) = (0.9, 200_000, 200);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut x = 0.0;
        let mut step = || {
            let noise: f64 = StandardNormal.sample(&mut rng);
            x = phi * x + (1.0f64 - phi * phi).sqrt() * noise;
            x
        };
        let means: Vec<f64> = (0..blocks).map(|_| (0..count / blocks).map(|_| step()).sum::<f64>() / (count / blocks) as f64).collect();
        let values = block_bootstrap(blocks, 1000, 1, |drawn| drawn.iter().map(|&block| means[block]).sum::<f64>() / blocks as f64);
        let expected = ((1.0 + phi) / (1.0 - phi) / count as f64).sqrt();
        // 200 blocks know a standard deviation to 5 %, 1,000 resamples to 2 %: 3 s.d. of both
        assert!((deviation(&values) / expected - 1.0).abs() <= 0.17, "{} {expected}", deviation(&values));
        let again = block_bootstrap(blocks, 1000, 1, |drawn| drawn.iter().map(|&block| means[block]).sum::<f64>() / blocks as f64);
        assert_eq!(values, again);
    }
}
