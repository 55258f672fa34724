//! The tables of the optimiser and of the training's length.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::train::optimizer::AdamW;
use crate::train::schedule::Schedule;

/// AdamW, clipping, average and learning rate.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Optimizer {
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Updates over which it grows.
    pub warmup: u64,
    /// Share of the budget before it falls.
    pub flat: f64,
    /// Its end, as a share of the highest.
    pub end: f64,
    /// AdamW's β1.
    pub beta1: f64,
    /// AdamW's β2.
    pub beta2: f64,
    /// AdamW's ε.
    pub epsilon: f64,
    /// Decay of weight matrices.
    pub weight_decay: f64,
    /// Largest norm of a gradient.
    pub clip: f64,
    /// Memory of the average of the parameters.
    pub average: f64,
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer {
            learning_rate: 1e-3,
            warmup: 100,
            flat: 0.3,
            end: 0.01,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip: 1.0,
            average: 0.9985,
        }
    }
}

impl Optimizer {
    /// The optimiser.
    pub fn adamw(&self) -> AdamW {
        AdamW {
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
        }
    }
    /// The learning rate's course.
    pub fn schedule(&self) -> Schedule {
        Schedule {
            peak: self.learning_rate,
            warmup: self.warmup,
            flat: self.flat,
            end: self.end,
        }
    }
}

/// How long a training goes on, by updates or by the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// This many updates: the same bits every time.
    Updates(u64),
    /// This many minutes of training, interruptions not counted: the learning rate follows the
    /// clock.
    Minutes(f64),
}

/// Length, batches, validation, checkpoints.
#[derive(Debug, Clone, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Seed of the initial parameters and of every draw.
    pub seed: u64,
    /// Model file whose weights are the first ones, relative to the configuration file; `built-in`:
    /// the program's own model. Without it they are random.
    pub initial: Option<PathBuf>,
    /// Updates to make.
    pub updates: Option<u64>,
    /// Minutes to spend, instead of `updates`.
    pub minutes: Option<f64>,
    /// Samples an update.
    pub batch: usize,
    /// Samples are worked on together up to this many tokens: small enough for the cache, whatever
    /// the number of threads. A GPU takes at least as many as keep it busy
    /// ([`crate::engine::Engine::micro_batch`]).
    pub micro_batch_tokens: usize,
    /// Samples of the validation set, the same at every validation.
    pub validation_samples: usize,
    /// Updates between validations, each a row of the table.
    pub validate_every: u64,
    /// Validations without improvement after which the training stops, 0 for never. The model is
    /// then the best one.
    pub patience: u64,
    /// Minutes between checkpoints.
    pub checkpoint_minutes: f64,
}

impl Default for Training {
    fn default() -> Self {
        Training {
            seed: 1,
            initial: None,
            updates: None,
            minutes: None,
            batch: 16,
            micro_batch_tokens: 128,
            validation_samples: 512,
            validate_every: 500,
            patience: 0,
            checkpoint_minutes: 2.0,
        }
    }
}

impl Training {
    /// The budget; one of the two keys is there once the configuration has been checked.
    pub fn budget(&self) -> Budget {
        match (self.updates, self.minutes) {
            (_, Some(minutes)) => Budget::Minutes(minutes),
            (updates, None) => Budget::Updates(updates.unwrap_or_default()),
        }
    }
}
