//! A model in training: updates and validations.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use nalgebra::Vector3;
use rayon::prelude::*;

use super::batches::{losses, micro_batches};
use super::checkpoint::{Checkpoint, Progress};
use super::config::{Budget, Config};
use super::course::course;
use super::dataset::Dataset;
use super::objective::{Which, draw, objective};
use super::optimizer::{State, average_in, clip};
use super::random::Purpose;
use crate::engine::{Engine, Learner};
use crate::network::{Inputs, Network, Tokens};
use crate::ranks::{Alone, Ranks};
use crate::task::jump::{BANDS, band};
use crate::task::{Objective, Sample, Task};
use crate::{Error, Result};

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// Mean loss of its samples.
    pub loss: f64,
    /// Norm of the gradient before clipping.
    pub norm: f64,
    /// Learning rate.
    pub learning_rate: f64,
}

/// Losses of the averaged parameters on the validation set.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Mean over the samples.
    pub loss: f64,
    /// Mean over the samples of each band of noise levels ([`BANDS`]); empty for
    /// objectives without noise.
    pub bands: Vec<Option<f64>>,
}

/// A model in training.
///
/// Every update's samples are drawn anew from (seed, update); they are cut into micro-batches by
/// their sizes alone, and the gradients of these are added in order. So neither the number of
/// threads nor an interruption changes a bit of the parameters.
pub struct Trainer<E: Engine> {
    pub(super) config: Config,
    pub(super) dataset: Dataset,
    pub(super) objective: Box<dyn Objective>,
    pub(super) task: Task,
    pub(super) network: Network<E>,
    pub(super) decays: Vec<bool>,
    pub(super) state: State,
    pub(super) average: Vec<f64>,
    pub(super) best: Vec<f64>,
    pub(super) progress: Progress,
    pub(super) held_out: Vec<Sample>,
    /// The samples of the next update, drawn while the last one was computed.
    pub(super) drawn: Option<(u64, Vec<Sample>)>,
    /// The engine's own optimiser, whose state is then the latest; none: `state` is.
    pub(super) learner: Option<Box<dyn Learner<E::Buffer>>>,
    /// When this run began, and the minutes spent before it.
    pub(super) clock: (Instant, f64),
    /// The processes that share it.
    pub(super) ranks: Arc<dyn Ranks>,
    /// Minutes by the clock that they have agreed on.
    pub(super) agreed: Option<f64>,
}

/// The samples of the validation loss; none where no data are held out.
fn held_out(config: &Config, dataset: &Dataset, objective: &dyn Objective) -> Vec<Sample> {
    let count = if dataset.validation.is_empty() {
        0
    } else {
        config.training.validation_samples
    };
    let sample = |number| {
        let which = Which {
            seed: config.training.seed,
            purpose: Purpose::Validation,
            update: 0,
            number,
        };
        draw(objective, dataset, &dataset.validation, which)
    };
    (0..count as u64).into_par_iter().map(sample).collect()
}

impl<E: Engine> Trainer<E> {
    /// A model at its initial parameters.
    ///
    /// # Errors
    /// [`Error::Usage`] where the network's sizes cannot be, [`Error::Device`] where the engine
    /// fails.
    pub fn new(config: Config, dataset: Dataset, engine: E) -> Result<Self> {
        let objective = objective(&config, &dataset);
        let task = objective.task();
        let program = task.program(&config.architecture)?;
        let network = match &config.initial {
            Some(initial) => {
                let values = initial.weights_for(&config.architecture, &task);
                Network::with_parameters(program, engine, &values)?
            }
            None => Network::initial(program, engine, config.training.seed)?,
        };
        let values = network.parameters()?;
        let params = network.program().params.iter();
        let shapes = params.map(|(_, shape)| shape.size);
        let decays = shapes
            .flat_map(|[rows, columns]| vec![rows > 1; rows * columns])
            .collect();
        let held_out = held_out(&config, &dataset, &*objective);
        let progress = Progress {
            course: course(&config, &dataset)?,
            ..Progress::default()
        };
        let (average, best) = (values.clone(), values.clone());
        let state = State::new(values);
        let clock = (Instant::now(), 0.0);
        let mut trainer = Trainer {
            config,
            dataset,
            objective,
            task,
            network,
            decays,
            state,
            average,
            best,
            progress,
            held_out,
            drawn: None,
            learner: None,
            clock,
            ranks: Arc::new(Alone),
            agreed: None,
        };
        trainer.hand_over()?;
        Ok(trainer)
    }

