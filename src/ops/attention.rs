//! `attention`: every token looks at every token of its system, by scalars and vectors alike.
//!
//! With q, k and v of a head, each c scalars and K vectors a token:
//!
//! ```text
//! S_ij = (q_i·k_j + Σ_channels ⟨q_i, k_j⟩) / √(c + 3K)      over scalars, and over vectors
//! p_ij = exp S_ij / Σ_j' exp S_ij'                           over the tokens j of i's system
//! o_i  = Σ_j p_ij v_j                                        scalars and vectors
//! ```
//!
//! Inner products of vectors do not change under rotation, so neither does p, and the vectors of o
//! turn with those of v: the attention of vector neurons (Assaad et al., VN-Transformer, TMLR
//! 2023, eq. 5–7), beside scalars as in Brehmer et al., GATr, NeurIPS 2023, eq. 9.
//!
//! ```text
//! attention(scalars, vectors) → (scalars, vectors, lse)
//!   in   scalars  [3·heads·c]        q of all heads, then k of all heads, then v of all heads
//!        vectors  [3][3·heads·K]     the same in each component
//!   out  scalars  [heads·c]          a head after the other
//!        vectors  [3][heads·K]
//!        lse      [heads]            ln Σ_j exp S_ij, for backward alone
//! ```
//!
//! No matrix of tokens × tokens is kept: the keys go by in blocks while a running maximum scales
//! the sums (Dao et al., FlashAttention, NeurIPS 2022, algorithm 1), and backward computes p again
//! from `lse`, once for the gradient of q and once for those of k and v, so that every number is
//! summed by one task in the order of the tokens.

mod rows;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::pieces::for_ranges;
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::Real;
use crate::numeric::gemm::{Left, add_product, transpose};
use rows::{Rows, Tile, blocks, tiles};

/// Equivariant attention, see the module's equations and signature. No parameters: q, k and v are
/// the outputs of linear maps.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// Heads.
    pub heads: usize,
    /// Scalars of a head, c.
    pub scalars: usize,
    /// Vectors of a head, K; one of c and K may be 0.
    pub vectors: usize,
}

/// Which of the three that the inputs hold side by side.
#[derive(Clone, Copy)]
enum Part {
    Query,
    Key,
    Value,
}

impl Attention {
    /// Numbers of a head's q, k or v of a token: c scalars and 3 K components.
    fn width(&self) -> usize {
        self.scalars + 3 * self.vectors
    }

    /// The factor on S: unit q and k give S a standard deviation of 1.
    pub fn scale(&self) -> f64 {
        1.0 / (self.width() as f64).sqrt()
    }

