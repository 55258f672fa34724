//! Cutting work into pieces whose number and size depend on shapes only, never on the number of
//! threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::numeric::{Lanes, Real};

/// Rows below which a loop runs on the calling thread: a piece this small costs less than handing
/// it over.
pub(super) const SERIAL_ROWS: usize = 512;

/// Runs `work(first_row, rows of out)` over `out` cut into pieces of whole rows, in parallel where
/// there are many.
pub(super) fn for_rows<T: Send>(out: &mut [T], row: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if out.len() <= SERIAL_ROWS * row {
        return work(0, out);
    }
    out.par_chunks_mut(SERIAL_ROWS * row)
        .enumerate()
        .for_each(|(piece, rows)| work(piece * SERIAL_ROWS, rows));
}

/// The same over outputs that have equally many rows, each with its own length of a row.
pub(super) fn for_rows_of<T: Send, const N: usize>(
    out: [(&mut [T], usize); N],
    work: impl Fn(usize, [&mut [T]; N]) + Sync,
) {
    let rows = out[0].0.len() / out[0].1.max(1);
    if rows <= SERIAL_ROWS {
        return work(0, out.map(|(rows, _)| rows));
    }
    let lengths =
        (0..rows.div_ceil(SERIAL_ROWS)).map(|piece| SERIAL_ROWS.min(rows - piece * SERIAL_ROWS));
    for_ranges(out, lengths, |piece, rows| work(piece * SERIAL_ROWS, rows));
}

/// Runs `work(number, rows)` over outputs cut into pieces of these numbers of rows, which are all
/// rows together, in parallel.
pub(super) fn for_ranges<T: Send, const N: usize>(
    mut out: [(&mut [T], usize); N],
    lengths: impl Iterator<Item = usize>,
    work: impl Fn(usize, [&mut [T]; N]) + Sync,
) {
    let mut cut = |count: usize| {
        out.each_mut().map(|(rest, row)| {
            rest.split_off_mut(..count * *row)
                .expect("the rows of a piece")
        })
    };
    let pieces: Vec<[&mut [T]; N]> = lengths.map(&mut cut).collect();
    pieces
        .into_par_iter()
        .enumerate()
        .for_each(|(piece, rows)| work(piece, rows));
}

/// Adds `work(range of rows, partial sum)` over all rows to `total`. At most 16 pieces, so that the
/// partial sums stay small.
pub(super) fn reduce_rows<T: Real>(
    rows: usize,
    total: &mut [T],
    work: impl Fn(Range<usize>, &mut [T]) + Sync,
) {
    let size = rows.div_ceil(16).max(4 * SERIAL_ROWS);
    if rows <= size {
        return work(0..rows, total);
    }
    let partial = |piece: usize| {
        let mut sum = vec![T::zero(); total.len()];
        work(piece * size..rows.min((piece + 1) * size), &mut sum);
        sum
    };
    let partials: Vec<Vec<T>> = (0..rows.div_ceil(size))
        .into_par_iter()
        .map(partial)
        .collect();
    for partial in partials {
        total
            .iter_mut()
            .zip(partial)
            .for_each(|(total, part)| *total += part);
    }
}

/// The stretches of eight channels (the last one shorter) that `channels` are cut into.
#[inline(always)]
pub(super) fn eights(channels: usize) -> impl Iterator<Item = Range<usize>> {
    (0..channels)
        .step_by(8)
        .map(move |first| first..channels.min(first + 8))
}

/// The stretch `range` of each component of a row `[N][channels]`.
#[inline(always)]
pub(super) fn components<T: Real, const N: usize>(
    row: &[T],
    channels: usize,
    range: &Range<usize>,
) -> [Lanes<T>; N] {
    std::array::from_fn(|h| Lanes::load(&row[h * channels + range.start..h * channels + range.end]))
}

/// Σ_k a_k b_k; eight sums side by side.
#[inline(always)]
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let b = &b[..a.len()];
    eights(a.len())
        .fold(Lanes::zero(), |sum, k| {
            Lanes::fma(Lanes::load(&a[k.clone()]), Lanes::load(&b[k]), sum)
        })
        .total()
}
