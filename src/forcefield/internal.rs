//! Internal coordinates of bonded atoms, with their gradients: what bonded terms depend on.

use nalgebra::Vector3;

type Vectors<'a> = &'a [Vector3<f64>];

/// Length of the bond between two atoms, Å, and its gradient by each. Of atoms at one place the
/// gradient is zero.
pub(super) fn length([i, j]: [usize; 2], positions: Vectors) -> (f64, [Vector3<f64>; 2]) {
    let delta = positions[i] - positions[j];
    let length = delta.norm();
    let along = delta / length.max(f64::MIN_POSITIVE);
    (length, [along, -along])
}

/// Angle at the middle one of three atoms, rad, and its gradient by each, rad/Å; with u and v from
/// the middle to the ends, atan2(|u × v|, u·v), so that straight angles lose no digits. Where the
/// atoms are in line the direction is not defined, and the gradient is zero.
pub(super) fn angle([i, j, k]: [usize; 3], positions: Vectors) -> (f64, [Vector3<f64>; 3]) {
    let (u, v) = (positions[i] - positions[j], positions[k] - positions[j]);
    let normal = u.cross(&v);
    let area = normal.norm();
    let angle = area.atan2(u.dot(&v));
    if area <= 1e-12 {
        return (angle, [Vector3::zeros(); 3]);
    }
    let on_i = u.cross(&normal) / (area * u.norm_squared());
    let on_k = normal.cross(&v) / (area * v.norm_squared());
    (angle, [on_i, -on_i - on_k, on_k])
}

/// A dihedral φ of four atoms.
pub(super) struct Turn {
    /// cos φ.
    pub cosine: f64,
    /// sin φ.
    pub sine: f64,
    /// Gradient of φ by each atom, rad/Å.
    pub gradient: [Vector3<f64>; 4],
}

/// Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996): a gradient without a division by sin φ.
/// None where three of the atoms are in line, so that φ is not defined.
pub(super) fn dihedral([i, j, k, l]: [usize; 4], positions: Vectors) -> Option<Turn> {
    let f = positions[i] - positions[j];
    let g = positions[j] - positions[k];
    let h = positions[l] - positions[k];
    let (a, b) = (f.cross(&g), h.cross(&g));
    let (a2, b2, g1) = (a.norm_squared(), b.norm_squared(), g.norm());
    let scale = (a2 * b2).sqrt();
    if scale <= 1e-12 {
        return None;
    }
    // against the gradient: what the force of a rising energy is along
    let on_i = a * (g1 / a2);
    let on_l = b * (-g1 / b2);
    let shift = a * (f.dot(&g) / (a2 * g1)) - b * (h.dot(&g) / (b2 * g1));
    Some(Turn {
        cosine: a.dot(&b) / scale,
        sine: b.cross(&a).dot(&g) / (scale * g1),
        gradient: [-on_i, on_i + shift, on_l - shift, -on_l],
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::chain;
    use super::*;

    /// Largest difference, rad/Å, of `gradient` from the slope of `value` by finite differences.
    fn error(
        atoms: &[usize],
        gradient: &[Vector3<f64>],
        value: impl Fn(&[Vector3<f64>]) -> f64,
    ) -> f64 {
        let (_, positions) = chain(12, 5);
        let mut worst: f64 = 0.0;
        for (&atom, on_atom) in atoms.iter().zip(gradient) {
            for axis in 0..3 {
                let [high, low] = [1e-5, -1e-5].map(|shift| {
                    let mut moved = positions.clone();
                    moved[atom][axis] += shift;
                    value(&moved)
                });
                worst = worst.max(((high - low) / 2e-5 - on_atom[axis]).abs());
            }
        }
        worst
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let (_, positions) = chain(12, 5);
        for start in 0..9 {
            let [i, j, k, l] = [start, start + 1, start + 2, start + 3];
            let (_, gradient) = length([i, j], &positions);
            assert!(error(&[i, j], &gradient, |x| length([i, j], x).0) <= 1e-8);
            let (_, gradient) = angle([i, j, k], &positions);
            assert!(error(&[i, j, k], &gradient, |x| angle([i, j, k], x).0) <= 1e-8);
            let turn = dihedral([i, j, k, l], &positions).unwrap();
            // φ from the φ of here, which is small where the atoms are hardly moved
            let from_here = |x: &[Vector3<f64>]| {
                let moved = dihedral([i, j, k, l], x).unwrap();
                (moved.sine * turn.cosine - moved.cosine * turn.sine)
                    .atan2(moved.cosine * turn.cosine + moved.sine * turn.sine)
            };
            assert!(error(&[i, j, k, l], &turn.gradient, from_here) <= 1e-8);
        }
    }

    #[test]
    fn atoms_in_line_or_at_one_place_have_no_direction() {
        let line: Vec<_> = (0..4)
            .map(|x| Vector3::new(f64::from(x), 0.0, 0.0))
            .collect();
        let (straight, gradient) = angle([0, 1, 2], &line);
        assert!((straight - std::f64::consts::PI).abs() <= 1e-12);
        assert_eq!(gradient, [Vector3::zeros(); 3]);
        assert!(dihedral([0, 1, 2, 3], &line).is_none());
        let (none, gradient) = length([1, 1], &line);
        assert!(none == 0.0 && gradient == [Vector3::zeros(); 2]);
    }
}
