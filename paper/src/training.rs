//! A network in training for one of the published problems, resumable: the same trainer for all.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use mdsurrogate::engine::Cpu;
use mdsurrogate::error::Place;
use mdsurrogate::network::{Architecture, Inputs, Interface, Network, Vocabulary};
use mdsurrogate::train::optimizer::{AdamW, State, average_in, clip};
use mdsurrogate::train::schedule::Schedule;
use mdsurrogate::{Error, Result, files};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::models::Model;

/// Tokens of a call of the network.
const MICRO_BATCH: usize = 512;

/// Samples that nothing is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldOut {
    /// Those that the best weights are chosen by.
    Validation = 0,
    /// Those that the reported error is of.
    Test = 1,
}

/// Sum of squared errors of a column of the answers, and of how many numbers.
pub type Squares = [f64; 2];

/// Errors of the answers to some samples.
pub struct Judged {
    /// Of every sample, of every column that is asked for.
    pub squares: Vec<Vec<Squares>>,
    /// Gradient, by the numbers of the network's answer, of the sum over the samples of the mean
    /// squared error of each.
    pub gradient: Vec<f64>,
}

/// The mean over all numbers of a sample.
fn loss(squares: &[Squares]) -> f64 {
    let sum = |of: usize| squares.iter().map(|column| column[of]).sum::<f64>();
    sum(0) / sum(1).max(1.0)
}

/// The mean squared error of every column over samples; of a column without any number, none.
fn columns(samples: &[Vec<Squares>]) -> Vec<f64> {
    let count = samples.first().map_or(0, Vec::len);
    let sum = |column: usize, of: usize| samples.iter().map(|s| s[column][of]).sum::<f64>();
    (0..count).map(|c| sum(c, 0) / sum(c, 1)).collect()
}

/// Makes zeros of what stays zero.
fn put_out(values: &mut [f64], frozen: &[bool]) {
    let own = values.iter_mut().zip(frozen).filter(|(_, frozen)| **frozen);
    own.for_each(|(value, _)| *value = 0.0);
}

/// What a network is trained for.
pub trait Problem: Clone + PartialEq + Serialize + DeserializeOwned + Sync {
    /// What its files of checkpoints begin with.
    const NAME: &'static str;
    /// What samples are drawn from.
    type Data: Sync;
    /// A sample.
    type Sample: Send + Sync;

    /// Refuses sizes that cannot be.
    ///
    /// # Errors
    /// [`Error::Usage`] naming what is allowed.
    fn check(&self) -> Result<()>;
    /// In a few words.
    fn describe(&self) -> String;
    /// What decides how long an update takes, in a few words.
    fn kind(&self) -> String {
        self.describe()
    }
    /// What is handed to a network and wanted of it.
    fn interface(&self) -> Interface;
    /// What tokens are told apart by.
    fn vocabulary(&self) -> &'static Vocabulary;
    /// Tokens of a sample, about.
    fn tokens(&self, data: &Self::Data) -> usize;
    /// Samples of an epoch.
    fn epoch(&self, data: &Self::Data) -> u64;
    /// Sample `number` of an update.
    fn sample(&self, data: &Self::Data, seed: u64, update: u64, number: u64) -> Self::Sample;
    /// All that are held out.
    fn held_out(&self, data: &Self::Data, seed: u64, set: HeldOut) -> Vec<Self::Sample>;
    /// One call of a network.
    fn inputs(&self, data: &Self::Data, neighbours: usize, samples: &[Self::Sample]) -> Inputs;
    /// How far off a network's answer is.
    fn judge(
        &self,
        data: &Self::Data,
        inputs: &Inputs,
        samples: &[Self::Sample],
        answer: &[f64],
    ) -> Judged;
}

/// Everything that decides the course of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course<P> {
    /// The problem.
    pub task: P,
    /// What is trained.
    pub model: Model,
    /// Its sizes.
    pub architecture: Architecture,
    /// Samples of an update.
    pub batch: u64,
    /// Updates.
    pub updates: u64,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Weights and samples.
    pub seed: u64,
}

/// A training as far as it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Checkpoint<P> {
    course: Course<P>,
    updates: u64,
    values: Vec<f64>,
    mean: Vec<f64>,
    square: Vec<f64>,
    average: Vec<f64>,
    best: Vec<f64>,
    record: Record,
    losses: (f64, u64),
}

