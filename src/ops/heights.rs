//! `heights`: signed heights of three-neighbour centres: chirality and planarity, which distances cannot see.
//!
//! For a centre a0 with neighbours a1, a2, a3 (positions of the candidate y), template height h0 and area A, s the system's
//! scale and pre(e, w) = z/√(1 + (z/4)²), z = e·s/(w² + s²) (spec jump.md § 2):
//!
//!     ν = (a2 − a1) × (a3 − a1) / A        e = (a1 − a0)·ν − h0        z = [pre(e, .04), pre(e, .2), tanh e]
//!
//! Scalars out, 6 a token: z summed over the centres that the token is, then z summed over the centres that it neighbours.
//! Vectors out, 2 a token: Σ (0.75 if the token is the centre, −0.25 if it is a neighbour) · ν · z[0..2].

use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::engine::Real;

/// Signed heights; see the module's equations. Input: y (1 vector). No parameters. Outputs: 6 scalars, 2 vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Heights;

impl Kernel for Heights {
    fn signature(&self) -> Signature {
        Signature { inputs: vec![Shape::vectors(1)], params: vec![], outputs: vec![Shape::scalars(6), Shape::vectors(2)] }
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("heights forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("heights backward")
    }
}
