//! Reading trajectories frame by frame.

use std::path::{Path, PathBuf};

use super::dcd::Dcd;
use super::input::Input;
use super::netcdf::NetCdf;
use super::pdb::{self, Pdb};
use super::trr::Trr;
use super::xtc::Xtc;
use super::{Contents, Fault, Format, Source, rounded};
use crate::error::Place;
use crate::structure::{Frame, Topology};
use crate::{Error, Result};

/// A trajectory file open for reading: XTC, DCD, TRR, Amber NetCDF or multi-model PDB, told apart
/// by the file's name.
pub struct Reader {
    path: PathBuf,
    source: Box<dyn Source>,
    contents: Contents,
    next: usize,
}

fn open<S: Source + 'static>(
    opened: Result<(Contents, S), Fault>,
) -> Result<(Contents, Box<dyn Source>), Fault> {
    opened.map(|(contents, source)| (contents, Box::new(source) as Box<dyn Source>))
}

impl Reader {
    /// Opens a trajectory; the whole file is looked through for frames that are cut short or
    /// broken, without decoding positions.
    ///
    /// # Errors
    /// [`Error::Input`] naming file and frame: not readable, not of the format that its name says,
    /// cut short, broken, of another number of atoms than `topology`, or without any frame.
    pub fn open(path: impl AsRef<Path>, topology: Option<&Topology>) -> Result<Self> {
        let path = path.as_ref();
        let opened = match Format::of(path)? {
            Format::Xtc => open(Xtc::open(Input::open(path)?)),
            Format::Dcd => open(Dcd::open(Input::open(path)?)),
            Format::Trr => open(Trr::open(Input::open(path)?)),
            Format::NetCdf => open(NetCdf::open(Input::open(path)?)),
            Format::Pdb => open(
                Pdb::open(&pdb::text(path)?)
                    .map(|whole| Pdb::protein_of(path, topology, &whole.0).unwrap_or(whole)),
            ),
        };
        let (contents, source) = opened.map_err(|fault| fault.error(path))?;
        if contents.frames == 0 || contents.atoms == 0 {
            return Err(Error::input(
                Place::file(path),
                "holds no frames",
                "check that it is the file that you mean",
            ));
        }
        if let Some(topology) = topology.filter(|topology| topology.len() != contents.atoms) {
            let what = format!(
                "holds {} atoms, the topology {}",
                contents.atoms,
                topology.len()
            );
            return Err(Error::input(
                Place::file(path),
                what,
                "give the structure that this trajectory was made with, all its atoms in order",
            ));
        }
        Ok(Reader {
            path: path.to_owned(),
            source,
            contents,
            next: 0,
        })
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.contents.frames
    }
    /// Whether there is no frame; an open reader has at least one.
    pub fn is_empty(&self) -> bool {
        self.contents.frames == 0
    }
    /// Atoms of each frame.
    pub fn n_atoms(&self) -> usize {
        self.contents.atoms
    }
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Times of all frames, ps; `None` where the file has none (PDB, some NetCDF).
    pub fn times(&self) -> Option<&[f64]> {
        self.contents.times.as_deref()
    }

    /// Physical time from frame to frame, ps, where the file knows it and it is the same throughout
    /// (to the rounding of f32).
    pub fn time_step(&self) -> Option<f64> {
        let times = self.times().filter(|times| times.len() > 1)?;
        let last = times[times.len() - 1];
        let step = (last - times[0]) / (times.len() - 1) as f64;
        let slack = 1e-3 * step + 4.0 * f64::from(f32::EPSILON) * last.abs().max(times[0].abs());
        let uniform = step > 0.0
            && times
                .windows(2)
                .all(|pair| (pair[1] - pair[0] - step).abs() <= slack);
        uniform.then(|| rounded(step))
    }

    /// Reads the next frame; `false` behind the last. `frame.step` is the file's own step where it
    /// has one, else the frame's index; `frame.time` is NaN where the file has no times.
    ///
    /// # Errors
    /// [`Error::Input`] naming file and frame: not readable, or coordinates that are not numbers.
    pub fn read(&mut self, frame: &mut Frame) -> Result<bool> {
        if self.next >= self.len() {
            return Ok(false);
        }
        self.read_at(self.next, frame)?;
        Ok(true)
    }

    /// Reads frame `index` (from 0); [`Reader::read`] goes on behind it.
    ///
    /// # Errors
    /// As [`Reader::read`], and where there is no such frame.
    pub fn read_at(&mut self, index: usize, frame: &mut Frame) -> Result<()> {
        let refuse = |what: &str, hint: &str| {
            Error::input(Place::file(&self.path).at_frame(index), what, hint)
        };
        if index >= self.contents.frames {
            let hint = format!(
                "the file holds {} frames, 0 to {}",
                self.contents.frames,
                self.contents.frames - 1
            );
            return Err(refuse("does not exist", &hint));
        }
        self.source
            .read(index, frame)
            .map_err(|what| refuse(&what, "copy or write the file again"))?;
        self.next = index + 1;
        frame.time = self
            .contents
            .times
            .as_ref()
            .map_or(f64::NAN, |times| times[index]);
        match frame
            .positions
            .iter()
            .position(|position| !position.iter().all(|x| x.is_finite()))
        {
            Some(atom) => {
                let what = format!("atom {} has coordinates that are not numbers", atom + 1);
                Err(refuse(&what, "leave this frame and later ones out"))
            }
            None => Ok(()),
        }
    }
}
