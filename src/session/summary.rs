//! The end of a run: the last frames, the summary file, the last words.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::files::Files;
use super::fluctuations;
use super::lines::time;
use super::plan::Plan;
use crate::files::write_atomically;
use crate::observe::{Journal, three_digits};
use crate::simulate::{OnGuard, Simulation};
use crate::structure::{Structure, write_pdb};
use crate::{Error, Result};

/// What is known of a run before it starts.
pub(super) struct About<'a> {
    pub command: &'static str,
    /// What was typed.
    pub command_line: &'a [String],
    pub files: &'a Files,
    pub plan: &'a Plan,
    pub settings: Value,
    /// What makes the steps.
    pub stepper: String,
    pub structure: Structure,
    /// What is done about a frame that is no molecule.
    pub on_guard: OnGuard,
    /// The step that this run went on from.
    pub resumed_at: Option<u64>,
}

impl About<'_> {
    /// Writes `PREFIX_final.pdb` and the summary, says how it ended, and gives the outcome back.
    pub fn finish(
        &self,
        simulation: &Simulation,
        outcome: Result<()>,
        wall: Duration,
        journal: &Journal,
    ) -> Result<()> {
        journal.end_progress();
        let mut written = Ok(());
        for (replica, frame) in simulation.frames().iter().enumerate() {
            let last = self.files.last(replica);
            written = written.and(write_pdb(&last, &self.structure.topology, [frame]));
        }
        if outcome.is_ok() {
            written = written.and(fluctuations::note(self.files, &self.structure.topology));
        }
        let kind = ending(&outcome);
        let summary = self.summary(simulation, &outcome, wall, journal);
        let text = format!("{summary:#}\n");
        let path = self.files.summary();
        written = written.and(write_atomically(&path, |out| {
            out.write_all(text.as_bytes())
        }));
        journal.event(
            "end",
            json!({ "outcome": kind, "step": simulation.step(), "summary": path }),
        );
        match &outcome {
            Ok(()) => self.last_words(simulation, wall, journal),
            Err(error) => journal.detail(&format!("ended: {error}")),
        }
        // the reason that the run ended comes before what went wrong afterwards
        outcome.and(written).and(journal.check())
    }

    fn last_words(&self, simulation: &Simulation, wall: Duration, journal: &Journal) {
        let span = self.simulated(simulation);
        let speed = speed(span, wall).map_or(String::new(), |speed| {
            format!(", {} ns/day", three_digits(speed))
        });
        let steps = simulation.step() - self.resumed_at.unwrap_or(0);
        journal.say(&format!(
            "done: {steps} steps, {} in {:.1} s{speed}",
            time(span),
            wall.as_secs_f64()
        ));
        if simulation.rollbacks() > 0 {
            journal.say(&format!("  gone back {} times", simulation.rollbacks()));
        }
        let top = self.files.topology();
        let trajectory = self.files.trajectory(0);
        journal.say(&format!(
            "  look at it: vmd {} {}",
            top.display(),
            trajectory.display()
        ));
        journal.say(&format!(
            "  numbers: {}, {}",
            self.files.csv(0).display(),
            self.files.summary().display()
        ));
        journal.say(&format!(
            "  what it did: mdsurrogate analyze {}",
            self.files.whole.display()
        ));
    }

    /// Physical time of this run, ps, of one replica.
    fn simulated(&self, simulation: &Simulation) -> f64 {
        let frame = &simulation.frames()[0];
        let per_step = if frame.step == 0 {
            0.0
        } else {
            frame.time / frame.step as f64
        };
        (frame.step - self.resumed_at.unwrap_or(0).min(frame.step)) as f64 * per_step
    }

    fn summary(
        &self,
        simulation: &Simulation,
        outcome: &Result<()>,
        wall: Duration,
        journal: &Journal,
    ) -> Value {
        let plan = self.plan;
        json!({
            "program": "mdsurrogate",
            "version": crate::version(),
            "command": self.command,
            "command_line": self.command_line,
            "outcome": ending(outcome),
            "error": outcome.as_ref().err().map(ToString::to_string),
            "input": self.structure.report,
            "engine": self.stepper,
            "settings": self.settings,
            "plan": {
                "steps": plan.steps,
                "trajectory_every": plan.trajectory,
                "log_every": plan.log,
                "checkpoint_every": plan.checkpoint,
                "guard_every": plan.guard,
                "guard": self.on_guard,
            },
            "resumed_at_step": self.resumed_at,
            "wall_seconds": wall.as_secs_f64(),
            "ns_per_day": speed(self.simulated(simulation), wall),
            "threads": rayon::current_num_threads(),
            "results": simulation.results(),
            "guards": journal.warnings(),
            "files": self.files.all(),
        })
    }
}

/// How a run ended, in words of the summary.
fn ending(outcome: &Result<()>) -> &'static str {
    match outcome {
        Ok(()) => "done",
        Err(Error::Guard { .. }) => "stopped by a guard",
        Err(Error::Interrupted { .. }) => "interrupted",
        Err(_) => "failed",
    }
}

/// ns/day of one replica.
fn speed(ps: f64, wall: Duration) -> Option<f64> {
    let days = wall.as_secs_f64() / 86_400.0;
    Some(ps * 1e-3 / days).filter(|speed| speed.is_finite() && ps > 0.0)
}
