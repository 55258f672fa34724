//! `vector_conv`: the vector long convolution r3 = λ r1 ⊛× r2, channel by channel; α3 = 0 (an ablation of the geometric one).
//!
//!     (r1 ⊛× r2)_i = Σ_j r1_j × r2_{i−j}
//!
//! ⊛× runs along the tokens of one system; the conventions (padding, mixing, scale) are those of [`crate::fft`].

use super::{Backward, Forward, Init, Kernel, ParamShape, Shape, Signature};
use crate::engine::Real;
use crate::fft::Convolution;

/// Vector long convolution. Inputs: q, k (K tuples each; only r is read). Parameter: `lambda` (1 × K). Output: K tuples, α = 0.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorConv {
    /// Channels K.
    pub channels: usize,
    /// Padding, mixing and scale.
    pub convolution: Convolution,
}

impl Kernel for VectorConv {
    fn signature(&self) -> Signature {
        let tuples = Shape::tuples(self.channels);
        let lambda = ParamShape { name: "lambda", size: [1, self.channels], init: Init::Constant(1.0) };
        Signature { inputs: vec![tuples, tuples], params: vec![lambda], outputs: vec![tuples] }
    }

    fn forward<T: Real>(&self, _call: Forward<'_, T>) {
        unimplemented!("vector_conv forward")
    }

    fn backward<T: Real>(&self, _call: Backward<'_, T>) {
        unimplemented!("vector_conv backward")
    }
}
