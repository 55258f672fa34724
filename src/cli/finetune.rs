//! `mdsurrogate finetune PROTEIN`: a model of one protein, trained on its own reference MD.

use std::path::PathBuf;

use super::backend::Backend;
use super::console::{eprintln, print};
use super::protein::Protein;
use super::start_threads;
use crate::Result;
use crate::compare::report::{aligned, leaderboard, measures_of};
use crate::session::finetune::{Finetune, FinetuneOptions};
use crate::simulate::Stop;

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
    #[arg(
        long,
        value_name = "TEMPERATURE",
        default_value = "300K",
        value_parser = super::temperature
    )]
    pub temp: f64,
    /// Where networks run
    #[arg(long, value_enum, default_value_t)]
    pub backend: Backend,
    /// Threads; default: all cores
    #[arg(long, value_name = "N", value_parser = super::threads())]
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

/// Makes the three steps.
///
/// # Errors
/// Those of [`Finetune::open`] and [`Finetune::make`].
pub fn run(args: Args) -> Result<()> {
    let stop = Stop::on_signals();
    start_threads(args.threads)?;
    let finetune = Finetune::open(FinetuneOptions {
        protein: args.protein.file.clone(),
        completion: (&args.protein.completion).into(),
        model: args.model.into(),
        backend: args.backend.into(),
        prefix: args.output,
        time: args.time,
        minutes: args.minutes,
        temperature: args.temp,
        threads: None,
        seed: args.seed,
        overwrite: args.overwrite,
    })?;
    (finetune.lines()?)
        .iter()
        .for_each(|line| eprintln!("{line}"));
    if args.dry_run {
        return Ok(());
    }

    let report = finetune.make(&stop, super::typed_text(), false, &mut |line| {
        eprintln!("{line}");
    })?;
    print!("{}", aligned(&leaderboard(std::slice::from_ref(&report))));
    print!("\n{}\n{}", report.name, aligned(&measures_of(&report)));
    eprintln!(
        "use it: mdsurrogate run {} -m {}",
        args.protein.file.display(),
        finetune.model().display()
    );
    Ok(())
}
