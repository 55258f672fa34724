//! Reads trajectories into rows: every core, bounded memory.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use nalgebra::Vector3;
use rayon::prelude::*;

use super::row::{Looker, Row};
use super::source::Source;
use crate::Result;
use crate::geometry::superpose::pick;
use crate::structure::Frame;
use crate::trajectory::Reader;

/// Surfaces are computed for about this many frames of a side: they take longer than all else.
const SURFACES: usize = 500;

/// The rows of one side.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Rows of all segments, one after the other.
    pub rows: Vec<Row>,
    /// The trajectories (replicas), in the order given.
    pub segments: Vec<Segment>,
    /// Frames in the files.
    pub frames: usize,
    /// Every how many frames a row was taken: 1 but for trajectories that do not fit into memory.
    pub stride: usize,
    /// Whether molecules were broken over the cell, and made whole.
    pub made_whole: bool,
}

/// One trajectory of a side.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Its rows in [`Series::rows`].
    pub rows: Range<usize>,
    /// Time between rows, ps, where the file knows it.
    pub time_step: Option<f64>,
}

impl Series {
    /// Time of all segments together, ps, where all know theirs.
    pub fn time(&self) -> Option<f64> {
        self.segments
            .iter()
            .map(|segment| Some(segment.time_step? * segment.rows.len() as f64))
            .sum()
    }

    /// Time between rows, ps, where all segments have the same.
    pub fn time_step(&self) -> Option<f64> {
        let first = self.segments.first()?.time_step?;
        let same = |segment: &Segment| {
            segment
                .time_step
                .is_some_and(|step| (step - first).abs() <= 1e-3 * first)
        };
        self.segments.iter().all(same).then_some(first)
    }
}

/// Reads all frames of `sources` into rows of at most `memory` bytes in all, taking every second,
/// fourth, … frame where they are more. `tick` is told how many frames were passed. The rows do not
/// depend on the number of threads.
///
/// # Errors
/// What reading reports: the file and the frame.
pub fn gather(
    sources: &[Source],
    looker: &Looker,
    memory: usize,
    tick: &(dyn Fn(usize) + Sync),
) -> Result<Series> {
    let frames: usize = sources.iter().map(|source| source.frames).sum();
    let mut stride = 1;
    if let Some(source) = sources.first() {
        let size = read_rows(source, looker, &[0], 1, &|_| ())?.0[0].size();
        while frames.div_ceil(stride) * size > memory {
            stride *= 2;
        }
    }
    let surface_every = frames.div_ceil(stride).div_ceil(SURFACES).max(1);
    let mut series = Series {
        frames,
        stride,
        ..Series::default()
    };
    for source in sources {
        let chosen: Vec<usize> = (0..source.frames).step_by(stride).collect();
        let (rows, broken) = read_rows(source, looker, &chosen, surface_every, &|count| {
            tick(count * stride)
        })?;
        let start = series.rows.len();
        series.rows.extend(rows);
        series.made_whole |= broken;
        let time_step = source.time_step.map(|step| step * stride as f64);
        series.segments.push(Segment {
            rows: start..series.rows.len(),
            time_step,
        });
    }
    Ok(series)
}

/// Rows of the chosen frames (ascending), each thread with a reader of its own on a stretch of the
/// file.
fn read_rows(
    source: &Source,
    looker: &Looker,
    chosen: &[usize],
    surface_every: usize,
    tick: &(dyn Fn(usize) + Sync),
) -> Result<(Vec<Row>, bool)> {
    let parts = rayon::current_num_threads().clamp(1, chosen.len().max(1));
    let broken = AtomicBool::new(false);
    let stretch = |part: usize| -> Result<Vec<Row>> {
        let places = part * chosen.len() / parts..(part + 1) * chosen.len() / parts;
        let mut reader = Reader::open(&source.path, None)?;
        let mut frame = Frame::default();
        let mut rows = Vec::with_capacity(places.len());
        for place in places {
            reader.read_at(chosen[place], &mut frame)?;
            let mut positions: Vec<Vector3<f64>> = pick(&frame.positions, &source.picks);
            let (row, was_broken) = looker.look(
                &mut positions,
                frame.cell.as_ref(),
                place.is_multiple_of(surface_every),
            );
            broken.fetch_or(was_broken, Ordering::Relaxed);
            rows.push(row);
            tick(1);
        }
        Ok(rows)
    };
    let rows: Result<Vec<Vec<Row>>> = (0..parts).into_par_iter().map(stretch).collect();
    Ok((rows?.concat(), broken.into_inner()))
}
