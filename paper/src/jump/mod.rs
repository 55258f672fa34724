//! `paper jump`: architectures as models of jumps on one molecule, trained for equal processor time
//! and judged by `compare` against reference MD that none of them has seen.

mod budget;
mod judge;

pub use budget::Budget;
pub use judge::{Found, Judged, Rollouts};

use std::path::{Path, PathBuf};

use clap::Args;
use mdsurrogate::network::{Architecture, PROTEIN};
use mdsurrogate::session::train::{TrainOptions, train};
use mdsurrogate::session::{Backend, ModelSource};
use mdsurrogate::simulate::Stop;
use mdsurrogate::task::{Settings, jump};
use mdsurrogate::train::Files;
use mdsurrogate::train::config::{Config, Data, Optimizer, Split, SystemFiles, Training};
use mdsurrogate::train::report::Reporter;
use mdsurrogate::units::{self, Dimension};
use mdsurrogate::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::courses::{Place, hash_of};
use crate::models::{Model, chosen, parameters, small};
use crate::results::{append, commit, duration, known_by, read};

/// What `paper jump` is told.
#[derive(Debug, Args)]
pub struct Options {
    /// Structure of the trajectories' atoms (PDB or mmCIF)
    #[arg(long)]
    topology: PathBuf,
    /// Reference MD that is trained on, and that rollouts start in
    #[arg(long)]
    trajectory: PathBuf,
    /// Reference MD, of another seed, that jumps are judged against
    #[arg(long)]
    against: PathBuf,
    /// Time that a jump spans
    #[arg(long, default_value = "20ps", value_parser = time)]
    lag: f64,
    /// Temperature of both, K
    #[arg(long, default_value_t = 300.0)]
    temperature: f64,
    /// Models [default: all architectures]
    #[arg(long, value_delimiter = ',')]
    models: Vec<Model>,
    /// Minutes of processor time of a training
    #[arg(long, default_value_t = 6.0)]
    minutes: f64,
    /// Seeds, 1 to this
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Samples of an update
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Highest learning rate
    #[arg(long, default_value_t = 2e-3)]
    learning_rate: f64,
    /// Steps of the force field's corrector behind a jump: jumps are judged with each of these; 0
    /// is the bare network
    #[arg(long, value_delimiter = ',', default_value = "0,100")]
    relax: Vec<usize>,
    /// Rollouts
    #[arg(long, default_value_t = 16)]
    chains: usize,
    /// Jumps of a rollout, of which the second half is compared
    #[arg(long, default_value_t = 200)]
    jumps: usize,
    #[command(flatten)]
    place: Place,
}

fn time(text: &str) -> Result<f64> {
    units::parse(text, Dimension::Time)
}

/// Name of the file of results.
pub const FILE: &str = "jump.jsonl";

/// What jumps, and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Molecule {
    /// Name of its topology's file, without ending.
    pub name: String,
    /// Hash of the trajectory that is trained on.
    pub data: String,
    /// Hash of the trajectory that jumps are judged against.
    pub against: String,
    /// Time of a jump, ps.
    pub lag: f64,
    /// Temperature, K.
    pub temperature: f64,
}

/// Everything that decides the course of a training, but how many updates the time is enough for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// What jumps.
    pub molecule: Molecule,
    /// What is trained.
    pub model: Model,
    /// Its sizes.
    pub architecture: Architecture,
    /// Processor time, minutes.
    pub minutes: f64,
    /// Samples of an update.
    pub batch: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Weights, samples and rollouts.
    pub seed: u64,
}

/// A line of results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The commit that measured it.
    pub commit: String,
    /// What was trained, and how.
    pub course: Course,
    /// Number of parameters.
    pub parameters: usize,
    /// Updates that the time was enough for.
    pub budget: Budget,
    /// Validation loss, EDM's.
    pub validation: Option<f64>,
    /// How many frames were made.
    pub rollouts: Rollouts,
    /// What came of them, one for each number of the corrector's steps.
    pub judged: Vec<Judged>,
}

impl Options {
    fn system(&self) -> SystemFiles {
        SystemFiles::of(self.topology.clone(), vec![self.trajectory.clone()])
    }

    fn molecule(&self) -> Result<Molecule> {
        let hash = |path: &Path| -> Result<String> {
            let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
            Ok(known_by(path, &bytes))
        };
        let molecule = Molecule {
            name: self.system().name(),
            data: hash(&self.trajectory)?,
            against: hash(&self.against)?,
            lag: self.lag,
            temperature: self.temperature,
        };
        if molecule.data == molecule.against {
            return Err(Error::usage(
                "jumps would be judged against what they were trained on",
                "give --against reference MD of another seed",
            ));
        }
        Ok(molecule)
    }

    /// All trainings, one seed after the other.
    fn courses(&self) -> Result<Vec<Course>> {
        let models = chosen(&self.models, &Model::ARCHITECTURES);
        let molecule = self.molecule()?;
        let interface = Settings::Jump(jump::Settings::of(self.lag)).interface(None);
        let mut courses = Vec::new();
        for seed in 1..=self.seeds {
            for &model in &models {
                courses.push(Course {
                    molecule: molecule.clone(),
                    model,
                    architecture: model.for_molecules(&small(), &interface, &PROTEIN)?,
                    minutes: self.minutes,
                    batch: self.batch,
                    learning_rate: self.learning_rate,
                    seed,
                });
            }
        }
        Ok(courses)
    }

