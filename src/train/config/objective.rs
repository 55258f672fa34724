//! The tables of the three objectives.

use serde::Deserialize;

use super::quantity::{length, optional_time, time};
use crate::network::Form;

/// Objective `jump`: x(t + lag) is sampled given x(t) (EDM, Karras et al. 2022).
#[derive(Debug, Clone, Copy, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// Lag time, ps.
    #[serde(deserialize_with = "time")]
    pub lag: f64,
    /// Longest lag time, ps: pairs are `lag`, 2, 4, 8, … times `lag` apart up to it, and the
    /// network is told which. Default: `lag` alone.
    #[serde(default, deserialize_with = "optional_time")]
    pub longest_lag: Option<f64>,
    /// Share of the pairs that are used time-reversed (equilibrium obeys detailed balance).
    #[serde(default = "half")]
    pub reversed: f64,
    /// Share of the training samples of a system with rollouts that start from one of their frames
    /// and lead back ([`super::super::strays`]).
    #[serde(default = "quarter")]
    pub returns: f64,
    /// Largest distance (RMSD) from the reference of a frame to return from, Å.
    #[serde(default = "return_within", deserialize_with = "length")]
    pub return_within: f64,
    /// Largest noise on the condition, Å.
    #[serde(default = "condition_noise", deserialize_with = "length")]
    pub condition_noise: f64,
    /// Mean of ln(σ/Å).
    #[serde(default = "log_sigma_mean")]
    pub log_sigma_mean: f64,
    /// Standard deviation of ln σ.
    #[serde(default = "log_sigma_std")]
    pub log_sigma_std: f64,
}

impl Jump {
    /// All lag times, ps, ascending.
    pub fn lags(&self) -> Vec<f64> {
        let longest = self.longest_lag.unwrap_or(self.lag);
        std::iter::successors(Some(self.lag), |lag| Some(2.0 * lag))
            .take_while(|&lag| lag <= longest)
            .collect()
    }
}

/// Objective `displacement`: x(t + lag) − x(t), mean squared error.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Displacement {
    /// Lag time, ps.
    #[serde(deserialize_with = "time")]
    pub lag: f64,
}

/// Objective `force`: forces of the built-in force field at the frames, mean squared error.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Force {
    /// Whether the network answers with forces or with an energy whose gradient they are.
    #[serde(default)]
    pub form: Form,
}

pub(super) fn half() -> f64 {
    0.5
}
fn quarter() -> f64 {
    0.25
}
fn return_within() -> f64 {
    3.0
}
fn condition_noise() -> f64 {
    0.1
}
fn log_sigma_mean() -> f64 {
    -1.6
}
fn log_sigma_std() -> f64 {
    1.5
}
