//! Weights in a file: safetensors, f32, whose metadata hold what the network is, what it was made
//! for and how it was made.
//!
//! Schema 2 names architecture, task and vocabulary, and its hash is over everything: the header's
//! text, and names, shapes and bytes of all tensors. Schema 1 (before there was more than one
//! architecture) is read: its network is a G-Hyena one of the vocabulary of proteins, and its hash
//! is over the bytes of the weights alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::arch::Architecture;
use super::network::Network;
use super::program::Program;
use super::provenance::Provenance;
use super::vocabulary::{PROTEIN, Vocabulary};
use crate::engine::Engine;
use crate::error::Place;
use crate::files::hexadecimal;
use crate::{Error, Result};

/// Version of the schema that is written.
pub const SCHEMA: u32 = 2;

/// An alphabet of tokens by name and hash ([`Vocabulary`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VocabularyName {
    /// Its name.
    pub name: String,
    /// Its hash ([`Vocabulary::sha256`]).
    pub sha256: String,
}

impl From<&Vocabulary> for VocabularyName {
    fn from(vocabulary: &Vocabulary) -> Self {
        VocabularyName {
            name: vocabulary.name.to_owned(),
            sha256: vocabulary.sha256(),
        }
    }
}

/// Everything about a model file but its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of the schema that it was read from, [`SCHEMA`] where it is to be written.
    pub schema: u32,
    /// What the network is made of.
    pub architecture: Architecture,
    /// What it is for, as [`crate::task::Task`] reads it.
    pub task: Value,
    /// What its tokens are.
    pub vocabulary: VocabularyName,
    /// How it was made.
    pub provenance: Provenance,
    /// SHA-256 of everything else in the file, hexadecimal; in schema 1 of the tensors' bytes in
    /// the order of the network's program. Empty before it is written.
    #[serde(skip)]
    pub sha256: String,
}

impl Header {
    /// A header to be written.
    pub fn new(architecture: Architecture, task: Value, provenance: Provenance) -> Self {
        Header {
            schema: SCHEMA,
            architecture,
            task,
            vocabulary: (&PROTEIN).into(),
            provenance,
            sha256: String::new(),
        }
    }
}

/// The model that is built into the program; see `data/models/README.md` for what it was trained on
/// and how well it does.
pub const SHIPPED: &[u8] = include_bytes!("../../data/models/default.safetensors");

/// Keys of the safetensors metadata: the header, and the hash of everything.
const HEADER: &str = "mdsurrogate";
const HASH: &str = "mdsurrogate.sha256";

/// What to do about a damaged file.
const AGAIN: &str = "copy or download the model file again";

/// A model file in memory, found sound.
#[derive(Debug, Clone)]
pub struct File {
    /// What it says of itself.
    pub header: Header,
    path: PathBuf,
    /// Shape and little-endian f32 numbers by name.
    tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)>,
}

