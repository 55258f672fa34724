//! `message`, backward: each block's messages are computed again, then the gradients flow back
//! through them.

use std::array::from_fn;
use std::ops::Range;

use super::features::{Block, BlockGradient, Grid, Vectors, four, four_mut};
use super::forward::{blocks, receivers};
use super::partial::Pieces;
use super::product::{
    Part, Row, accumulate_lanes, accumulate_rows, multiply_lanes, multiply_rows, plus, plus_scaled,
    scale_and_sum, times, total,
};
use super::{BLOCK, DENSE, HALF, Inputs, Lanes, Message, Params, Reads, SUM, add, rows, rows_mut};
use crate::numeric::Real;
use crate::ops::{Backward, Batch};

/// Most pieces that a batch is cut into.
const PIECES: usize = 16;

/// The layers up to m, as backward reads them.
pub(in crate::ops) struct Layers<'a, T, const P: usize> {
    pub forward: Reads<'a, T, P>,
    /// Transposes of `weight` and of `dense` (without its last row).
    weight: [Row<T, P>; P],
    dense: [Row<T, { DENSE - 1 }>; P],
}

/// What backward reads.
struct Read<'a, T, const P: usize> {
    layers: Layers<'a, T, P>,
    d_agg: &'a [[T; P]],
    d_vectors: &'a [[[T; P]; 6]],
}

/// Where a piece of receivers adds its gradients: rows of b, y, x, n from token `first` on, and the
/// parameters.
pub(in crate::ops) struct Sink<'a, T, const P: usize> {
    pub first: usize,
    pub b: &'a mut [[T; P]],
    pub positions: [&'a mut [[T; 3]]; 3],
    pub params: Params<T, P>,
}

/// The channels of a block.
pub(in crate::ops) struct Scratch<T, const P: usize> {
    h: [Row<T, P>; BLOCK],
    h_slope: [Row<T, P>; BLOCK],
    /// Messages; zero in lanes that are no edges.
    pub m: [Row<T, P>; BLOCK],
    m_slope: [Row<T, P>; BLOCK],
    /// Their gradients, for [`Layers::descend`], which spoils them.
    pub d_m: [Row<T, P>; BLOCK],
    d_z: [Row<T, P>; BLOCK],
}

