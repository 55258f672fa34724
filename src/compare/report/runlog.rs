//! The log of a run (`PREFIX.csv`): what of it belongs on the page.

use std::path::Path;

use crate::compare::beside::beside;
use crate::error::Place;
use crate::{Error, Result};

/// Columns that the page shows, where the log has them.
pub(super) const COLUMNS: [Column; 5] = [
    Column {
        head: "Drift (kJ/mol/ps/atom)",
        title: "Energy drift",
        axis: "drift, kJ/mol/ps/atom",
        words: "Drift of the conserved quantity (of the potential energy in a surrogate’s run), \
                from the run’s log.",
        logarithmic: false,
    },
    Column {
        head: "Equivariance error",
        title: "Equivariance",
        axis: "log₁₀ relative error",
        words: "Relative error of the model under random rotations and translations of the live \
                frame, from the run’s log.",
        logarithmic: true,
    },
    Column {
        head: "Potential Energy (kJ/mole)",
        title: "Potential energy",
        axis: "energy, kJ/mol",
        words: "ff14SB with implicit solvent, from the run’s log.",
        logarithmic: false,
    },
    Column {
        head: "Worst bond (A)",
        title: "Worst bond",
        axis: "deviation, Å",
        words: "Largest deviation of a bond from its template, from the run’s log.",
        logarithmic: false,
    },
    Column {
        head: "Temperature (K)",
        title: "Temperature",
        axis: "temperature, K",
        words: "Kinetic temperature, from the run’s log.",
        logarithmic: false,
    },
];

/// A column of the log on the page.
pub(super) struct Column {
    /// Its name in the log.
    pub head: &'static str,
    /// Title of its figure.
    pub title: &'static str,
    /// What its axis says.
    pub axis: &'static str,
    /// What it is.
    pub words: &'static str,
    /// Whether its decimal logarithm is shown.
    pub logarithmic: bool,
}

/// Numbers of a log, by column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunLog {
    heads: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl RunLog {
    /// That of a run: the one given, else the one beside its trajectory, where there is one that
    /// can be read; a note says where that one cannot.
    ///
    /// # Errors
    /// Those of [`RunLog::read`], for the one given.
    pub fn of_run(
        given: Option<&Path>,
        trajectory: &Path,
        notes: &mut Vec<String>,
    ) -> Result<Option<Self>> {
        if let Some(path) = given {
            return RunLog::read(path).map(Some);
        }
        let Some(path) = beside(trajectory, "csv") else {
            return Ok(None);
        };
        match RunLog::read(&path) {
            Ok(log) => Ok(Some(log)),
            Err(error) => {
                notes.push(format!("not shown: {error}"));
                Ok(None)
            }
        }
    }

    /// Reads a log: a line of column names, then lines of values; what is no number (`n/a`, words)
    /// is NaN.
    ///
    /// # Errors
    /// [`Error::Input`] where the file cannot be read, has no columns, or a line has fewer values
    /// than there are columns.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::reading(path, &source))?;
        let fields = |line: &str| -> Vec<String> {
            line.trim_start_matches('#')
                .split(',')
                .map(|field| field.trim().trim_matches('"').to_owned())
                .collect()
        };
        let mut lines = text.lines();
        let heads = lines.next().map(fields).unwrap_or_default();
        if heads.len() < 2 {
            return Err(Error::input(
                Place::line(path, 1),
                "has no columns",
                "give the CSV that `run` wrote, or leave --log out",
            ));
        }
        let mut rows = Vec::new();
        for (index, line) in lines
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let row: Vec<f64> = fields(line)
                .iter()
                .map(|field| field.parse().unwrap_or(f64::NAN))
                .collect();
            if row.len() < heads.len() {
                let what = format!("has {} values, the file {} columns", row.len(), heads.len());
                return Err(Error::input(
                    Place::line(path, index + 2),
                    what,
                    "the file may be cut short: copy it again",
                ));
            }
            rows.push(row);
        }
        Ok(RunLog { heads, rows })
    }

    fn place(&self, head: &str) -> Option<usize> {
        self.heads.iter().position(|known| known == head)
    }

    /// What the points of [`RunLog::column`] are plotted over; times of a nanosecond and more
    /// become ns, as on the rest of the page.
    pub(super) fn x_label(&self, points: &mut [(f64, f64)]) -> &str {
        let last = points.last().map_or(0.0, |point| point.0);
        match self.place("Time (ps)") {
            Some(_) if last >= 1e3 => {
                points.iter_mut().for_each(|point| point.0 *= 1e-3);
                "time, ns"
            }
            Some(_) => "time, ps",
            None => "row",
        }
    }

    /// What is known of a column over time (over rows where there is none); empty where the log has
    /// no such column.
    pub(super) fn column(&self, head: &str) -> Vec<(f64, f64)> {
        let Some(column) = self.place(head) else {
            return Vec::new();
        };
        let time = self.place("Time (ps)");
        let point = |(index, row): (usize, &Vec<f64>)| {
            (time.map_or(index as f64, |time| row[time]), row[column])
        };
        self.rows
            .iter()
            .enumerate()
            .map(point)
            .filter(|(time, value)| time.is_finite() && value.is_finite())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_and_a_broken_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.csv");
        std::fs::write(
            &path,
            "#\"Step\",\"Time (ps)\",\"Equivariance error\"\n1,20,1e-7\n2,40,n/a\n",
        )
        .unwrap();
        let log = RunLog::read(&path).unwrap();
        let column = log.column("Equivariance error");
        assert_eq!(column, [(20.0, 1e-7)]);
        assert!(log.column("Drift").is_empty());
        assert_eq!(log.x_label(&mut column.clone()), "time, ps");
        let mut long = [(20.0, 1.0), (4000.0, 2.0)];
        assert_eq!((log.x_label(&mut long), long[1].0), ("time, ns", 4.0));
        std::fs::write(&path, "Step,Time (ps)\n1,20\n2").unwrap();
        assert!(
            RunLog::read(&path)
                .unwrap_err()
                .to_string()
                .contains("run.csv:3")
        );
        std::fs::write(&path, "").unwrap();
        assert!(RunLog::read(&path).is_err());
    }
}
