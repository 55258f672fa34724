//! Which model makes the steps, and what there is to say of it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::familiar::complete_built_in;
use crate::engine::{Cpu, Engine};
use crate::network::{Header, Provenance, Usual, Validated};
use crate::task::{self, Loaded, Task};
use crate::{Error, Result};

/// What the tokens of every model are.
pub const TOKENS: &str = "heavy atoms";

/// A model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ModelSource {
    /// The one that is built into the program.
    #[default]
    BuiltIn,
    /// A file.
    File(PathBuf),
}

impl From<Option<PathBuf>> for ModelSource {
    fn from(file: Option<PathBuf>) -> Self {
        file.map_or(ModelSource::BuiltIn, ModelSource::File)
    }
}

impl ModelSource {
    /// Its file; none of the one that is built in.
    pub fn file(&self) -> Option<&Path> {
        match self {
            ModelSource::BuiltIn => None,
            ModelSource::File(file) => Some(file),
        }
    }

    /// What the user calls it.
    pub fn name(&self) -> String {
        self.file()
            .map_or("(built in)".to_owned(), |file| file.display().to_string())
    }

    /// Loads it onto an engine.
    ///
    /// # Errors
    /// Those of [`task::load`].
    pub fn load<E: Engine>(&self, engine: E) -> Result<Loaded<E>> {
        let mut loaded = match self {
            ModelSource::BuiltIn => task::shipped(engine)?,
            ModelSource::File(file) => task::load(file, engine)?,
        };
        complete_built_in(&mut loaded.header);
        Ok(loaded)
    }

    /// Loads it to be asked what it is: it is not to run.
    ///
    /// # Errors
    /// Those of [`task::load`].
    pub fn examine(&self) -> Result<Loaded<Cpu<f32>>> {
        self.load(Cpu::<f32>::new())
    }

    /// What it is.
    ///
    /// # Errors
    /// Those of [`task::load`]: weights and all are looked at, so that a damaged file is found out.
    pub fn info(&self) -> Result<ModelInfo> {
        let Loaded {
            network,
            task,
            header,
        } = self.examine()?;
        Ok(ModelInfo {
            name: self.name(),
            task,
            parameters: network.parameter_count(),
            header,
        })
    }

    /// One line: what it was trained on.
    pub(super) fn origin(&self, header: &Header) -> String {
        let made = &header.provenance;
        let kelvin = temperatures(made).map_or(String::new(), |kelvin| format!(" at {kelvin}"));
        format!("model {}: trained on {}{kelvin}", self.name(), made.summary)
    }
}

/// What a model is, what it was made for and how it was made.
#[derive(Debug, Clone)]
pub struct ModelInfo {
    /// What the user calls it.
    pub name: String,
    /// What it is for.
    pub task: Task,
    /// Weights.
    pub parameters: usize,
    /// All that its file says of itself.
    pub header: Header,
}

impl ModelInfo {
    /// As one JSON object: the header, `parameters`, `sha256` and `units`.
    ///
    /// # Errors
    /// [`Error::Usage`] for numbers that are none.
    pub fn json(&self) -> Result<Value> {
        let mut object = serde_json::to_value(&self.header)
            .map_err(|error| Error::usage(error.to_string(), "report this"))?;
        object["parameters"] = self.parameters.into();
        object["sha256"] = self.header.sha256.clone().into();
        object["units"] = json!({"length": "angstrom", "time": "ps", "force": "kJ/mol/angstrom"});
        Ok(object)
    }

    /// In words, a line each.
    pub fn words(&self) -> String {
        let header = &self.header;
        let made = &header.provenance;
        let known = |value: Option<String>| value.unwrap_or("n/a".into());
        let lines = [
            (
                "file",
                format!(
                    "{} (schema {}, SHA-256 {})",
                    self.name, header.schema, header.sha256
                ),
            ),
            ("task", self.task.to_string()),
            (
                "network",
                format!(
                    "{} parameters: {}",
                    self.parameters,
                    header.architecture.describe()
                ),
            ),
            ("tokens", TOKENS.into()),
            ("trained on", made.summary.clone()),
            ("temperature", known(temperatures(made))),
            ("validated", known(validated(&made.validated))),
            ("usual jumps", usual(made)),
            ("training", made.training()),
            ("validation loss", known(made.loss())),
        ];
        let line = |(name, value): &(&str, String)| format!("{name:<16}{value}\n");
        lines.iter().map(line).collect()
    }
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

/// Temperatures of what a model was trained on: `300 K (akle: 310 K)`; none where it does not say.
fn temperatures(made: &Provenance) -> Option<String> {
    let others = made.temperatures.iter();
    let others: Vec<String> = others
        .map(|(name, kelvin)| format!("{name}: {kelvin} K"))
        .collect();
    let most = made.temperature.map(|kelvin| format!("{kelvin} K"))?;
    Some(match others.as_slice() {
        [] => most,
        others => format!("{most} ({})", others.join(", ")),
    })
}
