//! The training's configuration file (TOML): every key, its default and what is allowed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::optimizer::AdamW;
use super::schedule::Schedule;
use crate::error::Place;
use crate::units::{self, Dimension};
use crate::{Error, Result, model};

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
    /// Sizes of the network; missing keys take the working model's. The regime is not among them: the objective says it.
    #[serde(default)]
    pub model: model::Config,
    /// AdamW and its learning rate.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Length, batches, validation, checkpoints.
    #[serde(default)]
    pub training: Training,
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
    /// Structure file: PDB or mmCIF.
    pub topology: PathBuf,
    /// Trajectory files; no pair of frames spans two of them.
    pub trajectories: Vec<PathBuf>,
    /// Time between frames, ps, for files that do not hold it (NetCDF, multi-model PDB).
    #[serde(default, deserialize_with = "optional_time")]
    pub time_step: Option<f64>,
}

impl SystemFiles {
    /// The given name, or the stem of the topology.
    pub fn name(&self) -> String {
        let stem = || Some(self.topology.file_name()?.to_str()?.split('.').next()?.to_owned());
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
        Split { validation_share: 0.1, validation_systems: Vec::new() }
    }
}

/// Objective `jump`: x(t + lag) is sampled given x(t) (EDM, Karras et al. 2022).
#[derive(Debug, Clone, Copy, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// Lag time, ps.
    #[serde(deserialize_with = "time")]
    pub lag: f64,
    /// Share of the pairs that are used time-reversed (equilibrium obeys detailed balance).
    #[serde(default = "half")]
    pub reversed: f64,
    /// Largest noise on the condition, Å.
    #[serde(default = "condition_noise", deserialize_with = "length")]
    pub condition_noise: f64,
    /// Mean of ln(σ/Å).
    #[serde(default = "log_sigma_mean")]
    pub log_sigma_mean: f64,
    /// Standard deviation of ln σ.
    #[serde(default = "log_sigma_std")]
    pub log_sigma_std: f64,
}

/// Objective `displacement`: x(t + lag) − x(t), mean squared error.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Displacement {
    /// Lag time, ps.
    #[serde(deserialize_with = "time")]
    pub lag: f64,
}

/// Objective `force`: forces of the built-in force field at the frames, mean squared error.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Force {}

/// AdamW, clipping, average and learning rate.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Optimizer {
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Updates over which it grows.
    pub warmup: u64,
    /// Share of the budget before it falls.
    pub flat: f64,
    /// Its end, as a share of the highest.
    pub end: f64,
    /// AdamW's β1.
    pub beta1: f64,
    /// AdamW's β2.
    pub beta2: f64,
    /// AdamW's ε.
    pub epsilon: f64,
    /// Decay of weight matrices.
    pub weight_decay: f64,
    /// Largest norm of a gradient.
    pub clip: f64,
    /// Memory of the average of the parameters.
    pub average: f64,
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer {
            learning_rate: 1e-3,
            warmup: 100,
            flat: 0.3,
            end: 0.01,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip: 1.0,
            average: 0.9985,
        }
    }
}

impl Optimizer {
    /// The optimiser.
    pub fn adamw(&self) -> AdamW {
        AdamW { beta1: self.beta1, beta2: self.beta2, epsilon: self.epsilon, weight_decay: self.weight_decay }
    }
    /// The learning rate's course.
    pub fn schedule(&self) -> Schedule {
        Schedule { peak: self.learning_rate, warmup: self.warmup, flat: self.flat, end: self.end }
    }
}

/// How long a training goes on, by updates or by the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// This many updates: the same bits every time.
    Updates(u64),
    /// This many minutes of training, interruptions not counted: the learning rate follows the clock.
    Minutes(f64),
}

/// Length, batches, validation, checkpoints.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Seed of the initial parameters and of every draw.
    pub seed: u64,
    /// Updates to make.
    pub updates: Option<u64>,
    /// Minutes to spend, instead of `updates`.
    pub minutes: Option<f64>,
    /// Samples an update.
    pub batch: usize,
    /// Samples are worked on together up to this many tokens: small enough for the cache, whatever the number of threads.
    pub micro_batch_tokens: usize,
    /// Samples of the validation set, the same at every validation.
    pub validation_samples: usize,
    /// Updates between validations, each a row of the table.
    pub validate_every: u64,
    /// Validations without improvement after which the training stops, 0 for never. The model is then the best one.
    pub patience: u64,
    /// Minutes between checkpoints.
    pub checkpoint_minutes: f64,
}

