//! Rollouts of a model from reference frames, judged against reference MD like any run: the numbers
//! of a model card.

use std::time::Instant;

use nalgebra::Vector3;
use rayon::prelude::*;
use serde::Serialize;

use super::floor::Measure;
use super::gather::{Segment, Series};
use super::measures::{Findings, Options, TorsionReport, measure};
use super::row::{Looker, Row};
use crate::geometry::superpose::pick;
use crate::simulate::{MOST_DRAWS, Stepper};
use crate::structure::Frame;
use crate::{Error, Result};

/// Surfaces are computed for about this many frames.
const SURFACES: usize = 500;

/// Frames of rollouts, as rows of what is compared.
#[derive(Debug, Clone)]
pub struct Rollouts {
    /// Rows of the second half of each rollout, a segment a rollout.
    pub series: Series,
    /// Share of all frames that are valid in each fifth of the rollouts; NaN without templates.
    /// What is lost is not valid.
    pub valid_by_fifth: [f64; 5],
    /// Rollouts that left finite numbers.
    pub lost: usize,
    /// Jumps that were drawn again, each time counted.
    pub redrawn: u64,
    /// Simulated time per wall time, ns/day, all rollouts together.
    pub ns_per_day: f64,
}

/// What a model does on one molecule.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Independent rollouts.
    pub chains: usize,
    /// Jumps of each.
    pub jumps: usize,
    /// Time that a jump spans, ps.
    pub lag_time: f64,
    /// Time of the reference, ps, where it is known.
    pub reference_time: Option<f64>,
    /// See [`Rollouts::valid_by_fifth`].
    pub valid_by_fifth: [f64; 5],
    /// See [`Rollouts::lost`].
    pub lost: usize,
    /// See [`Rollouts::redrawn`].
    pub redrawn: u64,
    /// See [`Rollouts::ns_per_day`].
    pub ns_per_day: f64,
    /// The measures of `compare`, of the second halves of the rollouts.
    pub measures: Vec<Measure>,
    /// What is asked of every torsion by itself.
    pub torsions: Vec<Measure>,
    /// What could not be computed, and why.
    pub notes: Vec<String>,
}

/// Whether the frame of a rollout (its number) is one to go on from.
pub type IsSound<'a> = dyn FnMut(usize, &Frame) -> bool + 'a;

/// Rolls out replicas from `starts`; `picks` are the atoms of a frame that are compared, in the
/// order of the looker's topology.
///
/// A jump to a frame that is not `sound` is drawn again, as in a run; a rollout that finds none in
/// [`MOST_DRAWS`] goes on as it is from there, and draws no more. One that leaves finite numbers
/// ends. The first half of every rollout is looked at for validity alone: what is compared is the
/// distribution that the model has made its own.
///
/// # Errors
/// What the stepper reports; [`Error::Usage`] without starts, for fewer than four jumps, and where
/// no rollout is left at the end.
pub fn roll_out(
    stepper: &mut dyn Stepper,
    looker: &Looker,
    picks: &[usize],
    starts: Vec<Frame>,
    jumps: usize,
    sound: &mut IsSound,
) -> Result<Rollouts> {
    let chains = starts.len();
    if chains == 0 || jumps < 4 {
        let hint = "give start frames, chains ≥ 1 and jumps ≥ 4";
        return Err(Error::usage("too little to judge a model by", hint));
    }
    let (mut frames, mut places) = (starts, (0..chains).collect::<Vec<usize>>());
    let mut draws = Draws::new(sound, chains);
    let mut rows: Vec<Vec<Row>> = vec![Vec::new(); chains];
    let mut valid = [0.0; 5];
    let surface_every = (chains * jumps.div_ceil(2)).div_ceil(SURFACES);
    let (mut seconds, mut done) = (0.0, 0);
    for jump in 0..jumps {
        let clock = Instant::now();
        let before = frames.clone();
        stepper.step(&mut frames)?;
        draws.mend(stepper, &mut frames, &before, &places)?;
        seconds += clock.elapsed().as_secs_f64();
        done += frames.len();
        let kept: Vec<bool> = frames.iter().map(Frame::is_finite).collect();
        retain(&mut frames, &kept);
        retain(&mut places, &kept);
        if frames.is_empty() {
            break;
        }
        let look = |(frame, &place): (&Frame, &usize)| {
            let mut positions: Vec<Vector3<f64>> = pick(&frame.positions, picks);
            let surface = (jump * chains + place).is_multiple_of(surface_every);
            looker.look(&mut positions, None, surface).0
        };
        let looked: Vec<Row> = frames.par_iter().zip(&places).map(look).collect();
        for (row, &place) in looked.into_iter().zip(&places) {
            valid[5 * jump / jumps] += f64::from(row.quality.valid);
            if 2 * jump >= jumps {
                rows[place].push(row);
            }
        }
    }
    if frames.is_empty() {
        let what = format!("all {chains} rollouts left finite numbers within {jumps} jumps");
        let hint = "the model does not know this molecule: train it on one like it";
        return Err(Error::usage(what, hint));
    }
    let of_part = |part: usize| (0..jumps).filter(move |jump| 5 * jump / jumps == part);
    let frames_of = |part: usize| of_part(part).count() * chains;
    Ok(Rollouts {
        series: series(rows, stepper.time_step()),
        valid_by_fifth: std::array::from_fn(|part| valid[part] / frames_of(part) as f64),
        lost: chains - frames.len(),
        redrawn: draws.again,
        ns_per_day: stepper.time_step() * 1e-3 * done as f64 / (seconds / 86_400.0),
    })
}

