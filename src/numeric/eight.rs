//! Eight values side by side in vector registers, for kernels too long for the compiler's own
//! vectorisation.

use std::fmt::Debug;
use std::ops::{Add, Mul, Neg, Sub};

/// Eight `T` on which every operation acts element by element.
pub trait Eight<T>:
    Copy
    + Debug
    + PartialEq
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// Eight times the same value.
    fn all(value: T) -> Self;
    /// These values.
    fn load(values: [T; 8]) -> Self;
    /// The values.
    fn values(self) -> [T; 8];
    /// `a·b + c`, as `Real::fma`.
    fn fma(a: Self, b: Self, c: Self) -> Self;
    /// `c − a·b`.
    fn fnma(a: Self, b: Self, c: Self) -> Self;
}

macro_rules! eight {
    ($t:ident, $eight:ident) => {
        impl Eight<$t> for wide::$eight {
            #[inline(always)]
            fn all(value: $t) -> Self {
                Self::splat(value)
            }
            #[inline(always)]
            fn load(values: [$t; 8]) -> Self {
                Self::new(values)
            }
            #[inline(always)]
            fn values(self) -> [$t; 8] {
                self.to_array()
            }
            #[inline(always)]
            fn fma(a: Self, b: Self, c: Self) -> Self {
                a.mul_add(b, c)
            }
            #[inline(always)]
            fn fnma(a: Self, b: Self, c: Self) -> Self {
                a.mul_neg_add(b, c)
            }
        }
    };
}
eight!(f32, f32x8);
eight!(f64, f64x8);
