//! `message`, backward: each block's messages are computed again, then the gradients flow back
//! through them.

use std::array::from_fn;
use std::ops::Range;

use rayon::prelude::*;

use super::features::{Block, BlockGradient, Grid, Vectors, four, four_mut};
use super::forward::{blocks, receivers};
use super::product::{
    Part, Row, accumulate_lanes, accumulate_rows, multiply_lanes, multiply_rows, plus, plus_scaled,
    scale_and_sum, times, total,
};
use super::{
    BLOCK, DENSE, HALF, Inputs, Lanes, Message, Params, Reads, SUM, add, pieces, rows, rows_mut,
};
use crate::numeric::Real;
use crate::ops::Backward;

/// What backward reads.
struct Read<'a, T, const P: usize> {
    forward: Reads<'a, T, P>,
    /// Transposes of `weight` and of `dense` (without its last row).
    weight: [Row<T, P>; P],
    dense: [Row<T, { DENSE - 1 }>; P],
    d_agg: &'a [[T; P]],
    d_vectors: &'a [[[T; P]; 6]],
}

/// Where a piece of receivers adds its gradients: rows of b, y, x, n from token `first` on, and the
/// parameters.
struct Sink<'a, T, const P: usize> {
    first: usize,
    b: &'a mut [[T; P]],
    positions: [&'a mut [[T; 3]]; 3],
    params: Params<T, P>,
}

/// The gradients of one piece.
struct Partial<T, const P: usize> {
    /// Tokens that its rows of b, y, x, n belong to.
    span: Range<usize>,
    /// Of b, y, x, n.
    inputs: [Vec<T>; 4],
    params: Params<T, P>,
}

/// The channels of a block.
struct Scratch<T, const P: usize> {
    h: [Row<T, P>; BLOCK],
    h_slope: [Row<T, P>; BLOCK],
    m: [Row<T, P>; BLOCK],
    m_slope: [Row<T, P>; BLOCK],
    d_m: [Row<T, P>; BLOCK],
    d_z: [Row<T, P>; BLOCK],
}

impl<T: Real, const P: usize> Scratch<T, P> {
    fn zero() -> Self {
        let rows = [Row::zero(); BLOCK];
        Scratch {
            h: rows,
            h_slope: rows,
            m: rows,
            m_slope: rows,
            d_m: rows,
            d_z: rows,
        }
    }
}

/// Gradients of the sums over a receiver's neighbours.
struct Sums<T, const P: usize> {
    scalars: Row<T, P>,
    /// In the order of [`Block::weights`].
    directed: [Row<T, P>; 6],
    /// The same by channel, and two zeros.
    by_channel: [Row<T, 8>; P],
}

impl<T: Real, const P: usize> Sums<T, P> {
    fn new(d_agg: &[T; P], d_vectors: &[[T; P]; 6]) -> Self {
        let mut directed = [Row::zero(); 6];
        let mut by_channel = [Row::zero(); P];
        for (k, (row, d)) in directed.iter_mut().zip(d_vectors).enumerate() {
            for c in 0..P {
                row[c] = d[c] * T::of(SUM);
                by_channel[c][k] = row[c];
            }
        }
        Sums {
            scalars: Row(d_agg.map(|d| d * T::of(SUM * HALF))),
            directed,
            by_channel,
        }
    }
}

impl Message {
    pub(super) fn backward_rows<T: Real, const P: usize>(&self, call: Backward<'_, T>) {
        let [d_agg, d_vectors] = call.d_outputs else {
            panic!("message gives 2 outputs, not {}", call.d_outputs.len())
        };
        let params = Params::<T, P>::new(call.params);
        let read = Read {
            weight: from_fn(|c| Row(from_fn(|k| params.weight[k][c]))),
            dense: from_fn(|c| Row(from_fn(|m| params.dense[m][c]))),
            forward: Reads {
                batch: call.batch,
                inputs: Inputs::new(call.inputs),
                params,
                grid: Grid::new(self.radial, self.reach),
            },
            d_agg: rows(d_agg),
            d_vectors: rows::<T, P>(d_vectors).as_chunks().0,
        };
        let [d_a, b, y, x, n] = call.d_inputs else {
            panic!("message takes 5 inputs, not {}", call.d_inputs.len())
        };
        let (d_a, d_inputs) = (
            rows_mut::<T, P>(d_a),
            [&mut **b, &mut **y, &mut **x, &mut **n],
        );
        let pieces = pieces(call.batch);
        if pieces == 1 {
            self.piece(&read, 0..d_a.len(), d_a, 0, d_inputs)
                .add_to(call.d_params);
        } else {
            let partials = self.partials(&read, pieces, d_a);
            for partial in &partials {
                partial.params.add_to(call.d_params);
            }
            add_partials(&partials, d_inputs);
        }
    }

