//! The three long convolutions against their definitions, in every mode.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::engine::Real;
use crate::ops::geometric_conv::GeometricConv;
use crate::ops::scalar_conv::ScalarConv;
use crate::ops::vector_conv::VectorConv;
use crate::ops::{Backward, Batch, Forward, Kernel, Op};

/// Two sequences, the weights, and the gradient of the output, for systems of these lengths.
struct Case {
    op: Op,
    batch: Batch,
    channels: usize,
    q: Vec<f64>,
    k: Vec<f64>,
    lambda: Vec<f64>,
    d_out: Vec<f64>,
}

fn batch(lengths: &[usize]) -> Batch {
    let mut offsets = vec![0];
    lengths.iter().for_each(|n| offsets.push(offsets[offsets.len() - 1] + n));
    Batch { kinds: vec![[0; 3]; offsets[lengths.len()]], offsets, ..Batch::default() }
}

fn uniform(rng: &mut impl Rng, len: usize) -> Vec<f64> {
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn ops(channels: usize, convolution: Convolution) -> [Op; 3] {
    [
        GeometricConv { channels, convolution }.into(),
        ScalarConv { channels, convolution }.into(),
        VectorConv { channels, convolution }.into(),
    ]
}

fn modes() -> Vec<Convolution> {
    let mut modes = Vec::new();
    for padding in [Padding::Zero, Padding::Circular] {
        for mixing in [Mixing::Convolution, Mixing::Correlation] {
            modes.push(Convolution { padding, mixing, scale: Scale::InverseRoot });
        }
    }
    modes
}

impl Case {
    fn new(op: Op, channels: usize, lengths: &[usize]) -> Case {
        let batch = batch(lengths);
        let rng = &mut ChaCha8Rng::seed_from_u64(7);
        let len = batch.tokens() * 4 * channels;
        let lambda = uniform(rng, op.signature().params[0].size.iter().product());
        Case { q: uniform(rng, len), k: uniform(rng, len), d_out: uniform(rng, len), op, batch, channels, lambda }
    }

    fn forward<T: Real>(&self) -> Vec<f64> {
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
    fn backward<T: Real>(&self, start: f64) -> [Vec<f64>; 3] {
        let cast = |values: &[f64]| values.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
        let [mut d_q, mut d_k, mut d_lambda] = [&self.q, &self.k, &self.lambda].map(|like| vec![T::of(start); like.len()]);
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

    fn convolution(&self) -> Convolution {
        match &self.op {
            Op::GeometricConv(op) => op.convolution,
            Op::ScalarConv(op) => op.convolution,
            Op::VectorConv(op) => op.convolution,
            other => panic!("{} is no long convolution", other.name()),
        }
    }

    /// λ1 … λ5 of a channel; the ablations have one of them, or the other.
    fn weights(&self, channel: usize) -> [f64; 5] {
        let l = |term: usize| self.lambda[term * self.channels + channel];
        match &self.op {
            Op::ScalarConv(_) => [l(0), 0.0, 0.0, 0.0, 0.0],
            Op::VectorConv(_) => [0.0, 0.0, 0.0, 0.0, l(0)],
            _ => [l(0), l(1), l(2), l(3), l(4)],
        }
    }

    fn tuple(&self, values: &[f64], token: usize, channel: usize) -> [f64; 4] {
        std::array::from_fn(|component| values[(token * 4 + component) * self.channels + channel])
    }

    /// Calls `visit` with (output, first, second) token and the factor, for every term of the double sum.
    fn terms(&self, mut visit: impl FnMut(usize, usize, usize, f64)) {
        let convolution = self.convolution();
        for system in 0..self.batch.systems() {
            let range = self.batch.range(system);
            let n = range.len() as isize;
            for i in 0..n {
                for j in 0..n {
                    let lag = if convolution.mixing == Mixing::Convolution { i - j } else { j - i };
                    let lag = if convolution.padding == Padding::Circular { lag.rem_euclid(n) } else { lag };
                    if lag >= 0 {
                        let at = |index: isize| range.start + index as usize;
                        visit(at(i), at(j), at(lag), convolution.factor(range.len()));
                    }
                }
            }
        }
    }

    /// The output by the definition: O(N²).
    fn definition(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.q.len()];
        self.terms(|i, j, lag, scale| {
            for channel in 0..self.channels {
                let l = self.weights(channel);
                let sum = products(self.tuple(&self.q, j, channel), self.tuple(&self.k, lag, channel));
                for component in 0..4 {
                    let value: f64 = (0..5).map(|term| l[term] * sum[term][component]).sum();
                    out[(i * 4 + component) * self.channels + channel] += scale * value;
                }
            }
        });
        out
    }

    /// The gradients by the definition: O(N²).
    fn definition_of_gradients(&self) -> [Vec<f64>; 3] {
        let [mut d_q, mut d_k, mut d_lambda] = [&self.q, &self.k, &self.lambda].map(|like| vec![0.0; like.len()]);
        self.terms(|i, j, lag, scale| {
            for channel in 0..self.channels {
                let l = self.weights(channel);
                let (a, b, d) = (self.tuple(&self.q, j, channel), self.tuple(&self.k, lag, channel), self.tuple(&self.d_out, i, channel));
                let loss = |a, b| products(a, b).map(|term: [f64; 4]| scale * (0..4).map(|c| term[c] * d[c]).sum::<f64>());
                let weighted = |terms: [f64; 5]| (0..5).map(|term| l[term] * terms[term]).sum::<f64>();
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
                    _ => (0..5).for_each(|term| d_lambda[term * self.channels + channel] += terms[term]),
                }
            }
        });
        [d_q, d_k, d_lambda]
    }
}

/// The five products of two tuples, each as a tuple.
fn products(a: [f64; 4], b: [f64; 4]) -> [[f64; 4]; 5] {
    [
        [a[0] * b[0], 0.0, 0.0, 0.0],
        [a[1] * b[1] + a[2] * b[2] + a[3] * b[3], 0.0, 0.0, 0.0],
        [0.0, a[0] * b[1], a[0] * b[2], a[0] * b[3]],
        [0.0, b[0] * a[1], b[0] * a[2], b[0] * a[3]],
        [0.0, a[2] * b[3] - a[3] * b[2], a[3] * b[1] - a[1] * b[3], a[1] * b[2] - a[2] * b[1]],
    ]
}

/// Largest difference over the largest value expected.
fn relative(found: &[f64], expected: &[f64]) -> f64 {
    let size = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let error = found.iter().zip(expected).fold(0.0f64, |m, (x, y)| if (x - y).abs() <= m { m } else { (x - y).abs() });
    if size == 0.0 { error } else { error / size }
}

#[test]
fn smooth_lengths() {
    assert_eq!([0, 1, 11, 63, 307, 2461, 31999].map(smooth_length), [1, 1, 12, 63, 315, 2500, 32000]);
}

#[test]
fn equals_the_definition_at_every_length() {
    for convolution in modes() {
        for op in ops(2, convolution) {
            for n in 1..=257 {
                let case = Case::new(op.clone(), 2, &[n]);
                let expected = case.definition();
                let (wide, narrow) = (relative(&case.forward::<f64>(), &expected), relative(&case.forward::<f32>(), &expected));
                assert!(wide <= 1e-12, "{} {convolution:?} N = {n}, f64: {wide:e}", op.name());
                assert!(narrow <= 1e-5, "{} {convolution:?} N = {n}, f32: {narrow:e}", op.name());
            }
        }
    }
}

#[test]
fn gradients_equal_the_definition() {
    for convolution in modes() {
        for op in ops(3, convolution) {
            for n in (1..=24).chain([31, 32, 47, 64, 97, 128, 131, 210, 257]) {
                let case = Case::new(op.clone(), 3, &[n]);
                let expected = case.definition_of_gradients();
                for (tolerance, found) in [(1e-12, case.backward::<f64>(0.0)), (1e-5, case.backward::<f32>(0.0))] {
                    for (name, (found, expected)) in ["q", "k", "lambda"].iter().zip(found.iter().zip(&expected)) {
                        let error = relative(found, expected);
                        assert!(error <= tolerance, "{} {convolution:?} N = {n}, d_{name}: {error:e}", op.name());
                    }
                }
            }
        }
    }
}

#[test]
fn gradients_equal_central_differences() {
    for convolution in [Convolution::PAPER, Convolution::WORKING] {
        for op in ops(2, convolution) {
            for n in [1, 5, 12, 61, 131] {
                let case = Case::new(op.clone(), 2, &[n]);
                let gradients = case.backward::<f64>(0.0);
                for (which, gradient) in gradients.iter().enumerate() {
                    let rng = &mut ChaCha8Rng::seed_from_u64(n as u64);
                    let direction = uniform(rng, gradient.len());
                    let at = |step: f64| {
                        let mut case = Case::new(op.clone(), 2, &[n]);
                        let moved = [&mut case.q, &mut case.k, &mut case.lambda].into_iter().nth(which).unwrap();
                        moved.iter_mut().zip(&direction).for_each(|(x, d)| *x += step * d);
                        case.forward::<f64>().iter().zip(&case.d_out).map(|(x, d)| x * d).sum::<f64>()
                    };
                    let difference = (at(1e-3) - at(-1e-3)) / 2e-3;
                    let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
                    let size = gradient.iter().map(|g| g.abs()).fold(0.0, f64::max);
                    let error = (difference - along).abs() / along.abs().max(size);
                    assert!(error <= 1e-6, "{} {convolution:?} N = {n}, input {which}: {error:e}", op.name());
                }
            }
        }
    }
}

#[test]
fn backward_adds() {
    for op in ops(9, Convolution::WORKING) {
        let case = Case::new(op, 9, &[20, 150]);
        for (zero, one) in case.backward::<f64>(0.0).iter().zip(&case.backward::<f64>(1.0)) {
            assert!(relative(one, zero) <= 1e-14);
        }
    }
}

#[test]
fn systems_do_not_mix() {
    for convolution in modes() {
        for op in ops(11, convolution) {
            let lengths = [5, 0, 1, 200, 17, 5];
            let case = Case::new(op.clone(), 11, &lengths);
            let (out, gradients) = (case.forward::<f32>(), case.backward::<f32>(0.0));
            for system in 0..lengths.len() {
                let range = case.batch.range(system);
                let rows = range.start * 44..range.end * 44;
                let part = |values: &[f64]| values[rows.clone()].to_vec();
                let alone = Case {
                    batch: batch(&[range.len()]),
                    q: part(&case.q),
                    k: part(&case.k),
                    d_out: part(&case.d_out),
                    ..Case::new(op.clone(), 11, &[])
                };
                assert_eq!(alone.forward::<f32>(), part(&out));
                let [d_q, d_k, _] = alone.backward::<f32>(0.0);
                assert_eq!([d_q, d_k], [part(&gradients[0]), part(&gradients[1])]);
            }
        }
    }
}

#[test]
fn thread_count_does_not_change_a_bit() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut all = Vec::new();
            for op in ops(19, Convolution::WORKING) {
                let case = Case::new(op, 19, &[33, 700, 8, 1231]);
                all.push(case.forward::<f32>());
                all.extend(case.backward::<f32>(0.0));
            }
            all
        })
    };
    assert!(run(1) == run(2));
}

