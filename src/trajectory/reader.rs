//! Reading trajectories frame by frame.

use std::path::{Path, PathBuf};

use super::dcd::Dcd;
use super::format::{Format, by_name};
use super::input::Input;
use super::netcdf::NetCdf;
use super::pdb::{self, Pdb};
use super::times::{InOrder, in_order, step};
use super::trr::Trr;
use super::xtc::Xtc;
use super::{Contents, Fault, Source};
use crate::error::Place;
use crate::structure::{Frame, Topology};
use crate::{Error, Result};

/// A trajectory file open for reading: XTC, DCD, TRR, Amber NetCDF or multi-model PDB, told apart
/// by content, or a format of chemfiles, by name. Frames are numbered from 0 in the order of time:
/// those that a restart wrote again are left out.
///
/// ```
/// use mdsurrogate::structure::Frame;
/// use mdsurrogate::trajectory::Reader;
///
/// let mut reader = Reader::open("tests/data/compare/akle_a.xtc", None)?;
/// assert_eq!((reader.len(), reader.time_step()), (400, Some(50.0))); // ps
/// let mut frame = Frame::default();
/// let mut frames = 0;
/// while reader.read(&mut frame)? {
///     assert_eq!(frame.positions.len(), reader.n_atoms()); // Å
///     frames += 1;
/// }
/// assert_eq!(frames, 400);
/// # Ok::<(), mdsurrogate::Error>(())
/// ```
pub struct Reader {
    path: PathBuf,
    source: Box<dyn Source>,
    contents: Contents,
    /// Number in the file of every frame.
    numbers: Vec<usize>,
    /// Whether the times are those of the file.
    own_times: bool,
    next: usize,
}

fn open<S: Source + 'static>(
    opened: Result<(Contents, S), Fault>,
) -> Result<(Contents, Box<dyn Source>), Fault> {
    opened.map(|(contents, source)| (contents, Box::new(source) as Box<dyn Source>))
}

impl Reader {
    /// Opens a trajectory; the whole file is looked through for frames that are cut short or
    /// broken, without decoding positions. [`Reader::notes`] has what was found and passed over.
    ///
    /// # Errors
    /// [`Error::Input`] naming file and frame: not readable, no trajectory, cut short in its first
    /// frame, broken, of another number of atoms than `topology`, or without any frame.
    pub fn open(path: impl AsRef<Path>, topology: Option<&Topology>) -> Result<Self> {
        let path = path.as_ref();
        let format = Format::of_file(path)?;
        let opened = match format {
            Format::Xtc => open(Xtc::open(Input::open(path)?)),
            Format::Dcd => open(Dcd::open(Input::open(path)?)),
            Format::Trr => open(Trr::open(Input::open(path)?)),
            Format::NetCdf => open(NetCdf::open(Input::open(path)?)),
            Format::Pdb => open(
                Pdb::open(&pdb::text(path)?)
                    .map(|whole| Pdb::protein_of(path, topology, &whole.0).unwrap_or(whole)),
            ),
            #[cfg(feature = "chemfiles")]
            Format::Foreign(kind) => open(Ok(super::foreign::open(path, kind)?)),
            #[cfg(not(feature = "chemfiles"))]
            Format::Foreign(kind) => return Err(kind.not_built_in(path)),
        };
        let (mut contents, source) = opened.map_err(|fault| fault.error(path))?;
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
        if let Some(named) = by_name(path).filter(|&named| named != format) {
            let words = format!("is {} by content, not {}", format.name(), named.name());
            contents.notes.insert(0, words);
        }
        let mut numbers = (0..contents.frames).collect();
        let own_times = contents.times.is_some();
        if let Some(times) = &mut contents.times {
            let InOrder { kept, note } = in_order(times);
            *times = kept.iter().map(|&frame| times[frame]).collect();
            contents.notes.extend(note);
            contents.frames = kept.len();
            numbers = kept;
        }
        Ok(Reader {
            path: path.to_owned(),
            source,
            contents,
            numbers,
            own_times,
            next: 0,
        })
    }

    /// Sets the frames `time_step` ps apart, the first at time 0, whatever the file says.
    #[must_use]
    pub fn with_time_step(mut self, time_step: f64) -> Self {
        let times = (0..self.len()).map(|frame| frame as f64 * time_step);
        self.contents.times = Some(times.collect());
        self
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
    /// Number of frame `index` in the file, from 0: another than `index` where frames of a restart
    /// are left out.
    pub fn number(&self, index: usize) -> usize {
        self.numbers[index]
    }
    /// Times of all frames, ps; `None` where the file has none (PDB, some NetCDF, DCD of programs
    /// that do not set them).
    pub fn times(&self) -> Option<&[f64]> {
        self.contents.times.as_deref()
    }
    /// Whether the file itself has times.
    pub fn has_own_times(&self) -> bool {
        self.own_times
    }
    /// What a user should know of the file: that it is cut short, that its times go back or were
    /// never set. One line each, to stand behind the file's name.
    pub fn notes(&self) -> &[String] {
        &self.contents.notes
    }

    /// Physical time from frame to frame, ps, where it is known and the same throughout (to the
    /// rounding of f32).
    pub fn time_step(&self) -> Option<f64> {
        step(self.times()?)
    }

    /// Reads the next frame; `false` behind the last. `frame.step` is the file's own step where it
    /// has one, else the frame's number; `frame.time` is NaN where times are not known.
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
        let Some(&number) = self.numbers.get(index) else {
            let hint = format!(
                "the file holds {} frames, 0 to {}",
                self.len(),
                self.len() - 1
            );
            let place = Place::file(&self.path).at_frame(index);
            return Err(Error::input(place, "does not exist", hint));
        };
        let refuse = |what: &str, hint: &str| {
            Error::input(Place::file(&self.path).at_frame(number), what, hint)
        };
        let read = self.source.read(number, frame);
        read.map_err(|what| refuse(&what, self.source.hint()))?;
        self.next = index + 1;
        frame.time = self.times().map_or(f64::NAN, |times| times[index]);
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