/// Jumps that are drawn again.
struct Draws<'a, 'b> {
    sound: &'a mut IsSound<'b>,
    /// Rollouts that found no sound frame once, and are left alone since.
    given_up: Vec<bool>,
    again: u64,
}

impl<'a, 'b> Draws<'a, 'b> {
    fn new(sound: &'a mut IsSound<'b>, rollouts: usize) -> Self {
        Draws {
            sound,
            given_up: vec![false; rollouts],
            again: 0,
        }
    }

    /// Draws the jumps that led from `before` to frames that are not sound again.
    fn mend(
        &mut self,
        stepper: &mut dyn Stepper,
        frames: &mut [Frame],
        before: &[Frame],
        places: &[usize],
    ) -> Result<()> {
        for (replica, (frame, &place)) in frames.iter_mut().zip(places).enumerate() {
            let mut draw = 0;
            while !self.given_up[place] && !(self.sound)(place, frame) {
                if draw == MOST_DRAWS {
                    self.given_up[place] = true;
                    break;
                }
                draw += 1;
                self.again += 1;
                frame.clone_from(&before[replica]);
                stepper.redraw(replica, draw, frame)?;
            }
        }
        Ok(())
    }
}

fn retain<T>(list: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    list.retain(|_| *kept.next().expect("a flag for every entry"));
}

fn series(rows: Vec<Vec<Row>>, time_step: f64) -> Series {
    let mut series = Series {
        stride: 1,
        ..Series::default()
    };
    for rows in rows.into_iter().filter(|rows| !rows.is_empty()) {
        let start = series.rows.len();
        series.rows.extend(rows);
        series.segments.push(Segment {
            rows: start..series.rows.len(),
            time_step: Some(time_step),
        });
    }
    series.frames = series.rows.len();
    series
}

/// Judges rollouts against the rows of reference MD.
pub fn judge(
    rollouts: &Rollouts,
    reference: &Series,
    looker: &Looker,
    [chains, jumps]: [usize; 2],
) -> Outcome {
    let Findings {
        measures,
        angles,
        notes,
        ..
    } = measure(&rollouts.series, reference, looker, Options::default());
    Outcome {
        chains,
        jumps,
        lag_time: rollouts.series.time_step().unwrap_or(f64::NAN),
        reference_time: reference.time(),
        valid_by_fifth: rollouts.valid_by_fifth,
        lost: rollouts.lost,
        redrawn: rollouts.redrawn,
        ns_per_day: rollouts.ns_per_day,
        measures,
        torsions: angles
            .torsions
            .iter()
            .flat_map(TorsionReport::measures)
            .cloned()
            .collect(),
        notes,
    }
}
