//! `mdsurrogate train`: from trajectories to a model.

use std::path::PathBuf;
use std::sync::Arc;

use super::backend::Backend;
use super::start_threads_among;
use crate::Result;
use crate::files::prefix_meant;
use crate::ranks::Ranks;
use crate::session::train::{TrainOptions, train_among};
use crate::simulate::Stop;
use crate::train::config::Config;
use crate::train::report::Reporter;

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
    #[arg(long, value_name = "N", value_parser = super::threads())]
    threads: Option<u64>,
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
/// Those of the configuration and of training; [`crate::Error::Interrupted`] on Ctrl-C.
pub fn run(args: Args, ranks: Arc<dyn Ranks>) -> Result<()> {
    start_threads_among(&*ranks, args.threads)?;
    let config = configuration(&args)?;
    let stem = || PathBuf::from(args.config.file_stem().unwrap_or_default());
    let options = TrainOptions {
        prefix: args.output.as_deref().map_or_else(stem, prefix_meant),
        data: args.data.clone(),
        backend: args.backend.into(),
        threads: None,
        fresh: args.fresh,
        overwrite: args.overwrite,
    };
    let quiet = args.quiet || ranks.rank() > 0;
    let reporter = Reporter::new(config.training.budget(), quiet);
    train_among(config, &options, &reporter, &Stop::on_signals(), ranks)
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
