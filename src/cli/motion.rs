//! How a force is integrated: the flags of every command that makes dynamics.

use super::job::{JobArgs, quantity};
use crate::Result;
use crate::simulate::{Integrator, Settings};
use crate::units::Dimension;

const TEMPERATURE: &str = "300K";
const FRICTION: &str = "1/ps";
const RELAXATION: &str = "1ps";
const TIME_STEP: &str = "2fs";

/// What is kept constant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Ensemble {
    /// Temperature, by friction and noise (BAOAB)
    #[default]
    Langevin,
    /// Temperature, by rescaling velocities at random (Bussi, Donadio, Parrinello)
    Csvr,
    /// Energy (velocity Verlet)
    Nve,
}

/// Integrator and thermostat.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Dynamics")]
pub struct Motion {
    /// What is kept constant
    #[arg(long, value_enum, default_value_t)]
    pub ensemble: Ensemble,
    /// Temperature of the thermostat and of the initial velocities
    #[arg(long, value_name = "TEMPERATURE", default_value = TEMPERATURE)]
    pub temp: String,
    /// Friction of the Langevin thermostat
    #[arg(long, value_name = "RATE", default_value = FRICTION)]
    pub friction: String,
    /// Relaxation time of the CSVR thermostat
    #[arg(long, value_name = "TIME", default_value = RELAXATION)]
    pub relaxation: String,
    /// Time step; `reference` with --hold-hydrogens takes up to 4fs
    #[arg(long, value_name = "TIME", default_value = TIME_STEP)]
    pub dt: String,
}

impl Motion {
    /// The first flag that is not at its default.
    pub fn changed(&self) -> Option<&'static str> {
        let flags = [
            ("--ensemble", self.ensemble == Ensemble::default()),
            ("--temp", self.temp == TEMPERATURE),
            ("--friction", self.friction == FRICTION),
            ("--relaxation", self.relaxation == RELAXATION),
            ("--dt", self.dt == TIME_STEP),
        ];
        flags
            .into_iter()
            .find(|(_, same)| !same)
            .map(|(flag, _)| flag)
    }

    /// The settings of the dynamics, as typed.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] for a value that is no quantity of its kind.
    pub fn settings(&self, job: &JobArgs) -> Result<Settings> {
        let integrator = match self.ensemble {
            Ensemble::Langevin => Integrator::Langevin {
                friction: quantity("--friction", &self.friction, Dimension::Rate)?,
            },
            Ensemble::Csvr => Integrator::Csvr {
                relaxation: quantity("--relaxation", &self.relaxation, Dimension::Time)?,
            },
            Ensemble::Nve => Integrator::VelocityVerlet,
        };
        Ok(Settings {
            integrator,
            time_step: quantity("--dt", &self.dt, Dimension::Time)?,
            temperature: quantity("--temp", &self.temp, Dimension::Temperature)?,
            stop_centre: true,
            seed: job.seed,
            first_replica: job.replica_index.unwrap_or(0),
        })
    }
}