impl File {
    /// Reads a model file that is already in memory; `path` names it in errors.
    ///
    /// # Errors
    /// [`Error::Input`] naming the file where it is cut short, of another program or schema,
    /// of an unknown vocabulary, or damaged.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<File> {
        let refuse = |what: String, hint: &str| Error::input(Place::file(path), what, hint);
        let not_whole = |error| refuse(format!("not a model file, or not whole: {error}"), AGAIN);
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(not_whole)?;
        let metadata = metadata.metadata().clone().unwrap_or_default();
        let text = metadata.get(HEADER).ok_or_else(|| {
            let what = "a safetensors file of another program".to_owned();
            refuse(what, "give a model made by `mdsurrogate train`")
        })?;
        let damaged = |what: String| refuse(what, AGAIN);
        let value: Value = serde_json::from_str(text)
            .map_err(|error| damaged(format!("damaged: the header is no JSON: {error}")))?;
        let stored = SafeTensors::deserialize(bytes).map_err(not_whole)?;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in stored.tensors() {
            if tensor.dtype() != Dtype::F32 {
                let what = format!("damaged: tensor `{name}` is {:?}, not F32", tensor.dtype());
                return Err(damaged(what));
            }
            tensors.insert(name, (tensor.shape().to_vec(), tensor.data().to_vec()));
        }
        let header = match value.get("schema").and_then(Value::as_u64) {
            Some(1) => schema_1(value),
            Some(2) => {
                let said = metadata.get(HASH).map_or("", String::as_str);
                let found = hash_of_all(text, &tensors);
                // a fuzzer would never find the sum that fits, and never come to what is behind it
                if found != said && !cfg!(fuzzing) {
                    let what =
                        format!("damaged: SHA-256 of its contents is {found}, it says {said}");
                    return Err(damaged(what));
                }
                serde_json::from_value::<Header>(value).map(|header| Header {
                    sha256: found,
                    ..header
                })
            }
            other => {
                let found = other.map_or("none".to_owned(), |schema| schema.to_string());
                return Err(refuse(
                    format!("schema {found}; this program reads schemas 1 and {SCHEMA}"),
                    "use the version of the program that made it, or train again",
                ));
            }
        };
        let header =
            header.map_err(|error| damaged(format!("the header cannot be understood: {error}")))?;
        let file = File {
            header,
            path: path.to_owned(),
            tensors,
        };
        file.vocabulary()?;
        Ok(file)
    }

    /// The vocabulary that it is of.
    ///
    /// # Errors
    /// [`Error::Input`] where this program knows none of that name with these rows.
    pub fn vocabulary(&self) -> Result<&'static Vocabulary> {
        let said = &self.header.vocabulary;
        Vocabulary::named(&said.name)
            .filter(|known| known.sha256() == said.sha256)
            .ok_or_else(|| {
                let what = format!(
                    "its tokens are those of an unknown alphabet, `{}`",
                    said.name
                );
                let hint = "use the version of the program that made it, or train again";
                Error::input(Place::file(&self.path), what, hint)
            })
    }

    /// The network, whose program is this one, with the file's weights.
    ///
    /// # Errors
    /// [`Error::Input`] where the tensors are not the program's, [`Error::Device`] where the engine
    /// has no memory.
    pub fn network<E: Engine>(&self, program: Program, engine: E) -> Result<Network<E>> {
        let damaged = |what: String| Err(Error::input(Place::file(&self.path), what, AGAIN));
        let mut hash = Sha256::new();
        let mut values = Vec::with_capacity(program.parameter_count());
        for (name, shape) in &program.params {
            let Some((size, data)) = self.tensors.get(name) else {
                return damaged(format!("damaged: tensor `{name}` is missing"));
            };
            if *size != shape.size {
                let wanted = shape.size;
                return damaged(format!(
                    "damaged: tensor `{name}` is {size:?}, not {wanted:?}"
                ));
            }
            hash.update(data);
            let numbers = data.chunks_exact(4);
            values.extend(numbers.map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))));
        }
        if self.tensors.len() > program.params.len() {
            return damaged("damaged: it holds tensors that its network has not".to_owned());
        }
        let (found, said) = (hexadecimal(hash.finalize()), &self.header.sha256);
        if self.header.schema == 1 && found != *said && !cfg!(fuzzing) {
            return damaged(format!(
                "weights are damaged: SHA-256 is {found}, the header says {said}"
            ));
        }
        Network::with_parameters(program, engine, &values)
    }

    /// Writes weights (f32) and header; whole or not at all.
    ///
    /// # Errors
    /// [`Error::Output`] naming the file.
    pub fn write<E: Engine>(header: &Header, network: &Network<E>, path: &Path) -> Result<()> {
        let failed = |error: &dyn std::fmt::Display| {
            let what = format!("the weights cannot be written: {error}");
            Error::output(path, what, "report this")
        };
        let values = network.parameters()?;
        let mut rest = values.as_slice();
        let mut tensors = BTreeMap::new();
        for (name, shape) in &network.program().params {
            let (own, others) = rest.split_at(shape.size[0] * shape.size[1]);
            rest = others;
            let bytes = own.iter().flat_map(|&value| (value as f32).to_le_bytes());
            tensors.insert(name.clone(), (shape.size.to_vec(), bytes.collect()));
        }
        let text = serde_json::to_string(header).map_err(|error| failed(&error))?;
        let hash = hash_of_all(&text, &tensors);
        let mut views = Vec::with_capacity(tensors.len());
        for (name, (size, bytes)) in &tensors {
            let view = TensorView::new(Dtype::F32, size.clone(), bytes);
            views.push((name, view.map_err(|error| failed(&error))?));
        }
        let bytes = safetensors::serialize(views, None).map_err(|error| failed(&error))?;
        let bytes = with_metadata(&bytes, [(HEADER, text), (HASH, hash)])
            .ok_or_else(|| failed(&"its header is none"))?;
        crate::files::write_atomically(path, |out| std::io::Write::write_all(out, &bytes))
    }
}

/// A safetensors file with these entries of metadata, in this order. The crate takes a `HashMap`,
/// whose order is another in every process: the same training would write other bytes.
fn with_metadata(file: &[u8], entries: [(&str, String); 2]) -> Option<Vec<u8>> {
    let (length, rest) = file.split_first_chunk::<8>()?;
    let (header, data) =
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let tensors: Map<String, Value> = serde_json::from_slice(header).ok()?;
    let entries: Map<String, Value> = entries
        .into_iter()
        .map(|(key, text)| (key.to_owned(), Value::String(text)))
        .collect();
    let mut all = Map::new();
    all.insert("__metadata__".to_owned(), Value::Object(entries));
    all.extend(tensors);
    let mut header = serde_json::to_vec(&all).ok()?;
    // the format wants the data at a multiple of eight bytes, blanks before them
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(data);
    Some(bytes)
}

/// SHA-256 of the header's text and of name, shape and bytes of every tensor in the order of their
/// names, each with its length before it.
fn hash_of_all(text: &str, tensors: &BTreeMap<String, (Vec<usize>, Vec<u8>)>) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(text.as_bytes());
    for (name, (size, bytes)) in tensors {
        add(name.as_bytes());
        let size: Vec<u8> = size
            .iter()
            .flat_map(|&n| (n as u64).to_le_bytes())
            .collect();
        add(&size);
        add(bytes);
    }
    hexadecimal(hash.finalize())
}

/// A header of schema 1: the sizes of a G-Hyena network, among which were the task (`regime`) and
/// whether it is given a fold.
fn schema_1(header: Value) -> std::result::Result<Header, serde_json::Error> {
    #[derive(Deserialize)]
    struct Old {
        config: Map<String, Value>,
        provenance: Provenance,
        sha256: String,
    }
    let mut old: Old = serde_json::from_value(header)?;
    let mut task = old.config.remove("regime").unwrap_or_default();
    if let (Some(fold), Some(task)) = (old.config.remove("fold"), task.as_object_mut()) {
        task.insert("fold".to_owned(), fold);
    }
    Ok(Header {
        schema: 1,
        architecture: Architecture::from_table(old.config, None)?,
        task,
        vocabulary: (&PROTEIN).into(),
        provenance: old.provenance,
        sha256: old.sha256,
    })
}
