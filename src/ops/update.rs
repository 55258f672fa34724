//! `update`: gated residual update of the vector channels, softly limited in length.
//!
//! ```text
//! w_k = v_k + σ(g_k) u_k        v'_k = w_k / √(1 + mean_k |w_k|² / 16)
//! ```

use super::pieces::{components, dot, eights, for_rows};
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::{Lanes, Real};

/// RMS length at which vectors are limited, squared.
pub const LIMIT: f64 = 16.0;

/// Vector update, see the module's equations. Inputs: v, u (K vectors each), g (K scalars). Output:
/// v' (K vectors).
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
        let (v, u, g) = (
            &inputs[0][at.clone()],
            &inputs[1][at],
            &inputs[2][token * n..(token + 1) * n],
        );
        for k in eights(n) {
            let open = Lanes::load(&g[k.clone()]).sigmoid();
            let (v, u): ([_; 3], [_; 3]) = (components(v, n, &k), components(u, n, &k));
            for h in 0..3 {
                Lanes::fma(open, u[h], v[h]).store(&mut w[h * n + k.start..h * n + k.end]);
            }
        }
        let mean = dot(w, w) * T::of(1.0 / n as f64);
        (T::one() + mean * T::of(1.0 / LIMIT)).sqrt().recip()
    }
}

impl Kernel for Update {
    fn examples() -> Vec<Self> {
        vec![Update { channels: 4 }]
    }

    fn signature(&self) -> Signature {
        let vectors = Shape::vectors(self.channels);
        Signature {
            inputs: vec![vectors, vectors, Shape::scalars(self.channels)],
            params: vec![],
            outputs: vec![vectors],
        }
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
        let [d_v, d_u, d_g] = call.d_inputs else {
            panic!("update has three inputs")
        };
        for token in 0..call.batch.tokens() {
            let limit = self.sum(token, call.inputs, &mut w);
            let at = token * 3 * n;
            let d_out = &call.d_outputs[0][at..at + 3 * n];
            let pull = Lanes::all(
                dot(&w, d_out) * limit * limit * limit * T::of(1.0 / (LIMIT * n as f64)),
            );
            let (u, g) = (
                &call.inputs[1][at..at + 3 * n],
                &call.inputs[2][token * n..(token + 1) * n],
            );
            let (d_v, d_u, d_g) = (
                &mut d_v[at..at + 3 * n],
                &mut d_u[at..at + 3 * n],
                &mut d_g[token * n..(token + 1) * n],
            );
            for k in eights(n) {
                let open = Lanes::load(&g[k.clone()]).sigmoid();
                let (w, u): ([_; 3], [_; 3]) = (components(&w, n, &k), components(u, n, &k));
                let d_out: [_; 3] = components(d_out, n, &k);
                let mut d_open = Lanes::zero();
                for h in 0..3 {
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
