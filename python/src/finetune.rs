//! A model of one protein, made from Python.

use std::io::Write;
use std::path::PathBuf;

use mdsurrogate::compare::report::{aligned, leaderboard, measures_of};
use mdsurrogate::session::finetune::{Finetune, FinetuneOptions};
use mdsurrogate::session::thread_pool;
use mdsurrogate::simulate::Stop;
use mdsurrogate::units::Dimension;
use mdsurrogate::{Error, Result};
use pyo3::prelude::*;

use crate::error::raise;
use crate::interrupt::interruptible;
use crate::model::{Given, source};
use crate::options::{Quantity, backend, completion};

/// The model's file, its measures as JSON, and the same as a table.
type Made = (PathBuf, String, String);

/// Makes the steps of `mdsurrogate finetune` that are not made yet.
#[pyfunction]
#[pyo3(signature = (
    protein, output, model, time, minutes, temperature, backend, threads, seed, fix, his, overwrite,
    quiet,
))]
#[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
pub fn finetune_model(
    py: Python<'_>,
    protein: PathBuf,
    output: Option<PathBuf>,
    model: Option<Given<'_>>,
    time: Quantity,
    minutes: f64,
    temperature: Quantity,
    backend: &str,
    threads: Option<usize>,
    seed: u64,
    fix: bool,
    his: &str,
    overwrite: bool,
    quiet: bool,
) -> PyResult<Made> {
    let typed = || {
        Ok(FinetuneOptions {
            protein,
            completion: completion(fix, his, None, None)?,
            model: source(model),
            backend: self::backend(backend)?,
            prefix: output,
            time: time.in_unit(Dimension::Time)?,
            minutes,
            temperature: temperature.in_unit(Dimension::Temperature)?,
            // those of the pool below, in all three steps
            threads: None,
            seed,
            overwrite,
        })
    };
    let options = typed().map_err(|error| raise(py, error))?;
    let stop = Stop::never();
    interruptible(py, &stop, || match threads {
        Some(threads) => thread_pool(threads)?.install(|| make(options, quiet, &stop)),
        None => make(options, quiet, &stop),
    })
}

fn make(options: FinetuneOptions, quiet: bool, stop: &Stop) -> Result<Made> {
    let mut say = |line: &str| {
        if !quiet {
            // whoever read it may be gone
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    };
    let finetune = Finetune::open(options)?;
    if !quiet {
        finetune.lines()?.iter().for_each(|line| say(line));
    }
    let report = finetune.make(stop, Vec::new(), quiet, &mut say)?;
    let json = serde_json::to_string(&report)
        .map_err(|error| Error::usage(error.to_string(), "report this"))?;
    let table = format!(
        "{}\n{}",
        aligned(&leaderboard(std::slice::from_ref(&report))),
        aligned(&measures_of(&report))
    );
    Ok((finetune.model().to_owned(), json, table))
}
