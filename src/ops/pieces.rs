//! Cutting work into pieces whose number and size depend on shapes only, never on the number of threads.

use rayon::prelude::*;

/// Rows below which a loop runs on the calling thread: a piece this small costs less than handing it over.
pub(super) const SERIAL_ROWS: usize = 512;

/// Runs `work(first_row, rows of out)` over `out` cut into pieces of whole rows, in parallel where there are many.
pub(super) fn for_rows<T: Send>(out: &mut [T], row: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if out.len() <= SERIAL_ROWS * row {
        return work(0, out);
    }
    out.par_chunks_mut(SERIAL_ROWS * row).enumerate().for_each(|(piece, rows)| work(piece * SERIAL_ROWS, rows));
}

/// Adds `work(range of rows, partial sum)` over all rows to `total`. At most 16 pieces, so that the partial sums stay small.
pub(super) fn reduce_rows<T: crate::engine::Real>(rows: usize, total: &mut [T], work: impl Fn(std::ops::Range<usize>, &mut [T]) + Sync) {
    let size = rows.div_ceil(16).max(4 * SERIAL_ROWS);
    if rows <= size {
        return work(0..rows, total);
    }
    let partial = |piece: usize| {
        let mut sum = vec![T::zero(); total.len()];
        work(piece * size..rows.min((piece + 1) * size), &mut sum);
        sum
    };
    let partials: Vec<Vec<T>> = (0..rows.div_ceil(size)).into_par_iter().map(partial).collect();
    for partial in partials {
        total.iter_mut().zip(partial).for_each(|(total, part)| *total += part);
    }
}