    /// The inputs of a call.
    fn given<'a, T>(&self, inputs: &'a [&'a [T]]) -> Rows<&'a [T]> {
        let [scalars, vectors] = inputs else {
            panic!("attention has two inputs")
        };
        Rows {
            scalars,
            vectors,
            columns: 3 * self.heads,
        }
    }

    /// The outputs of a call, or their gradients.
    fn answered<'a, T>(&self, outputs: &'a [&'a [T]]) -> Rows<&'a [T]> {
        Rows {
            scalars: outputs[0],
            vectors: outputs[1],
            columns: self.heads,
        }
    }

    fn column(&self, part: Part, head: usize) -> usize {
        part as usize * self.heads + head
    }

    /// Queries times the scale.
    fn queries<T: Real>(&self, given: Rows<&[T]>, head: usize, tokens: Range<usize>) -> Vec<T> {
        let scale = T::of(self.scale());
        let mut rows = self.gather(given, self.column(Part::Query, head), tokens);
        rows.iter_mut().for_each(|q| *q *= scale);
        rows
    }

    /// o of a tile's tokens, `width` a row, and their `lse`.
    fn forward_head<T: Real>(
        &self,
        given: Rows<&[T]>,
        head: usize,
        tile: &Tile,
    ) -> (Vec<T>, Vec<T>) {
        let width = self.width();
        let own = tile.own.len();
        let queries = transpose(&self.queries(given, head, tile.own.clone()), width);
        let mut sums = vec![T::zero(); own * width];
        let mut total = vec![T::zero(); own];
        let mut highest = vec![T::neg_infinity(); own];
        for block in blocks(tile.system.clone()) {
            let keys = self.gather(given, self.column(Part::Key, head), block.clone());
            let values = self.gather(given, self.column(Part::Value, head), block);
            // a row a key, a column a query
            let mut scores = product(&keys, &queries, width, own);
            let before = highest.clone();
            for row in scores.chunks_exact(own) {
                for (highest, &score) in highest.iter_mut().zip(row) {
                    *highest = highest.max(score);
                }
            }
            for (index, (before, &now)) in before.into_iter().zip(&highest).enumerate() {
                let shrink = (before - now).exp_fast();
                total[index] *= shrink;
                sums[index * width..(index + 1) * width]
                    .iter_mut()
                    .for_each(|sum| *sum *= shrink);
            }
            for row in scores.chunks_exact_mut(own) {
                for ((score, &highest), total) in row.iter_mut().zip(&highest).zip(&mut total) {
                    *score = (*score - highest).exp_fast();
                    *total += *score;
                }
            }
            add_product(Left::transposed(&scores, own), &values, &mut sums, width);
        }
        for (row, &total) in sums.chunks_exact_mut(width).zip(&total) {
            row.iter_mut().for_each(|sum| *sum /= total);
        }
        let lse = highest.iter().zip(&total).map(|(&s, &t)| s + t.ln());
        (sums, lse.collect())
    }

    /// Gradient of a tile's queries.
    fn backward_queries<T: Real>(&self, call: &Reads<'_, T>, head: usize, tile: &Tile) -> Vec<T> {
        let width = self.width();
        let own = tile.own.len();
        let queries = transpose(&self.queries(call.given, head, tile.own.clone()), width);
        let d_out = transpose(&self.gather(call.d_out, head, tile.own.clone()), width);
        let of_token = |values: &[T]| -> Vec<T> {
            let tokens = tile.own.clone();
            tokens
                .map(|token| values[token * self.heads + head])
                .collect()
        };
        let (lse, along) = (of_token(call.lse), of_token(&call.along));
        let mut d_queries = vec![T::zero(); own * width];
        for block in blocks(tile.system.clone()) {
            let keys = self.gather(call.given, self.column(Part::Key, head), block.clone());
            let values = self.gather(call.given, self.column(Part::Value, head), block);
            let mut d_scores = product(&keys, &queries, width, own);
            let d_shares = product(&values, &d_out, width, own);
            for (row, d_shares) in d_scores
                .chunks_exact_mut(own)
                .zip(d_shares.chunks_exact(own))
            {
                for (index, (score, &d_share)) in row.iter_mut().zip(d_shares).enumerate() {
                    *score = (*score - lse[index]).exp_fast() * (d_share - along[index]);
                }
            }
            add_product(
                Left::transposed(&d_scores, own),
                &keys,
                &mut d_queries,
                width,
            );
        }
        let scale = T::of(self.scale());
        d_queries.iter_mut().for_each(|d| *d *= scale);
        d_queries
    }

    /// Gradients of a tile's keys and values.
    fn backward_keys<T: Real>(
        &self,
        call: &Reads<'_, T>,
        head: usize,
        tile: &Tile,
    ) -> (Vec<T>, Vec<T>) {
        let width = self.width();
        let own = tile.own.len();
        let of_part = |part| {
            let rows = self.gather(call.given, self.column(part, head), tile.own.clone());
            transpose(&rows, width)
        };
        let (keys, values) = (of_part(Part::Key), of_part(Part::Value));
        let mut d_keys = vec![T::zero(); own * width];
        let mut d_values = d_keys.clone();
        for block in blocks(tile.system.clone()) {
            let queries = self.queries(call.given, head, block.clone());
            let d_out = self.gather(call.d_out, head, block.clone());
            // a row a query, a column a key
            let mut shares = product(&queries, &keys, width, own);
            let mut d_scores = product(&d_out, &values, width, own);
            let rows = shares
                .chunks_exact_mut(own)
                .zip(d_scores.chunks_exact_mut(own));
            for (token, (shares, d_scores)) in block.zip(rows) {
                let lse = call.lse[token * self.heads + head];
                let along = call.along[token * self.heads + head];
                for (share, d_score) in shares.iter_mut().zip(d_scores) {
                    *share = (*share - lse).exp_fast();
                    *d_score = *share * (*d_score - along);
                }
            }
            add_product(Left::transposed(&shares, own), &d_out, &mut d_values, width);
            add_product(
                Left::transposed(&d_scores, own),
                &queries,
                &mut d_keys,
                width,
            );
        }
        (d_keys, d_values)
    }
}

/// What backward reads.
struct Reads<'a, T> {
    given: Rows<&'a [T]>,
    d_out: Rows<&'a [T]>,
    lse: &'a [T],
    /// o·d_o a token and head: Σ_j p_ij d_p_ij.
    along: Vec<T>,
}

/// Rows times columns, `inner` numbers each.
fn product<T: Real>(rows: &[T], columns: &[T], inner: usize, count: usize) -> Vec<T> {
    let mut out = vec![T::zero(); rows.len() / inner * count];
    add_product(Left::rows(rows, inner), columns, &mut out, count);
    out
}

impl Kernel for Attention {
    fn examples() -> Vec<Self> {
        let example = |heads, scalars, vectors| Attention {
            heads,
            scalars,
            vectors,
        };
        vec![example(2, 5, 3), example(1, 4, 0), example(3, 0, 2)]
    }

