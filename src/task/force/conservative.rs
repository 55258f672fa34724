//! The conservative form of the task `force`: one energy a system, and F = −∂E/∂x by the network's
//! own backward pass.
//!
//! What reaches x does so by the candidate, by the condition and, divided by 8 Å, by the vectors of
//! the first layer; all three are x less its mean, so that the gradient's mean is taken off too,
//! and forces sum to zero. Pairs are those of x and do not count as a function of it: where a
//! molecule has more tokens than `neighbours` + 1, the energy steps when the list of the nearest
//! changes.

use nalgebra::Vector3;

use super::Force;
use crate::Result;
use crate::engine::Engine;
use crate::network::{Activations, Gradients, Inputs, Network, PLACE};
use crate::structure::centroid;

/// Step of [`crate::task::Task::backward`] along the gradient of the forces, Å: the RMS over the
/// coordinates of a system. docs/physics.md has the errors that smaller (rounding) and larger steps
/// (truncation) have in f32.
pub const FORCE_STEP: f64 = 0.001;

impl Force {
    /// The energy of every system alone, kJ/mol up to a constant of the molecule; conservative
    /// forces are its negative gradient.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    ///
    /// # Panics
    /// Where the task is not of the conservative form.
    pub fn energies<E: Engine>(&self, network: &Network<E>, inputs: &Inputs) -> Result<Vec<f64>> {
        assert!(
            self.is_conservative(),
            "only a conservative form has an energy"
        );
        Ok(self.in_units(&network.answer(inputs)?))
    }

    /// Energies of the network's unit in kJ/mol.
    pub(super) fn in_units(&self, flat: &[f64]) -> Vec<f64> {
        let unit = self.answer_unit();
        flat.iter().map(|energy| energy * unit).collect()
    }

    /// The forces behind a forward run, kJ/mol/Å.
    pub(super) fn forces<E: Engine>(
        &self,
        network: &Network<E>,
        inputs: &Inputs,
        activations: &Activations<E>,
    ) -> Result<Vec<Vector3<f64>>> {
        let d_energies = vec![-self.answer_unit(); inputs.systems()];
        let gradients = network.backward(inputs, activations, &d_energies)?;
        let paths = gradients
            .candidate
            .iter()
            .zip(&gradients.condition)
            .zip(&gradients.place);
        let mut forces: Vec<Vector3<f64>> = paths
            .map(|((candidate, condition), place)| candidate + condition + place / PLACE)
            .collect();
        for system in 0..inputs.systems() {
            let own = &mut forces[inputs.batch.range(system)];
            let mean = centroid(own);
            own.iter_mut().for_each(|force| *force -= mean);
        }
        Ok(forces)
    }

    /// Gradients of a loss that knows conservative forces only, from its gradient `d` by them. With
    /// g = ∂E/∂x it is −∂(d·g) at fixed d, and
    ///
    /// ```text
    /// d·g = |d| (E(x + h u) − E(x − h u)) / 2h + O(h²)
    /// u = d/|d|, |d| the RMS over the coordinates of a system
    /// ```
    ///
    /// so that two passes forward and backward with opposite gradients on the energies do what
    /// would take second derivatives of every op.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    ///
    /// # Panics
    /// Where `d_forces` has not one vector a token.
    pub fn backward_of_forces<E: Engine>(
        &self,
        network: &Network<E>,
        inputs: &Inputs,
        d_forces: &[Vector3<f64>],
        step: f64,
    ) -> Result<Gradients> {
        assert_eq!(
            d_forces.len(),
            inputs.batch.tokens(),
            "one gradient a token"
        );
        let mut direction = d_forces.to_vec();
        let mut sizes = Vec::with_capacity(inputs.systems());
        for system in 0..inputs.systems() {
            let own = &mut direction[inputs.batch.range(system)];
            let size = (own.iter().map(|d| d.norm_squared()).sum::<f64>()
                / (3 * own.len()).max(1) as f64)
                .sqrt();
            own.iter_mut()
                .filter(|_| size > 0.0)
                .for_each(|d| *d /= size);
            sizes.push(size);
        }
        let side = |sign: f64| {
            let moved = inputs.displaced(&direction, sign * step);
            let activations = network.forward(&moved)?;
            let factor = -sign * self.answer_unit() / (2.0 * step);
            let d_energies: Vec<f64> = sizes.iter().map(|size| factor * size).collect();
            network.backward(&moved, &activations, &d_energies)
        };
        let (mut sum, other) = (side(1.0)?, side(-1.0)?);
        sum.params
            .iter_mut()
            .zip(other.params)
            .for_each(|(a, b)| *a += b);
        for (a, b) in [
            (&mut sum.candidate, other.candidate),
            (&mut sum.condition, other.condition),
            (&mut sum.place, other.place),
        ] {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
        Ok(sum)
    }
}
