//! What bonds, angles and torsions add to the curvature of the energy: the preconditioner of
//! minimisation (Mones, Ortner, Csányi, Sci. Rep. 8, 13991 (2018)).
//!
//! Bonds are a thousand times as stiff as the soft modes of a protein, and a search that knows
//! nothing of that learns it again and again. A term of the internal coordinate q adds k ∇q ∇qᵀ,
//! which bends up only; what is not bonded adds the same small stiffness to every atom. Time and
//! memory grow as the number of atoms, and are small beside those of one evaluation of the forces.

use nalgebra::Vector3;

use super::bonded::Bonded;
use super::factor::Factor;
use super::{Angle, Bond, internal};

/// Stiffness of each atom against all that it is not bonded to, kJ/mol/Å². Of 20, 40 and 80 the
/// second needed the fewest steps (docs/physics.md).
const SURROUNDINGS: f64 = 40.0;
/// Stiffness of an atom that is fixed, kJ/mol/Å²: a thousand times that of a bond.
const FIXED: f64 = 3e6;

/// The curvature of one system's bonded terms at some positions.
#[derive(Debug, Clone)]
pub(super) struct Curvature {
    factor: Factor,
}

impl Curvature {
    /// That of so many atoms with these terms; without values until [`Curvature::update`].
    pub fn new(atoms: usize, terms: &Bonded) -> Self {
        let bonds = terms.bonds.iter().map(|bond| &bond.atoms[..]);
        let angles = terms.angles.iter().map(|angle| &angle.atoms[..]);
        let turns = terms.dihedrals.iter().map(|dihedral| &dihedral.atoms[..]);
        Curvature {
            factor: Factor::new(atoms, bonds.chain(angles).chain(turns)),
        }
    }

    /// Takes the curvature of the same terms at `positions`, Å, with some atoms `fixed` (empty:
    /// none).
    pub fn update(&mut self, terms: &Bonded, positions: &[Vector3<f64>], fixed: &[bool]) {
        let is_fixed = fixed.iter().copied().chain(std::iter::repeat(false));
        let floor = is_fixed.map(|fixed| if fixed { FIXED } else { SURROUNDINGS });
        self.factor.reset(floor);
        for &Bond { atoms, k, .. } in &terms.bonds {
            let (_, gradient) = internal::length(atoms, positions);
            self.factor.add(&atoms, &gradient, k);
        }
        for &Angle { atoms, k, .. } in &terms.angles {
            let (_, gradient) = internal::angle(atoms, positions);
            self.factor.add(&atoms, &gradient, k);
        }
        for dihedral in &terms.dihedrals {
            if let Some(turn) = internal::dihedral(dihedral.atoms, positions) {
                let k = dihedral.stiffness();
                self.factor.add(&dihedral.atoms, &turn.gradient, k);
            }
        }
        self.factor.factorise();
    }

    /// Curvature⁻¹ times `values`: of forces, kJ/mol/Å, the way to where they vanish, Å.
    pub fn solve(&self, values: &mut [Vector3<f64>]) {
        self.factor.solve(values);
    }
}
