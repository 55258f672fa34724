//! A simulation: a stepper, its replicas and what watches them.

mod looking;
mod rules;

pub use looking::MOST_DRAWS;
pub use rules::{OnGuard, Rules};

use std::time::Instant;

use nalgebra::Vector3;
use serde_json::{Value, json};

use super::Stepper;
use super::checkpoint::{Checkpoint, Tally, files};
use crate::observe::{EquivarianceMonitor, Journal, Observer};
use crate::structure::Frame;
use crate::{Error, Result};

/// Share of jumps drawn again above which the run's end says so.
const OFTEN: f64 = 0.05;

/// A stepper applied again and again to all replicas while observers watch each of them.
pub struct Simulation {
    stepper: Box<dyn Stepper>,
    frames: Vec<Frame>,
    /// Observers of each replica with their strides, in the order in which they see a frame.
    observers: Vec<Vec<(u64, Box<dyn Observer>)>>,
    equivariance: Option<(u64, EquivarianceMonitor)>,
    /// The frames before the step that is being made.
    before: Vec<Frame>,
    tallies: Vec<Tally>,
    /// Positions that the run began with, where they are not its input's.
    start: Option<Vec<Vector3<f64>>>,
    rules: Rules,
    journal: Journal,
    /// The last checkpoint; none before the first frame was seen.
    saved: Option<Checkpoint>,
    saved_at: Instant,
    rollbacks: u64,
}

impl Simulation {
    /// A simulation of replicas that start as `frames`.
    pub fn new(
        mut stepper: Box<dyn Stepper>,
        frames: Vec<Frame>,
        rules: Rules,
        journal: Journal,
    ) -> Self {
        stepper.heed(&rules.stop);
        Simulation {
            stepper,
            observers: frames.iter().map(|_| Vec::new()).collect(),
            equivariance: None,
            before: Vec::new(),
            tallies: vec![Tally::default(); frames.len()],
            start: None,
            frames,
            rules,
            journal,
            saved: None,
            saved_at: Instant::now(),
            rollbacks: 0,
        }
    }

