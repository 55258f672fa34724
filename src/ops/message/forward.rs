//! `message`, forward.

use std::ops::Range;

use rayon::prelude::*;

use super::features::{Block, Receiver, gains};
use super::product::{accumulate, multiply};
use super::{BLOCK, HALF, Inputs, Message, PIECE, Params, SUM, rows_mut};
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
        let (inputs, params) = (Inputs::<T, P>::new(call.inputs), Params::new(call.params));
        assert_eq!(params.radial.len(), self.radial, "message: rows of `radial`");
        let [agg, vectors] = call.outputs else { panic!("message gives 2 outputs, not {}", call.outputs.len()) };
        let (agg, vectors) = (rows_mut::<T, P>(agg), rows_mut::<T, P>(vectors));
        let range = |first: usize, agg: &mut [[T; P]], vectors: &mut [[T; P]]| {
            let receivers = receivers(call.batch, first..first + agg.len());
            for (receiver, (agg, vectors)) in receivers.zip(agg.iter_mut().zip(vectors.as_chunks_mut().0)) {
                self.receive(call.batch, &inputs, &params, &receiver, agg, vectors);
            }
        };
        if call.batch.tokens() <= PIECE {
            range(0, agg, vectors);
        } else {
            let tasks = agg.par_chunks_mut(TASK).zip(vectors.par_chunks_mut(6 * TASK)).enumerate();
            tasks.for_each(|(task, (agg, vectors))| range(task * TASK, agg, vectors));
        }
    }

    /// Sums the messages to one token. `vectors`: component x of u m, of u° m, then y, then z.
    fn receive<T: Real, const P: usize>(
        &self,
        batch: &Batch,
        inputs: &Inputs<'_, T, P>,
        params: &Params<'_, T, P>,
        receiver: &Receiver<T>,
        agg: &mut [T; P],
        vectors: &mut [[T; P]; 6],
    ) {
        let mut sum = [[T::zero(); P]; 7];
        for edges in blocks(batch, receiver.token) {
            let block = Block::new(batch, inputs, receiver, edges, self.radial, self.reach);
            let mut h = first_layer(&block, &inputs.a[receiver.token], inputs.b, params);
            silu(&mut h);
            let mut m = [*params.bias; BLOCK];
            multiply(|e, k| h[e][k], params.weight, &mut m);
            silu(&mut m);
            let weight = block.weights();
            accumulate(|e, k| weight[k][e], &m, &mut sum);
        }
        *agg = sum[0];
        for h in 0..3 {
            vectors[2 * h] = sum[1 + h];
            vectors[2 * h + 1] = sum[4 + h];
        }
    }
}

/// What the first silu is applied to.
#[inline(always)]
pub(super) fn first_layer<T: Real, const P: usize>(
    block: &Block<T>,
    a: &[T; P],
    b: &[[T; P]],
    params: &Params<'_, T, P>,
) -> [[T; P]; BLOCK] {
    let mut z = [[T::zero(); P]; BLOCK];
    for (e, z) in z.iter_mut().enumerate() {
        let (b, relation) = (&b[block.sender[e]], &params.relation[block.relation[e]]);
        let near = block.candidate.splines.rows(e, params.radial);
        let far = block.condition.splines.rows(e, params.radial_condition);
        for c in 0..P {
            let mut sum = a[c] + b[c] + relation[c];
            for k in 0..4 {
                sum = T::fma(block.candidate.splines.value[k][e], near[k][c], sum);
                sum = T::fma(block.condition.splines.value[k][e], far[k][c], sum);
            }
            z[c] = sum;
        }
    }
    let g = block.dense();
    multiply(|e, k| g[k][e], params.dense, &mut z);
    z
}

#[inline(always)]
fn silu<T: Real, const P: usize>(rows: &mut [[T; P]; BLOCK]) {
    for x in rows.as_flattened_mut() {
        *x = x.silu();
    }
}

impl<T: Real> Block<T> {
    /// Weights of a message in the sums over neighbours: invariant, along u, along u°.
    #[inline(always)]
    pub fn weights(&self) -> [[T; BLOCK]; 7] {
        let sum = self.live.map(|live| live * T::of(SUM));
        let mut weights = [sum; 7];
        weights[0] = sum.map(|sum| sum * T::of(HALF));
        let directions = self.candidate.u.iter().chain(&self.condition.u);
        for (weight, u) in weights[1..].iter_mut().zip(directions) {
            for (weight, &u) in weight.iter_mut().zip(u) {
                *weight *= u;
            }
        }
        weights
    }
}
