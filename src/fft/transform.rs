//! Complex Fourier transforms along the tokens of a block of eight channels, in place.
//!
//! The transform of a 2,3,5,7-smooth length n takes one pass per radix (Cooley and Tukey 1965):
//! decimation in frequency forward, which leaves the spectrum in digit-reversed order, and its
//! mirror image back, which takes it in that order. A convolution only has to find −f for each f
//! ([`Plan::pairs`]), so nothing is ever permuted. Each pass is followed by the whole transform of
//! each of its parts, so that what a part needs is still in the nearest cache.
//!
//! Both complex numbers of a row are transformed: α + i·r_x and r_y + i·r_z.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rayon::prelude::*;

use super::lanes::{Complex, Lanes, Row};
use crate::numeric::Real;

/// Rows of a transform from which several threads are at work on it, and those of one of their
/// shares.
const SHARED: usize = 1 << 15;
const SHARE: usize = 1 << 12;

/// A pass: its radix, and w^{jt} for t = 1 … radix − 1 of each j, where w = e^{−2πi/length}.
struct Pass<T> {
    radix: usize,
    twiddles: Vec<[T; 2]>,
}

/// What the transforms of one length need.
pub(super) struct Plan<T> {
    passes: Vec<Pass<T>>,
    /// Positions of f and −f in a spectrum, every unordered pair once, ascending.
    pub pairs: Vec<[u32; 2]>,
}

/// The radices of a smooth length: a four is cheaper than two twos.
fn radices(mut n: usize) -> Vec<usize> {
    let mut radices = Vec::new();
    for radix in [7, 5, 3, 4, 2] {
        while n.is_multiple_of(radix) {
            radices.push(radix);
            n /= radix;
        }
    }
    assert_eq!(n, 1, "transform length with a prime factor above 7");
    radices
}

/// (cos, −sin) of 2π·index/n, exact at the quarters.
fn root(index: usize, n: usize) -> [f64; 2] {
    let angle = std::f64::consts::TAU * (index % n) as f64 / n as f64;
    [angle.cos(), -angle.sin()]
}

impl<T: Real> Plan<T> {
    /// The plan of length `n` (2,3,5,7-smooth), made once per process.
    pub fn of(n: usize) -> Arc<Plan<T>> {
        type Plans = Mutex<HashMap<(TypeId, usize), Arc<dyn Any + Send + Sync>>>;
        static PLANS: LazyLock<Plans> = LazyLock::new(Plans::default);
        let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = plans
            .entry((TypeId::of::<T>(), n))
            .or_insert_with(|| Arc::new(Plan::<T>::new(n)));
        plan.clone()
            .downcast()
            .expect("a plan is stored under the type that it is for")
    }

    fn new(n: usize) -> Plan<T> {
        let mut passes = Vec::new();
        let mut positions = vec![0u32];
        let mut length = n;
        for radix in radices(n) {
            let part = length / radix;
            let twiddles = (0..part)
                .flat_map(|j| (1..radix).map(move |t| root(j * t, length).map(T::of)))
                .collect();
            passes.push(Pass { radix, twiddles });
            length = part;
        }
        // From the last pass to the first: frequency t + radix·f of a transform is frequency f of
        // its part t.
        for pass in passes.iter().rev() {
            let part = positions.len();
            positions = (0..part * pass.radix)
                .map(|f| (f % pass.radix * part) as u32 + positions[f / pass.radix])
                .collect();
        }
        let mut pairs: Vec<_> = (0..=n / 2)
            .map(|f| [positions[f], positions[(n - f) % n]])
            .collect();
        pairs.iter_mut().for_each(|pair| pair.sort_unstable());
        pairs.sort_unstable();
        Plan { passes, pairs }
    }

    /// Σ_j x_j e^{−2πi f j/n}, frequencies in the plan's order.
    pub fn forward(&self, rows: &mut [Row<T>]) {
        transform::<T, false>(&self.passes, rows, false);
    }

    /// [`Plan::forward`] over threads: the same bits.
    pub fn forward_by_all(&self, rows: &mut [Row<T>]) {
        transform::<T, false>(&self.passes, rows, true);
    }

