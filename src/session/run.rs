//! A run with all that belongs to it: files, observers, guards, checkpoints, a summary.

use std::time::{Duration, Instant};

use nalgebra::Vector3;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::files::{Files, Lock, Output};
use super::plan::{Plan, Strides};
use super::{Session, checkpoints, lines, summary, threads};
use crate::Result;
use crate::forcefield::{ForceField, Precision, System};
use crate::observe::{
    CsvLog, EnergyMonitor, EquivarianceMonitor, GeometryGuard, Journal, Moves, Progress, Shape,
    TrajectoryWriter, Unchanged,
};
use crate::simulate::checkpoint::Checkpoint;
use crate::simulate::{Motion, OnGuard, Rules, Simulation, Stop};
use crate::structure::{Annotations, Frame, outgrows_pdb, write_cif, write_pdb_with};

/// How a run goes.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Where its files go.
    pub output: Output,
    /// Its length and strides.
    pub strides: Strides,
    /// What to do when a frame is not a molecule any more; none: what suits the stepper.
    pub on_guard: Option<OnGuard>,
    /// Times that a run may go back to a checkpoint before it stops.
    pub max_rollbacks: u64,
    /// Wall time after which it stops in good order; none: never.
    pub time_limit: Option<Duration>,
    /// What else stops it.
    pub stop: Stop,
    /// What was typed to start it, for the summary.
    pub command_line: Vec<String>,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            output: Output::default(),
            strides: Strides::default(),
            on_guard: None,
            max_rollbacks: 10,
            time_limit: None,
            stop: Stop::never(),
            command_line: Vec::new(),
        }
    }
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Lines about protein, model and plan.
    pub lines: Vec<String>,
    /// Strides, in steps.
    pub plan: Plan,
    /// Files that it would write.
    pub files: Vec<std::path::PathBuf>,
    /// The step that it would go on from; none: it would start from the input.
    pub resumes_at: Option<u64>,
}

impl Session {
    /// Says what [`Session::run`] would do, and how long it would take: measured on a step of the
    /// input.
    ///
    /// # Errors
    /// Those of [`Session::run`] before its first step.
    pub fn preview(&mut self, options: &RunOptions) -> Result<Preview> {
        let pool = self.pool.clone();
        threads::within(pool.as_deref(), || self.look_ahead(options))
    }

    fn look_ahead(&mut self, options: &RunOptions) -> Result<Preview> {
        let (files, plan) = self.prepare(options)?;
        // a step of a large protein takes minutes
        self.stepper.heed(&options.stop);
        let checkpoint = self.checkpoint(options, &plan, &files)?;
        if checkpoint.is_none() {
            let all = files.all();
            let paths = all.iter().map(std::path::PathBuf::as_path);
            crate::files::refuse_existing(paths, options.output.overwrite)?;
        }
        let resumes_at = checkpoint.map(|(checkpoint, _)| checkpoint.step());
        let estimate = self.estimate(&plan, resumes_at, 1)?;
        Ok(Preview {
            lines: self.lines(&plan, &files, estimate),
            plan,
            files: files.all(),
            resumes_at,
        })
    }

    /// Runs to the last step, or goes on with the run that was stopped before it.
    ///
    /// # Errors
    /// Those of [`Simulation::run`]; [`crate::Error::Output`] for files that are in the way, cannot
    /// be written or are another run's; [`crate::Error::Usage`] for a checkpoint of another run.
    pub fn run(self, options: &RunOptions, journal: &Journal) -> Result<()> {
        let pool = self.pool.clone();
        threads::within(pool.as_deref(), || self.carry_out(options, journal))
    }

