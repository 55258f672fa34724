//! Eight pairs at a time: what the pair loops need of vector registers beyond [`Eight`].

use wide::bytemuck::cast;
use wide::{f32x8, f64x8, i32x8};

use crate::numeric::{EXP2, Eight, ROUND, Real};

/// Eight `T` with comparisons and roots. A mask has all bits of an element set where it holds, and
/// none elsewhere.
pub(super) trait Vector<T>: Eight<T> {
    /// Mask of the elements whose bit of `bits` is set.
    fn mask(bits: u8) -> Self;
    /// Mask of `self < other`.
    fn below(self, other: Self) -> Self;
    /// The bits of a mask.
    fn bits(self) -> u8;
    /// `self` where the mask holds, zero elsewhere.
    fn kept(self, mask: Self) -> Self;
    /// `yes` where the mask holds, `no` elsewhere.
    fn choose(mask: Self, yes: Self, no: Self) -> Self;
    /// The greater of both.
    fn greater(self, other: Self) -> Self;
    /// The lesser of both.
    fn lesser(self, other: Self) -> Self;
    /// 1/x, correctly rounded.
    fn inverse(self) -> Self;
    /// √x, correctly rounded.
    fn root(self) -> Self;
    /// e^−x for x ≥ 0, as [`Real::exp_minus`].
    fn decay(self) -> Self;
    /// A polynomial with coefficients from the highest power down.
    #[inline(always)]
    fn polynomial<const N: usize>(self, coefficients: [f64; N]) -> Self
    where
        T: Real,
    {
        let mut value = Self::all(T::of(coefficients[0]));
        for &c in &coefficients[1..] {
            value = Self::fma(value, self, Self::all(T::of(c)));
        }
        value
    }
    /// The sum of the eight, in pairs.
    #[inline(always)]
    fn sum(self) -> T
    where
        T: Real,
    {
        let [a, b, c, d, e, f, g, h] = self.values();
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}

macro_rules! common {
    () => {
        #[inline(always)]
        fn below(self, other: Self) -> Self {
            self.simd_lt(other)
        }
        #[inline(always)]
        fn bits(self) -> u8 {
            self.to_bitmask() as u8
        }
        #[inline(always)]
        fn kept(self, mask: Self) -> Self {
            self & mask
        }
        #[inline(always)]
        fn choose(mask: Self, yes: Self, no: Self) -> Self {
            mask.select(yes, no)
        }
        #[inline(always)]
        fn greater(self, other: Self) -> Self {
            self.fast_max(other)
        }
        #[inline(always)]
        fn lesser(self, other: Self) -> Self {
            self.fast_min(other)
        }
        #[inline(always)]
        fn inverse(self) -> Self {
            Self::ONE / self
        }
        #[inline(always)]
        fn root(self) -> Self {
            self.sqrt()
        }
    };
}

impl Vector<f32> for f32x8 {
    #[inline(always)]
    fn mask(bits: u8) -> Self {
        let own = i32x8::new([1, 2, 4, 8, 16, 32, 64, 128]);
        cast((i32x8::splat(i32::from(bits)) & own).simd_eq(own))
    }
    common!();
    #[inline(always)]
    fn decay(self) -> Self {
        let (x, log2_e) = (
            self.lesser(Self::splat(87.0)),
            Self::splat(std::f32::consts::LOG2_E),
        );
        let shifted = Self::fnma(x, log2_e, Self::splat(ROUND));
        let f = Self::fnma(x, log2_e, Self::splat(ROUND) - shifted);
        let mut p = Self::splat(EXP2[0]);
        for &c in &EXP2[1..] {
            p = Self::fma(p, f, Self::splat(c));
        }
        // the low bits of `shifted` become the exponent; its own exponent leaves at the top
        cast(cast::<Self, i32x8>(p) + (cast::<Self, i32x8>(shifted) << 23))
    }
}

impl Vector<f64> for f64x8 {
    #[inline(always)]
    fn mask(bits: u8) -> Self {
        Self::new(std::array::from_fn(|k| {
            if bits >> k & 1 == 1 {
                f64::from_bits(u64::MAX)
            } else {
                0.0
            }
        }))
    }
    common!();
    #[inline(always)]
    fn decay(self) -> Self {
        Self::new(self.values().map(|x| (-x).exp()))
    }
}
