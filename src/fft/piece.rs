//! Eight channels of one system: the unit in which the CPU computes long convolutions.
//!
//! A correlation is the convolution of the reversed first factor, read in reverse (so are its
//! gradients), which is why only convolutions are computed below. A ring whose length is not smooth
//! is convolved as a chain and then folded.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

use rayon::prelude::*;

use super::lanes::{Lanes, Row, WIDTH};
use super::transform::Plan;
use super::{LongConvolution, Padding, direct, product, smooth_length};
use crate::numeric::Real;

/// Eight channels (or the last few) of one system.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub first_token: usize,
    pub tokens: usize,
    pub first_channel: usize,
}

/// Sequences of one piece, kept by each thread: fresh memory costs as much as a short transform.
pub(super) struct Scratch<T: Real> {
    pub q: Vec<Row<T>>,
    pub k: Vec<Row<T>>,
    d: Vec<Row<T>>,
    spare: Vec<Row<T>>,
    weighted: Vec<direct::Weighted<T>>,
}

impl<T: Real> Scratch<T> {
    /// Nothing yet.
    pub fn new() -> Self {
        Scratch {
            q: Vec::new(),
            k: Vec::new(),
            d: Vec::new(),
            spare: Vec::new(),
            weighted: Vec::new(),
        }
    }
}

/// Calls `work` with this thread's scratch.
pub(super) fn with_scratch<T: Real, R>(work: impl FnOnce(&mut Scratch<T>) -> R) -> R {
    thread_local!(static SCRATCH: RefCell<HashMap<TypeId, Box<dyn Any>>> = RefCell::default());
    SCRATCH.with_borrow_mut(|all| {
        let scratch = all
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Box::new(Scratch::<T>::new()));
        work(
            scratch
                .downcast_mut()
                .expect("scratch is stored under the type that it is for"),
        )
    })
}

impl<T: Real> LongConvolution<'_, T> {
    pub(super) fn lanes(&self, piece: &Piece) -> usize {
        WIDTH.min(self.channels - piece.first_channel)
    }

    /// What of `values` belongs to the system of a piece.
    pub(super) fn own<'b>(&self, piece: &Piece, values: &'b mut [T]) -> &'b mut [T] {
        let width = 4 * self.channels;
        &mut values[piece.first_token * width..(piece.first_token + piece.tokens) * width]
    }

    /// λ1 … λ5 of a piece times `factor`; zero where there is no such term.
    fn weights(&self, piece: &Piece, factor: f64) -> [Lanes<T>; 5] {
        let factor = Lanes::all(T::of(factor));
        let rows = self.terms.rows();
        std::array::from_fn(|term| {
            if !rows.contains(&term) {
                return Lanes::zero();
            }
            let start = (term - rows.start) * self.channels + piece.first_channel;
            Lanes::load(&self.lambda[start..start + self.lanes(piece)]) * factor
        })
    }

    /// A token's share of a piece of `values`; what no term needs is zero.
    #[inline(always)]
    fn row(&self, piece: &Piece, values: &[T], token: usize) -> Row<T> {
        let lanes = self.lanes(piece);
        std::array::from_fn(|component| {
            let read = match component {
                0 => self.terms.scalars(),
                _ => self.terms.vectors(),
            };
            if read {
                let first = token * 4 * self.channels + piece.first_channel;
                Lanes::load(&values[first + component * self.channels..][..lanes])
            } else {
                Lanes::zero()
            }
        })
    }

    /// Reads a piece of `values`.
    fn gather(&self, piece: &Piece, values: &[T], reversed: bool, rows: &mut Vec<Row<T>>) {
        let tokens = piece.first_token..piece.first_token + piece.tokens;
        let row = |token: usize| self.row(piece, values, token);
        rows.clear();
        if reversed {
            rows.extend(tokens.rev().map(row));
        } else {
            rows.extend(tokens.map(row));
        }
    }

    /// The same over threads, followed by zeros up to `n` rows.
    fn gather_all(&self, piece: &Piece, values: &[T], reversed: bool, n: usize) -> Vec<Row<T>> {
        let first = piece.first_token;
        let row = |index: usize| match index {
            index if index >= piece.tokens => [Lanes::zero(); 4],
            index if reversed => self.row(piece, values, first + piece.tokens - 1 - index),
            index => self.row(piece, values, first + index),
        };
        (0..n).into_par_iter().with_min_len(512).map(row).collect()
    }

    /// Hands each of the values that belong to a piece, and the lanes for it, to `put`.
    pub(super) fn scatter(
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

    /// The convolution of one long piece, in `scratch.q`, by all threads.
    pub(super) fn transformed_piece(
        &self,
        piece: &Piece,
        q: &[T],
        k: &[T],
        scratch: &mut Scratch<T>,
    ) {
        let Some((n, fold)) = self.transform(piece.tokens) else {
            return self.forward_piece(piece, q, k, scratch);
        };
        let plan = Plan::of(n);
        let transformed = |values, reversed| {
            let mut rows = self.gather_all(piece, values, reversed, n);
            plan.forward_by_all(&mut rows);
            rows
        };
        scratch.k = transformed(k, false);
        scratch.q = transformed(q, self.reversed());
        self.multiply(piece, &plan, n, scratch);
        scratch.k = Vec::new();
        plan.inverse_by_all(&mut scratch.q);
        if fold {
            fold_ring(piece.tokens, &mut scratch.q);
        }
    }

    /// The product of two spectra, in that of q.
    fn multiply(&self, piece: &Piece, plan: &Plan<T>, n: usize, scratch: &mut Scratch<T>) {
        let factor = self.convolution.factor(piece.tokens) / (4 * n) as f64;
        let lambda = self.weights(piece, factor);
        product::forward(&plan.pairs, &mut scratch.q, &scratch.k, &lambda);
    }

    /// The convolution of one piece, in `scratch.q`.
    pub(super) fn forward_piece(&self, piece: &Piece, q: &[T], k: &[T], scratch: &mut Scratch<T>) {
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
        self.multiply(piece, &plan, n, scratch);
        plan.inverse(&mut scratch.q);
        if fold {
            fold_ring(piece.tokens, &mut scratch.q);
        }
    }

    /// The gradients of one piece, in `scratch.q` and `scratch.k`; that of λ is returned.
    pub(super) fn backward_piece(
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

/// Adds what a chain of so many tokens has beyond its ring to the ring.
fn fold_ring<T: Real>(tokens: usize, rows: &mut [Row<T>]) {
    let (ring, beyond) = rows.split_at_mut(tokens);
    let pairs = ring
        .iter_mut()
        .flatten()
        .zip(beyond[..tokens - 1].iter().flatten());
    pairs.for_each(|(ring, &beyond)| *ring += beyond);
}