    /// Runs the pieces in parallel, each with gradients of its own.
    fn partials<T: Real, const P: usize>(
        &self,
        read: &Read<'_, T, P>,
        pieces: usize,
        d_a: &mut [[T; P]],
    ) -> Vec<Partial<T, P>> {
        let tokens = d_a.len().div_ceil(pieces);
        let pieces = d_a.par_chunks_mut(tokens).enumerate().map(|(piece, d_a)| {
            let range = piece * tokens..piece * tokens + d_a.len();
            let offsets = &read.forward.batch.offsets;
            let start = offsets[offsets.partition_point(|&first| first <= range.start) - 1];
            let end = offsets[offsets.partition_point(|&first| first < range.end)];
            let mut inputs = [P, 3, 3, 3].map(|width| vec![T::zero(); width * (end - start)]);
            let params = self.piece(
                read,
                range,
                d_a,
                start,
                inputs.each_mut().map(Vec::as_mut_slice),
            );
            Partial {
                span: start..end,
                inputs,
                params,
            }
        });
        pieces.collect()
    }

    /// Adds the gradients of the messages to the tokens of a range; returns those of the
    /// parameters. `d_a` holds the range's rows, `d_inputs` (b, y, x, n) the rows from token
    /// `first` on.
    fn piece<T: Real, const P: usize>(
        &self,
        read: &Read<'_, T, P>,
        range: Range<usize>,
        d_a: &mut [[T; P]],
        first: usize,
        d_inputs: [&mut [T]; 4],
    ) -> Params<T, P> {
        let [b, y, x, n] = d_inputs;
        let positions = [rows_mut(y), rows_mut(x), rows_mut(n)];
        let mut sink = Sink {
            first,
            b: rows_mut(b),
            positions,
            params: Params::zeros(self.radial),
        };
        let (mut block, mut scratch) = (Block::zero(), Scratch::zero());
        for (receiver, d_a) in receivers(read.forward.batch, range).zip(d_a) {
            let d_sums = Sums::new(&read.d_agg[receiver.token], &read.d_vectors[receiver.token]);
            let mut sum = Row::zero();
            for edges in blocks(read.forward.batch, receiver.token) {
                block.fill(&read.forward, &receiver, edges);
                channels(
                    read,
                    &block,
                    receiver.token,
                    &d_sums,
                    &mut sum,
                    &mut scratch,
                    &mut sink,
                );
            }
            add(d_a, &*sum);
        }
        sink.params
    }
}

/// The way back of one block: messages again, their gradients, then those of everything that they
/// were made of.
fn channels<T: Real, const P: usize>(
    read: &Read<'_, T, P>,
    block: &Block<T>,
    receiver: usize,
    d_sums: &Sums<T, P>,
    d_a: &mut Row<T, P>,
    scratch: &mut Scratch<T, P>,
    sink: &mut Sink<'_, T, P>,
) {
    let Scratch {
        h,
        h_slope,
        m,
        m_slope,
        d_m,
        d_z,
    } = scratch;
    read.forward.first_layer(block, receiver, h);
    silu_and_slope(h, h_slope);
    multiply_rows(h, &read.forward.params.weight, &read.forward.params.bias, m);
    silu_and_slope(m, m_slope);
    block.clear_rest(m);

    let weights = block.weights();
    multiply_lanes(&weights[1..], &d_sums.directed, &d_sums.scalars, d_m);
    block.clear_rest(m_slope);
    scale_and_sum(d_m, m_slope, &mut sink.params.bias);
    let mut d_u = [Row::zero(); BLOCK];
    multiply_rows(m, &d_sums.by_channel, &Row::zero(), &mut d_u);

    accumulate_rows(h, d_m, &mut sink.params.weight);
    multiply_rows(d_m, &read.weight, &Row::zero(), d_z);
    scale_and_sum(d_z, h_slope, d_a);

    accumulate_lanes(&block.dense, &d_z[..block.live], &mut sink.params.dense);
    let mut d_dense = [Row::zero(); BLOCK];
    multiply_rows(d_z, &read.dense, &Row::zero(), &mut d_dense);
    let d_r = scatter(&read.forward, block, d_z, sink);
    let direction =
        |which: usize| -> Vectors<T> { from_fn(|h| from_fn(|e| d_u[e][2 * h + which])) };
    let gradient = BlockGradient {
        u: [direction(0), direction(1)],
        r: d_r,
        dense: from_fn(|k| from_fn(|e| d_dense[e][k])),
    };
    for (to, d) in sink.positions.iter_mut().zip(block.backward(gradient)) {
        spread(block, receiver, sink.first, &d, to);
    }
}

