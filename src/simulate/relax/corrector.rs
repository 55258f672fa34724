//! What corrects the frames of one replica: minimisation, which takes strain out and closes what a
//! jump has pulled apart, then dynamics until the frame has settled.

use nalgebra::Vector3;

use super::{Effort, TIME_STEP};
use crate::Result;
use crate::forcefield::{ForceField, Minimizer};
use crate::geometry::noise;
use crate::geometry::velocities::{maxwell_boltzmann, stop_centre};
use crate::simulate::{Dynamics, Physical, Settings, Stepper, Stop};
use crate::structure::Frame;
use crate::units::BOLTZMANN;

/// Root-mean-square force down to which a frame must be brought before its dynamics, kJ/mol/Å. That
/// of ff14SB proteins at 300 K is about 60: bonds of k ≈ 2700 kJ/mol/Å² feel √(k·kT) ≈ 80.
pub(in crate::simulate) const THERMAL_FORCE: f64 = 80.0;
/// Largest force on an atom, likewise, kJ/mol/Å: ten times the mean, which no atom of a protein at
/// 300 K reaches. Without it one clash among thousands of atoms, which the mean hides, throws the
/// dynamics apart.
pub(in crate::simulate) const LARGEST_FORCE: f64 = 800.0;
/// Root-mean-square force at which minimisation has nothing more to close, kJ/mol/Å. A jump leaves
/// a protein a little too wide, hydrogen bonds and packed side chains half an ångström apart, which
/// the picosecond of dynamics does not bring together and minimisation does (docs/jump.md).
const CLOSED_FORCE: f64 = 4.0;
/// Temperature that velocities are drawn at over that of the dynamics: a minimised frame has none
/// of the potential energy of its vibrations, for which half of the kinetic one goes within a tenth
/// of a picosecond.
pub(in crate::simulate) const HEAT: f64 = 1.8;
/// How many times as many steps of minimisation a frame is given that needs more than it should.
pub(in crate::simulate) const PATIENCE: usize = 4;
/// By how much closer to a minimum a frame is brought whose dynamics failed.
pub(in crate::simulate) const CLOSER: f64 = 0.25;
/// No atom of a whole molecule goes farther than this, Å, and this many Å a ps, the speed of a free
/// hydrogen of 3 Da at 300 K.
const FARTHEST: f64 = 5.0;
const FASTEST: f64 = 16.0;
/// Steps of dynamics over which the band is measured, behind as many that are not counted: 1 ps.
const MEASURED: usize = 250;
/// Steps over which the potential energy of a frame is averaged before it is held against the band:
/// 0.1 ps, the time in which the bath renews the energy.
const RECENT: usize = 25;
/// How many standard deviations above the mean the band ends: hardly a frame of MD lies beyond
/// three. With one, frames of proteins that the network has not seen, which keep some strain
/// whatever the corrector does, get nearly the most; with three they have the same energies in
/// three fifths of the steps (docs/jump.md).
pub(in crate::simulate) const WIDTHS: f64 = 3.0;

/// Where the potential energy of frames at their temperature lies, kJ/mol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::simulate) struct Band {
    /// Mean over a moment of dynamics from the start of the run.
    pub mean: f64,
    /// Standard deviation: that of f harmonic degrees of freedom, kT√(f/2), which MD of a protein
    /// of 43 residues has too (80 kJ/mol, 74 by this). Measured over the same moment it would be
    /// less than the truth, which takes longer than that.
    pub width: f64,
}

impl Band {
    /// Whether the last of these potential energies have come down into the band.
    pub fn holds(&self, potentials: &[f64]) -> bool {
        let recent = &potentials[potentials.len().saturating_sub(RECENT)..];
        let mean = recent.iter().sum::<f64>() / recent.len() as f64;
        // false where it is no number
        mean <= self.mean + WIDTHS * self.width
    }
}

/// What corrects the frames of one replica.
pub(in crate::simulate) struct Corrector {
    field: ForceField,
    pub dynamics: Dynamics<Physical>,
    /// Potential energies after the steps of dynamics that the last frame got, kJ/mol.
    pub potentials: Vec<f64>,
    /// What it could not do with the last frame.
    pub shortfall: Option<String>,
}

/// What is said of a frame that dynamics threw apart even so.
pub(in crate::simulate) const THROWN_APART: &str = "its dynamics threw the frame apart twice";

/// What is said of a frame that minimisation of `steps` steps, and [`PATIENCE`] times as many,
/// left with such forces.
pub(in crate::simulate) fn unminimised(steps: usize, rms_force: f64) -> String {
    format!(
        "{} steps of minimisation left forces of {rms_force:.0} kJ/mol/Å (RMS)",
        (1 + PATIENCE) * steps
    )
}

/// Whether no atom went farther over `steps` steps than one of a whole molecule does.
pub(in crate::simulate) fn is_whole(
    after: &[Vector3<f64>],
    before: &[Vector3<f64>],
    steps: usize,
) -> bool {
    let farthest = FARTHEST + FASTEST * TIME_STEP * steps as f64;
    let mut pairs = after.iter().zip(before);
    pairs.all(|(after, before)| (after - before).norm() <= farthest)
}

impl Corrector {
    /// One that evaluates `field` in dynamics of its own.
    pub fn new(field: ForceField, dynamics: Dynamics<Physical>) -> Self {
        Corrector {
            field,
            dynamics,
            potentials: Vec::new(),
            shortfall: None,
        }
    }

