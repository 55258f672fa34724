//! The report of a comparison: a page for people, files for programs, a table for the terminal.

mod card;
mod figures;
mod files;
mod html;
mod plots;
mod runlog;
mod table;

use std::path::{Path, PathBuf};

pub use card::{CaseReport, card, leaderboard, measures_of};
pub use runlog::RunLog;
pub use table::{aligned, table};

use super::gather::Series;
use super::measures::Findings;
use super::row::Looker;
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
    /// Time between frames that were looked at, ps, where it is known.
    pub time_step: Option<f64>,
    /// Time of all frames together, ps, where it is known.
    pub time: Option<f64>,
    /// Whether molecules had to be made whole.
    pub made_whole: bool,
}

impl Side {
    /// What was read.
    pub fn new(sources: &[Source], series: &Series) -> Self {
        Side {
            files: sources.iter().map(|source| source.path.clone()).collect(),
            frames: series.frames,
            stride: series.stride,
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
                words += &format!(
                    ", {} ps apart",
                    table::number(Some(step / self.stride as f64))
                )
            }
            None if self.time.is_some() => words += ", replicas of different time steps",
            None => words += ", times not known or not evenly spaced",
        }
        if let Some(time) = self.time {
            words += &format!(", {} in all", table::duration(time));
        }
        if self.stride > 1 {
            words += &format!(
                "; one in {} was looked at, to stay within memory",
                self.stride
            );
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
}

/// Names of the files in the report's folder.
const PAGE: &str = "index.html";
const JSON: &str = "metrics.json";
const CSV: &str = "metrics.csv";
const TORSIONS: &str = "torsions.csv";

impl Report<'_> {
    /// What was compared, in words.
    pub fn molecule(&self) -> String {
        let topology = &self.looker.topology;
        let count = |number: usize, one: &str| {
            format!("{number} {one}{}", if number == 1 { "" } else { "s" })
        };
        let parts = [
            count(topology.chains.len(), "chain"),
            count(topology.residues.len(), "residue"),
            count(topology.len(), "heavy atom"),
            count(self.looker.torsions.len(), "torsion"),
        ];
        let trace = if self.looker.trace.len() == topology.len() {
            "all heavy atoms"
        } else {
            "Cα"
        };
        format!("{}; superposed on {trace}", parts.join(", "))
    }

    /// Writes the page and the files for programs into a folder, which is made; says which files.
    ///
    /// # Errors
    /// [`Error::Output`] where one cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).map_err(|source| Error::writing(folder, &source))?;
        let [page, json, csv, torsions] = outputs(folder);
        let each: Vec<_> = self
            .findings
            .angles
            .torsions
            .iter()
            .map(|torsion| torsion.measure.clone())
            .collect();
        files::write_json(&json, &self.findings.measures)?;
        files::write_csv(&csv, &self.findings.measures)?;
        files::write_csv(&torsions, &each)?;
        let text = html::page(self);
        write_atomically(&page, |file| {
            std::io::Write::write_all(file, text.as_bytes())
        })?;
        Ok(vec![page, json, csv, torsions])
    }
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
    refuse_existing(outputs(folder).iter().map(PathBuf::as_path), overwrite)
}
