//! Eight channels side by side: the unit in which the CPU computes long convolutions.
//!
//! Every channel takes the same steps, so each scalar of the algorithm is a [`Lanes`]. A [`Row`] holds the four components of one token.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use crate::engine::{Eight, Real};

/// Channels in a block.
pub(super) const WIDTH: usize = 8;

/// One value for each of eight channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lanes<T: Real>(T::Eight);

/// One token of a block of channels: α, r_x, r_y, r_z.
pub(super) type Row<T> = [Lanes<T>; 4];

impl<T: Real> Lanes<T> {
    #[inline(always)]
    pub fn all(value: T) -> Self {
        Lanes(T::Eight::all(value))
    }
    #[inline(always)]
    pub fn zero() -> Self {
        Lanes::all(T::zero())
    }
    /// `a·b + c`.
    #[inline(always)]
    pub fn fma(a: Self, b: Self, c: Self) -> Self {
        Lanes(T::Eight::fma(a.0, b.0, c.0))
    }
    /// `c − a·b`.
    #[inline(always)]
    pub fn fnma(a: Self, b: Self, c: Self) -> Self {
        Lanes(T::Eight::fnma(a.0, b.0, c.0))
    }
    /// The first values of `from`, zeros after its end.
    #[inline(always)]
    pub fn load(from: &[T]) -> Self {
        if let Some(full) = from.first_chunk::<WIDTH>() {
            return Lanes(T::Eight::load(*full));
        }
        let mut values = [T::zero(); WIDTH];
        values[..from.len()].copy_from_slice(from);
        Lanes(T::Eight::load(values))
    }
    #[inline(always)]
    pub fn values(self) -> [T; WIDTH] {
        self.0.values()
    }
}

impl<T: Real> Add for Lanes<T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Lanes(self.0 + other.0)
    }
}

impl<T: Real> Sub for Lanes<T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Lanes(self.0 - other.0)
    }
}

impl<T: Real> Mul for Lanes<T> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Lanes(self.0 * other.0)
    }
}

impl<T: Real> Neg for Lanes<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Lanes(-self.0)
    }
}

impl<T: Real> AddAssign for Lanes<T> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// A complex number for each of eight channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Complex<T: Real> {
    pub re: Lanes<T>,
    pub im: Lanes<T>,
}

impl<T: Real> Complex<T> {
    #[inline(always)]
    pub fn new(re: Lanes<T>, im: Lanes<T>) -> Self {
        Complex { re, im }
    }
    #[inline(always)]
    pub fn zero() -> Self {
        Complex::new(Lanes::zero(), Lanes::zero())
    }
    /// i·self.
    #[inline(always)]
    pub fn turned(self) -> Self {
        Complex::new(-self.im, self.re)
    }
    #[inline(always)]
    pub fn conj(self) -> Self {
        Complex::new(self.re, -self.im)
    }
    #[inline(always)]
    pub fn scaled(self, factor: Lanes<T>) -> Self {
        Complex::new(self.re * factor, self.im * factor)
    }
    /// `self + factor·other`.
    #[inline(always)]
    pub fn plus(self, factor: Lanes<T>, other: Self) -> Self {
        Complex::new(Lanes::fma(factor, other.re, self.re), Lanes::fma(factor, other.im, self.im))
    }
    /// `self + a·b`.
    #[inline(always)]
    pub fn plus_product(self, a: Self, b: Self) -> Self {
        let re = Lanes::fma(a.re, b.re, self.re);
        let im = Lanes::fma(a.re, b.im, self.im);
        Complex::new(Lanes::fnma(a.im, b.im, re), Lanes::fma(a.im, b.re, im))
    }
    /// `a·b`.
    #[inline(always)]
    pub fn product(a: Self, b: Self) -> Self {
        Complex::new(Lanes::fnma(a.im, b.im, a.re * b.re), Lanes::fma(a.im, b.re, a.re * b.im))
    }
}

impl<T: Real> Add for Complex<T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Complex::new(self.re + other.re, self.im + other.im)
    }
}

impl<T: Real> Sub for Complex<T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Complex::new(self.re - other.re, self.im - other.im)
    }
}
