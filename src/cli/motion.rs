//! How a force is integrated: the flags of every command that makes dynamics.

use crate::session::Dynamics;
use crate::simulate::Integrator;

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
    #[arg(
        long,
        value_name = "TEMPERATURE",
        default_value = TEMPERATURE,
        value_parser = super::temperature
    )]
    pub temp: f64,
    /// Friction of the Langevin thermostat
    #[arg(long, value_name = "RATE", default_value = FRICTION, value_parser = super::rate)]
    pub friction: f64,
    /// Relaxation time of the CSVR thermostat
    #[arg(long, value_name = "TIME", default_value = RELAXATION, value_parser = super::time)]
    pub relaxation: f64,
    /// Time step; `reference` with --hold-hydrogens takes up to 4fs
    #[arg(long, value_name = "TIME", default_value = TIME_STEP, value_parser = super::time)]
    pub dt: f64,
}

impl From<&Motion> for Dynamics {
    fn from(typed: &Motion) -> Self {
        let integrator = match typed.ensemble {
            Ensemble::Langevin => Integrator::Langevin {
                friction: typed.friction,
            },
            Ensemble::Csvr => Integrator::Csvr {
                relaxation: typed.relaxation,
            },
            Ensemble::Nve => Integrator::VelocityVerlet,
        };
        Dynamics {
            integrator,
            time_step: typed.dt,
            temperature: typed.temp,
        }
    }
}

impl Motion {
    /// The first flag that is not at its default.
    pub fn changed(&self) -> Option<&'static str> {
        let default = Dynamics::default();
        let flags = [
            ("--ensemble", self.ensemble == Ensemble::default()),
            ("--temp", self.temp == default.temperature),
            ("--friction", self.friction == 1.0),
            ("--relaxation", self.relaxation == 1.0),
            ("--dt", self.dt == default.time_step),
        ];
        let changed = flags.into_iter().find(|(_, same)| !same);
        changed.map(|(flag, _)| flag)
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::as_typed;
    use super::*;

    #[test]
    fn nothing_typed_is_the_default() {
        let nothing: Motion = as_typed("reference", &[""; 0]).unwrap();
        assert_eq!(Dynamics::from(&nothing), Dynamics::default());
        assert_eq!(nothing.changed(), None);
        let some: Motion = as_typed("reference", &["--dt", "4fs"]).unwrap();
        assert_eq!(
            (Dynamics::from(&some).time_step, some.changed()),
            (0.004, Some("--dt"))
        );
    }
}
