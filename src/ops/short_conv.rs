//! `short_conv`: a convolution of every channel with a few weights along the tokens (the short
//! filters of Poli et al., "Hyena Hierarchy", ICML 2023, section 3.2); of vectors component by
//! component, which turns with them.
//!
//! ```text
//! y_i = Σ_{d = −w … w} W_d ⊙ x_{i+d}      x beyond the ends of i's system is 0
//! ```

use super::pieces::{for_rows, reduce_rows};
use super::{Backward, Batch, Forward, Init, Kernel, ParamShape, Rows, Shape, Signature};
use crate::numeric::Real;

/// Short convolution, see the module's equation. Input and output: `channels` scalars or vectors.
/// Parameter: `weight` (2 w + 1 rows of `channels`, from the token w before to the one w behind).
#[derive(Debug, Clone, PartialEq)]
pub struct ShortConv {
    /// 1 for scalars, 3 for vectors.
    pub components: usize,
    /// Channels.
    pub channels: usize,
    /// Tokens that it looks to either side, w.
    pub reach: usize,
}

impl ShortConv {
    fn row(&self) -> usize {
        self.components * self.channels
    }

    /// Tokens that `token` sees, each with the row of the weight that it has there.
    fn seen(
        &self,
        token: usize,
        range: std::ops::Range<usize>,
    ) -> impl Iterator<Item = (usize, usize)> {
        let reach = self.reach;
        let first = token.saturating_sub(reach).max(range.start);
        let end = (token + reach + 1).min(range.end);
        (first..end).map(move |other| (other, other + reach - token))
    }
}

/// Token ranges of the systems that tokens are of.
fn ranges(batch: &Batch) -> Vec<std::ops::Range<usize>> {
    let systems = batch.system_of_tokens();
    systems.map(|system| batch.range(system)).collect()
}

/// to += weight ⊙ x, component by component.
fn add_product<T: Real>(to: &mut [T], weight: &[T], x: &[T]) {
    let n = weight.len();
    for (to, x) in to.chunks_exact_mut(n).zip(x.chunks_exact(n)) {
        for ((to, &weight), &x) in to.iter_mut().zip(weight).zip(x) {
            *to += weight * x;
        }
    }
}

impl Kernel for ShortConv {
    fn examples() -> Vec<Self> {
        let example = |components, channels, reach| ShortConv {
            components,
            channels,
            reach,
        };
        vec![example(1, 5, 1), example(3, 3, 2)]
    }

    fn signature(&self) -> Signature {
        let shape = Shape {
            rows: Rows::Tokens,
            components: self.components,
            width: self.channels,
        };
        let weight = ParamShape {
            name: "weight",
            size: [2 * self.reach + 1, self.channels],
            init: Init::Normal { gain: 1.0 },
        };
        Signature {
            inputs: vec![shape],
            params: vec![weight],
            outputs: vec![shape],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let row = self.row();
        let n = self.channels;
        let ranges = ranges(call.batch);
        for_rows(call.outputs[0], row, |first, out| {
            for (token, y) in (first..).zip(out.chunks_exact_mut(row)) {
                y.fill(T::zero());
                for (other, at) in self.seen(token, ranges[token].clone()) {
                    let weight = &call.params[0][at * n..(at + 1) * n];
                    add_product(y, weight, &call.inputs[0][other * row..][..row]);
                }
            }
        });
    }

    /// d_x is the same with the weights in the other order.
    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let row = self.row();
        let n = self.channels;
        let ranges = ranges(call.batch);
        let d_y = call.d_outputs[0];
        for_rows(call.d_inputs[0], row, |first, d_inputs| {
            for (token, d_x) in (first..).zip(d_inputs.chunks_exact_mut(row)) {
                for (other, at) in self.seen(token, ranges[token].clone()) {
                    let at = 2 * self.reach - at;
                    let weight = &call.params[0][at * n..(at + 1) * n];
                    add_product(d_x, weight, &d_y[other * row..][..row]);
                }
            }
        });
        let tokens = call.batch.tokens();
        reduce_rows(tokens, call.d_params[0], |range, d_weight| {
            for token in range {
                for (other, at) in self.seen(token, ranges[token].clone()) {
                    let x = call.inputs[0][other * row..][..row].chunks_exact(n);
                    let d_y = d_y[token * row..][..row].chunks_exact(n);
                    for (d_y, x) in d_y.zip(x) {
                        add_product(&mut d_weight[at * n..(at + 1) * n], d_y, x);
                    }
                }
            }
        });
    }
}
