//! Trainings one after the other: how long they take, which are done, a bar, and results.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use mdsurrogate::network::GHyena;
use mdsurrogate::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::models::{Model, parameters};
use crate::results::{append, commit, duration, read};
use crate::training::{Course, Problem, Record, Training};

/// What every command that trains is told.
#[derive(Debug, Args)]
pub struct Place {
    /// Say how long it takes, and end
    #[arg(long)]
    pub estimate: bool,
    /// Folder of results
    #[arg(long, default_value = "paper/results")]
    pub results: PathBuf,
    /// Folder of checkpoints
    #[arg(long, default_value = "target/paper")]
    pub work: PathBuf,
}

/// How networks for molecules are trained.
#[derive(Debug, Args)]
pub struct Effort {
    /// Seeds, 1 to this
    #[arg(long, default_value_t = 3)]
    pub seeds: u64,
    /// Epochs of the samples that are trained on
    #[arg(long, default_value_t = 20)]
    pub epochs: u64,
    /// Samples of an update
    #[arg(long, default_value_t = 8)]
    pub batch: u64,
    /// Highest learning rate
    #[arg(long, default_value_t = 3e-3)]
    pub learning_rate: f64,
}

impl Effort {
    /// The training of a model that has as many parameters as `like`.
    ///
    /// # Errors
    /// Those of [`Model::for_molecules`].
    pub fn course<P: Problem>(
        &self,
        task: &P,
        data: &P::Data,
        model: Model,
        like: &GHyena,
        seed: u64,
    ) -> Result<Course<P>> {
        Ok(Course {
            updates: (self.epochs * task.epoch(data)).div_ceil(self.batch),
            task: task.clone(),
            model,
            architecture: model.for_molecules(like, &task.interface(), task.vocabulary())?,
            batch: self.batch,
            learning_rate: self.learning_rate,
            seed,
        })
    }
}

/// A line of results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "P: Problem"))]
pub struct Line<P: Problem> {
    /// The commit that measured it.
    pub commit: String,
    /// What was trained, and how.
    pub course: Course<P>,
    /// Number of parameters.
    pub parameters: usize,
    /// Threads that it ran on.
    pub threads: usize,
    /// How it went.
    pub record: Record,
    /// Mean squared error on the test set, of every column of the answers.
    #[serde(with = "one_or_many")]
    pub test: Vec<f64>,
}

/// A line of results of a method `M` without a network, whose error is a `T`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlainLine<P, M, T> {
    /// The commit that measured it.
    pub commit: String,
    /// The problem.
    pub task: P,
    /// How it was answered.
    pub method: M,
    /// Mean squared error on the test set.
    pub test: T,
}

/// Answers problems without a network, those in the file left out, and says how well.
///
/// # Errors
/// Those of `test` and of files.
pub fn run_plain<P, M, T>(
    file: &str,
    place: &Place,
    all: &[(P, M)],
    test: impl Fn(&P, M) -> Result<T>,
    describe: impl Fn(&PlainLine<P, M, T>) -> String,
) -> Result<()>
where
    P: Problem,
    M: Copy + PartialEq + Serialize + DeserializeOwned,
    T: Serialize + DeserializeOwned,
{
    let file = place.results.join(file);
    let done: Vec<PlainLine<P, M, T>> = read(&file)?;
    for (task, method) in all {
        let same = |line: &PlainLine<P, M, T>| line.task == *task && line.method == *method;
        if done.iter().any(same) {
            continue;
        }
        let line = PlainLine {
            commit: commit(),
            test: test(task, *method)?,
            task: task.clone(),
            method: *method,
        };
        eprintln!("{}", describe(&line));
        append(&file, &line)?;
    }
    Ok(())
}

/// A number alone where there is one column.
mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Numbers {
        One(f64),
        Many(Vec<f64>),
    }

    pub fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
        match values {
            [one] => one.serialize(to),
            many => many.serialize(to),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        Ok(match Numbers::deserialize(from)? {
            Numbers::One(one) => vec![one],
            Numbers::Many(many) => many,
        })
    }
}

/// A course in a few words.
fn describe<P: Problem>(course: &Course<P>) -> String {
    let (task, title) = (course.task.describe(), course.model.title());
    format!("{task}, {title}, seed {}", course.seed)
}

/// Trains what is not yet trained, `all` in their order, on what `data` says that each is of.
///
/// # Errors
/// Those of trainings and files.
pub fn run<'a, P: Problem>(
    file: &str,
    place: &Place,
    all: &[Course<P>],
    data: impl Fn(&Course<P>) -> &'a P::Data,
) -> Result<()>
where
    P::Data: 'a,
{
    let file = place.results.join(file);
    let done: Vec<Line<P>> = read(&file)?;
    let is_done = |course: &Course<P>| done.iter().any(|line| line.course == *course);
    let left: Vec<&Course<P>> = all.iter().filter(|course| !is_done(course)).collect();
    eprintln!(
        "{} trainings, {} of them done",
        all.len(),
        all.len() - left.len()
    );
    estimate(&left, &data)?;
    if place.estimate {
        return Ok(());
    }
    std::fs::create_dir_all(&place.work).map_err(|error| Error::writing(&place.work, &error))?;
    for (number, course) in left.iter().enumerate() {
        eprintln!("{} of {}: {}", number + 1, left.len(), describe(course));
        let line = train(course, data(course), &place.work)?;
        append(&file, &line)?;
    }
    Ok(())
}

