//! Energy minimisation: limited-memory BFGS (Nocedal, Wright, Numerical Optimization, 2nd ed.,
//! algorithm 7.4), preconditioned by the curvature of the bonded terms, with a bound on how far an
//! atom moves in a step, so that clashing atoms part instead of being thrown apart.

use std::collections::VecDeque;

use nalgebra::Vector3;

use super::{Energies, ForceField};

/// Steps that the curvature is learnt from.
const MEMORY: usize = 10;
/// Longest way of an atom in one step, Å.
const LONGEST_MOVE: f64 = 0.2;
/// Steps after which the curvature is taken anew: bonds have hardly turned until then.
const REFRESH: usize = 10;
/// Halvings of a step before it is given up.
const MOST_HALVINGS: usize = 12;

/// When a minimisation stops, and what it may not move.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimizer {
    /// Root-mean-square force of the free atoms at which it is done, kJ/mol/Å.
    pub tolerance: f64,
    /// Largest force on a free atom at which it is done, kJ/mol/Å: among thousands of atoms a
    /// single clash hardly shows in the mean.
    pub largest: f64,
    /// Most steps.
    pub steps: usize,
    /// Whether each atom stays where it is; empty: none does.
    pub fixed: Vec<bool>,
}

impl Default for Minimizer {
    fn default() -> Self {
        Minimizer {
            tolerance: 0.5,
            largest: f64::INFINITY,
            steps: 2000,
            fixed: Vec::new(),
        }
    }
}

/// What a minimisation did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minimized {
    /// Steps taken.
    pub steps: usize,
    /// Energies at the start, kJ/mol.
    pub before: Energies,
    /// Energies at the end, kJ/mol.
    pub after: Energies,
    /// Root-mean-square force of the free atoms at the end, kJ/mol/Å.
    pub rms_force: f64,
    /// Whether the tolerance was reached.
    pub converged: bool,
}

/// A point of the search.
#[derive(Clone)]
struct Point {
    positions: Vec<Vector3<f64>>,
    forces: Vec<Vector3<f64>>,
    energies: Energies,
}

/// A step and the change of the gradient over it, with 1/(s·y).
struct Learnt {
    step: Vec<Vector3<f64>>,
    change: Vec<Vector3<f64>>,
    inverse: f64,
}

impl Minimizer {
    /// Moves `positions`, Å, downhill. Energy never rises; where it is not finite at the start (two
    /// atoms at one place), nothing moves.
    pub fn run(&self, field: &mut ForceField, positions: &mut [Vector3<f64>]) -> Minimized {
        self.run_until(field, positions, || false)
    }

    /// The same, but ends where it is as soon as `stop` says so, which is asked between steps.
    pub fn run_until(
        &self,
        field: &mut ForceField,
        positions: &mut [Vector3<f64>],
        stop: impl Fn() -> bool,
    ) -> Minimized {
        let mut here = self.evaluate(field, positions.to_vec());
        let before = here.energies;
        let mut learnt: VecDeque<Learnt> = VecDeque::new();
        let mut curvature = field.take_curvature();
        let mut steps = 0;
        while steps < self.steps && !self.is_done(&here) && !stop() {
            if steps % REFRESH == 0 {
                curvature.update(field.bonded(), &here.positions, &self.fixed);
            }
            let solve = |values: &mut [Vector3<f64>]| {
                curvature.solve(values);
                self.keep_fixed(values);
            };
            let direction = direction(&here.forces, &learnt, solve);
            let Some(next) = self.search(field, &here, &direction) else {
                if learnt.is_empty() {
                    break; // not even straight downhill: rounding hides what is left to gain
                }
                learnt.clear();
                continue;
            };
            steps += 1;
            remember(&mut learnt, &here, &next);
            here = next;
        }
        field.keep_curvature(curvature);
        positions.copy_from_slice(&here.positions);
        let rms_force = self.rms_force(&here);
        Minimized {
            steps,
            before,
            after: here.energies,
            rms_force,
            converged: self.is_done(&here),
        }
    }

    fn is_done(&self, point: &Point) -> bool {
        let largest = point.forces.iter().map(Vector3::norm_squared);
        self.rms_force(point) <= self.tolerance
            && largest.fold(0.0, f64::max) <= self.largest * self.largest
    }

