//! Pair geometry and pair features of a block of edges, one edge a lane, and their way back to positions.

use std::array::from_fn;
use std::ops::Range;

use super::{BLOCK, DENSE, Inputs};
use crate::engine::Real;
use crate::ops::Batch;

/// One number for every edge of a block.
pub(super) type Lanes<T> = [T; BLOCK];

/// A vector for every edge of a block.
pub(super) type Vectors<T> = [Lanes<T>; 3];

/// Added to |d|², Å²: two atoms at one place have a distance with a derivative.
const SOFT: f64 = 1e-6;

/// Added to r where a direction is d/(r + 0.1), Å.
const ROUND: f64 = 0.1;

/// Added to r in the feature 2/(r + 0.3), Å.
const NEAR: f64 = 0.3;

/// Thermal widths of the three corrections, Å: of stiff and of softer template pairs, and of any pair.
const WIDTHS: [f64; 3] = [0.03, 0.1, 0.3];

/// Width by which the condition's own template deviation is divided, Å.
const DEVIATION: f64 = 0.1;

/// s/(w² + s²) for the three thermal widths w.
pub(super) fn gains<T: Real>(scale: f64) -> [T; 3] {
    WIDTHS.map(|width| T::of(scale / (width * width + scale * scale)))
}

/// z/√(1 + (z/4)²) and its derivative.
#[inline(always)]
pub(super) fn soft_clip<T: Real>(z: T) -> (T, T) {
    let q = (T::one() + z * z * T::of(1.0 / 16.0)).sqrt().recip();
    (z * q, q * q * q)
}

/// tanh and its derivative, without a branch.
#[inline(always)]
pub(super) fn tanh<T: Real>(x: T) -> (T, T) {
    let two = T::of(2.0);
    let t = (x * two).sigmoid() * two - T::one();
    (t, T::one() - t * t)
}

/// The non-zero B-splines at the distances of a block, and their derivatives.
pub(super) struct Splines<T> {
    /// Row of the first of the four; the others follow, none beyond the last row.
    pub first: [usize; BLOCK],
    /// Values of the four.
    pub value: [Lanes<T>; 4],
    /// Derivatives of the four, 1/Å.
    pub slope: [Lanes<T>; 4],
}

impl<T: Real> Splines<T> {
    /// `rows` splines that are constant from `reach` Å on.
    #[inline(always)]
    fn new(r: &Lanes<T>, rows: usize, reach: f64) -> Self {
        let (last, density) = (T::of((rows - 1) as f64), T::of((rows - 1) as f64 / reach));
        let third = T::of(1.0 / 3.0);
        let (half, sixth, two, one) = (T::of(0.5), T::of(1.0 / 6.0), T::of(2.0), T::one());
        let mut splines = Splines { first: [0; BLOCK], value: [[T::zero(); BLOCK]; 4], slope: [[T::zero(); BLOCK]; 4] };
        let mut interval = [T::zero(); BLOCK];
        for e in 0..BLOCK {
            let s = (r[e] * density).min(last);
            interval[e] = s.floor();
            let f = s - interval[e];
            let g = one - f;
            let (ff, gg) = (f * f, g * g);
            splines.value[0][e] = gg * g * sixth;
            splines.value[1][e] = two * third + ff * (f * half - one);
            splines.value[2][e] = two * third + gg * (g * half - one);
            splines.value[3][e] = ff * f * sixth;
            splines.slope[0][e] = -gg * half * density;
            splines.slope[1][e] = f * (f * T::of(1.5) - two) * density;
            splines.slope[2][e] = -g * (g * T::of(1.5) - two) * density;
            splines.slope[3][e] = ff * half * density;
        }
        splines.first = interval.map(|interval| interval.wide() as usize);
        splines
    }

    /// The rows of a table that the four splines of edge `e` weigh.
    #[inline(always)]
    pub fn rows<'a, const P: usize>(&self, e: usize, table: &'a [[T; P]]) -> [&'a [T; P]; 4] {
        from_fn(|k| &table[(self.first[e] + k).min(table.len() - 1)])
    }
}

