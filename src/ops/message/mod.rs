//! `message`: pair messages over the neighbourhood, with all pair features computed inside the
//! loop.
//!
//! For every edge j → i (i receives), with r = √(|d|² + 1e-6), d = y_i − y_j, u = d/(r + 0.1) of
//! the candidate y, and r°, u° the same of the condition x, d0 the template distance (mask 1 where
//! the edge has one, else 0):
//!
//! ```text
//! h  = silu(a_i + b_j + R[relation] + Σ_n B_n(r) F_n + Σ_n B_n(r°) F°_n + Σ_m g_m G_m)
//! m  = silu(h W + c)
//! agg_i = 0.35 Σ_j ½ m          V_i = 0.35 Σ_j (u m, u° m)
//! ```
//!
//! B_n: uniform cubic B-splines over 0 … `reach` Å, at most four of them non-zero at any r; they
//! span what radial basis functions would, without an exponential and with a sparse row. With
//! `radial` = n, the spacing is δ = reach/(n − 1) and B_k, k < n − 1, has its knots at (k − 3)δ, (k
//! − 2)δ, … (k + 1)δ. The last, B_{n−1}, is the sum of all the further ones, 1 − Σ_{k<n−1} B_k, and
//! so stands for everything far away: from `reach` on, the features are B_{n−1} = 1 and the others
//! 0, and they get there with two continuous derivatives. Dense features (s = the system's scale,
//! c_out of EDM; pre(e, w) = z/√(1 + (z/4)²) with z = e·s/(w² + s²), spec jump.md § 2):
//!
//! ```text
//! g = [ pre(t, .03), pre(t, .1)           with t = mask·(r − d0)
//!       pre(mask·(r − r°), .1), pre(r − r°, .3), tanh(r − r°), 2/(r + .3)
//!       w·u, w·u°                          with w = n_i − n_j, the scaled noisy displacement n
//!       mask·(r° − d0)/.1 ]
//! ```
//!
//! The edges of one receiver go through the kernels in blocks of `BLOCK`, so that a block's
//! channels stay in the first cache; `forward` and `backward` are each one file, the pair geometry
//! (`features`) and the block products (`product`) are common to both. The layers up to m serve
//! [`super::near_attention`] too.

pub(super) mod backward;
pub(super) mod features;
pub(super) mod forward;
pub(super) mod partial;
pub(super) mod product;
#[cfg(test)]
mod tests;

use super::{Backward, Batch, Forward, Init, Kernel, ParamShape, RELATIONS, Shape, Signature};
use crate::numeric::Real;
use features::Grid;
use product::Row;

/// Calls a kernel as it is compiled for so many channels.
macro_rules! by_width {
    ($op:literal, $channels:expr, $own:ident.$rows:ident::<$real:ty>($call:ident)) => {
        match $channels {
            8 => $own.$rows::<$real, 8>($call),
            16 => $own.$rows::<$real, 16>($call),
            32 => $own.$rows::<$real, 32>($call),
            64 => $own.$rows::<$real, 64>($call),
            other => panic!("{}: {other} channels; 8, 16, 32 or 64 are compiled", $op),
        }
    };
}
pub(super) use by_width;

/// Number of dense pair features g.
pub const DENSE: usize = 9;

/// Edges that are processed together.
pub(super) const BLOCK: usize = 8;

/// One number for every edge of a block.
pub(super) type Lanes<T> = [T; BLOCK];

/// Factor of every sum over neighbours: about 1/√8.
pub const SUM: f64 = 0.35;

/// Scalar that takes the direction's place in the invariant sum.
pub const HALF: f64 = 0.5;

/// Added to |d|², Å²: two atoms at one place have a distance with a derivative.
pub const SOFT: f64 = 1e-6;

/// Added to r where a direction is d/(r + 0.1), Å.
pub const ROUND: f64 = 0.1;

/// Added to r in the feature 2/(r + 0.3), Å.
pub const NEAR: f64 = 0.3;

/// Thermal widths of the three corrections, Å: of stiff and of softer template pairs, and of any
/// pair.
pub const WIDTHS: [f64; 3] = [0.03, 0.1, 0.3];

/// Width by which the condition's own template deviation is divided, Å.
pub const DEVIATION: f64 = 0.1;

/// Batches of at most this many tokens run serially; larger ones are cut into pieces of at least
/// this size.
pub(super) const PIECE: usize = 256;

/// Pair messages; see the module's equations.
///
/// Inputs: a (P scalars), b (P scalars), y (1 vector), x (1 vector), n (1 vector). Parameters:
/// `relation` (30 × P), `radial` F (radial × P), `radial_condition` F° (radial × P), `dense` G (9 ×
/// P), `weight` W (P × P), `bias` c (1 × P). Outputs: agg (P scalars), V (2P vectors: first u m,
/// then u° m).
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Message channels P: 8, 16, 32 or 64.
    pub channels: usize,
    /// Number of B-splines, at least 2.
    pub radial: usize,
    /// Distance from which on the radial features are constant, Å.
    pub reach: f64,
}

/// The inputs by name and row.
pub(super) struct Inputs<'a, T, const P: usize> {
    a: &'a [[T; P]],
    b: &'a [[T; P]],
    y: &'a [[T; 3]],
    x: &'a [[T; 3]],
    n: &'a [[T; 3]],
}

