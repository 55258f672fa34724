//! `long_conv`: the geometric long convolution of tuple sequences (α1, r1) and (α2, r2) (Moskalev
//! et al., G-Hyena, ICML 2025), or one of its terms, an ablation.
//!
//! ```text
//! geometric:  α3 = λ1 α1⊛α2 + λ2 Σ_h r1[h]⊛r2[h]      r3 = λ3 α1⊛r2 + λ4 α2⊛r1 + λ5 (r1 ⊛× r2)
//! scalar:     α3 = λ α1⊛α2                              r3 = 0
//! vector:     α3 = 0                                    r3 = λ (r1 ⊛× r2)
//!             all times the scale                       (r1 ⊛× r2)_i = Σ_j r1_j × r2_{i−j}
//! ```
//!
//! ⊛ runs along the tokens of one system, channel by channel; the conventions (padding, mixing,
//! scale) are those of [`crate::fft`].

use super::{Backward, Batch, Forward, Init, Kernel, ParamShape, Shape, Signature};
use crate::fft::{Convolution, LongConvolution, Method, Mixing, Terms};
use crate::numeric::Real;

/// Long convolution, see the module's equations. Inputs: q, k (K tuples each; the scalar one reads
/// α alone, the vector one r). Parameter: `lambda` (a row a term × K). Output: K tuples.
#[derive(Debug, Clone, PartialEq)]
pub struct LongConv {
    /// Channels K.
    pub channels: usize,
    /// Which terms there are.
    pub terms: Terms,
    /// Padding, mixing and scale.
    pub convolution: Convolution,
}

impl LongConv {
    fn long<'a, T>(&self, batch: &'a Batch, lambda: &'a [T]) -> LongConvolution<'a, T> {
        LongConvolution {
            offsets: &batch.offsets,
            channels: self.channels,
            terms: self.terms,
            convolution: self.convolution,
            method: Method::Fastest,
            lambda,
        }
    }
}

impl Kernel for LongConv {
    /// Chains and rings, by index sum and by offset.
    fn examples() -> Vec<Self> {
        let modes = [Convolution::WORKING, Convolution::PAPER].map(|mode| {
            let offset = Convolution {
                mixing: Mixing::Correlation,
                ..mode
            };
            [mode, offset]
        });
        let all = |convolution| {
            Terms::ALL.map(|terms| LongConv {
                channels: 3,
                terms,
                convolution,
            })
        };
        modes.into_iter().flatten().flat_map(all).collect()
    }

    fn signature(&self) -> Signature {
        let tuples = Shape::tuples(self.channels);
        let rows = self.terms.rows().len();
        let lambda = ParamShape {
            name: "lambda",
            size: [rows, self.channels],
            init: Init::Constant(if rows == 1 { 1.0 } else { 0.5 }),
        };
        Signature {
            inputs: vec![tuples, tuples],
            params: vec![lambda],
            outputs: vec![tuples],
        }
    }

    fn over(&self, input: usize, _output: usize) -> bool {
        input == 0
    }

    fn work(&self) -> usize {
        LongConvolution::<f32>::work(self.convolution.padding)
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let long = self.long(call.batch, call.params[0]);
        if call.over.is_empty() {
            call.outputs[0].copy_from_slice(call.inputs[0]);
        }
        long.forward_over(call.inputs[1], call.outputs[0]);
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let [d_q, d_k] = call.d_inputs else {
            panic!("long_conv has two inputs")
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