impl<T: Real, const P: usize> Scratch<T, P> {
    pub fn zero() -> Self {
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
    pub(in crate::ops) fn backward_rows<T: Real, const P: usize>(&self, call: Backward<'_, T>) {
        let [d_agg, d_vectors] = call.d_outputs else {
            panic!("message gives 2 outputs, not {}", call.d_outputs.len())
        };
        let grid = Grid::new(self.radial, self.reach);
        let read = Read {
            layers: Layers::new(call.batch, call.inputs, call.params, grid),
            d_agg: rows(d_agg),
            d_vectors: rows::<T, P>(d_vectors).as_chunks().0,
        };
        let pieces = Pieces {
            most: PIECES,
            widths: &[P, 3, 3, 3],
        };
        let piece = |range: Range<usize>, d_a: &mut [[T; P]], first, d_inputs: Vec<&mut [T]>| {
            self.piece(&read, range, d_a, first, d_inputs)
        };
        for params in pieces.run(call.batch, call.d_inputs, piece) {
            params.add_to(call.d_params);
        }
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
        d_inputs: Vec<&mut [T]>,
    ) -> Params<T, P> {
        let layers = &read.layers;
        let mut sink = Sink::new(first, self.radial, d_inputs);
        let (mut block, mut scratch) = (Block::zero(), Scratch::zero());
        for (receiver, d_a) in receivers(layers.forward.batch, range).zip(d_a) {
            let token = receiver.token;
            let d_sums = Sums::new(&read.d_agg[token], &read.d_vectors[token]);
            let mut sum = Row::zero();
            for edges in blocks(layers.forward.batch, token) {
                block.fill(&layers.forward, &receiver, edges);
                layers.again(&block, token, &mut scratch);
                let d_u = d_sums.to_messages(&block, &mut scratch);
                layers.descend(&block, token, d_u, &mut scratch, &mut sum, &mut sink);
            }
            add(d_a, &*sum);
        }
        sink.params
    }
}

impl<'a, T: Real, const P: usize> Sink<'a, T, P> {
    /// For gradients of b, y, x, n from token `first` on.
    pub fn new(first: usize, radial: usize, d_inputs: Vec<&'a mut [T]>) -> Self {
        let Ok([b, y, x, n]) = <[&'a mut [T]; 4]>::try_from(d_inputs) else {
            panic!("messages have gradients of b, y, x, n")
        };
        Sink {
            first,
            b: rows_mut(b),
            positions: [rows_mut(y), rows_mut(x), rows_mut(n)],
            params: Params::zeros(radial),
        }
    }
}

impl<T: Real, const P: usize> Sums<T, P> {
    /// Gradients of the messages of a block, into `d_m`; returns those of the directions.
    fn to_messages(&self, block: &Block<T>, scratch: &mut Scratch<T, P>) -> [Vectors<T>; 2] {
        let weights = block.weights();
        multiply_lanes(
            &weights[1..],
            &self.directed,
            &self.scalars,
            &mut scratch.d_m,
        );
        let mut d_u = [Row::zero(); BLOCK];
        multiply_rows(&scratch.m, &self.by_channel, &Row::zero(), &mut d_u);
        [0, 1].map(|which| from_fn(|h| from_fn(|e| d_u[e][2 * h + which])))
    }
}

impl<'a, T: Real, const P: usize> Layers<'a, T, P> {
    /// Of the inputs and parameters of a message.
    pub fn new(batch: &'a Batch, inputs: &'a [&'a [T]], params: &[&[T]], grid: Grid<T>) -> Self {
        let params = Params::<T, P>::new(params);
        Layers {
            weight: from_fn(|c| Row(from_fn(|k| params.weight[k][c]))),
            dense: from_fn(|c| Row(from_fn(|m| params.dense[m][c]))),
            forward: Reads {
                batch,
                inputs: Inputs::new(inputs),
                params,
                grid,
            },
        }
    }

    /// The messages of a block again, with their slopes.
    pub fn again(&self, block: &Block<T>, receiver: usize, scratch: &mut Scratch<T, P>) {
        let Scratch {
            h,
            h_slope,
            m,
            m_slope,
            ..
        } = scratch;
        let params = &self.forward.params;
        let own = self.forward.own(receiver);
        self.forward.first_layer(block, &own, h);
        silu_and_slope(h, h_slope);
        multiply_rows(h, &params.weight, &params.bias, m);
        silu_and_slope(m, m_slope);
        block.clear_rest(m);
        block.clear_rest(m_slope);
    }

    /// The way back of one block: from the gradients of its messages and of its two directions to
    /// those of everything that they were made of; that of a is added to `d_a`.
    pub fn descend(
        &self,
        block: &Block<T>,
        receiver: usize,
        d_u: [Vectors<T>; 2],
        scratch: &mut Scratch<T, P>,
        d_a: &mut Row<T, P>,
        sink: &mut Sink<'_, T, P>,
    ) {
        let Scratch {
            h,
            h_slope,
            m_slope,
            d_m,
            d_z,
            ..
        } = scratch;
        scale_and_sum(d_m, m_slope, &mut sink.params.bias);
        accumulate_rows(h, d_m, &mut sink.params.weight);
        multiply_rows(d_m, &self.weight, &Row::zero(), d_z);
        scale_and_sum(d_z, h_slope, d_a);

        accumulate_lanes(&block.dense, &d_z[..block.live], &mut sink.params.dense);
        let mut d_dense = [Row::zero(); BLOCK];
        multiply_rows(d_z, &self.dense, &Row::zero(), &mut d_dense);
        let gradient = BlockGradient {
            u: d_u,
            r: scatter(&self.forward, block, d_z, sink),
            dense: from_fn(|k| from_fn(|e| d_dense[e][k])),
        };
        for (to, d) in sink.positions.iter_mut().zip(block.backward(gradient)) {
            spread(block, receiver, sink.first, &d, to);
        }
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
