//! The command line: one file per subcommand, from what the user typed to a ready configuration.
//!
//! Data goes to stdout, words to stderr; `--json` makes stdout one JSON object (lines of events for
//! `run`).

pub mod analyze;
pub mod backend;
pub mod check;
pub mod compare;
pub mod completions;
mod config;
mod console;
pub mod doctor;
pub mod energy;
pub mod finetune;
#[cfg(feature = "chemfiles")]
pub mod foreign;
pub mod job;
pub mod minimize;
pub mod model;
pub mod motion;
pub mod predict;
pub mod protein;
pub mod reference;
mod report;
pub mod run;
pub mod sampling;
pub mod selection;
pub mod train;
pub mod validate;

use std::ffi::OsString;
use std::sync::{Arc, OnceLock};

use clap::builder::RangedU64ValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};

use crate::error::printable;
use crate::ranks::{Alone, Ranks};
use crate::session::{MOST_THREADS, choose_device};
use crate::units::{self, Dimension};
use crate::{Error, Result};

#[derive(Debug, Parser)]
#[command(
    name = "mdsurrogate",
    version = crate::version(),
    about,
    propagate_version = true,
    arg_required_else_help = true
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// One variant a subcommand; each holds the `Args` of its file in this folder, whose `run(args)`
/// does the work.
#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Predict(predict::Args),
    Reference(reference::Args),
    Analyze(analyze::Args),
    Compare(compare::Args),
    Check(check::Args),
    Energy(energy::Args),
    Minimize(minimize::Args),
    Model(model::Args),
    Validate(validate::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(completions::ManArgs),
    Train(train::Args),
    Finetune(finetune::Args),
    #[cfg(feature = "chemfiles")]
    #[command(hide = true)]
    ReadForeign(foreign::Args),
}

/// What was typed, the program's name first. Kept here, since a program that has this one inside
/// it (Python) was called by other words.
static TYPED: OnceLock<Vec<OsString>> = OnceLock::new();

/// Parses a command line, the program's name first, and runs the command. Ends the process where
/// it cannot be parsed, or asks for help.
///
/// # Errors
/// Whatever the command reports; see [`Error::exit_code`]. What it printed and could not be is the
/// last of it.
pub fn main(words: Vec<OsString>) -> Result<()> {
    main_among(words, Arc::new(Alone))
}

/// As [`main`], by one of several processes that were all started with these words: `run` shares
/// its replicas among them, `train` its batches. What there is to say rank 0 says.
///
/// # Errors
/// As [`main`]; [`Error::Usage`] for a command that cannot be shared. Those of `run` are told to
/// rank 0, which has them all; after one of another command the others wait for this process in
/// vain.
pub fn main_among(words: Vec<OsString>, ranks: Arc<dyn Ranks>) -> Result<()> {
    let words = TYPED.get_or_init(|| words);
    let CommandLine { command } = CommandLine::try_parse_from(words).map_err(refusal)?;
    choose_device(ranks.local());
    run(command, ranks).and(console::finish())
}

/// What was typed.
fn typed() -> &'static [OsString] {
    TYPED.get().map_or(&[], Vec::as_slice)
}

/// What was typed, as text.
fn typed_text() -> Vec<String> {
    let words = typed().iter();
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// What our own readers of values refused is said as every error of ours is. The rest (help,
/// unknown flags) is clap's to say, which ends the process.
fn refusal(error: clap::Error) -> Error {
    match refused_value(&error) {
        Some((what, hint)) => Error::usage(what, hint),
        None => error.exit(),
    }
}

/// Flag and what is wrong with its value, and what to try: where one of our own readers of values
/// refused it.
fn refused_value(error: &clap::Error) -> Option<(String, String)> {
    use std::error::Error as _;
    let ours = error.source()?.downcast_ref::<Error>()?;
    let flag = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => flag.split(' ').next().unwrap_or_default(),
        _ => "",
    };
    let hint = match ours.hint() {
        // it begins with a value that would do
        hint if hint.starts_with(|c: char| c.is_ascii_digit()) => format!("{flag} {hint}"),
        hint => hint.to_owned(),
    };
    Some((format!("{flag} {ours}"), hint))
}

