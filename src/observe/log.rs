//! The CSV log: a row each time that it observes, the columns of OpenMM's StateDataReporter first,
//! then our own.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use super::{Observer, REPLACED, Record, energy, equivariance, geometry, shape};
use crate::error::Place;
use crate::structure::Frame;
use crate::{Error, Result};

/// Number of the step.
pub const STEP: &str = "Step";
/// Physical time, ps.
pub const TIME: &str = "Time (ps)";
/// Physical time per wall time since the program started, ns/day.
pub const SPEED: &str = "Speed (ns/day)";

/// Jumps of this replica that were drawn again so far.
pub const REDRAWN: &str = "Jumps drawn again";
/// Jumps of this replica so far whose corrector did not do what it should.
pub const UNCORRECTED: &str = "Corrector failures";
/// Mean number of steps of dynamics that corrected a jump of this replica so far; of a jump whose
/// first try was thrown apart, those of both tries.
pub const CORRECTION: &str = "Corrector steps a jump";

/// All columns, in order. What a record does not hold is `n/a`.
pub const COLUMNS: [&str; 22] = [
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
    REDRAWN,
    UNCORRECTED,
    CORRECTION,
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
    /// Those that the file has: of one that is gone on with, those that it was begun with.
    columns: Vec<&'static str>,
    bytes: u64,
    /// CRC-32 of these bytes.
    sum: crc32fast::Hasher,
    speed: Speed,
}

impl CsvLog {
    /// A log at `path`; the file is made when the first frame comes.
    pub fn new(path: PathBuf) -> Self {
        CsvLog {
            path,
            file: None,
            columns: COLUMNS.to_vec(),
            bytes: 0,
            sum: crc32fast::Hasher::new(),
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
            self.columns = COLUMNS.to_vec();
            let quoted = COLUMNS.map(|column| format!("\"{column}\""));
            let header = format!("#{}\n", quoted.join(","));
            file.write_all(header.as_bytes())?;
            self.bytes += header.len() as u64;
            self.sum.update(header.as_bytes());
        }
        file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        self.sum.update(line.as_bytes());
        Ok(())
    }

    /// The first bytes of the file, as far as the checkpoint counts them.
    fn read_back(&self) -> std::io::Result<Vec<u8>> {
        let mut there = Vec::new();
        File::open(&self.path)?
            .take(self.bytes)
            .read_to_end(&mut there)?;
        Ok(there)
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
        let cells = self.columns.iter().map(|name| cell(name, frame, record));
        let line = cells.collect::<Vec<_>>().join(",") + "\n";
        let written = self.append(&line);
        self.wrote(written)
    }

    fn state(&mut self) -> Result<Value> {
        if let Some(file) = self.file.as_ref().filter(|_| self.path.is_file()) {
            self.wrote(file.sync_data())?;
        }
        Ok(json!([self.bytes, self.sum.clone().finalize()]))
    }

    fn restore(&mut self, state: &Value, _frame: &Frame) -> Result<()> {
        let refuse = |what: String| Error::input(Place::file(&self.path), what, REPLACED);
        // a number alone, without the sum, stands in checkpoints of before there was one
        let bytes = state.as_u64().or_else(|| state.get(0)?.as_u64());
        let sum = state.get(1).and_then(Value::as_u64);
        self.bytes =
            bytes.ok_or_else(|| refuse("the checkpoint's record of it is broken".to_owned()))?;
        self.sum = crc32fast::Hasher::new();
        if self.bytes == 0 || !(self.path.is_file() || self.file.is_some()) {
            return match self.bytes {
                0 => Ok(()),
                _ => Err(refuse(
                    "is gone, but the checkpoint goes on with it".to_owned(),
                )),
            };
        }
        let there = self.wrote(self.read_back())?;
        if (there.len() as u64) < self.bytes {
            return Err(refuse(format!(
                "holds {} bytes, the checkpoint goes on behind {}",
                there.len(),
                self.bytes
            )));
        }
        self.sum.update(&there);
        if sum.is_some_and(|sum| sum != u64::from(self.sum.clone().finalize())) {
            return Err(refuse("is not as the run left it".to_owned()));
        }
        let names = there
            .split(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        let names = String::from_utf8_lossy(names);
        self.columns = COLUMNS.to_vec();
        self.columns
            .retain(|column| names.contains(&format!("\"{column}\"")));
        let cut = self.cut();
        self.wrote(cut)
    }

    fn finish(&mut self) -> Result<()> {
        self.state().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_gone_on_with_keeps_its_columns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.csv");
        // as it was before the last two columns came
        let columns = COLUMNS[..19].iter().map(|name| format!("\"{name}\""));
        let old = format!("#{}\n", columns.collect::<Vec<_>>().join(","));
        std::fs::write(&path, &old).unwrap();
        let mut log = CsvLog::new(path.clone());
        log.restore(&old.len().into(), &Frame::default()).unwrap();
        log.observe(&Frame::default(), &mut Record::default())
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let cells = |line: usize| text.lines().nth(line).unwrap().split(',').count();
        assert_eq!((cells(0), cells(1)), (19, 19), "{text}");
    }
}
