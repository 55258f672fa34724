//! `Relaxed`: the corrector of a jump. What a network gets nearly right, the physical force field
//! puts right.

use nalgebra::Vector3;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::{Clock, Constraints, Dynamics, Integrator, Motion, Physical, Settings, Stepper};
use crate::Result;
use crate::forcefield::{ForceField, Minimizer};
use crate::geometry::noise;
use crate::geometry::velocities::{maxwell_boltzmann, repartitioned_masses, stop_centre};
use crate::observe::Probe;
use crate::structure::{Frame, Topology};

/// Root-mean-square force up to which a frame is left to dynamics, kJ/mol/Å. That of ff14SB
/// proteins at 300 K is about 60: bonds of k ≈ 2700 kJ/mol/Å² feel √(k·kT) ≈ 80. Only what no
/// thermal motion explains is minimised away.
const THERMAL_FORCE: f64 = 80.0;
/// Friction, 1/ps: the heat of a corrected error is gone within 0.1 ps, and a torsion still rolls
/// off a barrier in half of that, which with twice the friction takes it twice as long.
const FRICTION: f64 = 10.0;
/// Time step, ps, with hydrogens of 3 Da whose bonds are held.
const TIME_STEP: f64 = 0.004;
/// No atom of a whole molecule goes farther than this, Å, and this many Å a ps, the speed of a free
/// hydrogen of 3 Da at 300 K.
const FARTHEST: f64 = 5.0;
const FASTEST: f64 = 16.0;
/// Mass of a hydrogen, Da.
const HYDROGEN: f64 = 3.0;
/// Keeps the corrector's random numbers apart from the jump's.
const STREAM: u64 = 0x5e1f_c0de;

/// How a frame is relaxed after a jump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relaxation {
    /// Most steps of minimisation, made only while forces are larger than thermal ones, and then
    /// steps of Langevin dynamics.
    pub steps: usize,
    /// Temperature of the dynamics, K.
    pub temperature: f64,
    /// Seed of its random numbers.
    pub seed: u64,
    /// Number of the first replica.
    pub first_replica: u64,
}

/// A stepper whose every step is followed by a relaxation in the physical force field.
///
/// Time does not advance for it: the femtoseconds of a relaxation are small beside the lag time.
/// Frames get velocities.
pub struct Relaxed<S> {
    stepper: S,
    relaxation: Relaxation,
    /// One a replica: an evaluation needs scratch of its own.
    dynamics: Vec<(ForceField, Dynamics<Physical>)>,
    masses: Vec<f64>,
    constraints: Constraints,
    field: ForceField,
    attempt: u64,
}

impl<S: Stepper> Relaxed<S> {
    /// Corrects the steps of `stepper` with `field`, the force field of `topology`.
    pub fn new(stepper: S, topology: &Topology, field: ForceField, relaxation: Relaxation) -> Self {
        let masses = repartitioned_masses(topology, &field.system().masses, HYDROGEN);
        let constraints = Constraints::of_hydrogens(topology, field.system(), &masses);
        Relaxed {
            stepper,
            relaxation,
            dynamics: Vec::new(),
            masses,
            constraints,
            field,
            attempt: 0,
        }
    }

    /// Degrees of freedom of the kinetic energy.
    pub fn freedom(&self) -> usize {
        (3 * self.masses.len()).saturating_sub(3 + self.constraints.len())
    }

    /// Masses of its dynamics, Da.
    pub fn masses(&self) -> &[f64] {
        &self.masses
    }

    /// One field and its dynamics for every replica.
    fn prepare(&mut self, replicas: usize) -> Result<()> {
        while self.dynamics.len() < replicas {
            let Relaxation {
                temperature,
                seed,
                first_replica,
                ..
            } = self.relaxation;
            let settings = Settings {
                integrator: Integrator::Langevin { friction: FRICTION },
                time_step: TIME_STEP,
                temperature,
                stop_centre: true,
                seed: seed ^ STREAM,
                first_replica: first_replica + self.dynamics.len() as u64,
            };
            let physical = Physical::new(self.field.clone());
            let mut dynamics = Dynamics::new(
                physical,
                self.masses.clone(),
                self.constraints.clone(),
                settings,
            )?;
            dynamics.reseed(self.attempt);
            self.dynamics.push((self.field.clone(), dynamics));
        }
        Ok(())
    }
}

