//! From a minimised structure to one at temperature, gently.

use super::{Dynamics, Force, Integrator, Settings, Stepper, Stop};
use crate::Result;
use crate::structure::Frame;

/// Friction while heating, 1/ps: strong enough that a released clash cannot heat its surroundings.
const FRICTION: f64 = 10.0;
/// Temperatures on the way.
const STAGES: u64 = 20;
/// The attempt whose random numbers heating takes: those of no run.
pub(super) const ATTEMPT: u64 = u64::MAX;

/// Heats the frames over `time` ps by Langevin dynamics with the time step of `settings`, in stages
/// of equal length, to its temperature, whatever its integrator. They come back at step 0, time 0,
/// with velocities.
///
/// # Errors
/// Those of [`Dynamics::step`], and [`crate::Error::Interrupted`] as soon as `stop` has a reason.
pub fn heat<F: Force>(
    dynamics: &mut Dynamics<F>,
    frames: &mut [Frame],
    time: f64,
    stop: &Stop,
) -> Result<()> {
    let settings = dynamics.settings();
    let steps = steps_of_stage(settings, time);
    dynamics.reseed(ATTEMPT);
    for stage in stages(settings) {
        dynamics.set(stage);
        for _ in 0..steps {
            if stop.reason().is_some() {
                return Err(Stop::interrupted(0));
            }
            dynamics.step(frames)?;
        }
    }
    dynamics.set(settings);
    dynamics.reseed(0);
    at_step_zero(frames);
    Ok(())
}

/// Steps of each stage of a heating over `time` ps.
pub(super) fn steps_of_stage(settings: Settings, time: f64) -> u64 {
    (time / settings.time_step / STAGES as f64).ceil() as u64
}

/// The dynamics of each stage on the way to that of `settings`, in order.
pub(super) fn stages(settings: Settings) -> impl Iterator<Item = Settings> {
    (1..=STAGES).map(move |stage| Settings {
        integrator: Integrator::Langevin { friction: FRICTION },
        temperature: settings.temperature * stage as f64 / STAGES as f64,
        ..settings
    })
}

/// Frames as they are, from which time and heat are counted.
pub(super) fn at_step_zero(frames: &mut [Frame]) {
    for frame in frames {
        *frame = Frame {
            step: 0,
            time: 0.0,
            heat: 0.0,
            ..std::mem::take(frame)
        };
    }
}
