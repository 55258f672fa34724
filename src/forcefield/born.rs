//! OBC2 Born radii: the pairwise descreening integral, its derivative, and the tanh that makes radii of integrals.
//!
//! Hawkins, Cramer, Truhlar, J. Phys. Chem. 100, 19824 (1996), eq. 8 to 10, for the integral; Onufriev, Bashford, Case,
//! Proteins 55, 383 (2004), model II, for the radii.

use super::OBC_OFFSET;
use super::lanes::{Block, LANES, Lane, PairReal, Row, Sums, add_to, polynomial, take_from};
use super::tiles::{NOT_A_PAIR, TileKernel};

const ALPHA: f64 = 1.0;
const BETA: f64 = 0.8;
const GAMMA: f64 = 4.85;

/// What atom j (screened radius s) adds to the Born integral of atom i (radius ρ̃), 1/Å.
#[inline(always)]
fn integral<T: PairReal>(r: T, inverse_r: T, radius: T, s: T) -> T {
    let upper = r + s;
    let inner = (r - s).abs();
    let lower = if inner > radius { inner } else { radius };
    let both = (lower * upper).recip();
    let (inverse_lower, inverse_upper) = (upper * both, lower * both);
    let squares = inverse_upper * inverse_upper - inverse_lower * inverse_lower;
    let quarter = T::of(0.25) * (r - s * s * inverse_r) * squares;
    let logarithm = T::of(0.5) * (lower * inverse_upper).ln_fast() * inverse_r;
    let value = T::of(0.5) * (inverse_lower - inverse_upper + quarter + logarithm);
    if upper > radius { value } else { T::zero() }
}

/// The derivative of [`integral`] by r, over r, 1/Å³.
///
/// The terms through U and L cancel, but for L = s − r, where atom i lies inside atom j.
#[inline(always)]
fn integral_slope<T: PairReal>(r: T, inverse_r: T, radius: T, s: T) -> T {
    let upper = r + s;
    let inner = (r - s).abs();
    let lower = if inner > radius { inner } else { radius };
    let both = (lower * upper).recip();
    let (inverse_lower, inverse_upper) = (upper * both, lower * both);
    let squares = inverse_upper * inverse_upper - inverse_lower * inverse_lower;
    let inverse_r2 = inverse_r * inverse_r;
    let quarter = T::of(0.25) * (T::one() + s * s * inverse_r2) * squares;
    let logarithm = T::of(0.5) * (lower * inverse_upper).ln_fast() * inverse_r2;
    let inside = if s - r > radius { inverse_lower * inverse_lower } else { T::zero() };
    let value = (T::of(0.5) * (quarter - logarithm) + inside) * inverse_r;
    if upper > radius { value } else { T::zero() }
}

/// [`integral`] for r ≥ ρ̃ + s and r ≥ 2s, where it is ½s³/r⁴ · P(s²/r²), P(y) = Σ 2n/(2n+1) y^(n−1), n ≥ 1: no
/// logarithm and no cancellation. P by its Chebyshev fit on [0, ¼], relative error 3e-8.
#[inline(always)]
pub(super) fn integral_far<T: PairReal>(inverse_r2: T, s: T) -> T {
    let y = s * s * inverse_r2;
    let p = polynomial(y, [2.48352773, 0.289061193, 1.02646619, 0.87813499, 0.857602885, 0.799992716, 0.666666685]);
    T::of(0.5) * s * y * inverse_r2 * p
}

/// [`integral_slope`] where [`integral_far`] holds: −½s³/r⁶ · R(s²/r²), R(y) = Σ (2n+2) 2n/(2n+1) y^(n−1), by its Chebyshev
/// fit on [0, ¼], relative error 1.4e-7.
#[inline(always)]
fn integral_slope_far<T: PairReal>(inverse_r2: T, s: T) -> T {
    let y = s * s * inverse_r2;
    let p = polynomial(y, [45.1583398, 0.343773947, 13.2570074, 8.6727874, 6.8664115, 4.79985306, 2.66666704]);
    T::of(-0.5) * s * y * inverse_r2 * inverse_r2 * p
}

/// Squared distances of a row to the atoms of a block and the vector from each of them to the row; 1 Å² where there is no pair.
#[inline(always)]
pub(super) fn separations<T: PairReal, const MASKED: bool>(row: &Row<T>, block: &Block<T>, codes: &[u8; LANES]) -> [Lane<T>; 4] {
    let mut out = [[T::zero(); LANES]; 4];
    for k in 0..LANES {
        let (dx, dy, dz) = (row.x - block.x[k], row.y - block.y[k], row.z - block.z[k]);
        let r2 = T::fma(dx, dx, T::fma(dy, dy, dz * dz));
        out[0][k] = dx;
        out[1][k] = dy;
        out[2][k] = dz;
        out[3][k] = if MASKED && codes[k] == NOT_A_PAIR { T::one() } else { r2 };
    }
    out
}

/// First sweep: Born integrals of both atoms of every pair into [`Sums::scalar`].
pub(super) struct BornIntegrals<T> {
    /// Squared distance from which the far form holds for any two atoms, Å².
    pub far: T,
    /// Pairs beyond this squared distance are left out, Å²; [`Block::edge`] is what the integral is there.
    pub cutoff: T,
}

impl<T: PairReal> TileKernel<T> for BornIntegrals<T> {
    type Row = Lane<T>;

    #[inline(always)]
    fn start() -> Lane<T> {
        [T::zero(); LANES]
    }

