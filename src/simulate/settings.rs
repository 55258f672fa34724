//! What dynamics needs beside a force and masses.

/// How a step of dynamics is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Integrator {
    /// Constant energy: Swope, Andersen, Berens, Wilson, J. Chem. Phys. 76, 637 (1982).
    VelocityVerlet,
    /// Constant temperature through friction and noise, split as BAOAB: Leimkuhler, Matthews, J.
    /// Chem. Phys. 138, 174102 (2013).
    Langevin {
        /// Friction, 1/ps.
        friction: f64,
    },
    /// Velocity Verlet with all velocities rescaled by one random factor, which keeps temperature
    /// and its fluctuations right and disturbs the dynamics least: Bussi, Donadio, Parrinello, J.
    /// Chem. Phys. 126, 014101 (2007). The factor is applied in the middle of the step, as BAOAB
    /// applies friction and noise: the temperature of the half steps is then the thermostat's, and
    /// averages over positions do not depend on the time step (Zhang et al., J. Chem. Phys. 147,
    /// 034109 (2017)).
    Csvr {
        /// Relaxation time of the kinetic energy, ps.
        relaxation: f64,
    },
}

/// What dynamics needs beside a force and masses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// How steps are made.
    pub integrator: Integrator,
    /// Time step, ps.
    pub time_step: f64,
    /// Temperature, K, of the thermostat and of initial velocities.
    pub temperature: f64,
    /// Whether the motion of the centre of mass is taken off initial velocities and off a
    /// thermostat's noise.
    pub stop_centre: bool,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Replica number of the first frame of a call.
    pub first_replica: u64,
}
