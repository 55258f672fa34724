//! `norm`.
use super::{Backward, Forward, Kernel, Signature};
use crate::engine::Real;

/// Norm.
#[derive(Debug, Clone, PartialEq)]
pub struct Norm;

impl Kernel for Norm {
    fn signature(&self) -> Signature {
        Signature::default()
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("norm forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("norm backward")
    }
}
