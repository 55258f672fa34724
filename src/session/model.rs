//! Which model makes the steps, and what there is to say of it.

use std::path::{Path, PathBuf};

use super::familiar::complete_built_in;
use crate::Result;
use crate::engine::{Cpu, Engine};
use crate::network::{Header, Provenance};
use crate::task::{self, Loaded};

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
        match self {
            ModelSource::BuiltIn => {
                let mut loaded = task::shipped(engine)?;
                complete_built_in(&mut loaded.header.provenance);
                Ok(loaded)
            }
            ModelSource::File(file) => task::load(file, engine),
        }
    }

    /// Loads it to be asked what it is: it is not to run.
    ///
    /// # Errors
    /// Those of [`task::load`].
    pub fn examine(&self) -> Result<Loaded<Cpu<f32>>> {
        self.load(Cpu::<f32>::new())
    }

    /// One line: what it was trained on.
    pub(super) fn origin(&self, header: &Header) -> String {
        let made = &header.provenance;
        let kelvin = temperatures(made).map_or(String::new(), |kelvin| format!(" at {kelvin}"));
        format!("model {}: trained on {}{kelvin}", self.name(), made.summary)
    }
}

/// Temperatures of what a model was trained on: `300 K (akle: 310 K)`; none where it does not say.
pub fn temperatures(made: &Provenance) -> Option<String> {
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
