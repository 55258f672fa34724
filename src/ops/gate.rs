//! `gate`: the sigmoid gate on the convolution's result and the geometric product with v.
//!
//! ```text
//! (a, r) = σ(g + 1) u,  (b, s) = v:      α = a b + r·s      ρ = a s + b r + r × s
//! ```
//!
//! The bias of 1 opens the gates before training.

use super::pieces::for_rows;
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::engine::Real;

/// Gate and geometric product, see the module's equations.
///
/// Inputs: u, v (K tuples each), g (`gates.0` scalars, of which K from `gates.1` on are read). Outputs: α (K scalars), ρ (K vectors).
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Channels K.
    pub channels: usize,
    /// Width of the gate input, and the first channel used.
    pub gates: (usize, usize),
}

/// Geometric product of tuples: (a b + r·s, a s + b r + r × s).
fn product<T: Real>([a, x, y, z]: [T; 4], [b, u, v, w]: [T; 4]) -> [T; 4] {
    [a * b + x * u + y * v + z * w, a * u + b * x + y * w - z * v, a * v + b * y + z * u - x * w, a * w + b * z + x * v - y * u]
}

/// Channel `k` of a token's tuples.
fn tuple<T: Real>(row: &[T], channels: usize, k: usize) -> [T; 4] {
    [row[k], row[channels + k], row[2 * channels + k], row[3 * channels + k]]
}

impl Kernel for Gate {
    fn signature(&self) -> Signature {
        let (k, tuples) = (self.channels, Shape::tuples(self.channels));
        Signature {
            inputs: vec![tuples, tuples, Shape::scalars(self.gates.0)],
            params: vec![],
            outputs: vec![Shape::scalars(k), Shape::vectors(k)],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let (n, (width, offset)) = (self.channels, self.gates);
        let [u, v, g] = call.inputs else { panic!("gate has three inputs") };
        let result = |token: usize, k: usize| {
            let open = (g[token * width + offset + k] + T::one()).sigmoid();
            let at = token * 4 * n..(token + 1) * 4 * n;
            product(tuple(&u[at.clone()], n, k).map(|u| u * open), tuple(&v[at], n, k))
        };
        let [scalars, vectors] = call.outputs else { panic!("gate has two outputs") };
        for_rows(scalars, n, |first, out| {
            for (token, row) in (first..).zip(out.chunks_exact_mut(n)) {
                row.iter_mut().enumerate().for_each(|(k, out)| *out = result(token, k)[0]);
            }
        });
        for_rows(vectors, 3 * n, |first, out| {
            for (token, row) in (first..).zip(out.chunks_exact_mut(3 * n)) {
                for k in 0..n {
                    let [_, x, y, z] = result(token, k);
                    (row[k], row[n + k], row[2 * n + k]) = (x, y, z);
                }
            }
        });
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let (n, (width, offset)) = (self.channels, self.gates);
        let [u, v, g] = call.inputs else { panic!("gate has three inputs") };
        let [d_scalars, d_vectors] = call.d_outputs else { panic!("gate has two outputs") };
        let [d_u, d_v, d_g] = call.d_inputs else { panic!("gate has three inputs") };
        for token in 0..call.batch.tokens() {
            let (start, gates) = (token * 4 * n, token * width + offset);
            for k in 0..n {
                let open = (g[gates + k] + T::one()).sigmoid();
                let (plain, factor) = (tuple(&u[start..start + 4 * n], n, k), tuple(&v[start..start + 4 * n], n, k));
                let vector = |h: usize| d_vectors[(token * 3 + h) * n + k];
                let d = [d_scalars[token * n + k], vector(0), vector(1), vector(2)];
                // d·(r × s) = r·(s × d) = s·(d × r): the adjoints are products again, with the factors in cyclic order.
                let d_open = product(factor, d);
                let d_factor = product(d, plain.map(|u| u * open));
                let mut d_gate = T::zero();
                for h in 0..4 {
                    d_u[start + h * n + k] += d_open[h] * open;
                    d_v[start + h * n + k] += d_factor[h];
                    d_gate += d_open[h] * plain[h];
                }
                d_g[gates + k] += d_gate * open * (T::one() - open);
            }
        }
    }
}
