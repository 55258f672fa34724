//! A simulation: a stepper, its replicas and what watches them.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::checkpoint::{Checkpoint, files};
use super::{Stepper, Stop};
use crate::observe::{EquivarianceMonitor, Journal, Observer, Record};
use crate::structure::Frame;
use crate::{Error, Result};

/// What a run does when a guard finds a frame that is not physical.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum OnGuard {
    /// Stop there.
    #[default]
    Abort,
    /// Go back to the last checkpoint and take another path.
    Rollback,
    /// Say so and go on.
    Warn,
}

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Step to end at, counted from the input.
    pub steps: u64,
    /// What to do when a guard trips.
    pub on_guard: OnGuard,
    /// Times that a run may go back.
    pub max_rollbacks: u64,
    /// Steps from checkpoint to checkpoint.
    pub checkpoint_every: u64,
    /// Checkpoints are written to `PREFIX.ckpt` of this prefix; none: they are kept in memory only.
    pub prefix: Option<PathBuf>,
    /// What must be the same for a checkpoint to be gone on from; see [`Checkpoint::settings`].
    pub settings: Value,
    /// When to stop early.
    pub stop: Stop,
}

/// A stepper applied again and again to all replicas while observers watch each of them.
pub struct Simulation {
    stepper: Box<dyn Stepper>,
    frames: Vec<Frame>,
    /// Observers of each replica with their strides, in the order in which they see a frame.
    observers: Vec<Vec<(u64, Box<dyn Observer>)>>,
    equivariance: Option<(u64, EquivarianceMonitor)>,
    rules: Rules,
    journal: Journal,
    /// The last checkpoint; none before the first frame was seen.
    saved: Option<Checkpoint>,
    rollbacks: u64,
}

impl Simulation {
    /// A simulation of replicas that start as `frames`.
    pub fn new(
        stepper: Box<dyn Stepper>,
        frames: Vec<Frame>,
        rules: Rules,
        journal: Journal,
    ) -> Self {
        let observers = frames.iter().map(|_| Vec::new()).collect();
        Simulation {
            stepper,
            frames,
            observers,
            equivariance: None,
            rules,
            journal,
            saved: None,
            rollbacks: 0,
        }
    }

    /// Adds an observer that sees every `every`th frame of a replica, from step 0 on.
    pub fn watch(&mut self, replica: usize, every: u64, observer: Box<dyn Observer>) {
        self.observers[replica].push((every.max(1), observer));
    }

    /// Measures the equivariance of the stepper's network on replica 0 at every `every`th step.
    pub fn watch_equivariance(&mut self, every: u64, monitor: EquivarianceMonitor) {
        self.equivariance = Some((every.max(1), monitor));
    }

    /// Goes on from a checkpoint; observers must have been added already, the same as when it was
    /// made.
    ///
    /// # Errors
    /// [`Error::Usage`] where it was made with other settings, [`Error::Input`] where files do not
    /// reach as far as it says.
    pub fn resume(&mut self, checkpoint: Checkpoint) -> Result<()> {
        checkpoint.require_settings(
            &self.rules.settings,
            self.rules.prefix.as_deref().unwrap_or("run".as_ref()),
        )?;
        self.rollbacks = checkpoint.attempt;
        self.restore(&checkpoint)?;
        self.saved = Some(checkpoint);
        Ok(())
    }

    /// The frames as they are.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }
    /// The step that all replicas are at.
    pub fn step(&self) -> u64 {
        self.frames.first().map_or(0, |frame| frame.step)
    }
    /// Times that a guard took the run back, those before it was resumed included.
    pub fn rollbacks(&self) -> u64 {
        self.rollbacks
    }

    /// Runs to the last step.
    ///
    /// # Errors
    /// [`Error::Guard`] where a guard stopped it, [`Error::Interrupted`] on a signal or at the time
    /// limit, and what the stepper and the observers report. Files are closed in any case; frames
    /// are left as they are.
    pub fn run(&mut self) -> Result<()> {
        let outcome = self.advance();
        let closed = self
            .observers
            .iter_mut()
            .flatten()
            .map(|(_, observer)| observer.finish())
            .fold(Ok(()), Result::and);
        outcome.and(closed)
    }

    /// The only loop over steps.
    fn advance(&mut self) -> Result<()> {
        if self.saved.is_none() {
            self.look()?;
            self.save()?;
        }
        while self.step() < self.rules.steps {
            self.stepper.step(&mut self.frames)?;
            match self.look() {
                Err(guard @ Error::Guard { .. }) if self.rules.on_guard == OnGuard::Rollback => {
                    self.roll_back(guard)?;
                    continue;
                }
                looked => looked?,
            }
            let stop = self
                .rules
                .stop
                .reason()
                .filter(|_| self.step() < self.rules.steps);
            if stop.is_some()
                || self.step() == self.rules.steps
                || self.step().is_multiple_of(self.rules.checkpoint_every)
            {
                self.save()?;
            }
            if let Some(reason) = stop {
                return Err(self.interrupted(reason));
            }
        }
        Ok(())
    }

