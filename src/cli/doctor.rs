//! `mdsurrogate doctor`: what is there, what is wrong, and what mends it.

use std::path::PathBuf;

use serde_json::json;

use super::console::println;
use crate::session::doctor::{Finding, Verdict, doctor};
use crate::{Error, Result};

/// Say what the program finds on this machine, what is wrong and what mends it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder that runs are to write to
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Looks and prints.
///
/// # Errors
/// [`Error::Device`] where the program cannot work here.
pub fn run(args: Args) -> Result<()> {
    let findings = doctor(&args.folder);
    if args.json {
        println!("{:#}", json!({ "findings": findings }));
    } else {
        findings.iter().for_each(print);
    }
    match findings.iter().find(|found| found.verdict == Verdict::Bad) {
        Some(found) => Err(Error::Device {
            what: format!(
                "the program cannot work here: {}: {}",
                found.what, found.found
            ),
            hint: found.mend.clone(),
        }),
        None => Ok(()),
    }
}

fn print(finding: &Finding) {
    let Finding {
        what, found, mend, ..
    } = finding;
    let sign = match finding.verdict {
        Verdict::Good => "ok  ",
        Verdict::Poor => "poor",
        Verdict::Bad => "BAD ",
    };
    println!("{sign}  {what:<12}{found}");
    if !mend.is_empty() {
        println!("{:<18}try: {mend}", "");
    }
}
