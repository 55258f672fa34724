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
        let rules = [
            data_rules(self),
            optimizer_rules(self),
            training_rules(self),
        ]
        .concat();
        match rules.iter().find(|(_, holds, _)| !holds) {
            Some((key, _, allowed)) => refuse(key, allowed),
            None => Ok(()),
        }
    }
}

/// Most samples of an update and of a validation: all of them are drawn at once.
const MOST_SAMPLES: usize = 1_000_000;

/// A key, whether it is as it should be, and what is allowed.
type Rule = (&'static str, bool, &'static str);

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

fn share(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

fn data_rules(config: &Config) -> Vec<Rule> {
    let systems = &config.data.systems;
    vec![
        (
            "data.systems",
            !systems.is_empty(),
            "at least one system is needed",
        ),
        (
            "data.systems.trajectories",
            systems.iter().all(|s| !s.trajectories.is_empty()),
            "every system needs at least one file",
        ),
        (
            "data.systems.time_step",
            config
                .data
                .systems
                .iter()
                .all(|s| s.time_step.is_none_or(positive)),
            "must be above 0",
        ),
        (
            "data.systems.weight",
            systems.iter().all(|s| positive(s.weight)),
            "must be above 0",
        ),
        (
            "split.validation_share",
            (0.0..1.0).contains(&config.split.validation_share),
            "must be at least 0 and below 1",
        ),
    ]
}

fn optimizer_rules(config: &Config) -> Vec<Rule> {
    let o = &config.optimizer;
    vec![
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
    ]
}

fn training_rules(config: &Config) -> Vec<Rule> {
    let t = &config.training;
    vec![
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
        (
            "training.batch",
            (1..=MOST_SAMPLES).contains(&t.batch),
            "must be at least 1 and at most 1000000",
        ),
        (
            "training.validation_samples",
            t.validation_samples <= MOST_SAMPLES,
            "must be at most 1000000",
        ),
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
    ]
}
