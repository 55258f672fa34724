//! `tuple`: K scalars and K vectors become K tuples (α, r), scaled by their RMS over the channels
//! of the token (invariant).
//!
//! ```text
//! z_k = (α_k, r_k) / √(mean_k (α_k² + |r_k|²) + 1e-6)
//! ```

use super::pieces::{dot, eights, for_rows};
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::{Lanes, Real};

/// Added to the mean square.
pub const EPSILON: f64 = 1e-6;

/// Pairs scalar channels with vector channels and normalises; see the module's equation.
///
/// Inputs: scalars (`scalars` of them, K from `scalar_offset` on are used), vectors (likewise).
/// Output: K tuples.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuple {
    /// Channels K.
    pub channels: usize,
    /// Width of the scalar input, and the first channel used.
    pub scalars: (usize, usize),
    /// Width of the vector input, and the first channel used.
    pub vectors: (usize, usize),
}

impl Tuple {
    /// The four component rows of a token: α, x, y, z.
    fn parts<'a, T>(&self, token: usize, scalars: &'a [T], vectors: &'a [T]) -> [&'a [T]; 4] {
        let (k, (sw, so), (vw, vo)) = (self.channels, self.scalars, self.vectors);
        let vector = |h: usize| &vectors[(token * 3 + h) * vw + vo..][..k];
        [
            &scalars[token * sw + so..][..k],
            vector(0),
            vector(1),
            vector(2),
        ]
    }

    fn inverse_rms<T: Real>(&self, parts: &[&[T]; 4]) -> T {
        let sum = parts.iter().map(|part| dot(part, part)).sum::<T>();
        (sum * T::of(1.0 / self.channels as f64) + T::of(EPSILON))
            .sqrt()
            .recip()
    }
}

impl Kernel for Tuple {
    fn examples() -> Vec<Self> {
        vec![Tuple {
            channels: 3,
            scalars: (8, 2),
            vectors: (7, 4),
        }]
    }

    fn signature(&self) -> Signature {
        Signature {
            inputs: vec![
                Shape::scalars(self.scalars.0),
                Shape::vectors(self.vectors.0),
            ],
            params: vec![],
            outputs: vec![Shape::tuples(self.channels)],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let k = self.channels;
        for_rows(call.outputs[0], 4 * k, |first, out| {
            for (token, row) in (first..).zip(out.chunks_exact_mut(4 * k)) {
                let parts = self.parts(token, call.inputs[0], call.inputs[1]);
                let inverse = Lanes::all(self.inverse_rms(&parts));
                for (out, part) in row.chunks_exact_mut(k).zip(parts) {
                    for k in eights(k) {
                        (Lanes::load(&part[k.clone()]) * inverse).store(&mut out[k]);
                    }
                }
            }
        });
    }

    /// d_z = (d_y − y · mean_k(d_y·y)) / rms.
    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let (k, (sw, so), (vw, vo)) = (self.channels, self.scalars, self.vectors);
        let [d_scalars, d_vectors] = call.d_inputs else {
            panic!("tuple has two inputs")
        };
        for token in 0..call.batch.tokens() {
            let at = token * 4 * k..(token + 1) * 4 * k;
            let y = &call.outputs[0][at.clone()];
            let d_y = &call.d_outputs[0][at];
            let inverse =
                Lanes::all(self.inverse_rms(&self.parts(token, call.inputs[0], call.inputs[1])));
            let along = Lanes::all(dot(y, d_y) * T::of(1.0 / k as f64));
            for h in 0..4 {
                let d_z = match h {
                    0 => &mut d_scalars[token * sw + so..][..k],
                    _ => &mut d_vectors[(token * 3 + h - 1) * vw + vo..][..k],
                };
                let y = &y[h * k..(h + 1) * k];
                let d_y = &d_y[h * k..(h + 1) * k];
                for k in eights(k) {
                    ((Lanes::load(&d_y[k.clone()]) - Lanes::load(&y[k.clone()]) * along) * inverse)
                        .add_to(&mut d_z[k]);
                }
            }
        }
    }
}
