//! Trajectory files: reading XTC, DCD, TRR, Amber NetCDF and multi-model PDB, writing XTC, DCD and
//! TRR.
//!
//! The binary formats are small and are read and written here, in safe code: a file that is broken
//! is refused with the frame's number, a full disk is an error of the write that met it. (The
//! chemfiles library maps files into memory: a full disk kills the process with SIGBUS, and broken
//! XTC, DCD and NetCDF files made it overrun its buffers.)

pub(crate) mod cell;
mod dcd;
mod input;
mod netcdf;
mod pdb;
mod reader;
mod trr;
mod writer;
mod xtc;
mod xtc_codec;

pub use reader::Reader;
pub(crate) use writer::part_of;
pub use writer::{Extent, Writer};

use std::path::Path;

use crate::error::Place;
use crate::structure::Frame;
use crate::{Error, Result};

/// A trajectory file format, known by the file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// GROMACS XTC, positions rounded to 0.01 Å.
    Xtc,
    /// CHARMM/NAMD DCD, positions as f32.
    Dcd,
    /// GROMACS TRR, positions, velocities and (written only) forces.
    Trr,
    /// Amber NetCDF (version 3).
    NetCdf,
    /// PDB with one MODEL a frame.
    Pdb,
}

impl Format {
    /// The format that a file's name stands for.
    ///
    /// # Errors
    /// [`Error::Input`] where the ending is none of them.
    pub fn of(path: &Path) -> Result<Self> {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".xtc"]) {
            Ok(Format::Xtc)
        } else if ends(&[".dcd"]) {
            Ok(Format::Dcd)
        } else if ends(&[".trr"]) {
            Ok(Format::Trr)
        } else if ends(&[".nc", ".ncdf", ".netcdf"]) {
            Ok(Format::NetCdf)
        } else if ends(&[".pdb", ".ent", ".pdb.gz", ".ent.gz"]) {
            Ok(Format::Pdb)
        } else {
            let hint = "use a trajectory that ends in .xtc, .dcd, .trr, .nc or .pdb";
            Err(Error::input(
                Place::file(path),
                "is no trajectory that can be read, by its name",
                hint,
            ))
        }
    }
}

/// What a trajectory file holds.
#[derive(Debug, Clone, Default, PartialEq)]
struct Contents {
    /// Atoms of each frame.
    atoms: usize,
    /// Number of frames.
    frames: usize,
    /// Time of each frame, ps, where the file has them.
    times: Option<Vec<f64>>,
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

/// `value` to six significant digits: what is left of a time step that went through f32.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// Times that are all the same were never set: such a file has none.
fn known(times: Vec<f64>) -> Option<Vec<f64>> {
    let known = times.len() < 2 || times.iter().any(|&time| time != times[0]);
    known.then_some(times)
}
