//! Weights that a training starts from, where they are not random: those of a model.

use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::config::Config;
use crate::engine::Cpu;
use crate::error::Place;
use crate::model::{self, DataFile, Model, Regime, SHIPPED};
use crate::{Error, Result};

/// What `training.initial` and provenances call the model that is built into the program.
pub const BUILT_IN: &str = "built-in";

/// The model that a training starts from.
#[derive(Clone, PartialEq)]
pub struct Initial {
    /// Its name without folders, and the hash of its file.
    pub file: DataFile,
    /// The network.
    pub config: model::Config,
    /// All weights, in the order of the network's program.
    pub values: Vec<f64>,
}

impl fmt::Debug for Initial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.file) // not a hundred thousand weights
    }
}

impl Initial {
    /// The model that the configuration file `beside` names: a path relative to it, or [`BUILT_IN`].
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn named(name: &Path, beside: &Path) -> Result<Initial> {
        match name.to_str() {
            Some(BUILT_IN) => Initial::built_in(),
            _ => Initial::read(&beside.parent().unwrap_or(Path::new("")).join(name)),
        }
    }

    /// The model that is built into the program.
    ///
    /// # Errors
    /// Those of [`Model::from_bytes`].
    pub fn built_in() -> Result<Initial> {
        Initial::of(SHIPPED, Path::new(BUILT_IN))
    }

    /// A model file.
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn read(path: &Path) -> Result<Initial> {
        let bytes = std::fs::read(path).map_err(|source| Error::reading(path, &source))?;
        Initial::of(&bytes, path)
    }

    fn of(bytes: &[u8], path: &Path) -> Result<Initial> {
        let (model, header) = Model::from_bytes(bytes, path, Cpu::<f32>::new())?;
        Ok(Initial { file: DataFile::of(path, bytes), config: header.config, values: model.parameters()? })
    }

    /// The scale of its answers, Å or kJ/mol/Å, where they are over `lags`, ps: a training for the same lag times keeps it, so that it
    /// starts from the very answers that the model gives.
    pub fn scale(&self, lags: &[f64]) -> Option<f64> {
        let ends = [*lags.first()?, *lags.last()?];
        match self.config.regime {
            Regime::Jump { sigma_data, lag_range: Some(range), .. } => (range[0] <= ends[0] && ends[1] <= range[1]).then_some(sigma_data),
            Regime::Jump { lag_time, sigma_data: scale, .. } | Regime::NextFrame { lag_time, scale } => {
                (ends == [lag_time; 2]).then_some(scale)
            }
            Regime::Force { scale } => Some(scale),
        }
    }

    /// Whether its network takes several lag times.
    pub fn is_told_lags(&self) -> bool {
        matches!(self.config.regime, Regime::Jump { lag_range: Some(_), .. })
    }

    /// All weights for a network of this regime. One that takes several lag times, where this one knows its own only, gives what it is told
    /// of them no weight to begin with: it starts from this one's answers.
    pub fn weights_for(&self, regime: Regime) -> Vec<f64> {
        let config = model::Config { regime, ..self.config.clone() };
        let more = config.conditioning().saturating_sub(self.config.conditioning()) * config.scalars;
        let first = self.config.conditioning() * config.scalars;
        let (told, rest) = self.values.split_at(first);
        [told, &vec![0.0; more], rest].concat()
    }

    /// Name of the objective that its answers are for.
    fn objective(&self) -> &'static str {
        match self.config.regime {
            Regime::Jump { .. } => "jump",
            Regime::NextFrame { .. } => "displacement",
            Regime::Force { .. } => "force",
        }
    }
}

impl Config {
    /// Makes the training start from this model: its sizes are the network's.
    ///
    /// # Errors
    /// [`Error::Input`] where the table `[model]` asks for another network, or the objective for other answers.
    pub fn start_from(&mut self, initial: Initial) -> Result<()> {
        let refuse = |what: String, hint: &str| Err(Error::input(Place::file(&self.path), what, hint));
        let name = &initial.file.name;
        let objective = [(self.jump.is_some(), "jump"), (self.displacement.is_some(), "displacement"), (self.force.is_some(), "force")];
        let answers = initial.objective();
        if let Some((_, wanted)) = objective.into_iter().find(|&(present, table)| present && table != answers) {
            let what = format!("training.initial: {name} was trained for [{answers}], this training is for [{wanted}]");
            return refuse(what, &format!("start from a model trained for [{wanted}], or leave `initial` out"));
        }
        if let Some((key, value)) = contradiction(&self.text, &initial.config) {
            let what = format!("model.{key}: {name}, which the training starts from, has {value}");
            return refuse(what, "leave the key out: the sizes are those of `training.initial`; or leave `initial` out");
        }
        self.model = model::Config { regime: model::Config::default().regime, ..initial.config.clone() };
        self.initial = Some(initial);
        Ok(())
    }
}

/// The first key of the table `[model]` in `text` that is not as `has` has it, and what `has` has.
fn contradiction(text: &str, has: &model::Config) -> Option<(String, Value)> {
    let typed: toml::Table = toml::from_str(text).ok()?;
    let own = serde_json::to_value(has).ok()?;
    let differs = |key: &str, value: &toml::Value| {
        // a key at a time over the model's own, so that 11 and 11.0 are the same
        let mut other = own.clone();
        other[key] = serde_json::to_value(value).unwrap_or_default();
        serde_json::from_value::<model::Config>(other).ok().as_ref() != Some(has)
    };
    let (key, _) = typed.get("model")?.as_table()?.iter().find(|(key, value)| differs(key, value))?;
    Some((key.clone(), own[key].clone()))
}