    fn evaluate(&self, field: &mut ForceField, positions: Vec<Vector3<f64>>) -> Point {
        let mut forces = vec![Vector3::zeros(); positions.len()];
        let energies = field.energy_forces(&positions, &mut forces);
        self.keep_fixed(&mut forces);
        Point {
            positions,
            forces,
            energies,
        }
    }

    /// Forces on fixed atoms and their ways are none.
    fn keep_fixed(&self, values: &mut [Vector3<f64>]) {
        for (value, &fixed) in values.iter_mut().zip(&self.fixed) {
            if fixed {
                *value = Vector3::zeros();
            }
        }
    }

    fn rms_force(&self, point: &Point) -> f64 {
        let free = point.forces.len() - self.fixed.iter().filter(|&&fixed| fixed).count();
        (dot(&point.forces, &point.forces) / free.max(1) as f64).sqrt()
    }

    /// The first point along `direction` that is low enough (Armijo), halving from the longest step
    /// allowed.
    fn search(
        &self,
        field: &mut ForceField,
        here: &Point,
        direction: &[Vector3<f64>],
    ) -> Option<Point> {
        let slope = dot(&here.forces, direction);
        let longest = direction.iter().map(Vector3::norm).fold(0.0, f64::max);
        if !(slope > 0.0 && longest.is_finite()) {
            return None;
        }
        let mut length = (LONGEST_MOVE / longest).min(1.0);
        for _ in 0..MOST_HALVINGS {
            let positions = here
                .positions
                .iter()
                .zip(direction)
                .map(|(x, d)| x + d * length)
                .collect();
            let next = self.evaluate(field, positions);
            if next.energies.total <= here.energies.total - 1e-4 * length * slope {
                return Some(next);
            }
            length *= 0.5;
        }
        None
    }
}

/// Inverse Hessian times force, by the two-loop recursion from the inverse that `solve` applies,
/// which is scaled to what was learnt last.
fn direction(
    forces: &[Vector3<f64>],
    learnt: &VecDeque<Learnt>,
    solve: impl Fn(&mut [Vector3<f64>]),
) -> Vec<Vector3<f64>> {
    let mut direction = forces.to_vec();
    let mut weights = Vec::with_capacity(learnt.len());
    for pair in learnt.iter().rev() {
        let weight = pair.inverse * dot(&pair.step, &direction);
        add(&mut direction, &pair.change, -weight);
        weights.push(weight);
    }
    solve(&mut direction);
    if let Some(last) = learnt.back() {
        let mut solved = last.change.clone();
        solve(&mut solved);
        let scale = 1.0 / (last.inverse * dot(&last.change, &solved));
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (pair, weight) in learnt.iter().zip(weights.iter().rev()) {
        let back = pair.inverse * dot(&pair.change, &direction);
        add(&mut direction, &pair.step, weight - back);
    }
    direction
}

/// Learns from a step, unless the energy bends down along it.
fn remember(learnt: &mut VecDeque<Learnt>, here: &Point, next: &Point) {
    let step: Vec<_> = next
        .positions
        .iter()
        .zip(&here.positions)
        .map(|(b, a)| b - a)
        .collect();
    let change: Vec<_> = here
        .forces
        .iter()
        .zip(&next.forces)
        .map(|(a, b)| a - b)
        .collect();
    let bend = dot(&step, &change);
    if bend > 1e-10 * dot(&change, &change) {
        learnt.push_back(Learnt {
            step,
            change,
            inverse: 1.0 / bend,
        });
    }
    if learnt.len() > MEMORY {
        learnt.pop_front();
    }
}

fn dot(a: &[Vector3<f64>], b: &[Vector3<f64>]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.dot(b)).sum()
}

