//! Checkpoints: all that a run needs to go on as if it had never stopped, bit by bit.
//!
//! A checkpoint is a safetensors file (any reader of that format can look into it): positions and
//! velocities of each replica as f64, and one metadata entry with the rest as JSON, a checksum
//! among it. `PREFIX.ckpt` is replaced in one move; the one before it stays as `PREFIX_prev.ckpt`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use nalgebra::Vector3;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::Place;
use crate::files::{with_suffix, write_atomically};
use crate::structure::{Cell, Frame};
use crate::{Error, Result};

/// Version of the format; others are refused.
const VERSION: u32 = 1;
/// Name of the tensor of the positions that the run began with.
const START: &str = "start";
/// Name of the metadata entry.
const ENTRY: &str = "mdsurrogate.checkpoint";

/// The state of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checkpoint {
    /// What must be the same for the run to go on: an object of names and values.
    pub settings: Value,
    /// Paths taken so far: 0, and one more for every time that a guard took the run back.
    pub attempt: u64,
    /// A frame a replica.
    pub frames: Vec<Frame>,
    /// States of the observers of each replica.
    pub observers: Vec<Vec<Value>>,
    /// What was counted of each replica.
    pub tallies: Vec<Tally>,
    /// Positions that the run began with, Å, where they are not those of its input.
    pub start: Option<Vec<Vector3<f64>>>,
}

/// What is counted of a replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Jumps that were drawn again.
    pub redrawn: u64,
    /// Steps that left something undone ([`super::Stepper::shortfall`]).
    pub short: u64,
    /// Steps that were corrected ([`super::Stepper::corrected`]), those drawn again included.
    #[serde(default, skip_serializing_if = "is_none")]
    pub corrected: u64,
    /// Steps of dynamics that this took.
    #[serde(default, skip_serializing_if = "is_none")]
    pub correction: u64,
}

/// Left out of checkpoints where nothing was counted, as in those of before it was.
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Tally {
    fn is_empty(&self) -> bool {
        *self == Tally::default()
    }

    /// Mean number of steps of dynamics that a correction took; none where there was none.
    pub fn mean_correction(&self) -> Option<f64> {
        (self.corrected > 0).then(|| self.correction as f64 / self.corrected as f64)
    }
}

/// What stands beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
    program: String,
    sha256: String,
    settings: Value,
    attempt: u64,
    replicas: Vec<Replica>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Replica {
    step: u64,
    time: f64,
    heat: f64,
    cell: Option<([f64; 3], [f64; 3])>,
    observers: Vec<Value>,
    /// Left out where nothing was counted, as in all checkpoints of before there was a tally: their
    /// checksums are of headers without.
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    tally: Tally,
}

/// `PREFIX.ckpt` and `PREFIX_prev.ckpt`.
pub fn files(prefix: &Path) -> [PathBuf; 2] {
    [
        with_suffix(prefix, ".ckpt"),
        with_suffix(prefix, "_prev.ckpt"),
    ]
}

fn bytes_of(vectors: &[Vector3<f64>]) -> Vec<u8> {
    vectors
        .iter()
        .flat_map(|vector| vector.iter().flat_map(|value| value.to_le_bytes()))
        .collect()
}

/// SHA-256 over the header (its own checksum left blank) and all tensors with their names, sorted.
fn checksum<'a>(header: &mut Header, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    header.sha256.clear();
    let mut hash = Sha256::new();
    hash.update(serde_json::to_string(header).expect("plain data"));
    tensors.for_each(|(name, bytes)| {
        hash.update(name);
        hash.update(bytes);
    });
    hash.finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

impl Checkpoint {
    /// The step that all replicas are at.
    pub fn step(&self) -> u64 {
        self.frames.first().map_or(0, |frame| frame.step)
    }

    /// Writes `PREFIX.ckpt`; the one that stood there becomes `PREFIX_prev.ckpt`.
    ///
    /// # Errors
    /// [`Error::Output`] where the disk refuses; the checkpoint before is then still there under
    /// one of the two names.
    pub fn save(&self, prefix: &Path) -> Result<()> {
        let [now, before] = files(prefix);
        let mut tensors: Vec<(String, Vec<u8>)> = Vec::new();
        for (replica, frame) in self.frames.iter().enumerate() {
            tensors.push((format!("positions.{replica}"), bytes_of(&frame.positions)));
            if let Some(velocities) = &frame.velocities {
                tensors.push((format!("velocities.{replica}"), bytes_of(velocities)));
            }
            if let Some(mean) = &frame.mean {
                tensors.push((format!("mean.{replica}"), bytes_of(mean)));
            }
        }
        let start = self.start.as_deref().map(bytes_of);
        tensors.extend(start.map(|bytes| (START.to_owned(), bytes)));
        tensors.sort();
        let replica = |(index, frame): (usize, &Frame)| Replica {
            step: frame.step,
            time: frame.time,
            heat: frame.heat,
            cell: frame.cell.map(|cell| (cell.lengths, cell.angles)),
            observers: self.observers[index].clone(),
            tally: self.tallies.get(index).copied().unwrap_or_default(),
        };
        let mut header = Header {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            sha256: String::new(),
            settings: self.settings.clone(),
            attempt: self.attempt,
            replicas: self.frames.iter().enumerate().map(replica).collect(),
        };
        header.sha256 = checksum(
            &mut header,
            tensors
                .iter()
                .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
        );
        let header = serde_json::to_string(&header).expect("plain data");
        let views = tensors.iter().map(|(name, bytes)| {
            (
                name.as_str(),
                TensorView::new(Dtype::F64, vec![bytes.len() / 24, 3], bytes)
                    .expect("whole vectors"),
            )
        });
        let file = safetensors::serialize(views, Some(HashMap::from([(ENTRY.to_owned(), header)])))
            .expect("names and shapes are valid");
        if now.is_file() {
            std::fs::rename(&now, &before).map_err(|source| Error::writing(&before, &source))?;
        }
        write_atomically(&now, |out| out.write_all(&file))
    }

