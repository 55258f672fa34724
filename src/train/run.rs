//! A training from its first update to the model file.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::report::{Reporter, Row, Table};
use super::trainer::Trainer;
use crate::engine::Engine;
use crate::network::Provenance;
use crate::simulate::Stop;
use crate::{Error, Result, files, task};

/// The files of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Files {
    /// The model.
    pub model: PathBuf,
    /// What an interrupted training continues from.
    pub checkpoint: PathBuf,
    /// The table of losses.
    pub table: PathBuf,
}

impl Files {
    /// PREFIX.safetensors, PREFIX.ckpt and PREFIX.train.csv.
    pub fn new(prefix: &Path) -> Self {
        let file = |suffix| files::with_suffix(prefix, suffix);
        Files {
            model: file(".safetensors"),
            checkpoint: file(".ckpt"),
            table: file(".train.csv"),
        }
    }
}

impl<E: Engine> Trainer<E> {
    /// Validates, closes the sums of the training loss, and keeps the best parameters.
    fn row(&mut self, learning_rate: f64) -> Result<Row> {
        self.take_back()?;
        let validation = self.validate()?;
        let update = self.updates();
        let minutes = self.minutes();
        let progress = &mut self.progress;
        let count = progress.since_row.max(1) as f64;
        let (training_loss, gradient_norm) = (progress.loss_sum / count, progress.norm_sum / count);
        (progress.loss_sum, progress.norm_sum, progress.since_row) = (0.0, 0.0, 0);
        progress.training_loss = Some(training_loss);
        progress.validation_loss = validation.as_ref().map(|validation| validation.loss);
        let measure = progress.validation_loss.unwrap_or(training_loss);
        if progress.best.is_none_or(|(best, _)| measure < best) {
            (progress.best, progress.since_best) = (Some((measure, update)), 0);
            self.best.clone_from(&self.average);
        } else {
            progress.since_best += 1;
        }
        let validation_loss = progress.validation_loss;
        let bands = validation.map_or(Vec::new(), |validation| validation.bands);
        Ok(Row {
            update,
            minutes,
            learning_rate,
            training_loss,
            gradient_norm,
            validation_loss,
            bands,
        })
    }

    /// Trains to the end of the budget, or until nothing has improved for `training.patience`
    /// validations, and writes the model.
    ///
    /// # Errors
    /// [`Error::Interrupted`] once `stop` asks for it, with the checkpoint written; those of
    /// [`Trainer::update`] and of writing.
    pub fn run(&mut self, files: &Files, reporter: &Reporter, stop: &Stop) -> Result<()> {
        let mut table = Table::resume(&files.table, self.bands(), self.updates())?;
        let began = Instant::now();
        let before = self.updates();
        let mut saved = Instant::now();
        let mut learning_rate = 0.0;
        loop {
            let asked = self.agree(stop);
            if self.spent() >= 1.0 || self.stopped_early() {
                break;
            }
            if asked {
                reporter.finish();
                self.keep(files)?;
                return Err(Error::Interrupted {
                    step: self.updates(),
                    checkpoint: files.checkpoint.clone(),
                });
            }
            let update = self.update()?;
            let speed =
                (self.updates() - before) as f64 / (began.elapsed().as_secs_f64() / 60.0).max(1e-9);
            reporter.tick(
                self.updates(),
                self.minutes(),
                self.spent(),
                speed,
                self.progress.loss_sum / self.progress.since_row as f64,
            );
            learning_rate = update.learning_rate;
            let every = self.config.training.validate_every;
            if self.updates().is_multiple_of(every) || self.spent() >= 1.0 {
                self.look(learning_rate, &mut table, reporter)?;
            }
            if saved.elapsed().as_secs_f64() >= 60.0 * self.config.training.checkpoint_minutes {
                self.keep(files)?;
                saved = Instant::now();
            }
        }
        // the clock may have run out between an update and the next
        if self.progress.since_row > 0 {
            self.look(learning_rate, &mut table, reporter)?;
        }
        reporter.finish();
        self.keep(files)?;
        if self.writes() {
            self.save(&files.model)?;
        }
        Ok(())
    }

    /// A row of the table.
    fn look(&mut self, learning_rate: f64, table: &mut Table, reporter: &Reporter) -> Result<()> {
        let row = self.row(learning_rate)?;
        if self.writes() {
            table.add(&row)?;
        }
        reporter.row(&row);
        Ok(())
    }

    /// Writes the checkpoint, where this is the process that writes.
    fn keep(&mut self, files: &Files) -> Result<()> {
        self.take_back()?;
        if self.writes() {
            self.checkpoint().write(&files.checkpoint)?;
        }
        Ok(())
    }

    /// Writes the model: the averaged parameters, or with early stopping those of the lowest
    /// validation loss.
    ///
    /// # Errors
    /// [`Error::Output`] naming `path`.
    pub fn save(&mut self, path: &Path) -> Result<()> {
        let best = self.config.training.patience > 0 && self.progress.best.is_some();
        self.network
            .set_parameters(if best { &self.best } else { &self.average })?;
        let written_of = if best {
            self.progress.best
        } else {
            self.progress
                .validation_loss
                .map(|loss| (loss, self.updates()))
        };
        let (validation_loss, update) = written_of
            .map_or((None, self.updates()), |(loss, update)| {
                (Some(loss), update)
            });
        let trained = self.dataset.training.systems();
        let systems: Vec<String> = trained
            .iter()
            .map(|&system| self.dataset.systems[system].name.clone())
            .collect();
        let sequences = trained.iter().map(|&system| {
            let system = &self.dataset.systems[system];
            (system.name.clone(), system.sequence.clone())
        });
        let sequences = sequences.collect();
        let started_from = self
            .config
            .initial
            .as_ref()
            .map(|initial| initial.file.clone());
        let from = started_from.as_ref().map_or(String::new(), |file| {
            format!(", starting from {}", file.name)
        });
        let provenance = Provenance {
            summary: format!(
                "{} pairs of frames of {}{from}",
                self.dataset.training.len(),
                listed(&systems)
            ),
            systems,
            temperature: self.config.data.temperature,
            updates: update,
            samples: update * self.config.training.batch as u64,
            validation_loss,
            seed: self.config.training.seed,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            configuration: self.config.text.clone(),
            data: self.dataset.files.clone(),
            started_from,
            sequences,
            usual: self.config.task.usual(),
            ..Provenance::default()
        };
        let architecture = &self.config.architecture;
        let written = task::save(path, &self.network, architecture, &self.task, &provenance);
        self.network.set_parameters(&self.state.values)?;
        written
    }
}

/// The first few names, and how many more there are.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 4;
    match names.len().saturating_sub(SHOWN) {
        0 | 1 => names.join(", "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}
