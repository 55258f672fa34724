//! `Relaxed`: the corrector of a jump. What a network gets nearly right, the physical force field
//! puts right.

pub(super) mod corrector;
#[cfg(feature = "gpu")]
mod device;

use std::fmt;

use nalgebra::Vector3;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    Clock, Constraints, Corrected, Dynamics, Integrator, Motion, Physical, Settings, Stepper, Stop,
    redrawn,
};
use crate::Result;
use crate::forcefield::ForceField;
use crate::geometry::velocities::repartitioned_masses;
use crate::observe::Probe;
use crate::structure::{Frame, Topology};
use corrector::{Band, Corrector};

/// Friction, 1/ps: the heat of a corrected error is gone within 0.1 ps, and a torsion still rolls
/// off a barrier in half of that, which with twice the friction takes it twice as long.
pub(super) const FRICTION: f64 = 10.0;
/// Time step, ps, with hydrogens of 3 Da whose bonds are held.
pub(super) const TIME_STEP: f64 = 0.004;
/// Mass of a hydrogen, Da.
pub(super) const HYDROGEN: f64 = 3.0;
/// To tell how long a run takes: where between the least and the most a frame settles that decides
/// itself how many steps it gets, up to which size (atoms) one was seen to settle before the most,
/// and evaluations of the minimisation. Jumps of 160 ps took 50 steps of 50 to 154 (trp-cage), 72
/// and 83 of 50 to 348 (two proteins of 43 and 46 residues) and 113 of 50 to 400 (one of 70), those
/// of a dimer of 6,682 atoms the most.
const TYPICAL: f64 = 0.12;
const SETTLES: usize = 4000;
const MINIMISED: f64 = 50.0;
/// Keeps the corrector's random numbers apart from the jump's.
const STREAM: u64 = 0x5e1f_c0de;

/// How many steps of dynamics a correction makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// So many in any case.
    pub least: usize,
    /// So many at most: it ends before where the frame has settled (see [`Relaxed`]). Where this is
    /// no more than `least`, every correction makes so many.
    pub most: usize,
}

impl Effort {
    /// So many steps, always.
    pub fn exactly(steps: usize) -> Self {
        Effort {
            least: steps,
            most: steps,
        }
    }

    /// Evaluations of the forces that a correction of a molecule of so many atoms takes as a rule.
    fn typical_evaluations(self, atoms: usize) -> u64 {
        let steps = if self.is_free() && atoms < SETTLES {
            self.least as f64 + TYPICAL * (self.most - self.least) as f64
        } else {
            self.most as f64
        };
        (steps + MINIMISED.min(self.most as f64)).round() as u64
    }

    /// Whether a frame decides how many it gets.
    pub fn is_free(self) -> bool {
        self.least < self.most
    }

    /// As the log and checkpoints have it.
    fn words(self) -> Value {
        if self.is_free() {
            self.to_string().into()
        } else {
            self.most.into()
        }
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_free() {
            write!(f, "{} to ", self.least)?;
        }
        write!(f, "{}", self.most)
    }
}

/// How a frame is relaxed after a jump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relaxation {
    /// Steps of Langevin dynamics. Before them as many steps of minimisation are made at most,
    /// behind those that bring forces down to thermal ones (a few; five times as many at most).
    pub effort: Effort,
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
///
/// A frame whose [`Effort`] is its own has settled when its potential energy is back in the thermal
/// band of the start and no atom feels a force that no thermal motion explains. The
/// start is what the run began with ([`Stepper::begin`]), the same for all replicas, so that what a
/// replica gets depends on no other and on nothing that was done before its last frame.
pub struct Relaxed<S> {
    stepper: S,
    relaxation: Relaxation,
    /// What the run began with, where it was told; the band is taken from it when it is needed.
    start: Option<Vec<Vector3<f64>>>,
    band: Option<Band>,
    /// One a replica: an evaluation needs scratch of its own.
    correctors: Vec<Corrector>,
    masses: Vec<f64>,
    constraints: Constraints,
    field: ForceField,
    attempt: u64,
    stop: Stop,
    /// Where frames are corrected if that is not the CPU.
    #[cfg(feature = "gpu")]
    device: Option<device::OnDevice>,
}

impl<S: Stepper> Relaxed<S> {
    /// Corrects the steps of `stepper` with `field`, the force field of `topology`.
    pub fn new(stepper: S, topology: &Topology, field: ForceField, relaxation: Relaxation) -> Self {
        let masses = repartitioned_masses(topology, &field.system().masses, HYDROGEN);
        let constraints = Constraints::of_hydrogens(topology, field.system(), &masses);
        Relaxed {
            stepper,
            relaxation,
            start: None,
            band: None,
            correctors: Vec::new(),
            masses,
            constraints,
            field,
            attempt: 0,
            stop: Stop::never(),
            #[cfg(feature = "gpu")]
            device: None,
        }
    }

    /// Corrects on this device: all replicas at once.
    #[cfg(feature = "gpu")]
    #[must_use]
    pub fn on_device(mut self, gpu: &crate::engine::Gpu) -> Self {
        self.device = Some(device::OnDevice {
            gpu: gpu.clone(),
            system: self.field.system().clone(),
            masses: self.masses.clone(),
            constraints: self.constraints.clone(),
            cutoff: self.field.cutoff(),
            settings: self.settings(self.relaxation.first_replica),
            correctors: device::Correctors::default(),
        });
        self
    }

