//! Pair geometry and pair features of a block of edges, one edge a lane, and their way back to
//! positions.
#![allow(
    clippy::needless_range_loop,
    reason = "a lane of many arrays at once, in loops that become vector instructions"
)]

use std::array::from_fn;
use std::ops::Range;

use super::product::Row;
use super::{BLOCK, DENSE, DEVIATION, Lanes, NEAR, ROUND, Reads, SOFT, WIDTHS};
use crate::numeric::Real;

/// A vector for every edge of a block.
pub(in crate::ops) type Vectors<T> = [Lanes<T>; 3];

/// s/(w² + s²) for the three thermal widths w.
pub(in crate::ops) fn gains<T: Real>(scale: f64) -> [T; 3] {
    WIDTHS.map(|width| T::of(scale / (width * width + scale * scale)))
}

/// z/√(1 + (z/4)²) and its derivative.
#[inline(always)]
pub(in crate::ops) fn soft_clip<T: Real>(z: T) -> (T, T) {
    let q = (T::one() + z * z * T::of(1.0 / 16.0)).sqrt().recip();
    (z * q, q * q * q)
}

/// tanh and its derivative, without a branch.
#[inline(always)]
pub(in crate::ops) fn tanh<T: Real>(x: T) -> (T, T) {
    let two = T::of(2.0);
    let t = (x * two).sigmoid() * two - T::one();
    (t, T::one() - t * t)
}

/// The grid of the B-splines.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Grid<T> {
    /// Number of the last spline, the one that stands for everything far away.
    last: T,
    /// Splines an Å.
    density: T,
}

impl<T: Real> Grid<T> {
    /// `count` splines that are constant from `reach` Å on.
    pub fn new(count: usize, reach: f64) -> Self {
        assert!(count >= 2, "message: {count} splines");
        let last = (count - 1) as f64;
        Grid {
            last: T::of(last),
            density: T::of(last / reach),
        }
    }
}

/// The four B-splines that are not zero at the distances of a block.
pub(in crate::ops) struct Splines<T> {
    /// The first of the four.
    first: [u32; BLOCK],
    /// Way from the knot below to the knot above, 0 … 1.
    way: Lanes<T>,
    /// Values of the four.
    pub value: [Lanes<T>; 4],
}

impl<T: Real> Splines<T> {
    #[inline(always)]
    fn fill(&mut self, r: &Lanes<T>, grid: &Grid<T>) {
        let (half, sixth, top, one) = (T::of(0.5), T::of(1.0 / 6.0), T::of(2.0 / 3.0), T::one());
        for e in 0..BLOCK {
            let s = r[e] * grid.density;
            // not `min`: NaN becomes the last
            let s = if s < grid.last { s } else { grid.last };
            let knot = s.floor();
            self.first[e] = knot.index();
            let f = s - knot;
            let g = one - f;
            let (ff, gg) = (f * f, g * g);
            self.way[e] = f;
            self.value[0][e] = gg * g * sixth;
            self.value[1][e] = T::fma(ff, T::fma(f, half, -one), top);
            self.value[2][e] = T::fma(gg, T::fma(g, half, -one), top);
            self.value[3][e] = ff * f * sixth;
        }
    }

    /// Derivatives of the four, 1/Å.
    #[inline(always)]
    pub fn slopes(&self, grid: &Grid<T>) -> [Lanes<T>; 4] {
        let (half, threehalf, two) = (
            T::of(0.5) * grid.density,
            T::of(1.5) * grid.density,
            T::of(2.0) * grid.density,
        );
        let mut slope = [[T::zero(); BLOCK]; 4];
        for e in 0..BLOCK {
            let f = self.way[e];
            let g = T::one() - f;
            slope[0][e] = -g * g * half;
            slope[1][e] = f * T::fma(f, threehalf, -two);
            slope[2][e] = -g * T::fma(g, threehalf, -two);
            slope[3][e] = f * f * half;
        }
        slope
    }

    /// First row of the four that edge `e` weighs.
    #[inline(always)]
    pub fn first(&self, e: usize) -> usize {
        self.first[e] as usize
    }
}

/// The four rows from `first` on.
#[inline(always)]
pub(in crate::ops) fn four<T, const P: usize>(
    table: &[Row<T, P>],
    first: usize,
) -> &[Row<T, P>; 4] {
    (&table[first..first + 4])
        .try_into()
        .expect("four rows are four rows")
}

/// The four rows from `first` on.
#[inline(always)]
pub(in crate::ops) fn four_mut<T, const P: usize>(
    table: &mut [Row<T, P>],
    first: usize,
) -> &mut [Row<T, P>; 4] {
    (&mut table[first..first + 4])
        .try_into()
        .expect("four rows are four rows")
}