fn run(command: Command, ranks: Arc<dyn Ranks>) -> Result<()> {
    if ranks.count() > 1 && !matches!(command, Command::Run(_) | Command::Train(_)) {
        return Err(Error::usage(
            format!(
                "{} processes were started, but `run` and `train` alone are shared",
                ranks.count()
            ),
            "start it once, without MPI",
        ));
    }
    // the others are told how many threads to start, or need none
    if matches!(
        command,
        Command::Predict(_)
            | Command::Check(_)
            | Command::Energy(_)
            | Command::Minimize(_)
            | Command::Model(_)
            | Command::Doctor(_)
    ) {
        start_threads(None)?;
    }
    match command {
        Command::Run(args) => run::run(args, &*ranks),
        Command::Predict(args) => predict::run(args),
        Command::Reference(args) => reference::run(args),
        Command::Analyze(args) => analyze::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Check(args) => check::run(args),
        Command::Energy(args) => energy::run(args),
        Command::Minimize(args) => minimize::run(args),
        Command::Model(args) => model::run(args),
        Command::Validate(args) => validate::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => completions::man(args),
        Command::Train(args) => train::run(args, ranks),
        Command::Finetune(args) => finetune::run(args),
        #[cfg(feature = "chemfiles")]
        Command::ReadForeign(args) => foreign::run(args),
    }
}

/// Starts the threads of the process: so many, or as many as RAYON_NUM_THREADS says, or one a core.
///
/// # Errors
/// [`Error::Device`] where they cannot be started: without this, the first use of them would panic.
fn start_threads(threads: Option<u64>) -> Result<()> {
    let set = || std::env::var("RAYON_NUM_THREADS").ok()?.trim().parse().ok();
    let threads = threads.map(|threads| threads as usize).or_else(set);
    let threads = threads.unwrap_or(0); // one a core
    let failed = |why: String| Error::Device {
        what: format!("{threads} threads cannot be started: {why}"),
        hint: "fewer --threads, or a smaller RAYON_NUM_THREADS".into(),
    };
    if threads > MOST_THREADS {
        return Err(failed(format!("{MOST_THREADS} is the most")));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global()
        .map_err(|error| failed(error.to_string()))
}

/// Starts the threads of one of several processes: where nothing is said, one, since processes are
/// what there is one of a core then.
///
/// # Errors
/// As [`start_threads`].
fn start_threads_among(ranks: &dyn Ranks, threads: Option<u64>) -> Result<()> {
    let said = threads.is_some() || std::env::var_os("RAYON_NUM_THREADS").is_some();
    start_threads(threads.or((ranks.count() > 1 && !said).then_some(1)))
}

/// Numbers of threads that can be asked for.
fn threads() -> RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=MOST_THREADS as u64)
}

/// A time, ps.
fn time(text: &str) -> Result<f64> {
    units::parse(text, Dimension::Time)
}

/// A length, Å.
fn length(text: &str) -> Result<f64> {
    units::parse(text, Dimension::Length)
}

/// A temperature, K.
fn temperature(text: &str) -> Result<f64> {
    units::parse(text, Dimension::Temperature)
}

/// A rate, 1/ps.
fn rate(text: &str) -> Result<f64> {
    units::parse(text, Dimension::Rate)
}

/// Refuses a time between frames that is none.
///
/// # Errors
/// [`Error::Usage`] naming the flag.
fn positive(flag: &str, time: Option<f64>) -> Result<()> {
    match time {
        Some(time) if time <= 0.0 => Err(Error::usage(
            format!("{flag} {time}: frames are a time apart"),
            format!("{flag} 10ps, or leave it out"),
        )),
        _ => Ok(()),
    }
}

/// An error as the user reads it: what happened and where, then what to try.
pub fn render(error: &Error) -> String {
    let words = match error.hint() {
        // an interruption is no error: the user or the time limit asked for it
        "" if matches!(error, Error::Interrupted { .. }) => error.to_string(),
        "" => format!("error: {error}"),
        hint => format!("error: {error}\n  try: {hint}"),
    };
    printable(&words).into_owned()
}
