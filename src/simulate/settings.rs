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

impl Integrator {
    /// As checkpoints have had it from the first version on.
    pub(super) fn identity(self) -> String {
        match self {
            Integrator::VelocityVerlet => "VelocityVerlet".to_owned(),
            Integrator::Langevin { friction } => {
                format!("Langevin {{ friction: {friction:?} }}")
            }
            Integrator::Csvr { relaxation } => format!("Csvr {{ relaxation: {relaxation:?} }}"),
        }
    }
}

impl Settings {
    /// A few words for the log, of dynamics in which so many bonds are held.
    pub(super) fn describe(&self, held: usize) -> String {
        let temperature = self.temperature;
        let integrator = match self.integrator {
            Integrator::VelocityVerlet => "velocity Verlet".to_owned(),
            Integrator::Langevin { friction } => {
                format!("Langevin (BAOAB) at {temperature} K, friction {friction}/ps")
            }
            Integrator::Csvr { relaxation } => {
                format!("CSVR at {temperature} K, relaxation {relaxation} ps")
            }
        };
        let held = match held {
            0 => String::new(),
            held => format!(", {held} bonds held"),
        };
        let centre = if self.stop_centre { "at rest" } else { "free" };
        let femtoseconds = self.time_step * 1e3;
        format!("{integrator}, {femtoseconds} fs, centre of mass {centre}{held}")
    }
}
