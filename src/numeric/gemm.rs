//! Products with small row-major matrices: C += A·B, tiled so that the sums stay in registers and
//! no operand is packed.
//!
//! A network's weights and the rows of a micro-batch lie in the first two levels of cache, where
//! packing, which general libraries do for large matrices, costs half as much as the product. A
//! tile is 6 rows × 16 columns in f32: twelve 256-bit registers of sums, as many as hide the
//! latency of a fused multiply-add, two of B and one of A. Each element is summed in the order of
//! k, in whatever tile it lies: the bits do not depend on how rows are cut into pieces.

use std::ops::Range;

use super::{Lanes, Real};

/// The left factor: element (i, k) is `data[i·row + k·column]`, and one of the two strides is 1.
#[derive(Clone, Copy)]
pub struct Left<'a, T> {
    data: &'a [T],
    width: usize,
    transposed: bool,
}

impl<'a, T> Left<'a, T> {
    /// A row-major matrix of `width` columns.
    pub fn rows(data: &'a [T], width: usize) -> Self {
        Left {
            data,
            width,
            transposed: false,
        }
    }
    /// The transpose of a row-major matrix of `width` columns.
    pub fn transposed(data: &'a [T], width: usize) -> Self {
        Left {
            data,
            width,
            transposed: true,
        }
    }
}

/// The transpose of a row-major matrix of `width` columns, row-major.
pub fn transpose<T: Real>(data: &[T], width: usize) -> Vec<T> {
    let height = data.len() / width.max(1);
    let mut turned = vec![T::zero(); data.len()];
    for (i, row) in data.chunks_exact(width.max(1)).enumerate() {
        turned[i..]
            .iter_mut()
            .step_by(height)
            .zip(row)
            .for_each(|(to, &from)| *to = from);
    }
    turned
}

/// `C += A·B` for A of m × k, B of k × n and C of m × n elements; B and C row-major, n = `columns`.
///
/// # Panics
/// Where the lengths of the three do not fit one another.
pub fn add_product<T: Real>(a: Left<'_, T>, b: &[T], c: &mut [T], columns: usize) {
    add_product_of(a, b, c, columns, 0..columns);
}

/// The columns `some` of [`add_product`], and perhaps up to seven more to either side.
///
/// # Panics
/// Where the lengths of the three do not fit one another.
pub fn add_product_of<T: Real>(
    a: Left<'_, T>,
    b: &[T],
    c: &mut [T],
    columns: usize,
    some: Range<usize>,
) {
    if columns == 0 || c.is_empty() || b.is_empty() {
        return;
    }
    let (m, k) = (c.len() / columns, b.len() / columns);
    let width = if a.transposed { m } else { k };
    assert!(
        a.width == width
            && a.data.len() == m * k
            && c.len() == m * columns
            && b.len() == k * columns,
        "sizes of a product"
    );
    // sixteen columns: two registers of eight f32; an f64 takes two registers for eight
    let step = if size_of::<T>() == 4 { 16 } else { 8 };
    let mut first = some.start / 8 * 8;
    let end = some.end.next_multiple_of(8).min(columns);
    while first + 8 <= end {
        if first + step <= end && step == 16 {
            column_block::<T, 2>(a, b, c, columns, first);
            first += 16;
        } else {
            column_block::<T, 1>(a, b, c, columns, first);
            first += 8;
        }
    }
    if first < end {
        last_columns(a, b, c, columns, first);
    }
}

/// The columns from `first`, fewer than eight: as eight, of which the last are zero.
fn last_columns<T: Real>(a: Left<'_, T>, b: &[T], c: &mut [T], n: usize, first: usize) {
    let mut padded = vec![T::zero(); b.len() / n * 8];
    for (to, from) in padded.chunks_exact_mut(8).zip(b.chunks_exact(n)) {
        to[..n - first].copy_from_slice(&from[first..]);
    }
    let mut sums = vec![T::zero(); c.len() / n * 8];
    column_block::<T, 1>(a, &padded, &mut sums, 8, 0);
    for (c, sums) in c.chunks_exact_mut(n).zip(sums.chunks_exact(8)) {
        c[first..]
            .iter_mut()
            .zip(sums)
            .for_each(|(c, &sum)| *c += sum);
    }
}

/// All rows of W·8 columns of C from `first`.
fn column_block<T: Real, const W: usize>(
    a: Left<'_, T>,
    b: &[T],
    c: &mut [T],
    n: usize,
    first: usize,
) {
    let m = c.len() / n;
    let mut row = 0;
    while row < m {
        let c = &mut c[row * n..];
        match m - row {
            6.. => row += tile::<T, 6, W>(a, b, c, n, row, first),
            4.. => row += tile::<T, 4, W>(a, b, c, n, row, first),
            2.. => row += tile::<T, 2, W>(a, b, c, n, row, first),
            _ => row += tile::<T, 1, W>(a, b, c, n, row, first),
        }
    }
}

