//! `gate`.
use super::{Backward, Forward, Kernel, Signature};
use crate::engine::Real;

/// Gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate;

impl Kernel for Gate {
    fn signature(&self) -> Signature {
        Signature::default()
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("gate forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("gate backward")
    }
}
