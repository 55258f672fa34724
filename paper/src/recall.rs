//! `paper recall`: geometric associative recall over lengths, vocabularies, sizes and models.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use mdsurrogate::task::Recall;
use mdsurrogate::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::models::{Model, Size, parameters};
use crate::results::{append, commit, duration, read};
use crate::training::{Course, EPOCH, Record, Training};

/// What `paper recall` is told.
#[derive(Debug, Args)]
pub struct Options {
    /// Tokens of a sequence
    #[arg(long, value_delimiter = ',', default_value = "32,64,128,256")]
    tokens: Vec<usize>,
    /// Vocabularies: of every sequence its own, or one, turned
    #[arg(long, value_delimiter = ',', default_value = "random")]
    vocabulary: Vec<Vocabulary>,
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
    /// Say how long it takes, and end
    #[arg(long)]
    estimate: bool,
    /// Folder of results
    #[arg(long, default_value = "paper/results")]
    results: PathBuf,
    /// Folder of checkpoints
    #[arg(long, default_value = "target/paper")]
    work: PathBuf,
}

/// Where the words of a sequence come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Vocabulary {
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The commit that measured it.
    pub commit: String,
    /// What was trained, and how.
    pub course: Course,
    /// Number of parameters.
    pub parameters: usize,
    /// Threads that it ran on.
    pub threads: usize,
    /// How it went.
    pub record: Record,
    /// Mean squared error on the test set.
    pub test: f64,
}

impl Options {
    /// All trainings, those that are soon done first.
    fn courses(&self) -> Result<Vec<Course>> {
        let models = if self.models.is_empty() {
            Model::MAIN.to_vec()
        } else {
            self.models.clone()
        };
        let mut courses = Vec::new();
        for &tokens in &self.tokens {
            for &vocabulary in &self.vocabulary {
                for &words in &self.words {
                    let task = Recall {
                        tokens,
                        words,
                        fixed: vocabulary == Vocabulary::Fixed,
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
        courses: &mut Vec<Course>,
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

/// A course in a few words.
fn describe(course: &Course) -> String {
    let vocabulary = if course.task.fixed { "fixed" } else { "random" };
    format!(
        "{} tokens, {} words, {vocabulary}, {}, seed {}",
        course.task.tokens,
        course.task.words,
        course.model.title(),
        course.seed
    )
}

/// Trains what is not yet trained.
///
/// # Errors
/// Those of trainings and files.
pub fn run(options: &Options) -> Result<()> {
    let file = options.results.join(FILE);
    let mut done: Vec<Line> = read(&file)?;
    let all = options.courses()?;
    let is_done = |course: &Course, done: &[Line]| done.iter().any(|line| line.course == *course);
    let left: Vec<&Course> = all
        .iter()
        .filter(|course| !is_done(course, &done))
        .collect();
    eprintln!(
        "{} trainings, {} of them done",
        all.len(),
        all.len() - left.len()
    );
    estimate(&left)?;
    if options.estimate {
        return Ok(());
    }
    std::fs::create_dir_all(&options.work)
        .map_err(|error| Error::writing(&options.work, &error))?;
    for (number, course) in left.iter().enumerate() {
        let place = format!("{} of {}", number + 1, left.len());
        let line = train(course, options, &place)?;
        append(&file, &line)?;
        done.push(line);
    }
    Ok(())
}

/// Says how long these trainings take, measured on a few updates of each kind, and their sizes.
fn estimate(courses: &[&Course]) -> Result<()> {
    let mut kinds: Vec<(&Course, u64)> = Vec::new();
    for course in courses {
        let same = |(kind, _): &&mut (&Course, u64)| {
            kind.task == course.task && kind.architecture == course.architecture
        };
        match kinds.iter_mut().find(same) {
            Some((_, count)) => *count += 1,
            None => kinds.push((course, 1)),
        }
    }
    let mut total = 0.0;
    for (course, count) in kinds {
        const MEASURED: u64 = 3;
        let mut training = Training::new(course.clone())?;
        training.update()?;
        let begin = Instant::now();
        for _ in 0..MEASURED {
            training.update()?;
        }
        let each = begin.elapsed().as_secs_f64() / MEASURED as f64;
        // validations are 200 sequences forward an epoch of 2,600 forward and backward
        let seconds = 1.03 * each * course.updates as f64 * count as f64;
        total += seconds;
        let own = parameters(&course.architecture, &Recall::interface());
        eprintln!(
            "{} tokens, {}: {own} parameters, {count} seeds, {:.0} ms an update, {}",
            course.task.tokens,
            course.model.title(),
            1000.0 * each,
            duration(seconds)
        );
    }
    let threads = rayon::current_num_threads();
    eprintln!("all of it: about {} on {threads} threads", duration(total));
    Ok(())
}

/// The file that a training goes on from, by what decides its course.
fn checkpoint(course: &Course, options: &Options) -> Result<PathBuf> {
    let text = serde_json::to_string(course)
        .map_err(|error| Error::usage(error.to_string(), "report this"))?;
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    let name = format!("recall-{:016x}.json", hash.finish());
    Ok(options.work.join(name))
}

/// Trains one network to its end.
fn train(course: &Course, options: &Options, place: &str) -> Result<Line> {
    const BETWEEN: Duration = Duration::from_secs(60);
    let path = checkpoint(course, options)?;
    let mut training = Training::new(course.clone())?;
    training.resume(&path)?;
    eprintln!("{place}: {}", describe(course));
    let bar = ProgressBar::new(course.updates).with_position(training.updates());
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {eta} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.reset_eta();
    let epoch = EPOCH.div_ceil(course.batch);
    // a curve of a hundred rows, in whole epochs
    let row = epoch * (course.updates / epoch / 100).max(1);
    let mut saved = Instant::now();
    while training.updates() < course.updates {
        training.update()?;
        bar.set_position(training.updates());
        if training.updates().is_multiple_of(row) || training.updates() == course.updates {
            let error = training.validate()?;
            bar.set_message(format!("validation {error:.4}"));
            if bar.is_hidden() {
                eprintln!("{} of {}: {error:.4}", training.updates(), course.updates);
            }
        }
        if saved.elapsed() > BETWEEN {
            training.save(&path)?;
            saved = Instant::now();
        }
    }
    bar.finish_and_clear();
    let test = training.test()?;
    let record = training.record().clone();
    eprintln!(
        "{}: test {test:.4}, zero {:.4}, {}",
        describe(course),
        course.task.error_of_zero(),
        duration(record.seconds)
    );
    let line = Line {
        commit: commit(),
        course: course.clone(),
        parameters: training.parameters(),
        threads: rayon::current_num_threads(),
        record,
        test,
    };
    if path.exists() {
        std::fs::remove_file(&path).map_err(|error| Error::writing(&path, &error))?;
    }
    Ok(line)
}
