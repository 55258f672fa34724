//! Molecular dynamics over any [`Force`]: velocity Verlet, Langevin and CSVR, with f64 state.

use nalgebra::Vector3;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{ChiSquared, Distribution, StandardNormal};
use serde_json::{Map, Value, json};

use super::{Clock, Constraints, Force, Integrator, Motion, Settings, Stepper};
use crate::geometry::noise;
use crate::geometry::velocities::{kinetic_energy, maxwell_boltzmann, stop_centre, thermal_speed};
use crate::structure::Frame;
use crate::units::{ACCELERATION, BOLTZMANN};
use crate::{Error, Result};

/// The force on a replica where it was last evaluated.
#[derive(Debug, Clone, Default)]
struct Evaluated {
    positions: Vec<Vector3<f64>>,
    force: Vec<Vector3<f64>>,
    potential: Option<f64>,
}

/// A stepper that integrates the equations of motion. A frame without velocities is given some at
/// the temperature.
pub struct Dynamics<F> {
    force: F,
    masses: Vec<f64>,
    constraints: Constraints,
    settings: Settings,
    attempt: u64,
    /// Forces at the positions that the last step ended at, one entry a replica: the next step
    /// begins there.
    last: Vec<Evaluated>,
}

impl<F: Force> Dynamics<F> {
    /// Dynamics of atoms of `masses`, Da, with `constraints` held.
    ///
    /// # Errors
    /// [`Error::Usage`] for a time step, temperature, friction or relaxation time that is negative,
    /// zero where it may not be, or not finite.
    pub fn new(
        force: F,
        masses: Vec<f64>,
        constraints: Constraints,
        settings: Settings,
    ) -> Result<Self> {
        let thermostat = match settings.integrator {
            Integrator::VelocityVerlet => 1.0,
            Integrator::Langevin { friction: value } | Integrator::Csvr { relaxation: value } => {
                value
            }
        };
        for (name, value, least) in [
            ("time step", settings.time_step, f64::MIN_POSITIVE),
            ("temperature", settings.temperature, 0.0),
            ("friction or relaxation time", thermostat, f64::MIN_POSITIVE),
        ] {
            if !(value >= least && value.is_finite()) {
                return Err(Error::usage(
                    format!("a {name} of {value} cannot be integrated"),
                    "--dt 2fs --temp 300K --friction 1/ps",
                ));
            }
        }
        Ok(Dynamics {
            force,
            masses,
            constraints,
            settings,
            attempt: 0,
            last: Vec::new(),
        })
    }

    /// What it was made with.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// What makes its forces.
    pub fn force(&self) -> &F {
        &self.force
    }

    /// The force on a replica, kJ/mol/Å, where its last step ended.
    pub(super) fn forces(&self, replica: usize) -> &[Vector3<f64>] {
        &self.last[replica].force
    }

    /// Goes on with other settings, which must be ones that [`Dynamics::new`] takes.
    pub(super) fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Degrees of freedom of the kinetic energy.
    pub fn freedom(&self) -> usize {
        let stopped = if self.settings.stop_centre { 3 } else { 0 };
        (3 * self.masses.len()).saturating_sub(self.constraints.len() + stopped)
    }

    /// The bonds that are held.
    pub fn constraints(&self) -> &Constraints {
        &self.constraints
    }

    /// Masses, Da.
    pub fn masses(&self) -> &[f64] {
        &self.masses
    }

    /// Brings `last` up to the positions of the frames.
    fn evaluate(&mut self, replicas: &[Frame]) -> Result<()> {
        self.last.resize_with(replicas.len(), Evaluated::default);
        if self
            .last
            .iter()
            .zip(replicas)
            .all(|(last, frame)| last.positions == frame.positions)
        {
            return Ok(());
        }
        let zeros = |frame: &Frame| vec![Vector3::zeros(); frame.positions.len()];
        let mut forces: Vec<_> = replicas
            .iter()
            .zip(&mut self.last)
            .map(|(frame, last)| reuse(last, || zeros(frame)))
            .collect();
        self.force.forces(replicas, &mut forces)?;
        for (replica, ((last, force), frame)) in
            self.last.iter_mut().zip(forces).zip(replicas).enumerate()
        {
            last.force = force;
            last.potential = self.force.energies().map(|energies| energies[replica]);
            last.positions.clone_from(&frame.positions);
        }
        Ok(())
    }

