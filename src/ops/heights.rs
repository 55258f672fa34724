//! `heights`: signed heights of three-neighbour centres: chirality and planarity, which distances
//! cannot see.
//!
//! For a centre a0 with neighbours a1, a2, a3 (positions of the candidate y), template height h0
//! and area A, s the system's scale and pre(e, w) = z/√(1 + (z/4)²), z = e·s/(w² + s²) (spec
//! jump.md § 2):
//!
//! ```text
//! ν = (a2 − a1) × (a3 − a1) / A        e = (a1 − a0)·ν − h0
//! z = [pre(e, .04), pre(e, .2), tanh e]
//! ```
//!
//! Scalars out, 6 a token: z summed over the centres that the token is, then z summed over the
//! centres that it neighbours. Vectors out, 2 a token: Σ (0.75 if the token is the centre, −0.25 if
//! it is a neighbour) · ν · z[0..2].
//!
//! ν is not normalised by its own length: it is a polynomial of the positions, smooth where the
//! neighbours are in line. There are fewer centres than tokens and a centre costs less than an
//! edge, so both kernels run serially.

use super::{Backward, Batch, Centre, Forward, Kernel, Shape, Signature};
use crate::numeric::Real;

/// Thermal widths of the two corrections, Å.
pub const WIDTHS: [f64; 2] = [0.04, 0.2];

/// Share of the centre and of each neighbour in the displacement that restores the height.
pub const SHARES: [f64; 4] = [0.75, -0.25, -0.25, -0.25];

/// Signed heights; see the module's equations. Input: y (1 vector). No parameters. Outputs: 6
/// scalars, 2 vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Heights;

/// One centre's geometry.
struct Height<T> {
    /// a2 − a1, a3 − a1, a1 − a0.
    p: [T; 3],
    q: [T; 3],
    s: [T; 3],
    /// The plane's normal, (p × q)/A.
    normal: [T; 3],
    /// Features and their derivatives by the height.
    z: [T; 3],
    slope: [T; 3],
}

impl<T: Real> Height<T> {
    fn new(centre: &Centre, scale: f64, y: &[[T; 3]]) -> Self {
        let [a0, a1, a2, a3] = centre.tokens.map(|token| y[token as usize]);
        let (p, q, s) = (minus(a2, a1), minus(a3, a1), minus(a1, a0));
        let normal = cross(p, q).map(|value| value / T::of(centre.area.into()));
        let e = dot(s, normal) - T::of(centre.height.into());
        let t = e.tanh();
        let mut z = [t; 3];
        let mut slope = [T::one() - t * t; 3];
        for (k, width) in WIDTHS.into_iter().enumerate() {
            let gain = T::of(scale / (width * width + scale * scale));
            let clip = (T::one() + (e * gain / T::of(4.0)).powi(2)).sqrt().recip();
            (z[k], slope[k]) = (e * gain * clip, gain * clip * clip * clip);
        }
        Height {
            p,
            q,
            s,
            normal,
            z,
            slope,
        }
    }
}

/// Every centre with its system's scale.
fn centres(batch: &Batch) -> impl Iterator<Item = (&Centre, f64)> {
    let of_system = |system: usize| {
        &batch.centres[batch.centre_offsets[system]..batch.centre_offsets[system + 1]]
    };
    (0..batch.systems()).flat_map(move |system| {
        of_system(system)
            .iter()
            .map(move |centre| (centre, batch.scale[system]))
    })
}

impl Kernel for Heights {
    fn examples() -> Vec<Self> {
        vec![Heights]
    }

