//! What is trained on: systems with their trajectories in memory, and the pairs of frames of
//! training and validation.

use nalgebra::Vector3;
use rayon::prelude::*;

use super::config::Config;
use super::pairs::{Pair, Pairs, Segment, chronological};
use super::strays::Strays;
use crate::error::Place;
use crate::network::{DataFile, Tokens};
use crate::{Error, Result};

/// A molecular system and its trajectories.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// Its name in messages.
    pub name: String,
    /// Its sequence ([`crate::structure::Topology::sequence`]).
    pub sequence: String,
    /// How the network sees it.
    pub tokens: Tokens,
    /// Its trajectories.
    pub segments: Vec<Segment>,
    /// Rollouts of a model that are trained on besides.
    pub rollouts: Vec<Segment>,
    /// Whether it keeps to a fold, which the network is then given: a frame of the same trajectory,
    /// any.
    pub fold: bool,
    /// How often a pair of it is drawn in training, relative to one of a system of weight 1.
    pub weight: f64,
}

/// Systems in memory and what is drawn from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The systems.
    pub systems: Vec<System>,
    /// Pairs of training.
    pub training: Pairs,
    /// Pairs held out.
    pub validation: Pairs,
    /// Where the rollouts of every system strayed.
    pub strays: Vec<Strays>,
    /// Where all of it is from.
    pub files: Vec<DataFile>,
    /// What a user should know of the files. One line each.
    pub notes: Vec<String>,
}

impl Dataset {
    /// Splits systems that are in memory, by system where `split.validation_systems` names some,
    /// chronologically otherwise.
    ///
    /// # Errors
    /// [`Error::Input`] where a named system is not there, the lag time is no multiple of a time
    /// step, or nothing is left.
    pub fn split(systems: Vec<System>, files: Vec<DataFile>, config: &Config) -> Result<Dataset> {
        let refuse = |what: String, hint: &str| Error::input(Place::file(&config.path), what, hint);
        let held_out = &config.split.validation_systems;
        if let Some(name) = held_out
            .iter()
            .find(|&name| systems.iter().all(|system| system.name != *name))
        {
            let known: Vec<_> = systems.iter().map(|system| system.name.as_str()).collect();
            return Err(refuse(
                format!("split.validation_systems: no system is named `{name}`"),
                &format!("use one of {}", known.join(", ")),
            ));
        }
        let (mut training, mut validation) = (Pairs::default(), Pairs::default());
        let lags = config.lags();
        for (index, system) in systems.iter().enumerate() {
            for (number, segment) in system.segments.iter().enumerate() {
                for &lag in &lags {
                    let lag = segment.lag_frames(lag)?;
                    if held_out.is_empty() {
                        let [first, last] =
                            chronological(segment.len(), config.split.validation_share, lag);
                        training.push(index, number, first, lag, system.weight);
                        validation.push(index, number, last, lag, 1.0);
                    } else {
                        let is_held_out = held_out.contains(&system.name);
                        let (set, weight) = if is_held_out {
                            (&mut validation, 1.0)
                        } else {
                            (&mut training, system.weight)
                        };
                        set.push(index, number, 0..segment.len(), lag, weight);
                    }
                }
            }
        }
        if training.is_empty() {
            return Err(refuse(
                "no pair of frames is left to train on".into(),
                "longer trajectories, a shorter lag time or less validation",
            ));
        }
        let strays = systems
            .iter()
            .map(|system| strays(system, config))
            .collect();
        Ok(Dataset {
            systems,
            training,
            validation,
            strays,
            files,
            notes: Vec::new(),
        })
    }

    /// The segment of a pair.
    pub fn segment(&self, pair: Pair) -> &Segment {
        &self.systems[pair.system].segments[pair.segment]
    }

    /// Number of frames of rollouts that are trained on, and the median (Å) of their distances from
    /// the reference; `None` without any.
    pub fn straying(&self) -> Option<(usize, f64)> {
        let mut rmsds: Vec<f64> = self.strays.iter().flat_map(Strays::rmsds).collect();
        rmsds.sort_by(f64::total_cmp);
        Some((rmsds.len(), *rmsds.get(rmsds.len() / 2)?))
    }

    /// Root mean square, over atoms and coordinates, of what `vectors` makes of the training pairs;
    /// from at most `limit` pairs, evenly spaced.
    pub fn root_mean_square(
        &self,
        limit: usize,
        vectors: impl Fn(Pair) -> Vec<Vector3<f64>> + Sync,
    ) -> f64 {
        let count = self.training.len().min(limit);
        let squares: Vec<(f64, usize)> = (0..count)
            .into_par_iter()
            .map(|k| {
                let pair = self.training.get(k * self.training.len() / count);
                let vectors = vectors(pair);
                (
                    vectors.iter().map(|v| v.norm_squared()).sum(),
                    3 * vectors.len(),
                )
            })
            .collect();
        let (sum, coordinates) = squares
            .iter()
            .fold((0.0, 0), |(sum, count), (s, c)| (sum + s, count + c));
        (sum / coordinates as f64).sqrt()
    }
}

/// The strays of a system whose frames are trained on.
fn strays(system: &System, config: &Config) -> Strays {
    let held_out = config.split.validation_systems.contains(&system.name);
    let Some(within) = config.task.return_within().filter(|_| !held_out) else {
        return Strays::default();
    };
    if system.rollouts.is_empty() {
        return Strays::default();
    }
    let share = if config.split.validation_systems.is_empty() {
        config.split.validation_share
    } else {
        0.0
    };
    let trained = |segment: &Segment| chronological(segment.len(), share, 0)[0].len();
    Strays::new(
        &system.rollouts,
        &system.segments,
        system.segments.iter().map(trained).collect(),
        within,
    )
}
