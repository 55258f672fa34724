//! `gate`: the sigmoid gate on the convolution's result and the geometric product with v.
//!
//! ```text
//! (a, r) = σ(g + 1) u,  (b, s) = v:      α = a b + r·s      ρ = a s + b r + r × s
//! ```
//!
//! The bias of 1 opens the gates before training.

use super::pieces::{components, eights, for_rows_of};
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::{Lanes, Real};

/// Gate and geometric product, see the module's equations.
///
/// Inputs: u, v (K tuples each), g (`gates.0` scalars, of which K from `gates.1` on are read).
/// Outputs: α (K scalars), ρ (K vectors).
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Channels K.
    pub channels: usize,
    /// Width of the gate input, and the first channel used.
    pub gates: (usize, usize),
}

/// Geometric product of tuples: (a b + r·s, a s + b r + r × s).
#[inline(always)]
fn product<T: Real>([a, x, y, z]: [Lanes<T>; 4], [b, u, v, w]: [Lanes<T>; 4]) -> [Lanes<T>; 4] {
    [
        a * b + x * u + y * v + z * w,
        a * u + b * x + y * w - z * v,
        a * v + b * y + z * u - x * w,
        a * w + b * z + x * v - y * u,
    ]
}

impl Kernel for Gate {
    fn examples() -> Vec<Self> {
        vec![Gate {
            channels: 3,
            gates: (9, 5),
        }]
    }

    fn signature(&self) -> Signature {
        let k = self.channels;
        let tuples = Shape::tuples(self.channels);
        Signature {
            inputs: vec![tuples, tuples, Shape::scalars(self.gates.0)],
            params: vec![],
            outputs: vec![Shape::scalars(k), Shape::vectors(k)],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let (n, (width, offset)) = (self.channels, self.gates);
        let [u, v, g] = call.inputs else {
            panic!("gate has three inputs")
        };
        let [scalars, vectors] = call.outputs else {
            panic!("gate has two outputs")
        };
        for_rows_of(
            [(&mut **scalars, n), (&mut **vectors, 3 * n)],
            |first, [scalars, vectors]| {
                for (token, (scalars, vectors)) in (first..).zip(
                    scalars
                        .chunks_exact_mut(n)
                        .zip(vectors.chunks_exact_mut(3 * n)),
                ) {
                    let tuples = token * 4 * n..(token + 1) * 4 * n;
                    let (u, v, g) = (
                        &u[tuples.clone()],
                        &v[tuples],
                        &g[token * width + offset..][..n],
                    );
                    for k in eights(n) {
                        let open = (Lanes::load(&g[k.clone()]) + Lanes::all(T::one())).sigmoid();
                        let [a, x, y, z] =
                            product(components(u, n, &k).map(|u| u * open), components(v, n, &k));
                        a.store(&mut scalars[k.clone()]);
                        for (h, r) in [x, y, z].into_iter().enumerate() {
                            r.store(&mut vectors[h * n + k.start..h * n + k.end]);
                        }
                    }
                }
            },
        );
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let (n, (width, offset)) = (self.channels, self.gates);
        let [u, v, g] = call.inputs else {
            panic!("gate has three inputs")
        };
        let [d_scalars, d_vectors] = call.d_outputs else {
            panic!("gate has two outputs")
        };
        let [d_u, d_v, d_g] = call.d_inputs else {
            panic!("gate has three inputs")
        };
        for token in 0..call.batch.tokens() {
            let (tuples, gates) = (token * 4 * n..(token + 1) * 4 * n, token * width + offset);
            let u = &u[tuples.clone()];
            let v = &v[tuples.clone()];
            let g = &g[gates..gates + n];
            let (d_u, d_v, d_g) = (
                &mut d_u[tuples.clone()],
                &mut d_v[tuples],
                &mut d_g[gates..gates + n],
            );
            let (d_scalars, d_vectors) = (
                &d_scalars[token * n..(token + 1) * n],
                &d_vectors[token * 3 * n..(token + 1) * 3 * n],
            );
            for k in eights(n) {
                let open = (Lanes::load(&g[k.clone()]) + Lanes::all(T::one())).sigmoid();
                let (plain, factor) = (components(u, n, &k), components(v, n, &k));
                let [d_a] = components(d_scalars, n, &k);
                let [d_x, d_y, d_z] = components(d_vectors, n, &k);
                let d = [d_a, d_x, d_y, d_z];
                // d·(r × s) = r·(s × d) = s·(d × r): the adjoints are products again, with the
                // factors in cyclic order.
                let d_open = product(factor, d);
                let d_factor = product(d, plain.map(|u| u * open));
                let mut d_gate = Lanes::zero();
                for h in 0..4 {
                    let at = h * n + k.start..h * n + k.end;
                    (d_open[h] * open).add_to(&mut d_u[at.clone()]);
                    d_factor[h].add_to(&mut d_v[at]);
                    d_gate += d_open[h] * plain[h];
                }
                (d_gate * open * (Lanes::all(T::one()) - open)).add_to(&mut d_g[k]);
            }
        }
    }
}