    /// Kinetic energy, kJ/mol, as the mean of those half a step before and after the frame.
    ///
    /// The velocities at the end of a step of size h are too cold by a share (ωh/2)² for a
    /// vibration of frequency ω: 40 % for C=O at 4 fs. Those half a step away, v ± (h/2)·a, have
    /// the temperature that positions are sampled at (exactly, for a harmonic oscillator, by BAOAB:
    /// Leimkuhler, Matthews, J. Chem. Phys. 138, 174102 (2013)); their mean kinetic energy is that
    /// of v and that of (h/2)·a.
    fn half_step_kinetic(&self, replica: usize, frame: &Frame, velocities: &[Vector3<f64>]) -> f64 {
        let mut kick = vec![Vector3::zeros(); velocities.len()];
        self.kick(replica, frame, &mut kick);
        kinetic_energy(&self.masses, velocities) + kinetic_energy(&self.masses, &kick)
    }

    /// Velocity by half a step of force.
    fn kick(&self, replica: usize, frame: &Frame, velocities: &mut [Vector3<f64>]) {
        let scale = 0.5 * self.settings.time_step * ACCELERATION;
        for ((velocity, force), mass) in velocities
            .iter_mut()
            .zip(&self.last[replica].force)
            .zip(&self.masses)
        {
            *velocity += force * (scale / mass);
        }
        self.constraints
            .stop_stretching(&frame.positions, velocities);
    }

    /// Positions by `time` of velocity.
    fn drift(&self, frame: &mut Frame, velocities: &mut [Vector3<f64>], time: f64) {
        let before = if self.constraints.is_empty() {
            Vec::new()
        } else {
            frame.positions.clone()
        };
        for (position, velocity) in frame.positions.iter_mut().zip(velocities.iter()) {
            *position += velocity * time;
        }
        if !self.constraints.is_empty() {
            self.constraints.hold_lengths(&before, &mut frame.positions);
            for ((velocity, after), before) in
                velocities.iter_mut().zip(&frame.positions).zip(&before)
            {
                *velocity = (after - before) / time;
            }
            self.constraints
                .stop_stretching(&frame.positions, velocities);
        }
    }

    /// Friction and noise over a whole step (the O of BAOAB); the heat goes into the frame.
    fn bath(
        &self,
        friction: f64,
        frame: &mut Frame,
        velocities: &mut [Vector3<f64>],
        random: &mut ChaCha8Rng,
    ) {
        let before = kinetic_energy(&self.masses, velocities);
        let keep = (-friction * self.settings.time_step).exp();
        let renew = (1.0 - keep * keep).sqrt();
        for (velocity, &mass) in velocities.iter_mut().zip(&self.masses) {
            let noise = Vector3::from_fn(|_, _| random.sample::<f64, _>(StandardNormal));
            *velocity =
                *velocity * keep + noise * (renew * thermal_speed(mass, self.settings.temperature));
        }
        self.settle(frame, velocities);
        frame.heat += kinetic_energy(&self.masses, velocities) - before;
    }

    /// Takes off velocities what may not be there: stretching of constrained bonds, motion of the
    /// centre.
    fn settle(&self, frame: &Frame, velocities: &mut [Vector3<f64>]) {
        self.constraints
            .stop_stretching(&frame.positions, velocities);
        if self.settings.stop_centre {
            stop_centre(&self.masses, velocities);
        }
    }