    /// Shows the frames to the observers whose turn it is.
    fn look(&mut self) -> Result<()> {
        for (replica, (frame, observers)) in self.frames.iter().zip(&mut self.observers).enumerate()
        {
            let mut record = Record::default();
            if let Some((_, monitor)) = self
                .equivariance
                .as_mut()
                .filter(|(every, _)| replica == 0 && frame.step.is_multiple_of(*every))
                && let Some(probe) = self.stepper.probe()
            {
                monitor.check(probe, frame, &mut record)?;
            }
            for (_, observer) in observers
                .iter_mut()
                .filter(|(every, _)| frame.step.is_multiple_of(*every))
            {
                match observer.observe(frame, &mut record) {
                    Err(Error::Guard { step, what, .. })
                        if self.rules.on_guard == OnGuard::Warn =>
                    {
                        self.journal
                            .warn(step, "guard", &of_replica(&what, replica));
                    }
                    Err(Error::Guard { step, what, hint }) => {
                        return Err(Error::Guard {
                            step,
                            what: of_replica(&what, replica),
                            hint,
                        });
                    }
                    seen => seen?,
                }
            }
        }
        Ok(())
    }

    /// Makes a checkpoint.
    fn save(&mut self) -> Result<()> {
        let states = |observers: &mut Vec<(u64, Box<dyn Observer>)>| {
            observers
                .iter_mut()
                .map(|(_, observer)| observer.state())
                .collect()
        };
        let checkpoint = Checkpoint {
            settings: self.rules.settings.clone(),
            attempt: self.rollbacks,
            frames: self.frames.clone(),
            observers: self
                .observers
                .iter_mut()
                .map(states)
                .collect::<Result<_>>()?,
        };
        if let Some(prefix) = &self.rules.prefix {
            checkpoint.save(prefix)?;
            self.journal.event(
                "checkpoint",
                json!({ "step": checkpoint.step(), "file": files(prefix)[0] }),
            );
        }
        self.saved = Some(checkpoint);
        self.journal.check()
    }

    /// Puts frames, observers and random numbers back to where a checkpoint has them.
    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.frames.clone_from(&checkpoint.frames);
        self.stepper.reseed(self.rollbacks);
        for ((observers, states), frame) in self
            .observers
            .iter_mut()
            .zip(&checkpoint.observers)
            .zip(&checkpoint.frames)
        {
            for ((_, observer), state) in observers.iter_mut().zip(states) {
                observer.restore(state, frame)?;
            }
        }
        Ok(())
    }

    /// Takes all replicas back to the last checkpoint, with other random numbers from there on.
    fn roll_back(&mut self, guard: Error) -> Result<()> {
        let Error::Guard { step, what, .. } = &guard else {
            return Err(guard);
        };
        let Some(checkpoint) = self
            .saved
            .take()
            .filter(|_| self.rollbacks < self.rules.max_rollbacks)
        else {
            self.journal.say(&format!(
                "gone back {} times already: --max-rollbacks reached",
                self.rollbacks
            ));
            return Err(guard);
        };
        self.rollbacks += 1;
        let back = checkpoint.step();
        self.journal.warn(
            *step,
            "rollback",
            &format!("{what}; back to step {back}, attempt {}", self.rollbacks),
        );
        let restored = self.restore(&checkpoint);
        self.saved = Some(checkpoint);
        restored
    }

    fn interrupted(&self, reason: &str) -> Error {
        self.journal.say(&format!(
            "{reason} at step {} of {}",
            self.step(),
            self.rules.steps
        ));
        let checkpoint = self
            .rules
            .prefix
            .as_deref()
            .map(|prefix| files(prefix)[0].clone())
            .unwrap_or_default();
        Error::Interrupted {
            step: self.step(),
            checkpoint,
        }
    }

    /// What each observer of each replica found, for the summary.
    pub fn results(&self) -> Value {
        let of = |observers: &Vec<(u64, Box<dyn Observer>)>| {
            observers
                .iter()
                .filter_map(|(_, observer)| observer.results())
                .map(|(name, found)| (name.to_owned(), found))
                .collect()
        };
        let replicas: Vec<serde_json::Map<String, Value>> = self.observers.iter().map(of).collect();
        json!({
            "steps": self.step(),
            "time_ps": self.frames.first().map(|frame| frame.time),
            "rollbacks": self.rollbacks,
            "equivariance": self.equivariance.as_ref().map(|(_, monitor)| monitor.results()),
            "replicas": replicas,
        })
    }
}

/// The first replica needs no name: most runs have one.
fn of_replica(what: &str, replica: usize) -> String {
    if replica == 0 {
        what.to_owned()
    } else {
        format!("replica {replica}: {what}")
    }
}
