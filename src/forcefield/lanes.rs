//! What the pair loops need of a scalar beyond [`Real`], and atoms laid out in blocks of lanes.

use super::vector::Vector;
use crate::numeric::{Eight, Real};

/// Atoms in a block: as many as a [`Vector`] holds.
pub(super) const LANES: usize = 8;
/// One quantity of the atoms of a block.
pub(super) type Lane<T> = [T; LANES];

/// A scalar of the pair loops.
pub(super) trait PairReal: Real<Eight: Vector<Self>> {
    /// Whether [`super::born`] may use its polynomials for distant pairs; they are as exact as f32.
    const SERIES: bool;
    /// Natural logarithm of a normal positive number, by arithmetic alone.
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
    /// x = 2ⁿ(1 + t) with 1 + t in [⅔, 4⁄3); ln(1 + t) = t + t²·p(t), p by its Chebyshev fit on ±⅓,
    /// error 4e-9.
    #[inline(always)]
    fn ln_fast(self) -> Self {
        const TWO_THIRDS: u32 = 0x3f2a_aaab;
        let shifted = self.to_bits().wrapping_sub(TWO_THIRDS) as i32;
        let n = (shifted >> 23) as f32;
        let t = f32::from_bits(((shifted & 0x007f_ffff) as u32).wrapping_add(TWO_THIRDS)) - 1.0;
        let p = polynomial(
            t,
            [
                -0.124222006,
                0.137483091,
                -0.122887216,
                0.140558127,
                -0.166733163,
                0.20007234,
                -0.249999442,
                0.333332726,
                -0.5,
            ],
        );
        <f32 as Real>::fma(n, std::f32::consts::LN_2, <f32 as Real>::fma(p, t * t, t))
    }
}

/// The atoms of a block as they lie in memory.
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
    /// What the atom adds to a Born integral at the cutoff, 1/Å, taken off so that nothing jumps
    /// there; 0 without a cutoff.
    pub edge: Lane<T>,
}

impl<T: PairReal> Block<T> {
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

    /// Its atoms.
    #[inline(always)]
    pub fn atoms(&self) -> Atoms<T> {
        Atoms {
            x: T::Eight::load(self.x),
            y: T::Eight::load(self.y),
            z: T::Eight::load(self.z),
            charge: T::Eight::load(self.charge),
            half_sigma: T::Eight::load(self.half_sigma),
            root_epsilon: T::Eight::load(self.root_epsilon),
            born: T::Eight::load(self.born),
            inverse_born: T::Eight::load(self.inverse_born),
            radius: T::Eight::load(self.radius),
            screened: T::Eight::load(self.screened),
            d_integral: T::Eight::load(self.d_integral),
            edge: T::Eight::load(self.edge),
        }
    }

    /// One of its atoms, eight times.
    #[inline(always)]
    pub fn row(&self, lane: usize) -> Atoms<T> {
        Atoms {
            x: T::Eight::all(self.x[lane]),
            y: T::Eight::all(self.y[lane]),
            z: T::Eight::all(self.z[lane]),
            charge: T::Eight::all(self.charge[lane]),
            half_sigma: T::Eight::all(self.half_sigma[lane]),
            root_epsilon: T::Eight::all(self.root_epsilon[lane]),
            born: T::Eight::all(self.born[lane]),
            inverse_born: T::Eight::all(self.inverse_born[lane]),
            radius: T::Eight::all(self.radius[lane]),
            screened: T::Eight::all(self.screened[lane]),
            d_integral: T::Eight::all(self.d_integral[lane]),
            edge: T::Eight::all(self.edge[lane]),
        }
    }
}

/// Eight atoms in registers: those of a [`Block`], or the same one eight times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Atoms<T: PairReal> {
    pub x: T::Eight,
    pub y: T::Eight,
    pub z: T::Eight,
    pub charge: T::Eight,
    pub half_sigma: T::Eight,
    pub root_epsilon: T::Eight,
    pub born: T::Eight,
    pub inverse_born: T::Eight,
    pub radius: T::Eight,
    pub screened: T::Eight,
    pub d_integral: T::Eight,
    pub edge: T::Eight,
}

impl<T: PairReal> Atoms<T> {
    /// Where the atoms `pairs[k][side]` are, and what the Born sweeps need of them.
    #[inline(always)]
    pub fn gather(blocks: &[Block<T>], pairs: &[[u32; 2]; LANES], side: usize) -> Self {
        let mut block = Block::nowhere(0);
        for (k, pair) in pairs.iter().enumerate() {
            let (from, lane) = (
                &blocks[pair[side] as usize / LANES],
                pair[side] as usize % LANES,
            );
            block.x[k] = from.x[lane];
            block.y[k] = from.y[lane];
            block.z[k] = from.z[lane];
            block.radius[k] = from.radius[lane];
            block.screened[k] = from.screened[lane];
            block.d_integral[k] = from.d_integral[lane];
            block.edge[k] = from.edge[lane];
        }
        block.atoms()
    }

    /// The vector from `other` to here, and its square.
    #[inline(always)]
    pub fn minus(&self, other: &Self) -> ([T::Eight; 3], T::Eight) {
        let [x, y, z] = [self.x - other.x, self.y - other.y, self.z - other.z];
        ([x, y, z], T::Eight::fma(x, x, T::Eight::fma(y, y, z * z)))
    }
}

/// What the pair loops sum for the atoms of a block: the force, kJ/mol/Å, and one scalar (a Born
/// integral, or B·∂E/∂B).
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Sums<T> {
    pub force: [Lane<T>; 3],
    pub scalar: Lane<T>,
}

impl<T: Real> Default for Sums<T> {
    fn default() -> Self {
        let zero = [T::zero(); LANES];
        Sums {
            force: [zero; 3],
            scalar: zero,
        }
    }
}

/// `sum += values`, lane by lane.
#[inline(always)]
pub(super) fn add_to<T: PairReal>(sum: &mut Lane<T>, values: T::Eight) {
    *sum = (T::Eight::load(*sum) + values).values();
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
