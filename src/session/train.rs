//! Training, from a configuration to a model.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::Lock;
use super::{Backend, OnEngine, checkpoints, thread_pool};
use crate::engine::Engine;
use crate::files::require_folder;
use crate::ranks::{Alone, Ranks};
use crate::simulate::Stop;
use crate::train::config::Config;
use crate::train::dataset::Dataset;
use crate::train::report::Reporter;
use crate::train::trainer::Trainer;
use crate::train::{Files, checkpoint};
use crate::{Error, Result, files};

/// Where and how a training runs.
#[derive(Debug, Clone, Default)]
pub struct TrainOptions {
    /// What the names of the files written start with.
    pub prefix: PathBuf,
    /// Folder of the data, instead of the one that the configuration names.
    pub data: Option<PathBuf>,
    /// Where the network runs.
    pub backend: Backend,
    /// Threads, which change no bit of the result; none: those of the pool that the caller is in.
    pub threads: Option<usize>,
    /// Whether it starts over where a checkpoint is there.
    pub fresh: bool,
    /// Whether a model of the same name may be replaced.
    pub overwrite: bool,
}

/// Trains a model, or goes on with a training that was stopped. `PREFIX.safetensors` is the model,
/// `PREFIX.train.csv` has the losses, `PREFIX.ckpt` is what it goes on from.
///
/// # Errors
/// Those of the data, the engine, the training and of writing; [`Error::Output`] for a prefix that
/// is in use; [`Error::Input`] for a checkpoint of a run, which is replaced in no case;
/// [`Error::Interrupted`] where `stop` stopped it.
pub fn train(
    config: Config,
    options: &TrainOptions,
    reporter: &Reporter,
    stop: &Stop,
) -> Result<()> {
    train_among(config, options, reporter, stop, Arc::new(Alone))
}

/// As [`train`], shared with other processes, which have the same configuration, data and options:
/// each computes its part of every batch ([`Trainer::among`]), rank 0 writes.
///
/// # Errors
/// As [`train`]. After an error that is no interruption the others wait for this process in vain.
pub fn train_among(
    config: Config,
    options: &TrainOptions,
    reporter: &Reporter,
    stop: &Stop,
    ranks: Arc<dyn Ranks>,
) -> Result<()> {
    let files = Files::new(&options.prefix);
    let (_lock, resume) = if ranks.rank() == 0 {
        let (lock, resume) = take_over(&files, options)?;
        (Some(lock), resume)
    } else {
        (None, false)
    };
    // whether there is a checkpoint is for rank 0 to say
    let resume = ranks.sum(1, &[vec![f64::from(u8::from(resume))]])[0] > 0.0;
    let work = Training {
        data: config.data_folder(options.data.as_deref()),
        config,
        files: &files,
        resume,
        reporter,
        stop,
        ranks,
    };
    match options.threads {
        Some(threads) => thread_pool(threads)?.install(|| options.backend.run(work)),
        None => options.backend.run(work),
    }
}

/// Takes the files of a training for this process, and says whether it goes on from a checkpoint.
fn take_over(files: &Files, options: &TrainOptions) -> Result<(Lock, bool)> {
    require_folder(&options.prefix)?;
    let lock = Lock::take(&options.prefix)?;
    checkpoints::refuse_run(&options.prefix)?;
    let checkpoints = checkpoint::files(&files.checkpoint);
    let resume = !options.fresh && checkpoints.iter().any(|file| file.is_file());
    if !resume {
        files::refuse_existing([files.model.as_path()], options.overwrite)?;
        // or an interruption before the first new one would leave the old one to be continued
        checkpoints.iter().try_for_each(|file| remove(file))?;
    }
    let written = [&files.model, &files.table].into_iter().chain(&checkpoints);
    files::remove_parts(written.map(PathBuf::as_path));
    Ok((lock, resume))
}

pub(super) fn remove(file: &Path) -> Result<()> {
    if file.is_file() {
        std::fs::remove_file(file).map_err(|source| Error::writing(file, &source))
    } else {
        Ok(())
    }
}

struct Training<'a> {
    config: Config,
    data: PathBuf,
    files: &'a Files,
    resume: bool,
    reporter: &'a Reporter,
    stop: &'a Stop,
    ranks: Arc<dyn Ranks>,
}

impl OnEngine for Training<'_> {
    type Output = ();

    fn on<E: Engine + 'static>(self, engine: E, _device: Option<String>) -> Result<()> {
        let reporter = self.reporter;
        let dataset = Dataset::load(&self.config, &self.data)?;
        dataset.notes.iter().for_each(|note| reporter.say(note));
        introduce(&dataset, reporter);
        let mut trainer = Trainer::new(self.config, dataset, engine)?.among(self.ranks);
        reporter.say(&trainer.describe());
        if self.resume {
            if let Some(note) = trainer.resume(&self.files.checkpoint)? {
                reporter.say(&format!("warning: {note}"));
            }
            reporter.say(&format!(
                "continuing from {} at update {}",
                self.files.checkpoint.display(),
                trainer.updates()
            ));
        }
        trainer.run(self.files, reporter, self.stop)?;
        reporter.say(&format!(
            "wrote {} after {} updates, {:.1} min",
            self.files.model.display(),
            trainer.updates(),
            trainer.minutes()
        ));
        Ok(())
    }
}

/// Says what there is to train on.
fn introduce(dataset: &Dataset, reporter: &Reporter) {
    for system in &dataset.systems {
        let frames: usize = system.segments.iter().map(|segment| segment.len()).sum();
        reporter.say(&format!(
            "{}: {} heavy atoms, {frames} frames",
            system.name,
            system.tokens.len()
        ));
    }
    reporter.say(&format!(
        "{} pairs for training, {} for validation",
        dataset.training.len(),
        dataset.validation.len()
    ));
    if let Some((count, median)) = dataset.straying() {
        reporter.say(&format!(
            "{count} frames of rollouts to return from, {median:.2} Å (median) from the nearest \
             frame of the reference"
        ));
    }
}
