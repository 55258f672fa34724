//! How jumps are sampled and corrected, as typed options.

mod fold;

pub use fold::Fold;

use super::backend::Device;
use super::familiar;
use crate::engine::Engine;
use crate::forcefield::{ForceField, Precision, System, TemplateGeometry};
use crate::network::{Header, Network, Tokens, Usual};
use crate::simulate::{Effort, Hydrogens, Jump, ROOM_TEMPERATURE, Relaxation, Relaxed, Stepper};
use crate::structure::Structure;
use crate::task::{self, Method, Sampler};
use crate::{Error, Result};

/// Fewest steps of the corrector, unless a number is asked for: a frame that minimisation has
/// closed has its vibrations back within 0.2 ps (docs/jump.md).
const LEAST: usize = 50;
/// Most of them, one for each heavy atom within these bounds: what a jump bends in a packed protein
/// takes longer, and would add up from jump to jump (docs/jump.md).
const MOST: [usize; 2] = [100, 400];

/// Noise levels of a sampler whose frames are corrected: ten give the same frames (docs/jump.md).
const CORRECTED_LEVELS: usize = 6;

/// How strongly corrected jumps keep to a fold, and residues from which on they do: trp-cage, of
/// 20, gains nothing (docs/jump.md).
const STRENGTH: f64 = 2.0;
const STRENGTHENED: usize = 30;

/// Atoms from which on the corrector has a cutoff unless it is told otherwise, and that cutoff, Å:
/// docs/physics.md says what it costs and what it saves. A smaller molecule gains nothing.
const LARGE: usize = 2000;
const CUTOFF: f64 = 16.0;

/// How far the corrector sees.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Cutoff {
    /// All pairs of a small protein; of a large one those whose error is below the corrector's
    /// noise.
    #[default]
    Auto,
    /// All pairs.
    Off,
    /// Pairs within this distance, Å.
    At(f64),
}

impl Cutoff {
    /// The cutoff for so many atoms, Å; none: all pairs.
    pub fn of(self, atoms: usize) -> Option<f64> {
        match self {
            Cutoff::Auto => (atoms >= LARGE).then_some(CUTOFF),
            Cutoff::Off => None,
            Cutoff::At(length) => Some(length),
        }
    }
}

/// Sampler and corrector of a model of jumps.
#[derive(Debug, Clone, PartialEq)]
pub struct Jumps {
    /// Physical time of a jump, ps, of a model that takes several; none: what the model says of
    /// molecules of this size, else its own.
    pub lag: Option<f64>,
    /// After every jump, up to so many steps of minimisation and so many of 4 fs in the force
    /// field; 0: the bare network. None: one of minimisation for each heavy atom, 100 to 400, and
    /// as many of dynamics at most, 50 at least, until the frame has settled.
    pub relax: Option<usize>,
    /// How far the corrector sees.
    pub cutoff: Cutoff,
    /// Noise levels of the sampler, 2 to 1000; none: 6 with a corrector, 10 without.
    pub levels: Option<usize>,
    /// How it steps through them; none: with a corrector what the model says of molecules of this
    /// size, else Euler; Heun without.
    pub method: Option<Method>,
    /// Whether jumps keep to the fold of the input.
    pub fold: Fold,
    /// How strongly, 0 to 5 ([`Jump::with_strength`]); none: 2 with a corrector and 30 residues or
    /// more, else 1.
    pub fold_strength: Option<f64>,
    /// Smallest noise level, Å.
    pub lowest: f64,
    /// Noise added before each step of the sampler, as a share of its noise level, 0 to 1; none:
    /// with a corrector what the model says of molecules of this size, else 0.
    pub stir: Option<f64>,
}

impl Default for Jumps {
    fn default() -> Self {
        Jumps {
            lag: None,
            relax: None,
            cutoff: Cutoff::default(),
            levels: None,
            method: None,
            fold: Fold::default(),
            fold_strength: None,
            lowest: Sampler::default().low,
            stir: None,
        }
    }
}

/// What jumps are made of.
pub(super) struct Parts<'a, E: Engine> {
    pub network: Network<E>,
    /// Where it runs, and the corrector with it; none: on the CPU.
    #[cfg_attr(
        not(feature = "gpu"),
        allow(dead_code, reason = "there is no other then")
    )]
    pub device: Option<Device>,
    /// What it was trained for.
    pub task: task::Jump,
    /// What its file says.
    pub header: &'a Header,
    /// The molecule, as the jumps begin.
    pub structure: &'a Structure,
    pub geometry: &'a TemplateGeometry,
    pub seed: u64,
    pub first_replica: u64,
}

