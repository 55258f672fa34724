//! `message`, forward.

use std::array::from_fn;
use std::ops::Range;

use rayon::prelude::*;

use super::features::{Block, Grid, Receiver, four, gains};
use super::product::{
    Part, Row, accumulate_lanes, multiply_lanes, multiply_rows, plus, plus_scaled,
};
use super::{BLOCK, HALF, Inputs, Lanes, Message, PIECE, Params, Reads, SUM, rows_mut};
use crate::numeric::Real;
use crate::ops::{Batch, Forward};

/// Tokens of one parallel task.
const TASK: usize = 64;

/// The receivers of a range of tokens, each with the constants of its system.
pub(in crate::ops) fn receivers<T: Real>(
    batch: &Batch,
    tokens: Range<usize>,
) -> impl Iterator<Item = Receiver<T>> + '_ {
    let mut system = batch
        .offsets
        .partition_point(|&first| first <= tokens.start)
        .saturating_sub(1);
    let mut current = None;
    tokens.map(move |token| {
        while batch.offsets[system + 1] <= token {
            system += 1;
            current = None;
        }
        let gains = *current.get_or_insert_with(|| gains(batch.scale[system]));
        Receiver { token, gains }
    })
}

/// The blocks of edges of a token.
pub(in crate::ops) fn blocks(batch: &Batch, token: usize) -> impl Iterator<Item = Range<usize>> {
    let (start, end) = (
        batch.edges.start[token] as usize,
        batch.edges.start[token + 1] as usize,
    );
    (start..end)
        .step_by(BLOCK)
        .map(move |first| first..end.min(first + BLOCK))
}

/// A block on its way through both layers.
struct Scratch<T, const P: usize> {
    block: Block<T>,
    h: [Row<T, P>; BLOCK],
    m: [Row<T, P>; BLOCK],
}

impl Message {
    pub(in crate::ops) fn forward_rows<T: Real, const P: usize>(&self, call: Forward<'_, T>) {
        let batch = call.batch;
        let grid = Grid::new(self.radial, self.reach);
        let reads = Reads {
            batch,
            inputs: Inputs::<T, P>::new(call.inputs),
            params: Params::new(call.params),
            grid,
        };
        let [agg, vectors] = call.outputs else {
            panic!("message gives 2 outputs, not {}", call.outputs.len())
        };
        let (agg, vectors) = (rows_mut::<T, P>(agg), rows_mut::<T, P>(vectors));
        let range = |first: usize, agg: &mut [[T; P]], vectors: &mut [[T; P]]| {
            let mut scratch = Scratch {
                block: Block::zero(),
                h: [Row::zero(); BLOCK],
                m: [Row::zero(); BLOCK],
            };
            let receivers = receivers(batch, first..first + agg.len());
            for (receiver, (agg, vectors)) in
                receivers.zip(agg.iter_mut().zip(vectors.as_chunks_mut().0))
            {
                reads.receive(&receiver, &mut scratch, agg, vectors);
            }
        };
        if batch.tokens() <= PIECE {
            range(0, agg, vectors);
        } else {
            let tasks = agg
                .par_chunks_mut(TASK)
                .zip(vectors.par_chunks_mut(6 * TASK))
                .enumerate();
            tasks.for_each(|(task, (agg, vectors))| range(task * TASK, agg, vectors));
        }
    }
}

impl<T: Real, const P: usize> Reads<'_, T, P> {
    /// Sums the messages to one token. `vectors`: component x of u m, of u° m, then y, then z.
    fn receive(
        &self,
        receiver: &Receiver<T>,
        scratch: &mut Scratch<T, P>,
        agg: &mut [T; P],
        vectors: &mut [[T; P]; 6],
    ) {
        let mut sums = [Row::<T, P>::zero(); 7];
        let Scratch { block, h, m } = scratch;
        // nobody reads a row but its receiver, so that the sums may be written over it
        let own = Row(match self.inputs.a {
            [] => *agg,
            a => a[receiver.token],
        });
        for edges in blocks(self.batch, receiver.token) {
            block.fill(self, receiver, edges);
            self.first_layer(block, &own, h);
            silu(h);
            multiply_rows(h, &self.params.weight, &self.params.bias, m);
            silu(m);
            accumulate_lanes(&block.weights(), &m[..block.live], &mut sums);
        }
        *agg = sums[0].map(|sum| sum * T::of(SUM * HALF));
        *vectors = from_fn(|k| sums[1 + k].map(|sum| sum * T::of(SUM)));
    }

    /// What a receiver gives to the first layer by itself.
    pub(in crate::ops) fn own(&self, receiver: usize) -> Row<T, P> {
        Row(self.inputs.a[receiver])
    }

    /// What the first silu is applied to.
    #[inline(never)]
    pub(in crate::ops) fn first_layer(
        &self,
        block: &Block<T>,
        a: &Row<T, P>,
        z: &mut [Row<T, P>; BLOCK],
    ) {
        let (inputs, params) = (&self.inputs, &self.params);
        multiply_lanes(&block.dense, &params.dense, a, z);
        let (near, far) = (&block.candidate.splines, &block.condition.splines);
        for (e, z) in z.iter_mut().enumerate() {
            let b: &[Part<T>] = inputs.b[block.sender[e] as usize].as_chunks().0;
            let relation = params.relation[block.relation[e] as usize].parts();
            let (near_rows, far_rows) = (
                four(&params.radial, near.first(e)),
                four(&params.radial_condition, far.first(e)),
            );
            for (c, z) in z.parts_mut().iter_mut().enumerate() {
                // two sums: their chains of dependent additions overlap
                let mut sum = plus(*z, &b[c]);
                let mut rest = relation[c];
                for k in 0..4 {
                    sum = plus_scaled(sum, near.value[k][e], &near_rows[k].parts()[c]);
                    rest = plus_scaled(rest, far.value[k][e], &far_rows[k].parts()[c]);
                }
                *z = plus(sum, &rest);
            }
        }
    }
}

#[inline(never)]
pub(in crate::ops) fn silu<T: Real, const P: usize>(rows: &mut [Row<T, P>]) {
    for row in rows {
        for x in row.iter_mut() {
            *x = x.silu();
        }
    }
}

impl<T: Real> Block<T> {
    /// Weights of a message in the sums over neighbours: 1, then u, u° of component x, of y, of z.
    #[inline(always)]
    pub fn weights(&self) -> [Lanes<T>; 7] {
        let (u, c) = (&self.candidate.u, &self.condition.u);
        [self.ones, u[0], c[0], u[1], c[1], u[2], c[2]]
    }
}
