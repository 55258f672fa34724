//! Superposition: the rotation and translation that bring one set of positions closest to another.

use nalgebra::{Matrix3, Vector3};

use crate::structure::align::best_rotation;
use crate::structure::centroid;

/// The best rigid motion x ↦ R·(x − from) + to, and what remains after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Superposition {
    /// Proper rotation R.
    pub rotation: Matrix3<f64>,
    /// Centroid of the moving positions, Å.
    pub from: Vector3<f64>,
    /// Centroid of the target positions, Å.
    pub to: Vector3<f64>,
    /// Root mean square distance after the motion, Å.
    pub rmsd: f64,
}

impl Superposition {
    /// Moves one position.
    pub fn apply(&self, position: &Vector3<f64>) -> Vector3<f64> {
        self.rotation * (position - self.from) + self.to
    }
    /// Moves all positions of a frame, also those that the fit did not use.
    pub fn apply_all(&self, positions: &mut [Vector3<f64>]) {
        positions
            .iter_mut()
            .for_each(|position| *position = self.apply(position));
    }
}

/// Superposes `moving` onto `target` (same length, unweighted; never a reflection) by
/// [`best_rotation`]. Without positions: RMSD 0.
///
/// A turn about z by 90° and a shift are undone:
///
/// ```
/// use mdsurrogate::geometry::superpose::superpose;
/// use nalgebra::Vector3;
///
/// let target: [Vector3<f64>; 3] = [Vector3::x(), 2.0 * Vector3::y(), Vector3::zeros()];
/// let moving = target.map(|p| Vector3::new(-p.y + 5.0, p.x, p.z));
/// let fit = superpose(&moving, &target);
/// assert!(fit.rmsd <= 1e-12);
/// assert!((fit.apply(&moving[0]) - target[0]).norm() <= 1e-12);
/// assert!((fit.rotation.determinant() - 1.0).abs() <= 1e-12); // no reflection
/// ```
///
/// # Panics
/// Where the lengths differ.
pub fn superpose(moving: &[Vector3<f64>], target: &[Vector3<f64>]) -> Superposition {
    let rotation = *best_rotation(moving, target).matrix();
    let mut fit = Superposition {
        rotation,
        from: centroid(moving),
        to: centroid(target),
        rmsd: 0.0,
    };
    let square: f64 = moving
        .iter()
        .zip(target)
        .map(|(x, y)| (fit.apply(x) - y).norm_squared())
        .sum();
    fit.rmsd = (square / moving.len().max(1) as f64).sqrt();
    fit
}

/// Root mean square distance after the best superposition, Å.
///
/// # Panics
/// Where the lengths differ.
pub fn rmsd(moving: &[Vector3<f64>], target: &[Vector3<f64>]) -> f64 {
    superpose(moving, target).rmsd
}

/// The positions of some atoms, in the order of `atoms`.
pub fn pick(positions: &[Vector3<f64>], atoms: &[usize]) -> Vec<Vector3<f64>> {
    atoms.iter().map(|&atom| positions[atom]).collect()
}

/// Mass-weighted radius of gyration, Å.
///
/// # Panics
/// Where the lengths differ.
pub fn radius_of_gyration(positions: &[Vector3<f64>], masses: &[f64]) -> f64 {
    assert_eq!(positions.len(), masses.len(), "a mass for every position");
    let total: f64 = masses.iter().sum();
    let centre = positions
        .iter()
        .zip(masses)
        .map(|(x, &mass)| x * mass)
        .sum::<Vector3<f64>>()
        / total;
    let moment: f64 = positions
        .iter()
        .zip(masses)
        .map(|(x, &mass)| mass * (x - centre).norm_squared())
        .sum();
    (moment / total).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Rotation3;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn cloud(seed: u64, count: usize) -> Vec<Vector3<f64>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..count)
            .map(|_| Vector3::from_fn(|_, _| rng.random_range(-10.0..10.0)))
            .collect()
    }

    #[test]
    fn a_rigid_motion_is_found_and_undone() {
        for count in [1, 2, 3, 4, 50] {
            let still = cloud(count as u64, count);
            let turn = Rotation3::from_euler_angles(0.3, -2.1, 1.2);
            let shift = Vector3::new(40.0, -3.0, 7.0);
            let moved: Vec<_> = still.iter().map(|x| turn * x + shift).collect();
            let fit = superpose(&moved, &still);
            assert!(fit.rmsd <= 1e-10, "{count}: {}", fit.rmsd);
            let mut back = moved.clone();
            fit.apply_all(&mut back);
            let worst = back
                .iter()
                .zip(&still)
                .map(|(a, b)| (a - b).norm())
                .fold(0.0, f64::max);
            assert!(worst <= 1e-10, "{count}: {worst}");
            assert!((fit.rotation.determinant() - 1.0).abs() <= 1e-12);
        }
    }

    #[test]
    fn a_mirror_image_is_not_superposed() {
        let still = cloud(7, 20);
        let mirror: Vec<_> = still.iter().map(|x| Vector3::new(-x.x, x.y, x.z)).collect();
        let fit = superpose(&mirror, &still);
        assert!((fit.rotation.determinant() - 1.0).abs() <= 1e-12);
        let mut moved = mirror.clone();
        fit.apply_all(&mut moved);
        let direct = (moved
            .iter()
            .zip(&still)
            .map(|(a, b)| (a - b).norm_squared())
            .sum::<f64>()
            / 20.0)
            .sqrt();
        assert!(
            fit.rmsd > 1.0 && (fit.rmsd - direct).abs() <= 1e-9,
            "{} {direct}",
            fit.rmsd
        );
    }

    #[test]
    fn no_other_rotation_is_closer() {
        let (a, b) = (cloud(1, 12), cloud(2, 12));
        let best = rmsd(&a, &b);
        let (ca, cb) = (centroid(&a), centroid(&b));
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..2000 {
            let turn = Rotation3::from_euler_angles(
                rng.random_range(-3.2..3.2),
                rng.random_range(-1.6..1.6),
                rng.random_range(-3.2..3.2),
            );
            let square: f64 = a
                .iter()
                .zip(&b)
                .map(|(x, y)| (turn * (x - ca) - (y - cb)).norm_squared())
                .sum();
            assert!(best <= (square / 12.0).sqrt() + 1e-12);
        }
    }

    #[test]
    fn gyration_of_a_dumbbell() {
        // masses 1 and 3 at distance 4: reduced mass 0.75, Rg² = 0.75 · 16 / 4
        let rg = radius_of_gyration(
            &[Vector3::zeros(), Vector3::new(0.0, 4.0, 0.0)],
            &[1.0, 3.0],
        );
        assert!((rg - 3f64.sqrt()).abs() <= 1e-12, "{rg}");
    }
}
