//! Files of results: a line of JSON for everything that was measured.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use mdsurrogate::error::Place;
use mdsurrogate::network::DataFile;
use mdsurrogate::{Error, Result, files};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The commit that the program is run at, with `+` where files differ from it; `unknown` outside of
/// its repository.
pub fn commit() -> String {
    let git = |words: &[&str]| {
        let output = Command::new("git")
            .args(["-C", env!("CARGO_MANIFEST_DIR")])
            .args(words)
            .output();
        let output = output.ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    };
    let Some(commit) = git(&["rev-parse", "--short=10", "HEAD"]) else {
        return "unknown".to_owned();
    };
    // results are files of the repository, and change with every line that is added
    let status = git(&["status", "--porcelain", "--", "..", ":!results"]);
    let changed = status.is_some_and(|status| !status.trim().is_empty());
    format!("{}{}", commit.trim(), if changed { "+" } else { "" })
}

/// What a file of data is known by: the beginning of the hash of its bytes.
pub fn known_by(path: &Path, bytes: &[u8]) -> String {
    DataFile::of(path, bytes).sha256[..16].to_owned()
}

/// All lines of a file; none where there is no such file.
///
/// # Errors
/// [`Error::Input`] naming the line that is none of ours.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).map_err(|error| Error::reading(path, &error))?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            Error::input(
                Place::line(path, number + 1),
                format!("no result of this program: {error}"),
                "take the line away, or name another folder with --results",
            )
        })
    };
    lines.map(parse).collect()
}

/// Appends a line. The file is replaced whole: a run that is killed leaves no half line.
///
/// # Errors
/// [`Error::Output`] naming the file.
pub fn append<T: Serialize>(path: &Path, line: &T) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::writing(folder, &error))?;
    }
    let before = if path.exists() {
        std::fs::read_to_string(path).map_err(|error| Error::reading(path, &error))?
    } else {
        String::new()
    };
    let line = serde_json::to_string(line)
        .map_err(|error| Error::output(path, error.to_string(), "report this"))?;
    files::write_atomically(path, |file| {
        file.write_all(before.as_bytes())?;
        writeln!(file, "{line}")
    })
}

/// Seconds as a person says them.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 90.0 * 60.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
