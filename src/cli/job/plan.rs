//! From what was typed to numbers of steps.

use std::time::Duration;

use crate::cli::job::JobArgs;
use crate::simulate::Clock;
use crate::units::{self, Dimension};
use crate::{Error, Result};

/// A number of steps, or a time that becomes one when the time step is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    /// Steps.
    Steps(u64),
    /// ps.
    Time(f64),
}

/// Names the flag in front of an error about its value.
fn of_flag(flag: &str, error: Error) -> Error {
    match error {
        Error::Usage { what, hint } => Error::usage(format!("{flag}: {what}"), hint),
        other => other,
    }
}

/// A quantity with its unit.
///
/// # Errors
/// [`Error::Usage`] naming the flag.
pub fn quantity(flag: &str, text: &str, dimension: Dimension) -> Result<f64> {
    units::parse(text, dimension).map_err(|error| of_flag(flag, error))
}

impl Span {
    /// Reads `10` (steps) or `100ps`.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the flag.
    pub fn parse(flag: &str, text: &str) -> Result<Self> {
        let refuse = || {
            Error::usage(
                format!("{flag}: `{text}` is no stride"),
                "write steps (10) or a time (100ps), above zero",
            )
        };
        if let Ok(steps) = text.trim().parse::<u64>() {
            return Some(Span::Steps(steps))
                .filter(|_| steps > 0)
                .ok_or_else(refuse);
        }
        if text.trim().parse::<f64>().is_ok() {
            return Err(refuse());
        }
        let time = quantity(flag, text, Dimension::Time)?;
        Some(Span::Time(time))
            .filter(|_| time > 0.0)
            .ok_or_else(refuse)
    }

    /// As steps of `time_step` ps.
    ///
    /// # Errors
    /// [`Error::Usage`] where a time is no whole number of steps.
    pub fn steps(self, flag: &str, time_step: f64) -> Result<u64> {
        let Span::Time(time) = self else {
            let Span::Steps(steps) = self else {
                unreachable!("two kinds")
            };
            return Ok(steps);
        };
        let steps = time / time_step;
        let whole = steps.round();
        // times such as 0.1 ps and 2 fs are not exact in binary
        if whole < 1.0 || (steps - whole).abs() > 1e-6 * whole {
            let what = format!(
                "{flag}: {time} ps is no whole number of steps, which span {time_step} ps here"
            );
            return Err(Error::usage(
                what,
                format!("a multiple of {time_step}ps, or a number of steps"),
            ));
        }
        Ok(whole as u64)
    }
}

/// The strides and the end of a run, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Last step.
    pub steps: u64,
    /// Stride of the trajectory.
    pub trajectory: u64,
    /// Stride of the log.
    pub log: u64,
    /// Stride of checkpoints.
    pub checkpoint: u64,
    /// Stride of the geometry guard.
    pub guard: u64,
}

impl Plan {
    /// The plan of a run by this clock that makes `default_steps` where nothing else is said: of
    /// dynamics a frame every ps is kept, of jumps every one.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the flag that cannot be understood.
    pub fn new(args: &JobArgs, clock: Clock, default_steps: u64) -> Result<Self> {
        let time_step = clock.time_step();
        let about = |time: f64| match clock {
            Clock::Jumps(_) => 1,
            Clock::Dynamics(time_step) => (time / time_step).round().max(1.0) as u64,
        };
        let stride = |flag: &str, text: &Option<String>, default: u64| match text {
            Some(text) => Span::parse(flag, text)?.steps(flag, time_step),
            None => Ok(default),
        };
        let steps = match (args.steps, &args.time) {
            (Some(steps), _) => steps,
            (None, Some(text)) => {
                Span::Time(quantity("--time", text, Dimension::Time)?).steps("--time", time_step)?
            }
            (None, None) => default_steps,
        };
        let trajectory = stride("--traj-every", &args.traj_every, about(1.0))?;
        Ok(Plan {
            steps,
            trajectory,
            log: stride("--log-every", &args.log_every, trajectory)?,
            checkpoint: stride(
                "--checkpoint-every",
                &args.checkpoint_every,
                100 * trajectory,
            )?,
            guard: stride("--guard-every", &args.guard_every, about(0.1))?,
        })
    }
}

/// `--maxh`: wall time after which a run stops.
///
/// # Errors
/// [`Error::Usage`] where it is negative or no number.
pub fn time_limit(args: &JobArgs) -> Result<Option<Duration>> {
    let limit = |hours: f64| Duration::try_from_secs_f64(3600.0 * hours);
    let refuse = |hours| {
        Error::usage(
            format!("--maxh: {hours} hours is no time limit"),
            "write hours as a number: --maxh 1.5",
        )
    };
    args.maxh
        .map(|hours| limit(hours).map_err(|_| refuse(hours)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, FromArgMatches};

    fn args(typed: &[&str]) -> JobArgs {
        let command = JobArgs::augment_args(clap::Command::new("run").no_binary_name(true));
        JobArgs::from_arg_matches(&command.try_get_matches_from(typed).unwrap()).unwrap()
    }

    #[test]
    fn strides_follow_from_the_time_step() {
        let jumps = Plan::new(&args(&[]), Clock::Jumps(20.0), 1000).unwrap();
        assert_eq!(
            jumps,
            Plan {
                steps: 1000,
                trajectory: 1,
                log: 1,
                checkpoint: 100,
                guard: 1
            }
        );
        let dynamics = Plan::new(
            &args(&["--time", "1ns", "--log-every", "2ps"]),
            Clock::Dynamics(0.002),
            1000,
        )
        .unwrap();
        assert_eq!(
            dynamics,
            Plan {
                steps: 500_000,
                trajectory: 500,
                log: 1000,
                checkpoint: 50_000,
                guard: 50
            }
        );
    }

    #[test]
    fn what_is_no_span_is_refused_with_its_flag() {
        for (typed, words) in [
            (["--time", "300"], "--time: `300` has no unit"),
            (
                ["--time", "30ps"],
                "--time: 30 ps is no whole number of steps, which span 20 ps here",
            ),
            (["--traj-every", "0"], "--traj-every: `0` is no stride"),
            (["--traj-every", "2.5"], "--traj-every: `2.5` is no stride"),
            (["--log-every", "7ps"], "--log-every: 7 ps is no whole"),
            (
                ["--guard-every", "often"],
                "--guard-every: `often` is not a number with a unit",
            ),
        ] {
            let error = Plan::new(&args(&typed), Clock::Jumps(20.0), 10).unwrap_err();
            assert!(
                error.exit_code() == 2 && error.to_string().starts_with(words),
                "{error}"
            );
            assert!(!error.hint().is_empty());
        }
        for hours in ["-1", "nan", "1e300"] {
            assert!(
                time_limit(&args(&[&format!("--maxh={hours}")]))
                    .unwrap_err()
                    .hint()
                    .contains("--maxh 1.5")
            );
        }
        assert_eq!(
            time_limit(&args(&["--maxh", "0.5"])).unwrap(),
            Some(Duration::from_secs(1800))
        );
    }
}