/// R rows of A from `row` times W·8 columns of B from `first`, added to C, which begins at the
/// tile's first row. Returns R.
#[inline(never)]
fn tile<T: Real, const R: usize, const W: usize>(
    a: Left<'_, T>,
    b: &[T],
    c: &mut [T],
    n: usize,
    row: usize,
    first: usize,
) -> usize {
    let k = b.len() / n;
    let columns = b.chunks_exact(n).map(|of_k| {
        of_k[first..first + W * 8]
            .as_chunks::<8>()
            .0
            .first_chunk::<W>()
            .expect("W·8 columns")
    });
    let sums = if a.transposed {
        let rows = a
            .data
            .chunks_exact(a.width)
            .map(|of_k| of_k[row..].first_chunk::<R>().expect("R rows"));
        sums::<T, _, R, W>(rows.zip(columns), |rows, i| rows[i])
    } else {
        let rows: [&[T]; R] = std::array::from_fn(|i| &a.data[(row + i) * k..][..k]);
        sums::<T, _, R, W>((0..k).zip(columns), |step, i| rows[i][step])
    };
    for (i, sums) in sums.iter().enumerate() {
        for (sum, c) in sums
            .iter()
            .zip(c[i * n + first..][..W * 8].as_chunks_mut::<8>().0)
        {
            sum.add_to(c);
        }
    }
    R
}

/// Σ_k a_k[i]·b_k[j] of R rows i and W·8 columns j.
#[inline(always)]
fn sums<'a, T: Real, A: Copy, const R: usize, const W: usize>(
    steps: impl Iterator<Item = (A, &'a [[T; 8]; W])>,
    a: impl Fn(A, usize) -> T,
) -> [[Lanes<T>; W]; R] {
    let mut sums = [[Lanes::zero(); W]; R];
    for (step, b) in steps {
        let b: [Lanes<T>; W] = std::array::from_fn(|w| Lanes::load(&b[w]));
        for (i, sums) in sums.iter_mut().enumerate() {
            let a = Lanes::all(a(step, i));
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = Lanes::fma(a, b, *sum);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, whose products and sums are exact in any order.
    fn numbers<T: Real>(len: usize, seed: usize) -> Vec<T> {
        (0..len)
            .map(|i| T::of(((i * 7 + seed * 13 + i * i) % 11) as f64 - 5.0))
            .collect()
    }

    fn agrees_with_the_definition<T: Real>() {
        for (m, k, n) in [
            (1, 1, 1),
            (7, 3, 5),
            (13, 9, 16),
            (6, 64, 24),
            (31, 5, 33),
            (12, 17, 8),
            (11, 2, 17),
        ] {
            let (a, b) = (numbers::<T>(m * k, 1), numbers::<T>(k * n, 2));
            let start = numbers::<T>(m * n, 3);
            let (mut rows, mut turned) = (start.clone(), start.clone());
            add_product(Left::rows(&a, k), &b, &mut rows, n);
            add_product(Left::transposed(&transpose(&a, k), m), &b, &mut turned, n);
            for i in 0..m {
                for j in 0..n {
                    let sum: T = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
                    assert_eq!(
                        (rows[i * n + j], turned[i * n + j]),
                        (start[i * n + j] + sum, start[i * n + j] + sum),
                        "{m} {k} {n}"
                    );
                }
            }
        }
    }

    #[test]
    fn product_agrees_with_its_definition_at_every_remainder() {
        agrees_with_the_definition::<f32>();
        agrees_with_the_definition::<f64>();
    }

    #[test]
    fn some_columns_are_those_of_the_whole() {
        let (a, b) = (numbers::<f32>(7 * 5, 1), numbers::<f32>(5 * 35, 2));
        let mut whole = numbers::<f32>(7 * 35, 3);
        let start = whole.clone();
        add_product(Left::rows(&a, 5), &b, &mut whole, 35);
        for (some, computed) in [
            (0..8, 0..8),
            (9..15, 8..16),
            (20..33, 16..35),
            (3..35, 0..35),
        ] {
            let mut own = start.clone();
            add_product_of(Left::rows(&a, 5), &b, &mut own, 35, some);
            for (at, own) in own.iter().enumerate() {
                let expected = if computed.contains(&(at % 35)) {
                    &whole
                } else {
                    &start
                };
                assert_eq!(*own, expected[at]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "sizes of a product")]
    fn refuses_sizes_that_do_not_fit() {
        add_product(Left::rows(&[1.0f64; 6], 3), &[1.0; 4], &mut [0.0; 4], 2);
    }
}
