//! The identity of a training.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::config::Config;
use super::dataset::Dataset;
use crate::files::hexadecimal;
use crate::{Error, Result};

/// Hash of all that decides the course of a training: data, task, network, optimiser, batches; not
/// how long it goes on, nor how often it is looked at.
pub(super) fn course(config: &Config, dataset: &Dataset) -> Result<String> {
    let training = &config.training;
    let weights: Vec<f64> = dataset.systems.iter().map(|system| system.weight).collect();
    let files: Vec<&str> = dataset
        .files
        .iter()
        .map(|file| file.sha256.as_str())
        .collect();
    // the order of keys is that of this text, numbers are written as they read back
    let text = serde_json::to_string(&json!({
        "data": files,
        "weights": weights,
        "split": config.split,
        "task": config.task,
        "architecture": config.architecture,
        "optimizer": config.optimizer,
        "seed": training.seed,
        "batch": training.batch,
        "micro_batch_tokens": training.micro_batch_tokens,
        "validation_samples": training.validation_samples,
        "initial": config.initial.as_ref().map(|initial| &initial.file.sha256),
    }));
    let text = text.map_err(|error| Error::usage(error.to_string(), "report this"))?;
    Ok(hexadecimal(Sha256::digest(text.as_bytes())))
}