/// Distances and directions of a block in one set of positions.
pub(in crate::ops) struct Geometry<T> {
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
    fn fill(
        &mut self,
        positions: &[[T; 3]],
        receiver: usize,
        sender: &[u32; BLOCK],
        grid: &Grid<T>,
    ) {
        self.d = difference(positions, receiver, sender);
        for e in 0..BLOCK {
            let [x, y, z] = [self.d[0][e], self.d[1][e], self.d[2][e]];
            let r = T::fma(x, x, T::fma(y, y, T::fma(z, z, T::of(SOFT)))).sqrt();
            let shrink = (r + T::of(ROUND)).recip();
            self.r[e] = r;
            self.shrink[e] = shrink;
            self.u[0][e] = x * shrink;
            self.u[1][e] = y * shrink;
            self.u[2][e] = z * shrink;
        }
        self.splines.fill(&self.r, grid);
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
pub(in crate::ops) struct Receiver<T> {
    /// The token.
    pub token: usize,
    /// [`gains`] of its system.
    pub gains: [T; 3],
}

/// A block of edges of one receiver. Lanes past the last edge repeat it: their messages are set to
/// zero.
pub(in crate::ops) struct Block<T> {
    /// Number of edges.
    pub live: usize,
    /// The weight of a message in the sum of the messages.
    pub ones: Lanes<T>,
    /// Sending tokens.
    pub sender: [u32; BLOCK],
    /// Relation classes.
    pub relation: [u8; BLOCK],
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
    /// The dense features g.
    pub dense: [Lanes<T>; DENSE],
    gains: [T; 3],
}

/// Gradients of a block's geometry: sums over the channels.
pub(in crate::ops) struct BlockGradient<T> {
    /// Of the directions: candidate, condition.
    pub u: [Vectors<T>; 2],
    /// Of the distances through the splines and the last dense feature.
    pub r: [Lanes<T>; 2],
    /// Of all dense features but the last.
    pub dense: [Lanes<T>; DENSE - 1],
}

impl<T: Real> Block<T> {
    /// A block to fill.
    pub fn zero() -> Self {
        let lanes = [T::zero(); BLOCK];
        let geometry = || Geometry {
            d: [lanes; 3],
            r: lanes,
            shrink: lanes,
            u: [lanes; 3],
            splines: Splines {
                first: [0; BLOCK],
                way: lanes,
                value: [lanes; 4],
            },
        };
        Block {
            live: 0,
            ones: [T::one(); BLOCK],
            sender: [0; BLOCK],
            relation: [0; BLOCK],
            candidate: geometry(),
            condition: geometry(),
            template: lanes,
            mask: lanes,
            w: [lanes; 3],
            dense: [lanes; DENSE],
            gains: [T::zero(); 3],
        }
    }

    /// Takes the edges `edges` (at most [`BLOCK`], at least one) of a receiver.
    #[inline(never)]
    pub fn fill<const P: usize>(
        &mut self,
        reads: &Reads<'_, T, P>,
        receiver: &Receiver<T>,
        edges: Range<usize>,
    ) {
        let (inputs, batch) = (&reads.inputs, reads.batch);
        self.live = edges.len();
        self.gains = receiver.gains;
        self.sender = lanes(&batch.edges.sender[edges.clone()]);
        self.relation = lanes(&batch.edges.relation[edges.clone()]);
        let template = lanes(&batch.edges.template[edges]);
        for e in 0..BLOCK {
            self.template[e] = T::of(template[e].into());
            self.mask[e] = if template[e] > 0.0 {
                T::one()
            } else {
                T::zero()
            };
        }
        self.w = difference(inputs.n, receiver.token, &self.sender);
        self.candidate
            .fill(inputs.y, receiver.token, &self.sender, &reads.grid);
        self.condition
            .fill(inputs.x, receiver.token, &self.sender, &reads.grid);
        self.fill_dense();
    }

    /// Sets the rows of the lanes that are no edges to zero.
    #[inline(always)]
    pub fn clear_rest<const P: usize>(&self, rows: &mut [Row<T, P>; BLOCK]) {
        for row in &mut rows[self.live..] {
            *row = Row::zero();
        }
    }

    #[inline(always)]
    fn fill_dense(&mut self) {
        let g = &mut self.dense;
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
            let d_t = d.dense[0][e] * soft_clip(t * stiff).1 * stiff
                + d.dense[1][e] * soft_clip(t * soft).1 * soft;
            let d_dx = d.dense[2][e] * soft_clip(mask * dx * soft).1 * soft * mask
                + d.dense[3][e] * soft_clip(dx * any).1 * any
                + d.dense[4][e] * tanh(dx).1;
            d.r[0][e] += mask * d_t + d_dx - d.dense[5][e] * T::of(2.0) * near * near;
            d.r[1][e] -= d_dx;
            for (h, d_w) in d_w.iter_mut().enumerate() {
                d.u[0][h][e] = T::fma(d.dense[6][e], self.w[h][e], d.u[0][h][e]);
                d.u[1][h][e] = T::fma(d.dense[7][e], self.w[h][e], d.u[1][h][e]);
                d_w[e] =
                    d.dense[6][e] * self.candidate.u[h][e] + d.dense[7][e] * self.condition.u[h][e];
            }
        }
        [
            self.candidate.backward(&d.u[0], &d.r[0]),
            self.condition.backward(&d.u[1], &d.r[1]),
            d_w,
        ]
    }
}

/// One value a lane, the last one repeated.
#[inline(always)]
fn lanes<V: Copy>(values: &[V]) -> [V; BLOCK] {
    #[cold]
    fn repeat<V: Copy>(values: &[V]) -> [V; BLOCK] {
        from_fn(|e| values[e.min(values.len() - 1)])
    }
    match <&[V; BLOCK]>::try_from(values) {
        Ok(full) => *full,
        Err(_) => repeat(values),
    }
}

/// Receiver minus sender.
#[inline(always)]
fn difference<T: Real>(of: &[[T; 3]], receiver: usize, sender: &[u32; BLOCK]) -> Vectors<T> {
    let (here, mut there) = (&of[receiver], [[T::zero(); BLOCK]; 3]);
    for e in 0..BLOCK {
        let row = &of[sender[e] as usize];
        for h in 0..3 {
            there[h][e] = row[h];
        }
    }
    for h in 0..3 {
        for e in 0..BLOCK {
            there[h][e] = here[h] - there[h][e];
        }
    }
    there
}

#[inline(always)]
fn dot<T: Real>(a: &Vectors<T>, b: &Vectors<T>, e: usize) -> T {
    T::fma(
        a[0][e],
        b[0][e],
        T::fma(a[1][e], b[1][e], a[2][e] * b[2][e]),
    )
}
