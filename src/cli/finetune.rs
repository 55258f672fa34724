//! `mdsurrogate finetune PROTEIN`: a model of one protein, trained on its own reference MD.
//!
//! It is `reference`, `train` and `validate` one after the other, each with its own files: what is
//! done is not done again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::FromArgMatches;
use nalgebra::Vector3;

use super::config::as_typed;
use super::protein::{Complete, Protein};
use super::{reference, train, validate};
use crate::engine::Cpu;
use crate::files::{file_name, refuse_existing, with_suffix, write_atomically};
use crate::forcefield::{ForceField, Precision, System};
use crate::structure::Structure;
use crate::task::{self, Task};
use crate::{Error, Result};

/// Independent runs of reference MD: what they differ by is the floor that the model is judged
/// beside.
const REPLICAS: u32 = 2;
/// Jumps of the longest lag time that each of them holds at least.
const JUMPS_OF_LONGEST: f64 = 10.0;

/// Time step of the reference MD, ps.
const TIME_STEP: f64 = 0.004;

/// Time of a step beside that of the forces: integration, constraints, observers.
const OVERHEAD: f64 = 1.3;

/// Make a model of one protein: reference MD, a short training from a model, validation
///
/// Says how long it takes before it begins (--dry-run: only that). Stopped at any time, the same
/// command goes on. The model is PREFIX.safetensors, for `mdsurrogate run PROTEIN -m
/// PREFIX.safetensors`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub protein: Protein,
    /// Model to start from [default: the one that is built in]
    #[arg(short, long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Names of all output files start with this [default: STEM_tuned]
    #[arg(short, long, value_name = "PREFIX")]
    pub output: Option<PathBuf>,
    /// Reference MD to train on, in all: two independent runs share it
    #[arg(long, value_name = "TIME", default_value = "2ns", value_parser = super::time)]
    pub time: f64,
    /// Minutes of training
    #[arg(long, value_name = "M", default_value_t = 20.0)]
    pub minutes: f64,
    /// Temperature of the reference MD
    #[arg(long, value_name = "TEMPERATURE", default_value = "300K")]
    pub temp: String,
    /// Threads; default: all cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub threads: Option<u64>,
    /// Seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Start over, and replace what is there
    #[arg(long)]
    pub overwrite: bool,
    /// Say what would be done and how long it takes, and stop
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the three commands.
///
/// # Errors
/// Those of [`reference::run`], [`train::run`] and [`validate::run`]; [`Error::Usage`] for a model
/// that does not jump.
pub fn run(args: Args) -> Result<()> {
    if !(args.minutes > 0.0 && args.minutes.is_finite()) {
        return Err(Error::usage(
            format!("--minutes: {}", args.minutes),
            "a number above 0",
        ));
    }
    let files = Files::new(&args);
    let (lag, longest, parameters) = lags_of(args.model.as_deref())?;
    let share = args.time / f64::from(REPLICAS);
    if share < 4.0 * lag {
        let what = format!("--time: two runs of {share} ps hold few jumps of {lag} ps");
        return Err(Error::usage(
            what,
            format!("at least {} ps", 8.0 * lag * f64::from(REPLICAS) / 2.0),
        ));
    }
    let Complete { structure, .. } = args.protein.load()?;
    introduce(&args, &structure, parameters)?;
    if args.dry_run {
        return Ok(());
    }
    let threads = args.threads.map_or(Vec::new(), |threads| {
        words(&["--threads", &threads.to_string()])
    });

    say(1, "reference MD");
    let mut reference: reference::Args = parsed(
        "reference",
        &reference_words(&args, &files, share, &threads),
    )?;
    reference.protein = args.protein.clone();
    reference::run(reference)?;

    say(2, "training");
    let text = training(&args, &files, lag, longest.min(share / JUMPS_OF_LONGEST));
    if args.overwrite || std::fs::read_to_string(&files.training).is_ok_and(|there| there != text) {
        // another training than the one whose checkpoint may be there
        for checkpoint in crate::train::checkpoint::files(&files.checkpoint) {
            remove(&checkpoint)?;
        }
    } else if !files.checkpoint.is_file() {
        refuse_existing([files.model.as_path()], false)?;
    }
    write_atomically(&files.training, |file| {
        std::io::Write::write_all(file, text.as_bytes())
    })?;
    let line = [
        words(&[
            &path(&files.training),
            "-o",
            &path(&files.prefix),
            "--overwrite",
        ]),
        threads,
    ]
    .concat();
    train::run(parsed("train", &line)?)?;

    say(
        3,
        "validation: rollouts beside the reference MD that it was trained on",
    );
    let cases = cases(&files, lag, share);
    write_atomically(&files.cases, |file| {
        std::io::Write::write_all(file, cases.as_bytes())
    })?;
    validate::run(parsed(
        "validate",
        &words(&[&path(&files.model), "--cases", &path(&files.cases)]),
    )?)?;
    eprintln!(
        "use it: mdsurrogate run {} -m {}",
        args.protein.file.display(),
        files.model.display()
    );
    Ok(())
}

