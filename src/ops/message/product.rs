//! Rows of channels, and products of a block's rows with small matrices, tiled so that the sums stay in registers.
//!
//! A tile is 4 rows × 16 columns: in f32 eight 256-bit registers of sums, as many as it takes to hide the latency of a fused
//! multiply-add, and two loads and four broadcasts for every eight of them. Where there are 8 columns, it is 8 rows × 8.
//!
//! Everything else goes through [`Eight`] channels at a time, a local copy that the compiler keeps in a register: it need
//! not prove that the slices which rows come from do not overlap.

use std::ops::{Deref, DerefMut};

use super::BLOCK;
use crate::engine::Real;

/// The channels of a token, an edge or a parameter; aligned, so that no register is loaded across a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Row<T, const N: usize>(pub [T; N]);

/// Eight channels: one 256-bit register in f32.
pub(super) type Eight<T> = [T; 8];

impl<T: Real, const N: usize> Row<T, N> {
    /// All zero.
    #[inline(always)]
    pub fn zero() -> Self {
        Row([T::zero(); N])
    }

    /// The row in parts of eight.
    #[inline(always)]
    pub fn eights(&self) -> &[Eight<T>] {
        self.0.as_chunks().0
    }

    /// The row in parts of eight.
    #[inline(always)]
    pub fn eights_mut(&mut self) -> &mut [Eight<T>] {
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
pub(super) fn plus<T: Real>(mut a: Eight<T>, b: &Eight<T>) -> Eight<T> {
    for i in 0..8 {
        a[i] += b[i];
    }
    a
}

/// a·b.
#[inline(always)]
pub(super) fn times<T: Real>(mut a: Eight<T>, b: &Eight<T>) -> Eight<T> {
    for i in 0..8 {
        a[i] *= b[i];
    }
    a
}

/// sum + x·a.
#[inline(always)]
pub(super) fn plus_scaled<T: Real>(mut sum: Eight<T>, x: T, a: &Eight<T>) -> Eight<T> {
    for i in 0..8 {
        sum[i] = T::fma(x, a[i], sum[i]);
    }
    sum
}

/// The sum of the eight.
#[inline(always)]
pub(super) fn total<T: Real>(a: Eight<T>) -> T {
    let [a0, a1, a2, a3, a4, a5, a6, a7] = a;
    ((a0 + a4) + (a2 + a6)) + ((a1 + a5) + (a3 + a7))
}

/// `to += Σ rows`.
#[inline(always)]
pub(super) fn add_rows<T: Real, const N: usize>(to: &mut Row<T, N>, rows: &[Row<T, N>; BLOCK]) {
    for (c, to) in to.eights_mut().iter_mut().enumerate() {
        let mut sum = *to;
        for row in rows {
            sum = plus(sum, &row.eights()[c]);
        }
        *to = sum;
    }
}

/// `out[e] = start + Σ_k x(e, k) · w[k]` for the edges e of a block and all rows k of `w`.
#[inline(always)]
pub(super) fn multiply<T: Real, const N: usize>(
    x: impl Fn(usize, usize) -> T + Copy,
    w: &[Row<T, N>],
    start: &Row<T, N>,
    out: &mut [Row<T, N>; BLOCK],
) {
    product(|k, e| x(e, k), w, Some(start), out);
}

/// `out[i] += Σ_e x(e, i) · z[e]` for all rows i of `out`.
#[inline(always)]
pub(super) fn accumulate<T: Real, const N: usize>(x: impl Fn(usize, usize) -> T + Copy, z: &[Row<T, N>; BLOCK], out: &mut [Row<T, N>]) {
    product(x, z, None, out);
}

/// `out[i] = start + Σ_k x(k, i) · z[k]`, where start may be the row itself.
#[inline(always)]
fn product<T: Real, const N: usize>(
    x: impl Fn(usize, usize) -> T + Copy,
    z: &[Row<T, N>],
    start: Option<&Row<T, N>>,
    out: &mut [Row<T, N>],
) {
    if !N.is_multiple_of(16) {
        return tiles::<T, N, 8, 8>(x, z, start, out, 0);
    }
    // 7 = 4 + 3 and 9 = 3 + 3 + 3: a tile of a single row would wait for its own sums
    let threes = out.len() * 3 % 4 * 3;
    let fours = out.len() - threes;
    tiles::<T, N, 16, 4>(x, z, start, &mut out[..fours], 0);
    tiles::<T, N, 16, 3>(x, z, start, &mut out[fours..], fours);
}

/// Tiles of R rows, and of one row for what is left over; `out` begins at row `first`.
#[inline(always)]
fn tiles<T: Real, const N: usize, const W: usize, const R: usize>(
    x: impl Fn(usize, usize) -> T + Copy,
    z: &[Row<T, N>],
    start: Option<&Row<T, N>>,
    out: &mut [Row<T, N>],
    first: usize,
) {
    for column in (0..N).step_by(W) {
        let (tiles, rest) = out.as_chunks_mut::<R>();
        let after = first + tiles.len() * R;
        for (index, out) in tiles.iter_mut().enumerate() {
            tile::<T, N, W, R>(|k, i| x(k, first + index * R + i), z, start, out, column);
        }
        for (index, out) in rest.iter_mut().enumerate() {
            tile::<T, N, W, 1>(|k, _| x(k, after + index), z, start, std::array::from_mut(out), column);
        }
    }
}

#[inline(always)]
fn tile<T: Real, const N: usize, const W: usize, const R: usize>(
    x: impl Fn(usize, usize) -> T,
    z: &[Row<T, N>],
    start: Option<&Row<T, N>>,
    out: &mut [Row<T, N>; R],
    column: usize,
) {
    let mut sum = [[T::zero(); W]; R];
    for (sum, out) in sum.iter_mut().zip(out.iter()) {
        sum.copy_from_slice(&start.unwrap_or(out)[column..column + W]);
    }
    for (k, z) in z.iter().enumerate() {
        let z: &[T; W] = z[column..column + W].try_into().expect("a tile lies within the row");
        for (i, sum) in sum.iter_mut().enumerate() {
            let x = x(k, i);
            for (sum, &z) in sum.iter_mut().zip(z) {
                *sum = T::fma(x, z, *sum);
            }
        }
    }
    for (sum, out) in sum.iter().zip(out.iter_mut()) {
        out[column..column + W].copy_from_slice(sum);
    }
}
