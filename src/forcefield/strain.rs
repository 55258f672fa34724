//! Which residues are strained: the energy terms that a clash or a distorted bond raises, by
//! residue.

use std::path::Path;

use nalgebra::Vector3;
use serde::Serialize;

use super::bonded::Bonded;
use super::{Energies, System};
use crate::error::Place;
use crate::structure::Topology;
use crate::{Error, Result};

/// The strain of a residue, kJ/mol. Each term is shared equally by the atoms that it is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strain {
    /// `A:LYS 27`.
    pub residue: String,
    /// Bonds, angles and torsions.
    pub bonded: f64,
    /// Lennard-Jones, with the scaled pairs three bonds apart.
    pub lennard_jones: f64,
    /// Sum of both.
    pub total: f64,
}

/// Refuses an energy that is no number: atoms lie at one place.
///
/// # Errors
/// [`Error::Input`] naming the two atoms that are closest to each other.
pub fn require_finite(
    energies: &Energies,
    topology: &Topology,
    positions: &[Vector3<f64>],
    file: &Path,
) -> Result<()> {
    if energies.total.is_finite() {
        return Ok(());
    }
    let pairs = (0..positions.len())
        .flat_map(|i| (0..i).map(move |j| ((positions[i] - positions[j]).norm(), j, i)));
    let what =
        pairs
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(String::new(), |(distance, i, j)| {
                format!(
                    "; {} and {} are {distance:.4} Å apart",
                    topology.atom_label(i),
                    topology.atom_label(j)
                )
            });
    Err(Error::input(
        Place::file(file),
        format!("the energy is not finite{what}"),
        "remove one of the two atoms, or move it",
    ))
}

/// Strains of all residues at `positions`, Å, the largest first.
pub fn strains(topology: &Topology, system: &System, positions: &[Vector3<f64>]) -> Vec<Strain> {
    let bonded = Bonded::new(system).by_atom(positions);
    let lennard_jones = lennard_jones(system, positions);
    let strain = |(index, residue): (usize, &crate::structure::Residue)| {
        let sum = |shares: &[f64]| shares[residue.atoms.clone()].iter().sum::<f64>();
        let (bonded, lennard_jones) = (sum(&bonded), sum(&lennard_jones));
        Strain {
            residue: topology.residue_label(index),
            bonded,
            lennard_jones,
            total: bonded + lennard_jones,
        }
    };
    let mut strains: Vec<Strain> = topology.residues.iter().enumerate().map(strain).collect();
    strains.sort_by(|a, b| b.total.total_cmp(&a.total));
    strains
}

/// Half of the Lennard-Jones energy of every atom with all others, kJ/mol.
fn lennard_jones(system: &System, positions: &[Vector3<f64>]) -> Vec<f64> {
    let energy = |r2: f64, sigma: f64, epsilon: f64| {
        let u3 = (sigma * sigma / r2).powi(3);
        4.0 * epsilon * u3 * (u3 - 1.0)
    };
    let mut shares = vec![0.0; positions.len()];
    let mut excluded = system.exclusions.iter().copied().peekable();
    for i in 0..positions.len() {
        for j in i + 1..positions.len() {
            if excluded.next_if_eq(&[i, j]).is_some() {
                continue;
            }
            let sigma = 0.5 * (system.sigmas[i] + system.sigmas[j]);
            let epsilon = (system.epsilons[i] * system.epsilons[j]).sqrt();
            let half = 0.5 * energy((positions[i] - positions[j]).norm_squared(), sigma, epsilon);
            shares[i] += half;
            shares[j] += half;
        }
    }
    for pair in &system.exceptions {
        let [i, j] = pair.atoms;
        let half = 0.5
            * energy(
                (positions[i] - positions[j]).norm_squared(),
                pair.sigma,
                pair.epsilon,
            );
        shares[i] += half;
        shares[j] += half;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::super::testing::chain;
    use super::super::{ForceField, Precision};
    use super::*;
    use crate::structure::{Atom, Chain, Element, Residue};

    /// A topology of residues of ten atoms.
    fn topology(atoms: usize) -> Topology {
        let atom = |index: usize| Atom {
            name: "C".into(),
            element: Element::C,
            residue: index / 10,
            serial: index + 1,
            mass: 12.0,
        };
        let residue = |index: usize| Residue {
            name: "RES".into(),
            chain: 0,
            number: index as isize + 1,
            insertion: None,
            atoms: 10 * index..10 * (index + 1),
        };
        Topology {
            atoms: (0..atoms).map(atom).collect(),
            residues: (0..atoms / 10).map(residue).collect(),
            chains: vec![Chain {
                id: "A".into(),
                residues: 0..atoms / 10,
            }],
            bonds: Vec::new(),
        }
    }

    #[test]
    fn shares_add_up_to_the_energy_and_point_at_a_clash() {
        let (mut system, mut positions) = chain(60, 31);
        system.charges.fill(0.0);
        system
            .exceptions
            .iter_mut()
            .for_each(|pair| pair.charge_product = 0.0);
        positions[47] = positions[12] + Vector3::new(0.5, 0.3, 0.2);
        let strains = strains(&topology(60), &system, &positions);
        let mut forces = vec![Vector3::zeros(); 60];
        let energies =
            ForceField::new(system, Precision::F64).energy_forces(&positions, &mut forces);
        let sum = |part: fn(&Strain) -> f64| strains.iter().map(part).sum::<f64>();
        let bonded = energies.bond + energies.angle + energies.torsion;
        assert!((sum(|strain| strain.bonded) - bonded).abs() <= 1e-9 * bonded.abs());
        assert!(
            (sum(|strain| strain.lennard_jones) - energies.nonbonded).abs()
                <= 1e-9 * energies.nonbonded.abs()
        );
        let mut worst = [&strains[0].residue, &strains[1].residue];
        worst.sort();
        assert_eq!(worst, ["A:RES 2", "A:RES 5"]);
    }
}
