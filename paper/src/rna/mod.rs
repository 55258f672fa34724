//! `paper rna`: numbers of every nucleotide of an RNA, from an idealised structure in space or from
//! the sequence alone.

mod data;
mod fold;
mod helix;
mod place;
mod plain;
mod task;

pub use plain::Method;
pub use task::{Rna, View};

use std::path::PathBuf;

use clap::Args;
use mdsurrogate::Result;
use mdsurrogate::network::GHyena;
use serde::{Deserialize, Serialize};

use crate::courses::{self, Place};
use crate::models::Model;
use crate::results::{append, commit, read};
use crate::training::{Course, Problem};
use data::{Data, FOLDS, RNA};

/// What `paper rna` is told.
#[derive(Debug, Args)]
pub struct Options {
    /// The training set of OpenVaccine with its folds (.jsonl or .jsonl.gz), or of Ribonanza (.csv)
    #[arg(long)]
    data: PathBuf,
    /// Secondary structures of Ribonanza's sequences: a table `sequence,structure`
    #[arg(long)]
    structures: Option<PathBuf>,
    /// Folds that are tested on
    #[arg(long, value_delimiter = ',', default_value = "0,1,2,3,4")]
    folds: Vec<usize>,
    /// What networks see
    #[arg(long, value_delimiter = ',', default_value = "backbone,sequence")]
    views: Vec<View>,
    /// Models [default: all architectures of the backbone; transformer and hyena of sequences]
    #[arg(long, value_delimiter = ',')]
    models: Vec<Model>,
    /// Seeds, 1 to this
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Epochs of the RNAs of three folds
    #[arg(long, default_value_t = 20)]
    epochs: u64,
    /// RNAs of an update
    #[arg(long, default_value_t = 8)]
    batch: u64,
    /// Highest learning rate
    #[arg(long, default_value_t = 3e-3)]
    learning_rate: f64,
    #[command(flatten)]
    place: Place,
}

/// Name of the file of results.
pub const FILE: &str = "rna.jsonl";
/// Of methods without a network.
pub const PLAIN: &str = "rna-plain.jsonl";

/// A line of results.
pub type Line = courses::Line<Rna>;

/// A line of results of a method without a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlainLine {
    /// The commit that measured it.
    pub commit: String,
    /// The problem.
    pub task: Rna,
    /// How it was answered.
    pub method: Method,
    /// Mean squared error on the test fold, of every column.
    pub test: Vec<f64>,
}

/// The G-Hyena that the others are matched with.
fn g_hyena() -> GHyena {
    GHyena {
        scalars: 32,
        vectors: 8,
        pair: 16,
        layers: 2,
        reach: 18.0,
        neighbours: 16,
        templates: false,
        refine: false,
        ..GHyena::default()
    }
}

impl Options {
    fn task(&self, data: &Data, fold: usize, view: View) -> Rna {
        Rna {
            data: data.hash.clone(),
            columns: data.columns.clone(),
            fold,
            view,
        }
    }

    fn models(&self, view: View) -> Vec<Model> {
        if !self.models.is_empty() {
            return self.models.clone();
        }
        match view {
            View::Backbone => Model::ARCHITECTURES.to_vec(),
            // the others have nothing to see without coordinates
            View::Sequence => vec![Model::Transformer, Model::Hyena],
        }
    }

    /// All trainings: one fold after the other.
    fn courses(&self, data: &Data) -> Result<Vec<Course<Rna>>> {
        let mut courses = Vec::new();
        for seed in 1..=self.seeds {
            for &fold in &self.folds {
                for &view in &self.views {
                    let task = self.task(data, fold, view);
                    task.check()?;
                    for model in self.models(view) {
                        let interface = task.interface();
                        courses.push(Course {
                            updates: (self.epochs * task.epoch(data)).div_ceil(self.batch),
                            task: task.clone(),
                            model,
                            architecture: model.for_molecules(&g_hyena(), &interface, &RNA)?,
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
    let data = Data::load(&options.data, options.structures.as_deref())?;
    let folds = (0..FOLDS).map(|fold| data.of_folds(|own| own == fold).len());
    eprintln!(
        "{} RNAs, {:?} in the folds",
        data.all.len(),
        folds.collect::<Vec<_>>()
    );
    if !options.place.estimate {
        without_networks(options, &data)?;
    }
    courses::run(FILE, &options.place, &options.courses(&data)?, |_| &data)
}

fn without_networks(options: &Options, data: &Data) -> Result<()> {
    let file = options.place.results.join(PLAIN);
    let done: Vec<PlainLine> = read(&file)?;
    for &fold in &options.folds {
        let task = options.task(data, fold, View::Sequence);
        task.check()?;
        for method in Method::ALL {
            if done
                .iter()
                .any(|line| line.task == task && line.method == method)
            {
                continue;
            }
            let line = PlainLine {
                commit: commit(),
                test: method.test(&task, data)?,
                task: task.clone(),
                method,
            };
            eprintln!("fold {fold}, {}: {:.4?}", method.title(), line.test);
            append(&file, &line)?;
        }
    }
    Ok(())
}
