//! Stretches of neighbouring frames of one trajectory, which measures are summed over.

use std::ops::Range;

use super::gather::Series;
use super::row::Row;

/// Neighbouring frames of one segment, perhaps only every second, third, … of its rows.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// Rows that pairs of frames may reach: up to the end of the segment, or of what a run's
    /// trajectory would have.
    pub segment: &'a [Row],
    /// Where the block's rows lie among them.
    pub range: Range<usize>,
    /// Rows from one frame of the block to the next.
    pub step: usize,
    /// Index of the segment's first row in [`Series::rows`].
    pub start: usize,
    /// Rows from one point in time to the next common to both sides.
    pub unit: usize,
    /// Whether it is of the run.
    pub of_run: bool,
}

impl<'a> Block<'a> {
    /// Number of frames of the block.
    pub fn frames(&self) -> usize {
        self.range.len().div_ceil(self.step)
    }

    /// Their places in [`Block::segment`].
    pub fn places(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        self.range.clone().step_by(self.step)
    }

    /// Their rows.
    pub fn rows(&self) -> impl Iterator<Item = &'a Row> + Clone + use<'a> {
        self.segment[self.range.clone()].iter().step_by(self.step)
    }
}

/// Cuts every segment into blocks of neighbouring rows, about `count` in all, in proportion to its
/// length; blocks never span segments.
pub(super) fn cut(series: &Series, count: usize, unit: usize, of_run: bool) -> Vec<Block<'_>> {
    let all = series.rows.len().max(1);
    let mut blocks = Vec::new();
    for segment in &series.segments {
        let rows = segment.rows.len();
        let share = (count as f64 * rows as f64 / all as f64).round() as usize;
        let parts = share.clamp(1, rows.max(1));
        for part in 0..parts {
            blocks.push(Block {
                segment: &series.rows[segment.rows.clone()],
                range: part * rows / parts..(part + 1) * rows / parts,
                step: 1,
                start: segment.rows.start,
                unit,
                of_run,
            });
        }
    }
    blocks
}
