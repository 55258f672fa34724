//! `next-frame`: mean positions a lag time later. Over a lag time in which the molecule moves, a
//! mean is no molecule and a chain of means no dynamics: it is what a sampled jump is held against.

use std::fmt;

use nalgebra::Vector3;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::quantity::time;
use super::{Objective, Own, Sample, Scene, Table, Task, aligned, plain_interface};
use crate::network::{Answer, Inputs, Interface, Tokens};
use crate::{Error, Result};

pub(super) const NAME: &str = "next-frame";

/// The task `next-frame`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextFrame {
    /// Physical time of one step, ps.
    pub lag_time: f64,
    /// RMS displacement over the lag time, Å: the scale of the answer.
    pub scale: f64,
}

impl NextFrame {
    /// Systems of a call, at these positions of their tokens, Å.
    ///
    /// # Panics
    /// Where lengths differ from the molecule's.
    pub fn inputs<'a>(
        &self,
        neighbours: usize,
        systems: impl IntoIterator<Item = (&'a Tokens, &'a [Vector3<f64>])>,
    ) -> Inputs {
        let mut inputs = Inputs::at(&Own::interface(self), neighbours, systems);
        inputs.batch.scale.fill(self.scale);
        inputs
    }
}

impl Own for NextFrame {
    fn check(&self) -> Result<()> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        if positive(self.lag_time) && positive(self.scale) {
            return Ok(());
        }
        Err(Error::usage(
            "next-frame: lag time or scale is out of range",
            "use a positive time and scale",
        ))
    }

    fn interface(&self) -> Interface {
        plain_interface(Answer::Positions)
    }

    fn lag_times(&self) -> Option<[f64; 2]> {
        Some([self.lag_time; 2])
    }

    fn inputs(&self, neighbours: usize, samples: &[(&Tokens, &Sample)]) -> Inputs {
        let systems = samples
            .iter()
            .map(|(tokens, sample)| (*tokens, sample.condition.as_slice()));
        NextFrame::inputs(self, neighbours, systems)
    }
}

impl fmt::Display for NextFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "next frame: mean positions {} ps later (data: {:.4} Å)",
            self.lag_time, self.scale
        )
    }
}

/// The table `[next-frame]`: x(t + lag), the squared error in units of the mean squared
/// displacement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Lag time, ps.
    #[serde(with = "time")]
    pub lag: f64,
}

impl Table for Settings {
    fn check(&self) -> std::result::Result<(), (&'static str, &'static str)> {
        if self.lag.is_finite() && self.lag > 0.0 {
            return Ok(());
        }
        Err(("lag", "must be above 0"))
    }

    fn lags(&self) -> Vec<f64> {
        vec![self.lag]
    }

    fn scale_of(&self, scene: &dyn Scene) -> Vec<Vector3<f64>> {
        let [now, later] = aligned(scene.now(), &scene.later());
        let pairs = now.iter().zip(&later);
        pairs.map(|(now, later)| later - now).collect()
    }

    fn objective(&self, initial: Option<Task>, measured: f64) -> Box<dyn Objective> {
        let task = match initial {
            // the scale of a model that knows this lag time stays, and so do its answers
            Some(Task::NextFrame(task)) if task.lag_time == self.lag => task,
            _ => NextFrame {
                lag_time: self.lag,
                scale: measured,
            },
        };
        Box::new(task)
    }

    fn start_from(&self, _initial: &Task) -> std::result::Result<(), [String; 2]> {
        Ok(())
    }
}

impl Objective for NextFrame {
    fn task(&self) -> Task {
        Task::NextFrame(*self)
    }

    fn sample(&self, scene: &dyn Scene, _rng: &mut ChaCha8Rng) -> Sample {
        let [condition, target] = aligned(scene.now(), &scene.later());
        Sample::plain(scene.system(), condition, target, self.scale)
    }

    fn describe(&self) -> String {
        format!(
            "next frame after {} ps, displacement {:.4} Å",
            self.lag_time, self.scale
        )
    }
}
