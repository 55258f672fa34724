//! How forces are integrated, as typed options.

use crate::simulate::{Integrator, ROOM_TEMPERATURE, Settings};

/// How the forces of a model or of the force field are integrated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dynamics {
    /// What is kept constant, and how.
    pub integrator: Integrator,
    /// Time step, ps.
    pub time_step: f64,
    /// Temperature of the thermostat and of the initial velocities, K.
    pub temperature: f64,
}

impl Default for Dynamics {
    /// Langevin dynamics at 300 K, friction 1/ps, in steps of 2 fs.
    fn default() -> Self {
        Dynamics {
            integrator: Integrator::Langevin { friction: 1.0 },
            time_step: 0.002,
            temperature: ROOM_TEMPERATURE,
        }
    }
}

impl Dynamics {
    /// With this seed, from this replica on.
    pub(super) fn settings(&self, seed: u64, first_replica: u64) -> Settings {
        Settings {
            integrator: self.integrator,
            time_step: self.time_step,
            temperature: self.temperature,
            stop_centre: true,
            seed,
            first_replica,
        }
    }
}
