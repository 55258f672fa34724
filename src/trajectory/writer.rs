//! Writing trajectories so that a crash, a full disk or an interruption costs no frame that was
//! written before.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::{Format, dcd_write, trr, xtc};
use crate::error::Place;
use crate::structure::{Frame, Topology, model_text};
use crate::{Error, Result};

/// How far a trajectory file goes: what a checkpoint remembers so that a resumed run goes on behind
/// it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Frames written.
    pub frames: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// An XTC, DCD, TRR or PDB file being written.
///
/// Frames go to `NAME.part.xtc` beside `NAME.xtc`, each by one write, so that viewers can open the
/// part as it grows; [`Writer::finish`] gives it its name. A device (`/dev/full`) is written to as
/// it is.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    part: Option<PathBuf>,
    file: File,
    format: Format,
    atoms: usize,
    interval: f64,
    extent: Extent,
    /// Names of the atoms, which PDB files want.
    topology: Option<Topology>,
}

/// `run.xtc` is written as `run.part.xtc`.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let ending = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    path.with_extension(format!("part.{ending}"))
}

fn check_format(path: &Path) -> Result<Format> {
    match Format::of_name(path) {
        Ok(format @ (Format::Xtc | Format::Dcd | Format::Trr | Format::Pdb)) => Ok(format),
        _ => Err(Error::output(
            path,
            "is no trajectory that can be written, by its name",
            "let it end in .xtc, .dcd, .trr or .pdb",
        )),
    }
}

impl Writer {
    /// Starts a trajectory of `atoms` atoms with frames `interval` ps apart (DCD stores the
    /// interval, not the times).
    ///
    /// # Errors
    /// [`Error::Output`] where the file cannot be made, or is not to be XTC, DCD, TRR or
    /// PDB.
    pub fn create(path: impl AsRef<Path>, atoms: usize, interval: f64) -> Result<Self> {
        let path = path.as_ref();
        let format = check_format(path)?;
        let device = path.exists() && !path.is_file();
        let part = (!device).then(|| part_of(path));
        let target = part.as_deref().unwrap_or(path);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(!device)
            .open(target)
            .map_err(|source| Error::writing(path, &source))?;
        Ok(Writer {
            path: path.to_owned(),
            part,
            file,
            format,
            atoms,
            interval,
            extent: Extent::default(),
            topology: None,
        })
    }

    /// Names the atoms, which a PDB file's frames want; other formats hold none.
    #[must_use]
    pub fn naming(mut self, topology: &Topology) -> Self {
        self.topology = (self.format == Format::Pdb).then(|| topology.clone());
        self
    }

    /// Goes on with a trajectory, finished or not, behind `extent`; what was written after that is
    /// cut off.
    ///
    /// # Errors
    /// [`Error::Input`] where the file is gone or ends before `extent`, [`Error::Output`] where it
    /// cannot be written.
    pub fn resume(
        path: impl AsRef<Path>,
        atoms: usize,
        interval: f64,
        extent: Extent,
    ) -> Result<Self> {
        let path = path.as_ref();
        let format = check_format(path)?;
        let part = part_of(path);
        let hint = "put the file back where it was, or start over with --fresh";
        if !part.exists() {
            if !path.is_file() {
                return Err(Error::input(
                    Place::file(path),
                    "is gone, but the checkpoint goes on with it",
                    hint,
                ));
            }
            std::fs::rename(path, &part).map_err(|source| Error::writing(path, &source))?;
        }
        let open = || -> std::io::Result<(File, u64)> {
            let file = File::options().write(true).open(&part)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|source| Error::writing(&part, &source))?;
        if bytes < extent.bytes {
            let what = format!(
                "holds {bytes} bytes, the checkpoint goes on behind {} ({} frames)",
                extent.bytes, extent.frames
            );
            return Err(Error::input(Place::file(&part), what, hint));
        }
        let mut writer = Writer {
            path: path.to_owned(),
            part: Some(part),
            file,
            format,
            atoms,
            interval,
            extent,
            topology: None,
        };
        writer.rewind(extent)?;
        Ok(writer)
    }

    /// Cuts off what was written after `extent`, and goes on behind it.
    ///
    /// # Errors
    /// [`Error::Output`] where the file cannot be cut.
    pub fn rewind(&mut self, extent: Extent) -> Result<()> {
        self.extent = extent;
        let cut = self.cut();
        self.wrote(cut)
    }

