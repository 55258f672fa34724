//! `linear`.
use super::{Backward, Forward, Kernel, Signature};
use crate::engine::Real;

/// Linear.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear;

impl Kernel for Linear {
    fn signature(&self) -> Signature {
        Signature::default()
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("linear forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("linear backward")
    }
}
