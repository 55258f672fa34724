//! `mdsurrogate model`: what a model file is.

use std::path::PathBuf;

use super::console::{print, println};
use crate::Result;
use crate::network::{DataFile, Provenance};
use crate::session::ModelSource;

/// Look into model files
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print what a model is, what it was made for and how it was made
    Info {
        /// Model file (.safetensors) [default: the one that is built in]
        file: Option<PathBuf>,
        /// Also list every file that it was trained on, with its hash
        #[arg(long)]
        hashes: bool,
        /// One JSON object instead of words
        #[arg(long)]
        json: bool,
    },
}

/// Prints a model file's header.
///
/// # Errors
/// [`crate::Error::Input`] where it is no model file, or damaged.
pub fn run(args: Args) -> Result<()> {
    let Command::Info { file, hashes, json } = args.command;
    let info = ModelSource::from(file).info()?;
    if json {
        println!("{:#}", info.json()?);
    } else {
        print!("{}", info.words());
        print!("{}", files(&info.header.provenance, hashes));
    }
    Ok(())
}

/// What it was made of: file by file with their hashes, or how many there are.
fn files(made: &Provenance, hashes: bool) -> String {
    let initial = made
        .started_from
        .iter()
        .map(|model| ("started from", model));
    let data = made.data.iter().map(|data| ("data", data));
    let line = |(name, file): (&str, &DataFile)| {
        format!("{name:<16}{} (SHA-256 {})\n", file.name, file.sha256)
    };
    if hashes {
        return initial.chain(data).map(line).collect();
    }
    let count = made.data.len();
    let start: String = initial.map(line).collect();
    format!("{start}{:<16}{count} files; --hashes lists them\n", "data")
}
