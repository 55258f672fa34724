//! Trajectories cut into blocks of neighbouring frames, and the ways to deal them.

use std::ops::Range;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::gather::Series;
use super::row::Row;

/// Blocks that each side is cut into, about.
pub const BLOCKS: usize = 20;
/// A block of neighbouring rows of one segment.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// All rows of the segment: pairs of rows may reach beyond the block.
    pub segment: &'a [Row],
    /// The block's rows among them.
    pub range: Range<usize>,
    /// Index of its first row in [`Series::rows`].
    pub first: usize,
    /// Rows from one point in time to the next common to both sides.
    pub unit: usize,
    /// Whether it is of the run.
    pub of_run: bool,
}

impl<'a> Block<'a> {
    /// Rows of the block.
    pub fn rows(&self) -> &'a [Row] {
        &self.segment[self.range.clone()]
    }
}

/// A piece of the reference, and what it is held against.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// Some blocks, against the rest.
    Blocks([Vec<usize>; 2]),
    /// Less than a block, against the whole, of which it is a small part.
    Short(Block<'a>),
}

/// Cuts every segment into blocks, in proportion to its length; blocks never span segments.
pub(super) fn cut(series: &Series, unit: usize, of_run: bool) -> Vec<Block<'_>> {
    let all = series.rows.len().max(1);
    let mut blocks = Vec::new();
    for segment in &series.segments {
        let (first, count) = (segment.rows.start, segment.rows.len());
        let parts = (BLOCKS * count / all).clamp(1, count.max(1));
        for part in 0..parts {
            let range = part * count / parts..(part + 1) * count / parts;
            blocks.push(Block {
                segment: &series.rows[segment.rows.clone()],
                first: first + range.start,
                range,
                unit,
                of_run,
            });
        }
    }
    blocks
}

/// The first and the second half of the reference; of several replicas the first and the second
/// half of their list.
pub(super) fn halves(blocks: &[Block], replicas: bool) -> [Vec<usize>; 2] {
    let rows = |blocks: &[Block]| blocks.iter().map(|block| block.range.len()).sum::<usize>();
    let boundaries = (1..blocks.len()).filter(|&place| !replicas || blocks[place].range.start == 0);
    let middle = boundaries
        .min_by_key(|&place| rows(&blocks[..place]).abs_diff(rows(&blocks[place..])))
        .unwrap_or(blocks.len() / 2);
    [(0..middle).collect(), (middle..blocks.len()).collect()]
}

pub(super) fn dealt(blocks: usize, deal: usize) -> [Vec<usize>; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    rng.set_stream(deal as u64);
    let mut order: Vec<usize> = (0..blocks).collect();
    order.shuffle(&mut rng);
    let right = order.split_off(blocks / 2);
    [order, right]
}

/// Pieces that are this share of the reference; none for more than half of it.
pub(super) fn pieces(reference: &Series, unit: usize, blocks: usize, share: f64) -> Vec<Piece<'_>> {
    let wanted = share * blocks as f64;
    match wanted {
        _ if share >= 0.5 => Vec::new(),
        wanted if wanted >= 0.75 => windows(blocks, wanted.round() as usize)
            .into_iter()
            .map(Piece::Blocks)
            .collect(),
        _ => stretches(reference, unit, share)
            .into_iter()
            .map(Piece::Short)
            .collect(),
    }
}

/// About [`BLOCKS`] evenly spaced stretches of that share of all rows, none across two segments.
fn stretches(series: &Series, unit: usize, share: f64) -> Vec<Block<'_>> {
    let all = series.rows.len();
    let length = ((share * all as f64).round() as usize).max(2);
    let mut stretches = Vec::new();
    for segment in series
        .segments
        .iter()
        .filter(|segment| segment.rows.len() >= length)
    {
        let (first, room) = (segment.rows.start, segment.rows.len() - length);
        let count = (BLOCKS * segment.rows.len() / all).clamp(1, room + 1);
        for place in 0..count {
            let start = place * room / (count - 1).max(1);
            let rows = &series.rows[segment.rows.clone()];
            stretches.push(Block {
                segment: rows,
                range: start..start + length,
                first: first + start,
                unit,
                of_run: false,
            });
        }
    }
    stretches
}

/// All stretches of `wanted` neighbouring blocks, each with the rest.
fn windows(blocks: usize, wanted: usize) -> Vec<[Vec<usize>; 2]> {
    let window = |start: usize| {
        let inside: Vec<usize> = (start..start + wanted).collect();
        let outside = (0..blocks)
            .filter(|block| !inside.contains(block))
            .collect();
        [inside, outside]
    };
    (0..=blocks - wanted).map(window).collect()
}