impl Jumps {
    /// The sampler of jumps that are corrected, as is `usual` for the molecule, or are not.
    ///
    /// # Errors
    /// [`Error::Usage`] for a smallest noise level that is none or above the largest, a share that
    /// is none, or a method that the model's file names and this program does not know.
    fn sampler(&self, corrected: bool, usual: Option<&Usual>) -> Result<Sampler> {
        let default = Sampler::default();
        if !(self.lowest > 0.0 && self.lowest < default.high) {
            let what = format!(
                "--lowest: noise of {} Å cannot end at the largest level of {} Å",
                self.lowest, default.high
            );
            return Err(Error::usage(what, "0.01A"));
        }
        let usual = usual.filter(|_| corrected);
        let levels = if corrected {
            CORRECTED_LEVELS
        } else {
            default.levels
        };
        let stir = self.stir.or(usual.and_then(|usual| usual.stir));
        let stir = stir.unwrap_or(default.stir);
        if !(0.0..=1.0).contains(&stir) {
            let what = format!("--stir: {stir} is no share of a noise level");
            return Err(Error::usage(what, "0 to 1"));
        }
        let named = usual.and_then(|usual| usual.method.as_deref());
        let method = match (self.method, named) {
            (Some(method), _) => method,
            (None, Some(name)) => Method::of_word(name).ok_or_else(|| {
                let what = format!("the model's file asks for a sampler `{name}`, unknown here");
                Error::usage(what, "--method euler, or a newer version of the program")
            })?,
            (None, None) if corrected => Method::Euler,
            (None, None) => Method::Heun,
        };
        Ok(Sampler {
            levels: self.levels.unwrap_or(levels),
            method,
            low: self.lowest,
            stir,
            ..default
        })
    }

    /// How strongly a protein of so many residues keeps to its fold.
    fn strength(&self, corrected: bool, residues: usize) -> Result<f64> {
        let default = if corrected && residues >= STRENGTHENED {
            STRENGTH
        } else {
            1.0
        };
        let strength = self.fold_strength.unwrap_or(default);
        if (0.0..=5.0).contains(&strength) {
            return Ok(strength);
        }
        let what = format!("--fold-strength: {strength} is not from 0 to 5");
        Err(Error::usage(what, "1, as the model has learnt, or 2"))
    }

    /// Steps of the corrector for a molecule of `tokens` heavy atoms.
    fn effort(&self, tokens: usize) -> Effort {
        let [fewest, most] = MOST;
        self.relax.map_or(
            Effort {
                least: LEAST,
                most: tokens.clamp(fewest, most),
            },
            Effort::exactly,
        )
    }

