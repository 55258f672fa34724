//! `paper dynamics`: the mean squared error of next frames, of every architecture and of what needs
//! no network.

mod data;
mod plain;
mod task;

pub use data::Atoms;
pub use plain::Method;
pub use task::{Dynamics, Velocity};

use std::path::PathBuf;

use clap::Args;
use mdsurrogate::network::GHyena;
use mdsurrogate::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::courses::{self, Place};
use crate::models::Model;
use crate::results::{append, commit, read};
use crate::training::{Course, Problem};
use data::{System, alphabet};
use task::Data;

/// What `paper dynamics` is told.
#[derive(Debug, Args)]
pub struct Options {
    /// Structure of the trajectory's atoms (PDB or mmCIF)
    #[arg(long)]
    topology: PathBuf,
    /// Trajectory; that of the published numbers is known by its hash
    #[arg(long)]
    trajectory: PathBuf,
    /// Atoms that are predicted
    #[arg(long, value_delimiter = ',', default_value = "backbone,heavy,all")]
    atoms: Vec<Atoms>,
    /// Velocities that are given
    #[arg(long, value_delimiter = ',', default_value = "look-ahead,causal")]
    velocities: Vec<Velocity>,
    /// Frames from one to the one that is predicted
    #[arg(long, default_value_t = 15)]
    lag: usize,
    /// Models [default: all architectures]
    #[arg(long, value_delimiter = ',')]
    models: Vec<Model>,
    /// Seeds, 1 to this
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Epochs of the pairs that are trained on
    #[arg(long, default_value_t = 20)]
    epochs: u64,
    /// Pairs of an update
    #[arg(long, default_value_t = 8)]
    batch: u64,
    /// Highest learning rate
    #[arg(long, default_value_t = 3e-3)]
    learning_rate: f64,
    #[command(flatten)]
    place: Place,
}

/// Name of the file of results.
pub const FILE: &str = "dynamics.jsonl";
/// Of methods without a network.
pub const PLAIN: &str = "dynamics-plain.jsonl";

/// A line of results.
pub type Line = courses::Line<Dynamics>;

/// A line of results of a method without a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlainLine {
    /// The commit that measured it.
    pub commit: String,
    /// The problem.
    pub task: Dynamics,
    /// How it was answered.
    pub method: Method,
    /// Mean squared error on the test pairs, Å².
    pub test: f64,
}

/// The G-Hyena that the others are matched with.
fn g_hyena() -> GHyena {
    GHyena {
        scalars: 32,
        vectors: 8,
        pair: 16,
        layers: 2,
        neighbours: 16,
        templates: false,
        ..GHyena::default()
    }
}

impl Options {
    fn task(&self, data: &Data, velocity: Velocity) -> Dynamics {
        let system = &data.system;
        Dynamics {
            system: system.name.clone(),
            data: system.hash.clone(),
            published: system.is_adk,
            atoms: system.atoms,
            lag: self.lag,
            velocity,
        }
    }

    /// All trainings: one seed after the other, those that are soon done first.
    fn courses(&self, all: &[Data]) -> Result<Vec<Course<Dynamics>>> {
        let models = if self.models.is_empty() {
            Model::ARCHITECTURES.to_vec()
        } else {
            self.models.clone()
        };
        let mut courses = Vec::new();
        for seed in 1..=self.seeds {
            for data in all {
                for &velocity in &self.velocities {
                    let task = self.task(data, velocity);
                    for &model in &models {
                        let interface = task.interface();
                        courses.push(Course {
                            updates: (self.epochs * task.epoch(data)).div_ceil(self.batch),
                            task: task.clone(),
                            model,
                            architecture: model.for_molecules(
                                &g_hyena(),
                                &interface,
                                alphabet(),
                            )?,
                            batch: self.batch,
                            learning_rate: self.learning_rate,
                            seed,
                        });
                    }
                }
            }
        }
        Ok(courses)
    }
}

/// Trains what is not yet trained.
///
/// # Errors
/// Those of data, trainings and files.
pub fn run(options: &Options) -> Result<()> {
    if options.lag == 0 {
        return Err(Error::usage(
            "there is no lag of 0 frames",
            "use --lag 1 or more",
        ));
    }
    let mut all = Vec::new();
    for &atoms in &options.atoms {
        let system = System::load(&options.topology, &options.trajectory, atoms)?;
        let data = Data::new(system, options.lag)?;
        let [training, validation, test] = data.pairs.each_ref().map(ExactSizeIterator::len);
        eprintln!(
            "{}{}, {}: {} atoms, {training} pairs to train on, {validation} to validate, {test} to test",
            data.system.name,
            if data.system.is_adk {
                " (as published)"
            } else {
                ""
            },
            atoms.title(),
            data.system.tokens.len(),
        );
        all.push(data);
    }
    if !options.place.estimate {
        for data in &all {
            without_networks(options, data)?;
        }
    }
    let courses = options.courses(&all)?;
    let of = |course: &Course<Dynamics>| -> &Data {
        let own = all
            .iter()
            .find(|data| data.system.atoms == course.task.atoms);
        own.expect("courses are of these data")
    };
    courses::run(FILE, &options.place, &courses, of)
}

fn without_networks(options: &Options, data: &Data) -> Result<()> {
    let file = options.place.results.join(PLAIN);
    let done: Vec<PlainLine> = read(&file)?;
    for &velocity in &options.velocities {
        let task = options.task(data, velocity);
        for method in Method::ALL {
            if done
                .iter()
                .any(|line| line.task == task && line.method == method)
            {
                continue;
            }
            let line = PlainLine {
                commit: commit(),
                test: method.test(data, velocity)?,
                task: task.clone(),
                method,
            };
            eprintln!(
                "{}, {}: {:.4} Å²",
                task.describe(),
                method.title(),
                line.test
            );
            append(&file, &line)?;
        }
    }
    Ok(())
}
