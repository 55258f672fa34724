//! Architectures: what a network is made of. One file each: its sizes, what of them is allowed, and
//! the program that it writes for what a task hands over ([`Interface`]).
//!
//! A new one is a file here, a variant of [`Architecture`] and its lines in `own`,
//! `name` and `from_table`; its tests are those of every other (`tests/architectures/`).

mod attention;
mod egnn;
mod equiformer;
mod fast_egnn;
mod ghyena;
mod grow;
mod hyena;
mod parts;
mod plain;
mod transformer;

pub use attention::Attention;
pub use egnn::Egnn;
pub use equiformer::Equiformer;
pub use fast_egnn::FastEgnn;
pub use ghyena::{GHyena, LongRange};
pub use hyena::Hyena;
pub use transformer::Transformer;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::program::{Interface, Program};
use super::vocabulary::Vocabulary;
use crate::{Error, Result};

/// What a network is made of: an architecture with its sizes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "architecture")]
pub enum Architecture {
    /// Local messages and long convolutions.
    #[serde(rename = "g-hyena")]
    GHyena(GHyena),
    /// Messages that move the positions.
    #[serde(rename = "egnn")]
    Egnn(Egnn),
    /// The same with virtual nodes, which see every token.
    #[serde(rename = "fast-egnn")]
    FastEgnn(FastEgnn),
    /// Local messages and attention.
    #[serde(rename = "attention")]
    Attention(Attention),
    /// Attention over neighbourhoods with channels up to rank 2.
    #[serde(rename = "equiformer")]
    Equiformer(Equiformer),
    /// Attention over plain numbers, not equivariant.
    #[serde(rename = "transformer")]
    Transformer(Transformer),
    /// Long convolutions of plain numbers, not equivariant.
    #[serde(rename = "hyena")]
    Hyena(Hyena),
}

impl Default for Architecture {
    fn default() -> Self {
        Architecture::GHyena(GHyena::default())
    }
}

/// What every architecture does.
trait Own {
    /// Refuses sizes that the ops cannot run, and what is handed over that it has no use for.
    fn check(&self, interface: &Interface) -> Result<()>;
    /// Writes the program.
    fn build(&self, interface: &Interface, vocabulary: &Vocabulary) -> Program;
    /// Its name and sizes in words.
    fn describe(&self) -> String;
}

/// Name of the key that says which architecture the others are of.
const KEY: &str = "architecture";

impl Architecture {
    fn own(&self) -> &dyn Own {
        match self {
            Architecture::GHyena(sizes) => sizes,
            Architecture::Egnn(sizes) => sizes,
            Architecture::FastEgnn(sizes) => sizes,
            Architecture::Attention(sizes) => sizes,
            Architecture::Equiformer(sizes) => sizes,
            Architecture::Transformer(sizes) => sizes,
            Architecture::Hyena(sizes) => sizes,
        }
    }

    /// Refuses sizes that the ops cannot run, and what is handed over that it has no use for.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the key and what is allowed.
    pub fn check(&self, interface: &Interface) -> Result<()> {
        self.own().check(interface)
    }

    /// The program for what a task hands over, and tokens of this vocabulary.
    pub fn build(&self, interface: &Interface, vocabulary: &Vocabulary) -> Program {
        self.own().build(interface, vocabulary)
    }

    /// Name and sizes in words, as `G-Hyena, 4 layers, 64 scalars, …`.
    pub fn describe(&self) -> String {
        self.own().describe()
    }

    /// Its name alone, as people write it.
    pub fn name(&self) -> &'static str {
        match self {
            Architecture::GHyena(_) => "G-Hyena",
            Architecture::Egnn(_) => "EGNN",
            Architecture::FastEgnn(_) => "FastEGNN",
            Architecture::Attention(_) => "attention",
            Architecture::Equiformer(_) => "Equiformer-like",
            Architecture::Transformer(_) => "transformer",
            Architecture::Hyena(_) => "Hyena",
        }
    }

    /// The architecture that a table of keys describes: `architecture`, the working one where it is
    /// missing, and keys of that architecture over those of `defaults`, where it is the same.
    ///
    /// # Errors
    /// A message that names the key.
    pub fn from_table(
        mut table: Map<String, Value>,
        defaults: Option<&Architecture>,
    ) -> std::result::Result<Self, serde_json::Error> {
        let as_json = |architecture: &Architecture| match serde_json::to_value(architecture) {
            Ok(Value::Object(keys)) => keys,
            _ => Map::new(),
        };
        let base = defaults.map_or_else(Map::new, as_json);
        let name = table.remove(KEY).or_else(|| base.get(KEY).cloned());
        let name = name.unwrap_or_else(|| "g-hyena".into());
        let mut keys = Map::new();
        if base.get(KEY) == Some(&name) {
            keys = base;
            keys.remove(KEY);
        }
        keys.append(&mut table);
        let keys = Value::Object(keys);
        match name.as_str() {
            Some("g-hyena") => serde_json::from_value(keys).map(Architecture::GHyena),
            Some("egnn") => serde_json::from_value(keys).map(Architecture::Egnn),
            Some("fast-egnn") => serde_json::from_value(keys).map(Architecture::FastEgnn),
            Some("attention") => serde_json::from_value(keys).map(Architecture::Attention),
            Some("equiformer") => serde_json::from_value(keys).map(Architecture::Equiformer),
            Some("transformer") => serde_json::from_value(keys).map(Architecture::Transformer),
            Some("hyena") => serde_json::from_value(keys).map(Architecture::Hyena),
            _ => Err(serde_json::Error::custom(format!(
                "architecture: {name} is none of \"g-hyena\", \"egnn\", \"fast-egnn\", \
                 \"attention\", \"equiformer\", \"transformer\", \"hyena\""
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Architecture {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let table = Map::<String, Value>::deserialize(from)?;
        Architecture::from_table(table, None).map_err(D::Error::custom)
    }
}

/// A refusal of a key of `[model]`.
fn refuse<T>(key: &str, allowed: &str) -> Result<T> {
    Err(Error::usage(
        format!("model: `{key}` is out of range"),
        format!("use {allowed}"),
    ))
}

/// Refuses the first of these sizes that is 0 or above its largest.
fn check_sizes(sizes: &[(&str, usize, usize)]) -> Result<()> {
    match sizes
        .iter()
        .find(|(_, size, most)| *size == 0 || size > most)
    {
        Some((key, _, most)) => refuse(key, &format!("1 to {most}")),
        None => Ok(()),
    }
}