    /// Σ_f X_f e^{2πi f j/n} of a spectrum in the plan's order: n times what went into
    /// [`Plan::forward`].
    pub fn inverse(&self, rows: &mut [Row<T>]) {
        transform::<T, true>(&self.passes, rows, false);
    }

    /// [`Plan::inverse`] over threads: the same bits.
    pub fn inverse_by_all(&self, rows: &mut [Row<T>]) {
        transform::<T, true>(&self.passes, rows, true);
    }
}

/// By all threads where `shared` and there are many rows.
fn transform<T: Real, const INVERSE: bool>(passes: &[Pass<T>], rows: &mut [Row<T>], shared: bool) {
    let Some((pass, rest)) = passes.split_first() else {
        return;
    };
    let shared = shared && rows.len() >= SHARED;
    let parts = |rows: &mut [Row<T>]| {
        let part = rows.len() / pass.radix;
        let whole = |part: &mut [Row<T>]| transform::<T, INVERSE>(rest, part, shared);
        if shared {
            rows.par_chunks_exact_mut(part).for_each(whole);
        } else if !rest.is_empty() {
            rows.chunks_exact_mut(part).for_each(whole);
        }
    };
    if INVERSE {
        parts(rows);
    }
    match pass.radix {
        2 => run::<T, 2, INVERSE>(
            &pass.twiddles,
            rows,
            shared,
            #[inline(always)]
            |z| dft2(z),
        ),
        3 => run::<T, 3, INVERSE>(
            &pass.twiddles,
            rows,
            shared,
            #[inline(always)]
            |z| dft3(z),
        ),
        4 => run::<T, 4, INVERSE>(
            &pass.twiddles,
            rows,
            shared,
            #[inline(always)]
            |z| dft4(z),
        ),
        5 => run::<T, 5, INVERSE>(
            &pass.twiddles,
            rows,
            shared,
            #[inline(always)]
            |z| dft5(z),
        ),
        _ => run::<T, 7, INVERSE>(
            &pass.twiddles,
            rows,
            shared,
            #[inline(always)]
            |z| dft7(z),
        ),
    }
    if !INVERSE {
        parts(rows);
    }
}

/// One pass. The inverse is the forward one with real and imaginary parts exchanged on the way in
/// and out: i·conj(z) turns every factor into its conjugate.
#[inline(always)]
fn run<T: Real, const R: usize, const INVERSE: bool>(
    twiddles: &[[T; 2]],
    rows: &mut [Row<T>],
    shared: bool,
    dft: impl Fn([Complex<T>; R]) -> [Complex<T>; R] + Copy + Sync,
) {
    let part = rows.len() / R;
    let mut parts = rows.chunks_exact_mut(part);
    let mut parts: [&mut [Row<T>]; R] = std::array::from_fn(|_| parts.next().expect("R parts"));
    if !shared {
        return butterflies::<T, R, INVERSE>(twiddles, &mut parts, part > 1, dft);
    }
    let shares = (0..part).step_by(SHARE).map(|first| {
        let count = SHARE.min(part - first);
        let own = parts
            .each_mut()
            .map(|part| part.split_off_mut(..count).expect("its rows"));
        (&twiddles[first * (R - 1)..(first + count) * (R - 1)], own)
    });
    let shares: Vec<_> = shares.collect();
    shares.into_par_iter().for_each(|(twiddles, mut parts)| {
        butterflies::<T, R, INVERSE>(twiddles, &mut parts, true, dft);
    });
}