    /// The stepper and what the user is to know of it; without its corrector where the force field
    /// does not know the molecule.
    ///
    /// # Errors
    /// Those of [`Tokens::new`], [`Jump::with_lag_time`] and [`Jumps::sampler`].
    pub(super) fn stepper<E: Engine + 'static>(
        &self,
        parts: Parts<'_, E>,
    ) -> Result<(Box<dyn Stepper>, Vec<String>)> {
        let Structure {
            topology, frame, ..
        } = parts.structure;
        let (seed, first_replica) = (parts.seed, parts.first_replica);
        let tokens = Tokens::new(topology, parts.geometry)?;
        let effort = self.effort(tokens.len());
        let system = (effort.most > 0)
            .then(|| System::build(topology))
            .transpose();
        let corrected = matches!(system, Ok(Some(_)));
        let usual = familiar::usual(&parts.header.provenance, topology.residues.len());
        let mut jump = Jump::new(
            parts.network,
            parts.task,
            tokens,
            Hydrogens::new(topology, &frame.positions),
            self.sampler(corrected, usual)?,
            seed,
            first_replica,
        );
        let mut words = Vec::new();
        if self.fold.is_kept(jump.tokens()) {
            jump = jump
                .with_fold(&frame.positions)
                .with_strength(self.strength(corrected, topology.residues.len())?);
        }
        match self.fold {
            _ if !jump.keeps_fold() => {}
            Fold::Follow(memory) => {
                jump = jump.with_memory(memory);
                words.push(format!(
                    "its fold follows the mean of its own last {memory} ps (--fold)"
                ));
            }
            _ => words
                .push("it keeps to the fold of its input; --fold free lets go of it".to_owned()),
        }
        if let Some(lag) = self.lag.or(usual.map(|usual| usual.lag)) {
            jump = jump.with_lag_time(lag)?;
        }
        let system = match system {
            Ok(Some(system)) => system,
            Ok(None) => return Ok((Box::new(jump), words)),
            Err(error) => {
                words.push(format!("warning: jumps are not corrected: {error}"));
                return Ok((Box::new(jump), words));
            }
        };
        let relaxation = Relaxation {
            effort,
            temperature: (parts.header.provenance.temperature).unwrap_or(ROOM_TEMPERATURE),
            seed,
            first_replica,
        };
        if effort.is_free() {
            words.push(format!(
                "the corrector ends where a frame has settled, after {effort} steps (--relax)"
            ));
        }
        let cutoff = self.cutoff.of(topology.len());
        if let Some(cutoff) = cutoff {
            words.push(format!(
                "the corrector leaves out pairs beyond {cutoff} Å (--cutoff)"
            ));
        }
        let field = ForceField::with_cutoff(system, Precision::F32, cutoff);
        let relaxed = Relaxed::new(jump, topology, field, relaxation);
        #[cfg(feature = "gpu")]
        let relaxed = match &parts.device {
            Some(device) => relaxed.on_device(device),
            None => relaxed,
        };
        Ok((Box::new(relaxed), words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corrector_takes_a_step_a_heavy_atom_at_most_within_bounds_unless_told() {
        let default = Jumps::default();
        assert_eq!(
            [32, 154, 602].map(|tokens| default.effort(tokens)),
            [100, 154, 400].map(|most| Effort { least: 50, most })
        );
        let bare = Jumps {
            relax: Some(0),
            ..Jumps::default()
        };
        assert_eq!(bare.effort(602), Effort::exactly(0));
        // a bare network is not sampled as one that is corrected
        assert_ne!(
            bare.sampler(false, None).unwrap(),
            default.sampler(true, None).unwrap()
        );
    }

    #[test]
    fn large_proteins_have_a_cutoff_unless_told() {
        assert_eq!(
            [1999, 2000].map(|atoms| Cutoff::Auto.of(atoms)),
            [None, Some(CUTOFF)]
        );
        assert_eq!(Cutoff::Off.of(9000), None);
        assert_eq!(Cutoff::At(9.5).of(10), Some(9.5));
    }

    #[test]
    fn noise_levels_that_cannot_be_are_refused() {
        for (jumps, flag) in [
            (
                Jumps {
                    lowest: 0.0,
                    ..Jumps::default()
                },
                "--lowest",
            ),
            (
                Jumps {
                    stir: Some(f64::NAN),
                    ..Jumps::default()
                },
                "--stir",
            ),
        ] {
            let error = jumps.sampler(true, None).unwrap_err();
            assert!(error.exit_code() == 2 && error.to_string().contains(flag));
        }
    }

    #[test]
    fn a_protein_that_is_corrected_keeps_to_its_fold_more_strongly() {
        let default = Jumps::default();
        let found = [(true, 29), (true, 30), (false, 30)]
            .map(|(corrected, residues)| default.strength(corrected, residues).unwrap());
        assert_eq!(found, [1.0, 2.0, 1.0]);
        let told = |strength| Jumps {
            fold_strength: Some(strength),
            ..Jumps::default()
        };
        assert_eq!(told(0.5).strength(true, 30).unwrap(), 0.5);
        for wrong in [-1.0, 5.1, f64::NAN] {
            let error = told(wrong).strength(true, 30).unwrap_err();
            assert!(error.to_string().contains("--fold-strength"), "{error}");
        }
    }

    #[test]
    fn corrected_jumps_are_sampled_as_is_usual_for_the_molecule_unless_told() {
        let peptide = Usual {
            lag: 160.0,
            residues: [2, 9],
            method: Some("multistep".to_owned()),
            stir: Some(0.3),
        };
        let default = Jumps::default();
        let found = |jumps: &Jumps, corrected| {
            let sampler = jumps.sampler(corrected, Some(&peptide)).unwrap();
            (sampler.method, sampler.stir)
        };
        assert_eq!(found(&default, true), (Method::Multistep, 0.3));
        assert_eq!(found(&default, false), (Method::Heun, 0.0));
        let told = Jumps {
            method: Some(Method::Euler),
            stir: Some(0.1),
            ..Jumps::default()
        };
        assert_eq!(found(&told, true), (Method::Euler, 0.1));
        let unknown = Usual {
            method: Some("leapfrog".to_owned()),
            ..peptide
        };
        let error = default.sampler(true, Some(&unknown)).unwrap_err();
        assert!(error.to_string().contains("leapfrog"), "{error}");
    }
}