    /// The file that frames go to until [`Writer::finish`].
    pub fn part(&self) -> &Path {
        self.part.as_deref().unwrap_or(&self.path)
    }
    /// How far the file goes.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Writes a frame. Velocities are stored by TRR only.
    ///
    /// # Errors
    /// [`Error::Output`] naming the file: the disk is full, the frame has another number of atoms
    /// or a position that the format cannot hold. What was written before stays whole.
    pub fn write(&mut self, frame: &Frame) -> Result<()> {
        self.write_with_forces(frame, None)
    }

    /// Writes a frame with forces, kJ/mol/Å, one an atom, which are stored by TRR only.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn write_with_forces(
        &mut self,
        frame: &Frame,
        forces: Option<&[Vector3<f64>]>,
    ) -> Result<()> {
        if frame.positions.len() != self.atoms
            || forces.is_some_and(|forces| forces.len() != self.atoms)
        {
            return Err(self.refuse(format!(
                "a frame of {} atoms cannot join frames of {}",
                frame.positions.len(),
                self.atoms
            )));
        }
        let bytes = self.bytes_of(frame, forces)?;
        let written = self.append(&bytes);
        if written.is_err() {
            // the error that is reported is the write's; the cut is a courtesy to readers of what
            // there is
            let _ = self.cut();
        }
        self.wrote(written)
    }

    /// A frame as the file holds it, and what comes before the first.
    fn bytes_of(&self, frame: &Frame, forces: Option<&[Vector3<f64>]>) -> Result<Vec<u8>> {
        let cannot = |atom: usize| {
            self.refuse(format!(
                "frame {}: atom {} is at no position that can be stored",
                self.extent.frames,
                atom + 1
            ))
        };
        let mut bytes = Vec::new();
        match self.format {
            Format::Xtc => bytes = xtc::frame_bytes(frame).map_err(cannot)?,
            Format::Trr => bytes = trr::frame_bytes(frame, forces).map_err(cannot)?,
            Format::Pdb => {
                let topology = self.topology.as_ref();
                let topology = topology
                    .filter(|topology| topology.len() == self.atoms)
                    .ok_or_else(|| self.refuse("its atoms have no names".to_owned()))?;
                let number = self.extent.frames + 1;
                bytes = model_text(topology, frame, number).map_err(cannot)?;
            }
            _ => {
                if self.extent.frames == 0 {
                    bytes = dcd_write::header_bytes(frame, self.interval);
                }
                let start = bytes.len();
                dcd_write::frame_bytes(frame, &mut bytes).map_err(cannot)?;
                let before = self
                    .extent
                    .bytes
                    .saturating_sub(dcd_write::HEADER)
                    .checked_div(self.extent.frames);
                if before.is_some_and(|before| before != (bytes.len() - start) as u64) {
                    return Err(self.refuse(
                        "frames with and without a cell cannot share a DCD file".to_owned(),
                    ));
                }
            }
        }
        Ok(bytes)
    }

    fn refuse(&self, what: String) -> Error {
        Error::output(
            &self.path,
            what,
            "look at the frames before it; the geometry guard should have stopped here",
        )
    }

    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        let after = Extent {
            frames: self.extent.frames + 1,
            bytes: self.extent.bytes + bytes.len() as u64,
        };
        if self.format == Format::Dcd {
            self.count(after.frames)?;
        }
        self.file.seek(SeekFrom::Start(after.bytes))?;
        self.extent = after;
        Ok(())
    }

    /// Writes the number of frames into a DCD header.
    fn count(&mut self, frames: u64) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(dcd_write::COUNT_AT))?;
        self.file.write_all(&(frames as u32).to_le_bytes())
    }

    /// Cuts off what lies behind the extent.
    fn cut(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.extent.bytes)?;
        if self.format == Format::Dcd && self.extent.frames > 0 {
            self.count(self.extent.frames)?;
        }
        self.file
            .seek(SeekFrom::Start(self.extent.bytes))
            .map(|_| ())
    }

    fn wrote(&self, result: std::io::Result<()>) -> Result<()> {
        result.map_err(|source| Error::writing(&self.path, &source))
    }

    /// Waits until all frames are on the disk: what a checkpoint counts must survive a crash.
    ///
    /// # Errors
    /// [`Error::Output`] where the disk refuses.
    pub fn sync(&mut self) -> Result<()> {
        let synced = if self.part.is_some() {
            self.file.sync_data()
        } else {
            Ok(())
        };
        self.wrote(synced)
    }

    /// Gives the file its name, replacing what stood there.
    ///
    /// # Errors
    /// [`Error::Output`] where the disk refuses.
    pub fn finish(&mut self) -> Result<()> {
        self.sync()?;
        match self.part.take() {
            Some(part) => {
                let renamed = std::fs::rename(part, &self.path);
                self.wrote(renamed)
            }
            None => Ok(()),
        }
    }
}
