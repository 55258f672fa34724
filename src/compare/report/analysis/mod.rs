//! The report of a run by itself: a page for people, files for programs, structures for viewers.

mod figures;
mod lists;
mod over_time;
mod page;
mod structures;

use std::path::{Path, PathBuf};

use nalgebra::Vector3;
use serde_json::{Map, Value, json};

pub use structures::Representatives;

use super::{FIGURES, JSON, PAGE, RunLog, Side, files, provenance, refuse};
use crate::compare::analysis::Analysis;
use crate::compare::row::Looker;
use crate::files::write_atomically;
use crate::{Error, Result};

/// Everything that goes into the report.
#[derive(Debug)]
pub struct AnalysisReport<'a> {
    /// What was read.
    pub run: Side,
    /// What a user should know. One line each.
    pub notes: Vec<String>,
    /// The numbers.
    pub analysis: &'a Analysis,
    /// What was looked at.
    pub looker: &'a Looker,
    /// The frame nearest to the mean, and those in the middle of clusters.
    pub representatives: Representatives,
    /// The run's log, where there is one.
    pub log: Option<RunLog>,
    /// The command that made the report.
    pub command: String,
    /// When: see [`super::Report::now`].
    pub date: String,
    /// A viewer of molecules (JavaScript) for the page, where one was given.
    pub viewer: Option<String>,
    /// Evenly spaced frames for it; see [`super::ensemble`].
    pub ensemble: Vec<Vec<Vector3<f64>>>,
}

/// Names of further files in the report's folder: the summary of quantities, then lists.
const FILES: [&str; 7] = [
    "metrics.csv",
    "frames.csv",
    "residues.csv",
    "contacts.csv",
    "hydrogen_bonds.csv",
    "rmsf.pdb",
    "clusters.pdb",
];

fn outputs(folder: &Path) -> Vec<PathBuf> {
    let names = [PAGE, JSON].into_iter().chain(FILES);
    names.map(|name| folder.join(name)).collect()
}

/// Refuses a folder that holds a report, unless it may be replaced, and one that cannot be made.
///
/// # Errors
/// [`Error::Output`] naming the file that exists.
pub fn refuse_existing_analysis(folder: &Path, overwrite: bool) -> Result<()> {
    refuse(folder, &outputs(folder), overwrite)
}

impl AnalysisReport<'_> {
    /// All numbers of the report but those of single frames.
    pub fn metrics(&self) -> Value {
        let analysis = self.analysis;
        let shape = analysis.principal.as_ref();
        let slow = analysis.slow.as_ref();
        let clusters = &analysis.clusters;
        let slow = slow.map(|slow| {
            json!({
                "lag_ps": slow.lag,
                "eigenvalues": slow.eigenvalues,
                "times_ps": slow.times,
            })
        });
        json!({
            "provenance": self.provenance(),
            "sentence": analysis.sentence(),
            "quantities": self.quantities(),
            "residues": lists::residues_json(self),
            "contacts": lists::contacts_json(self),
            "hydrogen_bonds": lists::bonds_json(self),
            "clusters": {
                "cutoff_A": clusters.cutoff,
                "mean_pairwise_rmsd_A": finite(clusters.pairwise),
                "shares": clusters.shares(),
                "left_over": clusters.left_over(),
                "representatives": self.representatives.places(),
            },
            "principal_components": shape.map(|shape| json!({ "shares": shape.shares })),
            "slow_components": slow,
            "sampling": analysis.sampling,
            "notes": self.notes,
        })
    }

    fn provenance(&self) -> Value {
        json!({
            "program": "mdsurrogate",
            "version": env!("CARGO_PKG_VERSION"),
            "date": self.date,
            "command": self.command,
            "sequence": provenance::sequence(&self.looker.topology),
            "molecule": super::molecule(self.looker),
            "run": provenance::side(&self.run),
        })
    }

    /// By name: definition, mean, convergence.
    fn quantities(&self) -> Value {
        let convergence = &self.analysis.convergence.quantities;
        let mut all = Map::new();
        for (quantity, known) in self.analysis.quantities.iter().zip(convergence) {
            let mut of = json!(known);
            let meaning = json!(quantity.meaning);
            if let (Value::Object(of), Value::Object(meaning)) = (&mut of, meaning) {
                of.extend(meaning);
            }
            all.insert(quantity.meaning.name.to_owned(), of);
        }
        Value::Object(all)
    }

    /// Writes the page and the other files into a folder, which is made; says which files.
    ///
    /// # Errors
    /// [`Error::Output`] where one cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).map_err(|source| Error::writing(folder, &source))?;
        let mut written = outputs(folder);
        files::write_json(&written[1], &self.metrics())?;
        let texts = [
            lists::summary(self),
            lists::frames(self),
            lists::residues(self),
            lists::contacts(self),
            lists::bonds(self),
        ];
        for (path, text) in written[2..].iter().zip(texts) {
            write_text(path, &text)?;
        }
        self.representatives
            .write(&written[7], &written[8], self.analysis, self.looker)?;
        let figures = figures::figures(self);
        let drawn = files::write_figures(&folder.join(FIGURES), &figures)?;
        write_text(&written[0], &page::page(self, figures))?;
        written.extend(drawn);
        Ok(written)
    }
}

fn write_text(path: &Path, text: &str) -> Result<()> {
    write_atomically(path, |file| {
        std::io::Write::write_all(file, text.as_bytes())
    })
}

/// A number that JSON can hold.
fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}
