//! Reads trajectories into rows: every core, bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use nalgebra::Vector3;
use rayon::prelude::*;

use super::row::{Looker, Row};
use super::source::Source;
use crate::error::Place;
use crate::geometry::superpose::pick;
use crate::structure::Frame;
use crate::trajectory::damage::summary;
use crate::trajectory::times::{mark, repeated, repeats_note};
use crate::trajectory::{DamagedFrame, Judge, Reader};
use crate::{Error, Result};

/// Surfaces are computed for about this many frames of a side: they take longer than all else.
const SURFACES: usize = 500;

/// The rows of one side.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Rows of all segments, one after the other.
    pub rows: Vec<Row>,
    /// Stretches of rows one after the other in time: a trajectory (replica) each, in the order
    /// given, or more than one where frames of it were left out.
    pub segments: Vec<Segment>,
    /// Segments that go on behind frames that were left out.
    pub gaps: usize,
    /// Frames that were left out because they are no molecule.
    pub damaged: usize,
    /// What a user should know: frames left out, frames that repeat others. One line each.
    pub notes: Vec<String>,
    /// Frames in the files.
    pub frames: usize,
    /// Every how many frames a row was taken: 1 but for trajectories that do not fit into memory.
    pub stride: usize,
    /// Whether molecules were broken over the cell, and made whole.
    pub made_whole: bool,
    /// Where each row comes from.
    pub origins: Vec<Origin>,
}

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Trajectory, in the order given.
    pub trajectory: usize,
    /// Frame of it, from 0.
    pub frame: usize,
}

/// A stretch of a trajectory.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Its rows in [`Series::rows`].
    pub rows: Range<usize>,
    /// Time between rows, ps, where the file knows it.
    pub time_step: Option<f64>,
}

impl Series {
    /// Time that all segments together span, ps, where all know theirs: of a frame, none.
    pub fn time(&self) -> Option<f64> {
        let span = |segment: &Segment| {
            let steps = segment.rows.len().saturating_sub(1);
            Some(segment.time_step? * steps as f64)
        };
        self.segments.iter().map(span).sum()
    }

