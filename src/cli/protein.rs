//! A protein ready for the force field: the flags and the way from a file for every command that needs one.

use std::path::PathBuf;

use super::selection::Selection;
use crate::Result;
use crate::forcefield::{ForceField, Histidine, Precision, PrepareOptions, Prepared, SHORTEST_CUTOFF, System, prepare};
use crate::structure::{Structure, read};

/// A structure file and how to complete it.
#[derive(Debug, Clone, clap::Args)]
pub struct Protein {
    /// Protein structure: PDB or mmCIF, plain or gzipped
    pub file: PathBuf,
    /// Part of the file to read
    #[command(flatten)]
    pub selection: Selection,
    /// Build missing heavy atoms of side chains from templates
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
    /// Leave out pairs beyond this distance; for large proteins, about 20A (see the manual for its error) [default: none]
    #[arg(long, value_name = "LENGTH", value_parser = cutoff)]
    pub cutoff: Option<f64>,
}

fn cutoff(text: &str) -> std::result::Result<f64, String> {
    let cutoff = super::length(text)?;
    if cutoff >= SHORTEST_CUTOFF { Ok(cutoff) } else { Err(format!("{cutoff} Å is too short: {SHORTEST_CUTOFF} Å at least")) }
}

/// A protein with all its atoms.
pub struct Complete {
    /// All atoms and their positions; the report is that of the file.
    pub structure: Structure,
    /// What was added and decided, one line each.
    pub notes: Vec<String>,
}

impl Protein {
    /// Reads the file and completes what it lacks.
    ///
    /// # Errors
    /// What [`read`] and [`prepare`] refuse.
    pub fn load(&self) -> Result<Complete> {
        let structure = read(&self.file, &self.selection.clone().into())?;
        structure.require_complete(self.fix)?;
        let options = PrepareOptions { fix: self.fix, his: self.his };
        let Prepared { topology, frame, hydrogens, built, mut notes } = prepare(&structure.topology, &structure.frame, &options)?;
        if hydrogens > 0 {
            notes.push(format!("{hydrogens} hydrogens added"));
        }
        if !built.is_empty() {
            notes.push(format!("built: {}", built.join(", ")));
        }
        Ok(Complete { structure: Structure { topology, frame, report: structure.report }, notes })
    }
}

impl Complete {
    /// Says warnings and notes on stderr.
    pub fn say(&self) {
        self.structure.report.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        self.notes.iter().for_each(|note| eprintln!("{note}"));
    }
}

impl Field {
    /// The force field of a system.
    pub fn of(&self, system: System) -> ForceField {
        ForceField::with_cutoff(system, self.precision, self.cutoff)
    }
}
