//! `invariants`.
use super::{Backward, Forward, Kernel, Signature};
use crate::engine::Real;

/// Invariants.
#[derive(Debug, Clone, PartialEq)]
pub struct Invariants;

impl Kernel for Invariants {
    fn signature(&self) -> Signature {
        Signature::default()
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("invariants forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("invariants backward")
    }
}