fn add(sum: &mut [Vector3<f64>], values: &[Vector3<f64>], scale: f64) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += value * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::chain;
    use super::super::{ForceField, Precision};
    use super::*;

    #[test]
    fn ends_in_a_minimum() {
        let (system, mut positions) = chain(30, 21);
        let mut field = ForceField::new(system, Precision::F64);
        let minimizer = Minimizer {
            tolerance: 1e-3,
            steps: 5000,
            ..Minimizer::default()
        };
        let done = minimizer.run(&mut field, &mut positions);
        assert!(done.converged && done.rms_force <= 1e-3, "{done:?}");
        assert!(done.after.total < done.before.total);
        let mut forces = vec![Vector3::zeros(); 30];
        assert_eq!(field.energy_forces(&positions, &mut forces), done.after);
        // uphill in every direction tried
        for atom in 0..30 {
            for axis in 0..3 {
                for shift in [-0.01, 0.01] {
                    let mut moved = positions.clone();
                    moved[atom][axis] += shift;
                    assert!(
                        field.energy_forces(&moved, &mut forces).total > done.after.total,
                        "atom {atom}"
                    );
                }
            }
        }
    }

    /// Without the curvature of the bonded terms this takes 236 steps, and ends 0.1 kJ/mol higher.
    #[test]
    fn a_peptide_is_at_its_minimum_within_sixty_steps() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let options = crate::structure::ReadOptions::default();
        let file = file.join("data/structures/akle.pdb");
        let structure = crate::structure::read(&file, &options).unwrap();
        let system = super::super::System::build(&structure.topology).unwrap();
        let mut field = ForceField::new(system, Precision::F64);
        let mut positions = structure.frame.positions;
        let done = Minimizer::default().run(&mut field, &mut positions);
        assert!(done.converged && done.steps <= 60, "{done:?}");
        // a second search begins as well as the first
        positions[3].x += 0.2;
        let done = Minimizer::default().run(&mut field, &mut positions);
        assert!(done.converged && done.steps <= 60, "{done:?}");
        assert!((done.after.total - -987.8).abs() <= 0.2, "{done:?}");
    }

    #[test]
    fn parts_clashing_atoms_in_single_precision() {
        let (system, mut positions) = chain(60, 22);
        positions[50] = positions[5] + Vector3::new(0.02, 0.01, 0.0);
        let mut field = ForceField::new(system, Precision::F32);
        let done = Minimizer::default().run(&mut field, &mut positions);
        assert!(done.before.total >= 1e9, "no clash to part: {done:?}");
        assert!(
            done.converged && (positions[50] - positions[5]).norm() >= 1.0,
            "{done:?}"
        );
    }

    #[test]
    fn one_large_force_is_not_lost_in_the_mean() {
        let (system, mut start) = chain(60, 22);
        let mut field = ForceField::new(system, Precision::F64);
        Minimizer::default().run(&mut field, &mut start);
        start[30].x += 0.1;
        let largest = |field: &mut ForceField, positions: &[Vector3<f64>]| {
            let mut forces = vec![Vector3::zeros(); 60];
            field.energy_forces(positions, &mut forces);
            forces.iter().map(Vector3::norm).fold(0.0, f64::max)
        };
        let before = largest(&mut field, &start);
        // the mean is content with it
        let content = Minimizer {
            tolerance: 0.5 * before,
            ..Minimizer::default()
        };
        let mut positions = start.clone();
        let done = content.run(&mut field, &mut positions);
        assert!(done.converged && done.steps == 0, "{done:?}");
        let strict = Minimizer {
            largest: 0.1 * before,
            ..content
        };
        let done = strict.run(&mut field, &mut positions);
        assert!(done.converged && done.steps > 0, "{done:?}");
        assert!(largest(&mut field, &positions) <= 0.1 * before);
        // and a stop that is asked for is heard
        let mut positions = start.clone();
        let done = strict.run_until(&mut field, &mut positions, || true);
        assert!(!done.converged && done.steps == 0 && positions == start);
    }

    #[test]
    fn fixed_atoms_stay() {
        let (system, start) = chain(40, 23);
        let mut positions = start.clone();
        let fixed: Vec<bool> = (0..40).map(|atom| atom % 3 == 0).collect();
        let done = Minimizer {
            fixed: fixed.clone(),
            ..Minimizer::default()
        }
        .run(&mut ForceField::new(system, Precision::F64), &mut positions);
        assert!(done.converged, "{done:?}");
        for atom in 0..40 {
            assert_eq!(positions[atom] == start[atom], fixed[atom], "atom {atom}");
        }
    }
}
