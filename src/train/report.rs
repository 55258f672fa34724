//! What a training tells: a table of its losses, and a progress bar on a terminal or plain lines
//! elsewhere.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::config::Budget;
use crate::error::printable;
use crate::task::jump::BANDS;
use crate::{Error, Result, files};

/// One row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Updates made.
    pub update: u64,
    /// Minutes spent.
    pub minutes: f64,
    /// Learning rate of the last update.
    pub learning_rate: f64,
    /// Mean training loss since the last row.
    pub training_loss: f64,
    /// Mean norm of the gradient before clipping since the last row.
    pub gradient_norm: f64,
    /// Validation loss, where there is a validation set.
    pub validation_loss: Option<f64>,
    /// Validation loss of each band of noise levels that has samples.
    pub bands: Vec<Option<f64>>,
}

/// The table of losses, one row a validation (CSV).
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    lines: Vec<String>,
}

impl Table {
    /// A table at `path` with columns for `bands` bands, going on behind the rows up to `update` of
    /// the one that is there.
    ///
    /// # Errors
    /// [`Error::Input`] where the one that is there cannot be read.
    pub fn resume(path: &Path, bands: usize, update: u64) -> Result<Self> {
        let mut header =
            "Update,Time (min),Learning rate,Training loss,Gradient norm,Validation loss"
                .to_owned();
        for edges in BANDS.windows(2).take(bands) {
            header += &format!(",Validation loss {}-{} A", edges[0], edges[1]);
        }
        let mut lines = vec![header];
        if update > 0 && path.is_file() {
            let text =
                std::fs::read_to_string(path).map_err(|source| Error::reading(path, &source))?;
            let kept = |line: &&str| {
                line.split(',')
                    .next()
                    .and_then(|word| word.parse::<u64>().ok())
                    .is_some_and(|u| u <= update)
            };
            lines.extend(text.lines().skip(1).filter(kept).map(str::to_owned));
        }
        Ok(Table {
            path: path.to_owned(),
            lines,
        })
    }

    /// Adds a row and writes the table.
    ///
    /// # Errors
    /// [`Error::Output`] naming the file.
    pub fn add(&mut self, row: &Row) -> Result<()> {
        let known =
            |value: Option<f64>| value.map_or("n/a".to_owned(), |value| format!("{value:.6}"));
        let mut line = format!(
            "{},{:.2},{:.4e},{:.6},{:.4},{}",
            row.update,
            row.minutes,
            row.learning_rate,
            row.training_loss,
            row.gradient_norm,
            known(row.validation_loss)
        );
        row.bands
            .iter()
            .for_each(|&loss| line += &format!(",{}", known(loss)));
        self.lines.push(line);
        files::write_atomically(&self.path, |file| {
            self.lines
                .iter()
                .try_for_each(|line| writeln!(file, "{line}"))
        })
    }
}

/// Where a training tells how it goes: a bar on a terminal, a line at every row elsewhere, nothing
/// when quiet.
pub struct Reporter {
    bar: ProgressBar,
    quiet: bool,
    budget: Budget,
}

/// Ticks of the bar.
const TICKS: u64 = 1000;

impl Reporter {
    /// A reporter to stderr.
    pub fn new(budget: Budget, quiet: bool) -> Self {
        let bar = if quiet || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(TICKS)
        };
        let style = ProgressStyle::with_template("{bar:30} {percent}% {msg}")
            .expect("a template of indicatif's own fields");
        bar.set_style(style);
        Reporter { bar, quiet, budget }
    }

    /// A line of words.
    pub fn say(&self, line: &str) {
        if self.quiet {
        } else if self.bar.is_hidden() {
            // whoever read it may be gone: no reason to end a training
            let _ = writeln!(std::io::stderr(), "{}", printable(line));
        } else {
            self.bar.println(printable(line));
        }
    }

    /// The state after an update: updates, minutes in all, running training loss, and this run's
    /// share of both.
    pub fn tick(&self, update: u64, minutes: f64, spent: f64, speed: f64, loss: f64) {
        if self.bar.is_hidden() {
            return;
        }
        let left = match self.budget {
            Budget::Updates(updates) => updates.saturating_sub(update) as f64 / speed.max(1e-9),
            Budget::Minutes(budget) => (budget - minutes).max(0.0),
        };
        let left = indicatif::HumanDuration(Duration::from_secs_f64(60.0 * left.min(1e7)));
        self.bar.set_position((TICKS as f64 * spent) as u64);
        self.bar.set_message(format!(
            "update {update}, loss {loss:.4}, {:.1} updates/s, {left} left",
            speed / 60.0
        ));
    }

    /// A row of the table.
    pub fn row(&self, row: &Row) {
        let validation = row
            .validation_loss
            .map_or(String::new(), |loss| format!(", validation {loss:.4}"));
        let bands: String = row
            .bands
            .iter()
            .map(|band| band.map_or(" -".to_owned(), |loss| format!(" {loss:.3}")))
            .collect();
        let bands = if bands.is_empty() {
            bands
        } else {
            format!(" (by noise level{bands})")
        };
        self.say(&format!(
            "update {}, {:.1} min: loss {:.4}{validation}{bands}, learning rate {:.1e}",
            row.update, row.minutes, row.training_loss, row.learning_rate
        ));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_table_goes_on_behind_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.csv");
        let row = |update, loss| Row {
            update,
            minutes: 0.5,
            learning_rate: 1e-3,
            training_loss: loss,
            gradient_norm: 1.0,
            validation_loss: None,
            bands: vec![Some(0.25), None],
        };
        let mut table = Table::resume(&path, 2, 0).unwrap();
        (1..=3).for_each(|i| table.add(&row(10 * i, 0.5)).unwrap());
        Table::resume(&path, 2, 20)
            .unwrap()
            .add(&row(30, 0.75))
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[0].split(',').skip(5).collect::<Vec<_>>(),
            [
                "Validation loss",
                "Validation loss 0.005-0.03 A",
                "Validation loss 0.03-0.1 A"
            ]
        );
        assert_eq!(
            lines[3],
            "30,0.50,1.0000e-3,0.750000,1.0000,n/a,0.250000,n/a"
        );
    }
}
