//! A training that several processes share: each computes its part of every batch, and all of
//! them move the parameters alike. Rank 0 alone writes and tells.

use std::sync::Arc;

use super::trainer::Trainer;
use crate::engine::Engine;
use crate::ranks::Ranks;
use crate::simulate::Stop;
use crate::task::Sample;

impl<E: Engine> Trainer<E> {
    /// Shares the training with other processes, all of which have the same configuration and data
    /// and call [`Trainer::run`]. Micro-batches are added up in the order in which one process adds
    /// them, so that on the CPU, where their sizes follow from the configuration, no bit of the
    /// parameters depends on the number of processes.
    pub fn among(mut self, ranks: Arc<dyn Ranks>) -> Self {
        if ranks.count() > 1 {
            // gradients meet on the host
            self.learner = None;
        }
        self.ranks = ranks;
        self
    }

    /// Whether this is the process that writes files.
    pub(super) fn writes(&self) -> bool {
        self.ranks.rank() == 0
    }

    /// Tokens that go through the network together. A device takes as many as keep it busy; where
    /// others share the batch, no more than its part.
    pub(super) fn micro_batch_tokens(&self, samples: &[Sample]) -> usize {
        let asked = self.config.training.micro_batch_tokens;
        let most = self.network.engine().micro_batch(asked);
        if self.ranks.count() == 1 {
            return most;
        }
        let tokens: usize = samples.iter().map(|sample| sample.target.len()).sum();
        most.min(asked.max(tokens.div_ceil(self.ranks.count())))
    }

    /// Takes the clock of rank 0 for that of all, which the learning rate may follow and the budget
    /// ends by. Whether any of them is asked to stop is the answer.
    pub(super) fn agree(&mut self, stop: &Stop) -> bool {
        let asked = stop.reason().is_some();
        if self.ranks.count() == 1 {
            return asked;
        }
        let minutes = if self.writes() { self.minutes() } else { 0.0 };
        let own = [vec![minutes, f64::from(u8::from(asked))]];
        let all = self.ranks.sum(2, &own);
        self.agreed = Some(all[0]);
        all[1] > 0.0
    }
}
