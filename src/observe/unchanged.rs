//! A file that a run has written once and that must still be there, as it was, when it goes on: its
//! topology, without which its trajectory means nothing.

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

    fn sum_now(&self) -> Result<u32> {
        let bytes =
            std::fs::read(&self.path).map_err(|source| Error::reading(&self.path, &source))?;
        Ok(crc32fast::hash(&bytes))
    }
}

impl Observer for Unchanged {
    fn observe(&mut self, _frame: &Frame, _record: &mut Record) -> Result<()> {
        Ok(())
    }

    fn state(&mut self) -> Result<Value> {
        // a device (a full disk in a test) has no content
        if self.sum.is_none() && self.path.is_file() {
            self.sum = Some(self.sum_now()?);
        }
        Ok(self.sum.into())
    }

    fn restore(&mut self, state: &Value, _frame: &Frame) -> Result<()> {
        let Some(then) = state.as_u64() else {
            return Ok(());
        };
        if self.sum.is_none() {
            self.sum = Some(self.sum_now()?);
        }
        if self.sum.map(u64::from) == Some(then) {
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
