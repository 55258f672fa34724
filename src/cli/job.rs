//! What the user types for any command that runs a simulation, as options of a session.

use std::path::PathBuf;
use std::time::Duration;

use crate::observe::{Console, Journal};
use crate::session::{self, Output, Plan, Preview, Replicas, RunOptions, Session, Span, Strides};
use crate::simulate::{OnGuard, Stop};
use crate::{Error, Result};

/// Trajectory formats that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum TrajFormat {
    /// GROMACS XTC: compressed, positions to 0.01 Å
    #[default]
    Xtc,
    /// CHARMM/NAMD DCD: positions as 32-bit numbers
    Dcd,
    /// PDB: a model a frame, as text, in PREFIX_trajectory.pdb
    Pdb,
}

impl From<TrajFormat> for session::Format {
    fn from(typed: TrajFormat) -> Self {
        match typed {
            TrajFormat::Xtc => session::Format::Xtc,
            TrajFormat::Dcd => session::Format::Dcd,
            TrajFormat::Pdb => session::Format::Pdb,
        }
    }
}

/// Flags of every command that runs a simulation. Quantities carry units, strides are steps (`10`)
/// or times (`100ps`).
#[derive(Debug, Clone, clap::Args)]
pub struct JobArgs {
    /// Names of all output files start with this; FOLDER/ for the input's stem in a folder
    /// [default: the input's stem; STEM_run where PREFIX.pdb would be the input]
    #[arg(short, long, value_name = "PREFIX", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Steps to run, counted from the input [default: see the command]
    #[arg(long, value_name = "N", conflicts_with = "time")]
    pub steps: Option<u64>,
    /// Physical time to run instead of a number of steps: 100ps, 1ns
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub time: Option<f64>,
    /// Format of the trajectory
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub traj_format: TrajFormat,
    /// Write the topology as mmCIF too, in PREFIX.cif; where a PDB file has no room for its names
    /// and numbers it is written in any case
    #[arg(long, help_heading = "Output")]
    pub cif: bool,
    /// Stride of the trajectory: steps (10) or a time (100ps) [default: every step of a jump, 1ps
    /// of dynamics]
    #[arg(long, value_name = "STRIDE", help_heading = "Output")]
    pub traj_every: Option<String>,
    /// Stride of the CSV log [default: that of the trajectory]
    #[arg(long, value_name = "STRIDE", help_heading = "Output")]
    pub log_every: Option<String>,
    /// Stride of checkpoints, where guards go back to and interrupted runs go on from [default: 100
    /// frames of the trajectory; every two minutes in any case, but of runs that roll back]
    #[arg(long, value_name = "STRIDE", help_heading = "Output")]
    pub checkpoint_every: Option<String>,
    /// What to do when a frame is not a molecule any more [default: redraw for jumps, abort for
    /// dynamics]
    #[arg(long, value_enum, help_heading = "Guards")]
    pub guard: Option<OnGuard>,
    /// Stride of the geometry guard [default: every step of a jump, 0.1ps of dynamics]
    #[arg(long, value_name = "STRIDE", help_heading = "Guards")]
    pub guard_every: Option<String>,
    /// Times that `--guard rollback` may go back before the run stops
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Guards")]
    pub max_rollbacks: u64,
    /// Seed of all random numbers: the same seed gives the same bits, on any number of threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Independent runs at once, in files PREFIX_r0.*, PREFIX_r1.*, …
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=65_536)
    )]
    pub replicas: u64,
    /// Only this one of the replicas (from 0), in files PREFIX_rN.*: for job arrays; its bits are
    /// those of a run of all, but with `--guard rollback`, which takes all of them back at once
    #[arg(long, value_name = "N", conflicts_with = "replicas")]
    pub replica_index: Option<u64>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = super::threads())]
    pub threads: Option<u64>,
    /// Stop in good order after this many hours (exit code 75; the same command goes on)
    #[arg(long, value_name = "HOURS")]
    pub maxh: Option<f64>,
    /// Read further flags from a TOML file of the same names; those on the command line come first
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Allow output files that exist to be replaced
    #[arg(long, help_heading = "Output")]
    pub overwrite: bool,
    /// Start over, even where there is a checkpoint to go on from
    #[arg(long)]
    pub fresh: bool,
    /// Check everything, say what would be done, and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Print events to stdout, one JSON object a line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Say more on the console
    #[arg(short, long, conflicts_with = "quiet", help_heading = "Output")]
    pub verbose: bool,
    /// Say nothing on the console but errors
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