impl<'a, T: Real, const P: usize> Inputs<'a, T, P> {
    pub fn new(inputs: &'a [&'a [T]]) -> Self {
        let [a, b, y, x, n] = inputs else {
            panic!("message takes 5 inputs, not {}", inputs.len())
        };
        Inputs {
            a: rows(a),
            b: rows(b),
            y: rows(y),
            x: rows(x),
            n: rows(n),
        }
    }
}

/// What both kernels read.
pub(super) struct Reads<'a, T, const P: usize> {
    pub batch: &'a Batch,
    pub inputs: Inputs<'a, T, P>,
    pub params: Params<T, P>,
    pub grid: Grid<T>,
}

/// The parameters, or their gradients: an aligned copy, a few kilobytes a call.
pub(super) struct Params<T, const P: usize> {
    relation: [Row<T, P>; RELATIONS],
    /// The last row stands there four times: the splines past the last are summed up in it, and the
    /// four rows of an edge lie one after the other.
    radial: Vec<Row<T, P>>,
    /// The same.
    radial_condition: Vec<Row<T, P>>,
    dense: [Row<T, P>; DENSE],
    pub weight: [Row<T, P>; P],
    pub bias: Row<T, P>,
}

impl<T: Real, const P: usize> Params<T, P> {
    pub fn new(params: &[&[T]]) -> Self {
        let [relation, radial, radial_condition, dense, weight, bias] = params else {
            panic!("message takes 6 parameters, not {}", params.len())
        };
        fn copy<T: Real, const P: usize, const N: usize>(flat: &[T]) -> [Row<T, P>; N] {
            let rows = rows(flat);
            assert_eq!(rows.len(), N, "message: rows of a parameter");
            std::array::from_fn(|row| Row(rows[row]))
        }
        let extended = |flat: &[T]| -> Vec<Row<T, P>> {
            let rows = rows(flat);
            rows.iter()
                .chain([&rows[rows.len() - 1]; 3])
                .copied()
                .map(Row)
                .collect()
        };
        let (radial, radial_condition) = (extended(radial), extended(radial_condition));
        Params {
            relation: copy(relation),
            radial,
            radial_condition,
            dense: copy(dense),
            weight: copy(weight),
            bias: copy::<T, P, 1>(bias)[0],
        }
    }

    /// Gradients of `radial` splines and of the rest.
    pub fn zeros(radial: usize) -> Self {
        let zero = Row::zero();
        let table = vec![zero; radial + 3];
        let radial_condition = table.clone();
        Params {
            relation: [zero; RELATIONS],
            radial: table,
            radial_condition,
            dense: [zero; DENSE],
            weight: [zero; P],
            bias: zero,
        }
    }

    /// Adds these gradients to those of the parameters.
    pub fn add_to(&self, d_params: &mut [&mut [T]]) {
        let tables = [
            &self.relation[..],
            &self.radial,
            &self.radial_condition,
            &self.dense,
            &self.weight,
            std::slice::from_ref(&self.bias),
        ];
        for (to, from) in d_params.iter_mut().zip(tables) {
            let to = rows_mut::<T, P>(to);
            let last = to.len() - 1;
            for (row, from) in from.iter().enumerate() {
                add(&mut to[row.min(last)], &from.0);
            }
        }
    }
}

/// `to += what`.
pub(super) fn add<T: Real>(to: &mut [T], what: &[T]) {
    for (to, &what) in to.iter_mut().zip(what) {
        *to += what;
    }
}

/// A row-major buffer by rows.
pub(super) fn rows<T, const W: usize>(flat: &[T]) -> &[[T; W]] {
    let (rows, rest) = flat.as_chunks();
    assert!(
        rest.is_empty(),
        "message: a buffer of {} is not made of rows of {W}",
        flat.len()
    );
    rows
}

/// A row-major buffer by rows.
pub(super) fn rows_mut<T, const W: usize>(flat: &mut [T]) -> &mut [[T; W]] {
    assert!(
        flat.len().is_multiple_of(W),
        "message: a buffer of {} is not made of rows of {W}",
        flat.len()
    );
    flat.as_chunks_mut().0
}

/// Parameters of the layers up to m.
pub(super) fn parameters(channels: usize, radial: usize) -> Vec<ParamShape> {
    let param = |name, rows, gain| ParamShape {
        name,
        size: [rows, channels],
        init: Init::Normal { gain },
    };
    vec![
        param("relation", RELATIONS, 3.0),
        param("radial", radial, 2.0),
        param("radial_condition", radial, 2.0),
        param("dense", DENSE, 1.0),
        param("weight", channels, 1.0),
        ParamShape {
            name: "bias",
            size: [1, channels],
            init: Init::Constant(0.0),
        },
    ]
}

impl Kernel for Message {
    fn examples() -> Vec<Self> {
        let narrow = Message {
            channels: 8,
            radial: 12,
            reach: 10.0,
        };
        let wider = [16, 32, 64].map(|channels| Message {
            channels,
            radial: 14,
            reach: 11.0,
        });
        [vec![narrow], wider.to_vec()].concat()
    }

    fn signature(&self) -> Signature {
        let p = self.channels;
        Signature {
            inputs: vec![
                Shape::scalars(p),
                Shape::scalars(p),
                Shape::vectors(1),
                Shape::vectors(1),
                Shape::vectors(1),
            ],
            params: parameters(p, self.radial),
            outputs: vec![Shape::scalars(p), Shape::vectors(2 * p)],
        }
    }

    fn over(&self, input: usize, output: usize) -> bool {
        (input, output) == (0, 0)
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        by_width!("message", self.channels, self.forward_rows::<T>(call));
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        by_width!("message", self.channels, self.backward_rows::<T>(call));
    }
}