    /// Continues from a checkpoint of the same training.
    ///
    /// # Errors
    /// [`Error::Input`] where neither it nor the one before it can be read, or it belongs to
    /// another configuration or other data. A note says where it was the one before.
    pub fn resume(&mut self, path: &Path) -> Result<Option<String>> {
        let (checkpoint, note) = Checkpoint::load(path)?;
        if checkpoint.progress.course != self.progress.course
            || checkpoint.state.values.len() != self.state.values.len()
        {
            let what = "belongs to a training with another configuration or other data";
            let hint = "--fresh to start over, or another -o PREFIX";
            return Err(Error::input(crate::error::Place::file(path), what, hint));
        }
        Checkpoint {
            progress: self.progress,
            state: self.state,
            average: self.average,
            best: self.best,
        } = checkpoint;
        self.clock = (Instant::now(), self.progress.minutes);
        self.network.set_parameters(&self.state.values)?;
        self.hand_over()?;
        Ok(note)
    }

    /// One line: the network and the scale of its answer.
    pub fn describe(&self) -> String {
        format!(
            "{}, {} parameters on {}; {}",
            self.config.architecture.name(),
            self.network.parameter_count(),
            self.network.engine().name(),
            self.objective.describe()
        )
    }

    /// What an interrupted training continues from.
    pub fn checkpoint(&self) -> Checkpoint {
        let progress = Progress {
            minutes: self.minutes(),
            ..self.progress.clone()
        };
        Checkpoint {
            progress,
            state: self.state.clone(),
            average: self.average.clone(),
            best: self.best.clone(),
        }
    }

    /// Updates made.
    pub fn updates(&self) -> u64 {
        self.state.updates
    }
    /// Minutes of training, interruptions left out.
    pub fn minutes(&self) -> f64 {
        self.clock.1 + self.clock.0.elapsed().as_secs_f64() / 60.0
    }
    /// Parameters of the network.
    pub fn parameters(&self) -> &[f64] {
        &self.state.values
    }
    /// How long it goes on.
    pub fn budget(&self) -> Budget {
        self.config.training.budget()
    }
    /// Share of the budget that is used up.
    pub fn spent(&self) -> f64 {
        match self.budget() {
            Budget::Updates(updates) => self.updates() as f64 / updates.max(1) as f64,
            Budget::Minutes(minutes) => self.agreed.unwrap_or_else(|| self.minutes()) / minutes,
        }
    }
    pub(super) fn stopped_early(&self) -> bool {
        self.config.training.patience > 0
            && self.progress.since_best >= self.config.training.patience
    }

    /// One update of the parameters.
    ///
    /// # Errors
    /// [`Error::Guard`] where the training has diverged, [`Error::Device`] where the engine fails.
    pub fn update(&mut self) -> Result<Update> {
        let update = self.updates();
        let settings = &self.config.optimizer;
        let learning_rate = settings.schedule().learning_rate(update, self.spent());
        let samples = match self.drawn.take() {
            Some((of, samples)) if of == update => samples,
            _ => self.draw(update),
        };
        let (loss, norm) = if self.learner.is_some() {
            self.learn(&samples, learning_rate)?
        } else {
            self.learn_on_host(&samples, learning_rate)?
        };
        self.progress.loss_sum += loss;
        self.progress.norm_sum += norm;
        self.progress.since_row += 1;
        Ok(Update {
            loss,
            norm,
            learning_rate,
        })
    }

    /// One update by the optimiser here: mean loss of the samples, norm of the gradient.
    fn learn_on_host(&mut self, samples: &[Sample], learning_rate: f64) -> Result<(f64, f64)> {
        let update = self.updates();
        let settings = &self.config.optimizer;
        // the next ones are drawn by threads that have nothing else to do, or by the host while the
        // device works
        let (computed, next) = rayon::join(|| self.parts(samples), || self.draw(update + 1));
        self.drawn = Some((update + 1, next));
        let mut gradient = self.ranks.sum(self.state.values.len() + 1, &computed?);
        let loss = gradient.pop().unwrap_or_default() / samples.len() as f64;
        let norm = clip(&mut gradient, settings.clip, update)?;
        settings
            .adamw()
            .update(&mut self.state, &gradient, &self.decays, learning_rate);
        average_in(
            &mut self.average,
            &self.state.values,
            settings.average,
            update,
        );
        self.network.set_parameters(&self.state.values)?;
        Ok((loss, norm))
    }

