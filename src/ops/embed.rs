//! `embed`.
use super::{Backward, Forward, Kernel, Signature};
use crate::engine::Real;

/// Embed.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed;

impl Kernel for Embed {
    fn signature(&self) -> Signature {
        Signature::default()
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("embed forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("embed backward")
    }
}
