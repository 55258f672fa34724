//! A case of a long convolution and its definition.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use std::ops::Range;

use crate::fft::{Convolution, LongConvolution, Method, Mixing, Padding, Scale, Terms};
use crate::numeric::Real;

/// Two sequences, the weights, and the gradient of the output, for some systems.
pub(super) struct Case {
    pub(super) terms: Terms,
    pub(super) convolution: Convolution,
    pub(super) method: Method,
    pub(super) offsets: Vec<usize>,
    pub(super) channels: usize,
    pub(super) q: Vec<f64>,
    pub(super) k: Vec<f64>,
    pub(super) lambda: Vec<f64>,
    pub(super) d_out: Vec<f64>,
}

/// Where systems of these lengths begin, and where the last one ends.
pub(super) fn offsets(lengths: &[usize]) -> Vec<usize> {
    let ends = lengths.iter().scan(0, |end, n| {
        *end += n;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

pub(super) fn uniform(rng: &mut impl Rng, len: usize) -> Vec<f64> {
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
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
    /// Random numbers for systems of these lengths.
    pub(super) fn new(
        terms: Terms,
        convolution: Convolution,
        channels: usize,
        lengths: &[usize],
    ) -> Case {
        let offsets = offsets(lengths);
        let rng = &mut ChaCha8Rng::seed_from_u64(7);
        let len = offsets[lengths.len()] * 4 * channels;
        let lambda = uniform(rng, terms.rows().len() * channels);
        Case {
            terms,
            convolution,
            method: Method::Fastest,
            q: uniform(rng, len),
            k: uniform(rng, len),
            d_out: uniform(rng, len),
            offsets,
            channels,
            lambda,
        }
    }

    pub(super) fn systems(&self) -> impl Iterator<Item = Range<usize>> {
        self.offsets.windows(2).map(|ends| ends[0]..ends[1])
    }

    fn long<'a, T>(&'a self, lambda: &'a [T]) -> LongConvolution<'a, T> {
        LongConvolution {
            offsets: &self.offsets,
            channels: self.channels,
            terms: self.terms,
            convolution: self.convolution,
            method: self.method,
            lambda,
        }
    }

    pub(super) fn forward<T: Real>(&self) -> Vec<f64> {
        let mut out = vec![T::nan(); self.q.len()];
        let lambda = cast::<T>(&self.lambda);
        self.long(&lambda)
            .forward(&cast(&self.q), &cast(&self.k), &mut out);
        out.iter().map(|x| x.wide()).collect()
    }

    /// Gradients of q, k and λ, started at `start` everywhere (it is taken off again).
    pub(super) fn backward<T: Real>(&self, start: f64) -> [Vec<f64>; 3] {
        let [mut d_q, mut d_k, mut d_lambda] =
            [&self.q, &self.k, &self.lambda].map(|like| vec![T::of(start); like.len()]);
        let lambda = cast::<T>(&self.lambda);
        self.long(&lambda).backward(
            &cast(&self.q),
            &cast(&self.k),
            &cast(&self.d_out),
            &mut d_q,
            &mut d_k,
            &mut d_lambda,
        );
        [d_q, d_k, d_lambda].map(|d| d.iter().map(|x| x.wide() - start).collect())
    }

    /// λ1 … λ5 of a channel; the ablations have one of them, or the other.
    pub(super) fn weights(&self, channel: usize) -> [f64; 5] {
        let mut weights = [0.0; 5];
        for (row, term) in self.terms.rows().enumerate() {
            weights[term] = self.lambda[row * self.channels + channel];
        }
        weights
    }

    pub(super) fn tuple(&self, values: &[f64], token: usize, channel: usize) -> [f64; 4] {
        std::array::from_fn(|component| values[(token * 4 + component) * self.channels + channel])
    }

    /// Calls `visit` with (output, first, second) token and the factor, for every term of the
    /// double sum.
    pub(super) fn terms(&self, mut visit: impl FnMut(usize, usize, usize, f64)) {
        let convolution = self.convolution;
        for range in self.systems() {
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
                for (row, term) in self.terms.rows().enumerate() {
                    d_lambda[row * self.channels + channel] += terms[term];
                }
            }
        });
        [d_q, d_k, d_lambda]
    }
}

fn cast<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&x| T::of(x)).collect()
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
