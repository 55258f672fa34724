//! Bond lengths held fixed: SHAKE for positions, RATTLE for velocities, each group of bonds that
//! meet in one atom solved as a whole.
//!
//! Ryckaert, Ciccotti, Berendsen, J. Comput. Phys. 23, 327 (1977); Andersen, J. Comput. Phys. 52,
//! 24 (1983). In groups as by Kräutler, van Gunsteren, Hünenberger, J. Comput. Chem. 22, 501
//! (2001): Newton's method instead of one bond after the other.

use nalgebra::Vector3;

use crate::forcefield::System;
use crate::structure::{Element, Topology};

/// Relative error of a squared length at which the iteration stops; far below what f32 forces
/// resolve.
const TOLERANCE: f64 = 1e-10;
/// Iterations after which it gives up: only a molecule that has burst needs as many.
const MOST_ITERATIONS: usize = 30;
/// Most bonds in a group: those of four hydrogens.
pub(super) const MOST_BONDS: usize = 4;

/// A matrix of a group, and a vector.
type Square = [[f64; MOST_BONDS]; MOST_BONDS];
type Column = [f64; MOST_BONDS];

/// One bond of fixed length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Constraint {
    /// The heavy atom, then the hydrogen.
    pub atoms: [usize; 2],
    /// Squared length, Å².
    pub square: f64,
    /// Inverse masses, 1/Da.
    inverse: [f64; 2],
}

/// Bonds of fixed length, in groups that share no atom; those of one group share their first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Constraints {
    groups: Vec<Vec<Constraint>>,
}

impl Constraints {
    /// Holds every bond of a hydrogen to a heavier atom at its equilibrium length; `masses` are
    /// those of the dynamics, Da.
    pub fn of_hydrogens(topology: &Topology, system: &System, masses: &[f64]) -> Self {
        let mut groups = vec![Vec::new(); topology.len()];
        for bond in &system.bonds {
            let [i, j] = bond.atoms;
            let hydrogens = bond
                .atoms
                .map(|atom| topology.atoms[atom].element == Element::H);
            let atoms = match hydrogens {
                [true, false] => [j, i],
                [false, true] => [i, j],
                _ => continue,
            };
            let inverse = atoms.map(|atom| 1.0 / masses[atom]);
            groups[atoms[0]].push(Constraint {
                atoms,
                square: bond.length.powi(2),
                inverse,
            });
        }
        groups.retain(|group| !group.is_empty());
        Constraints { groups }
    }

    /// The bonds in groups that share no atom; those of one group share their first.
    #[cfg(feature = "gpu")]
    pub(super) fn groups(&self) -> &[Vec<Constraint>] {
        &self.groups
    }

    /// Number of bonds held.
    pub fn len(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }

    /// Whether no bond is held.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Moves `positions` so that every length is right, along the bonds as they were at `before`,
    /// where lengths were right.
    pub fn hold_lengths(&self, before: &[Vector3<f64>], positions: &mut [Vector3<f64>]) {
        for group in &self.groups {
            let old = bonds(group, before);
            for _ in 0..MOST_ITERATIONS {
                let now = bonds(group, positions);
                let mut excess = [0.0; MOST_BONDS];
                let mut worst = 0.0f64;
                for (k, bond) in group.iter().enumerate() {
                    excess[k] = 0.5 * (now[k].norm_squared() - bond.square);
                    worst = worst.max(excess[k].abs() / bond.square);
                }
                if worst <= 0.5 * TOLERANCE {
                    break;
                }
                push(group, &old, &solve(group, &now, &old, excess), positions);
            }
        }
    }

    /// Takes off `velocities` what would change a length at `positions`.
    pub fn stop_stretching(&self, positions: &[Vector3<f64>], velocities: &mut [Vector3<f64>]) {
        for group in &self.groups {
            let along = bonds(group, positions);
            let relative = bonds(group, velocities);
            let rates = std::array::from_fn(|k| along[k].dot(&relative[k]));
            push(
                group,
                &along,
                &solve(group, &along, &along, rates),
                velocities,
            );
        }
    }
}

/// From the heavy atom to each hydrogen; zero beyond the group's last.
#[inline]
fn bonds(group: &[Constraint], of: &[Vector3<f64>]) -> [Vector3<f64>; MOST_BONDS] {
    let mut bonds = [Vector3::zeros(); MOST_BONDS];
    for (bond, constraint) in bonds.iter_mut().zip(group) {
        let [heavy, light] = constraint.atoms;
        *bond = of[light] - of[heavy];
    }
    bonds
}

/// The pushes λ along `old` that lower b_k = `now`_k · (x_light − x_heavy)_k to zero: Σ_l now_k ·
/// old_l (1/m_heavy + δ_kl/m_light) λ_l = b_k.
///
/// Elimination without pivoting: hydrogens are light, so that the diagonal is large.
#[inline]
fn solve(
    group: &[Constraint],
    now: &[Vector3<f64>; MOST_BONDS],
    old: &[Vector3<f64>; MOST_BONDS],
    mut b: Column,
) -> Column {
    let n = group.len().min(MOST_BONDS);
    let mut matrix: Square = [[0.0; MOST_BONDS]; MOST_BONDS];
    for k in 0..n {
        for l in 0..n {
            let own = if k == l { group[k].inverse[1] } else { 0.0 };
            matrix[k][l] = now[k].dot(&old[l]) * (group[k].inverse[0] + own);
        }
    }
    for k in 0..n {
        let row = matrix[k];
        for below in k + 1..n {
            let share = matrix[below][k] / row[k];
            for l in k..n {
                matrix[below][l] -= share * row[l];
            }
            b[below] -= share * b[k];
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|l| matrix[k][l] * b[l]).sum();
        b[k] = (b[k] - known) / matrix[k][k];
    }
    b
}

