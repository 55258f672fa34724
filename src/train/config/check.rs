//! What values of a configuration make sense.

use super::Config;
use crate::error::Place;
use crate::{Error, Result};

impl Config {
    /// Refuses values that make no sense; to be called again after a change.
    ///
    /// # Errors
    /// [`Error::Input`] naming the key and what is allowed.
    pub fn check(&self) -> Result<()> {
        let refuse = |key: &str, allowed: &str| {
            Err(Error::input(
                Place::file(&self.path),
                format!("{key}: {allowed}"),
                "correct that key",
            ))
        };
        if let Err((key, allowed)) = self.task.check() {
            return refuse(&format!("{}.{key}", self.task.name()), allowed);
        }
        let initial = self.initial.as_ref().map(|initial| initial.task);
        let network = self.architecture.check(&self.task.interface(initial));
        network.map_err(|error| {
            Error::input(Place::file(&self.path), error.to_string(), error.hint())
        })?;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let (o, t) = (&self.optimizer, &self.training);
        let rules = [
            (
                "data.systems",
                !self.data.systems.is_empty(),
                "at least one system is needed",
            ),
            (
                "data.systems.trajectories",
                self.data.systems.iter().all(|s| !s.trajectories.is_empty()),
                "every system needs at least one file",
            ),
            (
                "data.systems.time_step",
                self.data
                    .systems
                    .iter()
                    .all(|s| s.time_step.is_none_or(positive)),
                "must be above 0",
            ),
            (
                "data.systems.weight",
                self.data.systems.iter().all(|s| positive(s.weight)),
                "must be above 0",
            ),
            (
                "split.validation_share",
                (0.0..1.0).contains(&self.split.validation_share),
                "must be at least 0 and below 1",
            ),
            (
                "optimizer.learning_rate",
                positive(o.learning_rate),
                "must be above 0",
            ),
            ("optimizer.flat", share(o.flat), "must be a share, 0 … 1"),
            ("optimizer.end", share(o.end), "must be a share, 0 … 1"),
            (
                "optimizer.beta1",
                (0.0..1.0).contains(&o.beta1),
                "must be at least 0 and below 1",
            ),
            (
                "optimizer.beta2",
                (0.0..1.0).contains(&o.beta2),
                "must be at least 0 and below 1",
            ),
            ("optimizer.epsilon", positive(o.epsilon), "must be above 0"),
            (
                "optimizer.weight_decay",
                o.weight_decay.is_finite() && o.weight_decay >= 0.0,
                "must be 0 or above",
            ),
            ("optimizer.clip", positive(o.clip), "must be above 0"),
            (
                "optimizer.average",
                (0.0..1.0).contains(&o.average),
                "must be at least 0 and below 1",
            ),
            (
                "training.updates",
                t.updates.is_some() != t.minutes.is_some(),
                "give either updates or minutes",
            ),
            (
                "training.minutes",
                t.minutes.is_none_or(positive),
                "must be above 0",
            ),
            ("training.batch", t.batch > 0, "must be at least 1"),
            (
                "training.micro_batch_tokens",
                t.micro_batch_tokens > 0,
                "must be at least 1",
            ),
            (
                "training.validate_every",
                t.validate_every > 0,
                "must be at least 1",
            ),
            (
                "training.checkpoint_minutes",
                t.checkpoint_minutes >= 0.0,
                "must be 0 or above",
            ),
        ];
        match rules.iter().find(|(_, holds, _)| !holds) {
            Some((key, _, allowed)) => refuse(key, allowed),
            None => Ok(()),
        }
    }
}