    /// Number of trajectories.
    pub fn replicas(&self) -> usize {
        self.segments.len() - self.gaps
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
/// fourth, … frame where they are more. Frames that are no molecule are left out, and what a
/// restart wrote again in a file without times. `tick` is told how many frames were passed. The
/// rows do not depend on the number of threads.
///
/// # Errors
/// What reading reports: the file and the frame; [`Error::Input`] for a file of which more than
/// half the frames are no molecule.
pub fn gather(
    sources: &[Source],
    looker: &Looker,
    memory: usize,
    tick: &(dyn Fn(usize) + Sync),
) -> Result<Series> {
    gather_every(1, sources, looker, memory, tick)
}

/// The same, of every `every`-th frame, or of every second, fourth, … of them.
///
/// # Errors
/// Those of [`gather`].
pub fn gather_every(
    every: usize,
    sources: &[Source],
    looker: &Looker,
    memory: usize,
    tick: &(dyn Fn(usize) + Sync),
) -> Result<Series> {
    let frames: usize = sources.iter().map(Source::looked_at).sum();
    let mut stride = every;
    if let Some(source) = sources.first() {
        let size = first_row(source, looker)?.size();
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
    for (trajectory, source) in sources.iter().enumerate() {
        let chosen: Vec<usize> = (source.first..source.frames).step_by(stride).collect();
        let (looks, broken) = read_rows(source, looker, &chosen, surface_every, &|count| {
            tick(count * stride);
        })?;
        series.made_whole |= broken;
        series.add(trajectory, source, looks)?;
    }
    Ok(series)
}

impl Series {
    /// Adds the frames of a trajectory, as far as they are to be kept.
    fn add(&mut self, trajectory: usize, source: &Source, mut looks: Vec<Look>) -> Result<()> {
        self.note_damage(source, &looks)?;
        self.leave_out_repeats(source, &mut looks);
        let time_step = source.time_step.map(|step| step * self.stride as f64);
        let before = self.segments.len();
        let mut goes_on = false;
        for look in looks {
            let Ok(row) = look.row else {
                goes_on = false;
                continue;
            };
            let place = self.rows.len();
            self.rows.push(row);
            self.origins.push(Origin {
                trajectory,
                frame: look.frame,
            });
            match self.segments.last_mut().filter(|_| goes_on) {
                Some(segment) => segment.rows.end += 1,
                None => self.segments.push(Segment {
                    rows: place..place + 1,
                    time_step,
                }),
            }
            goes_on = true;
        }
        self.gaps += (self.segments.len() - before).saturating_sub(1);
        Ok(())
    }

    /// Counts and names the frames that are no molecule.
    fn note_damage(&mut self, source: &Source, looks: &[Look]) -> Result<()> {
        let damaged: Vec<DamagedFrame> = looks
            .iter()
            .filter_map(|look| look.row.as_ref().err().cloned())
            .collect();
        self.damaged += damaged.len();
        let Some(line) = summary(&damaged, looks.len()) else {
            return Ok(());
        };
        if 2 * damaged.len() > looks.len() {
            let place = Place::file(&source.path).at_frame(damaged[0].frame);
            let what = format!(
                "{}; {} of {} frames are no molecule",
                damaged[0].what,
                damaged.len(),
                looks.len()
            );
            let hint = "check that the structure is this trajectory's, and leave out the frames \
                        behind the end of its run";
            return Err(Error::input(place, what, hint));
        }
        self.notes
            .push(format!("{}: {line}", source.path.display()));
        Ok(())
    }

    /// Says which frames repeat earlier ones to the last bit; in a file without times of its own a
    /// stretch that a restart wrote again is taken once.
    fn leave_out_repeats(&mut self, source: &Source, looks: &mut Vec<Look>) {
        let marks: Vec<u64> = looks.iter().map(|look| look.mark).collect();
        let name = source.path.display();
        // between the frames of a thinned trajectory there may be others
        if self.stride == 1 && !source.has_own_times {
            let stretches = repeated(&marks);
            for stretch in stretches.iter().rev() {
                looks.drain(stretch.clone());
            }
            if let Some(note) = repeats_note(&stretches) {
                self.notes.push(format!("{name}: {note}"));
                return;
            }
        }
        let mut seen = HashMap::new();
        let mut again = Vec::new();
        for (place, look) in looks
            .iter()
            .enumerate()
            .filter(|(_, look)| look.row.is_ok())
        {
            match seen.entry(look.mark) {
                Entry::Occupied(first) => again.push((place, *first.get())),
                Entry::Vacant(entry) => {
                    entry.insert(place);
                }
            }
        }
        if let Some((place, first)) = again.first() {
            self.notes.push(format!(
                "{name}: {} of {} frames repeat an earlier one exactly, the first of them frame {} \
                 (as frame {})",
                again.len(),
                looks.len(),
                looks[*place].frame,
                looks[*first].frame
            ));
        }
    }
}

/// A frame that was looked at.
struct Look {
    /// Its number in the file.
    frame: usize,
    /// Its row, or what is wrong with it.
    row: Result<Row, DamagedFrame>,
    /// Equal for frames that are equal.
    mark: u64,
}

/// The row of the first frame that is a molecule.
fn first_row(source: &Source, looker: &Looker) -> Result<Row> {
    for frame in source.first..source.frames {
        let (mut looks, _) = read_rows(source, looker, &[frame], 1, &|_| ())?;
        if let Ok(row) = looks.remove(0).row {
            return Ok(row);
        }
    }
    Ok(Row::default())
}

/// Looks at the chosen frames (ascending), each thread with a reader of its own on a stretch of the
/// file.
fn read_rows(
    source: &Source,
    looker: &Looker,
    chosen: &[usize],
    surface_every: usize,
    tick: &(dyn Fn(usize) + Sync),
) -> Result<(Vec<Look>, bool)> {
    let parts = rayon::current_num_threads().clamp(1, chosen.len().max(1));
    let broken = AtomicBool::new(false);
    let judge = Judge::new(&looker.topology);
    let stretch = |part: usize| -> Result<Vec<Look>> {
        let places = part * chosen.len() / parts..(part + 1) * chosen.len() / parts;
        let mut reader = Reader::open(&source.path, None)?;
        let mut frame = Frame::default();
        let mut looks = Vec::with_capacity(places.len());
        for place in places {
            reader.read_at(chosen[place], &mut frame)?;
            let mut positions: Vec<Vector3<f64>> = pick(&frame.positions, &source.picks);
            let mark = mark(&positions);
            let row = match judge.damage(&positions, frame.cell.as_ref()) {
                Some(damage) => Err(DamagedFrame {
                    frame: reader.number(chosen[place]),
                    what: damage.describe(&looker.topology),
                }),
                None => {
                    let with_surface = place.is_multiple_of(surface_every);
                    let mut hydrogens = pick(&frame.positions, &source.hydrogens);
                    let (row, was_broken) = looker.look_with(
                        &mut positions,
                        &mut hydrogens,
                        frame.cell.as_ref(),
                        with_surface,
                    );
                    broken.fetch_or(was_broken, Ordering::Relaxed);
                    Ok(row)
                }
            };
            looks.push(Look {
                frame: chosen[place],
                row,
                mark,
            });
            tick(1);
        }
        Ok(looks)
    };
    let looks: Result<Vec<Vec<Look>>> = (0..parts).into_par_iter().map(stretch).collect();
    Ok((looks?.into_iter().flatten().collect(), broken.into_inner()))
}
