//! A protein ready for the force field: the flags and the way from a file for every command that
//! needs one.

use std::path::{Path, PathBuf};

use super::selection::Selection;
use crate::Result;
use crate::forcefield::{
    ForceField, Histidine, Precision, PrepareOptions, Prepared, SHORTEST_CUTOFF, System, prepare,
};
use crate::structure::{Structure, read};

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
    /// Leave out pairs beyond this distance; for large proteins, about 20A (see the manual for its
    /// error) [default: none]
    #[arg(long, value_name = "LENGTH", value_parser = cutoff)]
    pub cutoff: Option<f64>,
}

fn cutoff(text: &str) -> std::result::Result<f64, String> {
    let cutoff = super::length(text)?;
    if cutoff >= SHORTEST_CUTOFF {
        Ok(cutoff)
    } else {
        Err(format!(
            "{cutoff} Å is too short: {SHORTEST_CUTOFF} Å at least"
        ))
    }
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
    /// Those of [`Completion::load`].
    pub fn load(&self) -> Result<Complete> {
        self.completion.load(&self.file)
    }
}

impl Completion {
    /// Reads a file and completes what it lacks.
    ///
    /// # Errors
    /// What [`read`] and [`prepare`] refuse.
    pub fn load(&self, file: &Path) -> Result<Complete> {
        let structure = self.read(file)?;
        let prepared = self.prepare(&structure)?;
        Ok(Complete::new(structure, prepared))
    }

    /// Reads a file for a run that needs heavy atoms only. It is completed where that can be done,
    /// so that its energy is known; where it cannot, or where the input's atoms are wanted `as_is`,
    /// it stays as it was read, and a note says why.
    ///
    /// # Errors
    /// What [`read`] refuses, and what [`prepare`] says of missing side chains that it cannot
    /// build.
    pub fn load_as_far_as_known(&self, file: &Path, as_is: bool) -> Result<Complete> {
        let structure = self.read(file)?;
        match self.prepare(&structure) {
            Ok(prepared) if !as_is || prepared.topology.len() == structure.topology.len() => {
                Ok(Complete::new(structure, prepared))
            }
            Err(error) if !structure.report.missing.is_empty() => Err(error),
            Ok(_) => Ok(Complete {
                structure,
                notes: Vec::new(),
            }),
            Err(error) => Ok(Complete {
                structure,
                notes: vec![format!("hydrogens are not added: {error}")],
            }),
        }
    }

    fn read(&self, file: &Path) -> Result<Structure> {
        let structure = read(file, &self.selection.clone().into())?;
        structure.require_complete(self.fix)?;
        Ok(structure)
    }

    fn prepare(&self, structure: &Structure) -> Result<Prepared> {
        prepare(
            &structure.topology,
            &structure.frame,
            &PrepareOptions {
                fix: self.fix,
                his: self.his,
            },
        )
    }
}

impl Complete {
    fn new(structure: Structure, prepared: Prepared) -> Self {
        let Prepared {
            topology,
            frame,
            hydrogens,
            built,
            mut notes,
        } = prepared;
        if hydrogens > 0 {
            notes.push(format!("{hydrogens} hydrogens added"));
        }
        if !built.is_empty() {
            notes.push(format!("built: {}", built.join(", ")));
        }
        Complete {
            structure: Structure {
                topology,
                frame,
                report: structure.report,
            },
            notes,
        }
    }

    /// Says warnings and notes on stderr.
    pub fn say(&self) {
        self.structure
            .report
            .warnings
            .iter()
            .for_each(|warning| eprintln!("warning: {warning}"));
        self.notes.iter().for_each(|note| eprintln!("{note}"));
    }
}

impl Field {
    /// The force field of a system.
    pub fn of(&self, system: System) -> ForceField {
        ForceField::with_cutoff(system, self.precision, self.cutoff)
    }
}
