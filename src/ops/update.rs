//! `update`: gated residual update of the vector channels, softly limited in length.
//!
//! ```text
//! w_k = v_k + σ(g_k) u_k        v'_k = w_k / √(1 + mean_k |w_k|² / 16)
//! ```

use super::pieces::for_rows;
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::engine::Real;

/// RMS length at which vectors are limited, squared.
const LIMIT: f64 = 16.0;

/// Vector update, see the module's equations. Inputs: v, u (K vectors each), g (K scalars). Output: v' (K vectors).
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Channels K.
    pub channels: usize,
}

impl Update {
    /// w of a token, into `w`; returns 1/√(1 + mean |w|²/16).
    fn sum<T: Real>(&self, token: usize, inputs: &[&[T]], w: &mut [T]) -> T {
        let n = self.channels;
        let at = token * 3 * n..(token + 1) * 3 * n;
        let (v, u, g) = (&inputs[0][at.clone()], &inputs[1][at], &inputs[2][token * n..(token + 1) * n]);
        for h in 0..3 {
            for k in 0..n {
                w[h * n + k] = v[h * n + k] + g[k].sigmoid() * u[h * n + k];
            }
        }
        let mean = w.iter().map(|&w| w * w).sum::<T>() * T::of(1.0 / n as f64);
        (T::one() + mean * T::of(1.0 / LIMIT)).sqrt().recip()
    }
}

impl Kernel for Update {
    fn signature(&self) -> Signature {
        let vectors = Shape::vectors(self.channels);
        Signature { inputs: vec![vectors, vectors, Shape::scalars(self.channels)], params: vec![], outputs: vec![vectors] }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let row = 3 * self.channels;
        for_rows(call.outputs[0], row, |first, out| {
            for (token, w) in (first..).zip(out.chunks_exact_mut(row)) {
                let limit = self.sum(token, call.inputs, w);
                w.iter_mut().for_each(|w| *w *= limit);
            }
        });
    }

    /// With l = (1 + mean |w|²/16)^-½: d_w = l d_v' − l³ w (Σ w·d_v')/(16 K).
    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let n = self.channels;
        let mut w = vec![T::zero(); 3 * n];
        let [d_v, d_u, d_g] = call.d_inputs else { panic!("update has three inputs") };
        for token in 0..call.batch.tokens() {
            let limit = self.sum(token, call.inputs, &mut w);
            let at = token * 3 * n;
            let d_out = &call.d_outputs[0][at..at + 3 * n];
            let along = w.iter().zip(d_out).map(|(&w, &d)| w * d).sum::<T>();
            let pull = along * limit * limit * limit * T::of(1.0 / (LIMIT * n as f64));
            for k in 0..n {
                let open = call.inputs[2][token * n + k].sigmoid();
                let mut d_open = T::zero();
                for h in 0..3 {
                    let d_w = d_out[h * n + k] * limit - w[h * n + k] * pull;
                    d_v[at + h * n + k] += d_w;
                    d_u[at + h * n + k] += d_w * open;
                    d_open += d_w * call.inputs[1][at + h * n + k];
                }
                d_g[token * n + k] += d_open * open * (T::one() - open);
            }
        }
    }
}
