//! The measures of a comparison, each computed from rows and judged beside its floor.

mod angles;
mod dynamics;
mod landscape;
mod quality;
mod residues;
mod shape;
mod spread;
mod visits;

pub use angles::{Angles, KERNEL, PLANE_BINS, TorsionReport};
pub use dynamics::Dynamics;
pub use landscape::Landscape;
pub(crate) use landscape::{lively_torsions, project, slow_components};
pub use quality::{OverTime, Trace};
pub use residues::PerResidue;
pub use shape::{Density, Shape};
pub(crate) use spread::Plane;

use rayon::prelude::*;

use super::floor::{Floors, Measure};
use super::gather::Series;
use super::row::Looker;
use super::sampling::Sampling;
use super::verdict::{judge_by_kind, judge_together};

/// All measures of a comparison, and the curves and maps of its report.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The measures, in the order of the report.
    pub measures: Vec<Measure>,
    /// Geometry over the run's time.
    pub over_time: OverTime,
    /// Distributions and fluctuations.
    pub shape: Shape,
    /// Torsions.
    pub angles: Angles,
    /// Contacts, surface and secondary structure by residue.
    pub residues: PerResidue,
    /// Slow components and states, where there are enough frames.
    pub landscape: Option<Landscape>,
    /// Decorrelation of torsions, where times are known.
    pub dynamics: Option<Dynamics>,
    /// Effective sample sizes of run and reference.
    pub sampling: [Sampling; 2],
    /// Chiral centres of another hand than in the start structure in some frames of the run, with
    /// the number of those frames; most first.
    pub inverted: Vec<(String, usize)>,
    /// What could not be computed, and why. One line each.
    pub notes: Vec<String>,
}

/// What a user may choose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Lag time of slow components and transitions, ps; by default 100 ps or a twentieth of the
    /// shortest trajectory.
    pub lag: Option<f64>,
}

/// Computes everything.
pub fn measure(run: &Series, reference: &Series, looker: &Looker, options: Options) -> Findings {
    let mut notes = [&run.notes[..], &reference.notes[..]].concat();
    for (series, name) in [(run, "run"), (reference, "reference")] {
        if series.rows.len() < FEW_FRAMES {
            notes.push(format!(
                "the {name} has only {} frames: what its distributions are is hardly known",
                series.rows.len()
            ));
        }
    }
    let clock = Clock::of(run, reference, options.lag);
    let units = common_units(run, reference).unwrap_or([1, 1]);
    let floors = Floors::new(run, reference, units);
    if !floors.known() {
        notes.push(
            "no floor and no verdicts: the reference has too few frames to be set against itself"
                .to_owned(),
        );
    }
    notes.extend(floors.weakness(reference));
    let (mut measures, over_time) = quality::judge(&floors, run, reference, looker);
    notes.extend(
        looker
            .no_template
            .iter()
            .map(|why| format!("no bonds, angles and valid fraction: {why}")),
    );
    let (shape_measures, shape) = shape::judge(&floors, run, reference, looker);
    let (angle_measures, mut angles) = angles::judge(&floors, run, reference, looker);
    let (residue_measures, residues) = residues::judge(&floors, run, reference, looker);
    measures.extend(
        shape_measures
            .into_iter()
            .chain(angle_measures)
            .chain(residue_measures),
    );
    let (mut landscape, mut dynamics) = (None, None);
    match clock {
        Ok(clock) => {
            notes.extend(clock.rounded(options.lag));
            match landscape::judge(&floors, run, reference, looker, &clock) {
                Ok((more, found)) => {
                    measures.extend(more);
                    landscape = Some(found);
                }
                Err(why) => notes.push(why),
            }
            let (more, found) = dynamics::judge(&floors, run, reference, looker, &clock);
            measures.extend(more);
            dynamics = Some(found).filter(|found| !found.torsions.is_empty());
        }
        Err(why) => notes.push(format!("no measures of dynamics: {why}")),
    }
    judge_together(&mut measures);
    for (&torsion, time) in dynamics
        .iter()
        .flat_map(|found| found.torsions.iter().zip(&found.each))
    {
        let torsion = &mut angles.torsions[torsion];
        torsion.time = Some(Measure {
            label: torsion.label.clone(),
            ..time.clone()
        });
    }
    judge_by_kind(
        angles
            .torsions
            .iter_mut()
            .flat_map(TorsionReport::measures_mut),
    );
    Findings {
        inverted: quality::inverted(run, looker),
        measures,
        over_time,
        shape,
        angles,
        residues,
        landscape,
        dynamics,
        sampling: [run, reference].map(|series| Sampling::of(series, looker)),
        notes,
    }
}

