//! What all commands that run a simulation share: flags, files, observers, checkpoints, the
//! summary.
//!
//! A command brings an [`Engine`] (a stepper and what is to be known of it); the job does the rest.

mod args;
mod files;
mod plan;
mod summary;

pub use args::{JobArgs, TrajFormat};
pub use files::Files;
pub use plan::{Plan, Span, quantity};

use std::path::Path;
use std::time::{Duration, Instant};

use nalgebra::Vector3;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::forcefield::{ForceField, Precision, System, TemplateGeometry};
use crate::observe::{
    Console, CsvLog, EnergyMonitor, EquivarianceMonitor, GeometryGuard, Journal, Moves, Progress,
    Shape, TrajectoryWriter, Unchanged,
};
use crate::simulate::checkpoint::{Checkpoint, files as checkpoint_files};
use crate::simulate::{Motion, OnGuard, Rules, Simulation, Stepper, Stop};
use crate::structure::{Frame, Structure, write_pdb};
use crate::{Error, Result};

/// What makes the steps, and what is to be known of it.
pub struct Engine {
    /// The stepper.
    pub stepper: Box<dyn Stepper>,
    /// Template geometry that frames are held against.
    pub geometry: TemplateGeometry,
    /// What must be the same for a run to go on: model, time step, temperature, ….
    pub settings: serde_json::Map<String, Value>,
    /// Lines about it for the user.
    pub words: Vec<String>,
    /// Stride of the equivariance monitor, in steps; none where there is no network to ask.
    pub equivariance_every: Option<u64>,
    /// Steps to make where the user does not say.
    pub default_steps: u64,
    /// The force field that makes the steps, which the energy monitor then asks too; none: all
    /// pairs in f64.
    pub field: Option<ForceField>,
    /// Whether its forces are written, with positions and velocities, to a TRR file.
    pub forces: bool,
    /// What makes the first frame of every replica out of the input's; none: that is the first
    /// frame.
    pub start: Option<Start>,
    /// Temperature of the model, K, where its file says one.
    pub temperature: Option<f64>,
    /// Whether that frame is one for all replicas, which the stepper takes for the input.
    pub begins_there: bool,
}

/// Makes the frames at step 0 out of the input's, one a replica, unless it is to stop.
pub type Start = Box<dyn FnOnce(Vec<Frame>, &Journal, &Stop) -> Result<Vec<Frame>>>;

/// Wall time after which a checkpoint is made in any case.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(120);

/// A simulation of a protein, ready to be carried out.
pub struct Job<'a> {
    /// Name of the command.
    pub command: &'static str,
    /// Flags as typed.
    pub args: &'a JobArgs,
    /// The input file.
    pub input: &'a Path,
    /// The protein.
    pub structure: &'a Structure,
}

/// The journal that these flags ask for.
pub fn journal(args: &JobArgs) -> Journal {
    Journal::new(Console::suited(args.quiet), args.verbose, args.json)
}

/// Uses as many threads as the user says.
///
/// # Errors
/// [`Error::Device`] where they cannot be started.
pub fn set_threads(args: &JobArgs) -> Result<()> {
    let Some(threads) = args.threads else {
        return Ok(());
    };
    let started = rayon::ThreadPoolBuilder::new()
        .num_threads(threads as usize)
        .build_global();
    started.map_err(|error| Error::Device {
        what: format!("{threads} threads cannot be started: {error}"),
        hint: "fewer --threads".into(),
    })
}

