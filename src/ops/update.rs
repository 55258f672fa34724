//! `update`: gated residual update of the vector channels, or of tensors, softly limited in length.
//!
//! ```text
//! w_k = v_k + σ(g_k) u_k        v'_k = w_k / √(1 + mean_k |w_k|² / 16)
//! ```

use super::pieces::{components, dot, eights, for_rows};
use super::rank2::NUMBERS;
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::{Lanes, Real};

/// RMS length at which vectors are limited, squared.
pub const LIMIT: f64 = 16.0;

/// Update, see the module's equations. Inputs: v, u (K vectors or tensors each), g (K scalars).
/// Output: v' (as v).
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// 3 for vectors, 5 for tensors.
    pub components: usize,
    /// Channels K.
    pub channels: usize,
}

impl Update {
    /// Of vectors.
    pub fn of_vectors(channels: usize) -> Self {
        Update {
            components: 3,
            channels,
        }
    }
    /// Of tensors.
    pub fn of_tensors(channels: usize) -> Self {
        Update {
            components: NUMBERS,
            channels,
        }
    }

    /// w of a token, into `w`; returns 1/√(1 + mean |w|²/16).
    fn sum<T: Real, const N: usize>(&self, token: usize, inputs: &[&[T]], w: &mut [T]) -> T {
        let n = self.channels;
        let at = token * N * n..(token + 1) * N * n;
        let (v, u, g) = (
            &inputs[0][at.clone()],
            &inputs[1][at],
            &inputs[2][token * n..(token + 1) * n],
        );
        for k in eights(n) {
            let open = Lanes::load(&g[k.clone()]).sigmoid();
            let (v, u): ([_; N], [_; N]) = (components(v, n, &k), components(u, n, &k));
            for h in 0..N {
                Lanes::fma(open, u[h], v[h]).store(&mut w[h * n + k.start..h * n + k.end]);
            }
        }
        let mean = dot(w, w) * T::of(1.0 / n as f64);
        (T::one() + mean * T::of(1.0 / LIMIT)).sqrt().recip()
    }

    fn forward_of<T: Real, const N: usize>(&self, call: Forward<'_, T>) {
        let row = N * self.channels;
        for_rows(call.outputs[0], row, |first, out| {
            for (token, w) in (first..).zip(out.chunks_exact_mut(row)) {
                let limit = self.sum::<T, N>(token, call.inputs, w);
                w.iter_mut().for_each(|w| *w *= limit);
            }
        });
    }

    /// With l = (1 + mean |w|²/16)^-½: d_w = l d_v' − l³ w (Σ w·d_v')/(16 K).
    fn backward_of<T: Real, const N: usize>(&self, call: Backward<'_, T>) {
        let n = self.channels;
        let mut w = vec![T::zero(); N * n];
        let [d_v, d_u, d_g] = call.d_inputs else {
            panic!("update has three inputs")
        };
        for token in 0..call.batch.tokens() {
            let limit = self.sum::<T, N>(token, call.inputs, &mut w);
            let at = token * N * n;
            let d_out = &call.d_outputs[0][at..at + N * n];
            let pull = Lanes::all(
                dot(&w, d_out) * limit * limit * limit * T::of(1.0 / (LIMIT * n as f64)),
            );
            let (u, g) = (
                &call.inputs[1][at..at + N * n],
                &call.inputs[2][token * n..(token + 1) * n],
            );
            let (d_v, d_u, d_g) = (
                &mut d_v[at..at + N * n],
                &mut d_u[at..at + N * n],
                &mut d_g[token * n..(token + 1) * n],
            );
            for k in eights(n) {
                let open = Lanes::load(&g[k.clone()]).sigmoid();
                let (w, u): ([_; N], [_; N]) = (components(&w, n, &k), components(u, n, &k));
                let d_out: [_; N] = components(d_out, n, &k);
                let mut d_open = Lanes::zero();
                for h in 0..N {
                    let d_w = d_out[h] * Lanes::all(limit) - w[h] * pull;
                    let at = h * n + k.start..h * n + k.end;
                    d_w.add_to(&mut d_v[at.clone()]);
                    (d_w * open).add_to(&mut d_u[at]);
                    d_open += d_w * u[h];
                }
                (d_open * open * (Lanes::all(T::one()) - open)).add_to(&mut d_g[k]);
            }
        }
    }
}

impl Kernel for Update {
    fn examples() -> Vec<Self> {
        vec![Update::of_vectors(4), Update::of_tensors(3)]
    }

    fn signature(&self) -> Signature {
        let vectors = Shape {
            components: self.components,
            ..Shape::vectors(self.channels)
        };
        Signature {
            inputs: vec![vectors, vectors, Shape::scalars(self.channels)],
            params: vec![],
            outputs: vec![vectors],
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
