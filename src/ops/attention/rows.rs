//! The numbers of one head of some tokens, gathered from the rows of the network and put back.

use std::ops::Range;

use super::Attention;
use crate::numeric::Real;
use crate::ops::Batch;

/// Tokens of a task, and of a block that goes by it.
const TILE: usize = 64;

/// Scalars and vectors of tokens: the inputs or their gradients (q, k and v side by side), the
/// outputs or their gradients.
#[derive(Clone, Copy)]
pub(super) struct Rows<S> {
    pub scalars: S,
    pub vectors: S,
    /// Numbers of heads side by side: three times as many in the inputs.
    pub columns: usize,
}

/// A task: some tokens of a system.
pub(super) struct Tile {
    pub own: Range<usize>,
    pub system: Range<usize>,
}

/// The tiles of all systems, in the order of their tokens.
pub(super) fn tiles(batch: &Batch) -> Vec<Tile> {
    let of_system = |system| {
        let system = batch.range(system);
        blocks(system.clone()).map(move |own| Tile {
            own,
            system: system.clone(),
        })
    };
    (0..batch.systems()).flat_map(of_system).collect()
}

/// A range in stretches of at most [`TILE`].
pub(super) fn blocks(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    range
        .clone()
        .step_by(TILE)
        .map(move |first| first..range.end.min(first + TILE))
}

impl Attention {
    /// Places of a head's numbers in the rows of a token: scalars, then x, y and z of the vectors.
    pub(super) fn places(
        &self,
        columns: usize,
        column: usize,
        token: usize,
    ) -> (Range<usize>, [Range<usize>; 3]) {
        let scalars = (token * columns + column) * self.scalars;
        let vectors = [0, 1, 2].map(|h| {
            let first = ((token * 3 + h) * columns + column) * self.vectors;
            first..first + self.vectors
        });
        (scalars..scalars + self.scalars, vectors)
    }

    /// A column's numbers of some tokens, `width` a row.
    pub(super) fn gather<T: Real>(
        &self,
        from: Rows<&[T]>,
        column: usize,
        tokens: Range<usize>,
    ) -> Vec<T> {
        let mut rows = Vec::with_capacity(tokens.len() * self.width());
        for token in tokens {
            let (scalars, vectors) = self.places(from.columns, column, token);
            rows.extend_from_slice(&from.scalars[scalars]);
            for vectors in vectors {
                rows.extend_from_slice(&from.vectors[vectors]);
            }
        }
        rows
    }

    /// Adds rows to a column of the first tokens of `to`, which holds zeros where it is to be
    /// overwritten.
    pub(super) fn scatter<T: Real>(&self, rows: &[T], to: &mut Rows<&mut [T]>, column: usize) {
        for (token, row) in rows.chunks_exact(self.width()).enumerate() {
            let (scalars, vectors) = self.places(to.columns, column, token);
            let (of_scalars, of_vectors) = row.split_at(self.scalars);
            add(&mut to.scalars[scalars], of_scalars);
            for (h, vectors) in vectors.into_iter().enumerate() {
                add(&mut to.vectors[vectors], &of_vectors[h * self.vectors..]);
            }
        }
    }
}

fn add<T: Real>(to: &mut [T], from: &[T]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to += from);
}
