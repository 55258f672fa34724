//! What the numbers of a run say of how far it has converged.

use rayon::prelude::*;
use serde::Serialize;

use super::Track;
use super::quantities::Quantity;
use super::settling::{Drift, Estimate, Halves, drift, estimate, halves, scale_reduction};
use crate::compare::statistics::{deviation, mean};

/// Drift, halves and replicas of every quantity.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Convergence {
    /// Of each quantity, in their order.
    pub quantities: Vec<Settling>,
    /// Frames of the shortest trajectory.
    pub shortest: usize,
    /// Trajectories.
    pub replicas: usize,
}

/// What is known of one quantity.
#[derive(Debug, Clone, Serialize)]
pub struct Settling {
    /// Mean over all frames.
    pub mean: f64,
    /// Standard deviation of single frames.
    pub deviation: f64,
    /// Lowest and highest value.
    pub range: [f64; 2],
    /// Mean with its standard error, where it varies and there are four frames or more.
    pub estimate: Option<Estimate>,
    /// The start that is unlike the rest, of the replica where it is longest, and which that is.
    pub drift: Option<(usize, Drift)>,
    /// First halves against second halves.
    pub halves: Option<Halves>,
    /// R̂ over replicas, where there are two or more.
    pub scale_reduction: Option<f64>,
}

impl Convergence {
    pub(super) fn of(quantities: &[Quantity], tracks: &[Track]) -> Self {
        let each = quantities.par_iter().map(|quantity| {
            let series: Vec<Vec<f64>> = tracks
                .iter()
                .map(|track| track.rows.iter().map(|&row| quantity.values[row]).collect())
                .collect();
            settling(&quantity.values, &series)
        });
        Convergence {
            quantities: each.collect(),
            shortest: tracks.iter().map(|t| t.rows.len()).min().unwrap_or(0),
            replicas: tracks.len(),
        }
    }
}

fn settling(values: &[f64], series: &[Vec<f64>]) -> Settling {
    let mut longest: Option<(usize, Drift)> = None;
    for (replica, values) in series.iter().enumerate() {
        if let Some(found) = drift(values)
            && longest.is_none_or(|(_, known)| found.share > known.share)
        {
            longest = Some((replica, found));
        }
    }
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Settling {
        mean: mean(values),
        deviation: deviation(values),
        range: [lowest, highest],
        estimate: estimate(series),
        drift: longest,
        halves: halves(series),
        scale_reduction: scale_reduction(series),
    }
}
