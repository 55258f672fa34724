//! What MD of the run's length and spacing would give, drawn from the reference.
//!
//! The question behind every verdict is how far another MD run like this one would be from this
//! reference. Both are finite: the run has so many frames, so far apart, in so many replicas, and
//! the reference may be no longer than a few of its own slowest motions. A draw imitates both: a
//! run put together of stretches of the reference, with the run's spacing and number of frames, and
//! a reference put together of other stretches, with all of their frames. Stretches are drawn
//! independently and with replacement from all places (the circular block bootstrap of Politis &
//! Romano 1992, for both samples), so that the difference of a draw's two sides has the variance of
//! the difference of two independent samples.
//!
//! Stretches must be long beside the memory of the motions, or the draws think the reference better
//! converged than it is: they are `MEMORIES` times as long as the slowest decorrelation time of
//! the reference's torsions and sizes, a twentieth of the reference at least, a quarter at most. A
//! sample of n stretches varies about the mean of all by (n − 1)/n of what it should; the drawn
//! references are made of one stretch less, which corrects that. And a spread that is itself known
//! from n stretches is uncertain: what is farther than the middle of the draws is set farther by
//! Student's quantile over the normal one, t(97.5 %, n − 1)/1.96. A torsion that forgets sooner
//! than the slowest motion is judged by shorter stretches, of which there are more.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::blocks::{Block, cut};
use super::gather::Series;
use super::memory::memories;

/// Draws that a verdict rests on.
pub const DRAWS: usize = 200;
/// Cells that the reference is summed in; drawn references are made of neighbouring ones.
const CELLS: usize = 100;
/// Blocks of the run, from which its error bars come.
pub const RUN_BLOCKS: usize = 20;
/// Pieces of a tenth of the reference.
const TENTHS: usize = 20;
/// Length of a stretch in decorrelation times of the slowest motion.
pub(super) const MEMORIES: f64 = 5.0;
/// Shortest and longest stretch, as shares of the reference.
pub(super) const SHORTEST: f64 = 0.05;
pub(super) const LONGEST: f64 = 0.25;
/// Fewest and most windows that drawn runs are made of, and rows in all of them over rows of the
/// reference.
const WINDOWS: (usize, usize) = (24, 256);
const WINDOW_ROWS: usize = 3;
/// Most windows of a drawn run: of a run that would have more the noise is of no account.
const MOST: usize = 1000;

/// One drawn pair of a run and a reference.
#[derive(Debug)]
pub(super) struct Draw {
    /// Windows that the run is made of.
    pub run: Vec<usize>,
    /// Cells that the reference is made of.
    pub reference: Vec<usize>,
}

/// The reference in pieces, and how drawn runs and references are put together of them.
#[derive(Debug)]
pub struct Resampling<'a> {
    /// The whole reference, in order.
    pub(super) cells: Vec<Block<'a>>,
    /// Stretches with the run's spacing: one block, or two where one runs on from the end of a
    /// segment at its beginning.
    pub(super) windows: Vec<Vec<Block<'a>>>,
    /// Empty for a reference that is too short.
    pub(super) draws: Vec<Draw>,
    /// Tenths of the reference, each with the rest.
    pub(super) tenths: Vec<[Vec<usize>; 2]>,
    /// The whole run, in order.
    pub(super) run: Vec<Block<'a>>,
    /// Drawn runs, of the run's own blocks.
    pub(super) run_draws: Vec<Vec<usize>>,
    /// Rows of the reference from one frame of a drawn run to the next.
    pub step: usize,
    /// Frames of a drawn run.
    pub frames: usize,
    /// Rows of the reference in a stretch.
    pub stretch: usize,
    /// Decorrelation times of the reference: see [`super::memory`].
    pub memories: Vec<f64>,
    /// How much farther from their middle draws are set.
    pub widening: f64,
}

impl<'a> Resampling<'a> {
    /// Prepares both sides; `units` are rows per common time step of the run and of the reference.
    pub fn new(run: &'a Series, reference: &'a Series, units: [usize; 2]) -> Self {
        let memories = memories(reference);
        let all = reference.rows.len() as f64;
        let slowest = memories.iter().copied().fold(1.0, f64::max);
        let rows = (MEMORIES * slowest).clamp(SHORTEST * all, LONGEST * all);
        Resampling::of_stretches(run, reference, units, memories, rows)
    }

