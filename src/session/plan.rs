//! Strides and the end of a run: from steps or times to numbers of steps.

use crate::simulate::Clock;
use crate::units::{self, Dimension};
use crate::{Error, Result};

/// More steps than a run can count to in a double without losing one.
const MOST_STEPS: f64 = 9e15;

/// A number of steps, or a time that becomes one when the time step is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    /// Steps.
    Steps(u64),
    /// ps.
    Time(f64),
}

impl Span {
    /// Reads `10` (steps) or `100ps`. `flag` names it in errors.
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
        let span = match text.trim().parse::<u64>() {
            Ok(steps) => Span::Steps(steps),
            Err(_) if text.trim().parse::<f64>().is_ok() => return Err(refuse()),
            Err(_) => Span::Time(units::parse(text, Dimension::Time).map_err(
                |error| match error {
                    Error::Usage { what, hint } => Error::usage(format!("{flag}: {what}"), hint),
                    other => other,
                },
            )?),
        };
        match span {
            Span::Steps(0) => Err(refuse()),
            Span::Time(time) if time <= 0.0 => Err(refuse()),
            span => Ok(span),
        }
    }

    /// As steps of `time_step` ps.
    ///
    /// # Errors
    /// [`Error::Usage`] where a time is no whole number of steps, or one of too many.
    pub fn steps(self, flag: &str, time_step: f64) -> Result<u64> {
        let time = match self {
            Span::Steps(steps) => return Ok(steps),
            Span::Time(time) => time,
        };
        let steps = time / time_step;
        let whole = steps.round();
        if whole > MOST_STEPS {
            let what =
                format!("{flag}: {time} ps are more steps of {time_step} ps than can be made");
            return Err(Error::usage(what, "a shorter time: 100ns"));
        }
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

/// Length and strides of a run; what is none follows from the clock of the stepper.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Strides {
    /// How long it goes on, counted from the input; none: what the session says.
    pub length: Option<Span>,
    /// From frame to frame of the trajectory; none: every jump, 1 ps of dynamics.
    pub trajectory: Option<Span>,
    /// From row to row of the log; none: that of the trajectory.
    pub log: Option<Span>,
    /// From checkpoint to checkpoint; none: see [`Plan::checkpoint`].
    pub checkpoint: Option<Span>,
    /// Of the geometry guard; none: every jump, 0.1 ps of dynamics.
    pub guard: Option<Span>,
    /// Of the measurement of the network's symmetry; none: never.
    pub equivariance: Option<Span>,
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
    /// Stride of the measurement of the network's symmetry; none: never.
    pub equivariance: Option<u64>,
}

impl Plan {
    /// The plan of a run by this clock that makes `default_steps` where nothing else is said: of
    /// dynamics a frame every ps is kept, of jumps every one.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the flag whose time is no whole number of steps.
    pub fn new(strides: &Strides, clock: Clock, default_steps: u64) -> Result<Self> {
        let about = |time: f64| match clock {
            Clock::Jumps(_) => 1,
            Clock::Dynamics(time_step) => (time / time_step).round().max(1.0) as u64,
        };
        let steps = |flag: &str, span: Option<Span>, default: u64| {
            span.map_or(Ok(default), |span| span.steps(flag, clock.time_step()))
        };
        let trajectory = steps("--traj-every", strides.trajectory, about(1.0))?;
        Ok(Plan {
            steps: steps("--time", strides.length, default_steps)?,
            trajectory,
            log: steps("--log-every", strides.log, trajectory)?,
            checkpoint: steps("--checkpoint-every", strides.checkpoint, 100 * trajectory)?,
            guard: steps("--guard-every", strides.guard, about(0.1))?,
            equivariance: (strides.equivariance)
                .map(|span| span.steps("--check-equivariance-every", clock.time_step()))
                .transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_follow_from_the_clock() {
        let jumps = Plan::new(&Strides::default(), Clock::Jumps(20.0), 1000).unwrap();
        assert_eq!(
            jumps,
            Plan {
                steps: 1000,
                trajectory: 1,
                log: 1,
                checkpoint: 100,
                guard: 1,
                equivariance: None,
            }
        );
        // short jumps are jumps, long steps of dynamics are dynamics
        let short = Plan::new(&Strides::default(), Clock::Jumps(0.05), 1000).unwrap();
        assert_eq!(short, jumps);
        let strides = Strides {
            length: Some(Span::Time(1000.0)),
            log: Some(Span::Time(2.0)),
            equivariance: Some(Span::Steps(7)),
            ..Strides::default()
        };
        let dynamics = Plan::new(&strides, Clock::Dynamics(0.002), 1000).unwrap();
        assert_eq!(
            dynamics,
            Plan {
                steps: 500_000,
                trajectory: 500,
                log: 1000,
                checkpoint: 50_000,
                guard: 50,
                equivariance: Some(7),
            }
        );
    }

    #[test]
    fn what_is_no_span_is_refused_with_its_flag() {
        for (text, words) in [
            ("0", "--traj-every: `0` is no stride"),
            ("0ps", "--traj-every: `0ps` is no stride"),
            ("2.5", "--traj-every: `2.5` is no stride"),
            ("7ps", "--traj-every: 7 ps is no whole number of steps"),
            (
                "30ps",
                "--traj-every: 30 ps is no whole number of steps, which span 20 ps here",
            ),
            ("often", "--traj-every: `often` is not a number with a unit"),
            ("1e300ns", "--traj-every: 1"),
        ] {
            let steps =
                Span::parse("--traj-every", text).and_then(|span| span.steps("--traj-every", 20.0));
            let error = steps.unwrap_err();
            assert!(
                error.exit_code() == 2 && error.to_string().starts_with(words),
                "{text}: {error}"
            );
            assert!(!error.hint().is_empty());
        }
    }
}