/// Adds d_z to the rows that the first layer sums up; returns the gradients of the two distances
/// through the splines and through the last dense feature.
#[inline(never)]
fn scatter<T: Real, const P: usize>(
    reads: &Reads<'_, T, P>,
    block: &Block<T>,
    d_z: &[Row<T, P>; BLOCK],
    sink: &mut Sink<'_, T, P>,
) -> [Lanes<T>; 2] {
    let mut d_r = [[T::zero(); BLOCK]; 2];
    let deviation = block.deviation_slope();
    let (params, near, far) = (
        &reads.params,
        &block.candidate.splines,
        &block.condition.splines,
    );
    let (near_slopes, far_slopes) = (near.slopes(&reads.grid), far.slopes(&reads.grid));
    for (e, d_z) in d_z.iter().enumerate() {
        let d_b: &mut [Part<T>] = sink.b[block.sender[e] as usize - sink.first]
            .as_chunks_mut()
            .0;
        let d_relation = sink.params.relation[block.relation[e] as usize].parts_mut();
        let (near_first, far_first) = (near.first(e), far.first(e));
        let d_near: &mut [Row<T, P>; 4] = four_mut(&mut sink.params.radial, near_first);
        let d_far: &mut [Row<T, P>; 4] = four_mut(&mut sink.params.radial_condition, far_first);
        let (near_rows, far_rows) = (
            four(&params.radial, near_first),
            four(&params.radial_condition, far_first),
        );
        let (mut near_sum, mut far_sum) = ([T::zero(); 8], [T::zero(); 8]);
        for (c, d_z) in d_z.parts().iter().enumerate() {
            d_b[c] = plus(d_b[c], d_z);
            d_relation[c] = plus(d_relation[c], d_z);
            let mut near_slope = [T::zero(); 8];
            let mut far_slope = params.dense[DENSE - 1].parts()[c].map(|g| g * deviation[e]);
            for k in 0..4 {
                d_near[k].parts_mut()[c] = plus_scaled(d_near[k].parts()[c], near.value[k][e], d_z);
                d_far[k].parts_mut()[c] = plus_scaled(d_far[k].parts()[c], far.value[k][e], d_z);
                near_slope = plus_scaled(near_slope, near_slopes[k][e], &near_rows[k].parts()[c]);
                far_slope = plus_scaled(far_slope, far_slopes[k][e], &far_rows[k].parts()[c]);
            }
            near_sum = plus(near_sum, &times(near_slope, d_z));
            far_sum = plus(far_sum, &times(far_slope, d_z));
        }
        d_r[0][e] = total(near_sum);
        d_r[1][e] = total(far_sum);
    }
    d_r
}

/// Adds the gradient of (receiver − sender) to both.
#[inline(always)]
fn spread<T: Real>(
    block: &Block<T>,
    receiver: usize,
    first: usize,
    d: &Vectors<T>,
    to: &mut [[T; 3]],
) {
    let mut sum = [T::zero(); 3];
    for e in 0..BLOCK {
        let row = &mut to[block.sender[e] as usize - first];
        for h in 0..3 {
            row[h] -= d[h][e];
            sum[h] += d[h][e];
        }
    }
    add(&mut to[receiver - first], &sum);
}

/// x becomes silu(x), `slope` its derivative.
#[inline(never)]
fn silu_and_slope<T: Real, const P: usize>(x: &mut [Row<T, P>], slope: &mut [Row<T, P>]) {
    for (x, slope) in x.iter_mut().zip(slope) {
        for (x, slope) in x.iter_mut().zip(slope.iter_mut()) {
            let s = x.sigmoid();
            *x *= s;
            *slope = T::fma(*x, T::one() - s, s);
        }
    }
}

/// Adds the partial gradients in the order of the pieces; parallel over tokens, which does not
/// change that order.
fn add_partials<T: Real, const P: usize>(partials: &[Partial<T, P>], d_inputs: [&mut [T]; 4]) {
    const TASK: usize = 256;
    for (index, to) in d_inputs.into_iter().enumerate() {
        let width = partials[0].inputs[index].len() / partials[0].span.len();
        to.par_chunks_mut(TASK * width)
            .enumerate()
            .for_each(|(task, to)| {
                let tokens = task * TASK..task * TASK + to.len() / width;
                for partial in partials {
                    let (start, end) = (
                        tokens.start.max(partial.span.start),
                        tokens.end.min(partial.span.end),
                    );
                    if start < end {
                        let from = &partial.inputs[index][(start - partial.span.start) * width
                            ..(end - partial.span.start) * width];
                        add(
                            &mut to[(start - tokens.start) * width..(end - tokens.start) * width],
                            from,
                        );
                    }
                }
            });
    }
}
