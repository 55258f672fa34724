//! `paper dynamics`: the mean squared error of next frames, of every architecture and of what needs
//! no network.

mod data;
mod features;
mod plain;
mod task;

pub use data::Atoms;
pub use plain::Method;
pub use task::{Dynamics, Velocity};

use std::path::PathBuf;

use clap::Args;
use mdsurrogate::Result;
use mdsurrogate::network::GHyena;

use crate::courses::{self, Effort, Place};
use crate::models::{Model, chosen, small};
use crate::training::{Course, Problem};
use data::System;
use task::{Data, refuse_no_lag};

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
    #[command(flatten)]
    effort: Effort,
    #[command(flatten)]
    place: Place,
}

/// Name of the file of results.
pub const FILE: &str = "dynamics.jsonl";
/// Of methods without a network.
pub const PLAIN: &str = "dynamics-plain.jsonl";

/// A line of results.
pub type Line = courses::Line<Dynamics>;

/// A line of results of a method without a network; the error is in Å².
pub type PlainLine = courses::PlainLine<Dynamics, Method, f64>;

/// The G-Hyena that the others are matched with.
fn g_hyena() -> GHyena {
    GHyena {
        neighbours: 16,
        templates: false,
        ..small()
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
        let models = chosen(&self.models, &Model::ARCHITECTURES);
        let mut courses = Vec::new();
        let effort = &self.effort;
        for seed in 1..=effort.seeds {
            for data in all {
                for &velocity in &self.velocities {
                    let task = self.task(data, velocity);
                    for &model in &models {
                        courses.push(effort.course(&task, data, model, &g_hyena(), seed)?);
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
    refuse_no_lag(options.lag)?;
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
    let tasks = options.velocities.iter().map(|v| options.task(data, *v));
    let all: Vec<(Dynamics, Method)> = tasks
        .flat_map(|task| Method::ALL.map(|method| (task.clone(), method)))
        .collect();
    let test = |task: &Dynamics, method: Method| method.test(data, task.velocity);
    courses::run_plain(PLAIN, &options.place, &all, test, |line| {
        let (task, title) = (line.task.describe(), line.method.title());
        format!("{task}, {title}: {:.4} Å²", line.test)
    })
}