    /// What the device is asked for, with the device.
    #[cfg(feature = "gpu")]
    fn on_its_device(&mut self) -> Option<(&mut device::OnDevice, device::Plan<'_>)> {
        let plan = device::Plan {
            effort: self.relaxation.effort,
            band: self.band,
            attempt: self.attempt,
            stop: &self.stop,
        };
        Some((self.device.as_mut()?, plan))
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
            let replica = self.relaxation.first_replica + self.correctors.len() as u64;
            let mut corrector = self.corrector(replica)?;
            corrector.dynamics.reseed(self.attempt);
            self.correctors.push(corrector);
        }
        Ok(())
    }

    /// The band that frames are to settle in, where it is not known yet.
    fn find_band(&mut self) -> Result<()> {
        if self.relaxation.effort.is_free()
            && let Some(start) = self.start.take()
        {
            let mut corrector = self.corrector(u64::MAX)?;
            let found = corrector.band_of(&start, self.freedom(), &self.stop);
            if found.is_err() {
                self.start = Some(start);
            }
            self.band = found?;
        }
        Ok(())
    }

    /// How the dynamics of the replica of this number is made.
    fn settings(&self, replica: u64) -> Settings {
        let Relaxation {
            temperature, seed, ..
        } = self.relaxation;
        Settings {
            integrator: Integrator::Langevin { friction: FRICTION },
            time_step: TIME_STEP,
            temperature,
            stop_centre: true,
            seed: seed ^ STREAM,
            first_replica: replica,
        }
    }

    /// The corrector of the replica of this number.
    fn corrector(&self, replica: u64) -> Result<Corrector> {
        let settings = self.settings(replica);
        let dynamics = Dynamics::new(
            Physical::new(self.field.clone()),
            self.masses.clone(),
            self.constraints.clone(),
            settings,
        )?;
        Ok(Corrector::new(self.field.clone(), dynamics))
    }
}

impl<S: Stepper> Stepper for Relaxed<S> {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        self.stepper.step(replicas)?;
        self.find_band()?;
        #[cfg(feature = "gpu")]
        if let Some((device, plan)) = self.on_its_device() {
            return device.relax(replicas, plan);
        }
        self.prepare(replicas.len())?;
        let (effort, band, stop) = (self.relaxation.effort, self.band, &self.stop);
        let work = replicas.par_iter_mut().zip(&mut self.correctors);
        work.try_for_each(|(frame, corrector)| corrector.relax(frame, effort, band, stop))
    }

    fn heed(&mut self, stop: &Stop) {
        self.stop = stop.clone();
        self.stepper.heed(stop);
    }

    fn begin(&mut self, start: &[Vector3<f64>]) {
        self.stepper.begin(start);
        (self.start, self.band) = (Some(start.to_vec()), None);
    }

    fn redraw(&mut self, replica: usize, draw: u64, frame: &mut Frame) -> Result<()> {
        self.stepper.redraw(replica, draw, frame)?;
        self.find_band()?;
        #[cfg(feature = "gpu")]
        if let Some((device, plan)) = self.on_its_device() {
            return device.redraw((replica, draw), frame, plan);
        }
        self.prepare(replica + 1)?;
        let corrector = &mut self.correctors[replica];
        corrector.dynamics.reseed(redrawn(self.attempt, draw));
        let relaxed = corrector.relax(frame, self.relaxation.effort, self.band, &self.stop);
        corrector.dynamics.reseed(self.attempt);
        relaxed
    }

    fn shortfall(&self, replica: usize) -> Option<&str> {
        #[cfg(feature = "gpu")]
        if let Some(device) = &self.device {
            return device.found(replica)?.shortfall.as_deref();
        }
        self.correctors.get(replica)?.shortfall.as_deref()
    }

    fn corrected(&self, replica: usize) -> Option<u64> {
        #[cfg(feature = "gpu")]
        if let Some(device) = &self.device {
            return Some(device.found(replica)?.steps);
        }
        Some(self.correctors.get(replica)?.potentials.len() as u64)
    }

    fn apart(&mut self) -> Option<Corrected<'_>> {
        #[cfg(feature = "gpu")]
        if self.device.is_some() {
            return None; // all replicas at once, in time that is the device's to say
        }
        Some(Corrected {
            stepper: &mut self.stepper,
            field: &self.field,
            evaluations: self
                .relaxation
                .effort
                .typical_evaluations(self.masses.len()),
        })
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
            effort,
            temperature,
            ..
        } = self.relaxation;
        let mut identity = self.stepper.identity();
        identity.insert("steps of the corrector".to_owned(), effort.words());
        identity.insert("temperature (K)".to_owned(), json!(temperature));
        if let Some(cutoff) = self.field.cutoff() {
            // not said where there is none, as in checkpoints of before there was one
            identity.insert("cutoff of the corrector (Å)".to_owned(), json!(cutoff));
        }
        identity
    }

    fn describe(&self) -> String {
        let Relaxation {
            effort,
            temperature,
            ..
        } = self.relaxation;
        let cutoff = self.field.cutoff();
        let cutoff = cutoff.map_or(String::new(), |cutoff| format!(", cutoff {cutoff} Å"));
        format!(
            "{}; then {effort} steps of {} fs in ff14SB + OBC2{cutoff} at {temperature} K",
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
