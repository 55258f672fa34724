//! The trajectory writer as an observer.

use std::path::PathBuf;

use nalgebra::Vector3;
use serde_json::Value;

use super::{Observer, Record};
use crate::error::Place;
use crate::forcefield::ForceField;
use crate::structure::Frame;
use crate::trajectory::{Extent, Writer};
use crate::{Error, Result};

/// Writes every frame that it observes to an XTC, DCD or TRR file, which is made when the first one
/// comes.
pub struct TrajectoryWriter {
    path: PathBuf,
    atoms: usize,
    interval: f64,
    writer: Option<Writer>,
    /// The force field whose forces are written too.
    field: Option<ForceField>,
}

impl TrajectoryWriter {
    /// For frames of `atoms` atoms, `interval` ps apart.
    pub fn new(path: PathBuf, atoms: usize, interval: f64) -> Self {
        TrajectoryWriter {
            path,
            atoms,
            interval,
            writer: None,
            field: None,
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

impl Observer for TrajectoryWriter {
    fn observe(&mut self, frame: &Frame, _record: &mut Record) -> Result<()> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => Writer::create(&self.path, self.atoms, self.interval)?,
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
        Ok(serde_json::json!(writer.extent()))
    }

    fn restore(&mut self, state: &Value, _frame: &Frame) -> Result<()> {
        let extent: Option<Extent> = serde_json::from_value(state.clone()).map_err(|error| {
            Error::input(
                Place::file(&self.path),
                format!("the checkpoint's record of it is broken: {error}"),
                "start over with --fresh",
            )
        })?;
        match (&mut self.writer, extent) {
            (Some(writer), extent) => writer.rewind(extent.unwrap_or_default()),
            (None, Some(extent)) => {
                self.writer = Some(Writer::resume(
                    &self.path,
                    self.atoms,
                    self.interval,
                    extent,
                )?);
                Ok(())
            }
            (None, None) => Ok(()),
        }
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
            serde_json::json!({ "file": self.path, "frames": frames, "interval_ps": self.interval }),
        ))
    }

    fn finish(&mut self) -> Result<()> {
        self.writer.as_mut().map_or(Ok(()), Writer::finish)
    }
}
