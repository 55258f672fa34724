//! Trajectory files: reading XTC, DCD, TRR, Amber NetCDF and multi-model PDB, writing XTC, DCD and
//! TRR. Other formats are read by chemfiles, where that is built in.
//!
//! The binary formats are small and are read and written here, in safe code: a file that is broken
//! is refused with the frame's number, a full disk is an error of the write that met it. (The
//! chemfiles library maps files into memory: a full disk kills the process with SIGBUS, and broken
//! XTC, DCD and NetCDF files made it overrun its buffers. What we have no reader for it reads in a
//! process of its own, [`crate::foreign`].)

pub(crate) mod cell;
pub mod damage;
mod dcd;
mod dcd_write;
#[cfg(feature = "chemfiles")]
mod foreign;
mod format;
mod input;
mod layout;
mod netcdf;
mod pdb;
mod reader;
mod scan;
pub mod times;
mod trr;
mod writer;
mod xtc;
mod xtc_codec;

pub use damage::{Damage, DamagedFrame, Judge};
pub use format::Format;
pub use layout::{Layout, MoleculeReader};
pub use reader::Reader;
pub(crate) use writer::part_of;
pub use writer::{Extent, Writer};

use std::path::Path;

use crate::Error;
use crate::error::Place;
use crate::structure::Frame;

/// What a trajectory file holds.
#[derive(Debug, Clone, Default, PartialEq)]
struct Contents {
    /// Atoms of each frame.
    atoms: usize,
    /// Number of whole frames with positions.
    frames: usize,
    /// Time of each frame, ps, where the file has them.
    times: Option<Vec<f64>>,
    /// What a user should know: frames that are not whole, times that were never set.
    notes: Vec<String>,
}

/// A trajectory file open for reading. Opening one looks through the whole file, so that every
/// frame is known to be whole.
trait Source: Send {
    /// Reads positions, velocities, cell and (where the file has one) step of frame `index`, which
    /// exists.
    ///
    /// # Errors
    /// What is wrong with the frame, in words.
    fn read(&mut self, index: usize, frame: &mut Frame) -> Result<(), String>;

    /// What to try where a frame cannot be read.
    fn hint(&self) -> &'static str {
        "copy or write the file again"
    }
}

/// What is wrong with a file, and in which frame (none: in its header).
#[derive(Debug, PartialEq)]
struct Fault {
    frame: Option<usize>,
    what: String,
}

impl Fault {
    fn header(what: impl Into<String>) -> Self {
        Fault {
            frame: None,
            what: what.into(),
        }
    }
    fn frame(frame: usize, what: impl Into<String>) -> Self {
        Fault {
            frame: Some(frame),
            what: what.into(),
        }
    }
    fn cut(frame: usize) -> Self {
        Fault::frame(
            frame,
            "is cut short: the file ends in the middle of this frame",
        )
    }
    /// What to say where the whole frames before one that is cut short are read.
    fn cut_note(frames: usize) -> String {
        format!(
            "is cut short: the file ends in the middle of frame {frames}; its {frames} whole \
             frames are read"
        )
    }
    fn error(self, path: &Path) -> Error {
        let place = self.frame.map_or_else(
            || Place::file(path),
            |frame| Place::file(path).at_frame(frame),
        );
        let hint = match self.frame {
            Some(0) | None => "copy or write the file again".to_owned(),
            Some(frame) => {
                format!("copy or write the file again; its first {frame} frames are whole")
            }
        };
        Error::input(place, self.what, hint)
    }
}
