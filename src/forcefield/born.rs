//! OBC2 Born radii: the pairwise descreening integral, its derivative, and the tanh that makes
//! radii of integrals.
//!
//! Hawkins, Cramer, Truhlar, J. Phys. Chem. 100, 19824 (1996), eq. 8 to 10, for the integral;
//! Onufriev, Bashford, Case, Proteins 55, 383 (2004), model II, for the radii.

use super::OBC_OFFSET;
use super::lanes::{Atoms, Block, LANES, PairReal, Sums, add_to};
use super::tiles::{Codes, Pair, TileKernel};
use super::vector::Vector;
use crate::numeric::Eight;

const ALPHA: f64 = 1.0;
const BETA: f64 = 0.8;
const GAMMA: f64 = 4.85;

/// What atoms j (screened radius s) add to the Born integrals of atoms i (radius ρ̃), 1/Å.
#[inline(always)]
fn integral<T: PairReal>(
    r: T::Eight,
    inverse_r: T::Eight,
    radius: T::Eight,
    s: T::Eight,
) -> T::Eight {
    let bounds = Bounds::<T>::new(r, radius, s);
    let half = T::Eight::all(T::of(0.5));
    let quarter = half * half * (r - s * s * inverse_r) * bounds.squares;
    let value = half
        * (bounds.inverse_lower - bounds.inverse_upper
            + quarter
            + half * bounds.logarithm * inverse_r);
    value.kept(radius.below(bounds.upper))
}

/// The derivative of [`integral`] by r, over r, 1/Å³.
///
/// The terms through U and L cancel, but for L = s − r, where atom i lies inside atom j.
#[inline(always)]
fn integral_slope<T: PairReal>(
    r: T::Eight,
    inverse_r: T::Eight,
    radius: T::Eight,
    s: T::Eight,
) -> T::Eight {
    let bounds = Bounds::<T>::new(r, radius, s);
    let half = T::Eight::all(T::of(0.5));
    let inverse_r2 = inverse_r * inverse_r;
    let quarter = half * half * (T::Eight::all(T::one()) + s * s * inverse_r2) * bounds.squares;
    let inside = (bounds.inverse_lower * bounds.inverse_lower).kept(radius.below(s - r));
    let value = (half * (quarter - half * bounds.logarithm * inverse_r2) + inside) * inverse_r;
    value.kept(radius.below(bounds.upper))
}

/// What [`integral`] and its derivative share of U and L.
struct Bounds<T: PairReal> {
    upper: T::Eight,
    inverse_upper: T::Eight,
    inverse_lower: T::Eight,
    /// 1/U² − 1/L².
    squares: T::Eight,
    /// ln(L/U).
    logarithm: T::Eight,
}

impl<T: PairReal> Bounds<T> {
    #[inline(always)]
    fn new(r: T::Eight, radius: T::Eight, s: T::Eight) -> Self {
        let upper = r + s;
        let lower = (r - s).greater(s - r).greater(radius);
        let both = (lower * upper).inverse();
        let inverse_lower = upper * both;
        let inverse_upper = lower * both;
        let squares = inverse_upper * inverse_upper - inverse_lower * inverse_lower;
        let mut logarithms = (lower * inverse_upper).values();
        logarithms
            .iter_mut()
            .for_each(|value| *value = value.ln_fast());
        let logarithm = T::Eight::load(logarithms);
        Bounds {
            upper,
            inverse_upper,
            inverse_lower,
            squares,
            logarithm,
        }
    }
}

/// [`integral`] for r ≥ ρ̃ + s and r ≥ 2s, where it is ½s³/r⁴ · P(s²/r²), P(y) = Σ 2n/(2n+1)
/// y^(n−1), n ≥ 1: no logarithm and no cancellation. P by its Chebyshev fit on [0, ¼], relative
/// error 3e-8.
#[inline(always)]
fn integral_far<T: PairReal>(inverse_r2: T::Eight, s: T::Eight) -> T::Eight {
    let y = s * s * inverse_r2;
    let p = y.polynomial([
        2.48352773,
        0.289061193,
        1.02646619,
        0.87813499,
        0.857602885,
        0.799992716,
        0.666666685,
    ]);
    T::Eight::all(T::of(0.5)) * s * y * inverse_r2 * p
}

/// What an atom of screened radius `s`, Å, adds to a Born integral at the distance `cutoff`, Å, in
/// 1/Å.
pub(super) fn integral_at(cutoff: f64, s: f64) -> f64 {
    integral_far::<f64>(Eight::all(1.0 / (cutoff * cutoff)), Eight::all(s)).values()[0]
}

