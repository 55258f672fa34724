//! Observers: what writes a run down and what watches it.

pub mod drift;
pub mod energy;

use crate::Result;
use crate::structure::Frame;

/// The numbers of one logged step, in column order. `None` is written `n/a`: what cannot be known is never 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Column name and value.
    pub values: Vec<(&'static str, Option<f64>)>,
    /// Column name and text, for the few columns that are words (the atoms of the worst bond).
    pub words: Vec<(&'static str, String)>,
}

impl Record {
    /// Adds a number, or `n/a` where it is unknown or not finite.
    pub fn put(&mut self, column: &'static str, value: Option<f64>) {
        self.values.push((column, value.filter(|value| value.is_finite())));
    }
    /// Adds words.
    pub fn say(&mut self, column: &'static str, words: impl Into<String>) {
        self.words.push((column, words.into()));
    }
    /// The number in a column.
    pub fn get(&self, column: &str) -> Option<f64> {
        self.values.iter().find(|(name, _)| *name == column).and_then(|(_, value)| *value)
    }
}

/// Watches one replica of a run, or writes it down. Observers run in the order in which they were added: monitors first, which
/// add their numbers to the record; writers last, which write it.
pub trait Observer {
    /// Sees a frame.
    ///
    /// # Errors
    /// [`crate::Error::Guard`] where the frame is not physical, [`crate::Error::Output`] where it cannot be written.
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> Result<()>;
    /// Closes files and states results; called once, also after a guard stopped the run.
    fn finish(&mut self) -> Result<()>;
}
