//! What `analyze` and `compare`, which both read frames and write a page, have in common.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::console::{eprintln, println};
use crate::{Error, Result};

/// Lines for whoever did not ask for quiet.
pub(super) fn say(quiet: bool, lines: &[String]) {
    if !quiet {
        lines.iter().for_each(|line| eprintln!("{line}"));
    }
}

/// A bar over the frames that are read; the measuring behind them takes about as long, and the bar
/// stays full.
pub(super) fn progress(quiet: bool, frames: usize) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} frames, {eta} left");
    ProgressBar::new(frames as u64).with_style(style.expect("the template is right"))
}

/// Refuses a lag time of nothing.
///
/// # Errors
/// [`Error::Usage`].
pub(super) fn refuse_no_lag(lag: Option<f64>) -> Result<()> {
    match lag {
        Some(lag) if lag <= 0.0 => Err(Error::usage(
            "--lag 0: slow motions need two frames that are a time apart",
            "--lag 100ps, or leave it out",
        )),
        _ => Ok(()),
    }
}

/// Prints the numbers and the files of a report as one JSON object.
pub(super) fn print_json(metrics: &Value, files: &[PathBuf]) {
    let files: Vec<String> = files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    println!("{}", json!({ "metrics": metrics, "files": files }));
}
