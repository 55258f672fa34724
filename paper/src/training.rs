//! A network in training for recall: the protocol of the paper, resumable.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use mdsurrogate::engine::Cpu;
use mdsurrogate::error::Place;
use mdsurrogate::network::{Architecture, Network, PROTEIN};
use mdsurrogate::task::Recall;
use mdsurrogate::task::recall::{Question, Word};
use mdsurrogate::train::optimizer::{AdamW, State, average_in, clip};
use mdsurrogate::train::random::{Purpose, generator};
use mdsurrogate::train::schedule::Schedule;
use mdsurrogate::{Error, Result, files};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::models::Model;

/// Samples of an epoch, and of the validation and test sets.
pub const EPOCH: u64 = 2600;
const HELD_OUT: u64 = 200;

/// Tokens of a call of the network.
const MICRO_BATCH: usize = 512;

/// Everything that decides the course of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The task.
    pub task: Recall,
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
    /// Weights, samples and vocabulary.
    pub seed: u64,
}

/// A training as far as it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Checkpoint {
    course: Course,
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
pub struct Training {
    course: Course,
    network: Network<Cpu<f32>>,
    state: State,
    average: Vec<f64>,
    best: Vec<f64>,
    decays: Vec<bool>,
    /// The vocabulary that all questions are of, where it is fixed.
    vocabulary: Option<Vec<Word>>,
    held_out: [Vec<Question>; 2],
    record: Record,
    /// Sum and number of the training losses since the last row of the curve.
    losses: (f64, u64),
}

impl Training {
    /// A network at its initial weights.
    ///
    /// # Errors
    /// [`Error::Usage`] where sizes cannot be.
    pub fn new(course: Course) -> Result<Self> {
        course.task.check()?;
        let interface = Recall::interface();
        course.architecture.check(&interface)?;
        let program = course.architecture.build(&interface, &PROTEIN);
        let decays = program.params.iter().flat_map(|(_, shape)| {
            let [rows, columns] = shape.size;
            std::iter::repeat_n(rows > 1, rows * columns)
        });
        let decays = decays.collect();
        let network = Network::initial(program, Cpu::<f32>::new(), course.seed)?;
        let values = network.parameters()?;
        // a vocabulary is drawn as if it were the sample behind all others
        let mut rng = generator(course.seed, Purpose::Training, u64::MAX, u64::MAX);
        let vocabulary = course.task.fixed.then(|| course.task.vocabulary(&mut rng));
        let held_out = [0, 1].map(|set| {
            let one = |number| question(&course, vocabulary.as_deref(), None, set, number);
            (0..HELD_OUT).map(one).collect()
        });
        Ok(Training {
            average: values.clone(),
            best: values.clone(),
            state: State::new(values),
            course,
            network,
            decays,
            vocabulary,
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
        let vocabulary = self.vocabulary.as_deref();
        let questions: Vec<Question> = (0..self.course.batch)
            .into_par_iter()
            .map(|number| question(&self.course, vocabulary, Some(update), 0, number))
            .collect();
        let (loss, mut gradient) = self.gradient(&questions)?;
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

    /// Mean loss of questions and its gradient; added up in the order of the questions, whatever
    /// the number of threads.
    fn gradient(&self, questions: &[Question]) -> Result<(f64, Vec<f64>)> {
        let neighbours = self.network.program().neighbours;
        let share = 1.0 / questions.len() as f64;
        let parts: Vec<(f64, Vec<f64>)> = questions
            .par_chunks(self.micro_batch())
            .map(|own| {
                let inputs = Recall::inputs(neighbours, own);
                let activations = self.network.forward(&inputs)?;
                let answers = Recall::answers(&inputs.batch, &activations.answer);
                let (losses, mut d_answer) = Recall::losses(&inputs.batch, own, &answers);
                d_answer.iter_mut().for_each(|d| *d *= share);
                let gradients = self.network.backward(&inputs, &activations, &d_answer)?;
                Ok((losses.iter().sum(), gradients.params))
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
        (MICRO_BATCH / self.course.task.tokens).max(1)
    }

    /// Mean squared error of these weights.
    fn error_of(&mut self, weights: &[f64], set: usize) -> Result<f64> {
        self.network.set_parameters(weights)?;
        let neighbours = self.network.program().neighbours;
        let losses: Vec<Vec<f64>> = self.held_out[set]
            .par_chunks(self.micro_batch())
            .map(|own| {
                let inputs = Recall::inputs(neighbours, own);
                let answer = self.network.answer(&inputs)?;
                let answers = Recall::answers(&inputs.batch, &answer);
                Ok(Recall::losses(&inputs.batch, own, &answers).0)
            })
            .collect::<Result<_>>()?;
        self.network.set_parameters(&self.state.values)?;
        let losses = losses.concat();
        Ok(losses.iter().sum::<f64>() / losses.len() as f64)
    }

    /// The validation error of the averaged weights, a row of the learning curve.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    pub fn validate(&mut self) -> Result<f64> {
        let begin = Instant::now();
        let error = self.error_of(&self.average.clone(), 0)?;
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

    /// The error of the weights of the lowest validation error on the test set.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    pub fn test(&mut self) -> Result<f64> {
        self.error_of(&self.best.clone(), 1)
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
        let found: Checkpoint = serde_json::from_str(&text)
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

/// A question of an update, or of a held-out set, by number.
fn question(
    course: &Course,
    vocabulary: Option<&[Word]>,
    update: Option<u64>,
    set: u64,
    number: u64,
) -> Question {
    let mut rng = match update {
        Some(update) => generator(course.seed, Purpose::Training, update, number),
        None => generator(course.seed, Purpose::Validation, set, number),
    };
    match vocabulary {
        Some(words) => course.task.question(words, &mut rng),
        None => {
            let words = course.task.vocabulary(&mut rng);
            course.task.question(&words, &mut rng)
        }
    }
}

#[cfg(test)]
mod tests;
