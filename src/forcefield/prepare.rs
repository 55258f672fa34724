//! From a structure as files have it to a complete one: charge states, termini, hydrogens, missing
//! side chains.

use nalgebra::Vector3;

use super::forms::Links;
use super::place::Placer;
use super::plan::{Plan, PrepareOptions};
use super::rotamers::Rotamers;
use super::{ForceField, Minimizer, Precision, System};
use crate::error::Place;
use crate::structure::{Element, Frame, Rings, Topology};
use crate::{Error, Result};

/// Root-mean-square force at which added atoms are relaxed enough, kJ/mol/Å: what is left moves
/// them by less than 0.01 Å.
const RELAXED: f64 = 2.0;
/// Cutoff of that relaxation, Å.
const RELAXATION_CUTOFF: f64 = 10.0;
/// Most steps of that relaxation.
const RELAXATION_STEPS: usize = 100;

/// A structure with all atoms of ff14SB's forms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prepared {
    /// All atoms with their bonds. Residues that lacked atoms have them in template order, and then
    /// all serial numbers are new, from 1.
    pub topology: Topology,
    /// Positions of all atoms. Those that the input had are unmoved; velocities are kept only where
    /// nothing was added.
    pub frame: Frame,
    /// Number of hydrogens added.
    pub hydrogens: usize,
    /// Heavy atoms added, as `A:LYS 27:CG`.
    pub built: Vec<String>,
    /// What was decided that the input does not say, one line each.
    pub notes: Vec<String>,
    /// Charge states that the input has and that were changed, one line a residue.
    pub warnings: Vec<String>,
}

/// Completes a structure: picks each residue's form at pH 7, adds hydrogens and terminal oxygens,
/// and with [`PrepareOptions::fix`] builds missing atoms of side chains, caps and carbonyls; then
/// relaxes what was added with everything else fixed.
///
/// Hydrogens that are there decide charge states (HD2 on aspartate: ASH; HD1 and HE2 on histidine:
/// HIP); a disulfide makes CYX; ends of chains, breaks too, are charged unless capped. A structure
/// with all its atoms is returned unmoved.
///
/// # Errors
/// [`Error::Input`] naming chain, residue and atoms: a heavy atom is missing (with what would be
/// built) or too many, or ff14SB has no such form at that place in a chain.
pub fn prepare(topology: &Topology, frame: &Frame, options: &PrepareOptions) -> Result<Prepared> {
    Plan::of(topology, frame, options)?.place(frame)
}

impl Plan {
    /// Places and relaxes the atoms that are missing.
    ///
    /// # Errors
    /// [`Error::Input`] naming an atom that cannot be placed, or a built side chain that runs
    /// through a ring.
    pub fn place(self, frame: &Frame) -> Result<Prepared> {
        let mut prepared = Prepared {
            hydrogens: self.hydrogens,
            built: self.built,
            notes: self.notes,
            warnings: self.warnings,
            ..Prepared::default()
        };
        let complete = self.topology;
        if self.known.iter().all(Option::is_some) {
            (prepared.topology, prepared.frame) = (complete, frame.clone());
            return Ok(prepared);
        }
        let fixed = self.known.iter().map(Option::is_some).collect();
        let links = Links::of(&complete);
        let placer = Placer::new(&complete, &links, &self.forms, self.known);
        let mut positions = all_positions(placer)?;
        relax(&complete, &mut positions, fixed)?;
        if !prepared.built.is_empty()
            && let Some(pierced) = Rings::of(&complete).pierced(&positions).first()
        {
            return Err(Error::input(
                Place::atom(complete.atom_label(pierced.bond[0])),
                format!("as it was built, {}", pierced.describe(&complete)),
                "build this side chain with a modelling program first",
            ));
        }
        prepared.frame = Frame {
            positions,
            velocities: None,
            ..frame.clone()
        };
        prepared.topology = complete;
        Ok(prepared)
    }
}

/// Positions of all atoms, Å: heavy atoms first, residue by residue, side chains in the rotamer
/// with most room; then hydrogens.
fn all_positions(mut placer: Placer<'_>) -> Result<Vec<Vector3<f64>>> {
    for residue in 0..placer.topology.residues.len() {
        let built = placer.place_all(residue, |element| element != Element::H)?;
        if !built.is_empty() {
            Rotamers::new(&placer, &built).choose(&mut placer.known);
        }
    }
    for residue in 0..placer.topology.residues.len() {
        placer.place_all(residue, |element| element == Element::H)?;
    }
    Ok(placer.known.into_iter().flatten().collect())
}

/// Relaxes the atoms that are not `fixed`. What is far away has no say in it, so pairs are cut off.
fn relax(topology: &Topology, positions: &mut [Vector3<f64>], fixed: Vec<bool>) -> Result<()> {
    let mut field = ForceField::with_cutoff(
        System::build(topology)?,
        Precision::F32,
        Some(RELAXATION_CUTOFF),
    );
    Minimizer {
        tolerance: RELAXED,
        steps: RELAXATION_STEPS,
        fixed,
        ..Minimizer::default()
    }
    .run(&mut field, positions);
    Ok(())
}

#[cfg(test)]
mod tests;
