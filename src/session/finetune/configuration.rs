//! How the training of one protein is configured.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Finetune;
use crate::files::write_atomically;
use crate::network;
use crate::task::Method;
use crate::task::jump::{self, Usual};
use crate::train::config::{Data, Optimizer, Split, SystemFiles, Training};
use crate::{Error, Result};

/// First line of the files that are written for the user.
const WRITTEN: &str = "# Written by `mdsurrogate finetune`.\n";

/// The jumps that are trained: lag times from `lag` to `longest`, ps. The model that is made jumps
/// with its protein, of so many residues, as the one that it starts from does (`usual`), where that
/// lag time is trained.
pub(super) fn jumps(
    [lag, longest]: [f64; 2],
    usual: Option<&network::Usual>,
    residues: usize,
) -> jump::Settings {
    let trained = jump::Settings {
        longest_lag: Some(longest).filter(|&longest| longest >= 2.0 * lag),
        log_sigma_mean: -1.2,
        ..jump::Settings::of(lag)
    };
    let [least, most] = trained.lag_range();
    let usual = usual.filter(|usual| (least..=most).contains(&usual.lag));
    jump::Settings {
        usual: usual.map(|usual| Usual {
            lag: usual.lag,
            residues: [residues; 2],
            method: usual.method.as_deref().and_then(Method::of_word),
            stir: usual.stir,
        }),
        ..trained
    }
}

/// The tables of a training's configuration.
#[derive(Serialize)]
pub(super) struct Tables {
    data: Data,
    split: Split,
    jump: jump::Settings,
    optimizer: Optimizer,
    training: Training,
}

impl Finetune {
    /// A gentle learning rate, the best validation kept.
    pub(super) fn configuration(&self) -> Tables {
        let options = &self.options;
        let (topology, trajectories) = self.files.of_reference();
        let absolute = |file: &Path| file.canonicalize().unwrap_or_else(|_| file.to_owned());
        Tables {
            data: Data {
                folder: PathBuf::new(),
                temperature: Some(options.temperature),
                systems: vec![SystemFiles::of(topology, trajectories)],
            },
            split: Split {
                validation_share: 0.15,
                ..Split::default()
            },
            jump: self.jump,
            optimizer: Optimizer {
                learning_rate: 3e-4,
                flat: 0.0,
                ..Optimizer::default()
            },
            training: Training {
                initial: Some((options.model.file()).map_or_else(|| "built-in".into(), absolute)),
                seed: options.seed,
                minutes: Some(options.minutes),
                validate_every: 250,
                patience: 1000,
                ..Training::default()
            },
        }
    }
}

/// As a file for the user.
pub(super) fn written(value: &impl Serialize) -> Result<String> {
    let text = toml::to_string(value).map_err(|error| {
        Error::usage(format!("cannot be written as TOML: {error}"), "report this")
    })?;
    Ok(format!("{WRITTEN}{text}"))
}

pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    write_atomically(file, |out| out.write_all(text.as_bytes()))
}