/// Distances and directions of a block in one set of positions.
pub(super) struct Geometry<T> {
    d: Vectors<T>,
    /// Distance, Å.
    r: Lanes<T>,
    /// 1/(r + 0.1).
    shrink: Lanes<T>,
    /// Direction, d/(r + 0.1).
    pub u: Vectors<T>,
    /// Radial features.
    pub splines: Splines<T>,
}

impl<T: Real> Geometry<T> {
    #[inline(always)]
    fn new(d: Vectors<T>, rows: usize, reach: f64) -> Self {
        let mut r = [T::zero(); BLOCK];
        let mut shrink = r;
        let mut u = d;
        for e in 0..BLOCK {
            let square = T::fma(d[0][e], d[0][e], T::fma(d[1][e], d[1][e], T::fma(d[2][e], d[2][e], T::of(SOFT))));
            r[e] = square.sqrt();
            shrink[e] = (r[e] + T::of(ROUND)).recip();
            for h in 0..3 {
                u[h][e] = d[h][e] * shrink[e];
            }
        }
        Geometry { d, r, shrink, u, splines: Splines::new(&r, rows, reach) }
    }

    /// Gradient of the difference of positions d from those of the direction and of the distance.
    #[inline(always)]
    fn backward(&self, d_u: &Vectors<T>, d_r: &Lanes<T>) -> Vectors<T> {
        let mut d_d = [[T::zero(); BLOCK]; 3];
        for e in 0..BLOCK {
            let along = (0..3).fold(T::zero(), |sum, h| T::fma(d_u[h][e], self.u[h][e], sum));
            let radial = T::fma(-along, self.shrink[e], d_r[e]) / self.r[e];
            for h in 0..3 {
                d_d[h][e] = T::fma(d_u[h][e], self.shrink[e], radial * self.d[h][e]);
            }
        }
        d_d
    }
}

/// What a receiver's blocks have in common.
pub(super) struct Receiver<T> {
    /// The token.
    pub token: usize,
    /// [`gains`] of its system.
    pub gains: [T; 3],
}

/// A block of edges of one receiver. Lanes past the last edge repeat it, with `live` = 0.
pub(super) struct Block<T> {
    /// Sending tokens.
    pub sender: [usize; BLOCK],
    /// Relation classes.
    pub relation: [usize; BLOCK],
    /// 1 for an edge, 0 for padding.
    pub live: Lanes<T>,
    /// Geometry of the candidate y.
    pub candidate: Geometry<T>,
    /// Geometry of the condition x.
    pub condition: Geometry<T>,
    /// Template distances, Å.
    template: Lanes<T>,
    /// 1 where there is a template.
    mask: Lanes<T>,
    /// Differences of the scaled noisy displacement.
    w: Vectors<T>,
    gains: [T; 3],
}

/// Gradients of a block's geometry: sums over the channels.
pub(super) struct BlockGradient<T> {
    /// Of the directions: candidate, condition.
    pub u: [Vectors<T>; 2],
    /// Of the distances through the splines and the last dense feature.
    pub r: [Lanes<T>; 2],
    /// Of all dense features but the last.
    pub dense: [Lanes<T>; DENSE - 1],
}

impl<T: Real> Block<T> {
    /// The edges `edges` (at most [`BLOCK`], at least one) of a receiver.
    #[inline(always)]
    pub fn new<const P: usize>(
        batch: &Batch,
        inputs: &Inputs<'_, T, P>,
        receiver: &Receiver<T>,
        edges: Range<usize>,
        rows: usize,
        reach: f64,
    ) -> Self {
        let last = edges.len() - 1;
        let index: [usize; BLOCK] = from_fn(|e| edges.start + e.min(last));
        let sender = index.map(|k| batch.edges.sender[k] as usize);
        let template = index.map(|k| T::of(batch.edges.template[k].into()));
        let difference = |of: &[[T; 3]]| {
            let here = of[receiver.token];
            let mut d = [[T::zero(); BLOCK]; 3];
            for e in 0..BLOCK {
                let there = of[sender[e]];
                for h in 0..3 {
                    d[h][e] = here[h] - there[h];
                }
            }
            d
        };
        Block {
            sender,
            relation: index.map(|k| batch.edges.relation[k].into()),
            live: from_fn(|e| if e <= last { T::one() } else { T::zero() }),
            candidate: Geometry::new(difference(inputs.y), rows, reach),
            condition: Geometry::new(difference(inputs.x), rows, reach),
            template,
            mask: template.map(|d0| if d0 > T::zero() { T::one() } else { T::zero() }),
            w: difference(inputs.n),
            gains: receiver.gains,
        }
    }