    /// The samples of an update, by its number and the seed alone.
    pub(super) fn draw(&self, update: u64) -> Vec<Sample> {
        let which = |number| Which {
            seed: self.config.training.seed,
            purpose: Purpose::Training,
            update,
            number,
        };
        let pairs = &self.dataset.training;
        let numbers = (0..self.config.training.batch as u64).into_par_iter();
        numbers
            .map(|number| draw(&*self.objective, &self.dataset, pairs, which(number)))
            .collect()
    }

    /// One call of the network for these samples.
    pub(super) fn inputs(&self, samples: &[Sample]) -> Inputs {
        let tokens = |sample: &Sample| &self.dataset.systems[sample.system].tokens;
        let all: Vec<(&Tokens, &Sample)> = samples
            .iter()
            .map(|sample| (tokens(sample), sample))
            .collect();
        self.task.inputs(self.network.program().neighbours, &all)
    }

    /// Of each micro-batch that falls to this process: its part of the gradient of the mean loss
    /// of all samples, and behind that the sum of its losses.
    fn parts(&self, samples: &[Sample]) -> Result<Vec<Vec<f64>>> {
        let all = micro_batches(samples, self.micro_batch_tokens(samples));
        let own = self.ranks.share(all.len());
        let part = |range: &Range<usize>| {
            let own = &samples[range.clone()];
            let inputs = self.inputs(own);
            let evaluation = self.task.forward(&self.network, &inputs)?;
            let (losses, d_answer) = losses(own, &evaluation.answer);
            let d_answer: Vec<Vector3<f64>> = d_answer
                .into_iter()
                .map(|d| d / samples.len() as f64)
                .collect();
            let gradients = self
                .task
                .backward(&self.network, &inputs, &evaluation, &d_answer)?;
            let mut part = gradients.params;
            part.push(losses.iter().sum());
            Ok(part)
        };
        all[own].par_iter().map(part).collect()
    }

    /// Losses of the averaged parameters on the validation set, whose samples and noise are always
    /// the same; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    pub fn validate(&mut self) -> Result<Option<Validation>> {
        if self.held_out.is_empty() {
            return Ok(None);
        }
        self.take_back()?;
        self.network.set_parameters(&self.average)?;
        let samples = &self.held_out;
        let batches = micro_batches(samples, self.micro_batch_tokens(samples));
        let own = &batches[self.ranks.share(batches.len())];
        let parts: Vec<Vec<f64>> = own
            .par_iter()
            .map(|range| {
                let own = &samples[range.clone()];
                let answer = self.task.predict(&self.network, &self.inputs(own))?;
                Ok(losses(own, &answer).0)
            })
            .collect::<Result<_>>()?;
        // each process knows its own losses, and has zeros for those of the others
        let mut known = vec![0.0; samples.len()];
        let places = own.iter().cloned().flatten();
        places
            .zip(parts.concat())
            .for_each(|(at, loss)| known[at] = loss);
        let all = self.ranks.sum(known.len(), &[known]);
        let mean = |of: &[f64]| (!of.is_empty()).then(|| of.iter().sum::<f64>() / of.len() as f64);
        let in_band = |wanted: usize| {
            let losses = all
                .iter()
                .zip(samples)
                .filter(|(_, sample)| {
                    let given = sample.denoising.as_ref();
                    given.is_some_and(|given| band(given.sigma) == wanted)
                })
                .map(|(&loss, _)| loss);
            mean(&losses.collect::<Vec<f64>>())
        };
        let bands = (0..self.bands()).map(in_band).collect();
        self.network.set_parameters(&self.state.values)?;
        Ok(mean(&all).map(|loss| Validation { loss, bands }))
    }

    /// Number of bands of noise levels that the validation loss is reported in.
    pub(super) fn bands(&self) -> usize {
        let noisy = self
            .held_out
            .iter()
            .any(|sample| sample.denoising.is_some());
        if noisy { BANDS.len() - 1 } else { 0 }
    }
}
