//! `near_attention`: attention over the neighbourhood, whose values are scalars, vectors and
//! symmetric traceless tensors of rank 2 ([`super::rank2`]), in the manner of Equiformer (Liao &
//! Smidt, ICLR 2023, section 4.2).
//!
//! For every edge j → i (i receives), with m the message's P channels, made as those of
//! [`super::message`] are (from a_i, b_j and all pair features), u the direction d/(r + 0.1) of
//! the candidate, Y = u uᵀ without its trace, and s, v, T the values of j, P channels of each
//! degree:
//!
//! ```text
//! e_h = Σ_{c of head h} m (A₀ + A₁ v·u + A₂ T:Y)          p_ij = exp e_h / Σ_j' exp e_h
//! S_i = Σ_j p m (s, v·u, T:Y)                             3 P scalars
//! V_i = Σ_j p m (s u, v, T u)                             3 P vectors
//! M_i = Σ_j p m (s Y, [v uᵀ], T)                          3 P tensors
//! ```
//!
//! with [·] the symmetric traceless part. p and m are made of what no rotation changes: lengths (in
//! a and b), distances by B-splines, and the contractions v·u and T:Y. The nine sums are the
//! products of the values with the spherical harmonics of u of degrees 0, 1 and 2 that lead to
//! degrees up to 2, of Equiformer's "depthwise" kind, a channel with itself; those that flip under
//! a reflection (v × u and the like) are left out. m, which has the place of the radial weights, is
//! common to the nine of a channel: the linear maps behind them tell them apart. A token without
//! neighbours gets zeros.
//!
//! ```text
//! near_attention(a, b, y, x, n, s, v, T) → (S, V, M, lse)
//!   in   a, b [P]   y, x, n [3][1]   s [P]   v [3][P]   T [5][P], where there are tensors
//!   out  S [3·P]    V [3][3·P]   M [5][3·P]: of each the three of a degree, in the order above
//!        lse [heads]     ln Σ_j exp e, for backward alone
//! ```

mod backward;
mod forward;
#[cfg(test)]
mod tests;

use std::array::from_fn;

use super::message::features::Block;
use super::message::{self, by_width, rows};
use super::rank2::{NUMBERS, apply, product};
use super::{Backward, Forward, Init, Kernel, ParamShape, Shape, Signature};
use crate::numeric::{Lanes, Real};

/// Sums of a channel: of each component of each degree the three paths.
pub const SUMS: usize = 27;

/// Attention over neighbourhoods; see the module's equations.
///
/// Inputs: a, b (P scalars each), y, x, n (1 vector each), s (P scalars), v (P vectors), T (P
/// tensors). Parameters: those of [`message::Message`], then `score` A (3 × P). Outputs: S, V, M,
/// lse.
#[derive(Debug, Clone, PartialEq)]
pub struct NearAttention {
    /// Channels P of a message and of every degree of the values: 8, 16, 32 or 64.
    pub channels: usize,
    /// Heads, a divisor of `channels`.
    pub heads: usize,
    /// Number of B-splines, at least 2.
    pub radial: usize,
    /// Distance from which on the radial features are constant, Å.
    pub reach: f64,
    /// Whether there are tensors among the values: a first layer has none yet.
    pub tensors: bool,
}

/// The values of all tokens, or rows that their gradients are added to.
struct Values<'a, T, const P: usize> {
    s: &'a [[T; P]],
    v: &'a [[[T; P]; 3]],
    /// Empty where there are none.
    t: &'a [[[T; P]; NUMBERS]],
}

/// Values of eight channels of a token.
#[derive(Clone, Copy)]
struct Value<T: Real> {
    s: Lanes<T>,
    v: [Lanes<T>; 3],
    t: [Lanes<T>; NUMBERS],
}

impl<'a, T: Real, const P: usize> Values<'a, T, P> {
    fn new(inputs: &'a [&'a [T]]) -> Self {
        Values {
            s: rows(inputs[0]),
            v: rows::<T, P>(inputs[1]).as_chunks().0,
            t: inputs
                .get(2)
                .map_or(&[][..], |t| rows::<T, P>(t).as_chunks().0),
        }
    }

    /// Channels 8 `part` … of a token.
    #[inline(always)]
    fn of(&self, token: usize, part: usize) -> Value<T> {
        let load = |row: &[T; P]| Lanes::load(&row[8 * part..8 * part + 8]);
        Value {
            s: load(&self.s[token]),
            v: from_fn(|h| load(&self.v[token][h])),
            t: match self.t.get(token) {
                Some(t) => from_fn(|m| load(&t[m])),
                None => [Lanes::zero(); NUMBERS],
            },
        }
    }
}

