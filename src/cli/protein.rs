//! A protein ready for the force field: the flags and the way from a file for every command that
//! needs one.

use std::path::PathBuf;

use super::console::eprintln;
use super::selection::Selection;
use crate::forcefield::{ForceField, Histidine, Precision, SHORTEST_CUTOFF, System};
use crate::session::{self, Complete};
use crate::{Error, Result};

/// A structure file and how to complete it.
#[derive(Debug, Clone, clap::Args)]
pub struct Protein {
    /// Protein structure: PDB or mmCIF, plain or gzipped
    pub file: PathBuf,
    /// What to read and build
    #[command(flatten)]
    pub completion: Completion,
}

/// Which part of a structure file to read, and how to complete it.
#[derive(Debug, Clone, clap::Args)]
pub struct Completion {
    /// Part of the file to read
    #[command(flatten)]
    pub selection: Selection,
    /// Build missing side chains and carbonyl oxygens from templates; leave out residues at ends of
    /// chains and breaks that lack N, CA or C
    #[arg(long)]
    pub fix: bool,
    /// Form of histidines whose hydrogens say nothing
    #[arg(long, value_enum, default_value = "hie")]
    pub his: Histidine,
}

/// How the force field is evaluated.
#[derive(Debug, Clone, clap::Args)]
pub struct Field {
    /// Precision of the pair terms
    #[arg(long, value_enum, default_value = "f32")]
    pub precision: Precision,
    /// Leave out pairs beyond this distance; for large proteins, about 20A (see the manual for its
    /// error) [default: none]
    #[arg(long, value_name = "LENGTH", value_parser = cutoff)]
    pub cutoff: Option<f64>,
}

/// A cutoff that the force field takes, Å.
pub(super) fn cutoff(text: &str) -> Result<f64> {
    let cutoff = super::length(text)?;
    if cutoff >= SHORTEST_CUTOFF {
        Ok(cutoff)
    } else {
        Err(Error::usage(
            format!("{cutoff} Å is too short: {SHORTEST_CUTOFF} Å at least"),
            "20A, or leave it out: then there is none",
        ))
    }
}

impl Protein {
    /// Reads the file and completes what it lacks.
    ///
    /// # Errors
    /// Those of [`session::Completion::load`].
    pub fn load(&self) -> Result<Complete> {
        session::Completion::from(&self.completion).load(&self.file)
    }
}

impl From<&Completion> for session::Completion {
    fn from(typed: &Completion) -> Self {
        session::Completion {
            read: typed.selection.clone().into(),
            fix: typed.fix,
            his: typed.his,
        }
    }
}

/// Says what was left out, warnings and notes on stderr.
pub fn say(complete: &Complete) {
    let lines = complete.structure.report.lines();
    lines.iter().for_each(|line| eprintln!("{line}"));
    complete.notes.iter().for_each(|note| eprintln!("{note}"));
}

impl Field {
    /// The force field of a system.
    pub fn of(&self, system: System) -> ForceField {
        ForceField::with_cutoff(system, self.precision, self.cutoff)
    }
}