/// Minimises what is strained and lets the frame find its temperature. A frame too strained for
/// that is left where the minimisation ended, without dynamics that would throw it apart: the guard
/// is to see the fault that the jump made. So is one that dynamics did throw apart, after a closer
/// minimisation: among a thousand atoms one clash hardly shows in the mean force.
fn relax(
    frame: &mut Frame,
    field: &mut ForceField,
    dynamics: &mut Dynamics<Physical>,
    steps: usize,
) -> Result<()> {
    let minimized = Minimizer {
        tolerance: THERMAL_FORCE,
        steps,
        fixed: Vec::new(),
    }
    .run(field, &mut frame.positions);
    if !minimized.converged {
        return Ok(());
    }
    let unheld = frame.positions.clone();
    dynamics
        .constraints()
        .hold_lengths(&unheld, &mut frame.positions);
    let held = frame.positions.clone();
    let Settings {
        temperature,
        time_step,
        seed,
        first_replica,
        ..
    } = dynamics.settings();
    let step = frame.step * steps as u64;
    let mut random = noise::generator(seed, u64::MAX, first_replica, step);
    let mut velocities: Vec<Vector3<f64>> =
        maxwell_boltzmann(dynamics.masses(), temperature, &mut random);
    dynamics
        .constraints()
        .stop_stretching(&frame.positions, &mut velocities);
    stop_centre(dynamics.masses(), &mut velocities);
    let mut inner = [Frame {
        step,
        positions: std::mem::take(&mut frame.positions),
        velocities: Some(velocities),
        ..Frame::default()
    }];
    for _ in 0..steps {
        dynamics.step(&mut inner)?;
    }
    let [
        Frame {
            positions,
            velocities,
            ..
        },
    ] = inner;
    let farthest = FARTHEST + FASTEST * time_step * steps as f64;
    if positions
        .iter()
        .zip(&held)
        .all(|(after, before)| (after - before).norm() <= farthest)
    {
        (frame.positions, frame.velocities) = (positions, velocities);
    } else {
        frame.positions = held;
        Minimizer {
            tolerance: THERMAL_FORCE / 4.0,
            steps,
            fixed: Vec::new(),
        }
        .run(field, &mut frame.positions);
    }
    Ok(())
}

