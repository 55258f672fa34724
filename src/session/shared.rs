//! A run whose replicas are shared by several processes: each runs consecutive ones, with files of
//! its own, and rank 0 puts together what all of them did.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Replicas;
use super::files::{Files, Output};
use crate::files::{refuse_existing, write_atomically};
use crate::ranks::Ranks;
use crate::{Error, Result};

/// Runs `work` on this process's share of so many replicas, and waits at rank 0 for what the others
/// did: `PREFIX.summary.json` is of all, `PREFIX.pdb` their topology. Each process's own files are
/// named for its replicas, `PREFIX_r0-3.log`, `.ckpt`, `.summary.json`; a replica's trajectory is
/// `PREFIX_r2.xtc`, as in a run by one process, and has its bits.
///
/// What went wrong at any of them is an error at rank 0; at the others it is theirs no more.
///
/// # Errors
/// The first of `work` that is no interruption, else the first that is one; [`Error::Usage`] for
/// fewer replicas than processes; [`Error::Output`] for files that are in the way or cannot be
/// written.
pub fn share_out(
    ranks: &dyn Ranks,
    replicas: u64,
    output: &Output,
    input: &Path,
    work: impl FnOnce(Replicas) -> Result<()>,
) -> Result<()> {
    let share = ranks.share(replicas as usize);
    let own = Replicas::Part {
        first: share.start as u64,
        count: share.len() as u64,
    };
    let whole = whole(ranks, replicas, output, input);
    // all of them, before hours of work of which one could not tell
    let refused = ranks.sum(1, &[vec![f64::from(u8::from(whole.is_err()))]])[0] > 0.0;
    let outcome = match &whole {
        Ok(_) if !refused => work(own),
        _ => Ok(()),
    };
    let outcome = whole.and_then(|whole| outcome.map(|()| whole));
    let told = Told::new(own, outcome.as_ref().err(), output, input);
    let Some(all) = ranks.gather(&json!(told).to_string()) else {
        return Ok(());
    };
    let read = |text: &String| {
        serde_json::from_str::<Told>(text)
            .map_err(|error| Error::usage(format!("a process said: {error}"), "report this"))
    };
    let all = all.iter().map(read).collect::<Result<Vec<_>>>()?;
    let whole = Files::new(output, Replicas::Together(replicas), input, false)?;
    let written = if refused {
        Ok(())
    } else {
        put_together(&all, replicas, &whole)
    };
    match outcome {
        Err(error) if !is_interruption(&error) => Err(error),
        _ => first_error(&all).map_or(written, Err),
    }
}

/// The files of a run by one process, of which the topology and the summary are written at the end.
fn whole(ranks: &dyn Ranks, replicas: u64, output: &Output, input: &Path) -> Result<Files> {
    if replicas < ranks.count() as u64 {
        return Err(Error::usage(
            format!(
                "{} processes cannot share {replicas} replicas",
                ranks.count()
            ),
            format!("--replicas {}, or fewer processes", ranks.count()),
        ));
    }
    let whole = Files::new(output, Replicas::Together(replicas), input, false)?;
    let both = [whole.topology(), whole.summary()];
    // what such a run has written before it may write again
    let ours = std::fs::read(whole.summary()).is_ok_and(|text| {
        serde_json::from_slice(&text).is_ok_and(|text: Value| text[RANKS].is_array())
    });
    let may = output.overwrite || ours;
    refuse_existing(both.iter().map(PathBuf::as_path), may)?;
    Ok(whole)
}

/// Where the summary of a shared run says what each process did.
const RANKS: &str = "ranks";

fn is_interruption(error: &Error) -> bool {
    matches!(error, Error::Interrupted { .. })
}

/// What a process says of its part.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    /// First and last replica.
    replicas: [u64; 2],
    failed: Option<Failed>,
    /// Its own summary: the file, and what stands there.
    file: PathBuf,
    summary: Value,
    /// The topology that it wrote, as text.
    topology: String,
}

/// An error on its way to another process.
#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    exit_code: u8,
    what: String,
    hint: String,
    step: u64,
    checkpoint: PathBuf,
}

impl Told {
    fn new(own: Replicas, error: Option<&Error>, output: &Output, input: &Path) -> Self {
        let files = Files::new(output, own, input, false).ok();
        let file = files.as_ref().map(Files::summary).unwrap_or_default();
        let summary = std::fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        // all have the same
        let topology = files.filter(|_| own.first() == 0);
        let topology = topology.and_then(|files| std::fs::read_to_string(files.topology()).ok());
        Told {
            replicas: [own.first(), (own.first() + own.count()).saturating_sub(1)],
            failed: error.map(Failed::new),
            file,
            summary: summary.unwrap_or_default(),
            topology: topology.unwrap_or_default(),
        }
    }
}