/// Says how long these trainings take, measured on a few updates of each kind, and their sizes.
fn estimate<'a, P: Problem>(
    courses: &[&Course<P>],
    data: impl Fn(&Course<P>) -> &'a P::Data,
) -> Result<()>
where
    P::Data: 'a,
{
    const MEASURED: u64 = 3;
    let mut kinds: Vec<(&Course<P>, u64)> = Vec::new();
    for course in courses {
        let same = |(kind, _): &&mut (&Course<P>, u64)| {
            kind.task.kind() == course.task.kind() && kind.architecture == course.architecture
        };
        match kinds.iter_mut().find(same) {
            Some((_, count)) => *count += 1,
            None => kinds.push((course, 1)),
        }
    }
    let mut total = 0.0;
    for (course, count) in kinds {
        let mut training = Training::new(course.clone(), data(course))?;
        training.update()?;
        let begin = Instant::now();
        for _ in 0..MEASURED {
            training.update()?;
        }
        let each = begin.elapsed().as_secs_f64() / MEASURED as f64;
        let begin = Instant::now();
        training.validate()?;
        let validation = begin.elapsed().as_secs_f64();
        let rows = course.updates as f64 / row(course, data(course)) as f64;
        let seconds = (each * course.updates as f64 + validation * (rows + 1.0)) * count as f64;
        total += seconds;
        let task = &course.task;
        let own = parameters(&course.architecture, &task.interface(), task.vocabulary());
        eprintln!(
            "{}, {}: {own} parameters, {count} trainings, {:.0} ms an update, {}",
            task.kind(),
            course.model.title(),
            1000.0 * each,
            duration(seconds)
        );
    }
    let threads = rayon::current_num_threads();
    eprintln!("all of it: about {} on {threads} threads", duration(total));
    Ok(())
}

/// Updates between two rows of the learning curve: whole epochs, and not more than a hundred rows.
fn row<P: Problem>(course: &Course<P>, data: &P::Data) -> u64 {
    let epoch = course.task.epoch(data).div_ceil(course.batch);
    epoch * (course.updates / epoch / 100).max(1)
}

/// The hash of what decides a course, as a part of a file's name.
pub fn hash_of(course: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(course)
        .map_err(|error| Error::usage(error.to_string(), "report this"))?;
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    Ok(format!("{:016x}", hash.finish()))
}

/// The file that a training goes on from.
fn checkpoint<P: Problem>(course: &Course<P>, folder: &Path) -> Result<PathBuf> {
    Ok(folder.join(format!("{}-{}.json", P::NAME, hash_of(course)?)))
}

/// Trains one network to its end.
fn train<P: Problem>(course: &Course<P>, data: &P::Data, folder: &Path) -> Result<Line<P>> {
    const BETWEEN: Duration = Duration::from_secs(60);
    let path = checkpoint(course, folder)?;
    let mut training = Training::new(course.clone(), data)?;
    training.resume(&path)?;
    let bar = ProgressBar::new(course.updates).with_position(training.updates());
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {eta} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.reset_eta();
    let row = row(course, data);
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
    let line = Line {
        commit: commit(),
        course: course.clone(),
        parameters: training.parameters(),
        threads: rayon::current_num_threads(),
        test: training.test()?,
        record: training.record().clone(),
    };
    eprintln!(
        "{}: test {:.4?}, {}",
        describe(course),
        line.test,
        duration(line.record.seconds)
    );
    if path.exists() {
        std::fs::remove_file(&path).map_err(|error| Error::writing(&path, &error))?;
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use mdsurrogate::task::Recall;

    use super::*;
    use crate::models::Size;

    /// A command that is run again does nothing again, and goes on where a course is new.
    #[test]
    fn what_is_done_is_not_done_again() {
        let folder = std::env::temp_dir().join(format!("paper-courses-{}", std::process::id()));
        let place = Place {
            estimate: false,
            results: folder.join("results"),
            work: folder.join("work"),
        };
        let size = Size {
            scalars: 8,
            vectors: 8,
            layers: 1,
        };
        let course = |seed| Course {
            task: Recall {
                tokens: 6,
                words: 2,
                fixed: true,
            },
            model: Model::GHyena,
            architecture: Model::GHyena.matched(size, &Recall::interface()).unwrap(),
            batch: 4,
            updates: 3,
            learning_rate: 1e-3,
            seed,
        };
        let lines = || -> Vec<Line<Recall>> { read(&place.results.join("a.jsonl")).unwrap() };
        run("a.jsonl", &place, &[course(1)], |_| &()).unwrap();
        let first = lines();
        assert_eq!((first.len(), first[0].test.len()), (1, 1));
        assert_eq!(first[0].record.curve.last().unwrap().0, 3);
        run("a.jsonl", &place, &[course(1), course(2)], |_| &()).unwrap();
        let both = lines();
        assert_eq!(both.len(), 2);
        assert!(both[0] == first[0] && both[1].course == course(2));
        assert_eq!(std::fs::read_dir(&place.work).unwrap().count(), 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
