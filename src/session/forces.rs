//! The forces of a model of forces on a molecule, for whoever integrates them elsewhere.

use nalgebra::Vector3;

use super::{Backend, ModelSource, OnEngine};
use crate::engine::Engine;
use crate::forcefield::template_geometry_at;
use crate::network::Tokens;
use crate::simulate::{Force, Learned, carried_masses};
use crate::structure::{Frame, Structure};
use crate::task::Loaded;
use crate::{Error, Result};

/// A model of forces on a molecule: those that a run integrates. Its particles are the heavy atoms,
/// which carry their hydrogens: their masses and the forces on them.
pub struct Forces {
    force: Box<dyn Force>,
    atoms: Vec<usize>,
    masses: Vec<f64>,
    conservative: bool,
}

impl Forces {
    /// The forces of `model` on `structure`, on the engine that was asked for.
    ///
    /// # Errors
    /// Those of loading the model and of opening the engine; [`Error::Usage`] for a model of
    /// another task; those of [`Tokens::new`].
    pub fn open(structure: &Structure, model: &ModelSource, backend: Backend) -> Result<Self> {
        backend.run(Opening { structure, model })
    }

    /// The particles: indices of the heavy atoms, ascending.
    pub fn atoms(&self) -> &[usize] {
        &self.atoms
    }

    /// Their masses with those of the hydrogens that they carry, Da.
    pub fn masses(&self) -> &[f64] {
        &self.masses
    }

    /// Whether forces are the gradient of an energy.
    pub fn is_conservative(&self) -> bool {
        self.conservative
    }

    /// The energy, kJ/mol up to a constant of the molecule (none of forces that are no gradient),
    /// and the force on each particle, kJ/mol/Å, which sum to zero; `positions` are the particles',
    /// Å.
    ///
    /// # Errors
    /// [`Error::Usage`] for another number of positions; [`Error::Device`] where the engine fails.
    pub fn evaluate(
        &mut self,
        positions: Vec<Vector3<f64>>,
    ) -> Result<(Option<f64>, Vec<Vector3<f64>>)> {
        let (given, atoms) = (positions.len(), self.atoms.len());
        if given != atoms {
            return Err(Error::usage(
                format!("{given} positions of {atoms} heavy atoms"),
                "one position a heavy atom: hydrogens ride on them",
            ));
        }
        let mut forces = [Vec::new()];
        self.force
            .forces(&[Frame::at_rest(positions)], &mut forces)?;
        let energy = self.force.energies().map(|energies| energies[0]);
        let [forces] = forces;
        Ok((energy, forces))
    }
}

struct Opening<'a> {
    structure: &'a Structure,
    model: &'a ModelSource,
}

impl OnEngine for Opening<'_> {
    type Output = Forces;

    fn on<E: Engine + 'static>(self, engine: E, _device: Option<String>) -> Result<Forces> {
        let Structure {
            topology, frame, ..
        } = self.structure;
        let Loaded { network, task, .. } = self.model.load(engine)?;
        let task = task.force()?;
        let geometry = template_geometry_at(topology, &frame.positions)?;
        let tokens = Tokens::new(topology, &geometry)?;
        let masses = carried_masses(topology);
        Ok(Forces {
            atoms: tokens.atoms.clone(),
            masses: tokens.atoms.iter().map(|&atom| masses[atom]).collect(),
            conservative: task.is_conservative(),
            force: Box::new(Learned::new(network, task, tokens)),
        })
    }
}
