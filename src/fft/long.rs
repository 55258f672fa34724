//! The geometric long convolution of a batch on the CPU: systems × blocks of eight channels, each
//! on its own (`piece.rs`).
//!
//! Memory beside the arguments: what one block of the longest system needs, for each thread, and in
//! parallel calls one copy of each result. Long systems go forward block by block, and in the place
//! of their first factor.

use rayon::prelude::*;

use super::lanes::{Lanes, Row, WIDTH};
use super::piece::{Piece, Scratch, with_scratch};
use super::{LongConvolution, Mixing, Padding};
use crate::numeric::Real;

/// Tokens × channels from which the pieces of a call are spread over threads.
const PARALLEL: usize = 8192;

/// Tokens of a system from which its pieces follow one another, each spread over threads.
const LONG: usize = 1 << 16;

/// Tokens that one task copies at the end of a parallel call.
const SHARE: usize = 512;

impl<T: Real> LongConvolution<'_, T> {
    /// Overwrites `out` with the convolution of `q` and `k`.
    pub fn forward(&self, q: &[T], k: &[T], out: &mut [T]) {
        out.copy_from_slice(q);
        self.forward_over(k, out);
    }

    /// Overwrites `q` with the convolution of `q` and `k`.
    pub fn forward_over(&self, k: &[T], q: &mut [T]) {
        let pieces = self.pieces();
        let reversed = self.reversed();
        let put = |to: &mut [T], from: &[T]| to.copy_from_slice(from);
        if pieces.iter().any(|piece| piece.tokens >= LONG) {
            for piece in &pieces {
                self.long_piece(piece, k, q);
            }
        } else if self.parallel() {
            let from: &[T] = q;
            let forward = |piece: &Piece| {
                with_scratch(|scratch| {
                    self.forward_piece(piece, from, k, scratch);
                    scratch.q[..piece.tokens].to_vec()
                })
            };
            let rows: Vec<_> = pieces.par_iter().map(forward).collect();
            self.scatter_all(&pieces, &rows, reversed, q, put);
        } else {
            with_scratch(|scratch| {
                for piece in &pieces {
                    self.forward_piece(piece, q, k, scratch);
                    let rows = &scratch.q[..piece.tokens];
                    self.scatter(piece, rows, reversed, self.own(piece, q), put);
                }
            });
        }
    }

    /// Numbers a token that [`Self::forward_over`] needs beside its arguments where systems are
    /// long: two blocks of eight channels, as long as their transforms.
    pub fn work(padding: Padding) -> usize {
        let times = if padding == Padding::Zero { 2 } else { 1 };
        2 * times * 4 * WIDTH
    }

    /// Overwrites a piece of `q` with its convolution, the threads at work on this piece together:
    /// the memory of one piece after the other, given back behind it.
    fn long_piece(&self, piece: &Piece, k: &[T], q: &mut [T]) {
        let mut scratch = Scratch::new();
        self.transformed_piece(piece, q, k, &mut scratch);
        let rows = &scratch.q[..piece.tokens];
        let width = 4 * self.channels;
        let shares = self.own(piece, q).par_chunks_mut(SHARE * width);
        shares.enumerate().for_each(|(share, values)| {
            let (first, count) = (share * SHARE, values.len() / width);
            let own = if self.reversed() {
                rows.len() - first - count..rows.len() - first
            } else {
                first..first + count
            };
            let put = |to: &mut [T], from: &[T]| to.copy_from_slice(from);
            self.scatter(piece, &rows[own], self.reversed(), values, put);
        });
    }

    /// Adds the gradients of `q`, `k` and λ.
    pub fn backward(
        &self,
        q: &[T],
        k: &[T],
        d_out: &[T],
        d_q: &mut [T],
        d_k: &mut [T],
        d_lambda: &mut [T],
    ) {
        let pieces = self.pieces();
        let reversed = self.reversed();
        let add =
            |to: &mut [T], from: &[T]| to.iter_mut().zip(from).for_each(|(to, &from)| *to += from);
        if self.parallel() {
            let backward = |piece: &Piece| {
                with_scratch(|scratch| {
                    let sums = self.backward_piece(piece, [q, k, d_out], scratch);
                    (
                        (
                            scratch.q[..piece.tokens].to_vec(),
                            scratch.k[..piece.tokens].to_vec(),
                        ),
                        sums,
                    )
                })
            };
            let ((q_rows, k_rows), sums): ((Vec<_>, Vec<_>), Vec<_>) =
                pieces.par_iter().map(backward).unzip();
            for (piece, sums) in pieces.iter().zip(sums) {
                self.add_lambda(piece, sums, d_lambda);
            }
            self.scatter_all(&pieces, &q_rows, reversed, d_q, add);
            self.scatter_all(&pieces, &k_rows, false, d_k, add);
        } else {
            with_scratch(|scratch| {
                for piece in &pieces {
                    let sums = self.backward_piece(piece, [q, k, d_out], scratch);
                    self.add_lambda(piece, sums, d_lambda);
                    self.scatter(
                        piece,
                        &scratch.q[..piece.tokens],
                        reversed,
                        self.own(piece, d_q),
                        add,
                    );
                    self.scatter(
                        piece,
                        &scratch.k[..piece.tokens],
                        false,
                        self.own(piece, d_k),
                        add,
                    );
                }
            });
        }
    }

    /// Adds the sums of a piece to the gradient of λ.
    fn add_lambda(&self, piece: &Piece, sums: [Lanes<T>; 5], d_lambda: &mut [T]) {
        let lanes = self.lanes(piece);
        let sums = sums[self.terms.rows()].iter();
        for (to, sum) in d_lambda.chunks_exact_mut(self.channels).zip(sums) {
            let to = to[piece.first_channel..][..lanes].iter_mut();
            to.zip(sum.values()).for_each(|(to, sum)| *to += sum);
        }
    }

    /// The work, system by system; every system that has tokens has the same number of pieces.
    fn pieces(&self) -> Vec<Piece> {
        let blocks = |system| {
            let range = self.offsets[system]..self.offsets[system + 1];
            let blocks = (0..self.channels).step_by(WIDTH);
            blocks.map(move |first_channel| Piece {
                first_token: range.start,
                tokens: range.len(),
                first_channel,
            })
        };
        (0..self.offsets.len().saturating_sub(1))
            .flat_map(blocks)
            .filter(|piece| piece.tokens > 0)
            .collect()
    }

    fn tokens(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    fn parallel(&self) -> bool {
        self.tokens() * self.channels >= PARALLEL
    }

    pub(super) fn reversed(&self) -> bool {
        self.convolution.mixing == Mixing::Correlation
    }

    /// The same for all pieces, in parallel over tokens.
    fn scatter_all(
        &self,
        pieces: &[Piece],
        rows: &[Vec<Row<T>>],
        reversed: bool,
        mut values: &mut [T],
        put: impl Fn(&mut [T], &[T]) + Sync,
    ) {
        let width = 4 * self.channels;
        let blocks = self.channels.div_ceil(WIDTH);
        let mut shares = Vec::new();
        for (pieces, rows) in pieces.chunks_exact(blocks).zip(rows.chunks_exact(blocks)) {
            let (own, rest) = std::mem::take(&mut values).split_at_mut(pieces[0].tokens * width);
            values = rest;
            let own = own.chunks_mut(SHARE * width).enumerate();
            shares.extend(own.map(|(share, values)| (share * SHARE, values, pieces, rows)));
        }
        shares
            .into_par_iter()
            .for_each(|(first, values, pieces, rows)| {
                let last = first + values.len() / width;
                for (piece, rows) in pieces.iter().zip(rows) {
                    let range = if reversed {
                        rows.len() - last..rows.len() - first
                    } else {
                        first..last
                    };
                    self.scatter(piece, &rows[range], reversed, values, &put);
                }
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fft::{Convolution, Method, Terms};

    /// A piece by all threads, and over its first factor, to the bit as by one.
    #[test]
    fn long_systems_get_the_bits_of_short_ones() {
        let tokens = 20_000;
        let numbers = |seed: usize| {
            let number = move |at: usize| ((at * 7 + seed * 13) % 1009) as f32 / 500.0 - 1.0;
            (0..tokens * 4 * 9).map(number).collect::<Vec<f32>>()
        };
        let (q, k, lambda) = (numbers(1), numbers(2), &numbers(3)[..5 * 9]);
        for convolution in [Convolution::WORKING, Convolution::PAPER] {
            for mixing in [Mixing::Convolution, Mixing::Correlation] {
                let long = LongConvolution {
                    offsets: &[0, tokens - 7, tokens],
                    channels: 9,
                    terms: Terms::Geometric,
                    convolution: Convolution {
                        mixing,
                        ..convolution
                    },
                    method: Method::Fastest,
                    lambda,
                };
                let mut expected = vec![0.0; q.len()];
                long.forward(&q, &k, &mut expected);
                let mut found = q.clone();
                for piece in long.pieces() {
                    long.long_piece(&piece, &k, &mut found);
                }
                assert!(found == expected, "{convolution:?} {mixing:?}");
            }
        }
    }
}
