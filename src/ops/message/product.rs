//! Rows of channels, and products of a block's rows with small matrices, tiled so that the sums
//! stay in registers.
//!
//! A tile is 4 rows × 16 columns: in f32 eight 256-bit registers of sums, as many as it takes to
//! hide the latency of a fused multiply-add, and two loads and four broadcasts for every eight of
//! them. Where there are 8 columns, it is 8 rows × 8.
//!
//! Their functions are not inlined and take slices: where the compiler knows every length, it
//! hoists a product's scalars out of the loop over columns and spills them.
//!
//! Everything else goes through a [`Part`] of a row at a time, a local copy that the compiler keeps
//! in a register: it need not prove that the slices which rows come from do not overlap.

use std::ops::{Deref, DerefMut};

use super::{BLOCK, Lanes};
use crate::numeric::Real;

/// The channels of a token, an edge or a parameter; aligned, so that no register is loaded across a
/// cache line.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(in crate::ops) struct Row<T, const N: usize>(pub [T; N]);

/// Eight channels: one 256-bit register in f32.
pub(in crate::ops) type Part<T> = [T; 8];

impl<T: Real, const N: usize> Row<T, N> {
    /// All zero.
    #[inline(always)]
    pub fn zero() -> Self {
        Row([T::zero(); N])
    }

    /// The row in parts of eight.
    #[inline(always)]
    pub fn parts(&self) -> &[Part<T>] {
        self.0.as_chunks().0
    }

    /// The row in parts of eight.
    #[inline(always)]
    pub fn parts_mut(&mut self) -> &mut [Part<T>] {
        self.0.as_chunks_mut().0
    }
}

impl<T, const N: usize> Deref for Row<T, N> {
    type Target = [T; N];
    #[inline(always)]
    fn deref(&self) -> &[T; N] {
        &self.0
    }
}

impl<T, const N: usize> DerefMut for Row<T, N> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T; N] {
        &mut self.0
    }
}

/// a + b.
#[inline(always)]
pub(in crate::ops) fn plus<T: Real>(mut a: Part<T>, b: &Part<T>) -> Part<T> {
    for i in 0..8 {
        a[i] += b[i];
    }
    a
}

/// a·b.
#[inline(always)]
pub(in crate::ops) fn times<T: Real>(mut a: Part<T>, b: &Part<T>) -> Part<T> {
    for i in 0..8 {
        a[i] *= b[i];
    }
    a
}

/// sum + x·a.
#[inline(always)]
pub(in crate::ops) fn plus_scaled<T: Real>(mut sum: Part<T>, x: T, a: &Part<T>) -> Part<T> {
    for i in 0..8 {
        sum[i] = T::fma(x, a[i], sum[i]);
    }
    sum
}

/// The sum of the eight.
#[inline(always)]
pub(in crate::ops) fn total<T: Real>(a: Part<T>) -> T {
    let [a0, a1, a2, a3, a4, a5, a6, a7] = a;
    ((a0 + a4) + (a2 + a6)) + ((a1 + a5) + (a3 + a7))
}

/// `x *= by`, element by element, and `sum += Σ_e x[e]`.
#[inline(always)]
pub(in crate::ops) fn scale_and_sum<T: Real, const N: usize>(
    x: &mut [Row<T, N>; BLOCK],
    by: &[Row<T, N>; BLOCK],
    sum: &mut Row<T, N>,
) {
    for (c, to) in sum.parts_mut().iter_mut().enumerate() {
        let mut sum = *to;
        for (x, by) in x.iter_mut().zip(by) {
            let scaled = times(x.parts()[c], &by.parts()[c]);
            x.parts_mut()[c] = scaled;
            sum = plus(sum, &scaled);
        }
        *to = sum;
    }
}

/// `out[e] = start + Σ_k x[e][k] · w[k]` for the edges e of a block.
#[inline(never)]
pub(in crate::ops) fn multiply_rows<T: Real, const K: usize, const N: usize>(
    x: &[Row<T, K>; BLOCK],
    w: &[Row<T, N>; K],
    start: &Row<T, N>,
    out: &mut [Row<T, N>; BLOCK],
) {
    product(|| (0..K).zip(w), |k, e| x[e][k], Some(start), out);
}