impl Default for Training {
    fn default() -> Self {
        Training {
            seed: 1,
            updates: None,
            minutes: None,
            batch: 16,
            micro_batch_tokens: 128,
            validation_samples: 512,
            validate_every: 500,
            patience: 0,
            checkpoint_minutes: 2.0,
        }
    }
}

impl Training {
    /// The budget; one of the two keys is there once the configuration has been checked.
    pub fn budget(&self) -> Budget {
        match (self.updates, self.minutes) {
            (_, Some(minutes)) => Budget::Minutes(minutes),
            (updates, None) => Budget::Updates(updates.unwrap_or_default()),
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
            let line = error.span().map(|span| text[..span.start].lines().count().max(1) + usize::from(text[..span.start].ends_with('\n')));
            let place = line.map_or(Place::file(path), |line| Place::line(path, line));
            Error::input(place, error.message().trim(), "configs/every_key.toml names every key with its default")
        })?;
        config.text = text;
        config.path = path.to_owned();
        config.check()?;
        Ok(config)
    }

    /// Refuses values that make no sense; to be called again after a change.
    ///
    /// # Errors
    /// [`Error::Input`] naming the key and what is allowed.
    pub fn check(&self) -> Result<()> {
        let refuse = |key: &str, allowed: &str| Err(Error::input(Place::file(&self.path), format!("{key}: {allowed}"), "correct that key"));
        let objectives = [self.jump.is_some(), self.displacement.is_some(), self.force.is_some()];
        if objectives.iter().filter(|&&present| present).count() != 1 {
            return refuse("objective", "exactly one of the tables [jump], [displacement] and [force] must be there");
        }
        if self.model.regime != model::Config::default().regime {
            return refuse("model.regime", "the objective decides it: leave it out");
        }
        // whatever the regime's scales will be: they are measured
        let network = model::Config { regime: model::Regime::Force { scale: 1.0 }, ..self.model.clone() };
        network.check().map_err(|error| Error::input(Place::file(&self.path), error.to_string(), error.hint()))?;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let (o, t) = (&self.optimizer, &self.training);
        let jump = self.jump.unwrap_or(Jump { lag: 1.0, reversed: half(), condition_noise: 0.0, log_sigma_mean: 0.0, log_sigma_std: 1.0 });
        let displacement = self.displacement.unwrap_or(Displacement { lag: 1.0 });
        let rules = [
            ("data.systems", !self.data.systems.is_empty(), "at least one system is needed"),
            (
                "data.systems.trajectories",
                self.data.systems.iter().all(|s| !s.trajectories.is_empty()),
                "every system needs at least one file",
            ),
            ("data.systems.time_step", self.data.systems.iter().all(|s| s.time_step.is_none_or(positive)), "must be above 0"),
            ("split.validation_share", (0.0..1.0).contains(&self.split.validation_share), "must be at least 0 and below 1"),
            ("jump.lag", positive(jump.lag), "must be above 0"),
            ("jump.reversed", share(jump.reversed), "must be a share, 0 … 1"),
            ("jump.log_sigma_mean", jump.log_sigma_mean.is_finite(), "must be a number"),
            ("jump.log_sigma_std", positive(jump.log_sigma_std), "must be above 0"),
            ("displacement.lag", positive(displacement.lag), "must be above 0"),
            ("optimizer.learning_rate", positive(o.learning_rate), "must be above 0"),
            ("optimizer.flat", share(o.flat), "must be a share, 0 … 1"),
            ("optimizer.end", share(o.end), "must be a share, 0 … 1"),
            ("optimizer.beta1", (0.0..1.0).contains(&o.beta1), "must be at least 0 and below 1"),
            ("optimizer.beta2", (0.0..1.0).contains(&o.beta2), "must be at least 0 and below 1"),
            ("optimizer.epsilon", positive(o.epsilon), "must be above 0"),
            ("optimizer.weight_decay", o.weight_decay.is_finite() && o.weight_decay >= 0.0, "must be 0 or above"),
            ("optimizer.clip", positive(o.clip), "must be above 0"),
            ("optimizer.average", (0.0..1.0).contains(&o.average), "must be at least 0 and below 1"),
            ("training.updates", t.updates.is_some() != t.minutes.is_some(), "give either updates or minutes"),
            ("training.minutes", t.minutes.is_none_or(positive), "must be above 0"),
            ("training.batch", t.batch > 0, "must be at least 1"),
            ("training.micro_batch_tokens", t.micro_batch_tokens > 0, "must be at least 1"),
            ("training.validate_every", t.validate_every > 0, "must be at least 1"),
            ("training.checkpoint_minutes", t.checkpoint_minutes >= 0.0, "must be 0 or above"),
        ];
        match rules.iter().find(|(_, holds, _)| !holds) {
            Some((key, _, allowed)) => refuse(key, allowed),
            None => Ok(()),
        }
    }

    /// Time between the two frames of a pair, ps; 0 for forces.
    pub fn lag(&self) -> f64 {
        self.jump.map(|jump| jump.lag).or(self.displacement.map(|displacement| displacement.lag)).unwrap_or(0.0)
    }

    /// The folder of the data: `replacement`, or `data.folder` beside the configuration file.
    pub fn data_folder(&self, replacement: Option<&Path>) -> PathBuf {
        let beside = || self.path.parent().unwrap_or(Path::new("")).join(&self.data.folder);
        replacement.map_or_else(beside, Path::to_owned)
    }
}

