//! Long convolutions along the token axis, by FFT. Conventions, binding for every engine:
//!
//! - The convolution runs along the tokens of one system of N tokens, separately for each component
//!   and channel.
//! - `Padding::Zero`: linear convolution, (a ⊛ b)_i = Σ_{0 ≤ j ≤ i} a_j b_{i−j} for i < N.
//!   `Padding::Circular`: index i − j taken modulo N.
//! - Transforms have 2,3,5,7-smooth lengths: the next one n ≥ 2N − 1 of a chain, n = N of a ring
//!   where that is smooth; another ring is convolved as a chain whose second half is then added to
//!   the first (exact for every N).
//! - `Mixing::Correlation`: Σ_j a_{j} b_{j − i} over valid indices (modulo N where circular):
//!   tokens mix by relative offset instead of index sum.
//! - `Scale` multiplies the result: 1/N (paper) or 1/√N (keeps the signal O(1) at every length).

mod direct;
mod lanes;
mod long;
mod piece;
mod product;
#[cfg(test)]
mod tests;
mod transform;
#[cfg(feature = "gpu")]
// build.rs says whether VkFFT could be built
#[cfg_attr(not(has_vkfft), path = "no_vkfft.rs")]
pub(crate) mod vkfft;

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Which of the five terms of the geometric long convolution there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Terms {
    /// All.
    Geometric,
    /// α1⊛α2 alone: vectors are not read, and zero in the result.
    Scalar,
    /// r1 ⊛× r2 alone: scalars are not read, and zero in the result.
    Vector,
}

impl Terms {
    /// All three values.
    pub const ALL: [Terms; 3] = [Terms::Geometric, Terms::Scalar, Terms::Vector];

    /// Those of λ1 … λ5 that there are, counted from 0.
    pub const fn rows(self) -> Range<usize> {
        match self {
            Terms::Geometric => 0..5,
            Terms::Scalar => 0..1,
            Terms::Vector => 4..5,
        }
    }

    /// Whether α takes part.
    pub const fn scalars(self) -> bool {
        !matches!(self, Terms::Vector)
    }

    /// Whether r takes part.
    pub const fn vectors(self) -> bool {
        !matches!(self, Terms::Scalar)
    }
}

/// What happens at the ends of the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// The sequence is followed by zeros: the ends do not wrap into one another.
    Zero,
    /// The sequence is a ring (paper).
    Circular,
}

/// Whether tokens mix by index sum or by relative offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mixing {
    /// Output index = sum of the input indices (paper).
    Convolution,
    /// Output index = difference of the input indices.
    Correlation,
}

/// Factor on the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scale {
    /// 1/N (paper).
    #[serde(rename = "1/N")]
    InverseLength,
    /// 1/√N.
    #[serde(rename = "1/sqrt(N)")]
    InverseRoot,
}

/// How a long convolution runs along the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Convolution {
    /// The ends of the sequence.
    pub padding: Padding,
    /// Index sum or offset.
    pub mixing: Mixing,
    /// Factor.
    pub scale: Scale,
}

impl Convolution {
    /// As published: circular, by index sum, 1/N.
    pub const PAPER: Convolution = Convolution {
        padding: Padding::Circular,
        mixing: Mixing::Convolution,
        scale: Scale::InverseLength,
    };
    /// For molecules: zero-padded, by index sum, 1/√N.
    pub const WORKING: Convolution = Convolution {
        padding: Padding::Zero,
        mixing: Mixing::Convolution,
        scale: Scale::InverseRoot,
    };

    /// The factor on the result for `tokens` tokens.
    pub fn factor(&self, tokens: usize) -> f64 {
        match self.scale {
            Scale::InverseLength => 1.0 / tokens as f64,
            Scale::InverseRoot => 1.0 / (tokens as f64).sqrt(),
        }
    }
}

/// How the CPU convolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Whichever was faster in `cargo bench --bench convolution`: the double sum up to 44 tokens of
    /// a chain or 15 of a ring.
    Fastest,
    /// The double sum over tokens, O(N²).
    Direct,
    /// Fourier transforms, O(N log N).
    Transform,
}

impl Method {
    fn is_direct(self, tokens: usize, padding: Padding) -> bool {
        match self {
            Method::Fastest => tokens <= if padding == Padding::Zero { 44 } else { 15 },
            Method::Direct => true,
            Method::Transform => false,
        }
    }
}

/// The geometric long convolution of two tuple sequences, or a term of it: equations in
/// `src/ops/long_conv.rs`.
#[derive(Debug, Clone, Copy)]
pub struct LongConvolution<'a, T> {
    /// First token of each system, and the number of tokens at the end.
    pub offsets: &'a [usize],
    /// Channels K.
    pub channels: usize,
    /// Which terms there are; what they do not need of the tuples is not read, and zero in the
    /// result.
    pub terms: Terms,
    /// Padding, mixing and scale.
    pub convolution: Convolution,
    /// Double sum or transforms.
    pub method: Method,
    /// λ, a row a term × K.
    pub lambda: &'a [T],
}

/// The smallest n ≥ `least` without a prime factor above 7 (1 for 0).
pub fn smooth_length(least: usize) -> usize {
    let smooth = |mut n: usize| {
        for p in [2, 3, 5, 7] {
            while n.is_multiple_of(p) {
                n /= p;
            }
        }
        n == 1
    };
    (least.max(1)..).find(|&n| smooth(n)).unwrap_or(usize::MAX)
}
