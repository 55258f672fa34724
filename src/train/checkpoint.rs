//! What an interrupted training continues from, as a safetensors file of f64 vectors with a
//! checksum over all of it. `PREFIX.ckpt` is replaced in one move; the one before it stays as
//! `PREFIX_prev.ckpt`.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::optimizer::State;
use crate::error::Place;
use crate::{Error, Result, files};

/// Counters and sums of a training, as far as it has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Hash of everything that decides the course of the training: a checkpoint of another course
    /// is refused.
    pub course: String,
    /// Minutes of training, interruptions left out.
    pub minutes: f64,
    /// Sum of the losses of the updates since the last row of the table.
    pub loss_sum: f64,
    /// Sum of the gradient norms of these updates.
    pub norm_sum: f64,
    /// Number of these updates.
    pub since_row: u64,
    /// Mean training loss of the last row.
    pub training_loss: Option<f64>,
    /// Validation loss of the last row.
    pub validation_loss: Option<f64>,
    /// Lowest validation loss and its update.
    pub best: Option<(f64, u64)>,
    /// Validations since then.
    pub since_best: u64,
}

/// A training at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Counters and sums.
    pub progress: Progress,
    /// Parameters and AdamW's memory.
    pub state: State,
    /// Moving average of the parameters.
    pub average: Vec<f64>,
    /// The average at the lowest validation loss.
    pub best: Vec<f64>,
}

/// The format, and the one before it, which had no checksum.
const FORMATS: [&str; 2] = ["mdsurrogate-training-2", "mdsurrogate-training-1"];
const NAMES: [&str; 5] = ["values", "mean", "square", "average", "best"];
/// What the user can do about a checkpoint that is none.
const HINT: &str = "--fresh to start over";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    updates: u64,
    progress: Progress,
    /// SHA-256 over the header, this left blank, and the vectors in the order of their names.
    #[serde(default)]
    sha256: String,
}

impl Header {
    fn checksum<'a>(&self, vectors: impl Iterator<Item = &'a [u8]>) -> String {
        let blank = Header {
            format: self.format.clone(),
            updates: self.updates,
            progress: self.progress.clone(),
            sha256: String::new(),
        };
        let mut hash = Sha256::new();
        hash.update(serde_json::to_string(&blank).expect("numbers and strings are JSON"));
        vectors.for_each(|bytes| hash.update(bytes));
        hash.finalize()
            .iter()
            .fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}

/// A checkpoint's file and the one that keeps the checkpoint before it: `PREFIX.ckpt` and
/// `PREFIX_prev.ckpt`.
pub fn files(path: &Path) -> [PathBuf; 2] {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let before = path.with_file_name(format!("{stem}_prev.ckpt"));
    [path.to_owned(), before]
}

impl Checkpoint {
    /// Writes it, whole or not at all; the one that stood there is kept beside it.
    ///
    /// # Errors
    /// [`Error::Output`] naming `path`; the checkpoint before is then still there under one of the
    /// two names.
    pub fn write(&self, path: &Path) -> Result<()> {
        let vectors = [
            &self.state.values,
            &self.state.mean,
            &self.state.square,
            &self.average,
            &self.best,
        ];
        let bytes = vectors.map(|vector| {
            vector
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect::<Vec<u8>>()
        });
        let mut header = Header {
            format: FORMATS[0].into(),
            updates: self.state.updates,
            progress: self.progress.clone(),
            sha256: String::new(),
        };
        header.sha256 = header.checksum(bytes.iter().map(Vec::as_slice));
        let header = serde_json::to_string(&header).expect("numbers and strings are JSON");
        let views = NAMES.iter().zip(&bytes).map(|(name, bytes)| {
            (
                *name,
                TensorView::new(Dtype::F64, vec![bytes.len() / 8], bytes)
                    .expect("a vector's bytes are its elements'"),
            )
        });
        let data = safetensors::serialize(views, Some([("training".to_owned(), header)].into()))
            .map_err(|error| Error::output(path, error.to_string(), "report this"))?;
        if path.is_file() {
            let [_, before] = files(path);
            std::fs::rename(path, &before).map_err(|source| Error::writing(&before, &source))?;
        }
        files::write_atomically(path, |file| file.write_all(&data))
    }

    /// The newer of `path` and the one before it that is whole, and a note where that is not
    /// `path`.
    ///
    /// # Errors
    /// [`Error::Input`] naming `path` where neither is whole.
    pub fn load(path: &Path) -> Result<(Self, Option<String>)> {
        let error = match Self::read(path) {
            Ok(checkpoint) => return Ok((checkpoint, None)),
            Err(error) => error,
        };
        let [_, before] = files(path);
        match Self::read(&before) {
            Ok(checkpoint) => {
                let note = format!("{error}; continuing from {}", before.display());
                Ok((checkpoint, Some(note)))
            }
            Err(_) => Err(error),
        }
    }

