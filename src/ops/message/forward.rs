//! `message`, forward.

use std::ops::Range;

use rayon::prelude::*;

use super::features::{Block, Lanes, Receiver, four, gains};
use super::product::{Eight, Row, accumulate, add_rows, multiply, plus, plus_scaled};
use super::{BLOCK, HALF, Inputs, Message, PIECE, Params, Reads, SUM, rows_mut};
use crate::engine::Real;
use crate::ops::{Batch, Forward};

/// Tokens of one parallel task.
const TASK: usize = 64;

/// The receivers of a range of tokens, each with the constants of its system.
pub(super) fn receivers<T: Real>(batch: &Batch, tokens: Range<usize>) -> impl Iterator<Item = Receiver<T>> + '_ {
    let mut system = batch.offsets.partition_point(|&first| first <= tokens.start).saturating_sub(1);
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
pub(super) fn blocks(batch: &Batch, token: usize) -> impl Iterator<Item = Range<usize>> {
    let (start, end) = (batch.edges.start[token] as usize, batch.edges.start[token + 1] as usize);
    (start..end).step_by(BLOCK).map(move |first| first..end.min(first + BLOCK))
}

impl Message {
    pub(super) fn forward_rows<T: Real, const P: usize>(&self, call: Forward<'_, T>) {
        let batch = call.batch;
        let reads = Reads { op: self, batch, inputs: Inputs::<T, P>::new(call.inputs), params: Params::new(call.params) };
        let [agg, vectors] = call.outputs else { panic!("message gives 2 outputs, not {}", call.outputs.len()) };
        let (agg, vectors) = (rows_mut::<T, P>(agg), rows_mut::<T, P>(vectors));
        let range = |first: usize, agg: &mut [[T; P]], vectors: &mut [[T; P]]| {
            let mut block = Block::zero();
            let receivers = receivers(batch, first..first + agg.len());
            for (receiver, (agg, vectors)) in receivers.zip(agg.iter_mut().zip(vectors.as_chunks_mut().0)) {
                reads.receive(&receiver, &mut block, agg, vectors);
            }
        };
        if batch.tokens() <= PIECE {
            range(0, agg, vectors);
        } else {
            let tasks = agg.par_chunks_mut(TASK).zip(vectors.par_chunks_mut(6 * TASK)).enumerate();
            tasks.for_each(|(task, (agg, vectors))| range(task * TASK, agg, vectors));
        }
    }
}

impl<T: Real, const P: usize> Reads<'_, T, P> {
    /// Sums the messages to one token. `vectors`: component x of u m, of u° m, then y, then z.
    fn receive(&self, receiver: &Receiver<T>, block: &mut Block<T>, agg: &mut [T; P], vectors: &mut [[T; P]; 6]) {
        let (mut scalars, mut directed) = (Row::<T, P>::zero(), [Row::<T, P>::zero(); 6]);
        let mut m = [Row::zero(); BLOCK];
        for edges in blocks(self.batch, receiver.token) {
            block.fill(self, receiver, edges);
            let mut h = self.first_layer(block, receiver.token);
            silu(&mut h);
            multiply(|e, k| h[e][k], &self.params.weight, &self.params.bias, &mut m);
            silu(&mut m);
            block.clear_rest(&mut m);
            add_rows(&mut scalars, &m);
            let u = block.directions();
            accumulate(|e, k| u[k][e], &m, &mut directed);
        }
        *agg = scalars.map(|sum| sum * T::of(SUM * HALF));
        *vectors = directed.map(|row| row.map(|sum| sum * T::of(SUM)));
    }

    /// What the first silu is applied to.
    #[inline(always)]
    pub(super) fn first_layer(&self, block: &Block<T>, receiver: usize) -> [Row<T, P>; BLOCK] {
        let (inputs, params) = (&self.inputs, &self.params);
        let mut z = [Row::zero(); BLOCK];
        let g = block.dense();
        multiply(|e, k| g[k][e], &params.dense, &Row(inputs.a[receiver]), &mut z);
        let (near, far) = (&block.candidate.splines, &block.condition.splines);
        for (e, z) in z.iter_mut().enumerate() {
            let b: &[Eight<T>] = inputs.b[block.sender[e] as usize].as_chunks().0;
            let relation = params.relation[block.relation[e] as usize].eights();
            let (near_rows, far_rows) = (four(&params.radial, near.first(e)), four(&params.radial_condition, far.first(e)));
            for (c, z) in z.eights_mut().iter_mut().enumerate() {
                // two sums: their chains of dependent additions overlap
                let (mut sum, mut rest) = (plus(*z, &b[c]), relation[c]);
                for k in 0..4 {
                    sum = plus_scaled(sum, near.value[k][e], &near_rows[k].eights()[c]);
                    rest = plus_scaled(rest, far.value[k][e], &far_rows[k].eights()[c]);
                }
                *z = plus(sum, &rest);
            }
        }
        z
    }
}

#[inline(always)]
fn silu<T: Real, const P: usize>(rows: &mut [Row<T, P>; BLOCK]) {
    for row in rows {
        for x in row.iter_mut() {
            *x = x.silu();
        }
    }
}

impl<T: Real> Block<T> {
    /// Weights of a message in the sums of vectors: u, u° of component x, then y, then z.
    #[inline(always)]
    pub fn directions(&self) -> [&Lanes<T>; 6] {
        let (u, c) = (&self.candidate.u, &self.condition.u);
        [&u[0], &c[0], &u[1], &c[1], &u[2], &c[2]]
    }
}
