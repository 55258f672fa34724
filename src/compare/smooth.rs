//! Smoothed densities.

use std::f64::consts::PI;

/// Points at which a density is known.
const POINTS: usize = 121;
/// Bins that values are counted in before they are smoothed, for each point.
const FINE: usize = 4;

/// A Gaussian kernel density between two ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    /// Ends.
    pub range: (f64, f64),
    /// Standard deviation of the kernel.
    pub width: f64,
}

impl Kernel {
    /// Where the density is known.
    pub fn at(&self) -> Vec<f64> {
        let (low, high) = self.range;
        (0..POINTS)
            .map(|k| low + (high - low) * k as f64 / (POINTS - 1) as f64)
            .collect()
    }

    /// Counts of values in fine bins; what lies outside is in the bin at the edge.
    pub fn counts(&self, values: impl IntoIterator<Item = f64>) -> Vec<f64> {
        super::histogram::Histogram::new(self.range, FINE * POINTS)
            .fill(values)
            .counts
    }

    /// Density at [`Kernel::at`], of area 1 where all lies between the ends.
    pub fn density(&self, counts: &[f64]) -> Vec<f64> {
        let (low, high) = self.range;
        let fine = (high - low) / counts.len() as f64;
        let all: f64 = counts.iter().sum();
        let norm = 1.0 / (all * self.width * (2.0 * PI).sqrt());
        let at = |x: f64| {
            let one = |(bin, count): (usize, &f64)| {
                let far = (x - low - (bin as f64 + 0.5) * fine) / self.width;
                count * (-0.5 * far * far).exp()
            };
            norm * counts
                .iter()
                .enumerate()
                .filter(|(_, c)| **c > 0.0)
                .map(one)
                .sum::<f64>()
        };
        self.at().into_iter().map(at).collect()
    }
}

/// Values around a turn, smoothed by a Gaussian of `width` bins; their sum stays what it is.
pub fn around_turn(values: &[f64], width: f64) -> Vec<f64> {
    let count = values.len() as isize;
    let reach = ((4.0 * width).ceil() as isize).min(count / 2);
    let weight = |far: isize| (-0.5 * (far as f64 / width).powi(2)).exp();
    let all: f64 = (-reach..=reach).map(weight).sum();
    let at = |place: isize| -> f64 {
        let one = |far: isize| weight(far) * values[(place + far).rem_euclid(count) as usize];
        (-reach..=reach).map(one).sum::<f64>() / all
    };
    (0..count).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_density_is_that_of_the_definition() {
        let kernel = Kernel {
            range: (0.0, 10.0),
            width: 0.5,
        };
        let values = [2.0, 2.5, 7.0];
        let found = kernel.density(&kernel.counts(values));
        let step = 10.0 / (POINTS - 1) as f64;
        assert!((found.iter().sum::<f64>() * step - 1.0).abs() <= 1e-3);
        for (x, found) in kernel.at().into_iter().zip(found) {
            // scipy.stats.gaussian_kde is this sum
            let one = |value: &f64| (-0.5 * ((x - value) / 0.5f64).powi(2)).exp();
            let exact = values.iter().map(one).sum::<f64>() / (3.0 * 0.5 * (2.0 * PI).sqrt());
            assert!((found - exact).abs() <= 0.01, "{x}: {found} {exact}");
        }
    }

    #[test]
    fn smoothing_goes_around_the_turn_and_keeps_the_sum() {
        let mut values = vec![0.0; 100];
        values[0] = 1.0;
        let found = around_turn(&values, 1.5);
        assert!((found.iter().sum::<f64>() - 1.0).abs() <= 1e-12);
        assert!((found[1] - found[99]).abs() <= 1e-15 && found[0] > found[1]);
        assert_eq!(found[50], 0.0);
    }
}