fn half() -> f64 {
    0.5
}
fn condition_noise() -> f64 {
    0.1
}
fn log_sigma_mean() -> f64 {
    -1.6
}
fn log_sigma_std() -> f64 {
    1.5
}

fn quantity<'de, D: Deserializer<'de>>(from: D, dimension: Dimension) -> Result<f64, D::Error> {
    let text = String::deserialize(from)?;
    units::parse(&text, dimension).map_err(|error| serde::de::Error::custom(format!("{error}; {}", error.hint())))
}
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    quantity(from, Dimension::Time)
}
fn optional_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    time(from).map(Some)
}
fn optional_temperature<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    quantity(from, Dimension::Temperature).map(Some)
}
fn length<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    quantity(from, Dimension::Length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "[data]\nsystems = [{ topology = \"a.pdb\", trajectories = [\"a.xtc\"] }]\n[jump]\nlag = \"20ps\"\n[training]\nupdates = 10\n";

    fn config_with(objective: &str) -> Config {
        Config::parse(GOOD.replace("[jump]\nlag = \"20ps\"", objective), Path::new("dir/train.toml")).unwrap()
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
        assert_eq!((jump.lag, jump.reversed, jump.condition_noise, jump.log_sigma_mean, jump.log_sigma_std), (20.0, 0.5, 0.1, -1.6, 1.5));
        assert_eq!((config.optimizer.beta2, config.training.batch, config.training.budget()), (0.99, 16, Budget::Updates(10)));
        assert_eq!(config.data.systems[0].name(), "a");
        assert_eq!(config.data_folder(None), Path::new("dir"));
        assert_eq!(config.data_folder(Some(Path::new("elsewhere"))), Path::new("elsewhere"));
    }

    #[test]
    fn the_shipped_configurations_are_sound_and_name_the_defaults() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        let read = |name| Config::read(&folder.join(name)).unwrap();
        assert!(read("akle.toml").lag() > 0.0 && read("trpcage.toml").lag() > 0.0);
        let every = read("every_key.toml");
        let training = Training { updates: every.training.updates, ..Training::default() };
        let split = Split::default();
        assert_eq!(every.training, training);
        assert_eq!((every.optimizer, every.split, every.model), (Optimizer::default(), split, model::Config::default()));
        assert_eq!(every.jump, config_with("[jump]\nlag = \"20ps\"").jump);
    }

    #[test]
    fn what_is_wrong_is_refused_with_file_line_key_and_what_is_allowed() {
        let message = refusal(&format!("{GOOD}btach = 16\n"));
        assert!(message.starts_with("dir/train.toml:7: ") && message.contains("btach") && message.contains("`batch`"), "{message}");
        let message = refusal(&GOOD.replace("20ps", "20"));
        assert!(message.starts_with("dir/train.toml:4: ") && message.contains("no unit") && message.contains("100ps"), "{message}");
        let message = refusal(&format!("{GOOD}batch = 0\n"));
        assert!(message.contains("training.batch") && message.contains("at least 1"), "{message}");
        let message = refusal(&format!("{GOOD}batch = \"many\"\n"));
        assert!(message.starts_with("dir/train.toml:7: "), "{message}");
        let message = refusal(&format!("{GOOD}[model]\npair = 9\n"));
        assert!(message.contains("dir/train.toml") && message.contains("`pair`"), "{message}");
        let message = refusal(&format!("{GOOD}[force]\n"));
        assert!(message.contains("[displacement]"), "{message}");
        let message = refusal(&format!("{GOOD}minutes = 3.0\n"));
        assert!(message.contains("either updates or minutes"), "{message}");
        let message = refusal(&format!("{GOOD}[optimizer]\nlearning_rate = nan\n"));
        assert!(message.contains("optimizer.learning_rate"), "{message}");
    }
}
