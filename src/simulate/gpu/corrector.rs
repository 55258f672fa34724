//! What corrects the frames of all replicas at once on a device: the same minimisation and dynamics
//! as on the CPU, each replica until it has settled.

use nalgebra::Vector3;
use rayon::prelude::*;

use super::descent::{Descended, Descent, Goal};
use super::dynamics::{GpuDynamics, Moved};
use super::sources::SETTLE;
use crate::Result;
use crate::engine::Gpu;
use crate::engine::gpu::{Bound, Buffer, Dispatch, Named};
use crate::simulate::Stop;
use crate::simulate::relax::corrector::{
    Band, CLOSER, HEAT, LARGEST_FORCE, PATIENCE, THERMAL_FORCE, THROWN_APART, WIDTHS, is_whole,
    unminimised,
};
use crate::simulate::{Effort, Settings};
use crate::structure::Frame;

/// Words of a system's record: see `shaders/dynamics/settle.wgsl`.
const WORDS: usize = 32;
/// Root-mean-square force at which minimisation has nothing more to close, kJ/mol/Å. What brings
/// proteins as far down as on the CPU, whose preconditioned search has the stiff coordinates done
/// before the soft ones (there 4 kJ/mol/Å; docs/jump.md).
const CLOSED_FORCE: f64 = 2.0;
/// Steps between two looks of the host at who has settled.
const ROUNDS: usize = 25;

/// The corrector of some replicas of a run.
pub(in crate::simulate) struct GpuCorrector {
    dynamics: GpuDynamics,
    descent: Descent,
    records: Buffer,
}

/// What became of a frame.
#[derive(Debug, Clone, Default)]
pub(in crate::simulate) struct Corrected {
    /// Steps of dynamics that it got.
    pub steps: u64,
    /// What could not be done.
    pub shortfall: Option<String>,
}

/// How frames are corrected.
#[derive(Clone, Copy)]
pub(in crate::simulate) struct How {
    pub effort: Effort,
    /// Where frames are to settle; none: every one gets its most.
    pub band: Option<Band>,
    /// The attempt whose random numbers dynamics takes.
    pub attempt: u64,
    /// Number of the first replica.
    pub first_replica: u64,
}

impl GpuCorrector {
    /// Room for the replicas of a molecule that there are copies of.
    pub fn new(
        gpu: &Gpu,
        moved: Moved<'_>,
        cutoff: Option<f64>,
        settings: Settings,
    ) -> Result<GpuCorrector> {
        let dynamics = GpuDynamics::new(gpu, &[moved], cutoff, settings)?;
        Ok(GpuCorrector {
            descent: Descent::new(dynamics.field())?,
            records: gpu.cleared(WORDS * moved.copies)?,
            dynamics,
        })
    }

    /// Number of replicas that there is room for.
    pub fn len(&self) -> usize {
        self.dynamics.field().len()
    }

    /// Corrects the frames, as many as there is room for, as the CPU's corrector does each.
    pub fn relax(&mut self, frames: &mut [Frame], how: How, stop: &Stop) -> Result<Vec<Corrected>> {
        self.dynamics.number_from(how.first_replica);
        let mut found = vec![Corrected::default(); frames.len()];
        let mut due = vec![true; frames.len()];
        for closeness in [1.0, CLOSER] {
            if due.contains(&true) {
                self.minimize(frames, (&mut due, &mut found), (how, closeness), stop)?;
                due = self.move_about(frames, (&due, &mut found), how, stop)?;
            }
        }
        if stop.is_asked() {
            let step = frames.first().map_or(0, |frame| frame.step);
            return Err(Stop::interrupted(step));
        }
        for (found, due) in found.iter_mut().zip(due) {
            if due {
                found.shortfall = Some(THROWN_APART.to_owned());
            }
        }
        Ok(found)
    }

