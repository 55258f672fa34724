//! The files of a run: its trajectories by their prefix, and what stands beside one of these, its
//! topology, its log, its summary.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::files::{file_name, with_suffix};
use crate::trajectory::Format;
use crate::{Error, Result};

/// What follows a prefix in the name of a trajectory; the first that is there counts.
const SUFFIXES: [&str; 8] = [
    ".xtc",
    ".dcd",
    ".trr",
    ".nc",
    "_trajectory.pdb",
    ".part.xtc",
    ".part.dcd",
    "_trajectory.part.pdb",
];

/// The trajectories that are meant by words: files, and prefixes of runs, which stand for
/// `PREFIX.xtc` or `.dcd`, for `PREFIX_r0.xtc`, `PREFIX_r1.xtc`, …, or for their parts while the
/// run goes on.
///
/// # Errors
/// [`Error::Usage`] for words that are neither, and for a file that is meant twice: it would count
/// as two replicas.
pub fn trajectories(words: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for word in words {
        let found = of_prefix(word);
        let is_file = word.exists() && !word.is_dir();
        if is_file || (found.is_empty() && Format::of_name(word).is_ok()) {
            // that a file is not there, or is none on a disk, is said by who opens it
            all.push(word.clone());
        } else if found.is_empty() {
            return Err(nothing_there(word));
        } else {
            all.extend(found);
        }
    }
    let mut known = HashSet::new();
    let twice = |path: &&PathBuf| path.canonicalize().is_ok_and(|path| !known.insert(path));
    if let Some(path) = all.iter().find(twice) {
        return Err(Error::usage(
            format!(
                "{} is given twice: it is one replica, not two",
                path.display()
            ),
            "give each trajectory once; a PREFIX stands for all its replicas",
        ));
    }
    Ok(all)
}

fn of_prefix(prefix: &Path) -> Vec<PathBuf> {
    let there = |prefix: &Path| {
        let mut files = SUFFIXES.iter().map(|suffix| with_suffix(prefix, suffix));
        files.find(|file| file.is_file())
    };
    if let Some(file) = there(prefix) {
        return vec![file];
    }
    // all that are there: of an array of jobs some may be missing
    let replica = |number: usize| there(&with_suffix(prefix, &format!("_r{number}")));
    replicas(prefix).into_iter().filter_map(replica).collect()
}

/// Numbers of the files beside a prefix that are named `PREFIX_r0…`, in their order.
fn replicas(prefix: &Path) -> BTreeSet<usize> {
    let folder = prefix.parent().filter(|parent| *parent != Path::new(""));
    let start = format!("{}_r", file_name(prefix));
    let number = |name: &str| {
        let rest = name.strip_prefix(&start)?;
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        rest[..end].parse().ok()
    };
    let Ok(files) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else {
        return BTreeSet::new();
    };
    files
        .flatten()
        .filter_map(|file| number(&file.file_name().to_string_lossy()))
        .collect()
}

fn nothing_there(word: &Path) -> Error {
    let what = if word.is_dir() {
        format!("{} is a folder", word.display())
    } else {
        format!(
            "{0} is no trajectory and no prefix of a run: there is no {1}.xtc, {1}_r0.xtc, …",
            word.display(),
            file_name(word)
        )
    };
    let hint = "the PREFIX that a run was given by -o, or trajectories and --top with their \
                structure";
    Error::usage(what, hint)
}

/// The file of a run with this ending, beside one of its trajectories: `PREFIX.csv` for
/// `PREFIX.xtc`, its part `PREFIX.part.xtc`, `PREFIX_trajectory.pdb`, and for `PREFIX_r0.xtc`,
/// where `PREFIX_r0.csv` does not exist.
pub fn beside(trajectory: &Path, ending: &str) -> Option<PathBuf> {
    let stem = trajectory.file_stem()?.to_str()?;
    let stem = stem.strip_suffix(".part").unwrap_or(stem);
    let stem = stem.strip_suffix("_trajectory").unwrap_or(stem);
    let whole = replica_prefix(stem);
    let names = [Some(stem), whole].into_iter().flatten();
    names
        .map(|name| trajectory.with_file_name(format!("{name}.{ending}")))
        .find(|path| path.is_file())
}

/// `PREFIX` of `PREFIX_r0`.
pub fn replica_prefix(stem: &str) -> Option<&str> {
    let (prefix, number) = stem.rsplit_once("_r")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(prefix)
}
