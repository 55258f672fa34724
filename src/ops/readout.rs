//! `readout`.
use super::{Backward, Forward, Kernel, Signature};
use crate::engine::Real;

/// Readout.
#[derive(Debug, Clone, PartialEq)]
pub struct Readout;

impl Kernel for Readout {
    fn signature(&self) -> Signature {
        Signature::default()
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("readout forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("readout backward")
    }
}
