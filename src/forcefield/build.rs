//! From a topology with all its hydrogens to the typed terms of ff14SB + OBC2.

use std::collections::HashMap;

use super::forms::{Links, exact, misfit};
use super::parameters::{FourTypes, Parameters, Term, parameters};
use super::system::{Angle, Bond, Exception, SCALE_COULOMB_14, SCALE_LJ_14, System, Torsion};
use crate::error::Place;
use crate::structure::Topology;
use crate::{Error, Result};

impl System {
    /// All terms of ff14SB + OBC2 for a topology with all its hydrogens.
    ///
    /// Charge states, termini and disulfides are read from the atoms and bonds that are there, not
    /// from residue names.
    ///
    /// # Errors
    /// [`Error::Input`] naming the residue that is no complete form of ff14SB, or the atoms without
    /// a parameter.
    pub fn build(topology: &Topology) -> Result<System> {
        let builder = Builder::new(topology)?;
        let mut system = System::default();
        builder.atoms(&mut system)?;
        builder.bonds(&mut system)?;
        builder.angles(&mut system)?;
        builder.propers(&mut system);
        builder.impropers(&mut system);
        builder.exceptions(&mut system);
        Ok(system)
    }
}

/// The order of the atoms in an improper torsion, as places in (centre, neighbours ascending), and
/// its Fourier terms.
type Improper = ([usize; 4], &'static [Term]);

struct Builder<'a> {
    topology: &'a Topology,
    parameters: &'static Parameters,
    neighbours: Vec<Vec<usize>>,
    /// Type and charge of every atom.
    typed: Vec<(&'static str, f64)>,
    /// Residue and place in its template of every atom: the order of Amber's rules for impropers.
    order: Vec<(usize, usize)>,
}

impl<'a> Builder<'a> {
    fn new(topology: &'a Topology) -> Result<Self> {
        let parameters = parameters();
        let links = Links::of(topology);
        let (mut typed, mut order) = (
            Vec::with_capacity(topology.len()),
            Vec::with_capacity(topology.len()),
        );
        for (index, residue) in topology.residues.iter().enumerate() {
            let form = exact(topology, &links, index)
                .ok_or_else(|| misfit(topology, &links, index, "HIE"))?;
            let known = &parameters.residues[form.name.as_str()].atoms;
            for atom in &topology.atoms[residue.atoms.clone()] {
                let entry = &known[atom.name.as_str()];
                let place = form.atoms.iter().position(|(name, _)| *name == atom.name);
                typed.push((entry.kind, entry.charge));
                order.push((index, place.unwrap_or(usize::MAX)));
            }
        }
        Ok(Builder {
            topology,
            parameters,
            neighbours: topology.neighbours(),
            typed,
            order,
        })
    }

    fn kinds<const N: usize>(&self, atoms: [usize; N]) -> [&'static str; N] {
        atoms.map(|atom| self.typed[atom].0)
    }

    fn missing(&self, term: &str, atoms: &[usize]) -> Error {
        let labels: Vec<_> = atoms
            .iter()
            .map(|&atom| self.topology.atom_label(atom))
            .collect();
        let kinds: Vec<_> = atoms.iter().map(|&atom| self.typed[atom].0).collect();
        let what = format!("ff14SB has no {term} of the types {}", kinds.join("–"));
        Error::input(
            Place::atom(labels.join(", ")),
            what,
            "check that these atoms are rightly bonded",
        )
    }

    fn atoms(&self, system: &mut System) -> Result<()> {
        for (index, atom) in self.topology.atoms.iter().enumerate() {
            let (kind, charge) = self.typed[index];
            let entry = self.parameters.types[kind];
            let partner = self.neighbours[index]
                .first()
                .map(|&other| self.topology.atoms[other].element);
            let missing = || self.missing("Born radius", &[index]);
            system.masses.push(entry.mass);
            system.charges.push(charge);
            system.sigmas.push(entry.sigma);
            system.epsilons.push(entry.epsilon);
            system.radii.push(
                self.parameters
                    .radius(atom.element, partner)
                    .ok_or_else(missing)?,
            );
            system
                .screens
                .push(self.parameters.screen(atom.element).ok_or_else(missing)?);
        }
        Ok(())
    }

    fn bonds(&self, system: &mut System) -> Result<()> {
        for &atoms in &self.topology.bonds {
            let (length, k) = self
                .parameters
                .bond(self.kinds(atoms))
                .ok_or_else(|| self.missing("bond", &atoms))?;
            system.bonds.push(Bond { atoms, length, k });
        }
        Ok(())
    }

    fn angles(&self, system: &mut System) -> Result<()> {
        for (middle, list) in self.neighbours.iter().enumerate() {
            for (at, &first) in list.iter().enumerate() {
                for &last in &list[at + 1..] {
                    let atoms = [first, middle, last];
                    let (angle, k) = self
                        .parameters
                        .angle(self.kinds(atoms))
                        .ok_or_else(|| self.missing("angle", &atoms))?;
                    system.angles.push(Angle { atoms, angle, k });
                }
            }
        }
        Ok(())
    }

    fn propers(&self, system: &mut System) {
        for &[b, c] in &self.topology.bonds {
            for &a in self.neighbours[b].iter().filter(|&&a| a != c) {
                for &d in self.neighbours[c].iter().filter(|&&d| d != b && d != a) {
                    let atoms = [a, b, c, d];
                    push_terms(
                        system,
                        atoms,
                        self.parameters.proper(self.kinds(atoms)),
                        false,
                    );
                }
            }
        }
    }

    /// Improper torsions by OpenMM's reading of Amber's rules.
    ///
    /// OpenMM applies its choice for the first centre of four given types to all later ones, and so
    /// do we: energies then agree wherever file order and template order differ.
    fn impropers(&self, system: &mut System) {
        let mut chosen: HashMap<FourTypes, Option<Improper>> = HashMap::new();
        for (centre, list) in self.neighbours.iter().enumerate() {
            for (at, &first) in list.iter().enumerate() {
                for (next, &second) in list.iter().enumerate().skip(at + 1) {
                    for &third in &list[next + 1..] {
                        let atoms = [centre, first, second, third];
                        let choice = chosen
                            .entry(self.kinds(atoms))
                            .or_insert_with(|| self.improper(atoms));
                        if let Some((places, terms)) = choice {
                            push_terms(system, places.map(|place| atoms[place]), terms, true);
                        }
                    }
                }
            }
        }
    }

    /// The improper torsion of a centre (first of `atoms`) and three of its neighbours: places in
    /// `atoms` in the torsion's order, and its terms. The last definition without a wildcard that
    /// fits is taken, else the first with one.
    fn improper(&self, atoms: [usize; 4]) -> Option<Improper> {
        const ORDERS: [[usize; 3]; 6] = [
            [1, 2, 3],
            [1, 3, 2],
            [2, 1, 3],
            [2, 3, 1],
            [3, 1, 2],
            [3, 2, 1],
        ];
        let kinds = self.kinds(atoms);
        let mut found = None;
        for (types, terms) in &self.parameters.impropers {
            let wild = types.contains(&"");
            if types[0] != kinds[0] || (wild && found.is_some()) {
                continue;
            }
            let fits = |order: &&[usize; 3]| {
                (0..3).all(|place| {
                    types[place + 1].is_empty() || types[place + 1] == kinds[order[place]]
                })
            };
            if let Some(&order) = ORDERS.iter().find(fits) {
                let [a, b, d] = self.ordered(atoms, order, wild);
                found = Some(([a, b, 0, d], terms.as_slice()));
            }
        }
        found
    }

    /// Puts the outer atoms of an improper torsion into residue and template order where the types
    /// leave a choice.
    fn ordered(
        &self,
        atoms: [usize; 4],
        [mut a, mut b, mut d]: [usize; 3],
        wild: bool,
    ) -> [usize; 3] {
        let later = |x: usize, y: usize| self.order[atoms[x]] > self.order[atoms[y]];
        let element = |x: usize| self.topology.atoms[atoms[x]].element;
        let alike = |x: usize, y: usize| {
            if wild {
                element(x) == element(y)
            } else {
                self.typed[atoms[x]].0 == self.typed[atoms[y]].0
            }
        };
        if alike(a, d) && later(a, d) {
            std::mem::swap(&mut a, &mut d);
        }
        if alike(b, d) && later(b, d) {
            std::mem::swap(&mut b, &mut d);
        }
        if (wild || alike(a, b)) && later(a, b) {
            std::mem::swap(&mut a, &mut b);
        }
        [a, b, d]
    }

    fn exceptions(&self, system: &mut System) {
        for (i, list) in self.topology.bond_distances(3).into_iter().enumerate() {
            for (j, bonds) in list.into_iter().filter(|&(j, _)| j > i) {
                system.exclusions.push([i, j]);
                if bonds == 3 {
                    system.exceptions.push(Exception {
                        atoms: [i, j],
                        charge_product: system.charges[i] * system.charges[j] * SCALE_COULOMB_14,
                        sigma: 0.5 * (system.sigmas[i] + system.sigmas[j]),
                        epsilon: (system.epsilons[i] * system.epsilons[j]).sqrt() * SCALE_LJ_14,
                    });
                }
            }
        }
    }
}

fn push_terms(system: &mut System, atoms: [usize; 4], terms: &[Term], improper: bool) {
    let active = terms.iter().filter(|(_, _, k)| *k != 0.0);
    system
        .torsions
        .extend(active.map(|&(periodicity, phase, k)| Torsion {
            atoms,
            periodicity,
            phase,
            k,
            improper,
        }));
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::path::Path;

    use nalgebra::Vector3;

    use super::*;
    use crate::forcefield::{ForceField, Precision, PrepareOptions, prepare};
    use crate::structure::{ReadOptions, read};

    /// Energies (kJ/mol) per OpenMM force and forces (kJ/mol/nm), by OpenMM 8.6.1's reference
    /// platform in f64.
    #[derive(serde::Deserialize)]
    struct Golden {
        #[serde(rename = "energy_kJ_mol")]
        energy: HashMap<String, f64>,
        #[serde(rename = "force_kJ_mol_nm")]
        force: Vec<[f64; 3]>,
    }

    #[test]
    fn energies_and_forces_are_openmms() {
        for name in ["trpcage", "alltypes", "bpti", "ubiquitin"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forcefield/golden");
            let structure = read(
                &folder.join(format!("{name}.pdb.gz")),
                &ReadOptions::default(),
            )
            .unwrap();
            let mut text = String::new();
            let file = std::fs::File::open(folder.join(format!("{name}.json.gz"))).unwrap();
            flate2::read::GzDecoder::new(file)
                .read_to_string(&mut text)
                .unwrap();
            let golden: Golden = serde_json::from_str(&text).unwrap();
            let prepared = prepare(
                &structure.topology,
                &structure.frame,
                &PrepareOptions::default(),
            )
            .unwrap();
            assert!(prepared.frame == structure.frame, "{name} moved");
            let system = System::build(&prepared.topology).unwrap();
            for (precision, tolerance) in [(Precision::F64, 1e-5), (Precision::F32, 1e-3)] {
                let mut forces = vec![Vector3::zeros(); system.len()];
                let energies = ForceField::new(system.clone(), precision)
                    .energy_forces(&prepared.frame.positions, &mut forces);
                for (key, value) in [
                    ("HarmonicBondForce", energies.bond),
                    ("HarmonicAngleForce", energies.angle),
                    ("PeriodicTorsionForce", energies.torsion),
                    ("NonbondedForce", energies.nonbonded),
                    ("obc2_ace", energies.obc2 + energies.surface),
                    ("total", energies.total),
                ] {
                    let error = (value / golden.energy[key] - 1.0).abs();
                    println!(
                        "{name} {precision:?} {key}: {value:.6} {:.6} {error:.1e}",
                        golden.energy[key]
                    );
                    assert!(
                        error <= tolerance,
                        "{name} {key}: {value} instead of {}",
                        golden.energy[key]
                    );
                }
                let there = golden
                    .force
                    .iter()
                    .map(|force| Vector3::from(*force) / 10.0);
                let misfit: f64 = there
                    .clone()
                    .zip(&forces)
                    .map(|(a, b)| (a - b).norm_squared())
                    .sum();
                let error = (misfit / there.map(|force| force.norm_squared()).sum::<f64>()).sqrt();
                println!("{name} {precision:?} forces {error:.1e}");
                assert!(error <= tolerance, "{name}: forces differ by {error}");
            }
        }
    }
}
