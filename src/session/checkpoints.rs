//! `PREFIX.ckpt` may be a run's or a training's: neither takes the other's for a broken one of its
//! own, nor away.

use std::path::Path;

use safetensors::SafeTensors;

use crate::error::Place;
use crate::simulate::checkpoint;
use crate::{Error, Result};

/// Keys of the metadata that tell whose a checkpoint is.
const OF_RUN: &str = "mdsurrogate.checkpoint";
const OF_TRAINING: &str = "training";

/// Refuses a prefix whose checkpoint is a training's.
///
/// # Errors
/// [`Error::Input`] naming it.
pub(super) fn refuse_training(prefix: &Path) -> Result<()> {
    refuse(prefix, OF_TRAINING, "training", "run")
}

/// Refuses a prefix whose checkpoint is a run's.
///
/// # Errors
/// [`Error::Input`] naming it.
pub(super) fn refuse_run(prefix: &Path) -> Result<()> {
    refuse(prefix, OF_RUN, "run", "training")
}

fn refuse(prefix: &Path, key: &str, owner: &str, user: &str) -> Result<()> {
    let files = checkpoint::files(prefix);
    let Some(file) = files.iter().find(|file| holds(file, key)) else {
        return Ok(());
    };
    Err(Error::input(
        Place::file(file),
        format!("is the checkpoint of a {owner}, which this {user} would replace"),
        "another -o PREFIX",
    ))
}

/// Whether a file is one of safetensors with this key in its metadata.
fn holds(file: &Path, key: &str) -> bool {
    // a device has no end: /dev/full would be read until memory is full
    let Some(bytes) = file.is_file().then(|| std::fs::read(file).ok()).flatten() else {
        return false;
    };
    SafeTensors::read_metadata(&bytes).is_ok_and(|(_, header)| {
        (header.metadata().as_ref()).is_some_and(|entries| entries.contains_key(key))
    })
}
