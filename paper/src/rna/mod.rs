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

use crate::courses::{self, Effort, Place};
use crate::models::{Model, chosen, small};
use crate::training::{Course, Problem};
use data::{Data, FOLDS};

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
    #[command(flatten)]
    effort: Effort,
    #[command(flatten)]
    place: Place,
}

/// Name of the file of results.
pub const FILE: &str = "rna.jsonl";
/// Of methods without a network.
pub const PLAIN: &str = "rna-plain.jsonl";

/// A line of results.
pub type Line = courses::Line<Rna>;

/// A line of results of a method without a network, with the error of every column.
pub type PlainLine = courses::PlainLine<Rna, Method, Vec<f64>>;

/// The G-Hyena that the others are matched with.
fn g_hyena() -> GHyena {
    GHyena {
        reach: 18.0,
        neighbours: 16,
        templates: false,
        refine: false,
        ..small()
    }
}

impl Options {
    fn task(&self, data: &Data, fold: usize, view: View) -> Result<Rna> {
        let task = Rna {
            data: data.hash.clone(),
            columns: data.columns.clone(),
            fold,
            view,
        };
        task.check()?;
        Ok(task)
    }

    fn models(&self, view: View) -> Vec<Model> {
        let all: &[Model] = match view {
            View::Backbone => &Model::ARCHITECTURES,
            // the others have nothing to see without coordinates
            View::Sequence => &[Model::Transformer, Model::Hyena],
        };
        chosen(&self.models, all)
    }

    /// All trainings: one fold after the other.
    fn courses(&self, data: &Data) -> Result<Vec<Course<Rna>>> {
        let mut courses = Vec::new();
        let effort = &self.effort;
        for seed in 1..=effort.seeds {
            for &fold in &self.folds {
                for &view in &self.views {
                    let task = self.task(data, fold, view)?;
                    for model in self.models(view) {
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
    let mut all = Vec::new();
    for &fold in &options.folds {
        let task = options.task(data, fold, View::Sequence)?;
        all.extend(Method::ALL.map(|method| (task.clone(), method)));
    }
    let test = |task: &Rna, method: Method| method.test(task, data);
    courses::run_plain(PLAIN, &options.place, &all, test, |line| {
        let (fold, title) = (line.task.fold, line.method.title());
        format!("fold {fold}, {title}: {:.4?}", line.test)
    })
}