/// How a training went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Seconds by the clock, interruptions left out.
    pub seconds: f64,
    /// Update, mean training loss since the row before, validation error.
    pub curve: Vec<(u64, f64, f64)>,
    /// Lowest validation error.
    pub validation: Option<f64>,
}

/// A network in training.
pub struct Training<'a, P: Problem> {
    course: Course<P>,
    data: &'a P::Data,
    network: Network<Cpu<f32>>,
    state: State,
    average: Vec<f64>,
    best: Vec<f64>,
    decays: Vec<bool>,
    /// What stays zero.
    frozen: Vec<bool>,
    held_out: [Vec<P::Sample>; 2],
    record: Record,
    /// Sum and number of the training losses since the last row of the curve.
    losses: (f64, u64),
}

impl<'a, P: Problem> Training<'a, P> {
    /// A network at its initial weights.
    ///
    /// # Errors
    /// [`Error::Usage`] where sizes cannot be.
    pub fn new(course: Course<P>, data: &'a P::Data) -> Result<Self> {
        let task = &course.task;
        task.check()?;
        let interface = task.interface();
        course.architecture.check(&interface)?;
        let program = course.architecture.build(&interface, task.vocabulary());
        let decays = program.params.iter().flat_map(|(_, shape)| {
            let [rows, columns] = shape.size;
            std::iter::repeat_n(rows > 1, rows * columns)
        });
        let decays = decays.collect();
        let frozen = course.model.frozen(&program);
        let mut network = Network::initial(program, Cpu::<f32>::new(), course.seed)?;
        let mut values = network.parameters()?;
        put_out(&mut values, &frozen);
        network.set_parameters(&values)?;
        let held_out =
            [HeldOut::Validation, HeldOut::Test].map(|set| task.held_out(data, course.seed, set));
        Ok(Training {
            average: values.clone(),
            best: values.clone(),
            state: State::new(values),
            course,
            data,
            network,
            decays,
            frozen,
            held_out,
            record: Record::default(),
            losses: (0.0, 0),
        })
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.state.values.len()
    }

    /// Updates made.
    pub fn updates(&self) -> u64 {
        self.state.updates
    }