/// A side of fewer frames is said to be short.
const FEW_FRAMES: usize = 50;

/// Times that both sides share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clock {
    /// Smallest time that is a whole number of rows on both sides, ps.
    pub step: f64,
    /// Rows in it, of the run and of the reference.
    pub units: [usize; 2],
    /// Lag time in steps.
    pub lag: usize,
}

/// Lag time where none is asked for, ps, and the share of the shortest side's longest segment that
/// it may be.
const LAG: f64 = 100.0;
const LAG_SHARE: f64 = 0.05;

impl Clock {
    /// The common clock of two sides.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn of(run: &Series, reference: &Series, lag: Option<f64>) -> Result<Self, String> {
        let step_of = |series: &Series, name: &str| {
            series.time_step().ok_or_else(|| {
                let flag = match name {
                    "run" => "--time-step",
                    _ => "--reference-time-step",
                };
                format!(
                    "the frames of the {name} are not a known, fixed time apart; {flag} gives it"
                )
            })
        };
        let (run_step, reference_step) = (step_of(run, "run")?, step_of(reference, "reference")?);
        let units = common_steps(run_step, reference_step).ok_or_else(|| {
            format!(
                "time steps of {run_step} ps and {reference_step} ps share no time of at most \
                     {MOST_STEPS} frames of the run"
            )
        })?;
        let step = run_step * units[0] as f64;
        let longest = |series: &Series, unit: usize| {
            series
                .segments
                .iter()
                .map(|segment| segment.rows.len() / unit)
                .max()
                .unwrap_or(0)
        };
        let shortest = longest(run, units[0]).min(longest(reference, units[1]));
        let lag = match lag {
            Some(lag) => (lag / step).round(),
            None => (LAG / step).min(LAG_SHARE * shortest as f64).floor(),
        };
        let lag = (lag as usize).max(1);
        if shortest < lag + 2 {
            let (lag, span) = (lag as f64 * step, shortest.saturating_sub(1) as f64 * step);
            return Err(format!(
                "the lag time, {lag} ps, is too long for a trajectory of {span} ps"
            ));
        }
        Ok(Clock { step, units, lag })
    }

    /// That the lag time asked for, ps, is not the one used, where it is not.
    fn rounded(&self, wanted: Option<f64>) -> Option<String> {
        let used = self.lag as f64 * self.step;
        let wanted = wanted.filter(|wanted| (wanted - used).abs() > 1e-3 * used)?;
        Some(format!(
            "the lag time is {used} ps instead of {wanted} ps: times that both sides have are {} \
             ps apart",
            self.step
        ))
    }
}

/// Frames of the run that a common time may span.
const MOST_STEPS: usize = 100;

/// Rows of the run and of the reference in the smallest time that both have, where there is one.
fn common_units(run: &Series, reference: &Series) -> Option<[usize; 2]> {
    common_steps(run.time_step()?, reference.time_step()?)
}

/// The smallest whole numbers of steps that make the same time, to one part in 10,000.
fn common_steps(left: f64, right: f64) -> Option<[usize; 2]> {
    let ratio = left / right;
    (1..=MOST_STEPS).find_map(|count| {
        let other = (count as f64 * ratio).round();
        ((1.0..=1e6).contains(&other) && (count as f64 * ratio / other - 1.0).abs() <= 1e-4)
            .then_some([count, other as usize])
    })
}

