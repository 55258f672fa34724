//! The tables of the three objectives.

use serde::Deserialize;

use super::quantity::{length, time};

/// Objective `jump`: x(t + lag) is sampled given x(t) (EDM, Karras et al. 2022).
#[derive(Debug, Clone, Copy, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// Lag time, ps.
    #[serde(deserialize_with = "time")]
    pub lag: f64,
    /// Share of the pairs that are used time-reversed (equilibrium obeys detailed balance).
    #[serde(default = "half")]
    pub reversed: f64,
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
pub struct Force {}

pub(super) fn half() -> f64 {
    0.5
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
