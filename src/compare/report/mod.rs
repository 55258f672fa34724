//! The report of a comparison: a page for people, files for programs, a table for the terminal.

mod analysis;
mod board;
mod card;
mod case;
mod figures;
mod files;
mod html;
mod plots;
mod provenance;
mod runlog;
mod table;
mod view;
mod words;

use std::path::{Path, PathBuf};

pub use analysis::{AnalysisReport, Representatives, refuse_existing_analysis};
pub use board::leaderboard;
pub use card::{Card, card};
pub use case::{CaseReport, measures_of};
pub use runlog::RunLog;
pub use table::{aligned, number, table};
pub use view::{ensemble, load_viewer, viewer_beside};

use nalgebra::Vector3;
use serde_json::{Value, json};

use super::effort::{Effort, Made};
use super::floor::Measure;
use super::gather::Series;
use super::measures::{Findings, TorsionReport};
use super::row::Looker;
use super::sampling::Sampling;
use super::source::Source;
use crate::files::{refuse_existing, write_atomically};
use crate::{Error, Result};

/// What the report says of one side.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// Its trajectories.
    pub files: Vec<PathBuf>,
    /// Frames in them.
    pub frames: usize,
    /// Every how many frames one was looked at.
    pub stride: usize,
    /// Every how many one was to be looked at; a greater stride is for want of memory.
    pub asked: usize,
    /// Time between frames that were looked at, ps, where it is known.
    pub time_step: Option<f64>,
    /// Time of all frames together, ps, where it is known.
    pub time: Option<f64>,
    /// Whether molecules had to be made whole.
    pub made_whole: bool,
    /// What the summary beside each trajectory says of its making, where there is one.
    pub made: Vec<Option<Made>>,
    /// What it cost and what it yields, where all summaries are there.
    pub effort: Option<Effort>,
}

impl Side {
    /// What was read.
    pub fn new(sources: &[Source], series: &Series, sampling: &Sampling) -> Self {
        let made: Vec<Option<Made>> = sources
            .iter()
            .map(|source| Made::beside(&source.path))
            .collect();
        Side {
            effort: Effort::of(&made, series.time(), sampling),
            made,
            files: sources.iter().map(|source| source.path.clone()).collect(),
            frames: series.frames,
            stride: series.stride,
            asked: 1,
            time_step: series.time_step(),
            time: series.time(),
            made_whole: series.made_whole,
        }
    }

    /// In a line: files, frames, times, what was done.
    pub fn describe(&self) -> String {
        let files: Vec<String> = self
            .files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let mut words = format!("{}: {} frames", files.join(", "), self.frames);
        match self.time_step {
            Some(step) => {
                words += &format!(", {} ps apart", number(Some(step / self.stride as f64)));
            }
            None if self.time.is_some() => words += ", replicas of different time steps",
            None => words += ", times not known or not evenly spaced",
        }
        if let Some(time) = self.time {
            words += &format!(", {} in all", table::duration(time));
        }
        if self.stride > 1 {
            words += &format!("; one in {} was looked at", self.stride);
        }
        if self.stride > self.asked {
            words += ", to stay within memory";
        }
        if self.made_whole {
            words += "; molecules broken over the periodic cell were made whole";
        }
        words
    }
}

/// Everything that goes into the report.
#[derive(Debug)]
pub struct Report<'a> {
    /// The run.
    pub run: Side,
    /// The reference.
    pub reference: Side,
    /// What a user should know: atoms not matched, measures not computed.
    pub notes: Vec<String>,
    /// The measures.
    pub findings: &'a Findings,
    /// What was compared.
    pub looker: &'a Looker,
    /// The run's log, where there is one.
    pub log: Option<RunLog>,
    /// The command that made the report, for whoever wants to make it again.
    pub command: String,
    /// When: see [`Report::now`].
    pub date: String,
    /// A viewer of molecules (JavaScript) for the page, where one was given.
    pub viewer: Option<String>,
    /// Frames of run and reference for it; see [`ensemble`].
    pub ensembles: [Vec<Vec<Vector3<f64>>>; 2],
}

