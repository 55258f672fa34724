//! The point-wise products of the geometric long convolution in the frequency domain.
//!
//! A row of a spectrum holds the transforms of α + i·r_x and r_y + i·r_z. Rows f and −f together
//! hold the spectra of the four real signals (and conj of them at −f), which is why rows are
//! visited in pairs.

use super::lanes::{Complex, Lanes, Row};
use crate::numeric::Real;

/// The spectra of four real signals at one frequency.
type Bin<T> = [Complex<T>; 4];

/// Twice the spectra of the four signals, from the rows at f and −f.
#[inline(always)]
fn unpack<T: Real>(at: &Row<T>, mirror: &Row<T>) -> Bin<T> {
    let part = |re: usize, im: usize| {
        // (z(f) ± conj z(−f)), the second divided by i
        let even = Complex::new(at[re] + mirror[re], at[im] - mirror[im]);
        let odd = Complex::new(at[im] + mirror[im], mirror[re] - at[re]);
        [even, odd]
    };
    let ([a, x], [y, z]) = (part(0, 1), part(2, 3));
    [a, x, y, z]
}

/// The rows at f and −f that hold these spectra of four real signals.
#[inline(always)]
fn pack<T: Real>(bin: Bin<T>) -> (Row<T>, Row<T>) {
    let part = |even: Complex<T>, odd: Complex<T>| {
        (even + odd.turned(), even.conj() + odd.conj().turned())
    };
    let ((a, b), (c, d)) = (part(bin[0], bin[1]), part(bin[2], bin[3]));
    ([a.re, a.im, c.re, c.im], [b.re, b.im, d.re, d.im])
}

#[inline(always)]
fn dot<T: Real>(a: &Bin<T>, b: &Bin<T>) -> Complex<T> {
    Complex::product(a[1], b[1])
        .plus_product(a[2], b[2])
        .plus_product(a[3], b[3])
}

#[inline(always)]
fn cross<T: Real>(a: &Bin<T>, b: &Bin<T>) -> [Complex<T>; 3] {
    let minor = |s: usize, t: usize| Complex::product(a[s], b[t]) - Complex::product(a[t], b[s]);
    [minor(2, 3), minor(3, 1), minor(1, 2)]
}

#[inline(always)]
fn conj<T: Real>(bin: &Bin<T>) -> Bin<T> {
    bin.map(Complex::conj)
}

/// Replaces the spectrum of q by that of the convolution, 4 times too large (λ must contain ¼).
pub(super) fn forward<T: Real>(
    pairs: &[[u32; 2]],
    q: &mut [Row<T>],
    k: &[Row<T>],
    lambda: &[Lanes<T>; 5],
) {
    let l = lambda;
    for &[at, mirror] in pairs {
        let at = at as usize;
        let mirror = mirror as usize;
        let (a, b) = (unpack(&q[at], &q[mirror]), unpack(&k[at], &k[mirror]));
        let c = cross(&a, &b);
        let scalar = Complex::product(a[0], b[0])
            .scaled(l[0])
            .plus(l[1], dot(&a, &b));
        let left = a[0].scaled(l[2]);
        let right = b[0].scaled(l[3]);
        let vector = |h: usize| {
            Complex::product(left, b[h + 1])
                .plus_product(right, a[h + 1])
                .plus(l[4], c[h])
        };
        (q[at], q[mirror]) = pack([scalar, vector(0), vector(1), vector(2)]);
    }
}

/// Replaces the spectra of q and k by those of their gradients, 4 times too large (λ must contain
/// ¼), where `d` is the spectrum of the gradient of the output. Returns the gradient of λ without
/// the factor 1/(4n).
pub(super) fn backward<T: Real>(
    pairs: &[[u32; 2]],
    q: &mut [Row<T>],
    k: &mut [Row<T>],
    d: &[Row<T>],
    lambda: &[Lanes<T>; 5],
) -> [Lanes<T>; 5] {
    let l = lambda;
    let mut d_lambda = [Lanes::zero(); 5];
    for &[at, mirror] in pairs {
        let at = at as usize;
        let mirror = mirror as usize;
        let (a, b, d) = (
            unpack(&q[at], &q[mirror]),
            unpack(&k[at], &k[mirror]),
            unpack(&d[at], &d[mirror]),
        );
        let (a, b) = (conj(&a), conj(&b));
        // What each term of the product hands to q; ⟨d, a × b⟩ = ⟨a, b × d⟩ = ⟨b, d × a⟩.
        let by_scalar = Complex::product(b[0], d[0]);
        let by_dot = dot(&b, &d);
        let by_cross = cross(&b, &d);
        // Parseval over half a spectrum: a row that is not its own mirror image stands for two.
        let weight = Lanes::all(T::of(if at == mirror { 0.5 } else { 1.0 }));
        let mut add = |term: usize, product: Complex<T>| {
            d_lambda[term] = Lanes::fma(weight, product.re, d_lambda[term]);
        };
        let tied = |x: [Complex<T>; 3]| {
            Complex::product(a[1], x[0])
                .plus_product(a[2], x[1])
                .plus_product(a[3], x[2])
        };
        add(0, Complex::product(a[0], by_scalar));
        add(1, tied([1, 2, 3].map(|h| Complex::product(b[h], d[0]))));
        add(2, Complex::product(a[0], by_dot));
        add(3, tied([1, 2, 3].map(|h| Complex::product(b[0], d[h]))));
        add(4, tied(by_cross));

        let left = d[0].scaled(l[1]);
        let right = b[0].scaled(l[3]);
        let to_q = |h: usize| {
            Complex::product(b[h], left)
                .plus_product(right, d[h])
                .plus(l[4], by_cross[h - 1])
        };
        let q_bin = [
            by_scalar.scaled(l[0]).plus(l[2], by_dot),
            to_q(1),
            to_q(2),
            to_q(3),
        ];
        let turned = cross(&d, &a);
        let right = a[0].scaled(l[2]);
        let to_k = |h: usize| {
            Complex::product(a[h], left)
                .plus_product(right, d[h])
                .plus(l[4], turned[h - 1])
        };
        let k_bin = [
            Complex::product(a[0], d[0])
                .scaled(l[0])
                .plus(l[3], dot(&a, &d)),
            to_k(1),
            to_k(2),
            to_k(3),
        ];
        (q[at], q[mirror]) = pack(q_bin);
        (k[at], k[mirror]) = pack(k_bin);
    }
    d_lambda
}
