//! What an interrupted training continues from, as a safetensors file of f64 vectors.

use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::optimizer::State;
use crate::error::Place;
use crate::{Error, Result, files};

/// Counters and sums of a training, as far as it has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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

const FORMAT: &str = "mdsurrogate-training-1";
const NAMES: [&str; 5] = ["values", "mean", "square", "average", "best"];

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    updates: u64,
    progress: Progress,
}

impl Checkpoint {
    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Output`] naming `path`.
    pub fn write(&self, path: &Path) -> Result<()> {
        let header = Header {
            format: FORMAT.into(),
            updates: self.state.updates,
            progress: self.progress.clone(),
        };
        let header = serde_json::to_string(&header).expect("numbers and strings are JSON");
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
        let views = NAMES.iter().zip(&bytes).map(|(name, bytes)| {
            (
                *name,
                TensorView::new(Dtype::F64, vec![bytes.len() / 8], bytes)
                    .expect("a vector's bytes are its elements'"),
            )
        });
        let data = safetensors::serialize(views, Some([("training".to_owned(), header)].into()))
            .map_err(|error| Error::output(path, error.to_string(), "report this"))?;
        files::write_atomically(path, |file| file.write_all(&data))
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Input`] naming `path` where it is no checkpoint, or cut short.
    pub fn read(path: &Path) -> Result<Self> {
        let data = std::fs::read(path).map_err(|source| Error::reading(path, &source))?;
        let refuse = || {
            Error::input(
                Place::file(path),
                "is no checkpoint of a training, or is damaged",
                "--fresh to start over",
            )
        };
        let (_, metadata) = SafeTensors::read_metadata(&data).map_err(|_| refuse())?;
        let header = metadata
            .metadata()
            .as_ref()
            .and_then(|map| map.get("training"))
            .ok_or_else(refuse)?;
        let header: Header = serde_json::from_str(header).map_err(|_| refuse())?;
        if header.format != FORMAT {
            return Err(refuse());
        }
        let tensors = SafeTensors::deserialize(&data).map_err(|_| refuse())?;
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
        for damaged in [
            &data[..data.len() - 1],
            &data[..20],
            &[],
            b"not a checkpoint at all",
        ] {
            std::fs::write(&path, damaged).unwrap();
            let error = Checkpoint::read(&path).unwrap_err();
            assert!(
                error.exit_code() == 2 && error.to_string().contains("a.ckpt"),
                "{error}"
            );
        }
    }
}
