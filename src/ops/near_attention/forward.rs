//! `near_attention`, forward: the messages and scores of all edges of a receiver, then their
//! weighted sums.

use rayon::prelude::*;

use super::{Direction, NearAttention, SUMS, Values, at_channels, of_heads};
use crate::numeric::{Lanes, Real};
use crate::ops::Forward;
use crate::ops::message::features::{Block, Grid, Receiver};
use crate::ops::message::forward::{blocks, receivers, silu};
use crate::ops::message::product::{Row, multiply_rows};
use crate::ops::message::{BLOCK, Inputs, PIECE, Params, Reads, rows, rows_mut};

/// Tokens of one parallel task.
const TASK: usize = 64;

/// The edges of one receiver on their way.
struct Edges<T: Real, const P: usize> {
    block: Block<T>,
    h: [Row<T, P>; BLOCK],
    m: [Row<T, P>; BLOCK],
    /// Of every edge: who sends, which way, its message.
    all: Vec<(usize, Direction<T>, Row<T, P>)>,
    /// Of every edge the heads' scores, then their shares.
    scores: Vec<T>,
}

/// What forward reads.
struct Read<'a, T, const P: usize> {
    layers: Reads<'a, T, P>,
    values: Values<'a, T, P>,
    score: &'a [[T; P]],
    heads: usize,
}

/// A receiver's outputs.
struct Out<'a, T> {
    sums: [&'a mut [T]; 3],
    lse: &'a mut [T],
}

impl NearAttention {
    pub(super) fn forward_rows<T: Real, const P: usize>(&self, call: Forward<'_, T>) {
        let read = Read {
            layers: Reads {
                batch: call.batch,
                inputs: Inputs::<T, P>::new(&call.inputs[..5]),
                params: Params::new(&call.params[..6]),
                grid: Grid::new(self.radial, self.reach),
            },
            values: Values::new(&call.inputs[5..]),
            score: rows(call.params[6]),
            heads: self.heads,
        };
        let [s, v, m, lse] = call.outputs else {
            panic!("near_attention gives 4 outputs")
        };
        let work = |first: usize, out: [&mut [T]; 4]| read.range(first, out);
        let tokens = call.batch.tokens();
        if tokens <= PIECE {
            return work(0, [&mut **s, &mut **v, &mut **m, &mut **lse]);
        }
        let widths = [3 * P, 9 * P, 15 * P, self.heads].map(|width| width * TASK);
        let [s, v, m, lse] = [s, v, m, lse].map(|out| &mut **out);
        let tasks = s
            .par_chunks_mut(widths[0])
            .zip(v.par_chunks_mut(widths[1]))
            .zip(m.par_chunks_mut(widths[2]))
            .zip(lse.par_chunks_mut(widths[3]));
        tasks
            .enumerate()
            .for_each(|(task, (((s, v), m), lse))| work(task * TASK, [s, v, m, lse]));
    }
}

impl<T: Real, const P: usize> Read<'_, T, P> {
    /// The tokens from `first` on that these rows are of.
    fn range(&self, first: usize, [s, v, m, lse]: [&mut [T]; 4]) {
        let mut edges = Edges {
            block: Block::zero(),
            h: [Row::zero(); BLOCK],
            m: [Row::zero(); BLOCK],
            all: Vec::new(),
            scores: Vec::new(),
        };
        let count = lse.len() / self.heads;
        let outs = s
            .chunks_exact_mut(3 * P)
            .zip(v.chunks_exact_mut(9 * P))
            .zip(m.chunks_exact_mut(15 * P))
            .zip(lse.chunks_exact_mut(self.heads));
        let receivers = receivers(self.layers.batch, first..first + count);
        for (receiver, (((s, v), m), lse)) in receivers.zip(outs) {
            let mut out = Out {
                sums: [s, v, m],
                lse,
            };
            self.score(&receiver, &mut edges);
            self.share(&mut edges.scores, &mut out);
            self.sum(&edges, &mut out);
        }
    }

    /// Messages and scores of all edges of a token.
    fn score(&self, receiver: &Receiver<T>, edges: &mut Edges<T, P>) {
        let Edges {
            block,
            h,
            m,
            all,
            scores,
        } = edges;
        all.clear();
        scores.clear();
        let params = &self.layers.params;
        for range in blocks(self.layers.batch, receiver.token) {
            block.fill(&self.layers, receiver, range);
            let own = self.layers.own(receiver.token);
            self.layers.first_layer(block, &own, h);
            silu(h);
            multiply_rows(h, &params.weight, &params.bias, m);
            silu(m);
            for (e, m) in m[..block.live].iter().enumerate() {
                let (sender, way) = (block.sender[e] as usize, Direction::new(block, e));
                all.push((sender, way, *m));
                let mut row = [T::zero(); P];
                for (part, row) in row.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                    let own = self.values.of(sender, part).contractions(&way);
                    (parts(&**m, part) * weight(self.score, own, part)).store(row);
                }
                let first = scores.len();
                scores.resize(first + self.heads, T::zero());
                of_heads(&row, self.heads, &mut scores[first..]);
            }
        }
    }

    /// The scores become shares.
    fn share(&self, scores: &mut [T], out: &mut Out<'_, T>) {
        for (head, lse) in out.lse.iter_mut().enumerate() {
            let own = || scores.iter().skip(head).step_by(self.heads).copied();
            let highest = own().fold(T::neg_infinity(), T::max);
            let total: T = own().map(|score| (score - highest).exp_fast()).sum();
            let all = highest + total.ln();
            // without neighbours there is nothing to share
            *lse = if scores.is_empty() { T::zero() } else { all };
            for score in scores.iter_mut().skip(head).step_by(self.heads) {
                *score = (*score - highest).exp_fast() / total;
            }
        }
    }

    /// The weighted sums over the edges.
    fn sum(&self, edges: &Edges<T, P>, out: &mut Out<'_, T>) {
        let mut sums = [Row::<T, P>::zero(); SUMS];
        let shares = edges.scores.chunks_exact(self.heads);
        for ((sender, way, m), shares) in edges.all.iter().zip(shares) {
            let shares: [T; P] = at_channels(shares);
            for part in 0..P / 8 {
                let value = self.values.of(*sender, part);
                let weight = parts(&**m, part) * parts(&shares, part);
                let paths = value.paths(way, value.contractions(way));
                for (sum, path) in sums.iter_mut().zip(paths) {
                    let row = &mut sum[8 * part..8 * part + 8];
                    Lanes::fma(weight, path, Lanes::load(row)).store(row);
                }
            }
        }
        let rows = out.sums.iter_mut().flat_map(|out| rows_mut::<T, P>(out));
        rows.zip(&sums).for_each(|(out, sum)| *out = sum.0);
    }
}

/// Channels 8 `part` … of a row.
#[inline(always)]
pub(super) fn parts<T: Real>(row: &[T], part: usize) -> Lanes<T> {
    Lanes::load(&row[8 * part..8 * part + 8])
}

/// A₀ + A₁ v·u + A₂ T:Y.
#[inline(always)]
pub(super) fn weight<T: Real, const P: usize>(
    score: &[[T; P]],
    [along, in_y]: [Lanes<T>; 2],
    part: usize,
) -> Lanes<T> {
    let a = |row: usize| parts(&score[row], part);
    Lanes::fma(a(2), in_y, Lanes::fma(a(1), along, a(0)))
}