    /// Reads one file.
    ///
    /// # Errors
    /// [`Error::Input`] naming `path` where it is no checkpoint, is cut short or altered.
    pub fn read(path: &Path) -> Result<Self> {
        let data = std::fs::read(path).map_err(|source| Error::reading(path, &source))?;
        let refuse = || {
            Error::input(
                Place::file(path),
                "is no checkpoint of a training, or is damaged",
                HINT,
            )
        };
        let (_, metadata) = SafeTensors::read_metadata(&data).map_err(|_| refuse())?;
        let header = metadata
            .metadata()
            .as_ref()
            .and_then(|map| map.get("training"))
            .ok_or_else(refuse)?;
        let header: Header = serde_json::from_str(header).map_err(|_| refuse())?;
        if !FORMATS.contains(&header.format.as_str()) {
            return Err(refuse());
        }
        let tensors = SafeTensors::deserialize(&data).map_err(|_| refuse())?;
        let views = NAMES.map(|name| tensors.tensor(name));
        let bytes = views.iter().flatten().map(TensorView::data);
        let summed = header.format == FORMATS[0] || !header.sha256.is_empty();
        // a fuzzer would never find the sum that fits, and never come to what is behind it
        if summed && header.checksum(bytes) != header.sha256 && !cfg!(fuzzing) {
            return Err(Error::input(
                Place::file(path),
                "is altered: its checksum is wrong",
                HINT,
            ));
        }
        let vector = |name: &str| -> Result<Vec<f64>> {
            let tensor = tensors.tensor(name).map_err(|_| refuse())?;
            let numbers = tensor
                .data()
                .chunks_exact(8)
                .map(|bytes| f64::from_le_bytes(bytes.try_into().expect("eight bytes")));
            if tensor.dtype() == Dtype::F64 {
                Ok(numbers.collect())
            } else {
                Err(refuse())
            }
        };
        let [values, mean, square, average, best] = NAMES.map(vector);
        let state = State {
            updates: header.updates,
            values: values?,
            mean: mean?,
            square: square?,
        };
        let checkpoint = Checkpoint {
            progress: header.progress,
            state,
            average: average?,
            best: best?,
        };
        let lengths = [
            &checkpoint.state.mean,
            &checkpoint.state.square,
            &checkpoint.average,
            &checkpoint.best,
        ]
        .map(|vector| vector.len());
        if lengths
            .iter()
            .any(|&length| length != checkpoint.state.values.len())
        {
            return Err(refuse());
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written_and_damage_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ckpt");
        let progress = Progress {
            course: "abc".into(),
            minutes: 0.1 + 0.2,
            best: Some((1.0 / 3.0, 7)),
            ..Progress::default()
        };
        let state = State {
            updates: 12,
            values: vec![0.1, f64::MIN_POSITIVE, -3.0],
            mean: vec![1e-300, 2.0, 3.0],
            square: vec![4.0, 5.0, 6.0],
        };
        let written = Checkpoint {
            progress,
            state,
            average: vec![7.0, 8.0, 9.0],
            best: vec![10.0, 11.0, 12.0],
        };
        written.write(&path).unwrap();
        assert_eq!(Checkpoint::read(&path).unwrap(), written);

        let data = std::fs::read(&path).unwrap();
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let error = Checkpoint::read(&path).unwrap_err();
            assert!(
                error.exit_code() == 2 && error.to_string().contains("a.ckpt"),
                "{error}"
            );
        };
        for damaged in [
            &data[..data.len() - 1],
            &data[..20],
            &[],
            b"not a checkpoint at all",
        ] {
            refused(damaged);
        }
        // one bit flipped, anywhere
        for place in 0..data.len() {
            let mut damaged = data.clone();
            damaged[place] ^= 1 << (place % 8);
            refused(&damaged);
        }
    }

    #[test]
    fn the_checkpoint_before_stands_in_for_a_damaged_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ckpt");
        let checkpoint = |updates: u64| Checkpoint {
            progress: Progress::default(),
            state: State {
                updates,
                values: vec![1.0],
                mean: vec![2.0],
                square: vec![3.0],
            },
            average: vec![4.0],
            best: vec![5.0],
        };
        checkpoint(1).write(&path).unwrap();
        checkpoint(2).write(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), (checkpoint(2), None));
        let mut data = std::fs::read(&path).unwrap();
        *data.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &data).unwrap();
        let (loaded, note) = Checkpoint::load(&path).unwrap();
        assert_eq!(loaded, checkpoint(1));
        assert!(note.unwrap().contains("a_prev.ckpt"));
        std::fs::write(folder.path().join("a_prev.ckpt"), b"").unwrap();
        let error = Checkpoint::load(&path).unwrap_err();
        assert!(error.to_string().contains("checksum is wrong"), "{error}");
    }
}