/// How often each key occurs, sorted by key.
pub(crate) fn count_keys(mut keys: Vec<u32>) -> Vec<(u32, u32)> {
    keys.sort_unstable();
    keys.chunk_by(|a, b| a == b)
        .map(|same| (same[0], same.len() as u32))
        .collect()
}

/// Sums of such lists as one list over all keys below `size`.
pub(crate) fn sum_counts<'a>(
    parts: impl IntoIterator<Item = &'a Vec<(u32, u32)>>,
    size: usize,
) -> Vec<f64> {
    let mut sums = vec![0.0; size];
    parts
        .into_iter()
        .flatten()
        .for_each(|&(key, count)| sums[key as usize] += f64::from(count));
    sums
}

/// Counts of all rows of a side, in parallel over chunks of rows: `keys` of each row.
pub(crate) fn count_rows(
    rows: &[super::row::Row],
    size: usize,
    keys: impl Fn(&super::row::Row) -> Vec<u32> + Sync,
) -> Vec<f64> {
    let parts: Vec<Vec<(u32, u32)>> = rows
        .par_chunks(512)
        .map(|rows| count_keys(rows.iter().flat_map(&keys).collect()))
        .collect();
    sum_counts(&parts, size)
}

#[cfg(test)]
mod tests {
    use super::super::gather::Segment;
    use super::*;

    #[test]
    fn time_steps_share_a_multiple() {
        assert_eq!(common_steps(20.0, 1.0), Some([1, 20]));
        assert_eq!(common_steps(1.0, 20.0), Some([20, 1]));
        assert_eq!(common_steps(0.3, 0.2), Some([2, 3]));
        assert_eq!(common_steps(10.00001, 10.0), Some([1, 1]));
        assert_eq!(common_steps(std::f64::consts::PI * 1e-3, 1.0), None);
    }

    #[test]
    fn a_clock_needs_times_and_enough_frames() {
        let series = |step: Option<f64>, count: usize| Series {
            rows: vec![Default::default(); count],
            segments: vec![Segment {
                rows: 0..count,
                time_step: step,
            }],
            ..Series::default()
        };
        let clock = Clock::of(&series(Some(20.0), 400), &series(Some(10.0), 2000), None).unwrap();
        assert_eq!(
            clock,
            Clock {
                step: 20.0,
                units: [1, 2],
                lag: 5
            }
        );
        assert_eq!(
            Clock::of(&series(Some(20.0), 40), &series(Some(10.0), 2000), None)
                .unwrap()
                .lag,
            2
        );
        assert_eq!(
            Clock::of(
                &series(Some(20.0), 400),
                &series(Some(10.0), 2000),
                Some(200.0)
            )
            .unwrap()
            .lag,
            10
        );
        assert!(
            Clock::of(&series(None, 400), &series(Some(10.0), 2000), None)
                .unwrap_err()
                .contains("run")
        );
        assert!(Clock::of(&series(Some(1.0), 2), &series(Some(1.0), 2000), None).is_err());
        let too_long = Clock::of(
            &series(Some(20.0), 400),
            &series(Some(10.0), 2000),
            Some(1e6),
        )
        .unwrap_err();
        assert!(
            too_long.contains("1000000 ps") && too_long.contains("7980 ps"),
            "{too_long}"
        );
    }

    #[test]
    fn a_lag_time_that_is_rounded_is_told() {
        let clock = Clock {
            step: 250.0,
            units: [5, 1],
            lag: 1,
        };
        assert_eq!(
            (clock.rounded(None), clock.rounded(Some(250.0))),
            (None, None)
        );
        let told = clock.rounded(Some(3.0)).unwrap();
        assert!(told.contains("250 ps instead of 3 ps"), "{told}");
    }

    #[test]
    fn counts_of_parts_sum_to_the_whole() {
        let parts = [
            count_keys(vec![3, 1, 3]),
            count_keys(vec![]),
            count_keys(vec![0, 3]),
        ];
        assert_eq!(parts[0], [(1, 1), (3, 2)]);
        assert_eq!(sum_counts(&parts, 5), [1.0, 1.0, 0.0, 3.0, 0.0]);
    }
}