/// [`integral_slope`] where [`integral_far`] holds: −½s³/r⁶ · R(s²/r²), R(y) = Σ (2n+2) 2n/(2n+1)
/// y^(n−1), by its Chebyshev fit on [0, ¼], relative error 1.4e-7.
#[inline(always)]
fn integral_slope_far<T: PairReal>(inverse_r2: T::Eight, s: T::Eight) -> T::Eight {
    let y = s * s * inverse_r2;
    let p = y.polynomial([
        45.1583398,
        0.343773947,
        13.2570074,
        8.6727874,
        6.8664115,
        4.79985306,
        2.66666704,
    ]);
    T::Eight::all(T::of(-0.5)) * s * y * inverse_r2 * inverse_r2 * p
}

/// Squared distance from which the far forms hold for both atoms of a pair, Å².
#[inline(always)]
fn far<T: PairReal>(a: &Atoms<T>, b: &Atoms<T>) -> T::Eight {
    let screened = a.screened.greater(b.screened);
    let reach = (a.radius + b.screened)
        .greater(b.radius + a.screened)
        .greater(screened + screened);
    reach * reach
}

/// The vectors from the atoms of a block to a row and their squares; where there is no pair, a
/// square at which nothing is felt.
#[inline(always)]
pub(super) fn separations<T: PairReal, const MASKED: bool>(
    row: &Atoms<T>,
    block: &Atoms<T>,
    codes: Codes,
) -> ([T::Eight; 3], T::Eight) {
    let (delta, r2) = row.minus(block);
    (
        delta,
        if MASKED {
            T::Eight::choose(T::Eight::mask(codes.pair), r2, T::Eight::all(T::of(1e12)))
        } else {
            r2
        },
    )
}

/// The two atoms of each of at most [`LANES`] pairs; elements beyond the last repeat it.
#[inline(always)]
fn gather<T: PairReal>(pairs: &[Pair], blocks: &[Block<T>]) -> [Atoms<T>; 2] {
    let mut padded = [pairs[pairs.len() - 1]; LANES];
    padded[..pairs.len()].copy_from_slice(pairs);
    [
        Atoms::gather(blocks, &padded, 0),
        Atoms::gather(blocks, &padded, 1),
    ]
}

/// First sweep: Born integrals of both atoms of every pair into [`Sums::scalar`].
pub(super) struct BornIntegrals<T, const CUT: bool> {
    /// With `CUT`, pairs beyond this squared distance are left out, Å²; [`Block::edge`] is what the
    /// integral is there.
    pub cutoff: T,
}

impl<T: PairReal, const CUT: bool> BornIntegrals<T, CUT> {
    /// The integrals of `a` and `b` by the closed form.
    #[inline(always)]
    fn exact(a: &Atoms<T>, b: &Atoms<T>, r2: T::Eight) -> [T::Eight; 2] {
        let r = r2.root();
        let inverse_r = r.inverse();
        [
            integral::<T>(r, inverse_r, a.radius, b.screened),
            integral::<T>(r, inverse_r, b.radius, a.screened),
        ]
    }
}

impl<T: PairReal, const CUT: bool> TileKernel<T> for BornIntegrals<T, CUT> {
    type Row = T::Eight;

    #[inline(always)]
    fn start() -> T::Eight {
        T::Eight::all(T::zero())
    }

    #[inline(always)]
    fn tile<const MASKED: bool>(
        &self,
        row: &Atoms<T>,
        block: &Atoms<T>,
        codes: Codes,
        sum: &mut T::Eight,
        out: &mut Sums<T>,
    ) -> u8 {
        let (_, r2) = separations::<T, MASKED>(row, block, codes);
        let zero = T::Eight::all(T::zero());
        let close = if T::SERIES {
            r2.below(far(row, block))
        } else {
            zero
        };
        let mut values = if T::SERIES {
            let inverse_r2 = r2.inverse();
            [
                integral_far::<T>(inverse_r2, block.screened),
                integral_far::<T>(inverse_r2, row.screened),
            ]
        } else {
            Self::exact(row, block, r2)
        };
        if CUT {
            let counts = r2.below(T::Eight::all(self.cutoff));
            values = [
                (values[0] - block.edge).kept(counts),
                (values[1] - row.edge).kept(counts),
            ];
        }
        if T::SERIES {
            values = [
                T::Eight::choose(close, zero, values[0]),
                T::Eight::choose(close, zero, values[1]),
            ];
        }
        *sum = *sum + values[0];
        add_to(&mut out.scalar, values[1]);
        close.bits()
    }

    #[inline(always)]
    fn finish(sum: &T::Eight, lane: usize, out: &mut Sums<T>, _: &mut [f64; 2]) {
        out.scalar[lane] += sum.sum();
    }

