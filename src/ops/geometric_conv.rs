//! `geometric_conv`: the geometric long convolution of tuple sequences (α1, r1) and (α2, r2)
//! (G-Hyena, ICML 2025).
//!
//! ```text
//! α3 = λ1 α1⊛α2 + λ2 Σ_h r1[h]⊛r2[h]
//! r3 = λ3 α1⊛r2 + λ4 α2⊛r1 + λ5 (r1 ⊛× r2)        all times `Scale`
//! ```
//!
//! ⊛ runs along the tokens of one system; the conventions (padding, mixing, scale) are those of
//! [`crate::fft`].

use super::{Backward, Batch, Forward, Init, Kernel, ParamShape, Shape, Signature};
use crate::fft::{Convolution, LongConvolution, Method, Parts};
use crate::numeric::Real;

/// Geometric long convolution. Inputs: q, k (K tuples each). Parameter: `lambda` (5 × K). Output: K
/// tuples.
#[derive(Debug, Clone, PartialEq)]
pub struct GeometricConv {
    /// Channels K.
    pub channels: usize,
    /// Padding, mixing and scale.
    pub convolution: Convolution,
}

impl Kernel for GeometricConv {
    fn signature(&self) -> Signature {
        let tuples = Shape::tuples(self.channels);
        let lambda = ParamShape {
            name: "lambda",
            size: [5, self.channels],
            init: Init::Constant(0.5),
        };
        Signature {
            inputs: vec![tuples, tuples],
            params: vec![lambda],
            outputs: vec![tuples],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        self.long(call.batch, call.params[0]).forward(
            call.inputs[0],
            call.inputs[1],
            call.outputs[0],
        );
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let [d_q, d_k] = call.d_inputs else {
            panic!("geometric_conv has two inputs")
        };
        let long = self.long(call.batch, call.params[0]);
        long.backward(
            call.inputs[0],
            call.inputs[1],
            call.d_outputs[0],
            d_q,
            d_k,
            call.d_params[0],
        );
    }
}

impl GeometricConv {
    fn long<'a, T>(&self, batch: &'a Batch, lambda: &'a [T]) -> LongConvolution<'a, T> {
        let parts = Parts {
            scalar: true,
            vector: true,
        };
        LongConvolution {
            batch,
            channels: self.channels,
            convolution: self.convolution,
            parts,
            method: Method::Fastest,
            lambda,
        }
    }
}
