//! A case of a long convolution and its definition.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::fft::{Convolution, Mixing, Padding, Scale};
use crate::numeric::Real;
use crate::ops::geometric_conv::GeometricConv;
use crate::ops::scalar_conv::ScalarConv;
use crate::ops::vector_conv::VectorConv;
use crate::ops::{Backward, Batch, Forward, Kernel, Op};

/// Two sequences, the weights, and the gradient of the output, for systems of these lengths.
pub(super) struct Case {
    pub(super) op: Op,
    pub(super) batch: Batch,
    pub(super) channels: usize,
    pub(super) q: Vec<f64>,
    pub(super) k: Vec<f64>,
    pub(super) lambda: Vec<f64>,
    pub(super) d_out: Vec<f64>,
}

pub(super) fn batch(lengths: &[usize]) -> Batch {
    let mut offsets = vec![0];
    lengths
        .iter()
        .for_each(|n| offsets.push(offsets[offsets.len() - 1] + n));
    Batch {
        kinds: vec![[0; 3]; offsets[lengths.len()]],
        offsets,
        ..Batch::default()
    }
}

pub(super) fn uniform(rng: &mut impl Rng, len: usize) -> Vec<f64> {
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

pub(super) fn ops(channels: usize, convolution: Convolution) -> [Op; 3] {
    [
        GeometricConv {
            channels,
            convolution,
        }
        .into(),
        ScalarConv {
            channels,
            convolution,
        }
        .into(),
        VectorConv {
            channels,
            convolution,
        }
        .into(),
    ]
}

pub(super) fn modes() -> Vec<Convolution> {
    let mut modes = Vec::new();
    for padding in [Padding::Zero, Padding::Circular] {
        for mixing in [Mixing::Convolution, Mixing::Correlation] {
            modes.push(Convolution {
                padding,
                mixing,
                scale: Scale::InverseRoot,
            });
        }
    }
    modes
}

impl Case {
    pub(super) fn new(op: Op, channels: usize, lengths: &[usize]) -> Case {
        let batch = batch(lengths);
        let rng = &mut ChaCha8Rng::seed_from_u64(7);
        let len = batch.tokens() * 4 * channels;
        let lambda = uniform(rng, op.signature().params[0].size.iter().product());
        Case {
            q: uniform(rng, len),
            k: uniform(rng, len),
            d_out: uniform(rng, len),
            op,
            batch,
            channels,
            lambda,
        }
    }

    pub(super) fn forward<T: Real>(&self) -> Vec<f64> {
        let cast = |values: &[f64]| values.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
        let mut out = vec![T::nan(); self.q.len()];
        self.op.forward(Forward {
            batch: &self.batch,
            inputs: &[&cast(&self.q), &cast(&self.k)],
            params: &[&cast(&self.lambda)],
            outputs: &mut [&mut out],
        });
        out.iter().map(|x| x.wide()).collect()
    }

    /// Gradients of q, k and λ, started at `start` everywhere (it is taken off again).
    pub(super) fn backward<T: Real>(&self, start: f64) -> [Vec<f64>; 3] {
        let cast = |values: &[f64]| values.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
        let [mut d_q, mut d_k, mut d_lambda] =
            [&self.q, &self.k, &self.lambda].map(|like| vec![T::of(start); like.len()]);
        self.op.backward(Backward {
            batch: &self.batch,
            inputs: &[&cast(&self.q), &cast(&self.k)],
            params: &[&cast(&self.lambda)],
            outputs: &[&vec![T::nan(); self.q.len()]],
            d_outputs: &[&cast(&self.d_out)],
            d_inputs: &mut [&mut d_q, &mut d_k],
            d_params: &mut [&mut d_lambda],
        });
        [d_q, d_k, d_lambda].map(|d| d.iter().map(|x| x.wide() - start).collect())
    }

    pub(super) fn convolution(&self) -> Convolution {
        match &self.op {
            Op::GeometricConv(op) => op.convolution,
            Op::ScalarConv(op) => op.convolution,
            Op::VectorConv(op) => op.convolution,
            other => panic!("{} is no long convolution", other.name()),
        }
    }

    /// λ1 … λ5 of a channel; the ablations have one of them, or the other.
    pub(super) fn weights(&self, channel: usize) -> [f64; 5] {
        let l = |term: usize| self.lambda[term * self.channels + channel];
        match &self.op {
            Op::ScalarConv(_) => [l(0), 0.0, 0.0, 0.0, 0.0],
            Op::VectorConv(_) => [0.0, 0.0, 0.0, 0.0, l(0)],
            _ => [l(0), l(1), l(2), l(3), l(4)],
        }
    }

    pub(super) fn tuple(&self, values: &[f64], token: usize, channel: usize) -> [f64; 4] {
        std::array::from_fn(|component| values[(token * 4 + component) * self.channels + channel])
    }

    /// Calls `visit` with (output, first, second) token and the factor, for every term of the
    /// double sum.
    pub(super) fn terms(&self, mut visit: impl FnMut(usize, usize, usize, f64)) {
        let convolution = self.convolution();
        for system in 0..self.batch.systems() {
            let range = self.batch.range(system);
            let n = range.len() as isize;
            for i in 0..n {
                for j in 0..n {
                    let lag = if convolution.mixing == Mixing::Convolution {
                        i - j
                    } else {
                        j - i
                    };
                    let lag = if convolution.padding == Padding::Circular {
                        lag.rem_euclid(n)
                    } else {
                        lag
                    };
                    if lag >= 0 {
                        let at = |index: isize| range.start + index as usize;
                        visit(at(i), at(j), at(lag), convolution.factor(range.len()));
                    }
                }
            }
        }
    }

    /// The output by the definition: O(N²).
    pub(super) fn definition(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.q.len()];
        self.terms(|i, j, lag, scale| {
            for channel in 0..self.channels {
                let l = self.weights(channel);
                let sum = products(
                    self.tuple(&self.q, j, channel),
                    self.tuple(&self.k, lag, channel),
                );
                for component in 0..4 {
                    let value: f64 = (0..5).map(|term| l[term] * sum[term][component]).sum();
                    out[(i * 4 + component) * self.channels + channel] += scale * value;
                }
            }
        });
        out
    }

    /// The gradients by the definition: O(N²).
    pub(super) fn definition_of_gradients(&self) -> [Vec<f64>; 3] {
        let [mut d_q, mut d_k, mut d_lambda] =
            [&self.q, &self.k, &self.lambda].map(|like| vec![0.0; like.len()]);
        self.terms(|i, j, lag, scale| {
            for channel in 0..self.channels {
                let l = self.weights(channel);
                let (a, b, d) = (
                    self.tuple(&self.q, j, channel),
                    self.tuple(&self.k, lag, channel),
                    self.tuple(&self.d_out, i, channel),
                );
                let loss = |a, b| {
                    products(a, b)
                        .map(|term: [f64; 4]| scale * (0..4).map(|c| term[c] * d[c]).sum::<f64>())
                };
                let weighted =
                    |terms: [f64; 5]| (0..5).map(|term| l[term] * terms[term]).sum::<f64>();
                for component in 0..4 {
                    let mut unit = [0.0; 4];
                    unit[component] = 1.0;
                    d_q[(j * 4 + component) * self.channels + channel] += weighted(loss(unit, b));
                    d_k[(lag * 4 + component) * self.channels + channel] += weighted(loss(a, unit));
                }
                let terms = loss(a, b);
                match &self.op {
                    Op::ScalarConv(_) => d_lambda[channel] += terms[0],
                    Op::VectorConv(_) => d_lambda[channel] += terms[4],
                    _ => (0..5)
                        .for_each(|term| d_lambda[term * self.channels + channel] += terms[term]),
                }
            }
        });
        [d_q, d_k, d_lambda]
    }
}

/// The five products of two tuples, each as a tuple.
pub(super) fn products(a: [f64; 4], b: [f64; 4]) -> [[f64; 4]; 5] {
    [
        [a[0] * b[0], 0.0, 0.0, 0.0],
        [a[1] * b[1] + a[2] * b[2] + a[3] * b[3], 0.0, 0.0, 0.0],
        [0.0, a[0] * b[1], a[0] * b[2], a[0] * b[3]],
        [0.0, b[0] * a[1], b[0] * a[2], b[0] * a[3]],
        [
            0.0,
            a[2] * b[3] - a[3] * b[2],
            a[3] * b[1] - a[1] * b[3],
            a[1] * b[2] - a[2] * b[1],
        ],
    ]
}

/// Largest difference over the largest value expected.
pub(super) fn relative(found: &[f64], expected: &[f64]) -> f64 {
    let size = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let error =
        found.iter().zip(expected).fold(
            0.0f64,
            |m, (x, y)| if (x - y).abs() <= m { m } else { (x - y).abs() },
        );
    if size == 0.0 { error } else { error / size }
}