    /// The dense features g.
    #[inline(always)]
    pub fn dense(&self) -> [Lanes<T>; DENSE] {
        let mut g = [[T::zero(); BLOCK]; DENSE];
        let (r, rc) = (&self.candidate.r, &self.condition.r);
        let [stiff, soft, any] = self.gains;
        for e in 0..BLOCK {
            let mask = self.mask[e];
            let (t, dx) = (mask * (r[e] - self.template[e]), r[e] - rc[e]);
            g[0][e] = soft_clip(t * stiff).0;
            g[1][e] = soft_clip(t * soft).0;
            g[2][e] = soft_clip(mask * dx * soft).0;
            g[3][e] = soft_clip(dx * any).0;
            g[4][e] = tanh(dx).0;
            g[5][e] = T::of(2.0) / (r[e] + T::of(NEAR));
            g[6][e] = dot(&self.w, &self.candidate.u, e);
            g[7][e] = dot(&self.w, &self.condition.u, e);
            g[8][e] = mask * (rc[e] - self.template[e]) * T::of(1.0 / DEVIATION);
        }
        g
    }

    /// Derivative of the last dense feature by the condition's distance, 1/Å.
    #[inline(always)]
    pub fn deviation_slope(&self) -> Lanes<T> {
        self.mask.map(|mask| mask * T::of(1.0 / DEVIATION))
    }

    /// Gradients of the differences (receiver − sender) of y, x and n.
    #[inline(always)]
    pub fn backward(&self, mut d: BlockGradient<T>) -> [Vectors<T>; 3] {
        let (r, rc) = (&self.candidate.r, &self.condition.r);
        let [stiff, soft, any] = self.gains;
        let mut d_w = [[T::zero(); BLOCK]; 3];
        for e in 0..BLOCK {
            let mask = self.mask[e];
            let (t, dx) = (mask * (r[e] - self.template[e]), r[e] - rc[e]);
            let near = (r[e] + T::of(NEAR)).recip();
            let d_t = d.dense[0][e] * soft_clip(t * stiff).1 * stiff + d.dense[1][e] * soft_clip(t * soft).1 * soft;
            let d_dx = d.dense[2][e] * soft_clip(mask * dx * soft).1 * soft * mask
                + d.dense[3][e] * soft_clip(dx * any).1 * any
                + d.dense[4][e] * tanh(dx).1;
            d.r[0][e] += mask * d_t + d_dx - d.dense[5][e] * T::of(2.0) * near * near;
            d.r[1][e] -= d_dx;
            for (h, d_w) in d_w.iter_mut().enumerate() {
                d.u[0][h][e] = T::fma(d.dense[6][e], self.w[h][e], d.u[0][h][e]);
                d.u[1][h][e] = T::fma(d.dense[7][e], self.w[h][e], d.u[1][h][e]);
                d_w[e] = d.dense[6][e] * self.candidate.u[h][e] + d.dense[7][e] * self.condition.u[h][e];
            }
        }
        [self.candidate.backward(&d.u[0], &d.r[0]), self.condition.backward(&d.u[1], &d.r[1]), d_w]
    }
}

#[inline(always)]
fn dot<T: Real>(a: &Vectors<T>, b: &Vectors<T>, e: usize) -> T {
    T::fma(a[0][e], b[0][e], T::fma(a[1][e], b[1][e], a[2][e] * b[2][e]))
}
