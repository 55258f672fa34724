//! The CSV log: a row each time that it observes, the columns of OpenMM's StateDataReporter first,
//! then our own.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;

use super::{Observer, Record, energy, equivariance, geometry, shape};
use crate::error::Place;
use crate::structure::Frame;
use crate::{Error, Result};

/// Number of the step.
pub const STEP: &str = "Step";
/// Physical time, ps.
pub const TIME: &str = "Time (ps)";
/// Physical time per wall time since the program started, ns/day.
pub const SPEED: &str = "Speed (ns/day)";

/// All columns, in order. What a record does not hold is `n/a`.
pub const COLUMNS: [&str; 19] = [
    STEP,
    TIME,
    energy::POTENTIAL,
    energy::KINETIC,
    energy::TOTAL,
    energy::TEMPERATURE,
    SPEED,
    energy::CONSERVED,
    energy::DRIFT,
    energy::DRIFT_ERROR,
    equivariance::ERROR,
    shape::LARGEST_MOVE,
    geometry::WORST_BOND,
    geometry::WORST_BOND_ATOMS,
    geometry::CLASHES,
    geometry::FLIPS,
    geometry::CIS,
    shape::RMSD,
    shape::RG,
];

/// Measures the speed of a run.
#[derive(Debug, Default)]
pub struct Speed {
    start: Option<(Instant, f64)>,
}

impl Speed {
    /// ns/day at physical time `time` (ps) since the first call; `None` at the first.
    pub fn at(&mut self, time: f64) -> Option<f64> {
        let (start, from) = *self.start.get_or_insert((Instant::now(), time));
        let days = start.elapsed().as_secs_f64() / 86_400.0;
        Some((time - from) * 1e-3 / days).filter(|speed| time > from && speed.is_finite())
    }
}

/// Writes `PREFIX.csv`.
pub struct CsvLog {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
    speed: Speed,
}

impl CsvLog {
    /// A log at `path`; the file is made when the first frame comes.
    pub fn new(path: PathBuf) -> Self {
        CsvLog {
            path,
            file: None,
            bytes: 0,
            speed: Speed::default(),
        }
    }

    fn append(&mut self, line: &str) -> std::io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            // a device is not to be truncated
            None => File::options()
                .write(true)
                .create(true)
                .truncate(!self.path.exists() || self.path.is_file())
                .open(&self.path)?,
        };
        let file = self.file.insert(file);
        if self.bytes == 0 {
            let header = format!(
                "#{}\n",
                COLUMNS.map(|column| format!("\"{column}\"")).join(",")
            );
            file.write_all(header.as_bytes())?;
            self.bytes += header.len() as u64;
        }
        file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn cut(&mut self) -> std::io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::options().write(true).open(&self.path)?,
        };
        let file = self.file.insert(file);
        file.set_len(self.bytes)?;
        file.seek(SeekFrom::Start(self.bytes)).map(|_| ())
    }

    fn wrote<T>(&self, result: std::io::Result<T>) -> Result<T> {
        result.map_err(|source| Error::writing(&self.path, &source))
    }
}

/// A cell of the table: the record's number or words, `n/a` where it has none.
fn cell(column: &str, frame: &Frame, record: &Record) -> String {
    if let Some((_, words)) = record.words.iter().find(|(name, _)| *name == column) {
        return format!("\"{}\"", words.replace('"', "'"));
    }
    match column {
        STEP => frame.step.to_string(),
        TIME => frame.time.to_string(),
        _ => record
            .get(column)
            .map_or("n/a".to_owned(), |value| value.to_string()),
    }
}

impl Observer for CsvLog {
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> Result<()> {
        record.put(SPEED, self.speed.at(frame.time));
        let line = COLUMNS.map(|column| cell(column, frame, record)).join(",") + "\n";
        let written = self.append(&line);
        self.wrote(written)
    }

    fn state(&mut self) -> Result<Value> {
        if let Some(file) = self.file.as_ref().filter(|_| self.path.is_file()) {
            self.wrote(file.sync_data())?;
        }
        Ok(self.bytes.into())
    }

    fn restore(&mut self, state: &Value, _frame: &Frame) -> Result<()> {
        let hint = "put the file back where it was, or start over with --fresh";
        let refuse = |what: String| Error::input(Place::file(&self.path), what, hint);
        let bytes = state
            .as_u64()
            .ok_or_else(|| refuse("the checkpoint's record of it is broken".to_owned()))?;
        let there = std::fs::metadata(&self.path).map_or(0, |meta| meta.len());
        if there < bytes {
            return Err(refuse(format!(
                "holds {there} bytes, the checkpoint goes on behind {bytes}"
            )));
        }
        self.bytes = bytes;
        if bytes == 0 {
            return Ok(());
        }
        let cut = self.cut();
        self.wrote(cut)
    }

    fn finish(&mut self) -> Result<()> {
        self.state().map(|_| ())
    }
}
