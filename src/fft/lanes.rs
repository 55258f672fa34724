//! Eight channels side by side: the unit in which the CPU computes long convolutions.
//!
//! Every channel takes the same steps, so each scalar of the algorithm is a [`Lanes`]. A [`Row`]
//! holds the four components of one token.

use std::ops::{Add, Sub};

pub(super) use crate::numeric::Lanes;
use crate::numeric::Real;

/// Channels in a block.
pub(super) const WIDTH: usize = 8;

/// One token of a block of channels: α, r_x, r_y, r_z.
pub(super) type Row<T> = [Lanes<T>; 4];

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
        Complex::new(
            Lanes::fma(factor, other.re, self.re),
            Lanes::fma(factor, other.im, self.im),
        )
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
        Complex::new(
            Lanes::fnma(a.im, b.im, a.re * b.re),
            Lanes::fma(a.im, b.re, a.re * b.im),
        )
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
