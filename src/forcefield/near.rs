//! Which tiles lie within a cutoff: a list with a skin around it, made by cells of space and kept
//! while no atom has gone far, of which every evaluation takes what is near at its own positions.
//!
//! What is left out holds no pair within the cutoff, and what is kept beyond it adds zeros. So no
//! bit of a result depends on when the list was made: a run that goes on from a checkpoint, which
//! makes its list anew, is the run that never stopped.

#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a negated comparison holds for what is no number too"
)]

use std::collections::HashMap;

use super::lanes::{Block, LANES, PairReal};

/// How far beyond the cutoff the list reaches, Å: at 4 fs it lasts about ten steps of a protein.
const SKIN: f64 = 1.0;
/// Way of an atom after which the list is made anew, as a share of the skin. Two atoms that come
/// towards each other use it up at one half; the rest is for rounding.
const WAY: f64 = 0.49;
/// A block that spans more cells than so many along an axis (it holds atoms of two chains, or of a
/// molecule that is torn) is sought everywhere.
const MOST_CELLS: i64 = 4;

/// The box around some atoms, Å.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds<T> {
    low: [T; 3],
    high: [T; 3],
}

impl<T: PairReal> Bounds<T> {
    /// The box around the first `count` atoms of a block.
    fn of(block: &Block<T>, count: usize) -> Self {
        let ends = |lane: &[T], pick: fn(T, T) -> T| {
            lane[1..count]
                .iter()
                .fold(lane[0], |end, &value| pick(end, value))
        };
        let axes = [&block.x, &block.y, &block.z];
        Bounds {
            low: axes.map(|lane| ends(lane, T::min)),
            high: axes.map(|lane| ends(lane, T::max)),
        }
    }

    /// The box that is nothing but the place of one atom.
    #[inline(always)]
    pub fn point(block: &Block<T>, lane: usize) -> Self {
        let place = [block.x[lane], block.y[lane], block.z[lane]];
        Bounds {
            low: place,
            high: place,
        }
    }

    /// Squared distance of two boxes, Å²; of a point where a box is one.
    #[inline(always)]
    fn square(&self, other: &Self) -> T {
        let gap = |axis: usize| {
            (self.low[axis] - other.high[axis])
                .max(other.low[axis] - self.high[axis])
                .max(T::zero())
        };
        gap(0) * gap(0) + gap(1) * gap(1) + gap(2) * gap(2)
    }

    /// The cells of edge `edge`, Å, that the box reaches into when it is `margin` larger on every
    /// side: the first and the last along each axis. None where they are too many.
    fn cells(&self, edge: f64, margin: f64) -> Option<[(i64, i64); 3]> {
        let mut cells = [(0, 0); 3];
        for (axis, cell) in cells.iter_mut().enumerate() {
            let of = |place: f64| (place / edge).floor() as i64;
            let (low, high) = (self.low[axis].wide(), self.high[axis].wide());
            if of(high).saturating_sub(of(low)) >= MOST_CELLS || !(low.abs() + high.abs() < 1e9) {
                return None;
            }
            *cell = (of(low - margin), of(high + margin));
        }
        Some(cells)
    }
}

/// All cells of a range.
fn each_cell([x, y, z]: [(i64, i64); 3]) -> impl Iterator<Item = [i64; 3]> {
    (x.0..=x.1)
        .flat_map(move |i| (y.0..=y.1).flat_map(move |j| (z.0..=z.1).map(move |k| [i, j, k])))
}

/// The blocks near each block.
#[derive(Debug, Clone)]
pub(super) struct Near<T> {
    /// Cutoff, Å, and its square, Å².
    cutoff: f64,
    square: T,
    bounds: Vec<Bounds<T>>,
    /// Blocks within the cutoff and the skin of each block when the list was made, ascending from
    /// the block itself on.
    listed: Vec<Vec<u32>>,
    /// Where the atoms then were, Å; empty before there is a list.
    listed_at: Vec<[[T; LANES]; 3]>,
    /// Of the list, the blocks within the cutoff now.
    pub within: Vec<Vec<u32>>,
    /// How often the list was made.
    #[cfg(test)]
    pub made: usize,
}

