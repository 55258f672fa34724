//! Dynamics on a device as a stepper of a simulation, and heating.

use serde_json::{Map, Value, json};

use super::GpuDynamics;
use crate::Result;
use crate::simulate::heat::{ATTEMPT, at_step_zero, stages, steps_of_stage};
use crate::simulate::{Clock, Motion, Settings, Stepper, Stop};
use crate::structure::Frame;

/// Steps between two looks at whether heating is to stop.
const PATIENCE: u64 = 250;

/// The systems are replicas of one molecule.
impl Stepper for GpuDynamics {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        self.make(replicas, 1)
    }

    fn many_steps(&mut self, replicas: &mut [Frame], steps: u64) -> Result<()> {
        self.make(replicas, steps)
    }

    fn advances_alone(&self) -> bool {
        true
    }

    fn clock(&self) -> Clock {
        Clock::Dynamics(self.settings().time_step)
    }

    fn motion(&self) -> Option<Motion> {
        Some(Motion {
            masses: self.masses(0).to_vec(),
            freedom: self.freedom(0),
        })
    }

    fn identity(&self) -> Map<String, Value> {
        let Settings {
            integrator,
            time_step,
            temperature,
            ..
        } = self.settings();
        Map::from_iter([
            ("integrator".to_owned(), integrator.identity().into()),
            ("time step (ps)".to_owned(), json!(time_step)),
            ("temperature (K)".to_owned(), json!(temperature)),
            // a device makes other bits than the CPU
            ("device".to_owned(), self.device().into()),
        ])
    }

    fn describe(&self) -> String {
        format!(
            "{}; ff14SB with OBC2 implicit water in f32, on the GPU {}",
            self.settings().describe(self.held(0)),
            self.device()
        )
    }

    fn reseed(&mut self, attempt: u64) {
        self.number_attempt(attempt);
    }
}

/// Heats the frames as [`crate::simulate::heat`] does on the CPU.
///
/// # Errors
/// Those of [`GpuDynamics::make`], and [`crate::Error::Interrupted`] soon after `stop` has a
/// reason.
pub fn heat(
    dynamics: &mut GpuDynamics,
    frames: &mut [Frame],
    time: f64,
    stop: &Stop,
) -> Result<()> {
    let settings = dynamics.settings();
    let steps = steps_of_stage(settings, time);
    dynamics.number_attempt(ATTEMPT);
    for stage in stages(settings) {
        dynamics.set(stage)?;
        let mut ahead = steps;
        while ahead > 0 {
            if stop.reason().is_some() {
                return Err(Stop::interrupted(0));
            }
            let now = ahead.min(PATIENCE);
            dynamics.make(frames, now)?;
            ahead -= now;
        }
    }
    dynamics.set(settings)?;
    dynamics.number_attempt(0);
    at_step_zero(frames);
    Ok(())
}
