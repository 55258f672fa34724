//! Eight values side by side with the operators of numbers: the unit in which the CPU's smaller
//! kernels and long convolutions compute.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use super::{Eight, Real};

/// Eight values, one for each of eight channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lanes<T: Real>(T::Eight);

impl<T: Real> Lanes<T> {
    /// Eight times the same value.
    #[inline(always)]
    pub fn all(value: T) -> Self {
        Lanes(T::Eight::all(value))
    }
    /// Zeros.
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
        if let Some(full) = from.first_chunk::<8>() {
            return Lanes(T::Eight::load(*full));
        }
        let mut values = [T::zero(); 8];
        values[..from.len()].copy_from_slice(from);
        Lanes(T::Eight::load(values))
    }
    /// The values.
    #[inline(always)]
    pub fn values(self) -> [T; 8] {
        self.0.values()
    }
    /// Writes as many values as `to` takes, at most eight.
    #[inline(always)]
    pub fn store(self, to: &mut [T]) {
        let values = self.values();
        match to.first_chunk_mut::<8>() {
            Some(full) => *full = values,
            None => to.copy_from_slice(&values[..to.len()]),
        }
    }
    /// Adds as many values as `to` takes, at most eight.
    #[inline(always)]
    pub fn add_to(self, to: &mut [T]) {
        (Lanes::load(to) + self).store(to);
    }
    /// A function of each value; it should have no branches.
    #[inline(always)]
    pub fn map(self, f: impl Fn(T) -> T) -> Self {
        let mut values = self.values();
        for value in &mut values {
            *value = f(*value);
        }
        Lanes(T::Eight::load(values))
    }
    /// The logistic function of each value.
    #[inline(always)]
    pub fn sigmoid(self) -> Self {
        self.map(T::sigmoid)
    }
    /// The sum of the eight.
    #[inline(always)]
    pub fn total(self) -> T {
        let [a, b, c, d, e, f, g, h] = self.values();
        ((a + e) + (c + g)) + ((b + f) + (d + h))
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
