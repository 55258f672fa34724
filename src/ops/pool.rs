//! `pool`.
use super::{Backward, Forward, Kernel, Signature};
use crate::engine::Real;

/// Pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool;

impl Kernel for Pool {
    fn signature(&self) -> Signature {
        Signature::default()
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("pool forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("pool backward")
    }
}