/// Names of the files in the report's folder.
const PAGE: &str = "index.html";
const JSON: &str = "metrics.json";
const CSV: &str = "metrics.csv";
const TORSIONS: &str = "torsions.csv";
/// Folder of the figures, as SVG and CSV.
const FIGURES: &str = "figures";

impl Report<'_> {
    /// The time now, as reports say it: `2026-01-31T12:00:00Z`.
    pub fn now() -> String {
        provenance::now()
    }

    /// What is wrong with the run, and where.
    pub fn sentence(&self) -> String {
        words::sentence(self.findings)
    }

    /// How much more the run's processors yield than the reference's, in words, where both costs
    /// are known.
    pub fn gain(&self) -> Option<String> {
        let (run, reference) = (self.run.effort.as_ref()?, self.reference.effort.as_ref()?);
        Some(format!(
            "An hour of one processor gives the run {} times as many independent samples as the \
             reference (median over quantities), and {} times as many of the slowest.",
            number(Some(run.effective_speed / reference.effective_speed)),
            number(Some(run.slowest_speed / reference.slowest_speed))
        ))
    }

    /// All numbers of the report.
    pub fn metrics(&self) -> Value {
        let [run, reference] = &self.findings.sampling;
        json!({
            "provenance": provenance::provenance(self),
            "sentence": self.sentence(),
            "measures": self.findings.measures,
            "torsions": self.torsions(),
            "sampling": { "run": run, "reference": reference },
            "notes": self.notes,
        })
    }

    /// What is asked of every torsion, torsion by torsion.
    fn torsions(&self) -> Vec<&Measure> {
        self.findings
            .angles
            .torsions
            .iter()
            .flat_map(TorsionReport::measures)
            .collect()
    }

    /// Writes the page and the files for programs into a folder, which is made; says which files.
    ///
    /// # Errors
    /// [`Error::Output`] where one cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).map_err(|source| Error::writing(folder, &source))?;
        let [page, json, csv, torsions] = outputs(folder);
        files::write_json(&json, &self.metrics())?;
        files::write_csv(&csv, &self.findings.measures.iter().collect::<Vec<_>>())?;
        files::write_csv(&torsions, &self.torsions())?;
        let figures = figures::figures(self);
        let drawn = files::write_figures(&folder.join(FIGURES), &figures)?;
        let text = html::page(self, figures);
        write_atomically(&page, |file| {
            std::io::Write::write_all(file, text.as_bytes())
        })?;
        Ok([vec![page, json, csv, torsions], drawn].concat())
    }
}

/// What was looked at, in words.
fn molecule(looker: &Looker) -> String {
    let topology = &looker.topology;
    let count =
        |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let parts = [
        count(topology.chains.len(), "chain"),
        count(topology.residues.len(), "residue"),
        count(topology.len(), "heavy atom"),
        count(looker.torsions.len(), "torsion"),
    ];
    let trace = if looker.trace.len() == topology.len() {
        "all heavy atoms"
    } else {
        "Cα"
    };
    format!("{}; superposed on {trace}", parts.join(", "))
}

fn outputs(folder: &Path) -> [PathBuf; 4] {
    [PAGE, JSON, CSV, TORSIONS].map(|name| folder.join(name))
}

/// Refuses a folder that holds a report, unless it may be replaced, and one that cannot be made:
/// before hours of reading, not after.
///
/// # Errors
/// [`Error::Output`] naming the file that exists.
pub fn refuse_existing_report(folder: &Path, overwrite: bool) -> Result<()> {
    refuse(folder, &outputs(folder), overwrite)
}

/// Refuses a folder that cannot be made, and files in it that exist, unless these may be replaced.
fn refuse(folder: &Path, files: &[PathBuf], overwrite: bool) -> Result<()> {
    if let Some(file) = folder
        .ancestors()
        .find(|path| path.exists())
        .filter(|path| !path.is_dir())
    {
        return Err(Error::output(
            file,
            "is a file: the report wants a folder",
            "-o with the name of a folder",
        ));
    }
    refuse_existing(files.iter().map(PathBuf::as_path), overwrite)
}