/// `out[e] = start + Σ_k x[k][e] · w[k]` for the edges e of a block.
#[inline(never)]
pub(in crate::ops) fn multiply_lanes<T: Real, const N: usize>(
    x: &[Lanes<T>],
    w: &[Row<T, N>],
    start: &Row<T, N>,
    out: &mut [Row<T, N>; BLOCK],
) {
    product(|| x.iter().zip(w), |x, e| x[e], Some(start), out);
}

/// `out[k] += Σ_e x[e][k] · z[e]`.
#[inline(never)]
pub(in crate::ops) fn accumulate_rows<T: Real, const K: usize, const N: usize>(
    x: &[Row<T, K>; BLOCK],
    z: &[Row<T, N>; BLOCK],
    out: &mut [Row<T, N>; K],
) {
    product(|| x.iter().zip(z), |x, k| x[k], None, out);
}

/// `out[k] += Σ_e x[k][e] · z[e]`.
#[inline(never)]
pub(in crate::ops) fn accumulate_lanes<T: Real, const K: usize, const N: usize>(
    x: &[Lanes<T>; K],
    z: &[Row<T, N>],
    out: &mut [Row<T, N>; K],
) {
    product(|| (0..BLOCK).zip(z), |e, k| x[k][e % BLOCK], None, out);
}

/// `out[i] = start + Σ x_i · z` over the steps (x, z), where start may be the row itself.
#[inline(always)]
fn product<'a, T: Real, const N: usize, X: Copy, S: Iterator<Item = (X, &'a Row<T, N>)>>(
    steps: impl Fn() -> S,
    x: impl Fn(X, usize) -> T + Copy,
    start: Option<&Row<T, N>>,
    out: &mut [Row<T, N>],
) {
    if !N.is_multiple_of(16) {
        return tiles::<T, N, 1, 8, X, S>(steps, x, start, out, 0);
    }
    // 7 = 4 + 3 and 9 = 3 + 3 + 3: a tile of a single row would wait for its own sums
    let threes = out.len() * 3 % 4 * 3;
    let fours = out.len() - threes;
    tiles::<T, N, 2, 4, X, S>(&steps, x, start, &mut out[..fours], 0);
    tiles::<T, N, 2, 3, X, S>(&steps, x, start, &mut out[fours..], fours);
}

/// Tiles of R rows, and of one row for what is left over; `out` begins at row `first`.
#[inline(always)]
fn tiles<
    'a,
    T: Real,
    const N: usize,
    const W: usize,
    const R: usize,
    X: Copy,
    S: Iterator<Item = (X, &'a Row<T, N>)>,
>(
    steps: impl Fn() -> S,
    x: impl Fn(X, usize) -> T + Copy,
    start: Option<&Row<T, N>>,
    out: &mut [Row<T, N>],
    first: usize,
) {
    for column in (0..N / 8).step_by(W) {
        let (tiles, rest) = out.as_chunks_mut::<R>();
        let after = first + tiles.len() * R;
        for (index, out) in tiles.iter_mut().enumerate() {
            tile::<T, N, W, R, X>(
                steps(),
                |step, i| x(step, first + index * R + i),
                start,
                out,
                column,
            );
        }
        for (index, out) in rest.iter_mut().enumerate() {
            tile::<T, N, W, 1, X>(
                steps(),
                |step, _| x(step, after + index),
                start,
                std::array::from_mut(out),
                column,
            );
        }
    }
}

#[inline(always)]
fn tile<'a, T: Real, const N: usize, const W: usize, const R: usize, X: Copy>(
    steps: impl Iterator<Item = (X, &'a Row<T, N>)>,
    x: impl Fn(X, usize) -> T,
    start: Option<&Row<T, N>>,
    out: &mut [Row<T, N>; R],
    column: usize,
) {
    let mut sum = [[[T::zero(); 8]; W]; R];
    for (sum, out) in sum.iter_mut().zip(out.iter()) {
        sum.copy_from_slice(&start.unwrap_or(out).parts()[column..column + W]);
    }
    for (step, z) in steps {
        let z: &[Part<T>; W] = z.parts()[column..column + W]
            .try_into()
            .expect("a tile lies within the row");
        for (i, sum) in sum.iter_mut().enumerate() {
            let x = x(step, i);
            for (sum, z) in sum.iter_mut().zip(z) {
                *sum = plus_scaled(*sum, x, z);
            }
        }
    }
    for (sum, out) in sum.iter().zip(out.iter_mut()) {
        out.parts_mut()[column..column + W].copy_from_slice(sum);
    }
}
