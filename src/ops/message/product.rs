//! Products of a block's rows with small matrices, tiled so that the sums stay in registers.
//!
//! In all of them a tile is 4 rows × `W` columns: with `W` = 16 in f32, eight 256-bit registers, as many sums as it takes
//! to hide the latency of a fused multiply-add, and two loads and four broadcasts for every eight of them.

use super::BLOCK;
use crate::engine::Real;

/// Rows of a tile.
const TILE: usize = 4;

/// `out[e] += Σ_k x(e, k) · w[k]` for the edges e of a block and all rows k of `w`.
#[inline(always)]
pub(super) fn multiply<T: Real, const N: usize>(x: impl Fn(usize, usize) -> T + Copy, w: &[[T; N]], out: &mut [[T; N]; BLOCK]) {
    if N.is_multiple_of(16) {
        tiles::<T, N, 16>(w.len(), x, w, out);
    } else {
        tiles::<T, N, 8>(w.len(), x, w, out);
    }
}

/// `out[k] += Σ_e x(e, k) · z[e]` for all rows k of `out`.
#[inline(always)]
pub(super) fn accumulate<T: Real, const N: usize>(x: impl Fn(usize, usize) -> T + Copy, z: &[[T; N]; BLOCK], out: &mut [[T; N]]) {
    if N.is_multiple_of(16) {
        tiles::<T, N, 16>(BLOCK, |k, e| x(e, k), z, out);
    } else {
        tiles::<T, N, 8>(BLOCK, |k, e| x(e, k), z, out);
    }
}

/// `out[i] += Σ_{k < depth} x(i, k) · w[k]` for all rows i of `out`.
#[inline(always)]
fn tiles<T: Real, const N: usize, const W: usize>(depth: usize, x: impl Fn(usize, usize) -> T + Copy, w: &[[T; N]], out: &mut [[T; N]]) {
    let rows = out.len();
    for column in (0..N).step_by(W) {
        let mut row = 0;
        while row + TILE <= rows {
            tile::<T, N, W, TILE>(depth, |i, k| x(row + i, k), w, &mut out[row..row + TILE], column);
            row += TILE;
        }
        while row < rows {
            tile::<T, N, W, 1>(depth, |_, k| x(row, k), w, &mut out[row..row + 1], column);
            row += 1;
        }
    }
}

#[inline(always)]
fn tile<T: Real, const N: usize, const W: usize, const R: usize>(
    depth: usize,
    x: impl Fn(usize, usize) -> T,
    w: &[[T; N]],
    out: &mut [[T; N]],
    column: usize,
) {
    let mut sum = [[T::zero(); W]; R];
    for (sum, out) in sum.iter_mut().zip(out.iter()) {
        sum.copy_from_slice(&out[column..column + W]);
    }
    for (k, w) in w[..depth].iter().enumerate() {
        let w: &[T; W] = w[column..column + W].try_into().expect("a tile lies within the row");
        for (i, sum) in sum.iter_mut().enumerate() {
            let x = x(i, k);
            for (sum, &w) in sum.iter_mut().zip(w) {
                *sum = T::fma(x, w, *sum);
            }
        }
    }
    for (sum, out) in sum.iter().zip(out.iter_mut()) {
        out[column..column + W].copy_from_slice(sum);
    }
}
