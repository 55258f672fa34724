//! The training's configuration file (TOML): every key, its default and what is allowed.

mod check;
mod pattern;
mod training;

pub use training::{Budget, Optimizer, Training};

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use toml::Spanned;

use super::initial::Initial;
use crate::error::Place;
use crate::network::Architecture;
use crate::task::quantity::{temperature, time};
use crate::task::{Settings, Task, force, jump, next_frame};
use crate::{Error, Result};

/// A training, as its file describes it.
#[derive(Debug, Clone)]
pub struct Config {
    /// What is trained on.
    pub data: Data,
    /// What is held out.
    pub split: Split,
    /// What the network is for.
    pub task: Settings,
    /// What it is made of: keys that the file leaves out are those of the model that the training
    /// starts from, or the working model's.
    pub architecture: Architecture,
    /// AdamW and its learning rate.
    pub optimizer: Optimizer,
    /// Length, batches, validation, checkpoints.
    pub training: Training,
    /// What `training.initial` names.
    pub initial: Option<Initial>,
    /// The file's own text, for the model's provenance.
    pub text: String,
    /// The file.
    pub path: PathBuf,
}

/// The tables of the file. Unknown keys are refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    data: Data,
    #[serde(default)]
    split: Split,
    jump: Option<jump::Settings>,
    /// `[displacement]` in older files.
    #[serde(rename = "next-frame", alias = "displacement")]
    next_frame: Option<next_frame::Settings>,
    force: Option<force::Settings>,
    model: Option<Spanned<Map<String, Value>>>,
    #[serde(default)]
    optimizer: Optimizer,
    #[serde(default)]
    training: Training,
}

/// Systems and where their files lie.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Folder of all files below, relative to the configuration file.
    #[serde(default)]
    pub folder: PathBuf,
    /// Temperature of the data, K; written into the model.
    #[serde(default, with = "temperature::optional")]
    pub temperature: Option<f64>,
    /// The systems.
    pub systems: Vec<SystemFiles>,
}

/// One molecular system: a topology and trajectories of it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SystemFiles {
    /// Its name in messages and in `split.validation_systems`; default: the stem of the topology.
    pub name: Option<String>,
    /// Structure file: PDB or mmCIF. With a `*` in its name the entry stands for every file that
    /// fits.
    pub topology: PathBuf,
    /// Trajectory files; no pair of frames spans two of them. A `*` is what it is in the topology.
    pub trajectories: Vec<PathBuf>,
    /// Rollouts of a model of this system: jumps are trained from their frames too
    /// ([`super::strays`]). A `*` is what it is in the topology.
    #[serde(default)]
    pub rollouts: Vec<PathBuf>,
    /// Whether it keeps to a fold, which a network with `jump.fold` is given. Default: where a
    /// chain has ten residues or more.
    #[serde(default)]
    pub fold: Option<bool>,
    /// Time between frames, ps, for files that do not hold it (NetCDF, multi-model PDB).
    #[serde(default, with = "time::optional")]
    pub time_step: Option<f64>,
    /// How often a pair of it is drawn in training, relative to a pair of a system of weight 1.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

impl SystemFiles {
    /// A topology and its trajectories, all else at its default.
    pub fn of(topology: PathBuf, trajectories: Vec<PathBuf>) -> Self {
        SystemFiles {
            name: None,
            topology,
            trajectories,
            rollouts: Vec::new(),
            fold: None,
            time_step: None,
            weight: one(),
        }
    }

    /// The given name, or the stem of the topology.
    pub fn name(&self) -> String {
        let stem = || {
            Some(
                self.topology
                    .file_name()?
                    .to_str()?
                    .split('.')
                    .next()?
                    .to_owned(),
            )
        };
        self.name.clone().or_else(stem).unwrap_or_default()
    }
}

/// What is held out for validation.
#[derive(Debug, Clone, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Split {
    /// Share of every trajectory, at its end, behind a gap of one lag time; 0 … 1.
    pub validation_share: f64,
    /// Whole systems instead.
    pub validation_systems: Vec<String>,
}

