//! Weights in a file: safetensors, f32, whose header holds what the network is, what it was made
//! for and how it was made.

use std::collections::HashMap;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Config, Model, Network};
use crate::engine::Engine;
use crate::error::Place;
use crate::files::file_name;
use crate::{Error, Result};

/// Version of the weights' schema: what the tensors are called, what they mean, and the token
/// vocabulary.
pub const SCHEMA: u32 = 1;

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
}

/// Everything about a model file but its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// See [`SCHEMA`].
    pub schema: u32,
    /// The network.
    pub config: Config,
    /// How it was made.
    pub provenance: Provenance,
    /// SHA-256 of all tensors' bytes in the order of the network's program, hexadecimal.
    pub sha256: String,
}

/// The model that is built into the program; see `data/models/README.md` for what it was trained on
/// and how well it does.
pub const SHIPPED: &[u8] = include_bytes!("../../data/models/default.safetensors");

/// Key of the header in the safetensors metadata.
const KEY: &str = "mdsurrogate";

fn hexadecimal(digest: impl AsRef<[u8]>) -> String {
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl<E: Engine> Model<E> {
    /// Writes weights (f32) and header; whole or not at all.
    ///
    /// # Errors
    /// [`Error::Output`] naming the file.
    pub fn save(&self, path: &Path, provenance: &Provenance) -> Result<()> {
        let values = self.parameters()?;
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|&value| (value as f32).to_le_bytes())
            .collect();
        let header = Header {
            schema: SCHEMA,
            config: self.config.clone(),
            provenance: provenance.clone(),
            sha256: hexadecimal(Sha256::digest(&bytes)),
        };
        let failed = |what: &dyn std::fmt::Display| {
            Error::output(
                path,
                format!("the weights cannot be written: {what}"),
                "report this",
            )
        };
        let mut rest = bytes.as_slice();
        let mut views = Vec::new();
        for (name, shape) in &self.network.program.params {
            let (data, other) = rest.split_at(shape.size[0] * shape.size[1] * 4);
            rest = other;
            views.push((
                name.clone(),
                TensorView::new(Dtype::F32, shape.size.to_vec(), data)
                    .map_err(|error| failed(&error))?,
            ));
        }
        let text = serde_json::to_string(&header).map_err(|error| failed(&error))?;
        let metadata = HashMap::from([(KEY.to_owned(), text)]);
        let file = safetensors::serialize(views, Some(metadata)).map_err(|error| failed(&error))?;
        crate::files::write_atomically(path, |out| std::io::Write::write_all(out, &file))
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::Input`] naming the file where it is missing, cut short, of another schema, damaged
    /// (its hash differs) or not one of this program's.
    pub fn load(path: &Path, engine: E) -> Result<(Self, Header)> {
        let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
        Self::from_bytes(&bytes, path, engine)
    }

    /// Reads a model file that is already in memory; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_bytes(bytes: &[u8], path: &Path, engine: E) -> Result<(Self, Header)> {
        let header = Header::parse(bytes, path)?;
        let damaged = |what: String| {
            Error::input(
                Place::file(path),
                what,
                "copy or download the model file again",
            )
        };
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| damaged(format!("not whole: {error}")))?;
        let program = Network::new(&header.config).program;
        let mut hash = Sha256::new();
        let mut values = Vec::new();
        for (name, shape) in &program.params {
            let tensor = tensors
                .tensor(name)
                .map_err(|_| damaged(format!("tensor `{name}` is missing")))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != shape.size {
                return Err(damaged(format!(
                    "tensor `{name}` is {:?} {:?}, not F32 {:?}",
                    tensor.dtype(),
                    tensor.shape(),
                    shape.size
                )));
            }
            hash.update(tensor.data());
            values.extend(
                tensor
                    .data()
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]) as f64),
            );
        }
        let found = hexadecimal(hash.finalize());
        if found != header.sha256 {
            return Err(damaged(format!(
                "weights are damaged: SHA-256 is {found}, the header says {}",
                header.sha256
            )));
        }
        let model = Self::with_parameters(header.config.clone(), engine, &values)?;
        Ok((model, header))
    }
}

impl Header {
    /// Reads the header of a model file in memory; `path` names it in errors.
    ///
    /// # Errors
    /// [`Error::Input`] where the bytes are no model file of this program or of another schema.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Header> {
        let refuse = |what: String, hint: &str| Error::input(Place::file(path), what, hint);
        let again = "copy or download the model file again";
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|error| refuse(format!("not a model file, or not whole: {error}"), again))?;
        let text = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
        let text = text.ok_or_else(|| {
            refuse(
                "a safetensors file of another program".into(),
                "give a model made by `mdsurrogate train`",
            )
        })?;
        let schema = serde_json::from_str::<serde_json::Value>(text)
            .ok()
            .and_then(|value| value.get("schema")?.as_u64());
        if schema != Some(u64::from(SCHEMA)) {
            let found = schema.map_or("none".to_owned(), |schema| schema.to_string());
            return Err(refuse(
                format!("schema {found}; this program reads schema {SCHEMA}"),
                "use the version of the program that made it, or train again",
            ));
        }
        let header: Header = serde_json::from_str(text)
            .map_err(|error| refuse(format!("the header cannot be understood: {error}"), again))?;
        header
            .config
            .check()
            .map_err(|error| refuse(format!("the header is unsound: {error}"), again))?;
        Ok(header)
    }
}