    fn rollouts(&self) -> Rollouts {
        Rollouts {
            relax: self.relax.clone(),
            chains: self.chains,
            jumps: self.jumps,
        }
    }

    /// The configuration of a training of so many updates, as a file would have it.
    fn config(&self, course: &Course, updates: u64) -> Result<Config> {
        let config = Config {
            data: Data {
                folder: PathBuf::new(),
                temperature: Some(course.molecule.temperature),
                systems: vec![self.system()],
            },
            split: Split::default(),
            task: Settings::Jump(jump::Settings::of(course.molecule.lag)),
            architecture: course.architecture.clone(),
            optimizer: Optimizer {
                learning_rate: course.learning_rate,
                ..Optimizer::default()
            },
            training: Training {
                seed: course.seed,
                updates: Some(updates),
                batch: course.batch,
                validate_every: updates.div_ceil(10).max(1),
                checkpoint_minutes: 1.0,
                ..Training::default()
            },
            initial: None,
            text: serde_json::to_string(course)
                .map_err(|error| Error::usage(error.to_string(), "report this"))?,
            path: PathBuf::new(),
        };
        config.check()?;
        Ok(config)
    }
}

/// Trains and judges what is not yet in the file of results.
///
/// # Errors
/// Those of data, trainings, rollouts and files.
pub fn run(options: &Options) -> Result<()> {
    let place = &options.place;
    let file = place.results.join(FILE);
    let done: Vec<Line> = read(&file)?;
    let (courses, rollouts) = (options.courses()?, options.rollouts());
    let is_done = |course: &Course| {
        done.iter()
            .any(|line| line.course == *course && line.rollouts == rollouts)
    };
    let left: Vec<&Course> = courses.iter().filter(|course| !is_done(course)).collect();
    eprintln!(
        "{} trainings, {} of them done",
        courses.len(),
        courses.len() - left.len()
    );
    std::fs::create_dir_all(&place.work).map_err(|error| Error::writing(&place.work, &error))?;
    let mut budgets = Vec::new();
    for course in &left {
        budgets.push(Budget::of(options, course, &done)?);
    }
    estimate(options, &left, &budgets)?;
    if place.estimate {
        return Ok(());
    }
    for (number, (course, budget)) in left.iter().zip(budgets).enumerate() {
        let (molecule, title) = (&course.molecule.name, course.model.title());
        let seed = course.seed;
        eprintln!(
            "{} of {}: {molecule}, {title}, seed {seed}",
            number + 1,
            left.len()
        );
        append(&file, &train_and_judge(options, course, budget)?)?;
    }
    Ok(())
}

/// Says how long it takes, and how large the networks are.
fn estimate(options: &Options, left: &[&Course], budgets: &[Budget]) -> Result<()> {
    let Some(first) = left.first() else {
        return Ok(());
    };
    let seed = first.seed;
    let of_a_seed = left
        .iter()
        .zip(budgets)
        .filter(|(course, _)| course.seed == seed);
    for (course, budget) in of_a_seed {
        eprintln!(
            "{}: {} parameters, {:.1} ms an update, {} updates in {} of processor time",
            course.model.title(),
            parameters_of(course),
            budget.milliseconds,
            budget.updates,
            duration(60.0 * course.minutes)
        );
    }
    let trainings = 60.0 * options.minutes * left.len() as f64;
    let rollouts = judge::seconds(options)? * left.len() as f64;
    let threads = rayon::current_num_threads();
    eprintln!(
        "all of it: about {} on {threads} threads, {} of trainings and at most {} of rollouts",
        duration(trainings / threads as f64 + rollouts),
        duration(trainings / threads as f64),
        duration(rollouts)
    );
    Ok(())
}

fn parameters_of(course: &Course) -> usize {
    let interface = Settings::Jump(jump::Settings::of(course.molecule.lag)).interface(None);
    parameters(&course.architecture, &interface, &PROTEIN)
}

/// Trains one network, or goes on with it, and judges its jumps.
fn train_and_judge(options: &Options, course: &Course, budget: Budget) -> Result<Line> {
    let config = options.config(course, budget.updates)?;
    let name = format!("jump-{}-{}", hash_of(course)?, budget.updates);
    let prefix = options.place.work.join(name);
    let reporter = Reporter::new(config.training.budget(), false);
    let how = TrainOptions {
        prefix: prefix.clone(),
        backend: Backend::Cpu,
        overwrite: true,
        ..TrainOptions::default()
    };
    train(config, &how, &reporter, &Stop::on_signals())?;
    let model = ModelSource::File(Files::new(&prefix).model);
    let validation = model.examine()?.header.provenance.validation_loss;
    let rollouts = options.rollouts();
    let mut judged = Vec::new();
    for &relax in &rollouts.relax {
        let own = judge::judge(options, &model, relax, course.seed)?;
        eprintln!("{own}");
        judged.push(own);
    }
    Ok(Line {
        commit: commit(),
        parameters: parameters_of(course),
        course: course.clone(),
        budget,
        validation,
        rollouts,
        judged,
    })
}