    /// Tells the stepper that the run begins with these positions, not with those of its input; a
    /// run that goes on knows them from its checkpoint.
    pub fn begin_with(&mut self, start: Vec<Vector3<f64>>) {
        self.stepper.begin(&start);
        self.start = Some(start);
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
        if let Some(start) = &checkpoint.start {
            self.begin_with(start.clone());
        }
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
    /// [`Error::Guard`] where a guard stopped it, [`Error::Interrupted`] on a signal (in the middle
    /// of a step, which is dropped, where steps take seconds) or at the time limit, and what the
    /// stepper and the observers report. Files are closed in any case; frames are left as they are.
    pub fn run(&mut self) -> Result<()> {
        let outcome = self.advance();
        self.say_how_often();
        let closed = self
            .observers
            .iter_mut()
            .flatten()
            .map(|(_, observer)| observer.finish())
            .fold(Ok(()), Result::and);
        outcome.and(closed)
    }

    /// Runs on to this step, counted from the first; those of a run that is there already do
    /// nothing.
    ///
    /// # Errors
    /// Those of [`Simulation::run`].
    pub fn run_to(&mut self, step: u64) -> Result<()> {
        self.rules.steps = step;
        self.run()
    }

    /// The only loop over steps.
    fn advance(&mut self) -> Result<()> {
        if self.saved.is_none() {
            self.look()?;
            self.save()?;
        }
        while self.step() < self.rules.steps {
            self.before.clone_from(&self.frames);
            let ahead = self.unseen();
            match self.stepper.many_steps(&mut self.frames, ahead) {
                Err(Error::Interrupted { .. }) => {
                    // in the middle of the step, which is dropped
                    std::mem::swap(&mut self.before, &mut self.frames);
                    self.save()?;
                    return Err(self.interrupted(self.rules.stop.reason().unwrap_or("stopped")));
                }
                stepped => stepped?,
            }
            match self.look() {
                Err(guard @ Error::Guard { .. }) if self.rules.on_guard == OnGuard::Rollback => {
                    self.roll_back(guard)?;
                    continue;
                }
                Err(Error::Interrupted { .. }) => {
                    // while a jump was drawn again
                    self.go_back_to_saved()?;
                    return Err(self.interrupted(self.rules.stop.reason().unwrap_or("stopped")));
                }
                looked => looked?,
            }
            let at_end = self.step() == self.rules.steps;
            let stop = self.rules.stop.reason().filter(|_| !at_end);
            let due = self.step().is_multiple_of(self.rules.checkpoint_every);
            if stop.is_some() || at_end || due || self.is_overdue() {
                self.save()?;
            }
            if let Some(reason) = stop {
                return Err(self.interrupted(reason));
            }
        }
        Ok(())
    }

    /// Steps that are made before somebody looks: one, unless the stepper gains by more.
    fn unseen(&self) -> u64 {
        if !self.stepper.advances_alone() {
            return 1;
        }
        let step = self.step();
        let strides = self.observers.iter().flatten().map(|(every, _)| *every);
        let due = strides.chain([self.rules.checkpoint_every.max(1)]);
        let ahead = due.map(|every| every - step % every);
        ahead.fold(self.rules.steps - step, u64::min)
    }

    /// Whether so much time has passed that a checkpoint is to be made.
    fn is_overdue(&self) -> bool {
        self.rules.on_guard != OnGuard::Rollback
            && self
                .rules
                .checkpoint_within
                .is_some_and(|within| self.saved_at.elapsed() >= within)
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
            tallies: self.tallies.clone(),
            start: self.start.clone(),
        };
        if let Some(prefix) = &self.rules.prefix {
            checkpoint.save(prefix)?;
            self.journal.event(
                "checkpoint",
                json!({ "step": checkpoint.step(), "file": files(prefix)[0] }),
            );
        }
        self.saved = Some(checkpoint);
        self.saved_at = Instant::now();
        self.journal.check()
    }

    /// Puts frames, observers and random numbers back to where a checkpoint has them.
    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.frames.clone_from(&checkpoint.frames);
        self.tallies.clone_from(&checkpoint.tallies);
        self.tallies.resize(self.frames.len(), Tally::default());
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

    /// Takes all replicas back to the last checkpoint, as it stands on the disk.
    fn go_back_to_saved(&mut self) -> Result<()> {
        let Some(checkpoint) = self.saved.take() else {
            return Ok(());
        };
        let restored = self.restore(&checkpoint);
        self.saved = Some(checkpoint);
        restored
    }

    /// Says how often jumps were drawn again or not corrected, where that was often.
    fn say_how_often(&self) {
        let steps = self.step() as f64 * self.frames.len() as f64;
        for (what, count) in [
            (
                "drawn again",
                self.tallies.iter().map(|tally| tally.redrawn).sum::<u64>(),
            ),
            (
                "not corrected",
                self.tallies.iter().map(|tally| tally.short).sum(),
            ),
        ] {
            if count as f64 > OFTEN * steps {
                self.journal.say(&format!(
                    "warning: {count} of {steps} jumps were {what}: the model is far from what it \
                     knows here, and what is left of its jumps is a choice"
                ));
            }
        }
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
        let corrections = self.tallies.iter().map(Tally::mean_correction);
        let corrections: Vec<_> = corrections.collect();
        json!({
            "steps": self.step(),
            "time_ps": self.frames.first().map(|frame| frame.time),
            "rollbacks": self.rollbacks,
            "jumps_drawn_again": self.tallies.iter().map(|tally| tally.redrawn).collect::<Vec<_>>(),
            "corrector_failures": self.tallies.iter().map(|tally| tally.short).collect::<Vec<_>>(),
            "corrector_steps_a_jump": corrections,
            "equivariance": self.equivariance.as_ref().map(|(_, monitor)| monitor.results()),
            "replicas": replicas,
        })
    }
}