    fn signature(&self) -> Signature {
        Signature {
            inputs: vec![Shape::vectors(1)],
            params: vec![],
            outputs: vec![Shape::scalars(6), Shape::vectors(2)],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let (y, [scalars, vectors]) = (rows(call.inputs[0]), call.outputs) else {
            panic!("heights gives 2 outputs")
        };
        scalars.fill(T::zero());
        vectors.fill(T::zero());
        for (centre, scale) in centres(call.batch) {
            let height = Height::new(centre, scale, y);
            for (place, token) in centre
                .tokens
                .iter()
                .map(|&token| token as usize)
                .enumerate()
            {
                let group = if place == 0 { 0 } else { 3 };
                for k in 0..3 {
                    scalars[6 * token + group + k] += height.z[k];
                }
                for h in 0..3 {
                    for k in 0..2 {
                        vectors[6 * token + 2 * h + k] +=
                            T::of(SHARES[place]) * height.normal[h] * height.z[k];
                    }
                }
            }
        }
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let (y, d_y) = (
            rows(call.inputs[0]),
            call.d_inputs[0].as_chunks_mut::<3>().0,
        );
        let [d_scalars, d_vectors] = call.d_outputs else {
            panic!("heights gives 2 outputs")
        };
        for (centre, scale) in centres(call.batch) {
            let height = Height::new(centre, scale, y);
            let (mut d_z, mut d_normal) = ([T::zero(); 3], [T::zero(); 3]);
            for (place, token) in centre
                .tokens
                .iter()
                .map(|&token| token as usize)
                .enumerate()
            {
                let group = if place == 0 { 0 } else { 3 };
                for k in 0..3 {
                    d_z[k] += d_scalars[6 * token + group + k];
                }
                for h in 0..3 {
                    for k in 0..2 {
                        let d = T::of(SHARES[place]) * d_vectors[6 * token + 2 * h + k];
                        d_z[k] += d * height.normal[h];
                        d_normal[h] += d * height.z[k];
                    }
                }
            }
            // back through e = s·ν and ν = p × q / A
            let d_e = dot(d_z, height.slope);
            let d_cross: [T; 3] = std::array::from_fn(|h| {
                (d_normal[h] + d_e * height.s[h]) / T::of(centre.area.into())
            });
            let (d_p, d_q) = (cross(height.q, d_cross), cross(d_cross, height.p));
            for h in 0..3 {
                let d_s = d_e * height.normal[h];
                let d = [-d_s, d_s - d_p[h] - d_q[h], d_p[h], d_q[h]];
                for (token, d) in centre.tokens.iter().zip(d) {
                    d_y[*token as usize][h] += d;
                }
            }
        }
    }
}

fn rows<T>(flat: &[T]) -> &[[T; 3]] {
    flat.as_chunks().0
}

fn minus<T: Real>(a: [T; 3], b: [T; 3]) -> [T; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot<T: Real>(a: [T; 3], b: [T; 3]) -> T {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross<T: Real>(a: [T; 3], b: [T; 3]) -> [T; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Two systems; tokens are centres, neighbours of several centres, or neither.
    fn batch(template: f32) -> Batch {
        let centre = |tokens, sign: f32| Centre {
            tokens,
            height: sign * template,
            area: 2.1,
        };
        Batch {
            offsets: vec![0, 7, 12],
            kinds: vec![[0; 3]; 12],
            centres: vec![
                centre([0, 1, 2, 3], 1.0),
                centre([1, 0, 4, 5], -1.0),
                centre([8, 7, 9, 10], 1.0),
            ],
            centre_offsets: vec![0, 2, 3],
            scale: vec![0.3, 0.05],
            ..Batch::default()
        }
    }

    fn positions(seed: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..36).map(|_| rng.random_range(-1.2..1.2)).collect()
    }

    fn forward<T: Real>(batch: &Batch, y: &[f64]) -> [Vec<T>; 2] {
        let y: Vec<T> = y.iter().map(|&y| T::of(y)).collect();
        let (mut scalars, mut vectors) = (vec![T::nan(); 72], vec![T::nan(); 72]);
        Heights.forward(Forward {
            batch,
            inputs: &[&y],
            params: &[],
            outputs: &mut [&mut scalars, &mut vectors],
            over: &[],
        });
        [scalars, vectors]
    }

    #[test]
    fn a_known_centre_has_known_features() {
        let mut batch = batch(0.0);
        batch.centres.truncate(1);
        batch.centres[0].area = 2.0;
        batch.centre_offsets = vec![0, 1, 1];
        let mut y = vec![0.0; 36];
        // neighbours at (0, 0, .3), (2, 0, .3), (0, 1, .3) above the centre at (0, 0, 0): normal z,
        // height 0.3
        y[3..12].copy_from_slice(&[0.0, 0.0, 0.3, 2.0, 0.0, 0.3, 0.0, 1.0, 0.3]);
        let [scalars, vectors] = forward::<f64>(&batch, &y);
        let z = [
            0.3f64 * 0.3 / (0.04 * 0.04 + 0.09),
            0.3 * 0.3 / (0.2 * 0.2 + 0.09),
        ]
        .map(|z| z / (1.0 + z * z / 16.0).sqrt());
        let expected = [z[0], z[1], 0.3f64.tanh(), 0.0, 0.0, 0.0];
        for k in 0..6 {
            assert!((scalars[k] - expected[k]).abs() <= 1e-14);
            for token in 1..4 {
                assert!((scalars[6 * token + k] - expected[(k + 3) % 6]).abs() <= 1e-14);
            }
        }
        for (k, z) in z.into_iter().enumerate() {
            assert!(
                (vectors[4 + k] - 0.75 * z).abs() <= 1e-14
                    && (vectors[6 + 4 + k] + 0.25 * z).abs() <= 1e-14
            );
        }
        assert!(
            scalars[24..]
                .iter()
                .chain(&vectors[24..])
                .chain(&vectors[..4])
                .all(|&value| value == 0.0)
        );
    }

    #[test]
    fn the_mirror_image_has_the_opposite_heights() {
        let batch = batch(0.0);
        let y = positions(1);
        let mirrored: Vec<f64> = y
            .iter()
            .enumerate()
            .map(|(k, &y)| if k % 3 == 1 { -y } else { y })
            .collect();
        let ([scalars, vectors], [scalars_m, vectors_m]) = (
            forward::<f64>(&batch, &y),
            forward::<f64>(&batch, &mirrored),
        );
        assert!(
            scalars[..6].iter().all(|value| value.abs() > 1e-3),
            "a case with heights"
        );
        for (k, (a, b)) in scalars.iter().zip(&scalars_m).enumerate() {
            assert!((a + b).abs() <= 1e-13, "scalar {k}");
        }
        // normal × height is a true vector: it is reflected like the positions
        for (k, (a, b)) in vectors.iter().zip(&vectors_m).enumerate() {
            let expected = if k % 6 / 2 == 1 { -a } else { *a };
            assert!((expected - b).abs() <= 1e-13, "vector {k}");
        }
    }

    #[test]
    fn rotations_pass_through() {
        let batch = batch(0.4);
        let y = positions(2);
        // the quaternion (1, 2, 3, 4)/√30
        let matrix = [[-20.0, 4.0, 22.0], [20.0, -10.0, 20.0], [10.0, 28.0, 4.0]];
        let rotate = |v: [f64; 3]| {
            matrix.map(|row: [f64; 3]| (row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) / 30.0)
        };
        let moved: Vec<f64> = rows(&y)
            .iter()
            .flat_map(|&position| rotate(position).map(|value| value + 3.0))
            .collect();
        let ([scalars, vectors], [scalars_m, vectors_m]) =
            (forward::<f64>(&batch, &y), forward::<f64>(&batch, &moved));
        assert!(
            scalars
                .iter()
                .zip(&scalars_m)
                .all(|(a, b)| (a - b).abs() <= 1e-12)
        );
        for (row, row_m) in vectors.chunks(6).zip(vectors_m.chunks(6)) {
            for k in 0..2 {
                let expected = rotate([row[k], row[2 + k], row[4 + k]]);
                assert!((0..3).all(|h| (expected[h] - row_m[2 * h + k]).abs() <= 1e-12));
            }
        }
    }

    fn backward<T: Real>(batch: &Batch, y: &[f64], projection: &[f64]) -> Vec<T> {
        let cast = |values: &[f64]| values.iter().map(|&value| T::of(value)).collect::<Vec<T>>();
        let (y, d) = (cast(y), cast(projection));
        let mut d_y = vec![T::one(); 36];
        Heights.backward(Backward {
            batch,
            inputs: &[&y],
            params: &[],
            outputs: &[],
            d_outputs: &[&d[..72], &d[72..]],
            d_inputs: &mut [&mut d_y],
            d_params: &mut [],
        });
        d_y.iter().map(|&d| d - T::one()).collect()
    }

    #[test]
    fn gradients_are_central_differences() {
        let batch = batch(0.4);
        let mut y = positions(3);
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let projection: Vec<f64> = (0..144).map(|_| rng.random_range(-1.0..1.0)).collect();
        let value = |y: &[f64]| -> f64 {
            forward::<f64>(&batch, y)
                .iter()
                .flatten()
                .zip(&projection)
                .map(|(a, b)| a * b)
                .sum()
        };
        let found = backward::<f64>(&batch, &y, &projection);
        let size = found.iter().fold(0.0, |size: f64, d| size.max(d.abs()));
        let single = backward::<f32>(&batch, &y, &projection);
        for k in 0..36 {
            let at = y[k];
            let step = 2e-6;
            y[k] = at + step;
            let above = value(&y);
            y[k] = at - step;
            let difference = (above - value(&y)) / (2.0 * step);
            y[k] = at;
            assert!(
                (found[k] - difference).abs() <= 1e-6 * size,
                "{k}: {} {difference}",
                found[k]
            );
            assert!((found[k] - single[k] as f64).abs() <= 1e-4 * size);
        }
        let ([scalars, vectors], [scalars32, vectors32]) =
            (forward::<f64>(&batch, &y), forward::<f32>(&batch, &y));
        let pairs = scalars
            .iter()
            .chain(&vectors)
            .zip(scalars32.iter().chain(&vectors32));
        assert!(
            pairs
                .into_iter()
                .all(|(a, &b)| (a - b as f64).abs() <= 1e-4)
        );
    }
}
