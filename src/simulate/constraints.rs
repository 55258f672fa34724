//! Bond lengths held fixed: SHAKE for positions, RATTLE for velocities.
//!
//! Ryckaert, Ciccotti, Berendsen, J. Comput. Phys. 23, 327 (1977); Andersen, J. Comput. Phys. 52, 24 (1983).

use nalgebra::Vector3;

use crate::forcefield::System;
use crate::structure::{Element, Topology};

/// Relative error of a squared length at which the iteration stops; far below what f32 forces resolve.
const TOLERANCE: f64 = 1e-10;
/// Sweeps after which the iteration gives up: only a molecule that has burst needs as many.
const MOST_SWEEPS: usize = 200;

/// One bond of fixed length.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Constraint {
    atoms: [usize; 2],
    /// Squared length, Å².
    square: f64,
    /// Inverse masses, 1/Da.
    inverse: [f64; 2],
}

/// Bonds of fixed length, in groups that share no atom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Constraints {
    groups: Vec<Vec<Constraint>>,
}

impl Constraints {
    /// Holds every bond of a hydrogen to a heavier atom at its equilibrium length; `masses` are those of the dynamics, Da.
    pub fn of_hydrogens(topology: &Topology, system: &System, masses: &[f64]) -> Self {
        let mut groups = vec![Vec::new(); topology.len()];
        for bond in &system.bonds {
            let [i, j] = bond.atoms;
            let hydrogens = bond.atoms.map(|atom| topology.atoms[atom].element == Element::H);
            let heavy = match hydrogens {
                [true, false] => j,
                [false, true] => i,
                _ => continue,
            };
            groups[heavy].push(Constraint { atoms: bond.atoms, square: bond.length.powi(2), inverse: [1.0 / masses[i], 1.0 / masses[j]] });
        }
        groups.retain(|group| !group.is_empty());
        Constraints { groups }
    }

    /// Number of bonds held.
    pub fn len(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }

    /// Whether no bond is held.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Moves `positions` so that every length is right, along the bonds as they were at `before`, where lengths were right.
    pub fn hold_lengths(&self, before: &[Vector3<f64>], positions: &mut [Vector3<f64>]) {
        for group in &self.groups {
            for _ in 0..MOST_SWEEPS {
                let mut worst = 0.0f64;
                for &Constraint { atoms: [i, j], square, inverse } in group {
                    let now = positions[i] - positions[j];
                    let excess = now.norm_squared() - square;
                    worst = worst.max(excess.abs() / square);
                    let along = before[i] - before[j];
                    let push = excess / (2.0 * (inverse[0] + inverse[1]) * now.dot(&along));
                    positions[i] -= along * (push * inverse[0]);
                    positions[j] += along * (push * inverse[1]);
                }
                if worst <= TOLERANCE {
                    break;
                }
            }
        }
    }

    /// Takes off `velocities` what would change a length at `positions`.
    pub fn stop_stretching(&self, positions: &[Vector3<f64>], velocities: &mut [Vector3<f64>]) {
        for group in &self.groups {
            for _ in 0..MOST_SWEEPS {
                let mut worst = 0.0f64;
                for &Constraint { atoms: [i, j], square, inverse } in group {
                    let along = positions[i] - positions[j];
                    let relative = velocities[i] - velocities[j];
                    let rate = along.dot(&relative) / square;
                    worst = worst.max(rate.abs());
                    let push = rate / (inverse[0] + inverse[1]);
                    velocities[i] -= along * (push * inverse[0]);
                    velocities[j] += along * (push * inverse[1]);
                }
                // a rate of 1e-10/ps changes a length by less than its rounding in a step
                if worst <= TOLERANCE {
                    break;
                }
            }
        }
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
            forces.iter_mut().for_each(|forces| forces.fill(Vector3::zeros()));
            Ok(())
        }
        fn describe(&self) -> String {
            "nothing".to_owned()
        }
    }

    /// A centre (atom 0) with `arms` atoms held to it at 1 Å.
    fn star(arms: usize, masses: &[f64]) -> Constraints {
        let hold = |arm| Constraint { atoms: [0, arm], square: 1.0, inverse: [1.0 / masses[0], 1.0 / masses[arm]] };
        Constraints { groups: vec![(1..=arms).map(hold).collect()] }
    }

    fn settings(integrator: Integrator) -> Settings {
        Settings { integrator, time_step: 0.004, temperature: 300.0, stop_centre: false, seed: 1, first_replica: 0 }
    }

    #[test]
    fn a_free_dumbbell_turns_at_constant_speed() {
        let masses = [12.0, 3.0];
        let mut stepper = Dynamics::new(Nothing, masses.to_vec(), star(1, &masses), settings(Integrator::VelocityVerlet)).unwrap();
        // 2 rad/ps about z, the centre of mass at rest
        let velocities = vec![Vector3::new(0.0, -0.4, 0.0), Vector3::new(0.0, 1.6, 0.0)];
        let positions = vec![Vector3::new(-0.2, 0.0, 0.0), Vector3::new(0.8, 0.0, 0.0)];
        let mut frame = [Frame { velocities: Some(velocities), ..Frame::at_rest(positions) }];
        for step in 1..=1000 {
            stepper.step(&mut frame).unwrap();
            let arm = frame[0].positions[1] - frame[0].positions[0];
            let angle = 2.0 * 0.004 * f64::from(step);
            assert!((arm.norm() - 1.0).abs() <= 1e-9, "step {step}");
            // the scheme turns by asin(ω dt) a step instead of ω dt: off by (ω dt)³/6
            let error = (arm - Vector3::new(angle.cos(), angle.sin(), 0.0)).norm();
            assert!(error <= 1.05 * f64::from(step) * 0.008f64.powi(3) / 6.0 + 1e-8, "step {step}: {error:e}");
        }
    }

    #[test]
    fn groups_hold_under_a_thermostat_at_the_right_temperature() {
        let masses = [12.0, 3.0, 3.0, 3.0];
        let mut stepper =
            Dynamics::new(Nothing, masses.to_vec(), star(3, &masses), settings(Integrator::Langevin { friction: 20.0 })).unwrap();
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
                assert!(along.dot(&(velocities[arm] - velocities[0])).abs() <= 1e-8, "step {step}");
            }
            let kinetic = crate::simulate::velocities::kinetic_energy(&masses, velocities);
            temperatures.push(crate::simulate::velocities::temperature(kinetic, 9));
        }
        let (mean, error) = crate::observe::drift::mean_with_error(&temperatures);
        let error = error.unwrap();
        assert!((mean - 300.0).abs() <= 4.0 * error && error <= 5.0, "{mean} ± {error}");
    }
}
