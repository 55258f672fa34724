//! The trajectory writer as an observer.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Observer, REPLACED, Record};
use crate::error::Place;
use crate::forcefield::ForceField;
use crate::structure::{Frame, Topology};
use crate::trajectory::{Extent, Writer, part_of};
use crate::{Error, Result};

/// Bytes at the start of a trajectory file whose sum is not kept: those of a DCD header up to
/// behind its count of frames.
const SETTLED: u64 = 12;

/// Writes every frame that it observes to an XTC, DCD, TRR or PDB file, which is made when the
/// first one comes.
pub struct TrajectoryWriter {
    path: PathBuf,
    atoms: usize,
    interval: f64,
    writer: Option<Writer>,
    /// Bytes of the file that `sum` is the CRC-32 of.
    summed: u64,
    sum: crc32fast::Hasher,
    /// The force field whose forces are written too.
    field: Option<ForceField>,
    /// Names of the atoms, which PDB files want.
    topology: Option<Topology>,
}

impl TrajectoryWriter {
    /// For frames of `atoms` atoms, `interval` ps apart.
    pub fn new(path: PathBuf, atoms: usize, interval: f64) -> Self {
        TrajectoryWriter {
            path,
            atoms,
            interval,
            writer: None,
            summed: 0,
            sum: crc32fast::Hasher::new(),
            field: None,
            topology: None,
        }
    }

    /// Names the atoms, which PDB files want.
    pub fn naming(self, topology: &Topology) -> Self {
        TrajectoryWriter {
            topology: Some(topology.clone()),
            ..self
        }
    }

    fn named(&self, writer: Writer) -> Writer {
        match &self.topology {
            Some(topology) => writer.naming(topology),
            None => writer,
        }
    }

    /// Also writes the forces of this force field, which only TRR holds.
    pub fn with_forces(self, field: ForceField) -> Self {
        TrajectoryWriter {
            field: Some(field),
            ..self
        }
    }
}

/// How far a trajectory goes, and the CRC-32 of all of it; of before there was one, none.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    extent: Extent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc32: Option<u32>,
}

impl TrajectoryWriter {
    /// Brings the sum up to `bytes` of a file; `None` where it cannot be read back (a device).
    ///
    /// The frame count of a DCD header changes with every frame: what is before [`SETTLED`] is left
    /// out.
    fn sum_up_to(&mut self, path: &Path, bytes: u64) -> Result<Option<u32>> {
        if !path.is_file() {
            return Ok(None);
        }
        let mut read = || -> std::io::Result<()> {
            let mut file = File::open(path)?;
            let from = file.seek(SeekFrom::Start(self.summed.max(SETTLED)))?;
            let mut rest = file.take(bytes.saturating_sub(from));
            let mut buffer = vec![0; 1 << 16];
            loop {
                match rest.read(&mut buffer)? {
                    0 => return Ok(()),
                    count => self.sum.update(&buffer[..count]),
                }
            }
        };
        read().map_err(|source| Error::reading(path, &source))?;
        self.summed = bytes;
        Ok(Some(self.sum.clone().finalize()))
    }
}

impl Observer for TrajectoryWriter {
    fn observe(&mut self, frame: &Frame, _record: &mut Record) -> Result<()> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.named(Writer::create(&self.path, self.atoms, self.interval)?),
        };
        let writer = self.writer.insert(writer);
        let Some(field) = &mut self.field else {
            return writer.write(frame);
        };
        let mut forces = vec![Vector3::zeros(); frame.positions.len()];
        field.energy_forces(&frame.positions, &mut forces);
        writer.write_with_forces(frame, Some(&forces))
    }

    fn state(&mut self) -> Result<Value> {
        let Some(writer) = &mut self.writer else {
            return Ok(Value::Null);
        };
        writer.sync()?;
        let path = writer.part().to_owned();
        let extent = writer.extent();
        let crc32 = self.sum_up_to(&path, extent.bytes)?;
        Ok(serde_json::json!(Written { extent, crc32 }))
    }

    fn restore(&mut self, state: &Value, _frame: &Frame) -> Result<()> {
        let refuse = |what: String| Error::input(Place::file(&self.path), what, REPLACED);
        let written: Option<Written> = serde_json::from_value(state.clone())
            .map_err(|error| refuse(format!("the checkpoint's record of it is broken: {error}")))?;
        let extent = written.map_or(Extent::default(), |written| written.extent);
        if let (None, None) = (&self.writer, written) {
            return Ok(());
        }
        let part = part_of(&self.path);
        let file = if part.exists() {
            part
        } else {
            self.path.clone()
        };
        (self.summed, self.sum) = (0, crc32fast::Hasher::new());
        let long_enough = std::fs::metadata(&file).is_ok_and(|meta| meta.len() >= extent.bytes);
        let there = self.sum_up_to(&file, extent.bytes)?;
        let then = written.and_then(|written| written.crc32);
        // what is missing or too short is refused below, with other words
        if then.is_some() && there != then && long_enough {
            let what = "is not as the run left it: another file, or damaged";
            return Err(Error::input(Place::file(&file), what, REPLACED));
        }
        if let Some(writer) = &mut self.writer {
            return writer.rewind(extent);
        }
        let writer = Writer::resume(&self.path, self.atoms, self.interval, extent)?;
        self.writer = Some(self.named(writer));
        Ok(())
    }

    fn results(&self) -> Option<(&'static str, Value)> {
        let frames = self.writer.as_ref()?.extent().frames;
        let name = if self.field.is_some() {
            "forces"
        } else {
            "trajectory"
        };
        Some((
            name,
            serde_json::json!({
                "file": self.path, "frames": frames, "interval_ps": self.interval,
            }),
        ))
    }

    fn finish(&mut self) -> Result<()> {
        self.writer.as_mut().map_or(Ok(()), Writer::finish)
    }
}
