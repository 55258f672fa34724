//! `mdsurrogate model`: what a model file is.

use std::path::{Path, PathBuf};

use crate::engine::Cpu;
use crate::network::Header;
use crate::task::{self, Loaded, Task};
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
        /// Model file (.safetensors)
        file: PathBuf,
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
    let Command::Info { file, json } = args.command;
    let bytes = std::fs::read(&file).map_err(|source| Error::reading(&file, &source))?;
    // weights and all, so that a damaged file is found out here too
    let Loaded {
        network,
        task,
        header,
    } = task::from_bytes(&bytes, &file, Cpu::<f32>::new())?;
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
        print!("{}", words(&file, &task, &header, parameters));
    }
    Ok(())
}

fn words(file: &Path, task: &Task, header: &Header, parameters: usize) -> String {
    let made = &header.provenance;
    let known = |value: Option<String>| value.unwrap_or("n/a".into());
    let lines = [
        (
            "file",
            format!(
                "{} (schema {}, SHA-256 {})",
                file.display(),
                header.schema,
                header.sha256
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
        (
            "temperature",
            known(made.temperature.map(|kelvin| format!("{kelvin} K"))),
        ),
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
    let mut text: String = lines
        .iter()
        .map(|(name, value)| format!("{name:<16}{value}\n"))
        .collect();
    let files = made
        .started_from
        .iter()
        .map(|model| ("started from", model))
        .chain(made.data.iter().map(|data| ("data", data)));
    for (name, file) in files {
        text += &format!("{name:<16}{} (SHA-256 {})\n", file.name, file.sha256);
    }
    text
}
