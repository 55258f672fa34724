//! Backward by pieces of receivers: each has gradients of its own of what it reads of senders, and
//! they are added in the order of the pieces.

use std::ops::Range;

use rayon::prelude::*;

use super::{PIECE, add, rows_mut};
use crate::numeric::Real;
use crate::ops::Batch;

/// How a batch is cut into pieces of receivers.
pub(in crate::ops) struct Pieces<'a> {
    /// Most pieces: each has gradients of all tokens of the systems that it touches.
    pub most: usize,
    /// Numbers a token of every input but the first, which belongs to receivers alone.
    pub widths: &'a [usize],
}

/// The gradients of one piece.
struct Partial<T, G> {
    /// Tokens that its rows belong to.
    span: Range<usize>,
    /// Of the inputs that senders have.
    inputs: Vec<Vec<T>>,
    params: G,
}

impl Pieces<'_> {
    /// Runs `piece(receivers, rows of the first gradient, first token of the others, the others)`
    /// for every piece, in parallel, and returns what each returned. Whatever the number of
    /// threads, pieces are the same.
    pub fn run<T: Real, G: Send + Sync, const P: usize>(
        &self,
        batch: &Batch,
        d_inputs: &mut [&mut [T]],
        piece: impl Fn(Range<usize>, &mut [[T; P]], usize, Vec<&mut [T]>) -> G + Sync,
    ) -> Vec<G> {
        let (own, others) = d_inputs.split_at_mut(1);
        let own = rows_mut::<T, P>(own[0]);
        let count = pieces(batch, self.most);
        if count == 1 {
            let others = others.iter_mut().map(|d| &mut **d).collect();
            return vec![piece(0..own.len(), own, 0, others)];
        }
        let tokens = own.len().div_ceil(count);
        let partial = |(index, own): (usize, &mut [[T; P]])| {
            let range = index * tokens..index * tokens + own.len();
            let span = systems_of(batch, &range);
            let zeros = |width: &usize| vec![T::zero(); width * span.len()];
            let mut inputs: Vec<Vec<T>> = self.widths.iter().map(zeros).collect();
            let others = inputs.iter_mut().map(Vec::as_mut_slice).collect();
            let params = piece(range, own, span.start, others);
            Partial {
                span,
                inputs,
                params,
            }
        };
        let partials: Vec<Partial<T, G>> = own
            .par_chunks_mut(tokens)
            .enumerate()
            .map(partial)
            .collect();
        for (index, (to, &width)) in others.iter_mut().zip(self.widths).enumerate() {
            add_partials(&partials, index, width, to);
        }
        partials.into_iter().map(|partial| partial.params).collect()
    }
}

/// Number of pieces, of at most so many, that a batch is cut into: by its size only.
pub(super) fn pieces(batch: &Batch, most: usize) -> usize {
    (batch.tokens() / PIECE).clamp(1, most)
}

/// The tokens of all systems that a range of tokens touches.
fn systems_of(batch: &Batch, range: &Range<usize>) -> Range<usize> {
    let offsets = &batch.offsets;
    let start = offsets[offsets.partition_point(|&first| first <= range.start) - 1];
    start..offsets[offsets.partition_point(|&first| first < range.end)]
}

/// Adds one gradient of all pieces in their order; parallel over tokens, which does not change that
/// order.
fn add_partials<T: Real, G: Sync>(
    partials: &[Partial<T, G>],
    index: usize,
    width: usize,
    to: &mut [T],
) {
    const TASK: usize = 256;
    to.par_chunks_mut(TASK * width)
        .enumerate()
        .for_each(|(task, to)| {
            let tokens = task * TASK..task * TASK + to.len() / width;
            for partial in partials {
                let (start, end) = (
                    tokens.start.max(partial.span.start),
                    tokens.end.min(partial.span.end),
                );
                if start < end {
                    let from = &partial.inputs[index]
                        [(start - partial.span.start) * width..(end - partial.span.start) * width];
                    add(
                        &mut to[(start - tokens.start) * width..(end - tokens.start) * width],
                        from,
                    );
                }
            }
        });
}
