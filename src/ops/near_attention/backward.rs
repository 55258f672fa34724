//! `near_attention`, backward: each block's messages and shares are computed again, then the
//! gradients flow back through them.

use std::array::from_fn;
use std::ops::Range;

use super::forward::{parts, weight};
use super::{
    Direction, NUMBERS, NearAttention, SUMS, Value, Values, apply, at_channels, dot, of_heads,
    plus, product, times,
};
use crate::numeric::{Lanes, Real};
use crate::ops::Backward;
use crate::ops::message::backward::{Layers, Scratch, Sink};
use crate::ops::message::features::{Block, Grid};
use crate::ops::message::forward::{blocks, receivers};
use crate::ops::message::partial::Pieces;
use crate::ops::message::product::Row;
use crate::ops::message::{BLOCK, Params, add, rows, rows_mut};

/// Most pieces that a batch is cut into: fewer than of messages, since each has gradients of the
/// values of all tokens, 9 P numbers a token.
const PIECES: usize = 8;

/// What backward reads.
struct Read<'a, T, const P: usize> {
    layers: Layers<'a, T, P>,
    values: Values<'a, T, P>,
    score: &'a [[T; P]],
    heads: usize,
    outputs: &'a [&'a [T]],
    d_outputs: &'a [&'a [T]],
}

/// Where a piece adds the gradients of values, rows from the sink's first token on.
struct ToValues<'a, T, const P: usize> {
    s: &'a mut [[T; P]],
    v: &'a mut [[[T; P]; 3]],
    /// Empty where there are none.
    t: &'a mut [[[T; P]; NUMBERS]],
    score: [Row<T, P>; 3],
}

/// Of a receiver: the gradients of its sums, the heads' ln Σ exp, and Σ sums · gradients.
struct Sums<'a, T, const P: usize> {
    d: [&'a [T; P]; SUMS],
    lse: &'a [T],
    along: Vec<T>,
}

/// An edge's gradients: of its share, and of its score, at every channel of a head; its share.
struct Shares<T, const P: usize> {
    share: [T; P],
    d_score: [T; P],
    d_weighted: [T; P],
}

impl NearAttention {
    pub(super) fn backward_rows<T: Real, const P: usize>(&self, call: Backward<'_, T>) {
        let grid = Grid::new(self.radial, self.reach);
        let read = Read {
            layers: Layers::new(call.batch, &call.inputs[..5], &call.params[..6], grid),
            values: Values::new(&call.inputs[5..]),
            score: rows(call.params[6]),
            heads: self.heads,
            outputs: call.outputs,
            d_outputs: call.d_outputs,
        };
        let widths = [P, 3, 3, 3, P, 3 * P, NUMBERS * P];
        let pieces = Pieces {
            most: PIECES,
            widths: &widths[..call.inputs.len() - 1],
        };
        let piece = |range: Range<usize>, d_a: &mut [[T; P]], first, d_inputs: Vec<&mut [T]>| {
            self.piece(&read, range, d_a, first, d_inputs)
        };
        let (own, score) = call.d_params.split_at_mut(6);
        for (params, d_score) in pieces.run(call.batch, call.d_inputs, piece) {
            params.add_to(own);
            let d_score = d_score.iter().map(|row| &row.0);
            let rows = rows_mut::<T, P>(score[0]).iter_mut();
            rows.zip(d_score).for_each(|(to, from)| add(to, from));
        }
    }