    fn carry_out(mut self, options: &RunOptions, journal: &Journal) -> Result<()> {
        let (files, plan) = self.prepare(options)?;
        // from here on, so that what is before the first step counts
        let stop = options.stop.clone().after(options.time_limit);
        self.stepper.heed(&stop);
        let _lock = Lock::take(&files.prefix)?;
        let checkpoint = self.checkpoint(options, &plan, &files)?;
        let resumed_at = checkpoint.as_ref().map(|(checkpoint, _)| checkpoint.step());
        match resumed_at {
            Some(step) if step >= plan.steps && files.are_finished() => {
                lines::say_complete(step, &files, journal);
                return Ok(());
            }
            Some(_) => {}
            None => {
                if files.clear(options.output.overwrite)? {
                    journal.say(REPLACED);
                }
            }
        }
        files.remove_parts();
        journal.log_to(&files.log(), checkpoint.is_some())?;
        let estimate = self.estimate(&plan, resumed_at, FEWEST_ESTIMATED)?;
        let lines = self.lines(&plan, &files, estimate);
        lines.iter().for_each(|line| journal.say(line));
        let begun = json!({
            "steps": plan.steps,
            "time_step_ps": self.stepper.time_step(),
            "replicas": files.replicas.len(),
        });
        journal.event("start", begun);
        let begins_there = checkpoint.is_none() && self.begins_there;
        let frames = match checkpoint {
            None => self.first_frames(journal, &stop)?,
            Some(_) => self.inputs(),
        };
        if checkpoint.is_none() {
            self.write_topology(&files, &frames[0], options, &plan)?;
        }
        let started_from = match &checkpoint {
            Some((checkpoint, _)) => checkpoint.start.clone(),
            None => begins_there.then(|| frames[0].positions.clone()),
        };
        let suited = OnGuard::suited(self.stepper.clock());
        let rules = Rules {
            steps: plan.steps,
            on_guard: options.on_guard.unwrap_or(suited),
            max_rollbacks: options.max_rollbacks,
            checkpoint_every: plan.checkpoint,
            checkpoint_within: Some(CHECKPOINT_WITHIN),
            first_replica: self.replicas.first(),
            prefix: Some(files.prefix.clone()),
            settings: self.settings(options, &plan),
            stop,
        };
        let about = summary::About {
            command: self.command,
            command_line: &options.command_line,
            files: &files,
            plan: &plan,
            settings: rules.settings.clone(),
            stepper: self.stepper.describe(),
            structure: self.structure.clone(),
            on_guard: rules.on_guard,
            resumed_at,
        };
        // where the run begins with its input; another start is told by the simulation
        self.stepper.begin(&self.structure.frame.positions);
        let first = started_from.as_deref();
        let mut simulation = self.simulation(frames, first, &plan, &files, rules, journal);
        if let Some(start) = started_from {
            simulation.begin_with(start);
        }
        if let Some((checkpoint, note)) = checkpoint {
            note.iter()
                .for_each(|note| journal.say(&format!("warning: {note}")));
            journal.say(&format!("going on from step {}", checkpoint.step()));
            simulation.resume(checkpoint)?;
        }
        let clock = Instant::now();
        let outcome = simulation.run();
        about.finish(&simulation, outcome, clock.elapsed(), journal)
    }

    /// Files and strides.
    pub(super) fn prepare(&self, options: &RunOptions) -> Result<(Files, Plan)> {
        let mut files = Files::new(&options.output, self.replicas, &self.input, self.forces)?;
        if outgrows_pdb(&self.structure.topology) {
            files = files.with_cif(&self.input)?;
        }
        let plan = Plan::new(&options.strides, self.stepper.clock(), self.default_steps)?;
        Ok((files, plan))
    }

    /// Writes the topology with frame 0, and where it comes from.
    fn write_topology(
        &self,
        files: &Files,
        frame: &Frame,
        options: &RunOptions,
        plan: &Plan,
    ) -> Result<()> {
        let settings = self.settings(options, plan);
        let notes = Annotations {
            remarks: remarks(&settings, &self.stepper.describe(), &options.command_line),
            ..Annotations::default()
        };
        let topology = &self.structure.topology;
        write_pdb_with(&files.topology(), topology, [frame], &notes)?;
        match files.cif() {
            Some(cif) => write_cif(&cif, topology, frame, &notes),
            None => Ok(()),
        }
    }

    /// The checkpoint to go on from, and a note where it is not the newest file.
    fn checkpoint(
        &self,
        options: &RunOptions,
        plan: &Plan,
        files: &Files,
    ) -> Result<Option<(Checkpoint, Option<String>)>> {
        checkpoints::refuse_training(&files.prefix)?;
        if options.output.fresh {
            return Ok(None);
        }
        let found = Checkpoint::load(&files.prefix)?;
        if let Some((checkpoint, _)) = &found {
            checkpoint.require_settings(&self.settings(options, plan), &files.prefix)?;
        }
        Ok(found)
    }

    /// What must be the same for a checkpoint to be gone on from. Names and values stand in
    /// checkpoints: they stay what they are.
    pub(super) fn settings(&self, options: &RunOptions, plan: &Plan) -> Value {
        let mut settings: Map<String, Value> = self.identity.clone();
        settings.extend(self.stepper.identity());
        let first = self.replicas.first();
        for (name, value) in [
            ("command", self.command.into()),
            (
                "protein (hash of atoms and positions)",
                self.protein().into(),
            ),
            ("seed", self.seed.into()),
            ("replicas", self.replicas.count().into()),
            ("replica index", first.into()),
            ("trajectory format", options.output.format.ending().into()),
            ("steps from frame to frame", plan.trajectory.into()),
            ("steps from log row to log row", plan.log.into()),
        ] {
            settings.insert(name.to_owned(), value);
        }
        Value::Object(settings)
    }

    /// A hash of the protein's atoms and positions.
    fn protein(&self) -> String {
        let topology = &self.structure.topology;
        let mut hash = Sha256::new();
        (0..topology.len()).for_each(|atom| hash.update(topology.atom_label(atom)));
        let positions = self.structure.frame.positions.iter().flatten();
        positions.for_each(|x| hash.update(x.to_le_bytes()));
        let digest = hash.finalize();
        let bytes = digest.iter().take(8);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }

