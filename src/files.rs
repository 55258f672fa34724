//! Writing files so that nothing is lost: temporary file, fsync, rename.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The folder that a file lies in (`.` where the path names none).
fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Writes a file whole or not at all: `fill` writes to a temporary file beside it, which is synced
/// and renamed.
///
/// # Errors
/// [`Error::Output`] naming `path`; what stood there before is then untouched.
pub fn write_atomically(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<()>,
) -> Result<()> {
    let write = || -> std::io::Result<()> {
        // A device (/dev/full, /dev/stdout) cannot be replaced by renaming: write straight to it.
        if path.exists() && !path.is_file() {
            let file = File::options().write(true).open(path)?;
            let mut writer = BufWriter::new(&file);
            fill(&mut writer)?;
            return writer.flush();
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".mdsurrogate-").suffix(".part");
        // results are for others to read as far as the umask allows, as those of any other program
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder(path))?;
        let mut writer = BufWriter::new(temporary.as_file());
        fill(&mut writer)?;
        writer.flush()?;
        drop(writer);
        temporary.as_file().sync_all()?;
        temporary.persist(path)?;
        Ok(())
    };
    write().map_err(|source| Error::writing(path, &source))
}

/// The last part of a path, as a user reads it.
pub fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// `PREFIX` + `suffix`, the name of one of a run's files: `out/run` and `_final.pdb` give
/// `out/run_final.pdb`.
pub fn with_suffix(prefix: &Path, suffix: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Refuses to replace files that exist, unless the user allowed it.
///
/// # Errors
/// [`Error::Output`] naming the first that exists.
pub fn refuse_existing<'a>(
    paths: impl IntoIterator<Item = &'a Path>,
    overwrite: bool,
) -> Result<()> {
    match paths.into_iter().find(|path| path.is_file()) {
        Some(path) if !overwrite => Err(Error::output(
            path,
            "exists already",
            "--overwrite to replace it, or another -o",
        )),
        _ => Ok(()),
    }
}
