//! `invariants`: lengths of vector channels, or of tensors, as bounded scalars: n/(1 + n), n =
//! √(|v|² + 1e-6).

use super::pieces::{components, eights, for_rows};
use super::rank2::NUMBERS;
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::{Lanes, Real};

/// Added to |v|².
pub const EPSILON: f64 = 1e-6;

/// Bounded lengths. Input: K vectors or tensors. Output: K scalars.
#[derive(Debug, Clone, PartialEq)]
pub struct Invariants {
    /// 3 for vectors, 5 for tensors.
    pub components: usize,
    /// Channels K.
    pub channels: usize,
}

#[inline(always)]
fn length<T: Real, const N: usize>(v: [Lanes<T>; N]) -> Lanes<T> {
    let squares = v.map(|x| x * x).into_iter();
    let square = squares.reduce(|a, b| a + b).expect("some components");
    square.map(|square| (square + T::of(EPSILON)).sqrt())
}

impl Invariants {
    /// Lengths of vectors.
    pub fn of_vectors(channels: usize) -> Self {
        Invariants {
            components: 3,
            channels,
        }
    }
    /// Lengths of tensors.
    pub fn of_tensors(channels: usize) -> Self {
        Invariants {
            components: NUMBERS,
            channels,
        }
    }

    fn forward_of<T: Real, const N: usize>(&self, call: Forward<'_, T>) {
        let n = self.channels;
        for_rows(call.outputs[0], n, |first, out| {
            for (row, v) in out
                .chunks_exact_mut(n)
                .zip(call.inputs[0][first * N * n..].chunks_exact(N * n))
            {
                for k in eights(n) {
                    length::<T, N>(components(v, n, &k))
                        .map(|length| length / (T::one() + length))
                        .store(&mut row[k]);
                }
            }
        });
    }

    fn backward_of<T: Real, const N: usize>(&self, call: Backward<'_, T>) {
        let n = self.channels;
        for_rows(call.d_inputs[0], N * n, |first, d_inputs| {
            for (token, d_v) in (first..).zip(d_inputs.chunks_exact_mut(N * n)) {
                let v = &call.inputs[0][token * N * n..(token + 1) * N * n];
                let d_lengths = &call.d_outputs[0][token * n..(token + 1) * n];
                for k in eights(n) {
                    let v: [_; N] = components(v, n, &k);
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

impl Kernel for Invariants {
    fn examples() -> Vec<Self> {
        vec![Invariants::of_vectors(4), Invariants::of_tensors(3)]
    }

    fn signature(&self) -> Signature {
        Signature {
            inputs: vec![Shape {
                components: self.components,
                ..Shape::vectors(self.channels)
            }],
            params: vec![],
            outputs: vec![Shape::scalars(self.channels)],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        match self.components {
            NUMBERS => self.forward_of::<T, NUMBERS>(call),
            _ => self.forward_of::<T, 3>(call),
        }
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        match self.components {
            NUMBERS => self.backward_of::<T, NUMBERS>(call),
            _ => self.backward_of::<T, 3>(call),
        }
    }
}
