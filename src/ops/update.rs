//! `update`.
use super::{Backward, Forward, Kernel, Signature};
use crate::engine::Real;

/// Update.
#[derive(Debug, Clone, PartialEq)]
pub struct Update;

impl Kernel for Update {
    fn signature(&self) -> Signature {
        Signature::default()
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("update forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("update backward")
    }
}