impl Default for Split {
    fn default() -> Self {
        Split {
            validation_share: 0.1,
            validation_systems: Vec::new(),
        }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`Error::Input`] naming file, line where it is known, key and what is allowed.
    pub fn read(path: &Path) -> Result<Config> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::reading(path, &source))?;
        Config::parse(text, path)
    }

    /// Checks `text` as the contents of `path`, and reads the model that it names to start from.
    ///
    /// # Errors
    /// As [`Config::read`], and those of reading that model.
    pub fn parse(text: String, path: &Path) -> Result<Config> {
        let tables = read_tables(&text, path)?;
        let refuse = |what: String, hint: &str| Error::input(Place::file(path), what, hint);
        let Some(mut task) = tables.task() else {
            let what = "exactly one of the tables [jump], [next-frame] and [force] must be there";
            return Err(refuse(what.to_owned(), "say what the network is for"));
        };
        let model_line = tables.model.as_ref().map(|model| model.span().start);
        let mut model = tables.model.map(Spanned::into_inner).unwrap_or_default();
        take_fold(&mut model, &mut task).map_err(|what| refuse(what, "correct that key"))?;
        let named = tables.training.initial.as_ref();
        let initial = named.map(|named| Initial::named(named, path)).transpose()?;
        if let Some(initial) = &initial {
            let name = &initial.file.name;
            task.start_from(&initial.task).map_err(|[what, hint]| {
                refuse(format!("training.initial: {name} {what}"), &hint)
            })?;
            if let (Settings::Jump(jump), Task::Jump(known)) = (&mut task, &initial.task) {
                jump.fold |= known.fold;
            }
        }
        let defaults = initial.as_ref().map(|initial| &initial.architecture);
        let architecture = Architecture::from_table(model, defaults).map_err(|error| {
            let line = model_line.map(|start| line_at(&text, start));
            let place = line.map_or(Place::file(path), |line| Place::line(path, line));
            let hint = "configs/every_key.toml names every key with its default";
            Error::input(place, format!("[model]: {error}"), hint)
        })?;
        if let Some(initial) = &initial
            && let Some((key, value)) = architecture.contradiction(&initial.architecture)
        {
            let name = &initial.file.name;
            return Err(refuse(
                format!("model.{key}: {name}, which the training starts from, has {value}"),
                "leave the key out: the sizes are those of `training.initial`; or leave `initial` \
                 out",
            ));
        }
        let config = Config {
            data: tables.data,
            split: tables.split,
            task,
            architecture,
            optimizer: tables.optimizer,
            training: tables.training,
            initial,
            text,
            path: path.to_owned(),
        };
        config.check()?;
        Ok(config)
    }

    /// Time between the two frames of a pair, ps, the shortest where there are several; 0 for
    /// forces.
    pub fn lag(&self) -> f64 {
        self.lags().first().copied().unwrap_or(0.0)
    }

    /// All times between the two frames of a pair, ps, ascending; 0 for forces.
    pub fn lags(&self) -> Vec<f64> {
        self.task.lags()
    }

    /// The folder of the data: `replacement`, or `data.folder` beside the configuration file.
    pub fn data_folder(&self, replacement: Option<&Path>) -> PathBuf {
        let beside = || {
            self.path
                .parent()
                .unwrap_or(Path::new(""))
                .join(&self.data.folder)
        };
        replacement.map_or_else(beside, Path::to_owned)
    }
}

impl Tables {
    /// The table of the task; none where there is none, or more than one.
    fn task(&self) -> Option<Settings> {
        let tasks = [
            self.jump.map(Settings::Jump),
            self.next_frame.map(Settings::NextFrame),
            self.force.map(Settings::Force),
        ];
        let mut present = tasks.into_iter().flatten();
        present.next().filter(|_| present.next().is_none())
    }
}

/// The tables in `text`, the contents of `path`.
fn read_tables(text: &str, path: &Path) -> Result<Tables> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        let place = line.map_or(Place::file(path), |line| Place::line(path, line));
        Error::input(
            place,
            error.message().trim(),
            "configs/every_key.toml names every key with its default",
        )
    })
}

/// Number of the line that byte `start` of `text` is in, from 1.
fn line_at(text: &str, start: usize) -> usize {
    let before = &text[..start];
    before.lines().count().max(1) + usize::from(before.ends_with('\n'))
}

/// Takes `fold` and `regime` out of the table `[model]`, where older files had the first and nobody
/// may have the second: the task says both.
fn take_fold(
    model: &mut Map<String, Value>,
    task: &mut Settings,
) -> std::result::Result<(), String> {
    if model.contains_key("regime") {
        return Err("model.regime: the task's table decides it: leave it out".to_owned());
    }
    let Some(fold) = model.remove("fold") else {
        return Ok(());
    };
    match (fold.as_bool(), task) {
        (Some(fold), Settings::Jump(jump)) => jump.fold |= fold,
        (Some(false), _) => {}
        (Some(true), _) => return Err("model.fold: only [jump] knows of a fold".to_owned()),
        (None, _) => return Err("model.fold: must be true or false".to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