    fn close(&self, pairs: &[Pair], blocks: &[Block<T>], sums: &mut [Sums<T>]) {
        for pairs in pairs.chunks(LANES) {
            let [a, b] = gather(pairs, blocks);
            let [on_a, on_b] = Self::exact(&a, &b, a.minus(&b).1);
            let values = if CUT {
                [on_a - b.edge, on_b - a.edge]
            } else {
                [on_a, on_b]
            }
            .map(T::Eight::values);
            for (k, pair) in pairs.iter().enumerate() {
                for (&atom, values) in pair.iter().zip(&values) {
                    sums[atom as usize / LANES].scalar[atom as usize % LANES] += values[k];
                }
            }
        }
    }
}

/// Third sweep: the forces that the Born radii transmit, from ∂E/∂I of both atoms of every pair.
/// What is close, the first sweep found.
pub(super) struct BornForces<T, const CUT: bool> {
    /// As in [`BornIntegrals`].
    pub cutoff: T,
}

impl<T: PairReal, const CUT: bool> BornForces<T, CUT> {
    /// Force over distance by the closed form.
    #[inline(always)]
    fn exact(a: &Atoms<T>, b: &Atoms<T>, r2: T::Eight) -> T::Eight {
        let r = r2.root();
        let inverse_r = r.inverse();
        let on_b = b.d_integral * integral_slope::<T>(r, inverse_r, b.radius, a.screened);
        T::Eight::fma(
            a.d_integral,
            integral_slope::<T>(r, inverse_r, a.radius, b.screened),
            on_b,
        )
    }
}

impl<T: PairReal, const CUT: bool> TileKernel<T> for BornForces<T, CUT> {
    type Row = [T::Eight; 3];

    #[inline(always)]
    fn start() -> [T::Eight; 3] {
        [T::Eight::all(T::zero()); 3]
    }

    #[inline(always)]
    fn tile<const MASKED: bool>(
        &self,
        row: &Atoms<T>,
        block: &Atoms<T>,
        codes: Codes,
        sum: &mut [T::Eight; 3],
        out: &mut Sums<T>,
    ) -> u8 {
        let (delta, r2) = separations::<T, MASKED>(row, block, codes);
        let mut slope = if T::SERIES {
            let inverse_r2 = r2.inverse();
            let on_block = block.d_integral * integral_slope_far::<T>(inverse_r2, row.screened);
            let both = T::Eight::fma(
                row.d_integral,
                integral_slope_far::<T>(inverse_r2, block.screened),
                on_block,
            );
            T::Eight::choose(r2.below(far(row, block)), T::Eight::all(T::zero()), both)
        } else {
            Self::exact(row, block, r2)
        };
        if CUT {
            slope = slope.kept(r2.below(T::Eight::all(self.cutoff)));
        }
        for (axis, delta) in delta.into_iter().enumerate() {
            let pull = slope * delta;
            sum[axis] = sum[axis] - pull;
            add_to(&mut out.force[axis], pull);
        }
        0
    }

    #[inline(always)]
    fn finish(sum: &[T::Eight; 3], lane: usize, out: &mut Sums<T>, _: &mut [f64; 2]) {
        for (axis, lanes) in sum.iter().enumerate() {
            out.force[axis][lane] += lanes.sum();
        }
    }

    fn close(&self, pairs: &[Pair], blocks: &[Block<T>], sums: &mut [Sums<T>]) {
        for pairs in pairs.chunks(LANES) {
            let [a, b] = gather(pairs, blocks);
            let (delta, r2) = a.minus(&b);
            let slope = Self::exact(&a, &b, r2);
            let pulls = delta.map(|delta| (slope * delta).values());
            for (k, [a, b]) in pairs
                .iter()
                .map(|pair| pair.map(|atom| atom as usize))
                .enumerate()
            {
                for (axis, pull) in pulls.iter().enumerate() {
                    sums[a / LANES].force[axis][a % LANES] -= pull[k];
                    sums[b / LANES].force[axis][b % LANES] += pull[k];
                }
            }
        }
    }
}

/// Born radius B, Å, of an atom of radius `radius` (ρ̃, Å) with Born integral `integral` (1/Å), and
/// ∂B/∂I, Å².
pub(super) fn born_radius(radius: f64, integral: f64) -> (f64, f64) {
    let whole = radius + OBC_OFFSET;
    let psi = integral * radius;
    let tanh = (psi * (ALPHA - psi * (BETA - GAMMA * psi))).tanh();
    let born = 1.0 / (1.0 / radius - tanh / whole);
    let d_argument = ALPHA - psi * (2.0 * BETA - 3.0 * GAMMA * psi);
    (
        born,
        born * born * (1.0 - tanh * tanh) * d_argument * radius / whole,
    )
}

#[cfg(test)]
mod tests;
