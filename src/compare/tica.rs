//! Slow and large motions: time-lagged independent components and principal components.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Sums over frame pairs from which the covariances of TICA follow; those of several segments can
/// be merged.
///
/// Rows are features at time t and t + lag. As in deeptime (`Covariance(reversible=True)`, Hoffmann
/// et al., Mach. Learn.: Sci. Technol. 3 (2022) 015009) both ends of a pair count alike: the mean
/// is that of all ends, C₀₀ is averaged over them and C₀ₜ symmetrised.
#[derive(Debug, Clone)]
pub struct LaggedCovariance {
    pairs: f64,
    sum: DVector<f64>,
    instant: DMatrix<f64>,
    lagged: DMatrix<f64>,
}

impl LaggedCovariance {
    /// Empty sums of `features` features.
    pub fn new(features: usize) -> Self {
        LaggedCovariance {
            pairs: 0.0,
            sum: DVector::zeros(features),
            instant: DMatrix::zeros(features, features),
            lagged: DMatrix::zeros(features, features),
        }
    }

    /// Adds all pairs `lag` frames apart of one segment, features × frames. A segment no longer
    /// than the lag has none.
    pub fn add(&mut self, segment: &DMatrix<f64>, lag: usize) {
        let frames = segment.ncols();
        if frames <= lag {
            return;
        }
        let (early, late) = (
            segment.columns(0, frames - lag),
            segment.columns(lag, frames - lag),
        );
        let late_t = late.transpose();
        self.pairs += (frames - lag) as f64;
        self.sum += early.column_sum() + late.column_sum();
        self.instant.gemm(1.0, &early, &early.transpose(), 1.0);
        self.instant.gemm(1.0, &late, &late_t, 1.0);
        let cross = early * late_t;
        self.lagged += &cross + cross.transpose();
    }

    /// Number of pairs added.
    pub fn pairs(&self) -> f64 {
        self.pairs
    }

    /// Mean, C₀₀ and symmetrised C₀ₜ.
    fn finish(&self) -> (DVector<f64>, DMatrix<f64>, DMatrix<f64>) {
        let ends = 2.0 * self.pairs;
        let mean = &self.sum / ends;
        let outer = &mean * mean.transpose();
        (
            mean,
            &self.instant / ends - &outer,
            &self.lagged / ends - outer,
        )
    }
}

/// A linear projection of features: (x − mean)·vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// Mean of the features.
    pub mean: DVector<f64>,
    /// One column a component.
    pub vectors: DMatrix<f64>,
    /// Eigenvalue of each component, largest first: the autocorrelation at the lag (TICA) or the
    /// variance (PCA).
    pub values: Vec<f64>,
}

impl Projection {
    /// Components × frames, of features × frames.
    pub fn apply(&self, features: &DMatrix<f64>) -> DMatrix<f64> {
        let mut shifted = features.clone();
        shifted
            .column_iter_mut()
            .for_each(|mut column| column -= &self.mean);
        self.vectors.transpose() * shifted
    }
}

/// Directions of C₀₀ with less variance than this are left out, as deeptime does.
const EPSILON: f64 = 1e-6;

/// Time-lagged independent component analysis (Pérez-Hernández et al., J. Chem. Phys. 139 (2013)
/// 015102) as deeptime defines it: C₀ₜ r = λ C₀₀ r with rᵀC₀₀r = 1, components scaled by λ (kinetic
/// map, Noé & Clementi, J. Chem. Theory Comput. 11 (2015) 5002), sorted by |λ|; the largest weight
/// of each is positive. `None` without pairs, without features, or where none varies.
pub fn tica(covariance: &LaggedCovariance, components: usize) -> Option<Projection> {
    if covariance.pairs == 0.0 || covariance.sum.is_empty() {
        return None;
    }
    let (mean, instant, lagged) = covariance.finish();
    let eigen = SymmetricEigen::new(instant);
    let negative = eigen.eigenvalues.min().min(0.0);
    let kept: Vec<usize> = (0..eigen.eigenvalues.len())
        .filter(|&k| eigen.eigenvalues[k] > EPSILON.max(1e-16 - negative))
        .collect();
    if kept.is_empty() {
        return None;
    }
    let scaled: Vec<DVector<f64>> = kept
        .iter()
        .map(|&k| eigen.eigenvectors.column(k) / eigen.eigenvalues[k].sqrt())
        .collect();
    let whiten = DMatrix::from_columns(&scaled);
    let whitened = whiten.transpose() * lagged * &whiten;
    let slow = SymmetricEigen::new(0.5 * (&whitened + whitened.transpose()));
    let mut order: Vec<usize> = (0..slow.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| {
        slow.eigenvalues[b]
            .abs()
            .total_cmp(&slow.eigenvalues[a].abs())
    });
    order.truncate(components);
    let values: Vec<f64> = order.iter().map(|&k| slow.eigenvalues[k]).collect();
    let columns: Vec<DVector<f64>> = order
        .iter()
        .map(|&k| signed(&whiten * slow.eigenvectors.column(k)) * slow.eigenvalues[k])
        .collect();
    Some(Projection {
        mean,
        vectors: DMatrix::from_columns(&columns),
        values,
    })
}

