//! Minimisation of many systems on a device, each by itself.

use super::sources::DESCEND;
use crate::Result;
use crate::engine::gpu::{Bound, Buffer, Dispatch, Named};
use crate::forcefield::gpu::GpuForceField;

/// Words of a system's search, and where some are: see `shaders/dynamics/descend.wgsl`.
const WORDS: usize = 40;
const MADE: usize = 1;
const END: usize = 5;
const RMS: usize = 8;
/// Steps that curvature is learnt from, there.
const MEMORY: usize = 10;
/// Evaluations between two looks of the host at who is done.
const ROUNDS: usize = 20;

/// When a minimisation ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// Root-mean-square force, kJ/mol/Å.
    pub tolerance: f64,
    /// Largest force on an atom, kJ/mol/Å.
    pub largest: f64,
    /// Most steps.
    pub steps: usize,
}

/// What became of a system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descended {
    /// Steps taken.
    pub steps: usize,
    /// Root-mean-square force at the end, kJ/mol/Å.
    pub rms_force: f64,
    /// Whether the goal was reached.
    pub converged: bool,
}

/// What minimisation needs on the device beside the force field.
pub struct Descent {
    here: Buffer,
    here_left: Buffer,
    here_forces: Buffer,
    directions: Buffer,
    steps: Buffer,
    changes: Buffer,
    states: Buffer,
}

impl Descent {
    /// Room for the systems of `field`: about 400 bytes an atom.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    pub fn new(field: &GpuForceField) -> Result<Descent> {
        let gpu = field.gpu();
        let row = 4 * field.rows();
        Ok(Descent {
            here: gpu.cleared(row)?,
            here_left: gpu.cleared(row)?,
            here_forces: gpu.cleared(row)?,
            directions: gpu.cleared(row)?,
            steps: gpu.cleared(MEMORY * row)?,
            changes: gpu.cleared(MEMORY * row)?,
            states: gpu.cleared(WORDS * field.len())?,
        })
    }

    fn bind(&self, field: &GpuForceField, goal: Goal) -> Result<Dispatch> {
        let own: [Bound<'_>; 7] = [
            ("here", Some(&self.here)),
            ("here_left", Some(&self.here_left)),
            ("here_forces", Some(&self.here_forces)),
            ("directions", Some(&self.directions)),
            ("steps", Some(&self.steps)),
            ("changes", Some(&self.changes)),
            ("states", Some(&self.states)),
        ];
        // greater than any force, where there is no limit
        let largest = goal.largest.min(f64::from(f32::MAX));
        let sizes: [Named; 5] = [
            ("systems", field.len().into()),
            ("rows", field.rows().into()),
            ("most_steps", goal.steps.into()),
            ("tolerance", goal.tolerance.into()),
            ("largest", largest.into()),
        ];
        let bound = [&field.bound()[..], &own].concat();
        (field.gpu()).bind((DESCEND, "descend"), &sizes, &bound, field.len())
    }

    /// Moves the systems of `field` that are `chosen` downhill from where they are placed, until
    /// each is at its goal or `stop` says so, which is asked now and then. All systems run again
    /// afterwards.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    pub fn run(
        &self,
        field: &GpuForceField,
        chosen: &[bool],
        goal: Goal,
        stop: impl Fn() -> bool,
    ) -> Result<Vec<Descended>> {
        let gpu = field.gpu();
        let descend = self.bind(field, goal)?;
        gpu.overwrite(&self.states, 0, &vec![0; WORDS * field.len()]);
        field.run_only(chosen);
        let mut round: Vec<&Dispatch> = field.evaluation().iter().collect();
        round.extend([field.adding_up(), &descend]);
        let mut states = Vec::new();
        let mut is_over = chosen.iter().all(|&chosen| !chosen);
        while !is_over && !stop() {
            gpu.repeat(&round, ROUNDS);
            states = gpu.fetched(&self.states)?;
            let mut all = states.chunks(WORDS).zip(chosen);
            is_over = all.all(|(state, &chosen)| !chosen || state[END] != 0);
        }
        field.run_only(&vec![true; field.len()]);
        states.resize(WORDS * field.len(), 0);
        let of_system = |state: &[u32]| Descended {
            steps: state[MADE] as usize,
            rms_force: f32::from_bits(state[RMS]).into(),
            converged: state[END] == 1,
        };
        Ok(states.chunks(WORDS).map(of_system).collect())
    }
}
