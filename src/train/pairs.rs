//! Pairs of frames one lag time apart, the parts of trajectories that they are drawn from.

use std::ops::Range;
use std::path::PathBuf;

use nalgebra::Vector3;
use rand::RngExt;

use crate::error::Place;
use crate::{Error, Result};

/// The frames of one trajectory file in memory: tokens only, about their centroid.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The file.
    pub file: PathBuf,
    /// Number of tokens.
    pub tokens: usize,
    /// Time between frames, ps.
    pub time_step: f64,
    /// Positions, Å: frame, then token, then component.
    pub positions: Vec<f32>,
    /// Forces, kJ/mol/Å, likewise; empty where the objective needs none.
    pub forces: Vec<f32>,
}

impl Segment {
    /// Number of frames.
    pub fn len(&self) -> usize {
        self.positions.len() / (3 * self.tokens)
    }
    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }
    /// The positions of a frame, Å.
    pub fn frame(&self, index: usize) -> Vec<Vector3<f64>> {
        vectors(&self.positions, index, self.tokens)
    }
    /// The forces at a frame, kJ/mol/Å.
    pub fn force(&self, index: usize) -> Vec<Vector3<f64>> {
        vectors(&self.forces, index, self.tokens)
    }

    /// The lag time (ps) in frames of this file; 0 is 0.
    ///
    /// # Errors
    /// [`Error::Input`] naming file and time step where it is no whole number of frames.
    pub fn lag_frames(&self, lag: f64) -> Result<usize> {
        if lag == 0.0 {
            return Ok(0);
        }
        let ratio = lag / self.time_step;
        let frames = ratio.round();
        if frames < 1.0 || (ratio - frames).abs() > 1e-3 * frames {
            let what = format!(
                "its frames are {} ps apart, of which the lag time of {lag} ps is no multiple",
                self.time_step
            );
            return Err(Error::input(
                Place::file(&self.file),
                what,
                "set `lag` to a multiple, or use a file with closer frames",
            ));
        }
        Ok(frames as usize)
    }
}

fn vectors(values: &[f32], frame: usize, tokens: usize) -> Vec<Vector3<f64>> {
    let row = 3 * tokens;
    let values = values[frame * row..(frame + 1) * row].chunks_exact(3);
    values
        .map(|x| Vector3::new(x[0].into(), x[1].into(), x[2].into()))
        .collect()
}

/// Frames `first`, `first + lag` of a segment of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The system.
    pub system: usize,
    /// Its segment.
    pub segment: usize,
    /// Earlier frame.
    pub first: usize,
    /// Later frame.
    pub second: usize,
}

/// A set of pairs, none written out: runs of consecutive first frames.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pairs {
    runs: Vec<Run>,
    total: usize,
    /// Sum of the weights of all pairs.
    weight: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct Run {
    system: usize,
    segment: usize,
    start: usize,
    lag: usize,
    /// Number of the run's first pair within the set.
    before: usize,
    /// Weight of each of its pairs, and of all pairs before its first.
    weight: f64,
    weight_before: f64,
}

impl Pairs {
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.total
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }
    /// The systems that pairs are of, ascending.
    pub fn systems(&self) -> Vec<usize> {
        let mut systems: Vec<usize> = self.runs.iter().map(|run| run.system).collect();
        systems.dedup();
        systems
    }
    /// Adds all pairs of which both frames lie in `frames`, each to be drawn `weight` times as
    /// often as one of weight 1; systems are added in ascending order.
    pub fn push(
        &mut self,
        system: usize,
        segment: usize,
        frames: Range<usize>,
        lag: usize,
        weight: f64,
    ) {
        let count = frames.len().saturating_sub(lag);
        if count > 0 {
            let (before, weight_before) = (self.total, self.weight);
            self.runs.push(Run {
                system,
                segment,
                start: frames.start,
                lag,
                before,
                weight,
                weight_before,
            });
            self.total += count;
            self.weight += weight * count as f64;
        }
    }
    /// Draws a pair.
    ///
    /// # Panics
    /// Where there is none.
    pub fn draw(&self, rng: &mut impl rand::Rng) -> Pair {
        if self.runs.iter().all(|run| run.weight == 1.0) {
            return self.get(rng.random_range(0..self.total));
        }
        let at = self.weight * rng.random::<f64>();
        let run = self.runs.partition_point(|run| run.weight_before <= at) - 1;
        let end = self
            .runs
            .get(run + 1)
            .map_or(self.total, |next| next.before);
        let Run {
            before,
            weight,
            weight_before,
            ..
        } = self.runs[run];
        // the division may round up to the next run's first pair
        self.get((before + ((at - weight_before) / weight) as usize).min(end - 1))
    }
    /// Pair number `index`.
    ///
    /// # Panics
    /// Where `index` is not below [`Pairs::len`].
    pub fn get(&self, index: usize) -> Pair {
        assert!(index < self.total, "pair {index} of {}", self.total);
        let run = &self.runs[self.runs.partition_point(|run| run.before <= index) - 1];
        let first = run.start + index - run.before;
        Pair {
            system: run.system,
            segment: run.segment,
            first,
            second: first + run.lag,
        }
    }
}

