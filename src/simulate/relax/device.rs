//! The correctors of a run on a device: one for all replicas at once, one for a jump that is drawn
//! again.

use super::corrector::Band;
use super::{Effort, redrawn};
use crate::Result;
use crate::engine::Gpu;
use crate::forcefield::System;
use crate::simulate::gpu::{Corrected, GpuCorrector, How, Moved};
use crate::simulate::{Constraints, Settings, Stop};
use crate::structure::Frame;

/// What is corrected on a device, and where.
pub(super) struct OnDevice {
    pub gpu: Gpu,
    pub system: System,
    pub masses: Vec<f64>,
    pub constraints: Constraints,
    pub cutoff: Option<f64>,
    /// Those of the dynamics of the first replica.
    pub settings: Settings,
    pub correctors: Correctors,
}

/// Made when they are first needed.
#[derive(Default)]
pub(super) struct Correctors {
    all: Option<GpuCorrector>,
    one: Option<GpuCorrector>,
    /// What became of the last frame of each replica.
    found: Vec<Corrected>,
}

/// How frames are corrected, and with which random numbers.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    pub effort: Effort,
    pub band: Option<Band>,
    pub attempt: u64,
    pub stop: &'a Stop,
}

impl Plan<'_> {
    fn how(&self, first_replica: u64, attempt: u64) -> How {
        How {
            effort: self.effort,
            band: self.band,
            attempt,
            first_replica,
        }
    }
}

impl OnDevice {
    fn corrector(&self, copies: usize) -> Result<GpuCorrector> {
        let moved = Moved {
            system: &self.system,
            masses: &self.masses,
            constraints: &self.constraints,
            copies,
        };
        GpuCorrector::new(&self.gpu, moved, self.cutoff, self.settings)
    }

    /// Corrects the frames of all replicas.
    pub fn relax(&mut self, frames: &mut [Frame], plan: Plan<'_>) -> Result<()> {
        let kept = self.correctors.all.take();
        let mut all = match kept.filter(|all| all.len() == frames.len()) {
            Some(all) => all,
            None => self.corrector(frames.len())?,
        };
        let how = plan.how(self.settings.first_replica, plan.attempt);
        let found = all.relax(frames, how, plan.stop);
        self.correctors.all = Some(all);
        self.correctors.found = found?;
        Ok(())
    }

    /// Corrects the frame of one replica, whose jump was drawn again.
    pub fn redraw(
        &mut self,
        (replica, draw): (usize, u64),
        frame: &mut Frame,
        plan: Plan<'_>,
    ) -> Result<()> {
        let mut one = match self.correctors.one.take() {
            Some(one) => one,
            None => self.corrector(1)?,
        };
        let number = self.settings.first_replica + replica as u64;
        let how = plan.how(number, redrawn(plan.attempt, draw));
        let found = one.relax(std::slice::from_mut(frame), how, plan.stop);
        self.correctors.one = Some(one);
        let found = found?;
        let all = &mut self.correctors.found;
        all.resize(all.len().max(replica + 1), Corrected::default());
        all[replica].clone_from(&found[0]);
        Ok(())
    }

    /// What became of the last frame of a replica.
    pub fn found(&self, replica: usize) -> Option<&Corrected> {
        self.correctors.found.get(replica)
    }
}

#[cfg(test)]
mod tests;
