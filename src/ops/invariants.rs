//! `invariants`: lengths of vector channels as bounded scalars: n/(1 + n), n = √(|v|² + 1e-6).

use super::pieces::for_rows;
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::engine::Real;

const EPSILON: f64 = 1e-6;

/// Bounded lengths of vectors. Input: K vectors. Output: K scalars.
#[derive(Debug, Clone, PartialEq)]
pub struct Invariants {
    /// Channels K.
    pub channels: usize,
}

fn length<T: Real>(row: &[T], channels: usize, k: usize) -> T {
    let [x, y, z] = [row[k], row[channels + k], row[2 * channels + k]];
    (x * x + y * y + z * z + T::of(EPSILON)).sqrt()
}

impl Kernel for Invariants {
    fn signature(&self) -> Signature {
        Signature { inputs: vec![Shape::vectors(self.channels)], params: vec![], outputs: vec![Shape::scalars(self.channels)] }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let n = self.channels;
        for_rows(call.outputs[0], n, |first, out| {
            for (row, v) in out.chunks_exact_mut(n).zip(call.inputs[0][first * 3 * n..].chunks_exact(3 * n)) {
                for (k, out) in row.iter_mut().enumerate() {
                    let length = length(v, n, k);
                    *out = length / (T::one() + length);
                }
            }
        });
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let n = self.channels;
        for_rows(call.d_inputs[0], 3 * n, |first, d_inputs| {
            for (token, d_v) in (first..).zip(d_inputs.chunks_exact_mut(3 * n)) {
                let v = &call.inputs[0][token * 3 * n..(token + 1) * 3 * n];
                for k in 0..n {
                    let length = length(v, n, k);
                    let slope = call.d_outputs[0][token * n + k] / (length * (T::one() + length) * (T::one() + length));
                    for h in 0..3 {
                        d_v[h * n + k] += slope * v[h * n + k];
                    }
                }
            }
        });
    }
}