    /// How it went so far.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// One update of the weights.
    ///
    /// # Errors
    /// [`Error::Guard`] where the training diverges.
    pub fn update(&mut self) -> Result<()> {
        let begin = Instant::now();
        let update = self.state.updates;
        let (task, seed) = (&self.course.task, self.course.seed);
        let samples: Vec<P::Sample> = (0..self.course.batch)
            .into_par_iter()
            .map(|number| task.sample(self.data, seed, update, number))
            .collect();
        let (loss, mut gradient) = self.gradient(&samples)?;
        put_out(&mut gradient, &self.frozen);
        clip(&mut gradient, 1.0, update)?;
        let schedule = Schedule {
            peak: self.course.learning_rate,
            warmup: 50,
            flat: 0.0,
            end: 0.0,
        };
        let spent = update as f64 / self.course.updates as f64;
        let adam = AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 1e-5,
        };
        let rate = schedule.learning_rate(update, spent);
        adam.update(&mut self.state, &gradient, &self.decays, rate);
        average_in(&mut self.average, &self.state.values, 0.99, update);
        self.network.set_parameters(&self.state.values)?;
        self.losses.0 += loss;
        self.losses.1 += 1;
        self.record.seconds += begin.elapsed().as_secs_f64();
        Ok(())
    }

    /// Mean loss of samples and its gradient; added up in the order of the samples, whatever the
    /// number of threads.
    fn gradient(&self, samples: &[P::Sample]) -> Result<(f64, Vec<f64>)> {
        let neighbours = self.network.program().neighbours;
        let task = &self.course.task;
        let share = 1.0 / samples.len() as f64;
        let parts: Vec<(f64, Vec<f64>)> = samples
            .par_chunks(self.micro_batch())
            .map(|own| {
                let inputs = task.inputs(self.data, neighbours, own);
                let activations = self.network.forward(&inputs)?;
                let judged = task.judge(self.data, &inputs, own, &activations.answer);
                let losses = judged.squares.iter().map(|squares| loss(squares));
                let mut d_answer = judged.gradient;
                d_answer.iter_mut().for_each(|d| *d *= share);
                let gradients = self.network.backward(&inputs, &activations, &d_answer)?;
                Ok((losses.sum(), gradients.params))
            })
            .collect::<Result<_>>()?;
        let mut sum = (0.0, vec![0.0; self.parameters()]);
        for (loss, gradient) in parts {
            sum.0 += loss * share;
            let pairs = sum.1.iter_mut().zip(gradient);
            pairs.for_each(|(sum, g)| *sum += g);
        }
        Ok(sum)
    }

    fn micro_batch(&self) -> usize {
        (MICRO_BATCH / self.course.task.tokens(self.data).max(1)).max(1)
    }

    /// Mean squared error of these weights, of every column.
    fn errors_of(&mut self, weights: &[f64], set: HeldOut) -> Result<Vec<f64>> {
        self.network.set_parameters(weights)?;
        let neighbours = self.network.program().neighbours;
        let task = &self.course.task;
        let squares: Vec<Vec<Vec<Squares>>> = self.held_out[set as usize]
            .par_chunks(self.micro_batch())
            .map(|own| {
                let inputs = task.inputs(self.data, neighbours, own);
                let answer = self.network.answer(&inputs)?;
                Ok(task.judge(self.data, &inputs, own, &answer).squares)
            })
            .collect::<Result<_>>()?;
        self.network.set_parameters(&self.state.values)?;
        Ok(columns(&squares.concat()))
    }

    /// The validation error of the averaged weights, a row of the learning curve.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    pub fn validate(&mut self) -> Result<f64> {
        let begin = Instant::now();
        let errors = self.errors_of(&self.average.clone(), HeldOut::Validation)?;
        let error = errors.iter().sum::<f64>() / errors.len() as f64;
        let training = self.losses.0 / self.losses.1.max(1) as f64;
        self.losses = (0.0, 0);
        self.record.curve.push((self.updates(), training, error));
        if self.record.validation.is_none_or(|best| error < best) {
            self.record.validation = Some(error);
            self.best.clone_from(&self.average);
        }
        self.record.seconds += begin.elapsed().as_secs_f64();
        Ok(error)
    }

    /// The mean squared error, on the test set, of every column of what the weights of the lowest
    /// validation error answer.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    pub fn test(&mut self) -> Result<Vec<f64>> {
        self.errors_of(&self.best.clone(), HeldOut::Test)
    }

    /// Keeps what an interrupted training goes on from.
    ///
    /// # Errors
    /// [`Error::Output`] naming the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let checkpoint = Checkpoint {
            course: self.course.clone(),
            updates: self.state.updates,
            values: self.state.values.clone(),
            mean: self.state.mean.clone(),
            square: self.state.square.clone(),
            average: self.average.clone(),
            best: self.best.clone(),
            record: self.record.clone(),
            losses: self.losses,
        };
        let text = serde_json::to_string(&checkpoint)
            .map_err(|error| Error::output(path, error.to_string(), "report this"))?;
        files::write_atomically(path, |file| file.write_all(text.as_bytes()))
    }

    /// Goes on from a file of [`Training::save`], where there is one.
    ///
    /// # Errors
    /// [`Error::Input`] where it is no such file, or one of another course.
    pub fn resume(&mut self, path: &PathBuf) -> Result<()> {
        if !path.exists() {
            return Ok(());
        }
        let text = std::fs::read_to_string(path).map_err(|error| Error::reading(path, &error))?;
        let refused = |what: String| Error::input(Place::file(path), what, "remove the file");
        let found: Checkpoint<P> = serde_json::from_str(&text)
            .map_err(|error| refused(format!("no checkpoint of this program: {error}")))?;
        if found.course != self.course || found.values.len() != self.parameters() {
            return Err(refused("a checkpoint of another training".into()));
        }
        self.state = State {
            updates: found.updates,
            values: found.values,
            mean: found.mean,
            square: found.square,
        };
        self.average = found.average;
        self.best = found.best;
        self.record = found.record;
        self.losses = found.losses;
        self.network.set_parameters(&self.state.values)
    }
}

#[cfg(test)]
mod tests;
