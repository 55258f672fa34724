//! A file that a run has written once and that must still be there, as it was, when it goes on: its
//! topology, without which its trajectory means nothing. The temperature factors, which the end of
//! a run sets, do not count.

use std::path::PathBuf;

use serde_json::Value;

use super::{Observer, REPLACED, Record};
use crate::error::Place;
use crate::structure::Frame;
use crate::{Error, Result};

/// Holds a resumed run to a file: its CRC-32 stands in the checkpoint. Comes behind all other
/// observers, so that the checkpoints of before there was one are still read.
#[derive(Debug)]
pub struct Unchanged {
    path: PathBuf,
    sum: Option<u32>,
}

impl Unchanged {
    /// Of a file that is there before the first checkpoint is made.
    pub fn new(path: PathBuf) -> Self {
        Unchanged { path, sum: None }
    }

    /// The CRC-32 of its atoms, as far as their positions; `whole` is that of all bytes, which the
    /// checkpoints of before temperature factors were set have.
    fn sum_now(&self, whole: bool) -> Result<u32> {
        let bytes =
            std::fs::read(&self.path).map_err(|source| Error::reading(&self.path, &source))?;
        if whole {
            return Ok(crc32fast::hash(&bytes));
        }
        let mut sum = crc32fast::Hasher::new();
        for line in bytes.split(|&byte| byte == b'\n') {
            let is_atom = line.starts_with(b"ATOM") || line.starts_with(b"HETATM");
            let end = if is_atom { POSITIONS } else { line.len() };
            sum.update(&line[..end.min(line.len())]);
            sum.update(b"\n");
        }
        Ok(sum.finalize())
    }
}

/// Columns of a PDB file's atom up to the end of its position.
const POSITIONS: usize = 54;
/// What a checkpoint calls the sum of the atoms.
const ATOMS: &str = "crc32 of atoms";

impl Observer for Unchanged {
    fn observe(&mut self, _frame: &Frame, _record: &mut Record) -> Result<()> {
        Ok(())
    }

    fn state(&mut self) -> Result<Value> {
        // a device (a full disk in a test) has no content
        if self.sum.is_none() && self.path.is_file() {
            self.sum = Some(self.sum_now(false)?);
        }
        Ok(self
            .sum
            .map_or(Value::Null, |sum| serde_json::json!({ ATOMS: sum })))
    }

    fn restore(&mut self, state: &Value, _frame: &Frame) -> Result<()> {
        let now = match (state.as_u64(), state.get(ATOMS).and_then(Value::as_u64)) {
            (Some(then), _) => (then, self.sum_now(true)?),
            (None, Some(then)) => (then, self.sum_now(false)?),
            (None, None) => return Ok(()),
        };
        if now.0 == u64::from(now.1) {
            return Ok(());
        }
        Err(Error::input(
            Place::file(&self.path),
            "is not as the run wrote it",
            REPLACED,
        ))
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
