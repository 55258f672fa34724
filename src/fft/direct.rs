//! The geometric long convolution and its gradients by the double sum: faster than a transform for
//! short systems.
//!
//! The first factor is stored already multiplied by λ, eleven values a token, so that every pair of
//! tokens costs sixteen multiply-adds. Two outputs are computed at a time, which gives the
//! processor independent sums to work on.

use super::Padding;
use super::lanes::{Lanes, Row};
use crate::numeric::Real;

/// λ1 α, λ2 r, λ3 α, λ4 r, λ5 r.
pub(super) type Weighted<T> = [Lanes<T>; 11];

/// The first factor times λ.
pub(super) fn weighted<T: Real>([a, x, y, z]: &Row<T>, l: &[Lanes<T>; 5]) -> Weighted<T> {
    let ([a, x, y, z], [l1, l2, l3, l4, l5]) = ([*a, *x, *y, *z], *l);
    [
        l1 * a,
        l2 * x,
        l2 * y,
        l2 * z,
        l3 * a,
        l4 * x,
        l4 * y,
        l4 * z,
        l5 * x,
        l5 * y,
        l5 * z,
    ]
}

/// sum += a·b, the geometric product.
#[inline(always)]
fn accumulate<T: Real>(sum: &mut Row<T>, a: &Weighted<T>, b: &Row<T>) {
    let (f, g) = (Lanes::fma, Lanes::fnma);
    sum[0] = f(
        a[3],
        b[3],
        f(a[2], b[2], f(a[1], b[1], f(a[0], b[0], sum[0]))),
    );
    sum[1] = g(
        a[10],
        b[2],
        f(a[9], b[3], f(a[5], b[0], f(a[4], b[1], sum[1]))),
    );
    sum[2] = g(
        a[8],
        b[3],
        f(a[10], b[1], f(a[6], b[0], f(a[4], b[2], sum[2]))),
    );
    sum[3] = g(
        a[9],
        b[1],
        f(a[8], b[2], f(a[7], b[0], f(a[4], b[3], sum[3]))),
    );
}

/// sum += the gradient of b where d is that of a·b.
#[inline(always)]
fn accumulate_second<T: Real>(sum: &mut Row<T>, a: &Weighted<T>, d: &Row<T>) {
    let (f, g) = (Lanes::fma, Lanes::fnma);
    sum[0] = f(
        a[7],
        d[3],
        f(a[6], d[2], f(a[5], d[1], f(a[0], d[0], sum[0]))),
    );
    sum[1] = g(
        a[9],
        d[3],
        f(a[10], d[2], f(a[1], d[0], f(a[4], d[1], sum[1]))),
    );
    sum[2] = g(
        a[10],
        d[1],
        f(a[8], d[3], f(a[2], d[0], f(a[4], d[2], sum[2]))),
    );
    sum[3] = g(
        a[8],
        d[2],
        f(a[9], d[1], f(a[3], d[0], f(a[4], d[3], sum[3]))),
    );
}

/// sum += the gradients of the eleven weighted values of a.
#[inline(always)]
fn accumulate_first<T: Real>(sum: &mut Weighted<T>, b: &Row<T>, d: &Row<T>) {
    let (f, g) = (Lanes::fma, Lanes::fnma);
    sum[0] = f(b[0], d[0], sum[0]);
    for h in 1..4 {
        sum[h] = f(b[h], d[0], sum[h]);
        sum[h + 4] = f(b[0], d[h], sum[h + 4]);
    }
    // One addition to the running sum, not three in a row: the chain would bound the speed.
    sum[4] += f(b[3], d[3], f(b[2], d[2], b[1] * d[1]));
    sum[8] = g(b[3], d[2], f(b[2], d[3], sum[8]));
    sum[9] = g(b[1], d[3], f(b[3], d[1], sum[9]));
    sum[10] = g(b[2], d[1], f(b[1], d[2], sum[10]));
}

/// out_i = Σ_j a_j·b_{i−j}.
pub(super) fn forward<T: Real>(
    padding: Padding,
    a: &[Weighted<T>],
    b: &[Row<T>],
    out: &mut [Row<T>],
) {
    for (pair, out) in out.chunks_mut(2).enumerate() {
        let i = 2 * pair;
        let mut sums = [[Lanes::zero(); 4]; 2];
        let zip = |sums: &mut [Row<T>; 2], a: &[Weighted<T>], b: &[Row<T>]| {
            for (a, b) in a.iter().zip(b.windows(2).rev()) {
                accumulate(&mut sums[0], a, &b[0]);
                accumulate(&mut sums[1], a, &b[1]);
            }
        };
        if let [first, second] = out {
            zip(&mut sums, &a[..=i], &b[..i + 2]);
            accumulate(&mut sums[1], &a[i + 1], &b[0]);
            if padding == Padding::Circular {
                accumulate(&mut sums[0], &a[i + 1], &b[b.len() - 1]);
                zip(&mut sums, &a[i + 2..], &b[i + 1..]);
            }
            (*first, *second) = (sums[0], sums[1]);
        } else {
            let [sum, _] = &mut sums;
            a.iter()
                .zip(b.iter().rev())
                .for_each(|(a, b)| accumulate(sum, a, b));
            out[0] = *sum;
        }
    }
}

/// Gradients of the weighted first factor, handed to `first` token by token, and of the second one.
pub(super) fn backward<T: Real>(
    padding: Padding,
    a: &[Weighted<T>],
    b: &[Row<T>],
    d: &[Row<T>],
    mut first: impl FnMut(usize, &Weighted<T>),
    d_b: &mut [Row<T>],
) {
    let n = d.len();
    for j in 0..n {
        let mut sum = [Lanes::zero(); 11];
        b.iter()
            .zip(&d[j..])
            .for_each(|(b, d)| accumulate_first(&mut sum, b, d));
        if padding == Padding::Circular {
            b[n - j..]
                .iter()
                .zip(d)
                .for_each(|(b, d)| accumulate_first(&mut sum, b, d));
        }
        first(j, &sum);
    }
    for (pair, d_b) in d_b.chunks_mut(2).enumerate() {
        let j = 2 * pair;
        let mut sums = [[Lanes::zero(); 4]; 2];
        let zip = |sums: &mut [Row<T>; 2], a: &[Weighted<T>], d: &[Row<T>]| {
            for (a, d) in a.iter().zip(d.windows(2)) {
                accumulate_second(&mut sums[0], a, &d[0]);
                accumulate_second(&mut sums[1], a, &d[1]);
            }
        };
        if let [first, second] = d_b {
            zip(&mut sums, a, &d[j..]);
            accumulate_second(&mut sums[0], &a[n - 1 - j], &d[n - 1]);
            if padding == Padding::Circular {
                accumulate_second(&mut sums[1], &a[n - 1 - j], &d[0]);
                zip(&mut sums, &a[n - j..], d);
            }
            (*first, *second) = (sums[0], sums[1]);
        } else {
            let [sum, _] = &mut sums;
            a.iter()
                .zip(&d[j..])
                .for_each(|(a, d)| accumulate_second(sum, a, d));
            if padding == Padding::Circular {
                a[n - j..]
                    .iter()
                    .zip(d)
                    .for_each(|(a, d)| accumulate_second(sum, a, d));
            }
            d_b[0] = *sum;
        }
    }
}
