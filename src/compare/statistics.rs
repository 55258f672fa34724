//! Means, correlations and quantiles.

/// Mean; NaN for none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation of the values as they are (divided by n); NaN for none.
pub fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / values.len() as f64)
        .sqrt()
}

/// Pearson's correlation coefficient; NaN where one side does not vary.
///
/// # Panics
/// Where the lengths differ.
pub fn pearson(left: &[f64], right: &[f64]) -> f64 {
    assert_eq!(
        left.len(),
        right.len(),
        "correlation of lists of different length"
    );
    let (mean_left, mean_right) = (mean(left), mean(right));
    let (mut cross, mut square_left, mut square_right) = (0.0, 0.0, 0.0);
    for (x, y) in left.iter().zip(right) {
        let x = x - mean_left;
        let y = y - mean_right;
        cross += x * y;
        square_left += x * x;
        square_right += y * y;
    }
    cross / (square_left * square_right).sqrt()
}

/// The value below which a share of the values lies, between neighbours linearly (numpy's default);
/// NaN for none.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    if sorted.is_empty() {
        return f64::NAN;
    }
    sorted.sort_by(f64::total_cmp);
    let place = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    below + (above - below) * place.fract()
}

/// Median; NaN for none.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The interval between the 2.5 % and 97.5 % quantiles of bootstrap values.
pub fn interval(values: &[f64]) -> (f64, f64) {
    (quantile(values, 0.025), quantile(values, 0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_quantiles_of_small_lists() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0];
        assert!((mean(&values) - 2.8).abs() <= 1e-15);
        assert!((deviation(&values) - 1.6).abs() <= 1e-15);
        // numpy.quantile([3, 1, 4, 1, 5], .1) = 1, (.6) = 3.4
        assert!(
            (quantile(&values, 0.1) - 1.0).abs() <= 1e-15
                && (quantile(&values, 0.6) - 3.4).abs() <= 1e-12
        );
        assert!(quantile(&[], 0.5).is_nan());
        assert!((pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]) - 1.0).abs() <= 1e-15);
        assert!(
            (pearson(&[1.0, 2.0, 3.0], &[1.0, 0.0, 5.0]) - 0.755_928_946_018_454_5).abs() <= 1e-15
        );
        assert!(pearson(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
    }
}
