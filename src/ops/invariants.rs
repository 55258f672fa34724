//! `invariants`: lengths of vector channels as bounded scalars: n/(1 + n), n = √(|v|² + 1e-6).

use super::pieces::{components, eights, for_rows};
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::{Lanes, Real};

/// Added to |v|².
pub const EPSILON: f64 = 1e-6;

/// Bounded lengths of vectors. Input: K vectors. Output: K scalars.
#[derive(Debug, Clone, PartialEq)]
pub struct Invariants {
    /// Channels K.
    pub channels: usize,
}

#[inline(always)]
fn length<T: Real>([x, y, z]: [Lanes<T>; 3]) -> Lanes<T> {
    (x * x + y * y + z * z).map(|square| (square + T::of(EPSILON)).sqrt())
}

impl Kernel for Invariants {
    fn examples() -> Vec<Self> {
        vec![Invariants { channels: 4 }]
    }

    fn signature(&self) -> Signature {
        Signature {
            inputs: vec![Shape::vectors(self.channels)],
            params: vec![],
            outputs: vec![Shape::scalars(self.channels)],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let n = self.channels;
        for_rows(call.outputs[0], n, |first, out| {
            for (row, v) in out
                .chunks_exact_mut(n)
                .zip(call.inputs[0][first * 3 * n..].chunks_exact(3 * n))
            {
                for k in eights(n) {
                    length(components(v, n, &k))
                        .map(|length| length / (T::one() + length))
                        .store(&mut row[k]);
                }
            }
        });
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let n = self.channels;
        for_rows(call.d_inputs[0], 3 * n, |first, d_inputs| {
            for (token, d_v) in (first..).zip(d_inputs.chunks_exact_mut(3 * n)) {
                let v = &call.inputs[0][token * 3 * n..(token + 1) * 3 * n];
                let d_lengths = &call.d_outputs[0][token * n..(token + 1) * n];
                for k in eights(n) {
                    let v = components(v, n, &k);
                    let inverse = length(v)
                        .map(|length| (length * (T::one() + length) * (T::one() + length)).recip());
                    let slope = Lanes::load(&d_lengths[k.clone()]) * inverse;
                    for (h, v) in v.into_iter().enumerate() {
                        (slope * v).add_to(&mut d_v[h * n + k.start..h * n + k.end]);
                    }
                }
            }
        });
    }
}