/// Moves the ends of each bond by λ along `old`, each by its inverse mass.
#[inline]
fn push(
    group: &[Constraint],
    old: &[Vector3<f64>; MOST_BONDS],
    lambda: &Column,
    moved: &mut [Vector3<f64>],
) {
    for ((constraint, old), lambda) in group.iter().zip(old).zip(lambda) {
        let [heavy, light] = constraint.atoms;
        moved[heavy] += old * (lambda * constraint.inverse[0]);
        moved[light] -= old * (lambda * constraint.inverse[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{Dynamics, Force, Integrator, Settings, Stepper};
    use crate::structure::Frame;

    struct Nothing;

    impl Force for Nothing {
        fn forces(&mut self, _: &[Frame], forces: &mut [Vec<Vector3<f64>>]) -> crate::Result<()> {
            forces
                .iter_mut()
                .for_each(|forces| forces.fill(Vector3::zeros()));
            Ok(())
        }
        fn describe(&self) -> String {
            "nothing".to_owned()
        }
    }

    /// A centre (atom 0) with `arms` atoms held to it at 1 Å.
    fn star(arms: usize, masses: &[f64]) -> Constraints {
        let hold = |arm| Constraint {
            atoms: [0, arm],
            square: 1.0,
            inverse: [1.0 / masses[0], 1.0 / masses[arm]],
        };
        Constraints {
            groups: vec![(1..=arms).map(hold).collect()],
        }
    }

    fn settings(integrator: Integrator) -> Settings {
        Settings {
            integrator,
            time_step: 0.004,
            temperature: 300.0,
            stop_centre: false,
            seed: 1,
            first_replica: 0,
        }
    }

    #[test]
    fn a_free_dumbbell_turns_at_constant_speed() {
        let masses = [12.0, 3.0];
        let mut stepper = Dynamics::new(
            Nothing,
            masses.to_vec(),
            star(1, &masses),
            settings(Integrator::VelocityVerlet),
        )
        .unwrap();
        // 2 rad/ps about z, the centre of mass at rest
        let velocities = vec![Vector3::new(0.0, -0.4, 0.0), Vector3::new(0.0, 1.6, 0.0)];
        let positions = vec![Vector3::new(-0.2, 0.0, 0.0), Vector3::new(0.8, 0.0, 0.0)];
        let mut frame = [Frame {
            velocities: Some(velocities),
            ..Frame::at_rest(positions)
        }];
        for step in 1..=1000 {
            stepper.step(&mut frame).unwrap();
            let arm = frame[0].positions[1] - frame[0].positions[0];
            let angle = 2.0 * 0.004 * f64::from(step);
            assert!((arm.norm() - 1.0).abs() <= 1e-9, "step {step}");
            // the scheme turns by asin(ω dt) a step instead of ω dt: off by (ω dt)³/6
            let error = (arm - Vector3::new(angle.cos(), angle.sin(), 0.0)).norm();
            assert!(
                error <= 1.05 * f64::from(step) * 0.008f64.powi(3) / 6.0 + 1e-8,
                "step {step}: {error:e}"
            );
        }
    }

    #[test]
    fn groups_hold_under_a_thermostat_at_the_right_temperature() {
        let masses = [12.0, 3.0, 3.0, 3.0];
        let mut stepper = Dynamics::new(
            Nothing,
            masses.to_vec(),
            star(3, &masses),
            settings(Integrator::Langevin { friction: 20.0 }),
        )
        .unwrap();
        assert_eq!(stepper.freedom(), 9);
        let positions = vec![Vector3::zeros(), Vector3::x(), Vector3::y(), Vector3::z()];
        let mut frame = [Frame::at_rest(positions)];
        let mut temperatures = Vec::new();
        for step in 0..40_000 {
            stepper.step(&mut frame).unwrap();
            let velocities = frame[0].velocities.as_ref().unwrap();
            for arm in 1..=3 {
                let along = frame[0].positions[arm] - frame[0].positions[0];
                assert!((along.norm() - 1.0).abs() <= 1e-9, "step {step}");
                assert!(
                    along.dot(&(velocities[arm] - velocities[0])).abs() <= 1e-8,
                    "step {step}"
                );
            }
            let kinetic = crate::geometry::velocities::kinetic_energy(&masses, velocities);
            temperatures.push(crate::geometry::velocities::temperature(kinetic, 9));
        }
        let (mean, error) = crate::observe::drift::mean_with_error(&temperatures);
        let error = error.unwrap();
        assert!(
            (mean - 300.0).abs() <= 4.0 * error && error <= 5.0,
            "{mean} ± {error}"
        );
    }
}