    /// Adds the gradients of a range of receivers; returns those of the parameters.
    fn piece<T: Real, const P: usize>(
        &self,
        read: &Read<'_, T, P>,
        range: Range<usize>,
        d_a: &mut [[T; P]],
        first: usize,
        mut d_inputs: Vec<&mut [T]>,
    ) -> (Params<T, P>, [Row<T, P>; 3]) {
        let values = d_inputs.split_off(4);
        let mut sink = Sink::new(first, self.radial, d_inputs);
        let mut to = ToValues::new(values);
        let (mut block, mut scratch) = (Block::zero(), Scratch::zero());
        let batch = read.layers.forward.batch;
        for (receiver, d_a) in receivers(batch, range).zip(d_a) {
            let token = receiver.token;
            let sums = read.sums(token);
            let mut sum = Row::zero();
            for edges in blocks(batch, token) {
                block.fill(&read.layers.forward, &receiver, edges);
                read.layers.again(&block, token, &mut scratch);
                scratch.d_m = [Row::zero(); BLOCK];
                let mut d_u = [[T::zero(); 3]; BLOCK];
                for (e, d_u) in d_u.iter_mut().enumerate().take(block.live) {
                    *d_u = read.edge(&block, e, &sums, &mut scratch, (first, &mut to));
                }
                // nothing but the candidate's directions is looked at
                let d_u = [from_fn(|h| from_fn(|e| d_u[e][h])), [[T::zero(); BLOCK]; 3]];
                read.layers
                    .descend(&block, token, d_u, &mut scratch, &mut sum, &mut sink);
            }
            add(d_a, &*sum);
        }
        (sink.params, to.score)
    }
}

impl<'a, T: Real, const P: usize> ToValues<'a, T, P> {
    fn new(d_inputs: Vec<&'a mut [T]>) -> Self {
        let mut d_inputs = d_inputs.into_iter();
        let mut next = || rows_mut::<T, P>(d_inputs.next().unwrap_or_default());
        ToValues {
            s: next(),
            v: next().as_chunks_mut().0,
            t: next().as_chunks_mut().0,
            score: [Row::zero(); 3],
        }
    }

    /// Adds gradients of channels 8 `part` … of a token's values.
    #[inline(always)]
    fn add(&mut self, token: usize, part: usize, d: &Value<T>) {
        let own = 8 * part..8 * part + 8;
        d.s.add_to(&mut self.s[token][own.clone()]);
        for (row, d) in self.v[token].iter_mut().zip(d.v) {
            d.add_to(&mut row[own.clone()]);
        }
        for (row, d) in self.t.get_mut(token).into_iter().flatten().zip(d.t) {
            d.add_to(&mut row[own.clone()]);
        }
    }
}