/// The rows of R parts that these factors are for.
#[inline(always)]
fn butterflies<T: Real, const R: usize, const INVERSE: bool>(
    twiddles: &[[T; 2]],
    parts: &mut [&mut [Row<T>]; R],
    turns: bool,
    dft: impl Fn([Complex<T>; R]) -> [Complex<T>; R],
) {
    for (j, factors) in twiddles.chunks_exact(R - 1).enumerate() {
        for pair in [0, 2] {
            let (re, im) = if INVERSE {
                (pair + 1, pair)
            } else {
                (pair, pair + 1)
            };
            let mut z = [Complex::zero(); R];
            for t in 0..R {
                z[t] = Complex::new(parts[t][j][re], parts[t][j][im]);
            }
            if INVERSE && turns {
                turn(&mut z, factors);
            }
            z = dft(z);
            if !INVERSE && turns {
                turn(&mut z, factors);
            }
            for t in 0..R {
                parts[t][j][re] = z[t].re;
                parts[t][j][im] = z[t].im;
            }
        }
    }
}

#[inline(always)]
fn turn<T: Real, const R: usize>(z: &mut [Complex<T>; R], factors: &[[T; 2]]) {
    for (z, &[re, im]) in z[1..].iter_mut().zip(factors) {
        *z = Complex::product(Complex::new(Lanes::all(re), Lanes::all(im)), *z);
    }
}

#[inline(always)]
fn dft2<T: Real>([a, b]: [Complex<T>; 2]) -> [Complex<T>; 2] {
    [a + b, a - b]
}

#[inline(always)]
fn dft4<T: Real>([a, b, c, d]: [Complex<T>; 4]) -> [Complex<T>; 4] {
    let ([s, t], [u, v]) = (dft2([a, c]), dft2([b, d]));
    let v = v.turned();
    [s + u, t - v, s - u, t + v]
}

#[inline(always)]
fn dft3<T: Real>(z: [Complex<T>; 3]) -> [Complex<T>; 3] {
    odd::<T, 3, 1>(z, [[-0.5]], [[0.866_025_403_784_438_6]])
}

#[inline(always)]
fn dft5<T: Real>(z: [Complex<T>; 5]) -> [Complex<T>; 5] {
    const C: [f64; 2] = [0.309_016_994_374_947_45, -0.809_016_994_374_947_5];
    const S: [f64; 2] = [0.951_056_516_295_153_5, 0.587_785_252_292_473_1];
    odd::<T, 5, 2>(z, [C, [C[1], C[0]]], [S, [S[1], -S[0]]])
}

#[inline(always)]
fn dft7<T: Real>(z: [Complex<T>; 7]) -> [Complex<T>; 7] {
    const C: [f64; 3] = [
        0.623_489_801_858_733_5,
        -0.222_520_933_956_314_4,
        -0.900_968_867_902_419_1,
    ];
    const S: [f64; 3] = [
        0.781_831_482_468_029_8,
        0.974_927_912_181_823_6,
        0.433_883_739_117_558_1,
    ];
    let cos = [C, [C[1], C[2], C[0]], [C[2], C[0], C[1]]];
    let sin = [S, [S[1], -S[2], -S[0]], [S[2], -S[0], S[1]]];
    odd::<T, 7, 3>(z, cos, sin)
}

/// A transform of odd prime length: `cos[t][u]` and `sin[t][u]` are those of 2π(t + 1)(u + 1)/R.
/// Inputs u and R − u enter as sum and difference, outputs t and R − t leave as difference and sum.
#[inline(always)]
fn odd<T: Real, const R: usize, const H: usize>(
    z: [Complex<T>; R],
    cos: [[f64; H]; H],
    sin: [[f64; H]; H],
) -> [Complex<T>; R] {
    let (mut sums, mut differences) = ([z[0]; H], [z[0]; H]);
    let mut out = z;
    for u in 0..H {
        sums[u] = z[u + 1] + z[R - 1 - u];
        differences[u] = z[u + 1] - z[R - 1 - u];
        out[0] = out[0] + sums[u];
    }
    for t in 0..H {
        let mut even = z[0];
        let mut odd = differences[0].scaled(Lanes::all(T::of(sin[t][0])));
        for u in 0..H {
            even = even.plus(Lanes::all(T::of(cos[t][u])), sums[u]);
            if u > 0 {
                odd = odd.plus(Lanes::all(T::of(sin[t][u])), differences[u]);
            }
        }
        let odd = odd.turned();
        out[t + 1] = even - odd;
        out[R - 1 - t] = even + odd;
    }
    out
}
