//! Means and slopes of correlated series, with honest standard errors.

/// How many correlated values are worth one independent value: g = 1 + 2 Σ (1 − t/n) C(t) over the
/// lags before the normalised autocorrelation C first falls to zero (Chodera, Swope, Pitera, Seok,
/// Dill, J. Chem. Theory Comput. 3, 26 (2007)). At least 1.
pub fn statistical_inefficiency(values: &[f64]) -> f64 {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n.max(1) as f64;
    let deviations: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let variance: f64 = deviations.iter().map(|value| value * value).sum::<f64>() / n.max(1) as f64;
    if variance <= 0.0 {
        return 1.0;
    }
    let mut sum = 0.5;
    for lag in 1..n {
        let products: f64 = deviations
            .iter()
            .zip(&deviations[lag..])
            .map(|(a, b)| a * b)
            .sum();
        let correlation = products / ((n - lag) as f64 * variance);
        if correlation <= 0.0 {
            break;
        }
        sum += (1.0 - lag as f64 / n as f64) * correlation;
    }
    (2.0 * sum).max(1.0)
}

/// Mean of a correlated series and its standard error; the error is `None` for fewer than three
/// values.
pub fn mean_with_error(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (values.len() > 2)
        .then(|| (squares / (n - 1.0) * statistical_inefficiency(values) / n).sqrt());
    (mean, error)
}

/// Slope of `values` over `times` by least squares and its standard error, widened for the
/// correlation of the residuals.
///
/// `None` for fewer than three values or where all times are equal.
pub fn slope_with_error(times: &[f64], values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let (mean_time, mean_value) = (
        times.iter().sum::<f64>() / n,
        values.iter().sum::<f64>() / n,
    );
    let spread: f64 = times.iter().map(|time| (time - mean_time).powi(2)).sum();
    if values.len() < 3 || spread <= 0.0 {
        return None;
    }
    let slope = times
        .iter()
        .zip(values)
        .map(|(time, value)| (time - mean_time) * (value - mean_value))
        .sum::<f64>()
        / spread;
    let residual = |(time, value): (&f64, &f64)| value - mean_value - slope * (time - mean_time);
    let residuals: Vec<f64> = times.iter().zip(values).map(residual).collect();
    let squares: f64 = residuals.iter().map(|value| value * value).sum();
    let error = (squares / (n - 2.0) / spread * statistical_inefficiency(&residuals)).sqrt();
    Some((slope, error))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    use super::*;

    /// First-order autoregression x' = a·x + √(1 − a²)·noise: variance 1, C(t) = aᵗ, so g = (1 +
    /// a)/(1 − a).
    fn correlated(a: f64, count: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
        let mut x: f64 = random.sample(StandardNormal);
        let mut next = || {
            x = a * x + (1.0 - a * a).sqrt() * random.sample::<f64, _>(StandardNormal);
            x
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn inefficiency_of_an_autoregression_is_known() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for a in [0.0, 0.5, 0.9] {
            let expected = (1.0 + a) / (1.0 - a);
            let g = statistical_inefficiency(&correlated(a, 100_000, &mut random));
            assert!((g / expected - 1.0).abs() <= 0.15, "{a}: {g} {expected}");
        }
    }

    #[test]
    fn standard_errors_are_the_scatter_of_repeated_estimates() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let times: Vec<f64> = (0..2000).map(|step| 0.1 * f64::from(step)).collect();
        let mut squares = [0.0; 2];
        let repeats = 200;
        for _ in 0..repeats {
            let noise = correlated(0.8, times.len(), &mut random);
            let (mean, error) = mean_with_error(&noise);
            squares[0] += (mean / error.unwrap()).powi(2);
            let values: Vec<f64> = times
                .iter()
                .zip(noise)
                .map(|(time, noise)| 3.0 - 0.02 * time + noise)
                .collect();
            let (slope, error) = slope_with_error(&times, &values).unwrap();
            squares[1] += ((slope + 0.02) / error).powi(2);
        }
        for square in squares {
            // χ² over its degrees of freedom: 1 ± √(2/200), and the error's own estimate is some
            // percent off
            let ratio = square / f64::from(repeats);
            assert!((ratio - 1.0).abs() <= 0.45, "{ratio}");
        }
    }

    #[test]
    fn too_few_values_have_no_error() {
        assert_eq!(mean_with_error(&[1.0, 2.0]), (1.5, None));
        assert_eq!(slope_with_error(&[0.0, 1.0], &[0.0, 1.0]), None);
        assert_eq!(
            slope_with_error(&[1.0; 5], &[0.0, 1.0, 2.0, 3.0, 4.0]),
            None
        );
    }
}
