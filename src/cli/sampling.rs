//! How jumps are sampled and corrected: the flags of every command that makes some.

use super::job::quantity;
use crate::engine::Engine;
use crate::forcefield::{ForceField, Precision, System, TemplateGeometry};
use crate::network::{Header, Network, Tokens};
use crate::simulate::{Hydrogens, Jump, ROOM_TEMPERATURE, Relaxation, Relaxed, Stepper};
use crate::structure::Structure;
use crate::task::{self, Method, Sampler};
use crate::units::Dimension;
use crate::{Error, Result};

/// Fewest and most steps of the corrector, unless more or fewer are asked for: one a heavy atom
/// between them. A torsion rolls off a barrier within a hundred; what a jump bends in a packed
/// protein takes longer, and would add up from jump to jump (docs/jump.md).
const RELAX: [usize; 2] = [100, 400];

/// Sampler and corrector.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Jumps")]
pub struct Sampling {
    /// Physical time of a jump, of a model that takes several [default: the model's own]
    #[arg(long, value_name = "TIME")]
    pub lag: Option<String>,
    /// After every jump, up to N minimisation steps (5 N where a frame needs them) and N steps of
    /// 4 fs in the force field; 0: the bare network [default: one for each heavy atom, 100 to 400]
    #[arg(long, value_name = "N")]
    pub relax: Option<usize>,
    /// Noise levels of the sampler
    #[arg(long, value_name = "N", default_value_t = Sampler::default().levels as u64, value_parser = clap::value_parser!(u64).range(2..=1000))]
    pub levels: u64,
    /// How it steps through them [default: euler with a corrector, heun without]
    #[arg(long, value_enum)]
    pub method: Option<Method>,
    /// Whether jumps keep to the fold that the input has: to its backbone, as MD of about a
    /// nanosecond does
    #[arg(long, value_enum, default_value_t)]
    pub fold: Fold,
    /// Smallest noise level
    #[arg(long, value_name = "LENGTH", default_value = "0.01A", value_parser = super::length)]
    pub lowest: f64,
    /// Noise added before each step of the sampler, as a share of its noise level
    #[arg(long, value_name = "SHARE", default_value_t = Sampler::default().stir)]
    pub stir: f64,
}

/// Whether jumps keep to a fold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Fold {
    /// Where a chain has ten residues or more
    #[default]
    Auto,
    /// Yes
    Keep,
    /// No: for disordered chains; folded proteins come apart faster than in MD
    Free,
}

impl Fold {
    /// Whether this molecule keeps to its fold.
    fn is_kept(self, tokens: &Tokens) -> bool {
        match self {
            Fold::Auto => tokens.is_folded(),
            Fold::Keep => true,
            Fold::Free => false,
        }
    }
}

impl Sampling {
    /// The first flag that is not at its default.
    pub fn changed(&self) -> Option<&'static str> {
        let default = Sampler::default();
        let flags = [
            ("--lag", self.lag.is_none()),
            ("--relax", self.relax.is_none()),
            ("--levels", self.levels == default.levels as u64),
            ("--method", self.method.is_none()),
            ("--fold", self.fold == Fold::default()),
            ("--lowest", self.lowest == default.low),
            ("--stir", self.stir == default.stir),
        ];
        flags
            .into_iter()
            .find(|(_, same)| !same)
            .map(|(flag, _)| flag)
    }

    /// The sampler of jumps that are corrected, or are not.
    ///
    /// # Errors
    /// [`Error::Usage`] for a smallest noise level that is none or above the largest, or a share
    /// that is none.
    fn sampler_for(&self, corrected: bool) -> Result<Sampler> {
        let default = Sampler::default();
        if !(self.lowest > 0.0 && self.lowest < default.high) {
            let what = format!(
                "--lowest: noise of {} Å cannot end at the largest level of {} Å",
                self.lowest, default.high
            );
            return Err(Error::usage(what, "0.01A"));
        }
        if !(0.0..=1.0).contains(&self.stir) {
            return Err(Error::usage(
                format!("--stir: {} is no share of a noise level", self.stir),
                "0 to 1",
            ));
        }
        let method = self.method.unwrap_or(if corrected {
            Method::Euler
        } else {
            Method::Heun
        });
        Ok(Sampler {
            levels: self.levels as usize,
            method,
            low: self.lowest,
            stir: self.stir,
            ..default
        })
    }

    /// Steps of the corrector for a molecule of `tokens` heavy atoms.
    fn relax_for(&self, tokens: usize) -> usize {
        self.relax.unwrap_or(tokens.clamp(RELAX[0], RELAX[1]))
    }
}