impl JobArgs {
    /// The journal that these flags ask for.
    pub fn journal(&self) -> Journal {
        Journal::new(Console::suited(self.quiet), self.verbose, self.json)
    }

    /// Says nothing on the console: another process does.
    pub fn keep_silent(&mut self) {
        (self.quiet, self.verbose, self.json) = (true, false, false);
    }

    /// How many runs.
    pub fn replicas(&self) -> Replicas {
        self.replica_index
            .map_or(Replicas::Together(self.replicas), Replicas::Only)
    }

    /// How the run goes.
    ///
    /// # Errors
    /// [`Error::Usage`] naming a flag whose value cannot be understood.
    pub fn run_options(&self, equivariance: Option<Span>) -> Result<RunOptions> {
        let stride = |flag: &str, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| Span::parse(flag, text)).transpose()
        };
        let length = match self.steps {
            Some(steps) => Some(Span::Steps(steps)),
            None => self.time.map(Span::Time),
        };
        Ok(RunOptions {
            output: Output {
                prefix: self.output.clone(),
                format: self.traj_format.into(),
                cif: self.cif,
                overwrite: self.overwrite,
                fresh: self.fresh,
            },
            strides: Strides {
                length,
                trajectory: stride("--traj-every", &self.traj_every)?,
                log: stride("--log-every", &self.log_every)?,
                checkpoint: stride("--checkpoint-every", &self.checkpoint_every)?,
                guard: stride("--guard-every", &self.guard_every)?,
                equivariance,
            },
            on_guard: self.guard,
            max_rollbacks: self.max_rollbacks,
            time_limit: self.time_limit()?,
            stop: Stop::on_signals(),
            command_line: super::typed_text(),
        })
    }

    /// `--maxh`: wall time after which a run stops.
    fn time_limit(&self) -> Result<Option<Duration>> {
        let limit = |hours: f64| {
            Duration::try_from_secs_f64(3600.0 * hours).map_err(|_| {
                Error::usage(
                    format!("--maxh: {hours} hours is no time limit"),
                    "write hours as a number: --maxh 1.5",
                )
            })
        };
        self.maxh.map(limit).transpose()
    }

    /// Runs the session, or says what it would do.
    ///
    /// # Errors
    /// Those of [`Session::run`].
    pub fn carry_out(&self, mut session: Session, options: &RunOptions) -> Result<()> {
        if self.dry_run {
            self.say_preview(&session.preview(options)?);
            return Ok(());
        }
        session.run(options, &self.journal())
    }

    fn say_preview(&self, preview: &Preview) {
        let journal = self.journal();
        let Preview {
            lines,
            plan,
            files,
            resumes_at,
        } = preview;
        lines.iter().for_each(|line| journal.say(line));
        match resumes_at {
            Some(step) => journal.say(&format!("  would go on from step {step}")),
            None => files
                .iter()
                .for_each(|file| journal.detail(&format!("  would write {}", file.display()))),
        }
        journal.say("dry run: nothing was written");
        let Plan {
            steps,
            trajectory,
            log,
            ..
        } = plan;
        let strides = serde_json::json!({ "steps": steps, "trajectory": trajectory, "log": log });
        journal.event(
            "dry-run",
            serde_json::json!({ "plan": strides, "files": files }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::as_typed;
    use super::*;

    fn options(typed: &[&str]) -> Result<RunOptions> {
        as_typed::<JobArgs>("run", typed).unwrap().run_options(None)
    }

    #[test]
    fn what_is_no_span_is_refused_with_its_flag() {
        for (typed, words) in [
            (["--traj-every", "0"], "--traj-every: `0` is no stride"),
            (["--log-every", "2.5"], "--log-every: `2.5` is no stride"),
            (
                ["--guard-every", "often"],
                "--guard-every: `often` is not a number with a unit",
            ),
        ] {
            let error = options(&typed).unwrap_err();
            assert!(
                error.exit_code() == 2 && error.to_string().starts_with(words),
                "{error}"
            );
        }
        let typed = as_typed::<JobArgs>("run", &["--time", "300"]).unwrap_err();
        assert!(typed.to_string().contains("has no unit"), "{typed}");
        for hours in ["-1", "nan", "1e300"] {
            let error = options(&[&format!("--maxh={hours}")]).unwrap_err();
            assert!(error.hint().contains("--maxh 1.5"));
        }
        assert_eq!(
            options(&["--maxh", "0.5"]).unwrap().time_limit,
            Some(Duration::from_secs(1800))
        );
        assert_eq!(
            options(&["--time", "1ns"]).unwrap().strides.length,
            Some(Span::Time(1000.0))
        );
    }
}
