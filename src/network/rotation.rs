//! How far what a rotated run computed is from what a plain one did, rotated.

use nalgebra::{Rotation3, Vector3};

use crate::ops::rank2;

/// RMS of found − R·expected over the RMS of expected, for rows of scalars, vectors, tuples or
/// tensors; NaN stays NaN as infinity.
pub(super) fn rotation_error(
    expected: &[f64],
    found: &[f64],
    components: usize,
    width: usize,
    rotation: &Rotation3<f64>,
) -> f64 {
    let row = components * width;
    let (mut difference, mut size) = (0.0, 1e-30);
    for (expected, found) in expected
        .chunks_exact(row.max(1))
        .zip(found.chunks_exact(row.max(1)))
    {
        let first = components % 3; // 1 for scalars and tuples: their scalar part
        for k in 0..width {
            if components == rank2::NUMBERS {
                let of = |row: &[f64]| std::array::from_fn(|m| row[m * width + k]);
                let turned = rank2::turned(of(expected), rotation.matrix());
                for (found, expected) in of(found).into_iter().zip(turned) {
                    difference += (found - expected).powi(2);
                    size += expected.powi(2);
                }
                continue;
            }
            if first == 1 {
                difference += (found[k] - expected[k]).powi(2);
                size += expected[k].powi(2);
            }
            if components >= 3 {
                let at = |row: &[f64]| Vector3::from_fn(|h, _| row[(first + h) * width + k]);
                difference += (at(found) - rotation * at(expected)).norm_squared();
                size += at(expected).norm_squared();
            }
        }
    }
    let error = (difference / size).sqrt();
    if error.is_nan() { f64::INFINITY } else { error }
}
