//! A protein as a file holds it, and what of a file is wanted.

use super::{Frame, Report, Topology};
use crate::error::Place;
use crate::{Error, Result};

/// What of a file to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Number of the model as the file has it; by default the first.
    pub model_number: Option<usize>,
    /// Chain identifiers (author's in mmCIF; `_` for a blank one); by default all.
    pub chains: Option<Vec<String>>,
    /// Alternative location, where a residue has it; by default that of highest occupancy, the
    /// first of equals.
    pub altloc: Option<char>,
    /// For frames that are only looked at: what no force field here has inside a chain (residues
    /// without template, bonds between side chains) is left out with a word instead of refused.
    pub lenient: bool,
    /// Whether residues at ends of chains, and at breaks, that lack N, CA or C, or that stand alone
    /// between breaks, are left out (with a warning).
    pub fix: bool,
}

/// A protein as a file holds it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Structure {
    /// Atoms, residues, chains, bonds. Names are those of the [templates](super::residues),
    /// whatever the file calls them.
    pub topology: Topology,
    /// Positions at step 0, and the cell where the file has one.
    pub frame: Frame,
    /// What was found, left out and put right.
    pub report: Report,
}

impl Structure {
    /// Refuses what cannot be simulated: a bond through a ring, or missing heavy atoms; with `fix`,
    /// missing side chains and carbonyl oxygens are accepted, as they are built later.
    ///
    /// # Errors
    /// [`Error::Input`] naming the bond and the ring, or the first incomplete residue, its missing
    /// atoms and how many more there are.
    pub fn require_complete(&self, fix: bool) -> Result<()> {
        if let Some(pierced) = self.report.pierced.first() {
            return Err(Error::input(
                Place::file(&self.report.file),
                pierced.clone(),
                "rebuild the side chain: delete its atoms beyond CB and give --fix",
            ));
        }
        let missing = &self.report.missing;
        let Some(first) = missing
            .iter()
            .find(|residue| residue.backbone)
            .or(missing.first().filter(|_| !fix))
        else {
            return Ok(());
        };
        let more = match missing.len() - 1 {
            0 => String::new(),
            more => format!("; {more} more incomplete"),
        };
        let what = format!("misses {}{more}", first.atoms.join(", "));
        let backbones = missing.iter().filter(|residue| residue.backbone).count();
        let hint = if 2 * backbones > self.report.residues {
            "most residues lack their backbone (a trace of CA, or beads): \
             rebuild all atoms with a modelling program first"
        } else if first.backbone && fix {
            "backbone atoms cannot be built: complete the residue, \
             or leave the chain out with --chains"
        } else if first.backbone {
            "--fix: it leaves out residues at ends of chains that lack N, CA or C, \
             and builds side chains"
        } else {
            "--fix to build missing side chains from templates"
        };
        Err(Error::input(
            Place::atom(&first.residue).in_file(&self.report.file),
            what,
            hint,
        ))
    }
}
