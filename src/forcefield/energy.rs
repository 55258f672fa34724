//! Energy and forces of a protein: ff14SB with OBC2 implicit water.

use nalgebra::Vector3;
use serde::Serialize;

use super::System;
use super::bonded::Bonded;
use super::curvature::Curvature;
use super::pairs::Pairs;

/// Potential energy by term, kJ/mol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Energies {
    /// Harmonic bonds.
    pub bond: f64,
    /// Harmonic angles.
    pub angle: f64,
    /// Proper and improper torsions.
    pub torsion: f64,
    /// Lennard-Jones and Coulomb, with the scaled pairs three bonds apart.
    pub nonbonded: f64,
    /// Generalised Born solvation (OBC2).
    pub obc2: f64,
    /// Surface term.
    pub surface: f64,
    /// Sum of all terms.
    pub total: f64,
}

impl Energies {
    /// Names and values of the terms, in the order of the table.
    pub fn terms(&self) -> [(&'static str, f64); 6] {
        [
            ("bond", self.bond),
            ("angle", self.angle),
            ("torsion", self.torsion),
            ("nonbonded", self.nonbonded),
            ("obc2", self.obc2),
            ("surface", self.surface),
        ]
    }
}

/// Precision of the pair terms. Bonded terms, sums over rows and all energies are f64 always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Precision {
    /// Fast: forces to about 1e-5 of their size
    #[default]
    F32,
    /// Slower, and exact to rounding
    F64,
}

/// Shortest cutoff that [`ForceField::with_cutoff`] takes, Å: below it, atoms three bonds apart
/// could lie beyond it.
pub const SHORTEST_CUTOFF: f64 = 8.0;

#[derive(Debug, Clone)]
enum AnyPairs {
    F32(Pairs<f32>),
    F64(Pairs<f64>),
}

/// The force field of one system: evaluates energy and forces again and again in buffers of its
/// own.
///
/// All pairs unless a cutoff is asked for: time grows as N² without one, as N with one; memory as
/// N. Bits of the result do not depend on the number of threads.
#[derive(Debug, Clone)]
pub struct ForceField {
    system: System,
    cutoff: Option<f64>,
    bonded: Bonded,
    pairs: AnyPairs,
    /// Made by the first minimisation.
    curvature: Option<Box<Curvature>>,
}

impl ForceField {
    /// Prepares a system for evaluation.
    pub fn new(system: System, precision: Precision) -> Self {
        Self::with_cutoff(system, precision, None)
    }

    /// Prepares a system for evaluation in which pairs beyond `cutoff`, Å, are left out (at least
    /// [`SHORTEST_CUTOFF`]).
    ///
    /// Energies of pairs are switched off over the last tenth of the cutoff. Born radii see no
    /// farther either.
    pub fn with_cutoff(system: System, precision: Precision, cutoff: Option<f64>) -> Self {
        let cutoff = cutoff.map(|cutoff| cutoff.max(SHORTEST_CUTOFF));
        let bonded = Bonded::new(&system);
        let pairs = match precision {
            Precision::F32 => AnyPairs::F32(Pairs::new(&system, cutoff)),
            Precision::F64 => AnyPairs::F64(Pairs::new(&system, cutoff)),
        };
        ForceField {
            system,
            cutoff,
            bonded,
            pairs,
            curvature: None,
        }
    }

    /// The system that it evaluates.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// The cutoff of its pairs, Å; none: all pairs.
    pub fn cutoff(&self) -> Option<f64> {
        self.cutoff
    }

    /// Its bonded terms.
    pub(super) fn bonded(&self) -> &Bonded {
        &self.bonded
    }

    /// The curvature of its bonded terms, for a search to fill and to give back.
    pub(super) fn take_curvature(&mut self) -> Box<Curvature> {
        let new = || Box::new(Curvature::new(self.system.len(), &self.bonded));
        self.curvature.take().unwrap_or_else(new)
    }

    /// Keeps for the next search what [`ForceField::take_curvature`] gave.
    pub(super) fn keep_curvature(&mut self, curvature: Box<Curvature>) {
        self.curvature = Some(curvature);
    }

