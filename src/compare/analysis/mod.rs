//! A run by itself, without a reference: what people look at first, and how far it has converged.
//!
//! Every number is read off the same rows as those of a comparison, so both say the same of a
//! frame.

pub mod clusters;
pub mod components;
pub mod convergence;
pub mod open;
pub mod quantities;
pub mod residues;
pub mod settling;
pub mod verdict;

use super::gather::{Segment, Series};
use super::row::Looker;
use super::sampling::Sampling;
use clusters::Clusters;
use components::{Principal, Slow};
use convergence::Convergence;
use quantities::Quantity;
use residues::Residues;

/// What a user may choose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Lag time of slow components, ps; by default 100 ps or a twentieth of the longest trajectory.
    pub lag: Option<f64>,
    /// Largest RMSD of two frames of one cluster, Å; by default [`clusters::cutoff`].
    pub cutoff: Option<f64>,
}

/// All that is known of a run.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// RMSD, radius of gyration and others, a value a frame.
    pub quantities: Vec<Quantity>,
    /// Fluctuations, secondary structure, contacts, hydrogen bonds.
    pub residues: Residues,
    /// Frames that are alike.
    pub clusters: Clusters,
    /// Largest motions.
    pub principal: Option<Principal>,
    /// Slowest motions, where times are known and there are enough frames.
    pub slow: Option<Slow>,
    /// Effective sample sizes.
    pub sampling: Sampling,
    /// Drift, halves, replicas.
    pub convergence: Convergence,
    /// Trajectories, and what each has of the rows.
    pub tracks: Vec<Track>,
    /// What could not be computed, and why. One line each.
    pub notes: Vec<String>,
}

/// Computes everything.
pub fn analyze(series: &Series, looker: &Looker, options: Options) -> Analysis {
    let mut notes = series.notes.clone();
    let tracks = tracks(series);
    let quantities = quantities::of(series, looker);
    let principal = components::principal(series);
    let slow = components::slow(series, looker, options.lag)
        .map_err(|why| notes.push(why))
        .ok();
    notes.extend(
        looker
            .no_template
            .iter()
            .map(|why| format!("no valid fraction: {why}")),
    );
    Analysis {
        residues: residues::of(series, looker, &tracks),
        clusters: Clusters::of(series, options.cutoff.unwrap_or(clusters::cutoff(looker))),
        convergence: Convergence::of(&quantities, &tracks),
        sampling: Sampling::of(series, looker),
        quantities,
        principal,
        slow,
        tracks,
        notes,
    }
}

impl Analysis {
    /// How far the run can be trusted to have converged, in words.
    pub fn sentence(&self) -> String {
        verdict::sentence(self)
    }
}

/// What one trajectory has of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Which, in the order given.
    pub trajectory: usize,
    /// Its stretches of rows: more than one where frames were left out.
    pub segments: Vec<Segment>,
    /// Its rows.
    pub rows: Vec<usize>,
    /// When each row is, ps from the trajectory's first frame; frames where times are not known.
    pub times: Vec<f64>,
}

/// The rows of each trajectory.
pub fn tracks(series: &Series) -> Vec<Track> {
    let mut tracks: Vec<Track> = Vec::new();
    for segment in &series.segments {
        let origins = &series.origins[segment.rows.clone()];
        let Some(first) = origins.first() else {
            continue;
        };
        if tracks.last().map(|track| track.trajectory) != Some(first.trajectory) {
            tracks.push(Track {
                trajectory: first.trajectory,
                segments: Vec::new(),
                rows: Vec::new(),
                times: Vec::new(),
            });
        }
        let track = tracks.last_mut().expect("there is one now");
        let frame = segment.time_step.map(|step| step / series.stride as f64);
        let time = |frames: usize| frames as f64 * frame.unwrap_or(1.0);
        track.rows.extend(segment.rows.clone());
        track.times.extend(origins.iter().map(|at| time(at.frame)));
        track.segments.push(segment.clone());
    }
    tracks
}
