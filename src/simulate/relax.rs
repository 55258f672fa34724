//! `Relaxed`: the corrector of a jump. What a network gets nearly right, the physical force field
//! puts right.

use nalgebra::Vector3;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    Clock, Constraints, Dynamics, Integrator, Motion, Physical, Settings, Stepper, Stop, redrawn,
};
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
/// Largest force on an atom up to which a frame is left to dynamics, kJ/mol/Å: ten times the mean,
/// which no atom of a protein at 300 K reaches. Without it one clash among thousands of atoms,
/// which the mean hides, throws the dynamics apart.
const LARGEST_FORCE: f64 = 800.0;
/// How many times as many steps of minimisation a frame is given that needs more than it should.
const PATIENCE: usize = 4;
/// By how much closer to a minimum a frame is brought whose dynamics failed.
const CLOSER: f64 = 0.25;
/// Friction, 1/ps: the heat of a corrected error is gone within 0.1 ps, and a torsion still rolls
/// off a barrier in half of that, which with twice the friction takes it twice as long.
pub(super) const FRICTION: f64 = 10.0;
/// Time step, ps, with hydrogens of 3 Da whose bonds are held.
pub(super) const TIME_STEP: f64 = 0.004;
/// No atom of a whole molecule goes farther than this, Å, and this many Å a ps, the speed of a free
/// hydrogen of 3 Da at 300 K.
const FARTHEST: f64 = 5.0;
const FASTEST: f64 = 16.0;
/// Mass of a hydrogen, Da.
pub(super) const HYDROGEN: f64 = 3.0;
/// Keeps the corrector's random numbers apart from the jump's.
const STREAM: u64 = 0x5e1f_c0de;

/// How a frame is relaxed after a jump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relaxation {
    /// Steps of Langevin dynamics. Before them about as many steps of minimisation are made at most
    /// (four times as many for a frame that needs them), only while forces are larger than thermal.
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
    correctors: Vec<Corrector>,
    masses: Vec<f64>,
    constraints: Constraints,
    field: ForceField,
    attempt: u64,
    stop: Stop,
}

impl<S: Stepper> Relaxed<S> {
    /// Corrects the steps of `stepper` with `field`, the force field of `topology`.
    pub fn new(stepper: S, topology: &Topology, field: ForceField, relaxation: Relaxation) -> Self {
        let masses = repartitioned_masses(topology, &field.system().masses, HYDROGEN);
        let constraints = Constraints::of_hydrogens(topology, field.system(), &masses);
        Relaxed {
            stepper,
            relaxation,
            correctors: Vec::new(),
            masses,
            constraints,
            field,
            attempt: 0,
            stop: Stop::never(),
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

    /// A corrector for every replica.
    fn prepare(&mut self, replicas: usize) -> Result<()> {
        while self.correctors.len() < replicas {
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
                first_replica: first_replica + self.correctors.len() as u64,
            };
            let physical = Physical::new(self.field.clone());
            let mut dynamics = Dynamics::new(
                physical,
                self.masses.clone(),
                self.constraints.clone(),
                settings,
            )?;
            dynamics.reseed(self.attempt);
            self.correctors.push(Corrector {
                field: self.field.clone(),
                dynamics,
                shortfall: None,
            });
        }
        Ok(())
    }
}

/// What corrects the frames of one replica.
struct Corrector {
    field: ForceField,
    dynamics: Dynamics<Physical>,
    /// What it could not do with the last frame.
    shortfall: Option<String>,
}

impl Corrector {
    /// Minimises what is strained and lets the frame find its temperature; a frame whose dynamics
    /// is thrown apart gets closer to a minimum and another try. One too strained even so is left
    /// where the minimisation ended, without velocities, and the shortfall says so: dynamics would
    /// hide from the guard the fault that the jump made.
    fn relax(&mut self, frame: &mut Frame, steps: usize, stop: &Stop) -> Result<()> {
        self.shortfall = None;
        let mut closeness = 1.0;
        loop {
            if let Some(shortfall) = self.minimize(frame, steps, closeness, stop) {
                self.shortfall = Some(shortfall);
            } else if !self.move_about(frame, steps, stop)? {
                if closeness == 1.0 {
                    closeness = CLOSER;
                    continue;
                }
                self.shortfall = Some("its dynamics threw the frame apart twice".to_owned());
            }
            if stop.is_asked() {
                return Err(Stop::interrupted(frame.step));
            }
            return Ok(());
        }
    }

