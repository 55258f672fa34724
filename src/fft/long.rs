//! The geometric long convolution of a batch on the CPU: systems × blocks of eight channels, each
//! on its own.
//!
//! A correlation is the convolution of the reversed first factor, read in reverse (so are its
//! gradients), which is why only convolutions are computed below. A ring whose length is not smooth
//! is convolved as a chain and then folded.
//!
//! Memory beside the arguments: what one block of the longest system needs, for each thread, and in
//! parallel calls one copy of each result.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

use rayon::prelude::*;

use super::lanes::{Lanes, Row, WIDTH};
use super::transform::Plan;
use super::{Convolution, Method, Mixing, Padding, direct, product, smooth_length};
use crate::numeric::Real;
use crate::ops::Batch;

/// Tokens × channels from which the pieces of a call are spread over threads.
const PARALLEL: usize = 8192;

/// Tokens that one task copies at the end of a parallel call.
const SHARE: usize = 512;

/// Which parts of the tuples take part: the others are not read, and their outputs are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// α.
    pub scalar: bool,
    /// r.
    pub vector: bool,
}

/// The geometric long convolution of two tuple sequences (see [`crate::ops::geometric_conv`]), or a
/// part of it.
#[derive(Debug, Clone, Copy)]
pub struct LongConvolution<'a, T> {
    /// Where the systems begin.
    pub batch: &'a Batch,
    /// Channels K.
    pub channels: usize,
    /// Padding, mixing and scale.
    pub convolution: Convolution,
    /// What of the tuples is read.
    pub parts: Parts,
    /// Double sum or transforms.
    pub method: Method,
    /// λ, 5 × K.
    pub lambda: &'a [T],
}

/// Eight channels (or the last few) of one system.
#[derive(Clone, Copy)]
struct Piece {
    first_token: usize,
    tokens: usize,
    first_channel: usize,
}

/// Sequences of one piece, kept by each thread: fresh memory costs as much as a short transform.
struct Scratch<T: Real> {
    q: Vec<Row<T>>,
    k: Vec<Row<T>>,
    d: Vec<Row<T>>,
    spare: Vec<Row<T>>,
    weighted: Vec<direct::Weighted<T>>,
}

/// Calls `work` with this thread's scratch.
fn with_scratch<T: Real, R>(work: impl FnOnce(&mut Scratch<T>) -> R) -> R {
    thread_local!(static SCRATCH: RefCell<HashMap<TypeId, Box<dyn Any>>> = RefCell::default());
    SCRATCH.with_borrow_mut(|all| {
        let empty = || Scratch::<T> {
            q: Vec::new(),
            k: Vec::new(),
            d: Vec::new(),
            spare: Vec::new(),
            weighted: Vec::new(),
        };
        let scratch = all
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Box::new(empty()));
        work(
            scratch
                .downcast_mut()
                .expect("scratch is stored under the type that it is for"),
        )
    })
}