/// Rotates every vector by a rotation about a general axis.
fn rotated(values: &[f64], channels: usize) -> Vec<f64> {
    let rotation = nalgebra::Rotation3::from_euler_angles(0.7, -1.9, 2.4);
    let mut out = values.to_vec();
    for (row, from) in out.chunks_exact_mut(4 * channels).zip(values.chunks_exact(4 * channels)) {
        for channel in 0..channels {
            let r = rotation * nalgebra::Vector3::from_fn(|h, _| from[(h + 1) * channels + channel]);
            (0..3).for_each(|h| row[(h + 1) * channels + channel] = r[h]);
        }
    }
    out
}

#[test]
fn rotations_commute_and_reflections_do_not() {
    for convolution in modes() {
        for op in ops(3, convolution) {
            let case = Case::new(op.clone(), 3, &[20, 257]);
            let turned = Case { q: rotated(&case.q, 3), k: rotated(&case.k, 3), ..Case::new(op.clone(), 3, &[20, 257]) };
            let error = relative(&turned.forward::<f64>(), &rotated(&case.forward::<f64>(), 3));
            assert!(error <= 1e-12, "{} {convolution:?}: {error:e}", op.name());
            let mirror = |values: &[f64]| -> Vec<f64> {
                values.iter().enumerate().map(|(index, &x)| if index / 3 % 4 == 0 { x } else { -x }).collect()
            };
            let mirrored = Case { q: mirror(&case.q), k: mirror(&case.k), ..Case::new(op.clone(), 3, &[20, 257]) };
            let error = relative(&mirrored.forward::<f64>(), &mirror(&case.forward::<f64>()));
            if matches!(op, Op::ScalarConv(_)) { assert!(error <= 1e-12) } else { assert!(error > 0.1) }
        }
    }
}

#[test]
fn is_a_quaternion_convolution() {
    let op = Op::from(GeometricConv { channels: 1, convolution: Convolution { scale: Scale::InverseLength, ..Convolution::PAPER } });
    let n = 101;
    let case = Case { lambda: vec![1.0, -1.0, 1.0, 1.0, 1.0], ..Case::new(op, 1, &[n]) };
    let quaternion = |values: &[f64], token: usize| {
        let [w, i, j, k] = case.tuple(values, token, 0);
        nalgebra::Quaternion::new(w, i, j, k)
    };
    let mut expected = Vec::new();
    for i in 0..n {
        let terms = (0..n).map(|j| quaternion(&case.q, j) * quaternion(&case.k, (n + i - j) % n));
        let sum = terms.fold(nalgebra::Quaternion::new(0.0, 0.0, 0.0, 0.0), |sum, term| sum + term);
        expected.extend([sum.w, sum.i, sum.j, sum.k].map(|x| x / n as f64));
    }
    let error = relative(&case.forward::<f64>(), &expected);
    assert!(error <= 1e-12, "{error:e}");
}
