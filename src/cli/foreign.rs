//! `mdsurrogate read-foreign`: the helper that reads files by chemfiles. No user types it: readers
//! start it (`foreign::Reader`), so that a file that ends or stops the library ends the helper.

use std::path::PathBuf;

use crate::{Error, Result};

/// Read a file by chemfiles for another mdsurrogate
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its format, in chemfiles' words
    pub format: String,
    /// The file
    pub path: PathBuf,
}

/// Serves until stdin is closed.
///
/// # Errors
/// [`Error::Output`] where whoever asked is gone.
pub fn run(args: Args) -> Result<()> {
    crate::foreign::serve(&args.path, &args.format)
        .map_err(|source| Error::writing("stdout", &source))
}
