//! How a model was made, and how it is to be used: what its file says beside the network.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::{file_name, hexadecimal};

/// A file that a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its name without folders.
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
}

impl DataFile {
    /// The file at `path`, which holds `bytes`.
    pub fn of(path: &Path, bytes: &[u8]) -> Self {
        DataFile {
            name: file_name(path),
            sha256: hexadecimal(Sha256::digest(bytes)),
        }
    }
}

/// How a model was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// One line for people: what it was trained on.
    pub summary: String,
    /// Names of the systems in the training set, with the topology hash of each where it is known.
    pub systems: Vec<String>,
    /// Temperature of the training data, K.
    pub temperature: Option<f64>,
    /// Optimiser updates.
    pub updates: u64,
    /// Training samples seen.
    pub samples: u64,
    /// Validation loss of these weights.
    pub validation_loss: Option<f64>,
    /// Seed of the training.
    pub seed: u64,
    /// Version of the program that trained it.
    pub version: String,
    /// Text of the configuration file that it was trained by.
    pub configuration: String,
    /// The data.
    pub data: Vec<DataFile>,
    /// The model whose weights were the first ones; none: they were random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_from: Option<DataFile>,
    /// Sequences of the systems of the training set by name, in one-letter code, chains set apart
    /// by `/`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sequences: BTreeMap<String, String>,
    /// Temperatures of systems whose data were not made at `temperature`, K.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub temperatures: BTreeMap<String, f64>,
    /// Where the model was judged against reference MD.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub validated: Vec<Validated>,
    /// How molecules of some sizes jump where that is not the model's own way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub usual: Vec<Usual>,
}

impl Provenance {
    /// How long it was trained, and by what, in words.
    pub fn training(&self) -> String {
        format!(
            "{} updates, {} samples, seed {}, mdsurrogate {}",
            self.updates, self.samples, self.seed, self.version
        )
    }

    /// The validation loss in digits, where it is known.
    pub fn loss(&self) -> Option<String> {
        self.validation_loss.map(|loss| format!("{loss:.4}"))
    }
}

/// How molecules of some size jump where nobody asks for anything else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usual {
    /// The lag time, ps.
    pub lag: f64,
    /// Fewest and most residues.
    pub residues: [usize; 2],
    /// How the sampler of corrected jumps steps, in the word of `--method`; none: as it does else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Noise that it adds before each step, as a share of its noise level; none: as else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stir: Option<f64>,
}

/// A lag time at which a model was judged against reference MD.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validated {
    /// The lag time, ps.
    pub lag: f64,
    /// Residues of the largest protein that it was judged on.
    pub residues: usize,
}
