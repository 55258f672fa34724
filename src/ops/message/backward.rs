//! `message`, backward: each block's messages are computed again, then the gradients flow back through them.

use std::ops::Range;

use rayon::prelude::*;

use super::features::{Block, BlockGradient, Receiver, Vectors};
use super::forward::{blocks, first_layer, receivers};
use super::product::{accumulate, multiply};
use super::{BLOCK, DENSE, Inputs, Message, Params, SUM, pieces, rows, rows_mut};
use crate::engine::Real;
use crate::ops::{Backward, Batch};

/// Where a piece of receivers adds its gradients: rows of `b`, `y`, `x`, `n` from token `first` on.
struct Sink<'a, T, const P: usize> {
    first: usize,
    b: &'a mut [[T; P]],
    y: &'a mut [[T; 3]],
    x: &'a mut [[T; 3]],
    n: &'a mut [[T; 3]],
    relation: &'a mut [[T; P]],
    radial: &'a mut [[T; P]],
    radial_condition: &'a mut [[T; P]],
    dense: &'a mut [[T; P]],
    weight: &'a mut [[T; P]],
    bias: &'a mut [[T; P]],
}

impl<'a, T, const P: usize> Sink<'a, T, P> {
    /// `inputs`: b, y, x, n.
    fn new(first: usize, inputs: [&'a mut [T]; 4], params: [&'a mut [T]; 6]) -> Self {
        let [b, y, x, n] = inputs;
        let [relation, radial, radial_condition, dense, weight, bias] = params;
        Sink {
            first,
            b: rows_mut(b),
            y: rows_mut(y),
            x: rows_mut(x),
            n: rows_mut(n),
            relation: rows_mut(relation),
            radial: rows_mut(radial),
            radial_condition: rows_mut(radial_condition),
            dense: rows_mut(dense),
            weight: rows_mut(weight),
            bias: rows_mut(bias),
        }
    }
}

/// What backward reads: everything but the gradients that it adds to.
struct Read<'a, T, const P: usize> {
    batch: &'a Batch,
    inputs: Inputs<'a, T, P>,
    params: Params<'a, T, P>,
    /// Transposes of `weight` and of `dense` (without its last row).
    weight: [[T; P]; P],
    dense: [[T; DENSE - 1]; P],
    d_agg: &'a [[T; P]],
    d_vectors: &'a [[T; P]],
}

/// The partial gradients of one piece.
struct Partial<T> {
    /// Tokens that its rows of b, y, x, n belong to.
    span: Range<usize>,
    /// Of b, y, x, n.
    inputs: [Vec<T>; 4],
    params: [Vec<T>; 6],
}

impl Message {
    pub(super) fn backward_rows<T: Real, const P: usize>(&self, call: Backward<'_, T>) {
        let [d_agg, d_vectors] = call.d_outputs else { panic!("message gives 2 outputs, not {}", call.d_outputs.len()) };
        let params = Params::<T, P>::new(call.params);
        assert_eq!(params.radial.len(), self.radial, "message: rows of `radial`");
        let read = Read {
            batch: call.batch,
            inputs: Inputs::new(call.inputs),
            weight: std::array::from_fn(|c| std::array::from_fn(|k| params.weight[k][c])),
            dense: std::array::from_fn(|c| std::array::from_fn(|m| params.dense[m][c])),
            params,
            d_agg: rows(d_agg),
            d_vectors: rows(d_vectors),
        };
        let [a, b, y, x, n] = call.d_inputs else { panic!("message takes 5 inputs, not {}", call.d_inputs.len()) };
        let a = rows_mut::<T, P>(a);
        let inputs = [&mut **b, &mut **y, &mut **x, &mut **n];
        let params: &mut [&mut [T]; 6] = call.d_params.try_into().expect("message has 6 parameters");
        let pieces = pieces(call.batch);
        if pieces == 1 {
            let mut sink = Sink::new(0, inputs, params.each_mut().map(|param| &mut **param));
            self.piece(&read, 0..a.len(), a, &mut sink);
        } else {
            let sizes = params.each_ref().map(|param| param.len());
            let partials = self.partials(&read, pieces, a, sizes);
            add_partials(&partials, inputs, params);
        }
    }