    /// Minimises the frame and lets it find its temperature; one whose dynamics is thrown apart
    /// gets closer to a minimum and another try. One too strained even so is left
    /// where the minimisation ended, without velocities, and the shortfall says so: dynamics would
    /// hide from the guard the fault that the jump made.
    pub fn relax(
        &mut self,
        frame: &mut Frame,
        effort: Effort,
        band: Option<Band>,
        stop: &Stop,
    ) -> Result<()> {
        self.shortfall = None;
        self.potentials.clear();
        let mut closeness = 1.0;
        loop {
            if let Some(shortfall) = self.minimize(frame, effort.most, closeness, stop) {
                self.shortfall = Some(shortfall);
            } else if !self.move_about(frame, effort, band, stop)? {
                if closeness == 1.0 {
                    closeness = CLOSER;
                    continue;
                }
                self.shortfall = Some(THROWN_APART.to_owned());
            }
            if stop.is_asked() {
                return Err(Stop::interrupted(frame.step));
            }
            return Ok(());
        }
    }

    /// Brings forces down to `closeness` times thermal ones, or says why not, and then makes as
    /// many steps at most towards the minimum.
    fn minimize(
        &mut self,
        frame: &mut Frame,
        steps: usize,
        closeness: f64,
        stop: &Stop,
    ) -> Option<String> {
        let mut run = |steps, [tolerance, largest]: [f64; 2]| {
            let minimizer = Minimizer {
                tolerance,
                largest,
                steps,
                ..Minimizer::default()
            };
            minimizer.run_until(&mut self.field, &mut frame.positions, || stop.is_asked())
        };
        let thermal = [THERMAL_FORCE, LARGEST_FORCE].map(|force| closeness * force);
        let mut done = run(steps, thermal);
        if !done.converged {
            done = run(PATIENCE * steps, thermal);
        }
        if !done.converged {
            return Some(unminimised(steps, done.rms_force));
        }
        run(steps, [CLOSED_FORCE, f64::INFINITY]);
        None
    }

    /// Dynamics from new velocities; a frame that it throws apart is as before, with its bonds
    /// held, and the answer is no.
    fn move_about(
        &mut self,
        frame: &mut Frame,
        effort: Effort,
        band: Option<Band>,
        stop: &Stop,
    ) -> Result<bool> {
        let unheld = frame.positions.clone();
        self.dynamics
            .constraints()
            .hold_lengths(&unheld, &mut frame.positions);
        let held = frame.positions.clone();
        let step = frame.step * effort.most as u64;
        let mut inner = [Frame {
            step,
            velocities: Some(self.velocities(step, &frame.positions)),
            positions: std::mem::take(&mut frame.positions),
            ..Frame::default()
        }];
        let before = self.potentials.len();
        for made in 1..=effort.most {
            if stop.is_asked() {
                return Err(Stop::interrupted(frame.step));
            }
            self.dynamics.step(&mut inner)?;
            self.potentials.push(self.dynamics.force().potentials()[0]);
            let is_due = made >= effort.least && effort.is_free();
            if is_due && band.is_some_and(|band| self.has_settled(band, before)) {
                break;
            }
        }
        let made = self.potentials.len() - before;
        let [inner] = inner;
        let whole = is_whole(&inner.positions, &held, made);
        if whole {
            (frame.positions, frame.velocities) = (inner.positions, inner.velocities);
            frame.kinetic = inner.kinetic;
        } else {
            frame.positions = held;
        }
        Ok(whole)
    }

    /// Velocities for the dynamics that begins at `step`.
    fn velocities(&self, step: u64, positions: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
        let Settings {
            temperature,
            seed,
            first_replica,
            ..
        } = self.dynamics.settings();
        let masses = self.dynamics.masses();
        let mut random = noise::generator(seed, u64::MAX, first_replica, step);
        let mut velocities = maxwell_boltzmann(masses, HEAT * temperature, &mut random);
        self.dynamics
            .constraints()
            .stop_stretching(positions, &mut velocities);
        stop_centre(masses, &mut velocities);
        velocities
    }

    /// Whether the frame of the dynamics that began with potential number `from` has settled.
    fn has_settled(&self, band: Band, from: usize) -> bool {
        let largest = self.dynamics.forces(0).iter().map(Vector3::norm_squared);
        band.holds(&self.potentials[from..])
            && largest.fold(0.0, f64::max) <= LARGEST_FORCE * LARGEST_FORCE
    }

    /// The band of frames like `start`: that of the corrector's own dynamics from there. None where
    /// it could not be made; every correction then gets its most.
    pub fn band_of(
        &mut self,
        start: &[Vector3<f64>],
        freedom: usize,
        stop: &Stop,
    ) -> Result<Option<Band>> {
        let mut frame = Frame::at_rest(start.to_vec());
        self.relax(&mut frame, Effort::exactly(2 * MEASURED), None, stop)?;
        let made = self.potentials.len();
        let last = &self.potentials[made.saturating_sub(MEASURED)..];
        let temperature = self.dynamics.settings().temperature;
        let band = Band {
            mean: last.iter().sum::<f64>() / MEASURED as f64,
            width: BOLTZMANN * temperature * (0.5 * freedom as f64).sqrt(),
        };
        let is_whole = self.shortfall.is_none() && last.len() == MEASURED;
        Ok(Some(band).filter(|band| is_whole && band.mean.is_finite()))
    }
}