    /// The same with stretches of about so many rows.
    pub(super) fn of_stretches(
        run: &'a Series,
        reference: &'a Series,
        units: [usize; 2],
        memories: Vec<f64>,
        rows: f64,
    ) -> Self {
        let run_blocks = cut(run, RUN_BLOCKS, units[0], true);
        let run_draws = with_replacement(run_blocks.len(), run_blocks.len(), 1);
        let stretch = rows.ceil().max(1.0) as usize;
        let stretches = reference.rows.len() / stretch;
        let mut resampling = Resampling {
            cells: cut(reference, CELLS, units[1], false),
            windows: Vec::new(),
            draws: Vec::new(),
            tenths: Vec::new(),
            run: run_blocks,
            run_draws,
            step: spacing(units),
            frames: 0,
            stretch,
            memories,
            widening: student(stretches.saturating_sub(1).max(1)) / NORMAL,
        };
        if resampling.cells.len() >= 4 && !run.rows.is_empty() {
            let shape = Shape::of(run, reference, units, &resampling);
            resampling.frames = shape.windows * shape.frames;
            resampling.windows = windows(reference, units[1], resampling.step, &shape);
            resampling.draws = draws(&resampling, shape.windows);
            resampling.tenths = tenths(resampling.cells.len());
        }
        resampling
    }
}

/// Rows of the reference from one frame of a drawn run to the next: as far apart as frames of the
/// run, or nearer where the reference has no such frames, which makes the draws vary more.
fn spacing([ours, theirs]: [usize; 2]) -> usize {
    (1..=theirs / ours)
        .rev()
        .find(|step| theirs.is_multiple_of(*step))
        .unwrap_or(1)
}

/// What a drawn run is made of.
struct Shape {
    /// Windows of each run.
    windows: usize,
    /// Frames of each window.
    frames: usize,
    /// Windows that stand for one segment of the run.
    a_segment: usize,
}

impl Shape {
    fn of(run: &Series, reference: &Series, units: [usize; 2], known: &Resampling) -> Self {
        let longest = |series: &Series| {
            let rows = series.segments.iter().map(|segment| segment.rows.len());
            rows.max().unwrap_or(1)
        };
        // Frames of a drawn run in one of the run's segments: no more than the run has, and no
        // longer in time.
        let rows = longest(run) as f64 * units[1] as f64 / (units[0] * known.step) as f64;
        let segment = longest(run).min(rows.floor() as usize).max(1);
        let most = known.stretch.min(longest(reference)).div_ceil(known.step);
        let a_segment = segment.div_ceil(most.max(1));
        let frames = (segment / a_segment).max(1);
        let share = segment as f64 / longest(run) as f64;
        let all = (run.rows.len() as f64 * share / frames as f64).floor() as usize;
        Shape {
            windows: all.clamp(1, MOST),
            frames,
            a_segment,
        }
    }
}

/// Windows that start at evenly spaced places all over the reference.
fn windows<'a>(series: &'a Series, unit: usize, step: usize, shape: &Shape) -> Vec<Vec<Block<'a>>> {
    let all = series.rows.len();
    let span = shape.frames * step;
    let count = (WINDOW_ROWS * all / shape.frames).clamp(WINDOWS.0, WINDOWS.1);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let window = |number: usize| {
        let place = (number as f64 + rng.random_range(0.0..1.0)) / count as f64;
        let row = ((place * all as f64) as usize).min(all - 1);
        let inside = |segment: &&super::gather::Segment| segment.rows.contains(&row);
        let Some(segment) = series.segments.iter().find(inside) else {
            return Vec::new();
        };
        // Pairs of frames reach as far as those of the run do from the same place in its segment.
        let reach = (shape.a_segment - number % shape.a_segment) * span;
        let block = |from: usize, to: usize| Block {
            segment: &series.rows[from..(from + reach).min(segment.rows.end)],
            range: 0..to - from,
            step,
            start: from,
            unit,
            of_run: false,
        };
        let end = (row + span).min(segment.rows.end);
        let mut blocks = vec![block(row, end)];
        let missing = shape.frames.saturating_sub(blocks[0].frames()) * step;
        let first = segment.rows.start;
        if missing > 0 && first < row {
            blocks.push(block(first, (first + missing).min(row)));
        }
        blocks
    };
    (0..count)
        .map(window)
        .filter(|window| !window.is_empty())
        .collect()
}

fn draws(known: &Resampling, windows: usize) -> Vec<Draw> {
    let cells = known.cells.len();
    let rows: usize = known.cells.iter().map(|cell| cell.range.len()).sum();
    let length = (known.stretch * cells).div_ceil(rows).clamp(1, cells / 2);
    let stretches = (cells / length).saturating_sub(1).max(1);
    let draw = |number: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        rng.set_stream(number);
        let run = (0..windows).map(|_| rng.random_range(0..known.windows.len()));
        let run = run.collect();
        let mut reference = Vec::with_capacity(stretches * length);
        for _ in 0..stretches {
            let first = rng.random_range(0..cells);
            reference.extend((0..length).map(|place| (first + place) % cells));
        }
        Draw { run, reference }
    };
    (0..DRAWS as u64).map(draw).collect()
}

