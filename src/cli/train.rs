//! `mdsurrogate train`: from trajectories to a model.

use std::path::PathBuf;

use super::backend::{Backend, Chosen};
use crate::engine::{Cpu, Engine};
use crate::simulate::Stop;
use crate::train::Files;
use crate::train::checkpoint;
use crate::train::config::Config;
use crate::train::dataset::Dataset;
use crate::train::report::Reporter;
use crate::train::trainer::Trainer;
use crate::{Error, Result, files};

/// Train a model on trajectories
///
/// Writes PREFIX.safetensors (the model), PREFIX.train.csv (losses) and PREFIX.ckpt. The same
/// command continues an interrupted training from PREFIX.ckpt; with a budget of updates the result
/// is the same, bit by bit, as without the interruption.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration file (TOML)
    config: PathBuf,
    /// Prefix of the files written; default: the configuration file's stem, in the current folder
    #[arg(short, long, value_name = "PREFIX")]
    output: Option<PathBuf>,
    /// Folder of the data, instead of data.folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Updates to make, instead of the configuration's budget
    #[arg(long, value_name = "N", conflicts_with = "minutes")]
    updates: Option<u64>,
    /// Minutes to spend, instead of the configuration's budget; the learning rate follows the clock
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// Seed, instead of training.seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t)]
    backend: Backend,
    /// Threads; default: all cores. Their number changes no bit of the result
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Start over where a checkpoint is there
    #[arg(long)]
    fresh: bool,
    /// Replace a model of the same name
    #[arg(long)]
    overwrite: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

/// Reads the configuration and the data, and trains.
///
/// # Errors
/// Those of the configuration, the data, the training and of writing; [`Error::Interrupted`] on
/// Ctrl-C.
pub fn run(args: Args) -> Result<()> {
    let config = configuration(&args)?;
    let stem = || PathBuf::from(args.config.file_stem().unwrap_or_default());
    let files = Files::new(&args.output.clone().unwrap_or_else(stem));
    let checkpoints = checkpoint::files(&files.checkpoint);
    let resume = !args.fresh && checkpoints.iter().any(|file| file.is_file());
    if !resume {
        files::refuse_existing([files.model.as_path()], args.overwrite)?;
        for old in checkpoints.iter().filter(|file| file.is_file()) {
            // or an interruption before the first new one would leave the old one to be continued
            std::fs::remove_file(old).map_err(|source| Error::writing(old, &source))?;
        }
    }
    let written = [&files.model, &files.table].into_iter().chain(&checkpoints);
    files::remove_parts(written.map(PathBuf::as_path));
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.unwrap_or(0))
        .build();
    let threads = threads
        .map_err(|error| Error::usage(format!("--threads: {error}"), "use fewer threads"))?;
    let stop = Stop::on_signals();
    let reporter = Reporter::new(config.training.budget(), args.quiet);
    threads.install(|| match args.backend.choose()? {
        Chosen::Cpu => train(
            Cpu::<f32>::new(),
            config,
            &args,
            &files,
            resume,
            &reporter,
            &stop,
        ),
        #[cfg(feature = "gpu")]
        Chosen::Gpu(gpu) => train(gpu, config, &args, &files, resume, &reporter, &stop),
    })
}

/// The configuration with what the command line replaces.
fn configuration(args: &Args) -> Result<Config> {
    let mut config = Config::read(&args.config)?;
    if args.updates.is_some() || args.minutes.is_some() {
        (config.training.updates, config.training.minutes) = (args.updates, args.minutes);
    }
    config.training.seed = args.seed.unwrap_or(config.training.seed);
    config.check()?;
    Ok(config)
}

fn train<E: Engine>(
    engine: E,
    config: Config,
    args: &Args,
    files: &Files,
    resume: bool,
    reporter: &Reporter,
    stop: &Stop,
) -> Result<()> {
    let dataset = Dataset::load(&config, &config.data_folder(args.data.as_deref()))?;
    dataset.notes.iter().for_each(|note| reporter.say(note));
    for system in &dataset.systems {
        let frames: usize = system.segments.iter().map(|segment| segment.len()).sum();
        reporter.say(&format!(
            "{}: {} heavy atoms, {frames} frames",
            system.name,
            system.tokens.len()
        ));
    }
    reporter.say(&format!(
        "{} pairs for training, {} for validation",
        dataset.training.len(),
        dataset.validation.len()
    ));
    if let Some((count, median)) = dataset.straying() {
        reporter.say(&format!("{count} frames of rollouts to return from, {median:.2} Å (median) from the nearest frame of the reference"));
    }
    let mut trainer = Trainer::new(config, dataset, engine)?;
    reporter.say(&trainer.describe());
    if resume {
        if let Some(note) = trainer.resume(&files.checkpoint)? {
            reporter.say(&format!("warning: {note}"));
        }
        reporter.say(&format!(
            "continuing from {} at update {}",
            files.checkpoint.display(),
            trainer.updates()
        ));
    }
    trainer.run(files, reporter, stop)?;
    reporter.say(&format!(
        "wrote {} after {} updates, {:.1} min",
        files.model.display(),
        trainer.updates(),
        trainer.minutes()
    ));
    Ok(())
}
