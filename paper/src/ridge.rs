//! Ridge regression: what a linear map of the inputs comes to.

use nalgebra::{DMatrix, DVector};

/// Sums that a regression of some columns on some inputs is made of, a sample at a time.
pub struct Sums {
    square: DMatrix<f64>,
    product: DMatrix<f64>,
}

impl Sums {
    /// No sample yet.
    pub fn new(inputs: usize, columns: usize) -> Sums {
        Sums {
            square: DMatrix::zeros(inputs, inputs),
            product: DMatrix::zeros(inputs, columns),
        }
    }

    /// Those of many samples, a row each.
    pub fn of(inputs: &DMatrix<f64>, columns: &DMatrix<f64>) -> Sums {
        let across = inputs.transpose();
        Sums {
            square: &across * inputs,
            product: across * columns,
        }
    }

    /// A sample, by the inputs that are not zero, `(number, value)`, and its columns.
    pub fn add(&mut self, inputs: &[(usize, f64)], columns: &[f64]) {
        for &(i, x) in inputs {
            for &(j, y) in inputs {
                self.square[(i, j)] += x * y;
            }
            for (column, value) in columns.iter().enumerate() {
                self.product[(i, column)] += x * value;
            }
        }
    }

    /// W of the least Σ |y − Wᵀx|² + `decay` · |W|², inputs × columns; none where the samples leave
    /// it open.
    pub fn solve(&self, decay: f64) -> Option<DMatrix<f64>> {
        let mut square = self.square.clone();
        (0..square.nrows()).for_each(|i| square[(i, i)] += decay);
        Some(square.cholesky()?.solve(&self.product))
    }
}

/// The answer to some inputs.
pub fn answer(weights: &DMatrix<f64>, inputs: &[(usize, f64)]) -> DVector<f64> {
    let mut sum = DVector::zeros(weights.ncols());
    for &(i, x) in inputs {
        sum += x * weights.row(i).transpose();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y = 2 a − b without noise; with a decay of λ, Σx² / (Σx² + λ) of a single input's weight.
    #[test]
    fn a_linear_map_is_found_and_decays_as_it_should() {
        let mut sums = Sums::new(2, 1);
        for (a, b) in [(1.0, 0.0), (0.5, 2.0), (-1.0, 1.0)] {
            sums.add(&[(0, a), (1, b)], &[2.0 * a - b]);
        }
        let inputs = DMatrix::from_row_slice(3, 2, &[1.0, 0.0, 0.5, 2.0, -1.0, 1.0]);
        let columns = DMatrix::from_row_slice(3, 1, &[2.0, -1.0, -3.0]);
        let all = Sums::of(&inputs, &columns);
        assert!((&all.square - &sums.square).amax() <= 1e-12);
        assert!((&all.product - &sums.product).amax() <= 1e-12);
        let weights = sums.solve(0.0).unwrap();
        assert!((weights[(0, 0)] - 2.0).abs() <= 1e-12 && (weights[(1, 0)] + 1.0).abs() <= 1e-12);
        let found = answer(&weights, &[(0, 3.0), (1, 1.0)])[0];
        assert!((found - 5.0).abs() <= 1e-12, "{found}");
        let mut one = Sums::new(1, 1);
        [1.0, 2.0, 2.0]
            .iter()
            .for_each(|&x| one.add(&[(0, x)], &[3.0 * x]));
        let found = one.solve(1.0).unwrap()[(0, 0)];
        assert!((found - 3.0 * 9.0 / 10.0).abs() <= 1e-12, "{found}");
    }
}