    /// One factor on all velocities (Bussi et al., eq. A7); the heat goes into the frame.
    fn rescale(
        &self,
        relaxation: f64,
        frame: &mut Frame,
        velocities: &mut [Vector3<f64>],
        random: &mut ChaCha8Rng,
    ) {
        let kinetic = kinetic_energy(&self.masses, velocities);
        let freedom = self.freedom();
        if freedom == 0 || kinetic <= 0.0 {
            return;
        }
        // the mean kinetic energy of one degree of freedom over the kinetic energy at hand
        let ratio = 0.5 * BOLTZMANN * self.settings.temperature / kinetic;
        let keep = (-self.settings.time_step / relaxation).exp();
        let along: f64 = random.sample(StandardNormal);
        let across = ChiSquared::new((freedom - 1) as f64)
            .map_or(0.0, |distribution| distribution.sample(random));
        let cross = (keep * (1.0 - keep) * ratio).sqrt();
        let square = keep + (1.0 - keep) * ratio * (along * along + across) + 2.0 * along * cross;
        let sign = (keep / ((1.0 - keep) * ratio)).sqrt() + along;
        let factor = square.max(0.0).sqrt().copysign(sign);
        velocities
            .iter_mut()
            .for_each(|velocity| *velocity *= factor);
        frame.heat += kinetic * (factor * factor - 1.0);
    }

    /// All of a step before the new force.
    fn before_force(&self, replica: usize, frame: &mut Frame) {
        let Settings {
            integrator,
            time_step,
            temperature,
            seed,
            first_replica,
            ..
        } = self.settings;
        let mut random = noise::generator(
            seed,
            self.attempt,
            first_replica + replica as u64,
            frame.step,
        );
        let mut velocities = frame.velocities.take().unwrap_or_else(|| {
            let mut drawn = maxwell_boltzmann(&self.masses, temperature, &mut random);
            self.settle(frame, &mut drawn);
            drawn
        });
        self.kick(replica, frame, &mut velocities);
        if integrator == Integrator::VelocityVerlet {
            self.drift(frame, &mut velocities, time_step);
        } else {
            self.drift(frame, &mut velocities, 0.5 * time_step);
            match integrator {
                Integrator::Langevin { friction } => {
                    self.bath(friction, frame, &mut velocities, &mut random);
                }
                Integrator::Csvr { relaxation } => {
                    self.rescale(relaxation, frame, &mut velocities, &mut random);
                }
                Integrator::VelocityVerlet => {}
            }
            self.drift(frame, &mut velocities, 0.5 * time_step);
        }
        frame.velocities = Some(velocities);
    }
}

/// The buffer of the last force, or a new one.
fn reuse(last: &mut Evaluated, new: impl FnOnce() -> Vec<Vector3<f64>>) -> Vec<Vector3<f64>> {
    if last.force.is_empty() {
        new()
    } else {
        std::mem::take(&mut last.force)
    }
}

impl<F: Force> Stepper for Dynamics<F> {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        for frame in replicas
            .iter_mut()
            .filter(|frame| frame.velocities.is_none())
        {
            // a frame that no step has made may have bonds of other lengths
            let before = frame.positions.clone();
            self.constraints.hold_lengths(&before, &mut frame.positions);
        }
        self.evaluate(replicas)?;
        for (replica, frame) in replicas.iter_mut().enumerate() {
            self.before_force(replica, frame);
        }
        self.evaluate(replicas)?;
        for (replica, frame) in replicas.iter_mut().enumerate() {
            let mut velocities = frame.velocities.take().expect("set before the force");
            self.kick(replica, frame, &mut velocities);
            frame.kinetic = Some(self.half_step_kinetic(replica, frame, &velocities));
            frame.velocities = Some(velocities);
            frame.step += 1;
            frame.time += self.settings.time_step;
            frame.potential = self.last[replica].potential;
        }
        Ok(())
    }

    fn clock(&self) -> Clock {
        Clock::Dynamics(self.settings.time_step)
    }

    fn motion(&self) -> Option<Motion> {
        Some(Motion {
            masses: self.masses.clone(),
            freedom: self.freedom(),
        })
    }

    fn identity(&self) -> Map<String, Value> {
        let Settings {
            integrator,
            time_step,
            temperature,
            ..
        } = self.settings;
        Map::from_iter([
            ("integrator".to_owned(), integrator.identity().into()),
            ("time step (ps)".to_owned(), json!(time_step)),
            ("temperature (K)".to_owned(), json!(temperature)),
        ])
    }

    fn describe(&self) -> String {
        format!(
            "{}; {}",
            self.settings.describe(self.constraints.len()),
            self.force.describe()
        )
    }

    fn reseed(&mut self, attempt: u64) {
        self.attempt = attempt;
    }
}
