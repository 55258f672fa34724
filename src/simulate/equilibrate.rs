//! What is done to the input of a run of jumps before its first: minimised, heated, and given a
//! moment at its temperature.
//!
//! A structure as it is in a file (from a crystal, by a builder) is not one of the force field at
//! its temperature, and what jumps keep to (a fold, places of hydrogens) would be that of the file.

use super::relax::{FRICTION, HYDROGEN, TIME_STEP};
use super::{Constraints, Dynamics, Integrator, Physical, Settings, Stepper, Stop, heat};
use crate::forcefield::{ForceField, Minimizer};
use crate::geometry::superpose::{pick, rmsd};
use crate::geometry::velocities::repartitioned_masses;
use crate::structure::{Frame, Topology};
use crate::{Error, Result};

/// Root-mean-square force at which the minimisation ends, kJ/mol/Å: well below thermal ones of 80.
const TOLERANCE: f64 = 5.0;
/// Most steps of it.
const STEPS: usize = 500;
/// Keeps its random numbers apart from those of jumps and their corrector.
const STREAM: u64 = 0xba11_ad5e;

/// How an input is equilibrated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equilibration {
    /// Time of dynamics, ps, half of it on the way to the temperature.
    pub time: f64,
    /// Temperature, K.
    pub temperature: f64,
    /// Seed of its random numbers; every replica of a run starts from the same frame.
    pub seed: u64,
}

/// A frame that has been equilibrated, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Equilibrated {
    /// The frame, at step 0 and time 0, with velocities.
    pub frame: Frame,
    /// Potential energies of the input and of the minimum, kJ/mol.
    pub minimised: [f64; 2],
    /// RMSD of the heavy atoms from the input, Å.
    pub moved: f64,
}

impl Equilibration {
    /// Evaluations of the forces that it takes at most.
    pub fn evaluations(&self) -> u64 {
        STEPS as u64 + (self.time / TIME_STEP).ceil() as u64
    }

    /// Equilibrates `frame`, one of `topology`, in `field`.
    ///
    /// # Errors
    /// [`Error::Input`] where its energy is not finite, or the dynamics threw it apart;
    /// [`Error::Interrupted`] as soon as `stop` has a reason.
    pub fn run(
        &self,
        topology: &Topology,
        mut field: ForceField,
        frame: &Frame,
        stop: &Stop,
    ) -> Result<Equilibrated> {
        let refuse = |what: &str| {
            let hint = "look at it with `mdsurrogate energy`, mend it with `mdsurrogate minimize`, \
                        or run it --as-is";
            Error::input(crate::error::Place::default(), what, hint)
        };
        let mut positions = frame.positions.clone();
        let done = Minimizer {
            tolerance: TOLERANCE,
            steps: STEPS,
            ..Minimizer::default()
        }
        .run_until(&mut field, &mut positions, || stop.reason().is_some());
        if !done.after.total.is_finite() {
            return Err(refuse("the input has no finite energy"));
        }
        let mut frames = [Frame::at_rest(positions)];
        let mut dynamics = self.dynamics(topology, field)?;
        heat(&mut dynamics, &mut frames, 0.5 * self.time, stop)?;
        for _ in 0..(0.5 * self.time / TIME_STEP).ceil() as u64 {
            if stop.reason().is_some() {
                return Err(Stop::interrupted(0));
            }
            dynamics.step(&mut frames)?;
        }
        let [last] = frames;
        let heavy = topology.heavy_atoms();
        let moved = rmsd(
            &pick(&last.positions, &heavy),
            &pick(&frame.positions, &heavy),
        );
        if !moved.is_finite() {
            return Err(refuse("the input flew apart when it was equilibrated"));
        }
        Ok(Equilibrated {
            frame: Frame {
                step: 0,
                time: 0.0,
                heat: 0.0,
                ..last
            },
            minimised: [done.before.total, done.after.total],
            moved,
        })
    }

    fn dynamics(&self, topology: &Topology, field: ForceField) -> Result<Dynamics<Physical>> {
        let masses = repartitioned_masses(topology, &field.system().masses, HYDROGEN);
        let constraints = Constraints::of_hydrogens(topology, field.system(), &masses);
        let settings = Settings {
            integrator: Integrator::Langevin { friction: FRICTION },
            time_step: TIME_STEP,
            temperature: self.temperature,
            stop_centre: true,
            seed: self.seed ^ STREAM,
            first_replica: 0,
        };
        Dynamics::new(Physical::new(field), masses, constraints, settings)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::forcefield::{Precision, System};
    use crate::geometry::velocities::temperature;
    use crate::structure::{ReadOptions, read};

    #[test]
    fn a_strained_input_comes_to_its_temperature() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
        let structure = read(&file, &ReadOptions::default()).unwrap();
        let topology = &structure.topology;
        let mut frame = structure.frame;
        let along = (frame.positions[0] - frame.positions[4]).normalize();
        frame.positions[0] += 0.5 * along;
        let field = ForceField::new(System::build(topology).unwrap(), Precision::F32);
        let equilibration = Equilibration {
            time: 1.0,
            temperature: 300.0,
            seed: 4,
        };
        let run = || equilibration.run(topology, field.clone(), &frame, &Stop::never());
        let done = run().unwrap();
        let [before, after] = done.minimised;
        // the stretched N–CA bond alone costs k·0.5² ≈ 350 kJ/mol
        assert!(after <= before - 300.0, "{done:?}");
        assert!(done.moved > 0.05 && done.moved <= 3.0, "{}", done.moved);
        assert_eq!(
            (done.frame.step, done.frame.time, done.frame.heat),
            (0, 0.0, 0.0)
        );
        let freedom = equilibration
            .dynamics(topology, field.clone())
            .unwrap()
            .freedom();
        let kelvin = temperature(done.frame.kinetic.unwrap(), freedom);
        // one frame: T has a standard deviation of T·√(2/freedom), 33 K
        let deviation = (kelvin - 300.0).abs();
        assert!(
            deviation <= 4.0 * 300.0 * (2.0 / freedom as f64).sqrt(),
            "{kelvin}"
        );
        assert_eq!(run().unwrap(), done);
        let asked = Stop::never();
        asked.ask();
        let error = equilibration
            .run(topology, field.clone(), &frame, &asked)
            .unwrap_err();
        assert_eq!(error.exit_code(), 75);
    }
}
