//! Writing files so that nothing is lost: temporary file, fsync, rename.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
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
        let prefix = part_prefix(path);
        builder.prefix(&prefix).suffix(PART);
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

/// Ending of the temporary files of [`write_atomically`].
const PART: &str = ".part";

/// What the names of a file's temporary files start with; random letters follow.
fn part_prefix(path: &Path) -> std::ffi::OsString {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push("-");
    prefix
}

/// Takes away what a process that was killed while it wrote one of these files has left beside it.
/// No other process may be writing them.
pub fn remove_parts<'a>(paths: impl IntoIterator<Item = &'a Path>) {
    let is_part = |name: &str, prefix: &str| {
        let letters = name
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(PART));
        letters.is_some_and(|letters| {
            !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    };
    for path in paths {
        let prefix = part_prefix(path);
        let Ok(entries) = std::fs::read_dir(folder(path)) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if is_part(&name.to_string_lossy(), &prefix.to_string_lossy()) {
                // a courtesy: what cannot be removed is in nobody's way
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether `words` stand in the first line of a file, or the file is empty, as a full disk leaves
/// it; of a device, which may have no end, never.
pub fn starts_with_or_is_empty(path: &Path, words: &str) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(200).read_to_end(&mut start));
    if read.is_err() {
        return false;
    }
    let line = start.split(|&byte| byte == b'\n').next();
    start.is_empty() || String::from_utf8_lossy(line.unwrap_or_default()).contains(words)
}

/// The last line of a text file, of which it may be the end alone where it is long.
pub fn last_line(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(1000)))
        .ok()?;
    let mut end = Vec::new();
    file.take(1000).read_to_end(&mut end).ok()?;
    let text = String::from_utf8_lossy(&end);
    text.lines().last().map(str::to_owned)
}

/// The last part of a path, as a user reads it.
pub fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// Endings of what is written under a prefix, which users type with it.
const TYPED_WITH_PREFIX: [&str; 5] = [".xtc", ".dcd", ".pdb", ".cif", ".safetensors"];

/// The prefix that is meant by `-o`: `run.xtc` is `run`, or the trajectory would be `run.xtc.xtc`.
pub fn prefix_meant(typed: &Path) -> PathBuf {
    let name = file_name(typed);
    let mut endings = TYPED_WITH_PREFIX.iter();
    match endings.find_map(|ending| name.strip_suffix(ending)) {
        Some(stem) if !stem.is_empty() => typed.with_file_name(stem),
        _ => typed.to_owned(),
    }
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
            "--overwrite to replace it, or another name",
        )),
        _ => Ok(()),
    }
}

/// Refuses a prefix in a folder that does not exist.
///
/// # Errors
/// [`Error::Usage`] naming the folder.
pub fn require_folder(prefix: &Path) -> Result<()> {
    let folder = prefix.parent().unwrap_or(Path::new(""));
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    Err(Error::usage(
        format!("there is no folder {} for the output", folder.display()),
        "make it, or another -o PREFIX",
    ))
}

/// Whether both are one file that exists.
pub fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Bytes, such as a hash, in hexadecimal digits.
pub fn hexadecimal(bytes: impl AsRef<[u8]>) -> String {
    let digits = bytes.as_ref().iter();
    digits.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_file_are_taken_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        // as a kill between writing and renaming leaves it
        let own = tempfile::Builder::new()
            .prefix(&part_prefix(&path("run.ckpt")))
            .suffix(PART)
            .tempfile_in(folder.path())
            .unwrap()
            .into_temp_path()
            .keep()
            .unwrap();
        let others = [
            ".run_2.ckpt-Ab3xYz.part",
            ".run.ckpt-with-more.part",
            ".run.ckpt-.part",
            "run.part.xtc",
        ];
        for name in others {
            std::fs::write(path(name), b"x").unwrap();
        }
        remove_parts([path("run.ckpt").as_path()]);
        assert!(!own.exists());
        assert!(others.iter().all(|name| path(name).exists()));
        write_atomically(&path("run.ckpt"), |file| file.write_all(b"whole")).unwrap();
        for (text, is) in [("[1 s] it\nmore", true), ("", true), ("no\nit", false)] {
            std::fs::write(path("a.log"), text).unwrap();
            assert_eq!(
                starts_with_or_is_empty(&path("a.log"), "] it"),
                is,
                "{text}"
            );
        }
        assert!(!starts_with_or_is_empty(Path::new("/dev/full"), "] it"));
        assert_eq!(std::fs::read(path("run.ckpt")).unwrap(), b"whole");
    }
}
