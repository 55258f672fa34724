//! The training's configuration file (TOML): every key, its default and what is allowed.

mod check;
mod objective;
mod pattern;
mod quantity;
mod training;

pub use objective::{Displacement, Force, Jump};
pub use training::{Budget, Optimizer, Training};

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::initial::Initial;
use crate::error::Place;
use crate::{Error, Result, network};
use quantity::{optional_temperature, optional_time};

/// A training, as its file describes it. Unknown keys are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is trained on.
    pub data: Data,
    /// What is held out.
    #[serde(default)]
    pub split: Split,
    /// Objective: a jump over the lag time (exactly one of the three objectives is present).
    pub jump: Option<Jump>,
    /// Objective: the next frame.
    pub displacement: Option<Displacement>,
    /// Objective: forces.
    pub force: Option<Force>,
    /// Sizes of the network; missing keys take those of the model that the training starts from, or
    /// the working model's. The regime is not among them: the objective says it.
    #[serde(default)]
    pub model: network::Config,
    /// AdamW and its learning rate.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Length, batches, validation, checkpoints.
    #[serde(default)]
    pub training: Training,
    /// What `training.initial` names.
    #[serde(skip)]
    pub initial: Option<Initial>,
    /// The file's own text, for the model's provenance.
    #[serde(skip)]
    pub text: String,
    /// The file.
    #[serde(skip)]
    pub path: PathBuf,
}

/// Systems and where their files lie.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Folder of all files below, relative to the configuration file.
    #[serde(default)]
    pub folder: PathBuf,
    /// Temperature of the data, K; written into the model.
    #[serde(default, deserialize_with = "optional_temperature")]
    pub temperature: Option<f64>,
    /// The systems.
    pub systems: Vec<SystemFiles>,
}

/// One molecular system: a topology and trajectories of it.
#[derive(Debug, Clone, Deserialize)]
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
    /// Whether it keeps to a fold, which a network with `model.fold` is given. Default: where a
    /// chain has ten residues or more.
    #[serde(default)]
    pub fold: Option<bool>,
    /// Time between frames, ps, for files that do not hold it (NetCDF, multi-model PDB).
    #[serde(default, deserialize_with = "optional_time")]
    pub time_step: Option<f64>,
    /// How often a pair of it is drawn in training, relative to a pair of a system of weight 1.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

impl SystemFiles {
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
#[derive(Debug, Clone, Deserialize, PartialEq)]
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

    /// Checks `text` as the contents of `path`.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: String, path: &Path) -> Result<Config> {
        let mut config: Config = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| {
                text[..span.start].lines().count().max(1)
                    + usize::from(text[..span.start].ends_with('\n'))
            });
            let place = line.map_or(Place::file(path), |line| Place::line(path, line));
            Error::input(
                place,
                error.message().trim(),
                "configs/every_key.toml names every key with its default",
            )
        })?;
        config.text = text;
        config.path = path.to_owned();
        config.check()?;
        if let Some(named) = config.training.initial.clone() {
            config.start_from(Initial::named(&named, path)?)?;
        }
        Ok(config)
    }

    /// Time between the two frames of a pair, ps, the shortest where there are several; 0 for
    /// forces.
    pub fn lag(&self) -> f64 {
        self.jump
            .map(|jump| jump.lag)
            .or(self.displacement.map(|displacement| displacement.lag))
            .unwrap_or(0.0)
    }

    /// All times between the two frames of a pair, ps, ascending; 0 for forces.
    pub fn lags(&self) -> Vec<f64> {
        self.jump
            .map_or_else(|| vec![self.lag()], |jump| jump.lags())
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

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[data]\nsystems = [{ topology = \"a.pdb\", trajectories = [\"a.xtc\"] }]\n[jump]\nlag = \"20ps\"\n[training]\nupdates = 10\n";

    fn config_with(objective: &str) -> Config {
        Config::parse(
            GOOD.replace("[jump]\nlag = \"20ps\"", objective),
            Path::new("dir/train.toml"),
        )
        .unwrap()
    }

    fn refusal(text: &str) -> String {
        let error = Config::parse(text.into(), Path::new("dir/train.toml")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn defaults_are_those_of_the_measured_formulation() {
        let config = Config::parse(GOOD.into(), Path::new("dir/train.toml")).unwrap();
        let jump = config.jump.unwrap();
        assert_eq!(
            (
                jump.lag,
                jump.reversed,
                jump.condition_noise,
                jump.log_sigma_mean,
                jump.log_sigma_std
            ),
            (20.0, 0.5, 0.1, -1.6, 1.5)
        );
        assert_eq!(
            (
                config.optimizer.beta2,
                config.training.batch,
                config.training.budget()
            ),
            (0.99, 16, Budget::Updates(10))
        );
        assert_eq!(config.data.systems[0].name(), "a");
        assert_eq!(config.data_folder(None), Path::new("dir"));
        assert_eq!(
            config.data_folder(Some(Path::new("elsewhere"))),
            Path::new("elsewhere")
        );
    }

    #[test]
    fn the_shipped_configurations_are_sound_and_name_the_defaults() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        let read = |name| Config::read(&folder.join(name)).unwrap();
        assert!(read("akle.toml").lag() > 0.0 && read("trpcage.toml").lag() > 0.0);
        let every = read("every_key.toml");
        let training = Training {
            updates: every.training.updates,
            ..Training::default()
        };
        let split = Split::default();
        assert_eq!(every.training, training);
        assert_eq!(
            (every.optimizer, every.split, every.model),
            (Optimizer::default(), split, network::Config::default())
        );
        assert_eq!(every.jump, config_with("[jump]\nlag = \"20ps\"").jump);
    }

    #[test]
    fn what_is_wrong_is_refused_with_file_line_key_and_what_is_allowed() {
        let message = refusal(&format!("{GOOD}btach = 16\n"));
        assert!(
            message.starts_with("dir/train.toml:7: ")
                && message.contains("btach")
                && message.contains("`batch`"),
            "{message}"
        );
        let message = refusal(&GOOD.replace("20ps", "20"));
        assert!(
            message.starts_with("dir/train.toml:4: ")
                && message.contains("no unit")
                && message.contains("100ps"),
            "{message}"
        );
        let message = refusal(&format!("{GOOD}batch = 0\n"));
        assert!(
            message.contains("training.batch") && message.contains("at least 1"),
            "{message}"
        );
        let message = refusal(&format!("{GOOD}batch = \"many\"\n"));
        assert!(message.starts_with("dir/train.toml:7: "), "{message}");
        let message = refusal(&format!("{GOOD}[model]\npair = 9\n"));
        assert!(
            message.contains("dir/train.toml") && message.contains("`pair`"),
            "{message}"
        );
        let message = refusal(&format!("{GOOD}[force]\n"));
        assert!(message.contains("[displacement]"), "{message}");
        let message = refusal(&format!("{GOOD}minutes = 3.0\n"));
        assert!(message.contains("either updates or minutes"), "{message}");
        let message = refusal(&format!("{GOOD}[optimizer]\nlearning_rate = nan\n"));
        assert!(message.contains("optimizer.learning_rate"), "{message}");
    }
}