    fn signature(&self) -> Signature {
        let (scalars, vectors) = (self.heads * self.scalars, self.heads * self.vectors);
        Signature {
            inputs: vec![Shape::scalars(3 * scalars), Shape::vectors(3 * vectors)],
            params: vec![],
            outputs: vec![
                Shape::scalars(scalars),
                Shape::vectors(vectors),
                Shape::scalars(self.heads),
            ],
        }
    }

    fn kept(&self) -> usize {
        1
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let given = self.given(call.inputs);
        let [scalars, vectors, lse] = call.outputs else {
            panic!("attention has three outputs")
        };
        let tiles = tiles(call.batch);
        let heads = self.heads;
        let out = [
            (&mut **scalars, heads * self.scalars),
            (&mut **vectors, 3 * heads * self.vectors),
            (&mut **lse, heads),
        ];
        let lengths = tiles.iter().map(|tile| tile.own.len());
        for_ranges(out, lengths, |index, [scalars, vectors, lse]| {
            scalars.fill(T::zero());
            vectors.fill(T::zero());
            let mut out = Rows {
                scalars,
                vectors,
                columns: heads,
            };
            for head in 0..heads {
                let (rows, own_lse) = self.forward_head(given, head, &tiles[index]);
                self.scatter(&rows, &mut out, head);
                for (lse, own) in lse.chunks_exact_mut(heads).zip(own_lse) {
                    lse[head] = own;
                }
            }
        });
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let [d_scalars, d_vectors] = call.d_inputs else {
            panic!("attention has two inputs")
        };
        let tiles = tiles(call.batch);
        let heads = self.heads;
        let (out, d_out) = (self.answered(call.outputs), self.answered(call.d_outputs));
        let along = |place: usize| {
            let (token, head) = (place / heads, place % heads);
            let rows = self.gather(out, head, token..token + 1).into_iter();
            rows.zip(self.gather(d_out, head, token..token + 1))
                .map(|(o, d)| o * d)
                .sum()
        };
        let reads = Reads {
            given: self.given(call.inputs),
            d_out,
            lse: call.outputs[2],
            along: (0..call.batch.tokens() * heads).map(along).collect(),
        };
        let gradients = [
            (&mut **d_scalars, 3 * heads * self.scalars),
            (&mut **d_vectors, 9 * heads * self.vectors),
        ];
        let lengths = tiles.iter().map(|tile| tile.own.len());
        for_ranges(gradients, lengths, |index, [scalars, vectors]| {
            let mut to = Rows {
                scalars,
                vectors,
                columns: 3 * heads,
            };
            for head in 0..heads {
                let d_queries = self.backward_queries(&reads, head, &tiles[index]);
                let (d_keys, d_values) = self.backward_keys(&reads, head, &tiles[index]);
                self.scatter(&d_queries, &mut to, self.column(Part::Query, head));
                self.scatter(&d_keys, &mut to, self.column(Part::Key, head));
                self.scatter(&d_values, &mut to, self.column(Part::Value, head));
            }
        });
    }
}
