//! Frames in memory.

use nalgebra::Vector3;

use super::{Session, threads};
use crate::Result;
use crate::observe::{GeometryGuard, Journal, Observer, Record};
use crate::simulate::{Clock, OnGuard, Rules, Simulation, Stop};
use crate::structure::Frame;

/// Times that a run in memory goes back, where its guard is told to.
const MOST_ROLLBACKS: u64 = 10;

impl Session {
    /// A run in memory, at step 0: its frames are those of [`Session::run`], and nothing is
    /// written. [`Simulation::run_to`] advances it.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] where `stop` was asked for while the input was equilibrated or
    /// heated, and those of the force field.
    pub fn in_memory(
        mut self,
        on_guard: Option<OnGuard>,
        journal: &Journal,
        stop: &Stop,
    ) -> Result<Simulation> {
        self.stepper.heed(stop);
        let pool = self.pool.clone();
        let frames = threads::within(pool.as_deref(), || self.first_frames(journal, stop))?;
        let first = if self.begins_there {
            frames[0].positions.clone()
        } else {
            self.structure.frame.positions.clone()
        };
        let rules = Rules {
            on_guard: on_guard.unwrap_or(OnGuard::suited(self.stepper.clock())),
            max_rollbacks: MOST_ROLLBACKS,
            checkpoint_every: u64::MAX, // but one at the end of every stretch
            first_replica: self.replicas.first(),
            stop: stop.clone(),
            ..Rules::in_memory(0)
        };
        let guards = frames.iter().map(|_| self.guard(&first, Journal::silent()));
        let guards: Vec<GeometryGuard> = guards.collect();
        let mut simulation = Simulation::new(self.stepper, frames, rules, journal.clone());
        for (replica, guard) in guards.into_iter().enumerate() {
            simulation.watch(replica, 1, Box::new(guard));
        }
        simulation.begin_with(first);
        Ok(simulation)
    }

    /// A guard of frames of a run that begins with `first`, Å.
    pub(super) fn guard(&self, first: &[Vector3<f64>], journal: Journal) -> GeometryGuard {
        let topology = &self.structure.topology;
        let guard = GeometryGuard::new(topology, &self.geometry, first, journal);
        match self.stepper.clock() {
            Clock::Jumps(_) => guard.of_jumps(),
            Clock::Dynamics(_) if self.command == "reference" => guard.of_physics(),
            Clock::Dynamics(_) => guard,
        }
    }

    /// The input, once for each replica.
    pub(super) fn inputs(&self) -> Vec<Frame> {
        // the cell of a crystal is none of a run, which knows no periodic images
        let first = Frame {
            cell: None,
            ..self.structure.frame.clone()
        };
        vec![first; self.replicas.count() as usize]
    }

    /// The frames at step 0.
    pub(super) fn first_frames(&mut self, journal: &Journal, stop: &Stop) -> Result<Vec<Frame>> {
        let frames = self.inputs();
        match self.start.take() {
            Some(start) => start(frames, journal, stop),
            None => Ok(frames),
        }
    }
}

/// The frames of a session, step after step; see [`Session::frames`].
pub struct Frames<'a> {
    session: &'a mut Session,
    guard: GeometryGuard,
    /// The last frame; none behind an error.
    frame: Option<Frame>,
}

impl<'a> Frames<'a> {
    pub(super) fn new(session: &'a mut Session) -> Self {
        let frame = session.structure.frame.clone();
        let guard = session.guard(&frame.positions, Journal::silent());
        session.stepper.begin(&frame.positions);
        Frames {
            session,
            guard,
            frame: Some(frame),
        }
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut frames = [self.frame.take()?];
        let seen = self
            .session
            .step(&mut frames)
            .and_then(|()| self.guard.observe(&frames[0], &mut Record::default()));
        let [frame] = frames;
        Some(seen.map(|()| self.frame.insert(frame).clone()))
    }
}