fn with_replacement(blocks: usize, count: usize, seed: u64) -> Vec<Vec<usize>> {
    if blocks < 2 {
        return Vec::new();
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || (0..count).map(|_| rng.random_range(0..blocks)).collect();
    (0..DRAWS).map(|_| draw()).collect()
}

/// Tenths, evenly spaced, each of neighbouring cells; and what is left.
fn tenths(cells: usize) -> Vec<[Vec<usize>; 2]> {
    let length = cells.div_ceil(10);
    let count = TENTHS.min(cells - length + 1);
    let piece = |number: usize| {
        let first = number * (cells - length) / (count - 1).max(1);
        let inside = first..first + length;
        let rest = (0..cells).filter(|cell| !inside.contains(cell)).collect();
        [inside.clone().collect(), rest]
    };
    (0..count).map(piece).collect()
}

/// 97.5 % quantile of the normal distribution.
const NORMAL: f64 = 1.959_964;

/// 97.5 % quantile of Student's distribution, by Cornish and Fisher's expansion about the normal
/// one (Abramowitz & Stegun 26.7.5); within 2 % from three degrees of freedom on.
fn student(freedom: usize) -> f64 {
    let (x, n) = (NORMAL, freedom as f64);
    let first = (x.powi(3) + x) / 4.0;
    let second = (5.0 * x.powi(5) + 16.0 * x.powi(3) + 3.0 * x) / 96.0;
    let third = (3.0 * x.powi(7) + 19.0 * x.powi(5) + 17.0 * x.powi(3) - 15.0 * x) / 384.0;
    x + first / n + second / (n * n) + third / n.powi(3)
}

#[cfg(test)]
mod tests {
    use super::super::gather::Segment;
    use super::super::row::Row;
    use super::*;

    fn empty(lengths: &[usize], time_step: f64) -> Series {
        let mut series = Series {
            stride: 1,
            ..Series::default()
        };
        for &length in lengths {
            let start = series.rows.len();
            series
                .rows
                .extend(std::iter::repeat_n(Row::default(), length));
            let rows = start..start + length;
            series.segments.push(Segment {
                rows,
                time_step: Some(time_step),
            });
        }
        series.frames = series.rows.len();
        series
    }

    #[test]
    fn drawn_runs_have_the_frames_and_the_spacing_of_the_run() {
        // as often in the reference as in the run, oftener, and at times that hardly meet
        let cases = [
            ([1, 1], 1),
            ([1, 20], 20),
            ([20, 1], 1),
            ([2, 3], 1),
            ([3, 4], 1),
        ];
        for (units, step) in cases {
            assert_eq!(spacing(units), step, "{units:?}");
        }
        // four replicas of 101 frames 16 rows apart
        let (run, reference) = (empty(&[101; 4], 160.0), empty(&[10_000], 10.0));
        let known = Resampling::new(&run, &reference, [1, 16]);
        assert_eq!(known.step, 16);
        assert!((380..=404).contains(&known.frames), "{}", known.frames);
        for draw in &known.draws {
            let windows = draw.run.iter().flat_map(|&window| &known.windows[window]);
            assert_eq!(windows.map(Block::frames).sum::<usize>(), known.frames);
            // one stretch less than there are
            let rows = draw
                .reference
                .iter()
                .map(|&cell| known.cells[cell].range.len());
            assert_eq!(rows.sum::<usize>(), 9500);
        }
        let ends = known
            .windows
            .iter()
            .flatten()
            .map(|block| block.start + block.range.end);
        assert!(ends.max().unwrap() <= 10_000);
    }

    #[test]
    fn pieces_never_span_segments() {
        let (run, reference) = (empty(&[50], 1.0), empty(&[1000, 1000, 2000, 100], 1.0));
        let known = Resampling::new(&run, &reference, [1, 1]);
        let rows = known.cells.iter().map(|cell| cell.range.len());
        assert_eq!(rows.sum::<usize>(), 4100);
        for block in known.cells.iter().chain(known.windows.iter().flatten()) {
            let first = block.start + block.range.start;
            let last = block.start + block.range.end - 1;
            let inside =
                |segment: &Segment| segment.rows.contains(&first) && segment.rows.contains(&last);
            assert!(reference.segments.iter().any(inside), "{first} {last}");
        }
        let short = empty(&[3], 1.0);
        assert!(Resampling::new(&run, &short, [1, 1]).draws.is_empty());
    }

    #[test]
    fn students_quantile_is_that_of_tables() {
        for (freedom, table) in [(3, 3.182), (4, 2.776), (9, 2.262), (19, 2.093), (99, 1.984)] {
            let found = student(freedom);
            assert!(
                (found / table - 1.0).abs() <= 0.02,
                "{freedom}: {found} {table}"
            );
        }
    }
}