    /// A simulation with all its observers, which compare with the positions `first`, or those of
    /// the input.
    fn simulation(
        mut self,
        frames: Vec<Frame>,
        first: Option<&[Vector3<f64>]>,
        plan: &Plan,
        files: &Files,
        rules: Rules,
        journal: &Journal,
    ) -> Simulation {
        let field = self.field.take();
        let topology = &self.structure.topology;
        let first = first.unwrap_or(&self.structure.frame.positions);
        let motion = self.stepper.motion().unwrap_or_else(|| Motion {
            masses: topology.atoms.iter().map(|atom| atom.mass).collect(),
            freedom: 3 * topology.len(),
        });
        let interval = plan.trajectory as f64 * self.stepper.time_step();
        let field = match field {
            Some(field) => Ok(field),
            None => System::build(topology).map(|system| ForceField::new(system, Precision::F64)),
        };
        if let Err(error) = &field {
            journal.say(&format!("no energies: {error}"));
        }
        let has_network = self.stepper.probe().is_some();
        let guard = |replica| {
            // only the first says what the input breaks
            self.guard(
                first,
                if replica == 0 {
                    journal.clone()
                } else {
                    Journal::silent()
                },
            )
        };
        // whoever looks at every frame would hold up a stepper that makes many at once
        let each = if self.stepper.advances_alone() {
            plan.guard
        } else {
            1
        };
        let guards: Vec<GeometryGuard> = (0..files.replicas.len()).map(guard).collect();
        let mut simulation = Simulation::new(self.stepper, frames, rules, journal.clone());
        for (replica, guard) in guards.into_iter().enumerate() {
            let field = field
                .as_ref()
                .map(ForceField::clone)
                .map_err(ToString::to_string);
            let forces = field.clone().ok().zip(files.forces(replica));
            let energies = EnergyMonitor::new(field, motion.masses.clone(), motion.freedom);
            let trajectory =
                TrajectoryWriter::new(files.trajectory(replica), topology.len(), interval)
                    .naming(topology);
            simulation.watch(replica, each, Box::<Moves>::default());
            simulation.watch(replica, plan.guard, Box::new(guard));
            simulation.watch(replica, plan.log, Box::new(energies));
            let shape = Shape::new(topology, first);
            simulation.watch(replica, plan.log, Box::new(shape));
            simulation.watch(replica, plan.trajectory, Box::new(trajectory));
            if let Some((field, file)) = forces {
                let writer = TrajectoryWriter::new(file, topology.len(), interval);
                let writer = Box::new(writer.with_forces(field));
                simulation.watch(replica, plan.trajectory, writer);
            }
            let log = CsvLog::new(files.csv(replica));
            simulation.watch(replica, plan.log, Box::new(log));
            let progress = Progress::new(plan.steps, replica, journal.clone());
            simulation.watch(replica, plan.log, Box::new(progress));
        }
        let topology_file = Unchanged::new(files.topology());
        simulation.watch(0, each, Box::new(topology_file));
        if let Some(every) = plan.equivariance.filter(|_| has_network) {
            let monitor = EquivarianceMonitor::new(self.seed, journal.clone());
            simulation.watch_equivariance(every, monitor);
        }
        simulation
    }
}

/// Settings that the topology's file names, beside those of the command.
const SETTINGS: [&str; 4] = [
    "model (hash of weights)",
    "seed",
    "temperature (K)",
    "time step (ps)",
];

/// Where a run's files come from, in words: program, model, seed, force field, command.
fn remarks(settings: &Value, stepper: &str, command_line: &[String]) -> Vec<String> {
    let mut lines = vec![
        format!("mdsurrogate {}", env!("CARGO_PKG_VERSION")),
        format!("made by {stepper}"),
        "force field ff14SB + OBC2".to_owned(),
    ];
    for name in SETTINGS {
        match settings.get(name) {
            Some(Value::String(words)) => lines.push(format!("{name} {words}")),
            Some(value) => lines.push(format!("{name} {value}")),
            None => {}
        }
    }
    if !command_line.is_empty() {
        lines.push(format!("command {}", command_line.join(" ")));
    }
    lines.push("frame 0 of the run; when the run is done the temperature factors are".to_owned());
    lines.push("8 pi^2/3 RMSF^2 of each residue's CA over its trajectories".to_owned());
    lines
}

/// Wall time after which a checkpoint is made in any case.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(120);
/// Said where files are replaced without having been asked to be.
const REPLACED: &str = "what is there of a run that ended before its first checkpoint is replaced";

/// A run of fewer steps is not measured before it begins, unless its input is equilibrated first:
/// that would be a good part of it.
const FEWEST_ESTIMATED: u64 = 10;
