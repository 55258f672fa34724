//! The two scalar types of the CPU engine.

use std::fmt::{Debug, Display};

use super::Eight;

/// `f64` (the oracle) or `f32` (the embedded default).
pub trait Real:
    num_traits::Float
    + num_traits::NumAssign
    + std::iter::Sum
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + 'static
{
    /// Eight values in vector registers.
    type Eight: Eight<Self>;
    /// Name in logs and tables: `f32` or `f64`.
    const NAME: &'static str;
    /// The nearest value of this type.
    fn of(value: f64) -> Self;
    /// Exactly this value in f64.
    fn wide(self) -> f64;
    /// `a·b + c`, fused where the target has the instruction and a plain multiply and add
    /// elsewhere.
    fn fma(a: Self, b: Self, c: Self) -> Self;
    /// e^x, branch-free so that loops over it are vectorised; x is clamped to the range of normal
    /// numbers. Relative error ≤ 2 ulp (f32), libm's (f64).
    fn exp_fast(self) -> Self;
    /// e^-x as [`Real::exp_fast`], for the logistic function: shorter, with a relative error of 2 +
    /// |x|/8 ulp in f32.
    fn exp_minus(self) -> Self;
    /// A whole number in 0 ≤ x < 2²², as an index; any other value gives a meaningless one.
    fn index(self) -> u32;

    /// Logistic function 1/(1 + e^-x).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::one() / (Self::one() + self.exp_minus())
    }
    /// x·sigmoid(x).
    #[inline(always)]
    fn silu(self) -> Self {
        self / (Self::one() + self.exp_minus())
    }
}

macro_rules! real {
    ($t:ident, $eight:ident, $exp:expr, $exp_minus:expr, $index:expr) => {
        impl Real for $t {
            type Eight = wide::$eight;
            const NAME: &'static str = stringify!($t);
            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn fma(a: Self, b: Self, c: Self) -> Self {
                if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
                    a.mul_add(b, c)
                } else {
                    a * b + c
                }
            }
            #[inline(always)]
            fn exp_fast(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn exp_minus(self) -> Self {
                $exp_minus(self)
            }
            #[inline(always)]
            fn index(self) -> u32 {
                $index(self)
            }
        }
    };
}
// f32: 2²³ + x has x in the low bits of its mantissa; a cast would be a scalar instruction and its
// range checks
real!(f32, f32x8, exp_f32, exp_minus_f32, |x: f32| (x
    + 8_388_608.0)
    .to_bits()
    & 0x007f_ffff);
real!(f64, f64x8, f64::exp, |x: f64| (-x).exp(), |x: f64| x as u32);

/// Adding 1.5·2²³ to a number rounds it to the nearest integer and leaves that in the low bits of
/// the mantissa.
pub(crate) const ROUND: f32 = 12_582_912.0;
/// 2^f for |f| ≤ ½, from the highest power down: the minimax polynomial of degree 5 with value 1 at
/// 0 (relative error 9.2e-8, fitted by linear programming).
#[allow(
    clippy::approx_constant,
    reason = "a fitted coefficient is near ln 2, not ln 2"
)]
pub(crate) const EXP2: [f32; 6] = [
    1.326_465_3e-3,
    9.671_511e-3,
    5.550_734e-2,
    2.402_224_2e-1,
    6.931_47e-1,
    1.0,
];

const LOG2_E: f32 = std::f32::consts::LOG2_E;

/// e^x = 2^n · 2^f with n + f = x·log2 e and |f| ≤ ½.
#[inline(always)]
fn exp_f32(x: f32) -> f32 {
    // log2 e in two parts: the rounding of the first would be multiplied by x
    const LOG2_E_REST: f32 = 1.925_963e-8;
    let x = x.clamp(-87.0, 88.0);
    let shifted = <f32 as Real>::fma(x, LOG2_E, ROUND);
    let f = <f32 as Real>::fma(x, LOG2_E, ROUND - shifted);
    exp2_f32(shifted, <f32 as Real>::fma(x, LOG2_E_REST, f))
}

/// The same of −x, without the rest of log2 e.
#[inline(always)]
fn exp_minus_f32(x: f32) -> f32 {
    let x = x.clamp(-87.0, 87.0);
    let shifted = <f32 as Real>::fma(x, -LOG2_E, ROUND);
    exp2_f32(shifted, <f32 as Real>::fma(x, -LOG2_E, ROUND - shifted))
}

/// 2^n · 2^f of n + [`ROUND`] and f.
#[inline(always)]
fn exp2_f32(shifted: f32, f: f32) -> f32 {
    let mut p = EXP2[0];
    for &c in &EXP2[1..] {
        p = <f32 as Real>::fma(p, f, c);
    }
    // the low bits of `shifted` become the exponent; its own exponent leaves at the top
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_exponential_is_within_two_ulp() {
        let mut worst = 0.0f64;
        for step in -86_900..=87_999 {
            let x = step as f32 * 1e-3;
            let exact = (x as f64).exp();
            worst = worst.max(((x.exp_fast() as f64 - exact) / exact).abs());
        }
        assert!(worst <= 2.0 * f32::EPSILON as f64, "{worst:e}");
        for step in -86_999..=86_999 {
            let x = step as f32 * 1e-3;
            let exact = (-x as f64).exp();
            let error = ((x.exp_minus() as f64 - exact) / exact).abs() / f32::EPSILON as f64;
            assert!(error <= 2.0 + x.abs() as f64 / 8.0, "{x}: {error}");
        }
        assert!(
            f32::NAN.exp_minus().is_nan()
                && (-1e9f32).silu().abs() <= 1e-28
                && 1e9f32.silu() == 1e9
        );
        assert!(1e9f32.exp_fast().is_finite() && (-1e9f32).exp_fast() > 0.0);
        assert!(f32::NAN.exp_fast().is_nan());
    }
}
