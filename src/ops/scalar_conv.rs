//! `scalar_conv`: the scalar long convolution α3 = λ α1⊛α2, channel by channel; r3 = 0 (an ablation of the geometric one).
//!
//! ⊛ runs along the tokens of one system; the conventions (padding, mixing, scale) are those of [`crate::fft`].

use super::{Backward, Forward, Init, Kernel, ParamShape, Shape, Signature};
use crate::engine::Real;
use crate::fft::Convolution;

/// Scalar long convolution. Inputs: q, k (K tuples each; only α is read). Parameter: `lambda` (1 × K). Output: K tuples, r = 0.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarConv {
    /// Channels K.
    pub channels: usize,
    /// Padding, mixing and scale.
    pub convolution: Convolution,
}

impl Kernel for ScalarConv {
    fn signature(&self) -> Signature {
        let tuples = Shape::tuples(self.channels);
        let lambda = ParamShape { name: "lambda", size: [1, self.channels], init: Init::Constant(1.0) };
        Signature { inputs: vec![tuples, tuples], params: vec![lambda], outputs: vec![tuples] }
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("scalar_conv forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("scalar_conv backward")
    }
}
