//! `tuple`.
use super::{Backward, Forward, Kernel, Signature};
use crate::engine::Real;

/// Tuple.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuple;

impl Kernel for Tuple {
    fn signature(&self) -> Signature {
        Signature::default()
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("tuple forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("tuple backward")
    }
}