    /// Energy and forces (kJ/mol/Å, overwritten) at `positions`, Å.
    ///
    /// # Panics
    /// Where `positions` or `forces` are not one an atom.
    pub fn energy_forces(
        &mut self,
        positions: &[Vector3<f64>],
        forces: &mut [Vector3<f64>],
    ) -> Energies {
        assert_eq!(positions.len(), self.system.len(), "one position an atom");
        assert_eq!(forces.len(), self.system.len(), "one force an atom");
        forces.fill(Vector3::zeros());
        let bonded = self.bonded.add(positions, forces);
        let pairs = match &mut self.pairs {
            AnyPairs::F32(pairs) => pairs.add(positions, forces),
            AnyPairs::F64(pairs) => pairs.add(positions, forces),
        };
        let mut energies = Energies {
            bond: bonded.bond,
            angle: bonded.angle,
            torsion: bonded.torsion,
            nonbonded: bonded.exception + pairs.nonbonded,
            obc2: pairs.obc2,
            surface: pairs.surface,
            total: 0.0,
        };
        energies.total = energies.terms().iter().map(|term| term.1).sum();
        energies
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::chain;
    use super::*;

    fn evaluate(
        field: &mut ForceField,
        positions: &[Vector3<f64>],
    ) -> (Energies, Vec<Vector3<f64>>) {
        let mut forces = vec![Vector3::repeat(f64::NAN); positions.len()];
        let energies = field.energy_forces(positions, &mut forces);
        (energies, forces)
    }

    fn distance(a: &[Vector3<f64>], b: &[Vector3<f64>]) -> f64 {
        let difference: f64 = a.iter().zip(b).map(|(a, b)| (a - b).norm_squared()).sum();
        (difference / b.iter().map(Vector3::norm_squared).sum::<f64>()).sqrt()
    }

    #[test]
    fn forces_are_central_differences_of_the_energy() {
        for (atoms, seed) in [(1, 1), (7, 2), (16, 3), (17, 4), (90, 5)] {
            let (system, mut positions) = chain(atoms, seed);
            let mut field = ForceField::new(system, Precision::F64);
            let (_, forces) = evaluate(&mut field, &positions);
            let h = 1e-5;
            let mut numeric = vec![Vector3::zeros(); atoms];
            for atom in 0..atoms {
                for axis in 0..3 {
                    let mut at = |shift: f64| {
                        positions[atom][axis] += shift;
                        let energy = evaluate(&mut field, &positions).0.total;
                        positions[atom][axis] -= shift;
                        energy
                    };
                    numeric[atom][axis] = -(at(h) - at(-h)) / (2.0 * h);
                }
            }
            let scale = forces.iter().map(Vector3::norm).fold(1.0, f64::max);
            let worst = forces
                .iter()
                .zip(&numeric)
                .map(|(a, b)| (a - b).norm())
                .fold(0.0, f64::max);
            assert!(
                worst <= 1e-7 * scale,
                "{atoms} atoms: {worst:e} of {scale:e}"
            );
        }
    }

    #[test]
    fn with_a_cutoff_forces_are_still_the_derivative_and_energy_does_not_jump() {
        let (system, mut positions) = chain(90, 6);
        let mut field = ForceField::with_cutoff(system, Precision::F64, Some(9.0));
        let (start, forces) = evaluate(&mut field, &positions);
        let direction: Vec<_> = forces
            .iter()
            .enumerate()
            .map(|(i, f)| {
                if i % 2 == 0 {
                    f.normalize()
                } else {
                    -f.normalize()
                }
            })
            .collect();
        let (steps, h) = (1000, 2e-4);
        let mut work = 0.0;
        // midpoint rule: pairs cross the switch and the cutoff on the way
        let mut end = start;
        for step in 0..2 * steps {
            positions
                .iter_mut()
                .zip(&direction)
                .for_each(|(x, d)| *x += d * h);
            let (energies, forces) = evaluate(&mut field, &positions);
            if step % 2 == 0 {
                work += 2.0
                    * h
                    * forces
                        .iter()
                        .zip(&direction)
                        .map(|(f, d)| f.dot(d))
                        .sum::<f64>();
            } else {
                end = energies;
            }
        }
        let error = (end.total - start.total + work).abs();
        assert!(
            error <= 1e-5 * work.abs().max((end.total - start.total).abs()),
            "{error} of {work}"
        );
    }

    #[test]
    fn a_cutoff_longer_than_the_molecule_changes_little() {
        let (system, positions) = chain(150, 14);
        let (exact, exact_forces) = evaluate(
            &mut ForceField::new(system.clone(), Precision::F64),
            &positions,
        );
        let (cut, forces) = evaluate(
            &mut ForceField::with_cutoff(system, Precision::F64, Some(400.0)),
            &positions,
        );
        assert!(
            (cut.total - exact.total).abs() <= 1e-6 * exact.total.abs(),
            "{} {}",
            cut.total,
            exact.total
        );
        assert!(distance(&forces, &exact_forces) <= 1e-6);
    }

    #[test]
    fn single_precision_agrees_with_double() {
        let (system, positions) = chain(150, 11);
        let (exact, exact_forces) = evaluate(
            &mut ForceField::new(system.clone(), Precision::F64),
            &positions,
        );
        let (single, forces) = evaluate(&mut ForceField::new(system, Precision::F32), &positions);
        for ((name, single), (_, exact)) in single.terms().iter().zip(exact.terms()) {
            assert!(
                (single - exact).abs() <= 1e-5 * exact.abs(),
                "{name}: {single} {exact}"
            );
        }
        let error = distance(&forces, &exact_forces);
        assert!(error <= 1e-5, "{error:e}");
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        let (system, positions) = chain(300, 12);
        let results = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            [None, Some(12.0)].map(|cutoff| {
                let mut field = ForceField::with_cutoff(system.clone(), Precision::F32, cutoff);
                pool.install(|| evaluate(&mut field, &positions))
            })
        });
        assert_eq!(results[0], results[1]);
        assert_ne!(results[0][0].0, results[0][1].0, "the cutoff cuts nothing");
    }

    #[test]
    fn an_isolated_molecule_feels_no_net_force_and_torque() {
        let (system, positions) = chain(100, 13);
        let (_, forces) = evaluate(&mut ForceField::new(system, Precision::F64), &positions);
        let scale: f64 = forces.iter().map(Vector3::norm).sum();
        let net: Vector3<f64> = forces.iter().sum();
        let torque: Vector3<f64> = positions.iter().zip(&forces).map(|(x, f)| x.cross(f)).sum();
        assert!(net.norm() <= 1e-12 * scale, "{net}");
        assert!(torque.norm() <= 1e-10 * scale, "{torque}");
    }
}
