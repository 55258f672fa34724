//! What the pair loops need of a scalar beyond [`Real`], and atoms laid out in blocks of lanes.
//!
//! Loops over `0..LANES` without branches become SIMD code. The compiler vectorises a loop only where it does not first unroll
//! it into scalars: hence a block of two AVX registers of f32, and one loop for one result where loops are short.

use crate::engine::Real;

/// Atoms in a block.
pub(super) const LANES: usize = 16;
/// One quantity of the atoms of a block.
pub(super) type Lane<T> = [T; LANES];

/// A scalar of the pair loops.
pub(super) trait PairReal: Real {
    /// Whether [`super::born`] may use its polynomials for distant pairs; they are as exact as f32.
    const SERIES: bool;
    /// Natural logarithm of a normal positive number, branch-free.
    fn ln_fast(self) -> Self;
}

impl PairReal for f64 {
    const SERIES: bool = false;
    #[inline(always)]
    fn ln_fast(self) -> Self {
        self.ln()
    }
}

impl PairReal for f32 {
    const SERIES: bool = true;
    /// x = 2ⁿ(1 + t) with 1 + t in [⅔, 4⁄3); ln(1 + t) = t + t²·p(t), p by its Chebyshev fit on ±⅓, error 4e-9.
    #[inline(always)]
    fn ln_fast(self) -> Self {
        const TWO_THIRDS: u32 = 0x3f2a_aaab;
        let shifted = self.to_bits().wrapping_sub(TWO_THIRDS) as i32;
        let n = (shifted >> 23) as f32;
        let t = f32::from_bits(((shifted & 0x007f_ffff) as u32).wrapping_add(TWO_THIRDS)) - 1.0;
        let p = polynomial(
            t,
            [-0.124222006, 0.137483091, -0.122887216, 0.140558127, -0.166733163, 0.20007234, -0.249999442, 0.333332726, -0.5],
        );
        <f32 as Real>::fma(n, std::f32::consts::LN_2, <f32 as Real>::fma(p, t * t, t))
    }
}

/// The atoms of a block as the pair loops read them.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Block<T> {
    /// Position relative to the molecule's centre, Å.
    pub x: Lane<T>,
    pub y: Lane<T>,
    pub z: Lane<T>,
    /// Charge, e.
    pub charge: Lane<T>,
    /// σ/2, Å.
    pub half_sigma: Lane<T>,
    /// 2√ε, (kJ/mol)^½, so that a product is 4ε_ij.
    pub root_epsilon: Lane<T>,
    /// Born radius B, Å, and its inverse.
    pub born: Lane<T>,
    pub inverse_born: Lane<T>,
    /// ρ̃ = ρ − offset, Å.
    pub radius: Lane<T>,
    /// s·ρ̃, Å.
    pub screened: Lane<T>,
    /// ∂E/∂I, the derivative of the energy by the atom's Born integral, kJ·Å/mol.
    pub d_integral: Lane<T>,
    /// What the atom adds to a Born integral at the cutoff, 1/Å, taken off so that nothing jumps there; 0 without a cutoff.
    pub edge: Lane<T>,
}

impl<T: Real> Block<T> {
    /// Atoms that feel and exert nothing, far from everything and from each other.
    pub fn nowhere(block: usize) -> Self {
        let zero = [T::zero(); LANES];
        let one = [T::one(); LANES];
        let away = std::array::from_fn(|lane| T::of(1e4 + 100.0 * (block * LANES + lane) as f64));
        Block {
            x: away,
            y: zero,
            z: zero,
            charge: zero,
            half_sigma: zero,
            root_epsilon: zero,
            born: one,
            inverse_born: one,
            radius: one,
            screened: zero,
            d_integral: zero,
            edge: zero,
        }
    }

    /// One atom of the block.
    #[inline(always)]
    pub fn row(&self, lane: usize) -> Row<T> {
        Row {
            x: self.x[lane],
            y: self.y[lane],
            z: self.z[lane],
            charge: self.charge[lane],
            half_sigma: self.half_sigma[lane],
            root_epsilon: self.root_epsilon[lane],
            born: self.born[lane],
            inverse_born: self.inverse_born[lane],
            radius: self.radius[lane],
            screened: self.screened[lane],
            d_integral: self.d_integral[lane],
            edge: self.edge[lane],
        }
    }
}

/// One atom of a [`Block`]: the row of a tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<T> {
    pub x: T,
    pub y: T,
    pub z: T,
    pub charge: T,
    pub half_sigma: T,
    pub root_epsilon: T,
    pub born: T,
    pub inverse_born: T,
    pub radius: T,
    pub screened: T,
    pub d_integral: T,
    pub edge: T,
}

/// What the pair loops sum for the atoms of a block: the force, kJ/mol/Å, and one scalar (a Born integral, or B·∂E/∂B).
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Sums<T> {
    pub force: [Lane<T>; 3],
    pub scalar: Lane<T>,
}

impl<T: Real> Default for Sums<T> {
    fn default() -> Self {
        let zero = [T::zero(); LANES];
        Sums { force: [zero; 3], scalar: zero }
    }
}

/// `sum += values`, lane by lane.
#[inline(always)]
pub(super) fn add_to<T: Real>(sum: &mut Lane<T>, values: &Lane<T>) {
    for k in 0..LANES {
        sum[k] += values[k];
    }
}

/// `sum -= values`, lane by lane.
#[inline(always)]
pub(super) fn take_from<T: Real>(sum: &mut Lane<T>, values: &Lane<T>) {
    for k in 0..LANES {
        sum[k] -= values[k];
    }
}

/// A polynomial with coefficients from the highest power down.
#[inline(always)]
pub(super) fn polynomial<T: Real, const N: usize>(x: T, coefficients: [f64; N]) -> T {
    let mut value = T::of(coefficients[0]);
    for &c in &coefficients[1..] {
        value = T::fma(value, x, T::of(c));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_logarithm_is_as_exact_as_f32() {
        let mut worst = 0.0f64;
        for step in 1..200_000 {
            let x = step as f32 * 1e-4;
            let exact = (x as f64).ln();
            worst = worst.max((x.ln_fast() as f64 - exact).abs() / exact.abs().max(0.1));
        }
        assert!(worst <= 4.0 * f32::EPSILON as f64, "{worst:e}");
    }
}