/// Principal components of features × frames (covariance divided by n), largest variance first; the
/// largest weight of each is positive. `None` without frames.
pub fn pca(features: &DMatrix<f64>, components: usize) -> Option<Projection> {
    if features.is_empty() {
        return None;
    }
    let mean = features.column_mean();
    let mut shifted = features.clone();
    shifted
        .column_iter_mut()
        .for_each(|mut column| column -= &mean);
    let eigen = SymmetricEigen::new(&shifted * shifted.transpose() / features.ncols() as f64);
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    order.truncate(components);
    let values = order.iter().map(|&k| eigen.eigenvalues[k]).collect();
    let columns: Vec<DVector<f64>> = order
        .iter()
        .map(|&k| signed(eigen.eigenvectors.column(k).into_owned()))
        .collect();
    Some(Projection {
        mean,
        vectors: DMatrix::from_columns(&columns),
        values,
    })
}

/// Eigenvectors have no sign of their own: the largest weight is made positive.
fn signed(vector: DVector<f64>) -> DVector<f64> {
    let sign = vector[vector.iamax()].signum();
    vector * sign
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn tica_finds_the_slow_one_of_mixed_signals() {
        // Two autoregressions of autocorrelation .9 and .5, mixed by a matrix that is not
        // orthogonal.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut state = [0.0; 2];
        let mut hidden = DMatrix::zeros(2, 50_000);
        for mut column in hidden.column_iter_mut() {
            for (k, phi) in [0.9f64, 0.5].into_iter().enumerate() {
                let noise: f64 = StandardNormal.sample(&mut rng);
                state[k] = phi * state[k] + (1.0 - phi * phi).sqrt() * noise;
                column[k] = state[k];
            }
        }
        let mixed = DMatrix::from_row_slice(2, 2, &[1.0, 3.0, 0.2, 5.0]) * &hidden;
        let mut covariance = LaggedCovariance::new(2);
        covariance.add(&mixed, 1);
        let projection = tica(&covariance, 2).unwrap();
        assert!(
            (projection.values[0] - 0.9).abs() <= 0.02
                && (projection.values[1] - 0.5).abs() <= 0.02,
            "{:?}",
            projection.values
        );
        let found = projection.apply(&mixed);
        let correlation = crate::compare::statistics::pearson(
            &found.row(0).iter().copied().collect::<Vec<_>>(),
            &hidden.row(0).iter().copied().collect::<Vec<_>>(),
        );
        assert!(correlation.abs() >= 0.999, "{correlation}");
    }

    #[test]
    fn features_that_do_not_vary_have_no_components() {
        let mut covariance = LaggedCovariance::new(2);
        covariance.add(&DMatrix::from_element(2, 10, 3.0), 1);
        assert!(tica(&covariance, 2).is_none());
        covariance = LaggedCovariance::new(2);
        covariance.add(&DMatrix::from_element(2, 10, 3.0), 10);
        assert!(tica(&covariance, 2).is_none());
        assert!(pca(&DMatrix::zeros(2, 0), 2).is_none());
        covariance = LaggedCovariance::new(0);
        covariance.add(&DMatrix::zeros(0, 10), 1);
        assert!(tica(&covariance, 2).is_none());
    }

    #[test]
    fn principal_components_of_a_line() {
        let features = DMatrix::from_fn(2, 5, |row, frame| {
            (frame as f64 - 2.0) * [3.0, 4.0][row] + 7.0
        });
        let projection = pca(&features, 2).unwrap();
        // variance of −2 … 2 is 2, along a direction of length 5
        assert!(
            (projection.values[0] - 50.0).abs() <= 1e-10 && projection.values[1].abs() <= 1e-10
        );
        assert!(
            (projection.vectors[(0, 0)] - 0.6).abs() <= 1e-12
                && (projection.apply(&features)[(0, 4)] - 10.0).abs() <= 1e-10
        );
    }
}
