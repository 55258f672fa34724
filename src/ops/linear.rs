//! `linear`: y = act(Σ_k x_k W_k + b) + residual, on scalars or on each component of vectors.

use super::pieces::{for_rows, reduce_rows};
use super::{Backward, Forward, Init, Kernel, ParamShape, Rows, Shape, Signature, rank2};
use crate::numeric::Real;
use crate::numeric::gemm::{Left, add_product, add_product_of, transpose};

/// Linear map of concatenated inputs, see the module's equation.
///
/// Inputs: one buffer for each entry of `inputs`, then the residual where there is one. Parameters:
/// a weight W_k (width of x_k × `outputs`) for each input, then `bias` (1 × `outputs`). Outputs: y
/// and, where there is an activation, the pre-activation that backward needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// What a row stands for.
    pub rows: Rows,
    /// 1 for scalars, 3 for vectors, 5 for tensors (which take no bias and no activation: they
    /// would break the rotation symmetry).
    pub components: usize,
    /// Widths of the inputs.
    pub inputs: Vec<usize>,
    /// Width of the output.
    pub outputs: usize,
    /// Whether b is added.
    pub bias: bool,
    /// Whether act is silu; identity otherwise.
    pub silu: bool,
    /// Whether the last input is added to the result.
    pub residual: bool,
    /// Standard deviation of the initial output for unit inputs.
    pub gain: f64,
    /// The columns that anybody reads, where that is not all of them: the CPU may leave others
    /// without the product, forward.
    pub read: Option<[usize; 2]>,
}

impl Linear {
    /// Scalars to scalars, a row a token, with a bias, no activation, no residual, gain 1.
    pub fn scalars(inputs: &[usize], outputs: usize) -> Self {
        let inputs = inputs.to_vec();
        Linear {
            rows: Rows::Tokens,
            components: 1,
            inputs,
            outputs,
            bias: true,
            silu: false,
            residual: false,
            gain: 1.0,
            read: None,
        }
    }
    /// Vectors to vectors, a row a token, no residual, gain 1.
    pub fn vectors(inputs: &[usize], outputs: usize) -> Self {
        Linear {
            components: 3,
            bias: false,
            ..Linear::scalars(inputs, outputs)
        }
    }
    /// Tensors to tensors, likewise.
    pub fn tensors(inputs: &[usize], outputs: usize) -> Self {
        Linear {
            components: rank2::NUMBERS,
            ..Linear::vectors(inputs, outputs)
        }
    }
    /// With silu after it.
    pub fn silu(self) -> Self {
        Linear { silu: true, ..self }
    }
    /// Without bias.
    pub fn unbiased(self) -> Self {
        Linear {
            bias: false,
            ..self
        }
    }
    /// With a residual input.
    pub fn residual(self) -> Self {
        Linear {
            residual: true,
            ..self
        }
    }
    /// With this gain.
    pub fn gain(self, gain: f64) -> Self {
        Linear { gain, ..self }
    }
    /// With a row a system.
    pub fn per_system(self) -> Self {
        Linear {
            rows: Rows::Systems,
            ..self
        }
    }

    /// Gradient of the pre-activation, into scratch.
    fn d_pre<T: Real>(&self, outputs: &[&[T]], d_y: &[T]) -> Vec<T> {
        let slope = |(&d, &x): (&T, &T)| {
            let s = x.sigmoid();
            d * s * (T::one() + x * (T::one() - s))
        };
        d_y.iter().zip(outputs[1]).map(slope).collect()
    }
}

/// Weight names; a linear map concatenates at most this many inputs.
const NAMES: [&str; 4] = ["weight", "weight_1", "weight_2", "weight_3"];

impl Kernel for Linear {
    fn examples() -> Vec<Self> {
        vec![
            Linear::scalars(&[5, 3], 4).silu().residual(),
            Linear::vectors(&[2, 3], 4).residual().gain(0.5),
            Linear::tensors(&[3, 2], 3).residual(),
            Linear::scalars(&[4], 6).per_system(),
            Linear::scalars(&[3, 1, 2, 4], 5).unbiased(),
        ]
    }

