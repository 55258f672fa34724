//! Observers: what writes a run down and what watches it.

pub mod drift;
pub mod energy;
pub mod equivariance;
mod geometry;
mod journal;
mod log;
mod progress;
mod shape;
mod unchanged;
mod writer;

pub use energy::EnergyMonitor;
pub use equivariance::{EquivarianceMonitor, Probe};
pub use geometry::GeometryGuard;
pub use journal::{Console, Journal};
pub use log::{COLUMNS, CORRECTION, CsvLog, REDRAWN, UNCORRECTED};
pub use progress::Progress;
pub(crate) use progress::three_digits;
pub use shape::{Moves, Shape};
pub use unchanged::Unchanged;
pub use writer::TrajectoryWriter;

use serde_json::Value;

use crate::Result;
use crate::structure::Frame;

/// What to do about a file that is not what a checkpoint goes on with.
const REPLACED: &str = "put the file back as it was, or start over with --fresh";

/// The numbers of one logged step, in column order. `None` is written `n/a`: what cannot be known
/// is never 0.
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
        self.values
            .push((column, value.filter(|value| value.is_finite())));
    }
    /// Adds words.
    pub fn say(&mut self, column: &'static str, words: impl Into<String>) {
        self.words.push((column, words.into()));
    }
    /// The number in a column.
    pub fn get(&self, column: &str) -> Option<f64> {
        self.values
            .iter()
            .find(|(name, _)| *name == column)
            .and_then(|(_, value)| *value)
    }
}

/// Watches one replica of a run, or writes it down. Observers run in the order in which they were
/// added: monitors first, which add their numbers to the record; writers last, which write it.
///
/// One that counts the frames that it sees:
///
/// ```
/// use mdsurrogate::observe::{Observer, Record};
/// use mdsurrogate::structure::Frame;
///
/// struct Count(u32);
///
/// impl Observer for Count {
///     fn observe(&mut self, _: &Frame, record: &mut Record) -> mdsurrogate::Result<()> {
///         self.0 += 1;
///         record.put("Frames", Some(self.0.into()));
///         Ok(())
///     }
///     fn finish(&mut self) -> mdsurrogate::Result<()> {
///         Ok(())
///     }
/// }
///
/// let mut record = Record::default();
/// let mut count = Count(0);
/// count.observe(&Frame::default(), &mut record)?;
/// assert_eq!(record.get("Frames"), Some(1.0));
/// # Ok::<(), mdsurrogate::Error>(())
/// ```
///
/// [`Simulation::watch`](crate::simulate::Simulation::watch) adds it to a run.
pub trait Observer: Send {
    /// Sees a frame.
    ///
    /// # Errors
    /// [`crate::Error::Guard`] where the frame is not physical, [`crate::Error::Output`] where it
    /// cannot be written.
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> Result<()>;

    /// What it needs to go on from here. A file that it writes is on the disk as far as this says.
    ///
    /// # Errors
    /// [`crate::Error::Output`] where the disk refuses.
    fn state(&mut self) -> Result<Value> {
        Ok(Value::Null)
    }

    /// Goes back to a state and the frame of that moment: in a resumed run before its first step,
    /// in a running one when a guard takes it back to its last checkpoint.
    ///
    /// # Errors
    /// [`crate::Error::Input`] where a file does not reach as far as the state says,
    /// [`crate::Error::Output`] where it cannot be cut.
    fn restore(&mut self, _state: &Value, _frame: &Frame) -> Result<()> {
        Ok(())
    }

    /// What the run's summary says of it: a name and its findings.
    fn results(&self) -> Option<(&'static str, Value)> {
        None
    }

    /// Closes files and states results; called once, also after a guard stopped the run.
    ///
    /// # Errors
    /// [`crate::Error::Output`] where the disk refuses.
    fn finish(&mut self) -> Result<()>;
}
