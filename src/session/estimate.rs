//! How long a run will take, measured on the machine that it runs on.

use std::time::{Duration, Instant};

use nalgebra::Vector3;

use super::plan::Plan;
use super::{Session, threads};
use crate::Result;
use crate::forcefield::{ForceField, Precision, System};
use crate::simulate::Clock;

/// Time of a step of dynamics beside that of its forces: integration, constraints, observers.
pub(super) const OVERHEAD: f64 = 1.3;
/// A measurement goes on for as long as this, or so many evaluations, whichever is longer.
const MEASURED: Duration = Duration::from_millis(200);
const EVALUATIONS: u32 = 3;

/// Wall time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// Of one step, s.
    pub step: f64,
    /// Of all steps that are to be made, s.
    pub all: f64,
}

impl Session {
    /// What the steps from `resumed_at` on will take, and what comes before them; none where they
    /// are fewer than `fewest` and nothing long comes before.
    ///
    /// Dynamics, whose input may be too strained to be moved yet, is measured by its forces. Jumps
    /// are measured by making one of them and forgetting it (a step depends on nothing that was
    /// done before it), and their corrector by its forces: an input that is not equilibrated yet
    /// gets more of it than the frames of the run.
    pub(super) fn estimate(
        &mut self,
        plan: &Plan,
        resumed_at: Option<u64>,
        fewest: u64,
    ) -> Result<Option<Estimate>> {
        let mut steps = plan.steps.saturating_sub(resumed_at.unwrap_or(0));
        let starts_long = resumed_at.is_none() && self.start_forces > 0;
        if steps < fewest && !starts_long {
            return Ok(None);
        }
        let step = match (self.stepper.clock(), &self.field) {
            (Clock::Dynamics(_), Some(field)) => self.seconds_of_replicas(field.clone())?,
            _ => self.seconds_of_jump()?,
        };
        let mut before = 0.0;
        if resumed_at.is_none() {
            steps += self.start_steps;
            before = self.seconds_before()?;
        }
        Ok(Some(Estimate {
            step,
            all: before + step * steps as f64,
        }))
    }

    /// Wall time of a step of dynamics of all replicas, s.
    fn seconds_of_replicas(&self, field: ForceField) -> Result<f64> {
        let replicas = self.replicas.count() as f64;
        let positions = &self.structure.frame.positions;
        let (one, threads) = threads::within(self.pool.as_deref(), || {
            let forces = seconds_of_forces(field, positions, replicas == 1.0);
            (forces, rayon::current_num_threads() as f64)
        });
        Ok(one? * OVERHEAD * (replicas / threads.min(replicas)).ceil())
    }

    /// Wall time of a jump of all replicas, corrected as a rule, s.
    fn seconds_of_jump(&mut self) -> Result<f64> {
        let mut frames = vec![self.structure.frame.clone(); self.replicas.count() as usize];
        let (pool, stepper) = (self.pool.as_deref(), &mut self.stepper);
        let clock = Instant::now();
        let correction = threads::within(pool, || match stepper.apart() {
            Some(parts) => {
                let evaluated = (parts.field.clone(), parts.evaluations);
                parts.stepper.step(&mut frames).map(|()| Some(evaluated))
            }
            None => stepper.step(&mut frames).map(|()| None),
        })?;
        let jump = clock.elapsed().as_secs_f64();
        let Some((field, evaluations)) = correction else {
            return Ok(jump);
        };
        Ok(jump + evaluations as f64 * self.seconds_of_replicas(field)?)
    }

    /// What is done to the input of jumps before the first of them, s: for a large protein as long
    /// as hundreds of its jumps without corrector.
    fn seconds_before(&mut self) -> Result<f64> {
        if self.start_forces == 0 {
            return Ok(0.0);
        }
        let of_corrector = self.stepper.apart().map(|parts| parts.field.clone());
        let field = match of_corrector {
            Some(field) => field, // it leaves out the same pairs
            None => ForceField::new(System::build(&self.structure.topology)?, Precision::F32),
        };
        let positions = &self.structure.frame.positions;
        let forces = threads::within(self.pool.as_deref(), || {
            seconds_of_forces(field, positions, true)
        })?;
        Ok(forces * OVERHEAD * self.start_forces as f64)
    }
}

/// Wall time of an evaluation of all forces, s: on all threads of the pool where the molecule is
/// alone, else on one of them.
///
/// # Errors
/// [`crate::Error::Device`] where no thread can be started.
pub(super) fn seconds_of_forces(
    mut field: ForceField,
    positions: &[Vector3<f64>],
    alone: bool,
) -> Result<f64> {
    let mut forces = vec![Vector3::zeros(); positions.len()];
    let mut measure = move || {
        field.energy_forces(positions, &mut forces);
        let clock = Instant::now();
        let mut count = 0;
        while clock.elapsed() < MEASURED || count < EVALUATIONS {
            field.energy_forces(positions, &mut forces);
            count += 1;
        }
        clock.elapsed().as_secs_f64() / f64::from(count)
    };
    if alone {
        return Ok(measure());
    }
    Ok(super::thread_pool(1)?.install(measure))
}