    fn signature(&self) -> Signature {
        let shape = |width| Shape {
            rows: self.rows,
            components: self.components,
            width,
        };
        let total: usize = self.inputs.iter().sum();
        let weight = |(k, &width): (usize, &usize)| {
            let gain = self.gain * (width as f64 / total as f64).sqrt();
            ParamShape {
                name: NAMES[k],
                size: [width, self.outputs],
                init: Init::Normal { gain },
            }
        };
        let bias = ParamShape {
            name: "bias",
            size: [1, self.outputs],
            init: Init::Constant(0.0),
        };
        Signature {
            inputs: self
                .inputs
                .iter()
                .copied()
                .chain(self.residual.then_some(self.outputs))
                .map(shape)
                .collect(),
            params: self
                .inputs
                .iter()
                .enumerate()
                .map(weight)
                .chain(self.bias.then_some(bias))
                .collect(),
            outputs: vec![shape(self.outputs); if self.silu { 2 } else { 1 }],
        }
    }

    fn kept(&self) -> usize {
        usize::from(self.silu)
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let n = self.outputs;
        let k = self.inputs.len();
        let residual = self.residual.then(|| call.inputs[k]);
        let bias = self.bias.then(|| call.params[k]);
        let [first_read, end_read] = self.read.unwrap_or([0, n]);
        let product = |first: usize, out: &mut [T], add_residual: bool| {
            let rows = out.len() / n;
            match (residual.filter(|_| add_residual), bias) {
                (Some(residual), bias) => {
                    out.copy_from_slice(&residual[first * n..first * n + out.len()]);
                    if let Some(bias) = bias {
                        out.chunks_exact_mut(n)
                            .for_each(|row| row.iter_mut().zip(bias).for_each(|(y, &b)| *y += b));
                    }
                }
                (None, Some(bias)) => out
                    .chunks_exact_mut(n)
                    .for_each(|row| row.copy_from_slice(bias)),
                (None, None) => out.fill(T::zero()),
            }
            for (index, &width) in self.inputs.iter().enumerate() {
                let x = &call.inputs[index][first * width..(first + rows) * width];
                let x = Left::rows(x, width);
                add_product_of(x, call.params[index], out, n, first_read..end_read);
            }
        };
        if !self.silu {
            return for_rows(call.outputs[0], n, |first, out| product(first, out, true));
        }
        let [y, pre] = call.outputs else {
            panic!("silu has two outputs")
        };
        for_rows(pre, n, |first, out| product(first, out, false));
        let pre: &[T] = pre;
        for_rows(y, n, |first, out| {
            let at = first * n..first * n + out.len();
            out.iter_mut()
                .zip(&pre[at.clone()])
                .for_each(|(y, x)| *y = x.silu());
            if let Some(residual) = residual {
                out.iter_mut()
                    .zip(&residual[at])
                    .for_each(|(y, &r)| *y += r);
            }
        });
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let n = self.outputs;
        let k = self.inputs.len();
        let d_y = call.d_outputs[0];
        if self.residual {
            call.d_inputs[k]
                .iter_mut()
                .zip(d_y)
                .for_each(|(d, &g)| *d += g);
        }
        let scratch = self.silu.then(|| self.d_pre(call.outputs, d_y));
        let d_pre = scratch.as_deref().unwrap_or(d_y);
        let rows = d_pre.len() / n;
        for (index, &width) in self.inputs.iter().enumerate() {
            let x = call.inputs[index];
            let w = call.params[index];
            let turned = transpose(w, n);
            for_rows(call.d_inputs[index], width, |first, d_x| {
                let count = d_x.len() / width;
                add_product(
                    Left::rows(&d_pre[first * n..(first + count) * n], n),
                    &turned,
                    d_x,
                    width,
                );
            });
            reduce_rows(rows, call.d_params[index], |range, d_w| {
                let x = Left::transposed(&x[range.start * width..range.end * width], width);
                add_product(x, &d_pre[range.start * n..range.end * n], d_w, n);
            });
        }
        if self.bias {
            reduce_rows(rows, call.d_params[k], |range, d_b| {
                for row in d_pre[range.start * n..range.end * n].chunks_exact(n) {
                    d_b.iter_mut().zip(row).for_each(|(d, &g)| *d += g);
                }
            });
        }
    }
}