/// u and Y of an edge, the same in all lanes.
#[derive(Clone, Copy)]
struct Direction<T: Real> {
    u: [Lanes<T>; 3],
    y: [Lanes<T>; NUMBERS],
}

impl<T: Real> Direction<T> {
    /// That of edge `e` of a block.
    #[inline(always)]
    fn new(block: &Block<T>, e: usize) -> Self {
        let u = from_fn(|h| Lanes::all(block.candidate.u[h][e]));
        Direction {
            u,
            y: product(u, u),
        }
    }
}

/// Σ_k a_k b_k.
#[inline(always)]
fn dot<T: Real, const N: usize>(a: [Lanes<T>; N], b: [Lanes<T>; N]) -> Lanes<T> {
    let pairs = a.into_iter().zip(b);
    pairs.fold(Lanes::zero(), |sum, (a, b)| Lanes::fma(a, b, sum))
}

/// a b of every component.
#[inline(always)]
fn times<T: Real, const N: usize>(a: Lanes<T>, b: [Lanes<T>; N]) -> [Lanes<T>; N] {
    b.map(|b| a * b)
}

/// Σ of two, component by component.
#[inline(always)]
fn plus<T: Real, const N: usize>(a: [Lanes<T>; N], b: [Lanes<T>; N]) -> [Lanes<T>; N] {
    from_fn(|k| a[k] + b[k])
}

impl<T: Real> Value<T> {
    /// v·u and T:Y.
    #[inline(always)]
    fn contractions(&self, way: &Direction<T>) -> [Lanes<T>; 2] {
        [dot(self.v, way.u), dot(self.t, way.y)]
    }

    /// What the sums are of, in the order of the outputs' rows: of S, then of each component of V
    /// and of M, the three paths.
    #[inline(always)]
    fn paths(&self, way: &Direction<T>, [along, in_y]: [Lanes<T>; 2]) -> [Lanes<T>; SUMS] {
        let Value { s, v, t } = *self;
        let (su, tu) = (times(s, way.u), apply(t, way.u));
        let (sy, vu) = (times(s, way.y), product(v, way.u));
        [
            s, along, in_y, //
            su[0], v[0], tu[0], su[1], v[1], tu[1], su[2], v[2], tu[2], //
            sy[0], vu[0], t[0], sy[1], vu[1], t[1], sy[2], vu[2], t[2], //
            sy[3], vu[3], t[3], sy[4], vu[4], t[4],
        ]
    }
}

/// Of every head the sum over its channels of a row.
#[inline(always)]
fn of_heads<T: Real>(row: &[T], heads: usize, to: &mut [T]) {
    let own = row.len() / heads;
    for (to, row) in to.iter_mut().zip(row.chunks_exact(own)) {
        *to = row.iter().copied().sum();
    }
}

/// Every head's number at all of its channels.
#[inline(always)]
fn at_channels<T: Real, const P: usize>(of_heads: &[T]) -> [T; P] {
    let own = P / of_heads.len();
    from_fn(|c| of_heads[c / own])
}

impl Kernel for NearAttention {
    fn examples() -> Vec<Self> {
        let with = |channels, heads, tensors| NearAttention {
            channels,
            heads,
            radial: 12,
            reach: 10.0,
            tensors,
        };
        vec![
            with(8, 2, true),
            with(8, 1, false),
            with(16, 4, true),
            with(32, 4, true),
            with(64, 8, true),
        ]
    }

    fn signature(&self) -> Signature {
        let p = self.channels;
        let mut inputs = vec![
            Shape::scalars(p),
            Shape::scalars(p),
            Shape::vectors(1),
            Shape::vectors(1),
            Shape::vectors(1),
            Shape::scalars(p),
            Shape::vectors(p),
        ];
        inputs.extend(self.tensors.then(|| Shape::tensors(p)));
        let mut params = message::parameters(p, self.radial);
        params.push(ParamShape {
            name: "score",
            size: [3, p],
            init: Init::Normal { gain: 1.0 },
        });
        Signature {
            inputs,
            params,
            outputs: vec![
                Shape::scalars(3 * p),
                Shape::vectors(3 * p),
                Shape::tensors(3 * p),
                Shape::scalars(self.heads),
            ],
        }
    }

    fn kept(&self) -> usize {
        1
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        by_width!(
            "near_attention",
            self.channels,
            self.forward_rows::<T>(call)
        );
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        by_width!(
            "near_attention",
            self.channels,
            self.backward_rows::<T>(call)
        );
    }
}
