//! The table `[jump]` of a training.

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::objective::{Levels, Objective};
use super::{Jump, Method, NAME};
use crate::network;
use crate::task::quantity::{length, time};
use crate::task::{self, Scene, Task, aligned};

/// x(t + lag) is sampled given x(t) (EDM, Karras et al. 2022).
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Lag time, ps.
    #[serde(with = "time")]
    pub lag: f64,
    /// Longest lag time, ps: pairs are `lag`, 2, 4, 8, … times `lag` apart up to it, and the
    /// network is told which. Default: `lag` alone.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub longest_lag: Option<f64>,
    /// How runs of the model jump where nobody asks for anything else. Default: over `lag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<Usual>,
    /// Whether systems with a fold give it to the network.
    #[serde(default)]
    pub fold: bool,
    /// Share of the pairs that are used time-reversed (equilibrium obeys detailed balance).
    #[serde(default = "half")]
    pub reversed: f64,
    /// Share of the training samples of a system with rollouts that start from one of their frames
    /// and lead back (`train::strays`).
    #[serde(default = "quarter")]
    pub returns: f64,
    /// Largest distance (RMSD) from the reference of a frame to return from, Å.
    #[serde(default = "return_within", with = "length")]
    pub return_within: f64,
    /// Largest noise on the condition, Å.
    #[serde(default = "condition_noise", with = "length")]
    pub condition_noise: f64,
    /// Mean of ln(σ/Å).
    #[serde(default = "log_sigma_mean")]
    pub log_sigma_mean: f64,
    /// Standard deviation of ln σ.
    #[serde(default = "log_sigma_std")]
    pub log_sigma_std: f64,
}

/// How molecules of some size jump where nobody asks for anything else: what the model's file will
/// say ([`network::Usual`]).
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Usual {
    /// The lag time, ps.
    #[serde(with = "time")]
    pub lag: f64,
    /// Fewest and most residues.
    pub residues: [usize; 2],
    /// How the sampler steps; none: as it does else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Noise that it adds before each step, as a share of its noise level; none: as else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stir: Option<f64>,
}

impl From<Usual> for network::Usual {
    fn from(usual: Usual) -> Self {
        network::Usual {
            lag: usual.lag,
            residues: usual.residues,
            method: usual.method.map(|method| method.word()),
            stir: usual.stir,
        }
    }
}

fn half() -> f64 {
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

impl Settings {
    /// Jumps of one lag time, ps, all else at its default.
    pub fn of(lag: f64) -> Self {
        Settings {
            lag,
            longest_lag: None,
            usual: None,
            fold: false,
            reversed: half(),
            returns: quarter(),
            return_within: return_within(),
            condition_noise: condition_noise(),
            log_sigma_mean: log_sigma_mean(),
            log_sigma_std: log_sigma_std(),
        }
    }

    /// Shortest and longest lag time, ps.
    pub fn lag_range(&self) -> [f64; 2] {
        let lags = task::Table::lags(self);
        [self.lag, lags.last().copied().unwrap_or(self.lag)]
    }
}

impl task::Table for Settings {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let longest = |longest: f64| longest.is_finite() && longest >= 2.0 * self.lag;
        let [least, most] = self.lag_range();
        let usual = |usual: Usual| {
            let sizes = usual.residues[0] <= usual.residues[1];
            sizes && (least..=most).contains(&usual.lag) && usual.stir.is_none_or(share)
        };
        let rules = [
            ("lag", positive(self.lag), "must be above 0"),
            (
                "longest_lag",
                self.longest_lag.is_none_or(longest),
                "must be twice `lag` at least",
            ),
            (
                "usual",
                self.usual.is_none_or(usual),
                "must have a lag that is trained, residues from fewest to most, stir from 0 to 1",
            ),
            ("reversed", share(self.reversed), "must be a share, 0 … 1"),
            ("returns", share(self.returns), "must be a share, 0 … 1"),
            (
                "return_within",
                positive(self.return_within),
                "must be above 0",
            ),
            (
                "log_sigma_mean",
                self.log_sigma_mean.is_finite(),
                "must be a number",
            ),
            (
                "log_sigma_std",
                positive(self.log_sigma_std),
                "must be above 0",
            ),
        ];
        let wrong = rules.into_iter().find(|(_, holds, _)| !holds);
        wrong.map_or(Ok(()), |(key, _, allowed)| Err((key, allowed)))
    }

    fn lags(&self) -> Vec<f64> {
        let longest = self.longest_lag.unwrap_or(self.lag);
        std::iter::successors(Some(self.lag), |lag| Some(2.0 * lag))
            // doubling what is not above 0 leads nowhere; the check refuses it
            .take_while(|&lag| lag > 0.0 && lag <= longest)
            .collect()
    }

    fn scale_of(&self, scene: &dyn Scene) -> Vec<Vector3<f64>> {
        let [now, later] = aligned(scene.now(), &scene.later());
        let pairs = now.iter().zip(&later);
        pairs.map(|(now, later)| later - now).collect()
    }

    fn objective(&self, initial: Option<Task>, measured: f64) -> Box<dyn task::Objective> {
        let initial = match initial {
            Some(Task::Jump(jump)) => Some(jump),
            _ => None,
        };
        let lags = self.lag_range();
        // A model that knows these lag times keeps its scale, so that the training starts from the
        // very answers that it gives.
        let kept = initial.filter(|jump| {
            let [shortest, longest] = jump.lag_range.unwrap_or([jump.lag_time; 2]);
            shortest <= lags[0] && lags[1] <= longest
        });
        let measured = (measured.powi(2) + self.condition_noise.powi(2) / 3.0).sqrt();
        // a network that is told the lag time goes on being told, even if it is always the same now
        let told =
            self.longest_lag.is_some() || initial.is_some_and(|jump| jump.lag_range.is_some());
        Box::new(Objective {
            jump: Jump {
                lag_time: self.lag,
                sigma_data: kept.map_or(measured, |jump| jump.sigma_data),
                lag_range: told.then_some(lags),
                fold: self.fold || initial.is_some_and(|jump| jump.fold),
            },
            levels: Levels {
                log_mean: self.log_sigma_mean,
                log_std: self.log_sigma_std,
            },
            reversed: self.reversed,
            returns: self.returns,
            condition_noise: self.condition_noise,
        })
    }

    fn start_from(&self, initial: &Task) -> Result<(), [String; 2]> {
        debug_assert_eq!(initial.name(), NAME);
        Ok(())
    }
}