    /// Runs the pieces in parallel, each with gradients of its own.
    fn partials<T: Real, const P: usize>(
        &self,
        read: &Read<'_, T, P>,
        pieces: usize,
        d_a: &mut [[T; P]],
        sizes: [usize; 6],
    ) -> Vec<Partial<T>> {
        let tokens = d_a.len().div_ceil(pieces);
        let zeros = |len: usize| vec![T::zero(); len];
        let pieces = d_a.par_chunks_mut(tokens).enumerate().map(|(piece, d_a)| {
            let range = piece * tokens..piece * tokens + d_a.len();
            let offsets = &read.batch.offsets;
            let start = offsets[offsets.partition_point(|&first| first <= range.start) - 1];
            let end = offsets[offsets.partition_point(|&first| first < range.end)];
            let mut partial =
                Partial { span: start..end, inputs: [P, 3, 3, 3].map(|width| zeros(width * (end - start))), params: sizes.map(zeros) };
            let inputs = partial.inputs.each_mut().map(Vec::as_mut_slice);
            let mut sink = Sink::new(start, inputs, partial.params.each_mut().map(Vec::as_mut_slice));
            self.piece(read, range, d_a, &mut sink);
            partial
        });
        pieces.collect()
    }

    /// Adds the gradients of the messages to the tokens of a range; `d_a` holds the range's rows.
    fn piece<T: Real, const P: usize>(&self, read: &Read<'_, T, P>, range: Range<usize>, d_a: &mut [[T; P]], sink: &mut Sink<'_, T, P>) {
        for (receiver, d_a) in receivers(read.batch, range).zip(d_a) {
            let token = receiver.token;
            // gradients of the sums over neighbours, in the order of the weights of a message
            let vectors = &read.d_vectors[6 * token..6 * token + 6];
            let order = [0, 2, 4, 1, 3, 5].map(|k| &vectors[k]);
            let d_sum: [[T; P]; 7] = std::array::from_fn(|k| if k == 0 { read.d_agg[token] } else { *order[k - 1] });
            let d_sum_transposed: [[T; 8]; P] =
                std::array::from_fn(|c| std::array::from_fn(|k| if k < 7 { d_sum[k][c] } else { T::zero() }));
            for edges in blocks(read.batch, token) {
                let block = Block::new(read.batch, &read.inputs, &receiver, edges, self.radial, self.reach);
                self.block(read, &block, &receiver, &d_sum, &d_sum_transposed, d_a, sink);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the sums over channels stay in one function")]
    fn block<T: Real, const P: usize>(
        &self,
        read: &Read<'_, T, P>,
        block: &Block<T>,
        receiver: &Receiver<T>,
        d_sum: &[[T; P]; 7],
        d_sum_transposed: &[[T; 8]; P],
        d_a: &mut [T; P],
        sink: &mut Sink<'_, T, P>,
    ) {
        let zero = T::zero();
        let mut h = first_layer(block, &read.inputs.a[receiver.token], read.inputs.b, &read.params);
        let mut h_slope = [[zero; P]; BLOCK];
        silu_slope(&mut h, &mut h_slope);
        let mut m = [*read.params.bias; BLOCK];
        multiply(|e, k| h[e][k], read.params.weight, &mut m);
        let mut m_slope = [[zero; P]; BLOCK];
        silu_slope(&mut m, &mut m_slope);

        let weight = block.weights();
        let mut d_m = [[zero; P]; BLOCK];
        multiply(|e, k| weight[k][e], d_sum, &mut d_m);
        scale(&mut d_m, &m_slope);
        let mut d_weight = [[zero; 8]; BLOCK];
        multiply(|e, c| m[e][c], d_sum_transposed, &mut d_weight);

        accumulate(|e, k| h[e][k], &d_m, sink.weight);
        for d_m in &d_m {
            add(&mut sink.bias[0], d_m);
        }
        let mut d_z = [[zero; P]; BLOCK];
        multiply(|e, c| d_m[e][c], &read.weight, &mut d_z);
        scale(&mut d_z, &h_slope);

        let g = block.dense();
        accumulate(|e, k| g[k][e], &d_z, sink.dense);
        let mut d_dense = [[zero; DENSE - 1]; BLOCK];
        multiply(|e, c| d_z[e][c], &read.dense, &mut d_dense);
        let d_r = scatter(block, &d_z, d_a, &read.params, sink);
        let d_direction = |first: usize| -> Vectors<T> {
            std::array::from_fn(|k| std::array::from_fn(|e| block.live[e] * T::of(SUM) * d_weight[e][first + k]))
        };
        let gradient = BlockGradient {
            u: [d_direction(1), d_direction(4)],
            r: d_r,
            dense: std::array::from_fn(|k| std::array::from_fn(|e| d_dense[e][k])),
        };
        let [d_y, d_x, d_n] = block.backward(gradient);
        spread(block, receiver.token, sink.first, &d_y, sink.y);
        spread(block, receiver.token, sink.first, &d_x, sink.x);
        spread(block, receiver.token, sink.first, &d_n, sink.n);
    }
}

/// Adds d_z to what the first layer is the sum of; returns the gradients of the two distances through the splines and
/// through the last dense feature.
#[inline(always)]
fn scatter<T: Real, const P: usize>(
    block: &Block<T>,
    d_z: &[[T; P]; BLOCK],
    d_a: &mut [T; P],
    params: &Params<'_, T, P>,
    sink: &mut Sink<'_, T, P>,
) -> [[T; BLOCK]; 2] {
    let mut d_r = [[T::zero(); BLOCK]; 2];
    let deviation = block.deviation_slope();
    for (e, d_z) in d_z.iter().enumerate() {
        add(d_a, d_z);
        add(&mut sink.b[block.sender[e] - sink.first], d_z);
        add(&mut sink.relation[block.relation[e]], d_z);
        let last = sink.radial.len() - 1;
        let (near, far) = (&block.candidate.splines, &block.condition.splines);
        for k in 0..4 {
            add_scaled(&mut sink.radial[(near.first[e] + k).min(last)], near.value[k][e], d_z);
            add_scaled(&mut sink.radial_condition[(far.first[e] + k).min(last)], far.value[k][e], d_z);
        }
        let (near_rows, far_rows) = (near.rows(e, params.radial), far.rows(e, params.radial_condition));
        let mut slopes = [[T::zero(); P]; 2];
        for c in 0..P {
            slopes[1][c] = deviation[e] * params.dense[DENSE - 1][c];
            for k in 0..4 {
                slopes[0][c] = T::fma(near.slope[k][e], near_rows[k][c], slopes[0][c]);
                slopes[1][c] = T::fma(far.slope[k][e], far_rows[k][c], slopes[1][c]);
            }
        }
        d_r[0][e] = dot(d_z, &slopes[0]);
        d_r[1][e] = dot(d_z, &slopes[1]);
    }
    d_r
}

/// Adds the gradient of (receiver − sender) to both.
#[inline(always)]
fn spread<T: Real>(block: &Block<T>, receiver: usize, first: usize, d: &Vectors<T>, to: &mut [[T; 3]]) {
    for h in 0..3 {
        for e in 0..BLOCK {
            to[block.sender[e] - first][h] -= d[h][e];
            to[receiver - first][h] += d[h][e];
        }
    }
}

/// x → silu(x), and its derivative.
#[inline(always)]
fn silu_slope<T: Real, const P: usize>(x: &mut [[T; P]; BLOCK], slope: &mut [[T; P]; BLOCK]) {
    for (x, slope) in x.as_flattened_mut().iter_mut().zip(slope.as_flattened_mut()) {
        let s = x.sigmoid();
        *x *= s;
        *slope = T::fma(*x, T::one() - s, s);
    }
}

#[inline(always)]
fn scale<T: Real, const P: usize>(x: &mut [[T; P]; BLOCK], by: &[[T; P]; BLOCK]) {
    for (x, &by) in x.as_flattened_mut().iter_mut().zip(by.as_flattened()) {
        *x *= by;
    }
}

#[inline(always)]
fn add<T: Real>(to: &mut [T], what: &[T]) {
    for (to, &what) in to.iter_mut().zip(what) {
        *to += what;
    }
}

#[inline(always)]
fn add_scaled<T: Real, const P: usize>(to: &mut [T; P], by: T, what: &[T; P]) {
    for (to, &what) in to.iter_mut().zip(what) {
        *to = T::fma(by, what, *to);
    }
}

/// Σ a·b in eight partial sums.
#[inline(always)]
fn dot<T: Real, const P: usize>(a: &[T; P], b: &[T; P]) -> T {
    let mut sums = [T::zero(); 8];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = T::fma(a, b, *sum);
        }
    }
    let [s0, s1, s2, s3, s4, s5, s6, s7] = sums;
    ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))
}

/// Adds the partial gradients in the order of the pieces; parallel over tokens, which does not change that order.
fn add_partials<T: Real>(partials: &[Partial<T>], inputs: [&mut [T]; 4], params: &mut [&mut [T]; 6]) {
    const TASK: usize = 256;
    for (index, to) in inputs.into_iter().enumerate() {
        let width = partials[0].inputs[index].len() / partials[0].span.len();
        to.par_chunks_mut(TASK * width).enumerate().for_each(|(task, to)| {
            let tokens = task * TASK..task * TASK + to.len() / width;
            for partial in partials {
                let (start, end) = (tokens.start.max(partial.span.start), tokens.end.min(partial.span.end));
                if start < end {
                    let from = &partial.inputs[index][(start - partial.span.start) * width..(end - partial.span.start) * width];
                    add(&mut to[(start - tokens.start) * width..(end - tokens.start) * width], from);
                }
            }
        });
    }
    for (index, to) in params.iter_mut().enumerate() {
        for partial in partials {
            add(to, &partial.params[index]);
        }
    }
}
