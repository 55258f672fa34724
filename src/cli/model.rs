//! `mdsurrogate model`: what a model file is.

use std::path::PathBuf;

use super::console::{print, println};
use crate::network::{DataFile, Header, Provenance, Usual, Validated};
use crate::session::{ModelSource, temperatures};
use crate::task::{Loaded, Task};
use crate::{Error, Result};

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
/// [`Error::Input`] where it is no model file, or damaged.
pub fn run(args: Args) -> Result<()> {
    let Command::Info { file, hashes, json } = args.command;
    let source = ModelSource::from(file);
    // weights and all, so that a damaged file is found out here too
    let Loaded {
        network,
        task,
        header,
    } = source.examine()?;
    let parameters = network.parameter_count();
    if json {
        let mut object = serde_json::to_value(&header)
            .map_err(|error| Error::usage(error.to_string(), "report this"))?;
        object["parameters"] = parameters.into();
        object["sha256"] = header.sha256.into();
        object["units"] =
            serde_json::json!({"length": "angstrom", "time": "ps", "force": "kJ/mol/angstrom"});
        println!("{object:#}");
    } else {
        print!("{}", words(&source.name(), &task, &header, parameters));
        print!("{}", files(&header.provenance, hashes));
    }
    Ok(())
}

fn words(name: &str, task: &Task, header: &Header, parameters: usize) -> String {
    let made = &header.provenance;
    let known = |value: Option<String>| value.unwrap_or("n/a".into());
    let lines = [
        (
            "file",
            format!(
                "{name} (schema {}, SHA-256 {})",
                header.schema, header.sha256
            ),
        ),
        ("task", task.to_string()),
        (
            "network",
            format!(
                "{parameters} parameters: {}",
                header.architecture.describe()
            ),
        ),
        ("tokens", "heavy atoms".into()),
        ("trained on", made.summary.clone()),
        ("temperature", known(temperatures(made))),
        ("validated", known(validated(&made.validated))),
        ("usual jumps", usual(made)),
        (
            "training",
            format!(
                "{} updates, {} samples, seed {}, mdsurrogate {}",
                made.updates, made.samples, made.seed, made.version
            ),
        ),
        (
            "validation loss",
            known(made.validation_loss.map(|loss| format!("{loss:.4}"))),
        ),
    ];
    let line = |(name, value): &(&str, String)| format!("{name:<16}{value}\n");
    lines.iter().map(line).collect()
}

/// Up to how many residues it was judged at which lag time.
fn validated(at: &[Validated]) -> Option<String> {
    let words = |at: &Validated| format!("{} ps up to {} residues", at.lag, at.residues);
    let all: Vec<String> = at.iter().map(words).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// The lag times that molecules of some sizes get where nobody asks for another.
fn usual(made: &Provenance) -> String {
    let words = |usual: &Usual| {
        let [least, most] = usual.residues;
        let method = usual.method.as_ref();
        let method = method.map_or(String::new(), |method| format!(" by --method {method}"));
        let stir = usual
            .stir
            .map_or(String::new(), |stir| format!(" --stir {stir}"));
        format!(
            "{} ps from {least} to {most} residues{method}{stir}, ",
            usual.lag
        )
    };
    let all: String = made.usual.iter().map(words).collect();
    format!("{all}{}its own", if all.is_empty() { "" } else { "else " })
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