impl Failed {
    fn new(error: &Error) -> Self {
        let (what, step, checkpoint) = match error {
            Error::Guard { what, step, .. } => (what.clone(), *step, PathBuf::new()),
            Error::Interrupted { step, checkpoint } => (String::new(), *step, checkpoint.clone()),
            other => (other.to_string(), 0, PathBuf::new()),
        };
        Failed {
            exit_code: error.exit_code(),
            what,
            hint: error.hint().to_owned(),
            step,
            checkpoint,
        }
    }

    /// The error of process `rank`.
    fn error(&self, rank: usize) -> Error {
        let (what, hint) = (format!("process {rank}: {}", self.what), self.hint.clone());
        match self.exit_code {
            3 => Error::Guard {
                step: self.step,
                what,
                hint,
            },
            4 => Error::Device { what, hint },
            75 => Error::Interrupted {
                step: self.step,
                checkpoint: self.checkpoint.clone(),
            },
            _ => Error::usage(what, hint),
        }
    }
}

/// The first error that is no interruption, else the first interruption.
fn first_error(all: &[Told]) -> Option<Error> {
    let errors = all.iter().enumerate();
    let mut errors: Vec<Error> = errors
        .filter_map(|(rank, told)| Some(told.failed.as_ref()?.error(rank)))
        .collect();
    errors.sort_by_key(is_interruption);
    errors.into_iter().next()
}

/// Writes the topology and the summary of all.
fn put_together(all: &[Told], replicas: u64, whole: &Files) -> Result<()> {
    let topology = &all[0].topology;
    if !topology.is_empty() {
        write_atomically(&whole.topology(), |out| out.write_all(topology.as_bytes()))?;
    }
    let text = format!("{:#}\n", summary(all, replicas, whole));
    write_atomically(&whole.summary(), |out| out.write_all(text.as_bytes()))
}

/// The summary of rank 0, with what is of all in place of what is its own.
fn summary(all: &[Told], replicas: u64, whole: &Files) -> Value {
    let numbers = |key: &str| -> Vec<f64> {
        let found = all.iter().map(|told| told.summary[key].as_f64());
        found.collect::<Option<_>>().unwrap_or_default()
    };
    let each: Vec<Value> = all
        .iter()
        .map(|told| {
            json!({
                "replicas": told.replicas,
                "outcome": told.summary["outcome"],
                "error": told.failed.as_ref().map(|failed| &failed.what),
                "wall_seconds": told.summary["wall_seconds"],
                "threads": told.summary["threads"],
                "ns_per_day": told.summary["ns_per_day"],
                "summary": told.file,
            })
        })
        .collect();
    let mut summary = all[0].summary.clone();
    if !summary.is_object() {
        summary = json!({ "program": "mdsurrogate", "version": crate::version() });
    }
    let (worst, error) = match first_error(all) {
        None => ("done", None),
        Some(error) if is_interruption(&error) => ("interrupted", Some(error.to_string())),
        Some(error) => ("failed", Some(error.to_string())),
    };
    summary["outcome"] = worst.into();
    summary["error"] = error.into();
    summary["wall_seconds"] = numbers("wall_seconds").into_iter().reduce(f64::max).into();
    summary["threads"] = numbers("threads").into_iter().sum::<f64>().into();
    summary["ns_per_day"] = numbers("ns_per_day").into_iter().reduce(f64::min).into();
    summary["results"] = results(all);
    if summary["settings"].is_object() {
        summary["settings"]["replicas"] = replicas.into();
    }
    summary["files"] = files(all, whole);
    summary[RANKS] = each.into();
    summary
}

/// Results of the replicas one behind the other.
fn results(all: &[Told]) -> Value {
    let each: Vec<&Value> = all.iter().map(|told| &told.summary["results"]).collect();
    let joined = |key: &str| -> Vec<&Value> {
        let lists = each.iter().filter_map(|results| results[key].as_array());
        lists.flatten().collect()
    };
    let counts = |key: &str| -> Vec<u64> {
        let counts = each.iter().filter_map(|results| results[key].as_u64());
        counts.collect()
    };
    let times = each
        .iter()
        .filter_map(|results| results["time_ps"].as_f64());
    json!({
        "steps": counts("steps").into_iter().min(),
        "time_ps": times.reduce(f64::min),
        "rollbacks": counts("rollbacks").into_iter().sum::<u64>(),
        "jumps_drawn_again": joined("jumps_drawn_again"),
        "corrector_failures": joined("corrector_failures"),
        "corrector_steps_a_jump": joined("corrector_steps_a_jump"),
        "replicas": joined("replicas"),
    })
}

/// Names of the files of all processes.
fn files(all: &[Told], whole: &Files) -> Value {
    let own = [json!(whole.topology()), json!(whole.summary())];
    let others = all
        .iter()
        .filter_map(|told| told.summary["files"].as_array());
    own.iter().chain(others.flatten()).cloned().collect()
}