    #[inline(always)]
    fn tile<const MASKED: bool>(&self, row: &Row<T>, block: &Block<T>, codes: &[u8; LANES], sum: &mut Lane<T>, out: &mut Sums<T>) {
        let [.., r2] = separations::<T, MASKED>(row, block, codes);
        let near = !T::SERIES || r2.iter().fold(false, |near, &r2| near | (r2 < self.far));
        let mut values = [[T::zero(); LANES]; 2];
        if near {
            for k in 0..LANES {
                let r = r2[k].sqrt();
                let inverse_r = r.recip();
                values[0][k] = integral(r, inverse_r, row.radius, block.screened[k]);
                values[1][k] = integral(r, inverse_r, block.radius[k], row.screened);
            }
        } else {
            for k in 0..LANES {
                let inverse_r2 = r2[k].recip();
                values[0][k] = integral_far(inverse_r2, block.screened[k]);
                values[1][k] = integral_far(inverse_r2, row.screened);
            }
        }
        for k in 0..LANES {
            let counts = r2[k] < self.cutoff && !(MASKED && codes[k] == NOT_A_PAIR);
            values[0][k] = if counts { values[0][k] - block.edge[k] } else { T::zero() };
            values[1][k] = if counts { values[1][k] - row.edge } else { T::zero() };
        }
        add_to(sum, &values[0]);
        add_to(&mut out.scalar, &values[1]);
    }

    #[inline(always)]
    fn finish(sum: &Lane<T>, lane: usize, out: &mut Sums<T>, _: &mut [f64; 2]) {
        out.scalar[lane] += sum.iter().copied().sum::<T>();
    }
}

/// Third sweep: the forces that the Born radii transmit, from ∂E/∂I of both atoms of every pair.
pub(super) struct BornForces<T> {
    /// As in [`BornIntegrals`].
    pub far: T,
    /// As in [`BornIntegrals`].
    pub cutoff: T,
}

impl<T: PairReal> TileKernel<T> for BornForces<T> {
    type Row = [Lane<T>; 3];

    #[inline(always)]
    fn start() -> [Lane<T>; 3] {
        [[T::zero(); LANES]; 3]
    }

    #[inline(always)]
    fn tile<const MASKED: bool>(&self, row: &Row<T>, block: &Block<T>, codes: &[u8; LANES], sum: &mut [Lane<T>; 3], out: &mut Sums<T>) {
        let [dx, dy, dz, r2] = separations::<T, MASKED>(row, block, codes);
        let near = !T::SERIES || r2.iter().fold(false, |near, &r2| near | (r2 < self.far));
        let mut slopes = [T::zero(); LANES];
        if near {
            for k in 0..LANES {
                let r = r2[k].sqrt();
                let inverse_r = r.recip();
                slopes[k] = row.d_integral * integral_slope(r, inverse_r, row.radius, block.screened[k])
                    + block.d_integral[k] * integral_slope(r, inverse_r, block.radius[k], row.screened);
            }
        } else {
            for k in 0..LANES {
                let inverse_r2 = r2[k].recip();
                slopes[k] = row.d_integral * integral_slope_far(inverse_r2, block.screened[k])
                    + block.d_integral[k] * integral_slope_far(inverse_r2, row.screened);
            }
        }
        for k in 0..LANES {
            let counts = r2[k] < self.cutoff && !(MASKED && codes[k] == NOT_A_PAIR);
            slopes[k] = if counts { slopes[k] } else { T::zero() };
        }
        for (axis, delta) in [dx, dy, dz].iter().enumerate() {
            let mut pull = [T::zero(); LANES];
            for k in 0..LANES {
                pull[k] = slopes[k] * delta[k];
            }
            take_from(&mut sum[axis], &pull);
            add_to(&mut out.force[axis], &pull);
        }
    }

    #[inline(always)]
    fn finish(sum: &[Lane<T>; 3], lane: usize, out: &mut Sums<T>, _: &mut [f64; 2]) {
        for (axis, lanes) in sum.iter().enumerate() {
            out.force[axis][lane] += lanes.iter().copied().sum::<T>();
        }
    }
}

/// Born radius B, Å, of an atom of radius `radius` (ρ̃, Å) with Born integral `integral` (1/Å), and ∂B/∂I, Å².
pub(super) fn born_radius(radius: f64, integral: f64) -> (f64, f64) {
    let whole = radius + OBC_OFFSET;
    let psi = integral * radius;
    let tanh = (psi * (ALPHA - psi * (BETA - GAMMA * psi))).tanh();
    let born = 1.0 / (1.0 / radius - tanh / whole);
    let d_argument = ALPHA - psi * (2.0 * BETA - 3.0 * GAMMA * psi);
    (born, born * born * (1.0 - tanh * tanh) * d_argument * radius / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_form_is_the_integral_and_the_slope_its_derivative() {
        for (radius, s) in [(1.61, 1.1592), (1.11, 0.9435), (1.71, 1.6416), (1.46, 1.1534)] {
            for step in 0..400 {
                let r = 0.2 + 0.05 * f64::from(step) + 1e-3;
                let exact = integral(r, 1.0 / r, radius, s);
                let h = 1e-5;
                let slope = (integral(r + h, 1.0 / (r + h), radius, s) - integral(r - h, 1.0 / (r - h), radius, s)) / (2.0 * h * r);
                let analytic = integral_slope(r, 1.0 / r, radius, s);
                assert!((analytic - slope).abs() <= 1e-8 * (1.0 + slope.abs()), "{r} {radius} {s}: {analytic} {slope}");
                if r >= radius + s && r >= 2.0 * s {
                    let far = integral_far(1.0 / (r * r), s);
                    // the closed form cancels: its own error is about 1e-16/r
                    assert!((far - exact).abs() <= 4e-8 * exact + 1e-15 / r, "{r}: {far} {exact}");
                    let far = integral_slope_far(1.0 / (r * r), s);
                    assert!((far - analytic).abs() <= 2e-7 * analytic.abs() + 1e-15, "{r}: {far} {analytic}");
                }
            }
        }
    }
}