    /// Brings forces down to `closeness` times thermal ones, and then makes as many steps at most
    /// towards the minimum. What cannot be brought there is due no more.
    fn minimize(
        &mut self,
        frames: &mut [Frame],
        (due, found): (&mut [bool], &mut [Corrected]),
        (how, closeness): (How, f64),
        stop: &Stop,
    ) -> Result<()> {
        let steps = how.effort.most;
        let goal = |steps| Goal {
            tolerance: closeness * THERMAL_FORCE,
            largest: closeness * LARGEST_FORCE,
            steps,
        };
        let positions: Vec<_> = frames.iter().map(|frame| &frame.positions[..]).collect();
        self.dynamics.field_mut().place(&positions);
        let field = self.dynamics.field();
        let mut done = self
            .descent
            .run(field, due, goal(steps), || stop.is_asked())?;
        let open: Vec<bool> = due
            .iter()
            .zip(&done)
            .map(|(due, done)| *due && !done.converged)
            .collect();
        if open.contains(&true) && !stop.is_asked() {
            let more = goal(PATIENCE * steps);
            let again = self.descent.run(field, &open, more, || stop.is_asked())?;
            let pairs = done.iter_mut().zip(again).zip(&open);
            pairs
                .filter(|pair| *pair.1)
                .for_each(|((done, again), _)| *done = again);
        }
        let closed: Vec<bool> = due
            .iter()
            .zip(&done)
            .map(|(due, done)| *due && done.converged)
            .collect();
        if closed.contains(&true) && !stop.is_asked() {
            let goal = Goal {
                tolerance: CLOSED_FORCE,
                largest: f64::INFINITY,
                steps,
            };
            self.descent.run(field, &closed, goal, || stop.is_asked())?;
        }
        let ends = field.positions()?;
        let each = frames.iter_mut().zip(ends).zip(found);
        for (((frame, end), found), (due, done)) in each.zip(due.iter_mut().zip(&done)) {
            if *due {
                frame.positions = end;
                frame.velocities = frame.velocities.take().filter(|_| done.converged);
                let Descended { rms_force, .. } = *done;
                if !done.converged {
                    found.shortfall = Some(unminimised(steps, rms_force));
                    *due = false;
                }
            }
        }
        Ok(())
    }

    /// Dynamics from new velocities. Says which frames it threw apart: those are as before, with
    /// their bonds held.
    fn move_about(
        &mut self,
        frames: &mut [Frame],
        (due, found): (&[bool], &mut [Corrected]),
        how: How,
        stop: &Stop,
    ) -> Result<Vec<bool>> {
        let dynamics = &self.dynamics;
        let most = how.effort.most as u64;
        let chosen = |(index, frame): (usize, &mut Frame)| {
            if due[index] {
                let step = frame.step * most;
                let replica = how.first_replica + index as u64;
                dynamics.start(replica, (u64::MAX, step), HEAT, frame);
            }
        };
        frames.par_iter_mut().enumerate().for_each(chosen);
        let mut inner: Vec<Frame> = frames.to_vec();
        for frame in &mut inner {
            frame.step *= most;
            let atoms = frame.positions.len();
            // of those that are not due, which do not move
            (frame.velocities).get_or_insert_with(|| vec![Vector3::zeros(); atoms]);
        }
        self.dynamics.upload(&inner, how.attempt);
        self.settle(due, how, stop)?;
        let gpu = self.dynamics.field().gpu();
        let records = gpu.fetched(&self.records)?;
        self.dynamics.download(&mut inner)?;
        let mut thrown = vec![false; due.len()];
        for (index, (frame, inner)) in frames.iter_mut().zip(inner).enumerate() {
            if !due[index] {
                continue;
            }
            let made = u64::from(records[WORDS * index]);
            found[index].steps += made;
            if is_whole(&inner.positions, &frame.positions, made as usize) {
                (frame.positions, frame.velocities) = (inner.positions, inner.velocities);
                frame.kinetic = inner.kinetic;
            } else {
                frame.velocities = None;
                thrown[index] = true;
            }
        }
        Ok(thrown)
    }

    /// Steps of dynamics of the systems that are due, until each has settled or made its most.
    fn settle(&self, due: &[bool], How { effort, band, .. }: How, stop: &Stop) -> Result<()> {
        let field = self.dynamics.field();
        let gpu = field.gpu();
        // without a band every frame gets its most
        let highest = band.map_or(f64::MIN, |band| band.mean + WIDTHS * band.width);
        let sizes: [Named; 5] = [
            ("systems", field.len().into()),
            ("least", effort.least.into()),
            ("most", effort.most.into()),
            ("band", highest.max(f64::from(f32::MIN)).into()),
            ("largest", (LARGEST_FORCE * LARGEST_FORCE).into()),
        ];
        let own: [Bound<'_>; 1] = [("records", Some(&self.records))];
        let bound = [&field.bound()[..], &own].concat();
        let settle = gpu.bind((SETTLE, "settle"), &sizes, &bound, field.len())?;
        gpu.overwrite(&self.records, 0, &vec![0; WORDS * due.len()]);
        field.run_only(due);
        let force: Vec<&Dispatch> = field.evaluation().iter().collect();
        gpu.repeat(&force, 1);
        let mut step = self.dynamics.kernels();
        step.extend([field.adding_up(), &settle]);
        let mut made = 0;
        while made < effort.most && !stop.is_asked() {
            gpu.repeat(&step, ROUNDS);
            made += ROUNDS;
            if !field.running()?.contains(&true) {
                break;
            }
        }
        field.run_only(&vec![true; due.len()]);
        Ok(())
    }
}