/// Cuts `frames` of a trajectory into the frames of training and, behind a gap of `lag` frames, the
/// last `share` for validation.
pub fn chronological(frames: usize, share: f64, lag: usize) -> [Range<usize>; 2] {
    if share == 0.0 {
        return [0..frames, frames..frames];
    }
    let start = frames - (share * frames as f64).round() as usize;
    [0..start.saturating_sub(lag), start..frames]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::random::{Purpose, generator};

    #[test]
    fn pairs_are_a_lag_apart_and_stay_in_their_range() {
        let mut pairs = Pairs::default();
        pairs.push(0, 0, 0..5, 2, 1.0);
        pairs.push(0, 1, 3..5, 2, 1.0); // too short for a pair
        pairs.push(1, 0, 10..13, 2, 1.0);
        let all: Vec<_> = (0..pairs.len())
            .map(|i| pairs.get(i))
            .map(|p| (p.system, p.segment, p.first, p.second))
            .collect();
        assert_eq!(
            all,
            [(0, 0, 0, 2), (0, 0, 1, 3), (0, 0, 2, 4), (1, 0, 10, 12)]
        );
        assert_eq!(pairs.systems(), [0, 1]);
    }

    #[test]
    fn heavy_systems_are_drawn_more_often_and_their_pairs_evenly() {
        // three pairs of weight 1, two of weight 4, one of weight 0.5: 3 + 8 + 0.5 in all
        let mut pairs = Pairs::default();
        pairs.push(0, 0, 0..5, 2, 1.0);
        pairs.push(1, 0, 0..4, 2, 4.0);
        pairs.push(2, 0, 7..10, 2, 0.5);
        const DRAWS: usize = 100_000;
        let mut counts = [0usize; 6];
        for number in 0..DRAWS {
            let drawn = pairs.draw(&mut generator(1, Purpose::Training, 0, number as u64));
            counts[(0..6).find(|&index| pairs.get(index) == drawn).unwrap()] += 1;
        }
        for (count, weight) in counts.into_iter().zip([1.0, 1.0, 1.0, 4.0, 4.0, 0.5]) {
            let share = weight / 11.5;
            let error = (share * (1.0 - share) / DRAWS as f64).sqrt();
            assert!(
                (count as f64 / DRAWS as f64 - share).abs() <= 4.0 * error,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn the_chronological_split_leaves_a_gap_of_one_lag() {
        assert_eq!(chronological(100, 0.1, 20), [0..70, 90..100]);
        assert_eq!(chronological(100, 0.0, 20), [0..100, 100..100]);
        assert_eq!(chronological(10, 0.5, 20), [0..0, 5..10]);
    }

    #[test]
    fn a_lag_that_is_no_multiple_is_refused_with_file_and_time_step() {
        let segment = Segment {
            file: "a.xtc".into(),
            tokens: 1,
            time_step: 0.2,
            positions: vec![0.0; 30],
            forces: vec![],
        };
        assert_eq!(segment.lag_frames(20.0).unwrap(), 100);
        assert_eq!((segment.len(), segment.lag_frames(0.2).unwrap()), (10, 1));
        for lag in [0.1, 0.3, 20.1] {
            let message = segment.lag_frames(lag).unwrap_err().to_string();
            assert!(
                message.contains("a.xtc") && message.contains("0.2 ps"),
                "{message}"
            );
        }
    }
}