    /// The newest checkpoint of a prefix that is whole, and a note where that is not the newest
    /// file; none where there is no file.
    ///
    /// # Errors
    /// [`Error::Input`] where there are files, but none of them is whole.
    pub fn load(prefix: &Path) -> Result<Option<(Self, Option<String>)>> {
        let [now, before] = files(prefix);
        let newest = match now.is_file() {
            true => Some(Self::read(&now)),
            false => None,
        };
        match newest {
            Some(Ok(checkpoint)) => Ok(Some((checkpoint, None))),
            None if !before.is_file() => Ok(None),
            failed => {
                let note = match &failed {
                    Some(Err(error)) => format!("{error}; going on from {}", before.display()),
                    _ => format!(
                        "{} is missing; going on from {}",
                        now.display(),
                        before.display()
                    ),
                };
                match Self::read(&before) {
                    Ok(checkpoint) => Ok(Some((checkpoint, Some(note)))),
                    Err(error) => Err(failed.and_then(Result::err).unwrap_or(error)),
                }
            }
        }
    }

    /// Reads one file.
    ///
    /// # Errors
    /// [`Error::Input`]: not readable, not a checkpoint, cut short or altered, of another version.
    pub fn read(path: &Path) -> Result<Self> {
        let refuse = |what: String| Error::input(Place::file(path), what, "--fresh to start over");
        let bytes = std::fs::read(path).map_err(|source| Error::reading(path, &source))?;
        let broken =
            |error: &dyn std::fmt::Display| refuse(format!("is no whole checkpoint: {error}"));
        let (_, meta) = SafeTensors::read_metadata(&bytes).map_err(|error| broken(&error))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| broken(&error))?;
        let entry = meta
            .metadata()
            .as_ref()
            .and_then(|entries| entries.get(ENTRY));
        let header: Value = serde_json::from_str(entry.map_or("", String::as_str))
            .map_err(|error| broken(&error))?;
        if header["version"] != VERSION {
            let (found, program) = (&header["version"], &header["program"]);
            return Err(refuse(format!(
                "is of version {found} (written by mdsurrogate {program}); this program reads \
                 version {VERSION}"
            )));
        }
        let mut header: Header = serde_json::from_value(header).map_err(|error| broken(&error))?;
        let mut all: Vec<(String, TensorView<'_>)> = tensors.tensors();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let claimed = header.sha256.clone();
        let tensors_of = all.iter().map(|(name, view)| (name.as_str(), view.data()));
        // a fuzzer would never find the sum that fits, and never come to what is behind it
        if checksum(&mut header, tensors_of) != claimed && !cfg!(fuzzing) {
            return Err(refuse("is altered: its checksum is wrong".to_owned()));
        }
        let vectors = |name: String| -> Option<Vec<Vector3<f64>>> {
            let view = tensors
                .tensor(&name)
                .ok()
                .filter(|view| view.dtype() == Dtype::F64)?;
            let numbers: Vec<f64> = view
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|&bytes| f64::from_le_bytes(bytes))
                .collect();
            Some(
                numbers
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&vector: &[f64; 3]| Vector3::from(vector))
                    .collect(),
            )
        };
        let mut frames = Vec::new();
        let mut observers = Vec::new();
        let mut tallies = Vec::new();
        for (index, replica) in header.replicas.into_iter().enumerate() {
            let Replica {
                step,
                time,
                heat,
                cell,
                observers: states,
                tally,
            } = replica;
            let positions = vectors(format!("positions.{index}"))
                .ok_or_else(|| broken(&"a replica is missing"))?;
            let cell = cell.map(|(lengths, angles)| Cell { lengths, angles });
            frames.push(Frame {
                step,
                time,
                heat,
                cell,
                velocities: vectors(format!("velocities.{index}")),
                mean: vectors(format!("mean.{index}")),
                positions,
                ..Frame::default()
            });
            observers.push(states);
            tallies.push(tally);
        }
        Ok(Checkpoint {
            settings: header.settings,
            attempt: header.attempt,
            frames,
            observers,
            tallies,
            start: vectors(START.to_owned()),
        })
    }

    /// Refuses to go on with other settings than the run was started with.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the first that differs, and both values.
    pub fn require_settings(&self, settings: &Value, prefix: &Path) -> Result<()> {
        let empty = serde_json::Map::new();
        let (then, now) = (
            self.settings.as_object().unwrap_or(&empty),
            settings.as_object().unwrap_or(&empty),
        );
        let Some(name) = then
            .keys()
            .chain(now.keys())
            .find(|name| then.get(*name) != now.get(*name))
        else {
            return Ok(());
        };
        let show = |value: Option<&Value>| {
            value.map_or("nothing".to_owned(), |value| {
                value.to_string().trim_matches('"').to_owned()
            })
        };
        let what = format!(
            "{} was made with {name} {}, this command says {}",
            files(prefix)[0].display(),
            show(then.get(name)),
            show(now.get(name))
        );
        Err(Error::usage(
            what,
            "the same command to go on, --fresh to start over, or another -o PREFIX",
        ))
    }
}

#[cfg(test)]
mod tests;