impl<S: Stepper> Stepper for Relaxed<S> {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        self.stepper.step(replicas)?;
        self.prepare(replicas.len())?;
        let steps = self.relaxation.steps;
        let work = replicas.par_iter_mut().zip(&mut self.dynamics);
        work.try_for_each(|(frame, (field, dynamics))| relax(frame, field, dynamics, steps))
    }

    fn clock(&self) -> Clock {
        self.stepper.clock()
    }

    fn motion(&self) -> Option<Motion> {
        Some(Motion {
            masses: self.masses.clone(),
            freedom: self.freedom(),
        })
    }

    fn identity(&self) -> Map<String, Value> {
        let Relaxation {
            steps, temperature, ..
        } = self.relaxation;
        let mut identity = self.stepper.identity();
        identity.insert("steps of the corrector".to_owned(), steps.into());
        identity.insert("temperature (K)".to_owned(), json!(temperature));
        identity
    }

    fn describe(&self) -> String {
        let Relaxation {
            steps, temperature, ..
        } = self.relaxation;
        format!(
            "{}; then {steps} steps of {} fs in ff14SB + OBC2 at {temperature} K",
            self.stepper.describe(),
            TIME_STEP * 1e3
        )
    }

    fn reseed(&mut self, attempt: u64) {
        self.attempt = attempt;
        self.stepper.reseed(attempt);
        self.dynamics
            .iter_mut()
            .for_each(|(_, dynamics)| dynamics.reseed(attempt));
    }

    fn probe(&self) -> Option<&dyn Probe> {
        self.stepper.probe()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::forcefield::{Precision, PrepareOptions, Prepared, System, prepare};
    use crate::geometry::velocities::{kinetic_energy, temperature};
    use crate::structure::{ReadOptions, read};

    /// Stretches a bond by 0.3 Å: more than any thermal motion.
    struct Strain;

    impl Stepper for Strain {
        fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
            for frame in replicas {
                let along = (frame.positions[0] - frame.positions[1]).normalize();
                frame.positions[0] += 0.3 * along;
                frame.step += 1;
            }
            Ok(())
        }
        fn clock(&self) -> Clock {
            Clock::Jumps(1.0)
        }
        fn motion(&self) -> Option<Motion> {
            None
        }
        fn identity(&self) -> Map<String, Value> {
            Map::new()
        }
        fn describe(&self) -> String {
            "strain".into()
        }
        fn reseed(&mut self, _: u64) {}
    }

    fn relaxed(steps: usize, first_replica: u64) -> (Relaxed<Strain>, Frame) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
        let structure = read(&file, &ReadOptions::default()).unwrap();
        let Prepared {
            topology,
            mut frame,
            ..
        } = prepare(
            &structure.topology,
            &structure.frame,
            &PrepareOptions::default(),
        )
        .unwrap();
        let mut field = ForceField::new(System::build(&topology).unwrap(), Precision::F32);
        Minimizer::default().run(&mut field, &mut frame.positions);
        let relaxation = Relaxation {
            steps,
            temperature: 300.0,
            seed: 5,
            first_replica,
        };
        (Relaxed::new(Strain, &topology, field, relaxation), frame)
    }

    #[test]
    fn a_torn_bond_closes_and_the_frame_is_at_its_temperature() {
        let (mut stepper, frame) = relaxed(100, 0);
        let mut field = stepper.field.clone();
        let mut energy = |frame: &Frame| {
            field
                .energy_forces(
                    &frame.positions,
                    &mut vec![Vector3::zeros(); frame.positions.len()],
                )
                .bond
        };
        let mut frames = vec![frame; 20];
        stepper.step(&mut frames).unwrap();
        let freedom = stepper.freedom();
        let kelvin: Vec<f64> = frames
            .iter()
            .map(|f| {
                temperature(
                    kinetic_energy(stepper.masses(), f.velocities.as_ref().unwrap()),
                    freedom,
                )
            })
            .collect();
        let mean = kelvin.iter().sum::<f64>() / 20.0;
        // independent frames: T has a standard deviation of T·√(2/freedom); from a minimum, a tenth
        // may still be missing after 0.4 ps
        let error = 300.0 * (2.0 / freedom as f64).sqrt() / 20f64.sqrt();
        assert!(
            mean >= 270.0 - 4.0 * error && mean <= 300.0 + 4.0 * error,
            "{mean}"
        );
        let strained = {
            let mut frames = [frames[0].clone()];
            Strain.step(&mut frames).unwrap();
            energy(&frames[0])
        };
        // the stretched N–CA bond alone costs k·0.3² ≈ 120 kJ/mol; 68 bonds at 300 K have about
        // 68·kT/2 = 85, the 31 that are free 39
        for frame in &frames {
            assert!(energy(frame) <= 85.0 * 1.6, "{}", energy(frame));
        }
        assert!(strained > energy(&frames[0]) + 50.0);
    }

    #[test]
    fn what_dynamics_throws_apart_is_left_minimised() {
        let (stepper, frame) = relaxed(100, 0);
        let mut field = stepper.field.clone();
        // ten times the step that bonds bear
        let settings = Settings {
            integrator: Integrator::Langevin { friction: FRICTION },
            time_step: 10.0 * TIME_STEP,
            temperature: 300.0,
            stop_centre: true,
            seed: 1,
            first_replica: 0,
        };
        let physical = Physical::new(field.clone());
        let mut wild = Dynamics::new(
            physical,
            stepper.masses.clone(),
            stepper.constraints.clone(),
            settings,
        )
        .unwrap();
        let mut after = frame.clone();
        relax(&mut after, &mut field, &mut wild, 100).unwrap();
        assert!(after.velocities.is_none());
        let farthest = after
            .positions
            .iter()
            .zip(&frame.positions)
            .map(|(a, b)| (a - b).norm())
            .fold(0.0, f64::max);
        // from a minimum: only lengths that are held change
        assert!(farthest <= 0.3, "{farthest}");
    }

    #[test]
    fn a_replica_is_the_same_alone() {
        let (mut all, frame) = relaxed(10, 0);
        let mut frames = vec![frame; 3];
        let (mut alone, frame) = relaxed(10, 2);
        let mut one = vec![frame];
        for _ in 0..2 {
            all.step(&mut frames).unwrap();
            alone.step(&mut one).unwrap();
        }
        assert_eq!(frames[2], one[0]);
        assert_ne!(frames[1].positions, one[0].positions);
    }
}