impl<T: PairReal> Near<T> {
    /// No list yet, for so many blocks.
    pub fn new(blocks: usize, cutoff: f64) -> Self {
        Near {
            cutoff,
            square: T::of(cutoff * cutoff),
            bounds: Vec::new(),
            listed: vec![Vec::new(); blocks],
            listed_at: Vec::new(),
            within: vec![Vec::new(); blocks],
            #[cfg(test)]
            made: 0,
        }
    }

    /// Whether an atom may have a pair within the cutoff in a block.
    #[inline(always)]
    pub fn reaches(&self, point: &Bounds<T>, block: usize) -> bool {
        point.square(&self.bounds[block]) < self.square
    }

    /// Finds the blocks within the cutoff at new positions of `atoms` atoms. Pairs of blocks that
    /// `apart` says no to are left to others.
    pub fn find(&mut self, blocks: &[Block<T>], atoms: usize, apart: impl Fn(usize, u32) -> bool) {
        let bounds = blocks.iter().enumerate();
        self.bounds.clear();
        self.bounds.extend(
            bounds.map(|(index, block)| Bounds::of(block, LANES.min(atoms - index * LANES))),
        );
        if self.is_outdated(blocks) {
            self.list(&apart);
            self.listed_at.clear();
            self.listed_at
                .extend(blocks.iter().map(|block| [block.x, block.y, block.z]));
        }
        let (bounds, square) = (&self.bounds, self.square);
        for (row, (within, listed)) in self.within.iter_mut().zip(&self.listed).enumerate() {
            let is_near = |&column: &u32| bounds[row].square(&bounds[column as usize]) < square;
            within.clear();
            within.extend(listed.iter().copied().filter(is_near));
        }
    }

    /// Whether an atom has gone so far that a pair may be missing from the list.
    fn is_outdated(&self, blocks: &[Block<T>]) -> bool {
        if self.listed_at.len() != blocks.len() {
            return true;
        }
        let most = T::of((WAY * SKIN) * (WAY * SKIN));
        let has_moved = |block: &Block<T>, before: &[[T; LANES]; 3]| {
            (0..LANES).any(|lane| {
                let [x, y, z] = [
                    block.x[lane] - before[0][lane],
                    block.y[lane] - before[1][lane],
                    block.z[lane] - before[2][lane],
                ];
                let way = x * x + y * y + z * z;
                // also where it is no number
                !(way <= most)
            })
        };
        let both = blocks.iter().zip(&self.listed_at);
        both.into_iter()
            .any(|(block, before)| has_moved(block, before))
    }

    /// Makes the list: blocks are put into all cells that they reach into, and sought in those
    /// that the cutoff and the skin reach from there.
    fn list(&mut self, apart: &impl Fn(usize, u32) -> bool) {
        #[cfg(test)]
        {
            self.made += 1;
        }
        // also the edge of a cell
        let reach = self.cutoff + SKIN;
        let square = T::of(reach * reach);
        let mut cells: HashMap<[i64; 3], Vec<u32>> = HashMap::new();
        let mut everywhere = Vec::new();
        for (index, bounds) in self.bounds.iter().enumerate() {
            match bounds.cells(reach, 0.0) {
                Some(range) => each_cell(range)
                    .for_each(|cell| cells.entry(cell).or_default().push(index as u32)),
                None => everywhere.push(index as u32),
            }
        }
        let all = self.bounds.len() as u32;
        for (row, listed) in self.listed.iter_mut().enumerate() {
            listed.clear();
            match self.bounds[row].cells(reach, reach) {
                Some(range) => {
                    let there = each_cell(range).filter_map(|cell| cells.get(&cell));
                    listed.extend(there.flatten().chain(&everywhere));
                }
                None => listed.extend(row as u32..all),
            }
            listed.retain(|&column| {
                let distance = self.bounds[row].square(&self.bounds[column as usize]);
                column as usize >= row && apart(row, column) && distance < square
            });
            listed.sort_unstable();
            listed.dedup();
        }
    }
}

#[cfg(test)]
mod tests;