/// Names of all that is written.
struct Files {
    prefix: PathBuf,
    /// Prefix of the reference MD.
    reference: PathBuf,
    /// The training's configuration.
    training: PathBuf,
    checkpoint: PathBuf,
    model: PathBuf,
    /// The list that `validate` reads.
    cases: PathBuf,
}

impl Files {
    fn new(args: &Args) -> Self {
        let stem = || {
            file_name(&args.protein.file)
                .split('.')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let prefix = args
            .output
            .clone()
            .unwrap_or_else(|| PathBuf::from(format!("{}_tuned", stem())));
        let file = |suffix| with_suffix(&prefix, suffix);
        Files {
            reference: file("_reference"),
            training: file(".toml"),
            checkpoint: file(".ckpt"),
            model: file(".safetensors"),
            cases: file("_cases.toml"),
            prefix,
        }
    }

    /// Topology and trajectories of the reference MD, without folders: they lie beside the lists
    /// that name them.
    fn of_reference(&self) -> (String, Vec<String>) {
        let name = |suffix: &str| quoted(&file_name(&with_suffix(&self.reference, suffix)));
        (
            name(".pdb"),
            (0..REPLICAS)
                .map(|replica| name(&format!("_r{replica}.xtc")))
                .collect(),
        )
    }
}

/// Lag time and longest lag time, ps, and number of parameters of the model to start from.
fn lags_of(path: Option<&Path>) -> Result<(f64, f64, usize)> {
    let engine = Cpu::<f32>::new();
    let model = path.map_or_else(|| task::shipped(engine), |path| task::load(path, engine))?;
    let Task::Jump(jump) = model.task else {
        return Err(Error::usage(
            "-m: this model makes no jumps",
            "a model trained with [jump], or the built-in one",
        ));
    };
    let longest = jump.lag_range.map_or(jump.lag_time, |[_, longest]| longest);
    Ok((jump.lag_time, longest, model.network.parameter_count()))
}

/// Says what will be done and how long it will take.
fn introduce(args: &Args, structure: &Structure, parameters: usize) -> Result<()> {
    let steps = args.time / TIME_STEP;
    let threads =
        args.threads
            .map_or_else(rayon::current_num_threads, |threads| threads as usize) as f64;
    let seconds =
        steps * OVERHEAD * seconds_of_forces(structure)? / threads.min(f64::from(REPLICAS));
    let name = args
        .model
        .as_deref()
        .map_or("the built-in model".to_owned(), |path| {
            path.display().to_string()
        });
    eprintln!(
        "{}: {} atoms; from {name}, {parameters} parameters",
        args.protein.file.display(),
        structure.topology.len()
    );
    eprintln!(
        "  1. {} ps of reference MD at {}: about {}",
        args.time,
        args.temp,
        minutes(seconds / 60.0)
    );
    eprintln!("  2. training: {}", minutes(args.minutes));
    eprintln!("  3. validation: some minutes");
    eprintln!(
        "  about {} in all, less what is done already; Ctrl-C stops, the same command goes on",
        minutes(seconds / 60.0 + args.minutes)
    );
    Ok(())
}

/// Wall time of an evaluation of all forces on one thread, s.
fn seconds_of_forces(structure: &Structure) -> Result<f64> {
    let mut field = ForceField::new(System::build(&structure.topology)?, Precision::F32);
    let positions = &structure.frame.positions;
    let mut forces = vec![Vector3::zeros(); positions.len()];
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let one = one.map_err(|error| {
        Error::usage(
            format!("no thread can be started: {error}"),
            "fewer other programs",
        )
    })?;
    Ok(one.install(|| {
        field.energy_forces(positions, &mut forces);
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed().as_secs_f64() < 0.2 || count < 3 {
            field.energy_forces(positions, &mut forces);
            count += 1;
        }
        start.elapsed().as_secs_f64() / f64::from(count)
    }))
}

fn minutes(minutes: f64) -> String {
    if minutes < 90.0 {
        format!("{:.0} min", minutes.max(1.0))
    } else {
        format!("{:.1} h", minutes / 60.0)
    }
}

fn say(step: u32, what: &str) {
    eprintln!("\n{step} of 3: {what}");
}

fn reference_words(args: &Args, files: &Files, share: f64, threads: &[String]) -> Vec<String> {
    let own = [
        &path(&args.protein.file),
        "-o",
        &path(&files.reference),
        "--time",
        &format!("{share}ps"),
        "--temp",
        &args.temp,
        "--dt",
        "4fs",
        "--hold-hydrogens",
        "--heat",
        "20ps",
        "--replicas",
        &REPLICAS.to_string(),
        "--seed",
        &args.seed.to_string(),
    ];
    let over: &[&str] = if args.overwrite {
        &["--overwrite", "--fresh"]
    } else {
        &[]
    };
    [words(&own), words(over), threads.to_vec()].concat()
}

/// The training's configuration: the model's own lag times, a gentle learning rate, the best
/// validation kept.
fn training(args: &Args, files: &Files, lag: f64, longest: f64) -> String {
    let several = if longest >= 2.0 * lag {
        format!("longest_lag = \"{longest}ps\"\n")
    } else {
        String::new()
    };
    let (topology, trajectories) = files.of_reference();
    let absolute = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let initial = args
        .model
        .as_deref()
        .map_or("built-in".to_owned(), |model| path(&absolute(model)));
    format!(
        "# Written by `mdsurrogate finetune`.\n[data]\ntemperature = {}\n\n[[data.systems]]\ntopology = {topology}\ntrajectories = [{}]\n\n\
         [split]\nvalidation_share = 0.15\n\n[jump]\nlag = \"{lag}ps\"\n{several}log_sigma_mean = -1.2\n\n[optimizer]\nlearning_rate = 3e-4\nflat = 0.0\n\n\
         [training]\ninitial = {}\nseed = {}\nminutes = {:?}\nvalidate_every = 250\npatience = 1000\n",
        quoted(&args.temp),
        trajectories.join(", "),
        quoted(&initial),
        args.seed,
        args.minutes
    )
}

/// The list that `validate` reads: rollouts as long as half of the reference.
fn cases(files: &Files, lag: f64, share: f64) -> String {
    let (topology, trajectories) = files.of_reference();
    let (trajectories, jumps) = (
        trajectories.join(", "),
        (share / lag).round().clamp(10.0, 100.0),
    );
    format!(
        "# Written by `mdsurrogate finetune`.\n[[case]]\nname = {}\nnote = \"trained on this reference\"\ntopology = {topology}\n\
         start = [{trajectories}]\nreference = [{trajectories}]\nchains = 16\njumps = {jumps}\n",
        quoted(&file_name(&files.prefix))
    )
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn remove(file: &Path) -> Result<()> {
    if file.is_file() {
        std::fs::remove_file(file).map_err(|source| Error::writing(file, &source))
    } else {
        Ok(())
    }
}

/// The arguments of another command, as if `words` had been typed.
fn parsed<A: clap::Args + FromArgMatches>(command: &'static str, words: &[String]) -> Result<A> {
    as_typed(command, words)
        .map_err(|error| Error::usage(format!("{command}: {error}"), "report this"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::config::Config;

    fn args() -> Args {
        let line = words(&[
            "some/folder/1abc.pdb.gz",
            "--time",
            "4ns",
            "--minutes",
            "3",
            "--fix",
            "--chains",
            "B",
        ]);
        parsed("finetune", &line).unwrap()
    }

    #[test]
    fn what_it_writes_is_what_the_other_commands_read() {
        let args = args();
        let files = Files::new(&args);
        assert_eq!(files.model, Path::new("1abc_tuned.safetensors"));
        let config = Config::parse(
            training(&args, &files, 50.0, 100.0),
            Path::new("1abc_tuned.toml"),
        )
        .unwrap();
        assert_eq!(
            (
                config.lags(),
                config.training.minutes,
                config.data.temperature
            ),
            (vec![50.0, 100.0], Some(3.0), Some(300.0))
        );
        let alone = Config::parse(
            training(&args, &files, 50.0, 99.0),
            Path::new("1abc_tuned.toml"),
        )
        .unwrap();
        assert_eq!(alone.lags(), [50.0]);
        assert_eq!(
            config.data.systems[0].trajectories,
            ["1abc_tuned_reference_r0.xtc", "1abc_tuned_reference_r1.xtc"].map(PathBuf::from)
        );
        assert!(config.initial.is_some());
        let line = reference_words(&args, &files, 2000.0, &words(&["--threads", "2"]));
        let reference: reference::Args = parsed("reference", &line).unwrap();
        assert_eq!(
            (
                reference.job.time.as_deref(),
                reference.job.replicas,
                reference.job.threads
            ),
            (Some("2000ps"), 2, Some(2))
        );
        let _: train::Args =
            parsed("train", &words(&["a.toml", "-o", "a", "--overwrite"])).unwrap();
        let _: validate::Args =
            parsed("validate", &words(&["a.safetensors", "--cases", "b.toml"])).unwrap();
        assert!(cases(&files, 50.0, 2000.0).contains("jumps = 40\n"));
    }

    #[test]
    fn too_short_a_reference_is_refused_before_anything_is_read() {
        let error = run(Args {
            time: 100.0,
            ..args()
        })
        .unwrap_err();
        assert!(
            error.exit_code() == 2 && error.to_string().contains("--time"),
            "{error}"
        );
    }
}