impl<T: Real, const P: usize> Read<'_, T, P> {
    /// What a receiver's edges have in common.
    fn sums(&self, token: usize) -> Sums<'_, T, P> {
        let first = self.heads * token;
        let mut along = vec![T::zero(); self.heads];
        let mut row = [T::zero(); P];
        for k in 0..SUMS {
            let pairs = row_of::<T, P>(self.outputs, token, k).iter();
            let pairs = pairs.zip(row_of::<T, P>(self.d_outputs, token, k));
            for (to, (&sum, &d)) in row.iter_mut().zip(pairs) {
                *to = T::fma(sum, d, *to);
            }
        }
        of_heads(&row, self.heads, &mut along);
        Sums {
            d: from_fn(|k| row_of(self.d_outputs, token, k)),
            lse: &self.outputs[3][first..first + self.heads],
            along,
        }
    }

    /// What comes back through the share of an edge.
    fn shares(
        &self,
        (sender, way): (usize, &Direction<T>),
        m: &[T; P],
        sums: &Sums<'_, T, P>,
    ) -> Shares<T, P> {
        let [mut d_weighted, mut score, mut d_share] = [[T::zero(); P]; 3];
        for part in 0..P / 8 {
            let own = 8 * part..8 * part + 8;
            let value = self.values.of(sender, part);
            let seen = value.contractions(way);
            let d = dot(value.paths(way, seen), from_fn(|k| parts(sums.d[k], part)));
            let m = parts(m, part);
            d.store(&mut d_weighted[own.clone()]);
            (m * d).store(&mut d_share[own.clone()]);
            (m * weight(self.score, seen, part)).store(&mut score[own]);
        }
        let [mut share, mut d_score] = [[T::zero(); P]; 2];
        of_heads(&score, self.heads, &mut share[..self.heads]);
        of_heads(&d_share, self.heads, &mut d_score[..self.heads]);
        for head in 0..self.heads {
            share[head] = (share[head] - sums.lse[head]).exp_fast();
            d_score[head] = share[head] * (d_score[head] - sums.along[head]);
        }
        Shares {
            share: at_channels(&share[..self.heads]),
            d_score: at_channels(&d_score[..self.heads]),
            d_weighted,
        }
    }

    /// The way back of edge `e` of a block to its message, to the values of its sender, to the
    /// scores' parameters and, which it returns, to u. `to` has rows from token `first` on.
    fn edge(
        &self,
        block: &Block<T>,
        e: usize,
        sums: &Sums<'_, T, P>,
        scratch: &mut Scratch<T, P>,
        (first, to): (usize, &mut ToValues<'_, T, P>),
    ) -> [T; 3] {
        let (sender, way) = (block.sender[e] as usize, Direction::new(block, e));
        let shares = self.shares((sender, &way), &scratch.m[e], sums);
        let mut d_u = [Lanes::zero(); 3];
        for part in 0..P / 8 {
            let own = 8 * part..8 * part + 8;
            let value = self.values.of(sender, part);
            let seen = value.contractions(&way);
            let m = parts(&*scratch.m[e], part);
            let (share, d_score) = (parts(&shares.share, part), parts(&shares.d_score, part));
            let d_weighted = parts(&shares.d_weighted, part);
            let d_m = share * d_weighted + d_score * weight(self.score, seen, part);
            d_m.store(&mut scratch.d_m[e][own.clone()]);
            let scored = d_score * m;
            let factors = [Lanes::all(T::one()), seen[0], seen[1]];
            for (to, factor) in to.score.iter_mut().zip(factors) {
                (scored * factor).add_to(&mut to[own.clone()]);
            }
            let weighted = share * m;
            let d: [Lanes<T>; SUMS] = from_fn(|k| weighted * parts(sums.d[k], part));
            let d_seen = [1, 2].map(|k| Lanes::fma(scored, parts(&self.score[k], part), d[k]));
            let (d_value, d_way) = back(&value, &way, &d, d_seen);
            to.add(sender - first, part, &d_value);
            d_u = plus(d_u, d_way);
        }
        d_u.map(Lanes::total)
    }
}

/// Row k of the 27 of a token, in the order of [`Value::paths`], of the outputs or their gradients.
fn row_of<'a, T, const P: usize>(of: &[&'a [T]], token: usize, k: usize) -> &'a [T; P] {
    match k {
        0..3 => &rows(of[0])[3 * token + k],
        3..12 => &rows(of[1])[9 * token + k - 3],
        _ => &rows(of[2])[15 * token + k - 12],
    }
}

/// Gradients of a value and of u, from those of the 27 paths and of the two contractions (those of
/// the paths that they are included).
#[inline(always)]
fn back<T: Real>(
    value: &Value<T>,
    way: &Direction<T>,
    d: &[Lanes<T>; SUMS],
    [d_along, d_in_y]: [Lanes<T>; 2],
) -> (Value<T>, [Lanes<T>; 3]) {
    let of_v = |path: usize| -> [Lanes<T>; 3] { from_fn(|h| d[3 + 3 * h + path]) };
    let of_m = |path: usize| -> [Lanes<T>; NUMBERS] { from_fn(|m| d[12 + 3 * m + path]) };
    let d_value = Value {
        s: d[0] + dot(of_v(0), way.u) + dot(of_m(0), way.y),
        v: plus(times(d_along, way.u), plus(of_v(1), apply(of_m(1), way.u))),
        t: plus(times(d_in_y, way.y), plus(product(of_v(2), way.u), of_m(2))),
    };
    // Y = u uᵀ: its gradient comes to u twice
    let d_y = plus(times(d_in_y, value.t), times(value.s, of_m(0)));
    let by_y = apply(d_y, way.u);
    let straight = plus(times(d_along, value.v), times(value.s, of_v(0)));
    let turned = plus(apply(value.t, of_v(2)), apply(of_m(1), value.v));
    (d_value, plus(plus(straight, turned), plus(by_y, by_y)))
}
