//! `readout`: moves the answer by a gated sum of vector channels, in units of the system's scale.
//!
//! ```text
//! Δ_i = Σ_c w_ic V_ic (over all channels of all vector inputs)
//! y'_i = y_i + s (Δ_i − mean over the system of Δ)
//! ```
//!
//! Taking out the mean keeps the centroid (of displacements) and the total momentum (of forces).

use super::pieces::{components, dot, eights};
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::{Lanes, Real};

/// Gated sum of vectors added to y, see the module's equation.
///
/// Inputs: y (1 vector), w (as many scalars as vector channels in all), then the vector inputs.
/// Output: y' (1 vector).
#[derive(Debug, Clone, PartialEq)]
pub struct Readout {
    /// Channels of each vector input.
    pub vectors: Vec<usize>,
}

impl Readout {
    fn weights(&self) -> usize {
        self.vectors.iter().sum()
    }

    /// Δ of the tokens that the inputs have.
    pub(super) fn sums<T: Real>(&self, inputs: &[&[T]], out: &mut [T]) {
        for (token, delta) in out.chunks_exact_mut(3).enumerate() {
            delta.fill(T::zero());
            let mut w = &inputs[1][token * self.weights()..(token + 1) * self.weights()];
            for (vectors, &n) in inputs[2..].iter().zip(&self.vectors) {
                for (h, delta) in delta.iter_mut().enumerate() {
                    let row = &vectors[(token * 3 + h) * n..][..n];
                    *delta += dot(row, w);
                }
                w = &w[n..];
            }
        }
    }

    /// y' of Δ, in its place.
    pub(super) fn finish<T: Real>(&self, batch: &super::Batch, y: &[T], out: &mut [T]) {
        centre(batch, out);
        out.iter_mut().zip(y).for_each(|(out, &y)| *out += y);
    }
}

/// Subtracts from each row of three its mean over the system and multiplies by the system's scale.
fn centre<T: Real>(batch: &super::Batch, rows: &mut [T]) {
    for system in 0..batch.systems() {
        let range = batch.range(system);
        let rows = &mut rows[range.start * 3..range.end * 3];
        let share = T::of(1.0 / range.len().max(1) as f64);
        let mean = [0, 1, 2].map(|h| rows.iter().skip(h).step_by(3).copied().sum::<T>() * share);
        let scale = T::of(batch.scale[system]);
        rows.iter_mut()
            .enumerate()
            .for_each(|(index, x)| *x = (*x - mean[index % 3]) * scale);
    }
}

impl Kernel for Readout {
    fn examples() -> Vec<Self> {
        vec![
            Readout {
                vectors: vec![3, 4, 2],
            },
            Readout { vectors: vec![2] },
        ]
    }

    fn signature(&self) -> Signature {
        let fixed = [Shape::vectors(1), Shape::scalars(self.weights())];
        Signature {
            inputs: fixed
                .into_iter()
                .chain(self.vectors.iter().map(|&width| Shape::vectors(width)))
                .collect(),
            params: vec![],
            outputs: vec![Shape::vectors(1)],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let out = &mut *call.outputs[0];
        self.sums(call.inputs, out);
        self.finish(call.batch, call.inputs[0], out);
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let mut d_delta = call.d_outputs[0].to_vec();
        centre(call.batch, &mut d_delta); // its own adjoint
        let [d_y, d_w, d_vectors @ ..] = call.d_inputs else {
            panic!("readout has at least two inputs")
        };
        d_y.iter_mut()
            .zip(call.d_outputs[0])
            .for_each(|(d, &g)| *d += g);
        for (token, d_delta) in d_delta.chunks_exact(3).enumerate() {
            let mut at = token * self.weights();
            for ((vectors, d_vectors), &n) in call.inputs[2..]
                .iter()
                .zip(d_vectors.iter_mut())
                .zip(&self.vectors)
            {
                let rows = token * 3 * n..(token + 1) * 3 * n;
                let vectors = &vectors[rows.clone()];
                let d_vectors = &mut d_vectors[rows];
                let w = &call.inputs[1][at..at + n];
                let d_w = &mut d_w[at..at + n];
                for k in eights(n) {
                    let w = Lanes::load(&w[k.clone()]);
                    let v: [_; 3] = components(vectors, n, &k);
                    let mut sum = Lanes::load(&d_w[k.clone()]);
                    for (h, &d) in d_delta.iter().enumerate() {
                        sum = Lanes::fma(v[h], Lanes::all(d), sum);
                        (w * Lanes::all(d)).add_to(&mut d_vectors[h * n + k.start..h * n + k.end]);
                    }
                    sum.store(&mut d_w[k]);
                }
                at += n;
            }
        }
    }
}
