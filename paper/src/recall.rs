//! `paper recall`: geometric associative recall over lengths, vocabularies, sizes and models.

use clap::{Args, ValueEnum};
use mdsurrogate::Result;
use mdsurrogate::network::{Inputs, Interface, PROTEIN, Vocabulary};
use mdsurrogate::task::Recall;
use mdsurrogate::task::recall::Question;
use mdsurrogate::train::random::{Purpose, generator};
use rand_chacha::ChaCha8Rng;

use crate::courses::{self, Place};
use crate::models::{Model, Size, chosen};
use crate::training::{Course, HeldOut, Judged, Problem};

/// What `paper recall` is told.
#[derive(Debug, Args)]
pub struct Options {
    /// Tokens of a sequence
    #[arg(long, value_delimiter = ',', default_value = "32,64,128,256")]
    tokens: Vec<usize>,
    /// Vocabularies: of every sequence its own, or one, turned
    #[arg(long, value_delimiter = ',', default_value = "random")]
    vocabulary: Vec<Kept>,
    /// Words of a vocabulary
    #[arg(long, value_delimiter = ',', default_value = "4")]
    words: Vec<usize>,
    /// Models [default: G-Hyena and the baselines]
    #[arg(long, value_delimiter = ',')]
    models: Vec<Model>,
    /// Scalar and vector channels of G-Hyena; the others get as many parameters
    #[arg(long, value_delimiter = ',', default_value = "16x32", value_parser = hidden)]
    hidden: Vec<(usize, usize)>,
    /// Blocks
    #[arg(long, default_value_t = 3)]
    layers: usize,
    /// Seeds, 1 to this
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Epochs of 2,600 sequences
    #[arg(long, default_value_t = 300)]
    epochs: u64,
    /// Sequences of an update
    #[arg(long, default_value_t = 32)]
    batch: u64,
    /// Highest learning rate
    #[arg(long, default_value_t = 1e-3)]
    learning_rate: f64,
    #[command(flatten)]
    place: Place,
}

/// Where the words of a sequence come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kept {
    /// Every sequence has its own words
    Random,
    /// All sequences are of the same words, each turned at random
    Fixed,
}

fn hidden(text: &str) -> std::result::Result<(usize, usize), String> {
    let parts = text.split_once('x');
    let parsed = parts.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    parsed.ok_or_else(|| "two numbers, as 16x32".to_owned())
}

/// Name of the file of results.
pub const FILE: &str = "recall.jsonl";

/// A line of results.
pub type Line = courses::Line<Recall>;

impl Options {
    /// All trainings, those that are soon done first.
    fn courses(&self) -> Result<Vec<Course<Recall>>> {
        let models = chosen(&self.models, &Model::SEQUENCES);
        let mut courses = Vec::new();
        for &tokens in &self.tokens {
            for &vocabulary in &self.vocabulary {
                for &words in &self.words {
                    let task = Recall {
                        tokens,
                        words,
                        fixed: vocabulary == Kept::Fixed,
                    };
                    task.check()?;
                    for &(scalars, vectors) in &self.hidden {
                        let size = Size {
                            scalars,
                            vectors,
                            layers: self.layers,
                        };
                        for &model in &models {
                            self.add_seeds(task, size, model, &mut courses)?;
                        }
                    }
                }
            }
        }
        Ok(courses)
    }

    fn add_seeds(
        &self,
        task: Recall,
        size: Size,
        model: Model,
        courses: &mut Vec<Course<Recall>>,
    ) -> Result<()> {
        let architecture = model.matched(size, &Recall::interface())?;
        architecture.check(&Recall::interface())?;
        for seed in 1..=self.seeds {
            courses.push(Course {
                task,
                model,
                architecture: architecture.clone(),
                batch: self.batch,
                updates: (self.epochs * EPOCH).div_ceil(self.batch),
                learning_rate: self.learning_rate,
                seed,
            });
        }
        Ok(())
    }
}

/// Trains what is not yet trained.
///
/// # Errors
/// Those of trainings and files.
pub fn run(options: &Options) -> Result<()> {
    courses::run(FILE, &options.place, &options.courses()?, |_| &())
}

/// Sequences of an epoch, and of the validation and test sets.
const EPOCH: u64 = 2600;
const HELD_OUT: u64 = 200;

/// One of a seed's questions; of a fixed vocabulary, which is drawn as if it were the sample behind
/// all others.
fn question(task: &Recall, seed: u64, mut rng: ChaCha8Rng) -> Question {
    let words = if task.fixed {
        task.vocabulary(&mut generator(seed, Purpose::Training, u64::MAX, u64::MAX))
    } else {
        task.vocabulary(&mut rng)
    };
    task.question(&words, &mut rng)
}

/// The word for a vocabulary that all sequences have, or that each has of its own.
pub fn vocabulary(fixed: bool) -> &'static str {
    if fixed { "fixed" } else { "random" }
}

impl Problem for Recall {
    const NAME: &'static str = "recall";
    type Data = ();
    type Sample = Question;

    fn check(&self) -> Result<()> {
        Recall::check(self)
    }

    fn describe(&self) -> String {
        let vocabulary = vocabulary(self.fixed);
        format!("{} tokens, {} words, {vocabulary}", self.tokens, self.words)
    }

    fn interface(&self) -> Interface {
        Recall::interface()
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &PROTEIN // of which no table is looked at: tokens are nothing but vectors
    }

    fn tokens(&self, _: &()) -> usize {
        self.tokens
    }

    fn epoch(&self, _: &()) -> u64 {
        EPOCH
    }

    fn sample(&self, _: &(), seed: u64, update: u64, number: u64) -> Question {
        let rng = generator(seed, Purpose::Training, update, number);
        question(self, seed, rng)
    }

    fn held_out(&self, _: &(), seed: u64, set: HeldOut) -> Vec<Question> {
        let rng = |number| generator(seed, Purpose::Validation, set as u64, number);
        (0..HELD_OUT)
            .map(|number| question(self, seed, rng(number)))
            .collect()
    }

    fn inputs(&self, _: &(), neighbours: usize, questions: &[Question]) -> Inputs {
        Recall::inputs(neighbours, questions)
    }

    fn judge(&self, _: &(), inputs: &Inputs, questions: &[Question], answer: &[f64]) -> Judged {
        let answers = Recall::answers(&inputs.batch, answer);
        let (losses, gradient) = Recall::losses(&inputs.batch, questions, &answers);
        Judged {
            squares: losses.iter().map(|loss| vec![[3.0 * loss, 3.0]]).collect(),
            gradient,
        }
    }
}
