//! `scalar_conv`: the scalar long convolution α3 = λ α1⊛α2, channel by channel; r3 = 0 (an ablation
//! of the geometric one).
//!
//! ⊛ runs along the tokens of one system; the conventions (padding, mixing, scale) are those of
//! [`crate::fft`].

use super::{Backward, Batch, Forward, Init, Kernel, ParamShape, Shape, Signature};
use crate::fft::{Convolution, LongConvolution, Method, Parts};
use crate::numeric::Real;

/// Scalar long convolution. Inputs: q, k (K tuples each; only α is read). Parameter: `lambda` (1 ×
/// K). Output: K tuples, r = 0.
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
        let lambda = ParamShape {
            name: "lambda",
            size: [1, self.channels],
            init: Init::Constant(1.0),
        };
        Signature {
            inputs: vec![tuples, tuples],
            params: vec![lambda],
            outputs: vec![tuples],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let lambda = self.lambda(call.params[0]);
        self.long(call.batch, &lambda)
            .forward(call.inputs[0], call.inputs[1], call.outputs[0]);
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let [d_q, d_k] = call.d_inputs else {
            panic!("scalar_conv has two inputs")
        };
        let lambda = self.lambda(call.params[0]);
        let mut d_lambda = vec![T::zero(); lambda.len()];
        let long = self.long(call.batch, &lambda);
        long.backward(
            call.inputs[0],
            call.inputs[1],
            call.d_outputs[0],
            d_q,
            d_k,
            &mut d_lambda,
        );
        let own = &d_lambda[Self::TERM * self.channels..][..self.channels];
        call.d_params[0]
            .iter_mut()
            .zip(own)
            .for_each(|(total, &part)| *total += part);
    }
}

impl ScalarConv {
    /// The row of the geometric convolution's λ that is this op's.
    const TERM: usize = 0;

    fn lambda<T: Real>(&self, own: &[T]) -> Vec<T> {
        let mut lambda = vec![T::zero(); 5 * self.channels];
        lambda[Self::TERM * self.channels..][..self.channels].copy_from_slice(own);
        lambda
    }

    fn long<'a, T>(&self, batch: &'a Batch, lambda: &'a [T]) -> LongConvolution<'a, T> {
        let parts = Parts {
            scalar: true,
            vector: false,
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
