//! Best superposition of one set of positions onto another.

use nalgebra::{Matrix3, Matrix4, Quaternion, Rotation3, UnitQuaternion, Vector3};

use super::centroid;

/// The proper rotation R that minimises Σ|reference − R·mobile|², both about their centroids
/// (Kabsch's problem, solved as Horn 1987, J. Opt. Soc. Am. A 4, 629: the eigenvector of the
/// largest eigenvalue of a 4 × 4 matrix is R's quaternion, so a reflection cannot come out).
/// Positions of both in the same order, Å.
///
/// # Panics
/// Where the two differ in length.
pub fn best_rotation(mobile: &[Vector3<f64>], reference: &[Vector3<f64>]) -> Rotation3<f64> {
    assert_eq!(
        mobile.len(),
        reference.len(),
        "superposition of sets of different size"
    );
    let (from, to) = (centroid(mobile), centroid(reference));
    let s: Matrix3<f64> = mobile
        .iter()
        .zip(reference)
        .map(|(a, b)| (a - from) * (b - to).transpose())
        .sum();
    let (xx, yy, zz) = (s[(0, 0)], s[(1, 1)], s[(2, 2)]);
    let odd = |a: usize, b: usize| s[(a, b)] - s[(b, a)];
    let even = |a: usize, b: usize| s[(a, b)] + s[(b, a)];
    #[rustfmt::skip]
    let horn = Matrix4::new(
        xx + yy + zz, odd(1, 2),    odd(2, 0),    odd(0, 1),
        odd(1, 2),    xx - yy - zz, even(0, 1),   even(2, 0),
        odd(2, 0),    even(0, 1),   yy - xx - zz, even(1, 2),
        odd(0, 1),    even(2, 0),   even(1, 2),   zz - xx - yy,
    );
    let eigen = horn.symmetric_eigen();
    let q = eigen.eigenvectors.column(eigen.eigenvalues.imax());
    UnitQuaternion::from_quaternion(Quaternion::new(q[0], q[1], q[2], q[3])).to_rotation_matrix()
}

/// `mobile` rotated and moved onto `reference` by [`best_rotation`].
///
/// # Panics
/// Where the two differ in length.
pub fn superpose(mobile: &[Vector3<f64>], reference: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
    let rotation = best_rotation(mobile, reference);
    let (from, to) = (centroid(mobile), centroid(reference));
    mobile
        .iter()
        .map(|position| rotation * (position - from) + to)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    fn cloud(rng: &mut impl rand::Rng, count: usize) -> Vec<Vector3<f64>> {
        (0..count)
            .map(|_| Vector3::from_fn(|_, _| rng.random_range(-5.0..5.0)))
            .collect()
    }

    #[test]
    fn a_moved_copy_comes_back() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for _ in 0..50 {
            let reference = cloud(&mut rng, 7);
            let turn = Rotation3::new(Vector3::from_fn(|_, _| rng.random_range(-3.0..3.0)));
            let mobile: Vec<_> = reference
                .iter()
                .map(|x| turn * x + Vector3::new(3.0, -8.0, 20.0))
                .collect();
            for (a, b) in superpose(&mobile, &reference).iter().zip(&reference) {
                assert!((a - b).norm() <= 1e-12, "{a} {b}");
            }
        }
    }

    /// Kabsch 1976 by singular values, with the reflection taken out: an independent way to the
    /// same minimum.
    fn least_squares(mobile: &[Vector3<f64>], reference: &[Vector3<f64>]) -> f64 {
        let (a, b) = (centroid(mobile), centroid(reference));
        let s: Matrix3<f64> = mobile
            .iter()
            .zip(reference)
            .map(|(x, y)| (x - a) * (y - b).transpose())
            .sum();
        let mut values: Vec<f64> = (s * s.transpose())
            .symmetric_eigenvalues()
            .iter()
            .map(|v| v.max(0.0).sqrt())
            .collect();
        values.sort_by(|x, y| y.total_cmp(x));
        let size: f64 = mobile.iter().map(|x| (x - a).norm_squared()).sum::<f64>()
            + reference
                .iter()
                .map(|x| (x - b).norm_squared())
                .sum::<f64>();
        size - 2.0 * (values[0] + values[1] + s.determinant().signum() * values[2])
    }

    #[test]
    fn the_rotation_is_the_best_proper_one() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        for case in 0..100 {
            let reference = cloud(&mut rng, 6);
            // every other case a mirror image, for which the best orthogonal map would be a
            // reflection
            let mobile: Vec<_> = match case % 2 {
                0 => cloud(&mut rng, 6),
                _ => reference
                    .iter()
                    .map(|x| -x + 0.1 * Vector3::from_fn(|_, _| rng.random_range(-1.0..1.0)))
                    .collect(),
            };
            let moved = superpose(&mobile, &reference);
            let error: f64 = moved
                .iter()
                .zip(&reference)
                .map(|(x, y)| (x - y).norm_squared())
                .sum();
            let best = least_squares(&mobile, &reference);
            assert!((error - best).abs() <= 1e-9 * best, "{error} {best}");
            assert!(
                (best_rotation(&mobile, &reference).matrix().determinant() - 1.0).abs() <= 1e-12
            );
        }
    }
}