    /// Brings forces down to `closeness` times thermal ones, or says why not.
    fn minimize(
        &mut self,
        frame: &mut Frame,
        steps: usize,
        closeness: f64,
        stop: &Stop,
    ) -> Option<String> {
        let minimizer = |steps| Minimizer {
            tolerance: closeness * THERMAL_FORCE,
            largest: closeness * LARGEST_FORCE,
            steps,
            ..Minimizer::default()
        };
        let mut run = |steps| {
            minimizer(steps).run_until(&mut self.field, &mut frame.positions, || stop.is_asked())
        };
        let mut done = run(steps);
        if !done.converged {
            done = run(PATIENCE * steps);
        }
        (!done.converged).then(|| {
            format!(
                "{} steps of minimisation left forces of {:.0} kJ/mol/Å (RMS)",
                (1 + PATIENCE) * steps,
                done.rms_force
            )
        })
    }

    /// Dynamics from new velocities; a frame that it throws apart is as before, with its bonds
    /// held, and the answer is no.
    fn move_about(&mut self, frame: &mut Frame, steps: usize, stop: &Stop) -> Result<bool> {
        let dynamics = &mut self.dynamics;
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
            if stop.is_asked() {
                return Err(Stop::interrupted(frame.step));
            }
            dynamics.step(&mut inner)?;
        }
        let [inner] = inner;
        let farthest = FARTHEST + FASTEST * time_step * steps as f64;
        let whole = inner
            .positions
            .iter()
            .zip(&held)
            .all(|(after, before)| (after - before).norm() <= farthest);
        if whole {
            (frame.positions, frame.velocities) = (inner.positions, inner.velocities);
            frame.kinetic = inner.kinetic;
        } else {
            frame.positions = held;
        }
        Ok(whole)
    }
}

impl<S: Stepper> Stepper for Relaxed<S> {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        self.stepper.step(replicas)?;
        self.prepare(replicas.len())?;
        let (steps, stop) = (self.relaxation.steps, &self.stop);
        let work = replicas.par_iter_mut().zip(&mut self.correctors);
        work.try_for_each(|(frame, corrector)| corrector.relax(frame, steps, stop))
    }

    fn heed(&mut self, stop: &Stop) {
        self.stop = stop.clone();
        self.stepper.heed(stop);
    }

    fn begin(&mut self, start: &[Vector3<f64>]) {
        self.stepper.begin(start);
    }

    fn redraw(&mut self, replica: usize, draw: u64, frame: &mut Frame) -> Result<()> {
        self.stepper.redraw(replica, draw, frame)?;
        self.prepare(replica + 1)?;
        let corrector = &mut self.correctors[replica];
        corrector.dynamics.reseed(redrawn(self.attempt, draw));
        let relaxed = corrector.relax(frame, self.relaxation.steps, &self.stop);
        corrector.dynamics.reseed(self.attempt);
        relaxed
    }

    fn shortfall(&self, replica: usize) -> Option<&str> {
        self.correctors.get(replica)?.shortfall.as_deref()
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
        self.correctors
            .iter_mut()
            .for_each(|corrector| corrector.dynamics.reseed(attempt));
    }

    fn probe(&self) -> Option<&dyn Probe> {
        self.stepper.probe()
    }
}

#[cfg(test)]
mod tests;
