//! A protein ready for the force field: the flags and the way from a file for every command that
//! needs one.

use std::path::{Path, PathBuf};

use super::selection::Selection;
use crate::Result;
use crate::forcefield::{
    ForceField, Histidine, Plan, Precision, PrepareOptions, Prepared, SHORTEST_CUTOFF, System,
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
    /// What [`Completion::examine`] refuses.
    pub fn load(&self, file: &Path) -> Result<Complete> {
        let mut structure = self.read(file)?;
        let plan = self.examine(&mut structure)?;
        let prepared = plan.place(&structure.frame)?;
        Ok(Complete::new(structure, prepared))
    }

    /// Reads a file for a run. Where its atoms are wanted `as_is`, it is not completed; what would
    /// have refused that is a note.
    ///
    /// # Errors
    /// Those of [`Completion::load`], but where the atoms are wanted `as_is` those of reading alone.
    pub fn load_as_far_as_known(&self, file: &Path, as_is: bool) -> Result<Complete> {
        if !as_is {
            return self.load(file);
        }
        let mut structure = self.read(file)?;
        structure.require_complete(self.fix)?;
        let (plan, notes) = match self.examine(&mut structure) {
            Ok(plan) => (Some(plan), Vec::new()),
            Err(error) => (None, vec![format!("hydrogens are not added: {error}")]),
        };
        match plan.filter(|plan| plan.topology.len() == structure.topology.len()) {
            Some(plan) => {
                let prepared = plan.place(&structure.frame)?;
                Ok(Complete::new(structure, prepared))
            }
            None => Ok(Complete { structure, notes }),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What [`read`] refuses.
    pub fn read(&self, file: &Path) -> Result<Structure> {
        read(file, &self.selection.clone().into())
    }

    /// Whether the force field can take a structure, and what it lacks: what every command asks
    /// that completes one, `check` too. Changes of charge are added to the report's warnings.
    ///
    /// # Errors
    /// What [`Structure::require_complete`] and [`Plan::of`] refuse.
    pub fn examine(&self, structure: &mut Structure) -> Result<Plan> {
        structure.require_complete(self.fix)?;
        let options = PrepareOptions {
            fix: self.fix,
            his: self.his,
        };
        let plan = Plan::of(&structure.topology, &structure.frame, &options)?;
        structure.report.warnings.extend(plan.warnings.clone());
        Ok(plan)
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
            warnings: _, // in the report already
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

    /// Says what was left out, warnings and notes on stderr.
    pub fn say(&self) {
        let report = &self.structure.report;
        report
            .left_out_line()
            .iter()
            .for_each(|line| eprintln!("{line}"));
        report
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
