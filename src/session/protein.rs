//! A protein ready to be simulated: which part of a file is read, and what is built onto it.

use std::path::Path;

use crate::Result;
use crate::forcefield::{Histidine, Plan, PrepareOptions, Prepared};
use crate::structure::{ReadOptions, Structure, read};

/// Which part of a structure file to read, and how to complete it.
#[derive(Debug, Clone, Default)]
pub struct Completion {
    /// Part of the file to read.
    pub read: ReadOptions,
    /// Whether missing heavy atoms of side chains, and O, are built from templates, and residues
    /// at ends of chains without their backbone left out.
    pub fix: bool,
    /// Form of histidines whose hydrogens say nothing.
    pub his: Histidine,
}

/// A protein with all its atoms.
pub struct Complete {
    /// All atoms and their positions; the report is that of the file.
    pub structure: Structure,
    /// What was added and decided, one line each.
    pub notes: Vec<String>,
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
    /// Those of [`Completion::load`], but where the atoms are wanted `as_is` those of reading
    /// alone.
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
        let options = ReadOptions {
            fix: self.fix,
            ..self.read.clone()
        };
        read(file, &options)
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
        let plan = Plan::of(&structure.topology, &structure.frame, &options)
            .map_err(|error| error.in_file(&structure.report.file))?;
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
}