impl Job<'_> {
    /// Runs the simulation to its end, or says what it would do.
    ///
    /// # Errors
    /// Those of [`Simulation::run`], and [`Error::Output`] for files that are in the way or cannot
    /// be written.
    pub fn carry_out(&self, mut engine: Engine) -> Result<()> {
        let args = self.args;
        let files = Files::new(args, self.input, engine.forces)?;
        let plan = Plan::new(args, engine.stepper.clock(), engine.default_steps)?;
        // from here on, so that what is before the first step counts
        let stop = Stop::on_signals().after(plan::time_limit(args)?);
        let settings = self.settings(&engine, &plan);
        let journal = journal(args);
        let checkpoint = if args.fresh {
            None
        } else {
            Checkpoint::load(&files.prefix)?
        };
        if args.dry_run {
            return self.describe(
                &engine,
                &plan,
                &files,
                checkpoint.as_ref().map(|(checkpoint, _)| checkpoint),
                &journal,
            );
        }
        let resumed_at = checkpoint.as_ref().map(|(checkpoint, _)| checkpoint.step());
        if let Some((checkpoint, _)) = &checkpoint {
            checkpoint.require_settings(&settings, &files.prefix)?;
            if checkpoint.step() >= plan.steps && files.are_finished() {
                journal.say(&format!(
                    "complete already: {} is at step {}",
                    checkpoint_files(&files.prefix)[0].display(),
                    checkpoint.step()
                ));
                journal.say("  more --steps to go on, --fresh --overwrite to start over");
                return Ok(());
            }
        } else if files.clear(args.overwrite)? {
            journal
                .say("what is there of a run that ended before its first checkpoint is replaced");
        }
        files.remove_parts();
        journal.log_to(&files.log(), checkpoint.is_some())?;
        self.introduce(&engine, &plan, &files, &journal);
        let start = engine.start.take().filter(|_| checkpoint.is_none());
        let begins_there = engine.begins_there && start.is_some();
        let frames = self.first_frames(start, &files, &journal, &stop)?;
        if checkpoint.is_none() {
            write_pdb(&files.topology(), &self.structure.topology, [&frames[0]])?;
        }
        let started_from = match &checkpoint {
            Some((checkpoint, _)) => checkpoint.start.clone(),
            None => begins_there.then(|| frames[0].positions.clone()),
        };
        let on_guard = (args.guard).unwrap_or(OnGuard::suited(engine.stepper.clock()));
        let rules = Rules {
            steps: plan.steps,
            on_guard,
            max_rollbacks: args.max_rollbacks,
            checkpoint_every: plan.checkpoint,
            checkpoint_within: Some(CHECKPOINT_WITHIN),
            first_replica: args.replica_index.unwrap_or(0),
            prefix: Some(files.prefix.clone()),
            settings: settings.clone(),
            stop,
        };
        let about = summary::About {
            job: self,
            files: &files,
            plan: &plan,
            settings,
            engine: engine.stepper.describe(),
            on_guard,
            resumed_at,
        };
        let first = started_from
            .as_deref()
            .unwrap_or(&self.structure.frame.positions);
        let mut simulation = self.simulation(engine, frames, first, &plan, &files, rules, &journal);
        if let Some(start) = started_from {
            simulation.begin_with(start);
        }
        if let Some((checkpoint, note)) = checkpoint {
            note.iter()
                .for_each(|note| journal.say(&format!("warning: {note}")));
            journal.say(&format!("going on from step {}", checkpoint.step()));
            simulation.resume(checkpoint)?;
        }
        let start = Instant::now();
        let outcome = simulation.run();
        about.finish(&simulation, outcome, start.elapsed(), &journal)
    }

    /// The frames at step 0.
    fn first_frames(
        &self,
        start: Option<Start>,
        files: &Files,
        journal: &Journal,
        stop: &Stop,
    ) -> Result<Vec<Frame>> {
        // the cell of a crystal is none of a run, which knows no periodic images
        let first = Frame {
            cell: None,
            ..self.structure.frame.clone()
        };
        let frames = vec![first; files.replicas.len()];
        match start {
            Some(start) => start(frames, journal, stop),
            None => Ok(frames),
        }
    }

    /// What must be the same for a checkpoint to be gone on from.
    fn settings(&self, engine: &Engine, plan: &Plan) -> Value {
        let topology = &self.structure.topology;
        let mut hash = Sha256::new();
        (0..topology.len()).for_each(|atom| hash.update(topology.atom_label(atom)));
        self.structure
            .frame
            .positions
            .iter()
            .flatten()
            .for_each(|x| hash.update(x.to_le_bytes()));
        let protein: String = hash
            .finalize()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut settings = engine.settings.clone();
        settings.insert("command".into(), self.command.into());
        settings.insert(
            "protein (hash of atoms and positions)".into(),
            protein.into(),
        );
        settings.insert("seed".into(), self.args.seed.into());
        settings.insert("replicas".into(), self.args.replicas.into());
        settings.insert(
            "replica index".into(),
            self.args.replica_index.unwrap_or(0).into(),
        );
        settings.insert(
            "trajectory format".into(),
            self.args.traj_format.ending().into(),
        );
        settings.insert("steps from frame to frame".into(), plan.trajectory.into());
        settings.insert("steps from log row to log row".into(), plan.log.into());
        Value::Object(settings)
    }

    /// A simulation with all its observers, which compare with the positions `first`.
    #[allow(clippy::too_many_arguments, reason = "each is a part of the whole")]
    fn simulation(
        &self,
        engine: Engine,
        frames: Vec<Frame>,
        first: &[Vector3<f64>],
        plan: &Plan,
        files: &Files,
        rules: Rules,
        journal: &Journal,
    ) -> Simulation {
        let topology = &self.structure.topology;
        let motion = engine.stepper.motion().unwrap_or_else(|| Motion {
            masses: topology.atoms.iter().map(|atom| atom.mass).collect(),
            freedom: 3 * topology.len(),
        });
        let interval = plan.trajectory as f64 * engine.stepper.time_step();
        let in_f64 =
            || System::build(topology).map(|system| ForceField::new(system, Precision::F64));
        let field = engine.field.map_or_else(in_f64, Ok);
        if let Err(error) = &field {
            journal.say(&format!("no energies: {error}"));
        }
        let mut simulation = Simulation::new(engine.stepper, frames, rules, journal.clone());
        for replica in 0..files.replicas.len() {
            let field = field
                .as_ref()
                .map(ForceField::clone)
                .map_err(ToString::to_string);
            // only the first says what the input breaks
            let guard_journal = if replica == 0 {
                journal.clone()
            } else {
                Journal::new(Console::Quiet, false, false)
            };
            let guard = GeometryGuard::new(topology, &engine.geometry, first, guard_journal);
            let forces = field.clone().ok().zip(files.forces(replica));
            let mut watch = |every, observer| simulation.watch(replica, every, observer);
            watch(1, Box::<Moves>::default());
            watch(plan.guard, Box::new(guard));
            watch(
                plan.log,
                Box::new(EnergyMonitor::new(
                    field,
                    motion.masses.clone(),
                    motion.freedom,
                )),
            );
            watch(plan.log, Box::new(Shape::new(topology, first)));
            watch(
                plan.trajectory,
                Box::new(TrajectoryWriter::new(
                    files.trajectory(replica),
                    topology.len(),
                    interval,
                )),
            );
            if let Some((field, file)) = forces {
                watch(
                    plan.trajectory,
                    Box::new(
                        TrajectoryWriter::new(file, topology.len(), interval).with_forces(field),
                    ),
                );
            }
            watch(plan.log, Box::new(CsvLog::new(files.csv(replica))));
            watch(
                plan.log,
                Box::new(Progress::new(plan.steps, replica, journal.clone())),
            );
        }
        simulation.watch(0, 1, Box::new(Unchanged::new(files.topology())));
        if let Some(every) = engine.equivariance_every {
            simulation.watch_equivariance(
                every,
                EquivarianceMonitor::new(self.args.seed, journal.clone()),
            );
        }
        simulation
    }

    /// Lines about protein, engine and plan.
    fn lines(&self, engine: &Engine, plan: &Plan, files: &Files) -> Vec<String> {
        let report = &self.structure.report;
        let chains: Vec<&str> = report
            .chains
            .iter()
            .map(|chain| {
                if chain.id.is_empty() {
                    "(blank)"
                } else {
                    &chain.id
                }
            })
            .collect();
        let topology = &self.structure.topology;
        let (atoms, heavy) = (topology.len(), topology.heavy_atoms().len());
        let time_step = engine.stepper.time_step();
        let mut lines = vec![
            format!(
                "{}{} {}",
                files::HEADING,
                env!("CARGO_PKG_VERSION"),
                self.command
            ),
            format!(
                "  {}: {} residues in chain {}, {atoms} atoms ({heavy} heavy)",
                self.input.display(),
                report.residues,
                chains.join(", ")
            ),
        ];
        lines.extend(report.left_out_line().map(|line| format!("  {line}")));
        lines.extend(
            report
                .warnings
                .iter()
                .map(|warning| format!("  warning: {warning}")),
        );
        lines.extend(engine.words.iter().map(|line| format!("  {line}")));
        let replicas = if files.replicas.len() > 1 {
            format!("{} replicas of ", files.replicas.len())
        } else {
            String::new()
        };
        let (steps, total) = (plan.steps, time(plan.steps as f64 * time_step));
        lines.push(format!(
            "  {replicas}{steps} steps of {}: {total}",
            time(time_step)
        ));
        let every = time(plan.trajectory as f64 * time_step);
        let more = if files.replicas.len() > 1 {
            ", …"
        } else {
            ""
        };
        let first = if engine.begins_there {
            "the input, equilibrated"
        } else if engine.start.is_some() {
            "the input, minimised and heated"
        } else {
            "the input"
        };
        lines.push(format!(
            "  a frame every {every} to {}{more}; frame 0 is {first}",
            files.trajectory(0).display()
        ));
        lines
    }

    fn introduce(&self, engine: &Engine, plan: &Plan, files: &Files, journal: &Journal) {
        self.lines(engine, plan, files)
            .iter()
            .for_each(|line| journal.say(line));
        journal
            .event("start", json!({ "steps": plan.steps, "time_step_ps": engine.stepper.time_step(), "replicas": files.replicas.len() }));
    }

    /// Says what would be done.
    fn describe(
        &self,
        engine: &Engine,
        plan: &Plan,
        files: &Files,
        checkpoint: Option<&Checkpoint>,
        journal: &Journal,
    ) -> Result<()> {
        if let Some(checkpoint) = checkpoint {
            checkpoint.require_settings(&self.settings(engine, plan), &files.prefix)?;
        } else {
            let all = files.all();
            crate::files::refuse_existing(
                all.iter().map(std::path::PathBuf::as_path),
                self.args.overwrite,
            )?;
        }
        self.lines(engine, plan, files)
            .iter()
            .for_each(|line| journal.say(line));
        match checkpoint {
            Some(checkpoint) => {
                journal.say(&format!("  would go on from step {}", checkpoint.step()))
            }
            None => files
                .all()
                .iter()
                .for_each(|file| journal.detail(&format!("  would write {}", file.display()))),
        }
        journal.say("dry run: nothing was written");
        journal.event(
            "dry-run",
            json!({ "plan": { "steps": plan.steps, "trajectory": plan.trajectory, "log": plan.log }, "files": files.all() }),
        );
        Ok(())
    }
}

/// A time in the unit that reads best.
fn time(ps: f64) -> String {
    let round = |value: f64| {
        format!("{value:.3}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    };
    match ps {
        ps if ps < 0.1 => format!("{} fs", round(ps * 1e3)),
        ps if ps < 1e3 => format!("{} ps", round(ps)),
        ps if ps < 1e6 => format!("{} ns", round(ps * 1e-3)),
        ps => format!("{} µs", round(ps * 1e-6)),
    }
}
