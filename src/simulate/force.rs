//! Where the forces of dynamics come from: the physical force field, a model, or a test's own.

use nalgebra::Vector3;
use rayon::prelude::*;

use crate::Result;
use crate::forcefield::ForceField;
use crate::structure::Frame;

/// A force on the atoms of a molecule.
pub trait Force: Send {
    /// Overwrites `forces[r]`, kJ/mol/Å, with the force on replica `r`, which depends on its
    /// positions only. Both are one a replica.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    fn forces(&mut self, replicas: &[Frame], forces: &mut [Vec<Vector3<f64>>]) -> Result<()>;
    /// The potential energies, kJ/mol, of the replicas that [`Force::forces`] was last asked for,
    /// where the force is that of a model's own energy: the physical force field is asked for by
    /// the energy monitor.
    fn energies(&self) -> Option<&[f64]> {
        None
    }
    /// A few words for the log: what makes the force.
    fn describe(&self) -> String;
}

/// The physical force field, replicas in parallel.
pub struct Physical {
    fields: Vec<ForceField>,
    potentials: Vec<f64>,
}

impl Physical {
    /// Forces of this force field.
    pub fn new(field: ForceField) -> Self {
        Physical {
            fields: vec![field],
            potentials: Vec::new(),
        }
    }

    /// The potential energies, kJ/mol, of the replicas that it was last asked for.
    pub fn potentials(&self) -> &[f64] {
        &self.potentials
    }
}

impl Force for Physical {
    fn forces(&mut self, replicas: &[Frame], forces: &mut [Vec<Vector3<f64>>]) -> Result<()> {
        if self.fields.len() < replicas.len() {
            self.fields.resize(replicas.len(), self.fields[0].clone());
        }
        self.potentials.resize(replicas.len(), f64::NAN);
        type Work<'a> = (
            ((&'a mut ForceField, &'a Frame), &'a mut Vec<Vector3<f64>>),
            &'a mut f64,
        );
        let evaluate = |(((field, frame), forces), potential): Work<'_>| {
            *potential = field.energy_forces(&frame.positions, forces).total;
        };
        if replicas.len() == 1 || rayon::current_num_threads() == 1 {
            // without the thread pool, which costs a small molecule more than its forces
            self.fields
                .iter_mut()
                .zip(replicas)
                .zip(forces)
                .zip(&mut self.potentials)
                .for_each(evaluate);
        } else {
            self.fields
                .par_iter_mut()
                .zip(replicas)
                .zip(forces)
                .zip(&mut self.potentials)
                .for_each(evaluate);
        }
        Ok(())
    }

    fn describe(&self) -> String {
        "ff14SB with OBC2 implicit water".to_owned()
    }
}
