//! `message`: pair messages over the neighbourhood, with all pair features computed inside the loop.
//!
//! For every edge j → i (i receives), with r = √(|d|² + 1e-6), d = y_i − y_j, u = d/(r + 0.1) of the candidate y, and
//! r°, u° the same of the condition x, d0 the template distance (mask 1 where the edge has one, else 0):
//!
//!     h  = silu(a_i + b_j + R[relation] + Σ_n B_n(r) F_n + Σ_n B_n(r°) F°_n + Σ_m g_m G_m)        P channels
//!     m  = silu(h W + c)                                                                            P channels
//!     agg_i = 0.35 Σ_j ½ m          V_i = 0.35 Σ_j (u m, u° m)                                       P, 2P vectors
//!
//! B_n: uniform cubic B-splines (four of them non-zero at any r) over 0 … `reach` Å, the last ones standing for everything
//! further; they span what radial basis functions would, without an exponential and with a sparse row. Dense features
//! (s = the system's scale, c_out of EDM; pre(e, w) = z/√(1 + (z/4)²) with z = e·s/(w² + s²), spec jump.md § 2):
//!
//!     g = [ pre(t, .03), pre(t, .1)           with t = mask·(r − d0)
//!           pre(mask·(r − r°), .1), pre(r − r°, .3), tanh(r − r°), 2/(r + .3)
//!           w·u, w·u°                          with w = n_i − n_j, the scaled noisy displacement n
//!           mask·(r° − d0)/.1 ]

use super::{Backward, Forward, Init, Kernel, ParamShape, RELATIONS, Shape, Signature};
use crate::engine::Real;

/// Number of dense pair features g.
pub const DENSE: usize = 9;

/// Pair messages; see the module's equations.
///
/// Inputs: a (P scalars), b (P scalars), y (1 vector), x (1 vector), n (1 vector).
/// Parameters: `relation` (30 × P), `radial` F (radial × P), `radial_condition` F° (radial × P), `dense` G (9 × P),
/// `weight` W (P × P), `bias` c (1 × P). Outputs: agg (P scalars), V (2P vectors: first u m, then u° m).
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Message channels P: 8, 16, 32 or 64.
    pub channels: usize,
    /// Number of B-splines.
    pub radial: usize,
    /// Distance from which on the radial features are constant, Å.
    pub reach: f64,
}

impl Kernel for Message {
    fn signature(&self) -> Signature {
        let p = self.channels;
        let param = |name, rows, gain| ParamShape { name, size: [rows, p], init: Init::Normal { gain } };
        Signature {
            inputs: vec![Shape::scalars(p), Shape::scalars(p), Shape::vectors(1), Shape::vectors(1), Shape::vectors(1)],
            params: vec![
                param("relation", RELATIONS, 3.0),
                param("radial", self.radial, 2.0),
                param("radial_condition", self.radial, 2.0),
                param("dense", DENSE, 1.0),
                param("weight", p, 1.0),
                ParamShape { name: "bias", size: [1, p], init: Init::Constant(0.0) },
            ],
            outputs: vec![Shape::scalars(p), Shape::vectors(2 * p)],
        }
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("message forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("message backward")
    }
}