impl<T: Real> LongConvolution<'_, T> {
    /// Overwrites `out` with the convolution of `q` and `k`.
    pub fn forward(&self, q: &[T], k: &[T], out: &mut [T]) {
        let pieces = self.pieces();
        let reversed = self.reversed();
        let put = |to: &mut [T], from: &[T]| to.copy_from_slice(from);
        if self.parallel() {
            let forward = |piece: &Piece| {
                with_scratch(|scratch| {
                    self.forward_piece(piece, q, k, scratch);
                    scratch.q[..piece.tokens].to_vec()
                })
            };
            let rows: Vec<_> = pieces.par_iter().map(forward).collect();
            self.scatter_all(&pieces, &rows, reversed, out, put);
        } else {
            with_scratch(|scratch| {
                for piece in &pieces {
                    self.forward_piece(piece, q, k, scratch);
                    self.scatter(
                        piece,
                        &scratch.q[..piece.tokens],
                        reversed,
                        self.own(piece, out),
                        put,
                    );
                }
            });
        }
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
        let mut add_lambda = |piece: &Piece, sums: [Lanes<T>; 5]| {
            for (to, sum) in d_lambda.chunks_exact_mut(self.channels).zip(sums) {
                let lanes = self.lanes(piece);
                add(
                    &mut to[piece.first_channel..][..lanes],
                    &sum.values()[..lanes],
                );
            }
        };
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
            pieces
                .iter()
                .zip(sums)
                .for_each(|(piece, sums)| add_lambda(piece, sums));
            self.scatter_all(&pieces, &q_rows, reversed, d_q, add);
            self.scatter_all(&pieces, &k_rows, false, d_k, add);
        } else {
            with_scratch(|scratch| {
                for piece in &pieces {
                    add_lambda(piece, self.backward_piece(piece, [q, k, d_out], scratch));
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

    /// The work, system by system; every system that has tokens has the same number of pieces.
    fn pieces(&self) -> Vec<Piece> {
        let blocks = |system| {
            let range = self.batch.range(system);
            let blocks = (0..self.channels).step_by(WIDTH);
            blocks.map(move |first_channel| Piece {
                first_token: range.start,
                tokens: range.len(),
                first_channel,
            })
        };
        (0..self.batch.systems())
            .flat_map(blocks)
            .filter(|piece| piece.tokens > 0)
            .collect()
    }

    fn parallel(&self) -> bool {
        self.batch.tokens() * self.channels >= PARALLEL
    }

    fn reversed(&self) -> bool {
        self.convolution.mixing == Mixing::Correlation
    }

    fn lanes(&self, piece: &Piece) -> usize {
        WIDTH.min(self.channels - piece.first_channel)
    }

    /// What of `values` belongs to the system of a piece.
    fn own<'b>(&self, piece: &Piece, values: &'b mut [T]) -> &'b mut [T] {
        let width = 4 * self.channels;
        &mut values[piece.first_token * width..(piece.first_token + piece.tokens) * width]
    }

    /// λ of a piece times `factor`.
    fn weights(&self, piece: &Piece, factor: f64) -> [Lanes<T>; 5] {
        let factor = Lanes::all(T::of(factor));
        std::array::from_fn(|term| {
            let start = term * self.channels + piece.first_channel;
            Lanes::load(&self.lambda[start..start + self.lanes(piece)]) * factor
        })
    }

    /// Reads a piece of `values`; the parts that do not take part are zero.
    fn gather(&self, piece: &Piece, values: &[T], reversed: bool, rows: &mut Vec<Row<T>>) {
        let (width, lanes) = (4 * self.channels, self.lanes(piece));
        let row = |token: usize| -> Row<T> {
            std::array::from_fn(|component| {
                if if component == 0 {
                    self.parts.scalar
                } else {
                    self.parts.vector
                } {
                    let start = token * width + component * self.channels + piece.first_channel;
                    Lanes::load(&values[start..start + lanes])
                } else {
                    Lanes::zero()
                }
            })
        };
        let tokens = piece.first_token..piece.first_token + piece.tokens;
        rows.clear();
        if reversed {
            rows.extend(tokens.rev().map(row))
        } else {
            rows.extend(tokens.map(row))
        }
    }

    /// Hands each of the values that belong to a piece, and the lanes for it, to `put`.
    fn scatter(
        &self,
        piece: &Piece,
        rows: &[Row<T>],
        reversed: bool,
        values: &mut [T],
        put: impl Fn(&mut [T], &[T]),
    ) {
        let lanes = self.lanes(piece);
        let last = rows.len() - 1;
        for (token, values) in values.chunks_exact_mut(4 * self.channels).enumerate() {
            let row = &rows[if reversed { last - token } else { token }];
            for (values, lane) in values.chunks_exact_mut(self.channels).zip(row) {
                put(
                    &mut values[piece.first_channel..][..lanes],
                    &lane.values()[..lanes],
                );
            }
        }
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

    /// Transform length, and whether a ring is computed as a chain and then folded; `None` for the
    /// double sum.
    fn transform(&self, tokens: usize) -> Option<(usize, bool)> {
        if self.method.is_direct(tokens, self.convolution.padding) {
            return None;
        }
        let fold = self.convolution.padding == Padding::Circular && smooth_length(tokens) != tokens;
        let whole = self.convolution.padding == Padding::Circular && !fold;
        Some((
            if whole {
                tokens
            } else {
                smooth_length(2 * tokens - 1)
            },
            fold,
        ))
    }

    /// The convolution of one piece, in `scratch.q`.
    fn forward_piece(&self, piece: &Piece, q: &[T], k: &[T], scratch: &mut Scratch<T>) {
        let scale = self.convolution.factor(piece.tokens);
        self.gather(piece, q, self.reversed(), &mut scratch.q);
        self.gather(piece, k, false, &mut scratch.k);
        let Some((n, fold)) = self.transform(piece.tokens) else {
            let lambda = self.weights(piece, scale);
            scratch.weighted.clear();
            scratch
                .weighted
                .extend(scratch.q.iter().map(|row| direct::weighted(row, &lambda)));
            direct::forward(
                self.convolution.padding,
                &scratch.weighted,
                &scratch.k,
                &mut scratch.q,
            );
            return;
        };
        let plan = Plan::of(n);
        for rows in [&mut scratch.q, &mut scratch.k] {
            rows.resize_with(n, || [Lanes::zero(); 4]);
            plan.forward(rows);
        }
        product::forward(
            &plan.pairs,
            &mut scratch.q,
            &scratch.k,
            &self.weights(piece, scale / (4 * n) as f64),
        );
        plan.inverse(&mut scratch.q);
        if fold {
            let (ring, beyond) = scratch.q.split_at_mut(piece.tokens);
            let pairs = ring
                .iter_mut()
                .flatten()
                .zip(beyond[..piece.tokens - 1].iter().flatten());
            pairs.for_each(|(ring, &beyond)| *ring += beyond);
        }
    }

    /// The gradients of one piece, in `scratch.q` and `scratch.k`; that of λ is returned.
    fn backward_piece(
        &self,
        piece: &Piece,
        [q, k, d]: [&[T]; 3],
        scratch: &mut Scratch<T>,
    ) -> [Lanes<T>; 5] {
        let scale = self.convolution.factor(piece.tokens);
        self.gather(piece, q, self.reversed(), &mut scratch.q);
        self.gather(piece, k, false, &mut scratch.k);
        self.gather(piece, d, self.reversed(), &mut scratch.d);
        let Some((n, fold)) = self.transform(piece.tokens) else {
            return self.backward_direct(piece, T::of(scale), scratch);
        };
        if fold {
            // The gradient of a folded sum goes to both of its terms.
            scratch.d.extend_from_within(..piece.tokens - 1);
        }
        let plan = Plan::of(n);
        for rows in [&mut scratch.q, &mut scratch.k, &mut scratch.d] {
            rows.resize_with(n, || [Lanes::zero(); 4]);
            plan.forward(rows);
        }
        let factor = scale / (4 * n) as f64;
        let lambda = self.weights(piece, factor);
        let d_lambda = product::backward(
            &plan.pairs,
            &mut scratch.q,
            &mut scratch.k,
            &scratch.d,
            &lambda,
        );
        plan.inverse(&mut scratch.q);
        plan.inverse(&mut scratch.k);
        d_lambda.map(|sum| sum * Lanes::all(T::of(factor)))
    }

    fn backward_direct(&self, piece: &Piece, scale: T, scratch: &mut Scratch<T>) -> [Lanes<T>; 5] {
        let lambda = self.weights(piece, 1.0);
        let [l1, l2, l3, l4, l5] = lambda;
        let Scratch {
            q,
            k,
            d,
            spare,
            weighted,
        } = scratch;
        weighted.clear();
        weighted.extend(q.iter().map(|row| direct::weighted(row, &lambda)));
        let scale = Lanes::all(scale);
        d.iter_mut()
            .flatten()
            .for_each(|value| *value = *value * scale);
        spare.clear();
        spare.resize_with(d.len(), || [Lanes::zero(); 4]);
        let mut d_lambda = [Lanes::zero(); 5];
        let first = |token: usize, g: &direct::Weighted<T>| {
            let [a, x, y, z] = q[token];
            d_lambda[0] += a * g[0];
            d_lambda[1] += x * g[1] + y * g[2] + z * g[3];
            d_lambda[2] += a * g[4];
            d_lambda[3] += x * g[5] + y * g[6] + z * g[7];
            d_lambda[4] += x * g[8] + y * g[9] + z * g[10];
            let vector = |h: usize| l2 * g[h] + l4 * g[h + 4] + l5 * g[h + 7];
            q[token] = [l1 * g[0] + l3 * g[4], vector(1), vector(2), vector(3)];
        };
        direct::backward(self.convolution.padding, weighted, k, d, first, spare);
        std::mem::swap(k, spare);
        d_lambda
    }
}