/// What jumps are made of.
pub struct Parts<'a, E: Engine> {
    /// The network.
    pub network: Network<E>,
    /// What it was trained for.
    pub task: task::Jump,
    /// What its file says.
    pub header: &'a Header,
    /// The molecule, as the jumps begin.
    pub structure: &'a Structure,
    /// Its template geometry.
    pub geometry: &'a TemplateGeometry,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Number of the first replica.
    pub first_replica: u64,
}

/// A stepper of jumps, and what the energy monitor and the user are to know of it.
pub struct Jumps {
    /// The stepper.
    pub stepper: Box<dyn Stepper>,
    /// Whether they keep to the fold that the molecule begins with.
    pub folded: bool,
    /// Why there is no corrector although one was asked for.
    pub warning: Option<String>,
}

impl Sampling {
    /// The stepper; without its corrector where the force field does not know the molecule.
    ///
    /// # Errors
    /// Those of [`Tokens::new`], and [`Error::Usage`] for noise levels that
    /// cannot be.
    pub fn jumps<E: Engine + 'static>(&self, parts: Parts<'_, E>) -> Result<Jumps> {
        let Parts {
            network,
            task,
            header,
            structure: Structure {
                topology, frame, ..
            },
            geometry,
            seed,
            first_replica,
        } = parts;
        let tokens = Tokens::new(topology, geometry)?;
        let steps = self.relax_for(tokens.len());
        let temperature = header.provenance.temperature.unwrap_or(ROOM_TEMPERATURE);
        let (system, warning) = match (steps > 0).then(|| System::build(topology)).transpose() {
            Ok(system) => (system, None),
            Err(error) => (
                None,
                Some(format!("warning: jumps are not corrected: {error}")),
            ),
        };
        let hydrogens = Hydrogens::new(topology, &frame.positions);
        let jump = Jump::new(
            network,
            task,
            tokens,
            hydrogens,
            self.sampler_for(system.is_some())?,
            seed,
            first_replica,
        );
        let jump = if self.fold.is_kept(jump.tokens()) {
            jump.with_fold(&frame.positions)
        } else {
            jump
        };
        let folded = jump.keeps_fold();
        let jump = match &self.lag {
            Some(lag) => jump.with_lag_time(quantity("--lag", lag, Dimension::Time)?)?,
            None => jump,
        };
        let Some(system) = system else {
            return Ok(Jumps {
                stepper: Box::new(jump),
                folded,
                warning,
            });
        };
        let relaxation = Relaxation {
            steps,
            temperature,
            seed,
            first_replica,
        };
        let relaxed = Relaxed::new(
            jump,
            topology,
            ForceField::new(system, Precision::F32),
            relaxation,
        );
        Ok(Jumps {
            stepper: Box::new(relaxed),
            folded,
            warning,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::as_typed;
    use super::*;

    #[test]
    fn the_corrector_takes_a_step_a_heavy_atom_within_bounds_unless_told() {
        let default: Sampling = as_typed("validate", &[""; 0]).unwrap();
        assert_eq!(
            [32, 154, 602].map(|tokens| default.relax_for(tokens)),
            [100, 154, 400]
        );
        let none: Sampling = as_typed("validate", &["--relax", "0"]).unwrap();
        assert_eq!((none.relax_for(602), none.changed()), (0, Some("--relax")));
        // a bare network is not sampled as one that is corrected
        assert_ne!(
            none.sampler_for(false).unwrap(),
            default.sampler_for(true).unwrap()
        );
    }
}
