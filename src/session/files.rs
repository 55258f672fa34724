//! The files of a run: their names, which of them may be there already, and the lock that keeps a
//! second run off them.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::{Replicas, checkpoints};
use crate::files::{
    self, file_name, is_same, prefix_meant, refuse_existing, require_folder, with_suffix,
};
use crate::simulate::checkpoint;
use crate::{Error, Result};

/// What the first line of a run's log begins with, behind its time.
pub(super) const HEADING: &str = "mdsurrogate ";

/// Trajectory formats that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// GROMACS XTC: compressed, positions to 0.01 Å.
    #[default]
    Xtc,
    /// CHARMM/NAMD DCD: positions as 32-bit numbers.
    Dcd,
    /// PDB: a model a frame, as text.
    Pdb,
}

impl Format {
    /// The file's ending.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Xtc => "xtc",
            Format::Dcd => "dcd",
            Format::Pdb => "pdb",
        }
    }

    /// What follows a replica's prefix in the name of its trajectory: `PREFIX.pdb` is the topology.
    fn suffix(self) -> &'static str {
        match self {
            Format::Xtc => ".xtc",
            Format::Dcd => ".dcd",
            Format::Pdb => "_trajectory.pdb",
        }
    }
}

/// Where a run's files go.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// What all names start with, or a folder, with a separator at its end, for names that start
    /// with the input's stem. None: that stem, or `STEM_run` where `PREFIX.pdb` would be the input.
    pub prefix: Option<PathBuf>,
    /// Format of the trajectory.
    pub format: Format,
    /// Whether the topology is written as mmCIF too, even where a PDB file has room for it.
    pub cif: bool,
    /// Whether files that exist may be replaced.
    pub overwrite: bool,
    /// Whether a run starts over even where there is a checkpoint to go on from.
    pub fresh: bool,
}

/// Names of a run's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// What all names start with.
    pub prefix: PathBuf,
    /// What names of the whole run start with, of which this may be a part.
    pub(super) whole: PathBuf,
    /// What names of each replica's own files start with.
    pub replicas: Vec<PathBuf>,
    /// Format of the trajectories.
    format: Format,
    /// Whether the topology is written as mmCIF too.
    cif: bool,
    /// Whether there are files of forces.
    forces: bool,
}

impl Files {
    /// The files that a run of `input` writes, with forces or without.
    ///
    /// # Errors
    /// [`Error::Usage`] where one of them would be the input, or the folder does not exist.
    pub fn new(output: &Output, replicas: Replicas, input: &Path, forces: bool) -> Result<Self> {
        let typed = prefix(output.prefix.as_deref(), input);
        let numbered = |replica: u64| with_suffix(&typed, &format!("_r{replica}"));
        let (prefix, own) = match replicas {
            Replicas::Together(1) => (typed.clone(), vec![typed.clone()]),
            Replicas::Together(many) => (typed.clone(), (0..many).map(numbered).collect()),
            Replicas::Only(replica) => (numbered(replica), vec![numbered(replica)]),
            Replicas::Part { first, count } => {
                let last = (first + count).saturating_sub(1);
                let prefix = with_suffix(&typed, &format!("_r{first}-{last}"));
                (prefix, (first..first + count).map(numbered).collect())
            }
        };
        let whole = match replicas {
            Replicas::Only(_) => prefix.clone(),
            _ => typed,
        };
        let files = Files {
            prefix,
            whole,
            replicas: own,
            format: output.format,
            cif: output.cif,
            forces,
        };
        files.spare(input)?;
        require_folder(&files.prefix)?;
        Ok(files)
    }

    /// With the topology as mmCIF too.
    ///
    /// # Errors
    /// [`Error::Usage`] where that would be the input.
    pub fn with_cif(mut self, input: &Path) -> Result<Self> {
        self.cif = true;
        self.spare(input)?;
        Ok(self)
    }

    /// Refuses to replace the input.
    fn spare(&self, input: &Path) -> Result<()> {
        match self.all().into_iter().find(|file| is_same(file, input)) {
            None => Ok(()),
            Some(same) => Err(Error::usage(
                format!("the output {} would replace the input", same.display()),
                "another -o PREFIX",
            )),
        }
    }

    /// `PREFIX.pdb`: topology and frame 0.
    pub fn topology(&self) -> PathBuf {
        with_suffix(&self.prefix, ".pdb")
    }
    /// `PREFIX.cif`: the same as mmCIF, where it is asked for or PDB has no room for all names.
    pub fn cif(&self) -> Option<PathBuf> {
        self.cif.then(|| with_suffix(&self.prefix, ".cif"))
    }
    /// `PREFIX.log`.
    pub fn log(&self) -> PathBuf {
        with_suffix(&self.prefix, ".log")
    }
    /// `PREFIX.summary.json`.
    pub fn summary(&self) -> PathBuf {
        with_suffix(&self.prefix, ".summary.json")
    }
    /// The trajectory of a replica.
    pub fn trajectory(&self, replica: usize) -> PathBuf {
        with_suffix(&self.replicas[replica], self.format.suffix())
    }
    /// The CSV log of a replica.
    pub fn csv(&self, replica: usize) -> PathBuf {
        with_suffix(&self.replicas[replica], ".csv")
    }
    /// Positions, velocities and forces of a replica, where they are asked for.
    pub fn forces(&self, replica: usize) -> Option<PathBuf> {
        self.forces
            .then(|| with_suffix(&self.replicas[replica], ".trr"))
    }
    /// The last frame of a replica.
    pub fn last(&self, replica: usize) -> PathBuf {
        with_suffix(&self.replicas[replica], "_final.pdb")
    }

    /// All but the checkpoints.
    pub fn all(&self) -> Vec<PathBuf> {
        let of_replica = |replica| {
            [
                self.trajectory(replica),
                self.csv(replica),
                self.last(replica),
            ]
        };
        let own = (0..self.replicas.len())
            .flat_map(|replica| of_replica(replica).into_iter().chain(self.forces(replica)));
        [self.topology(), self.log(), self.summary()]
            .into_iter()
            .chain(self.cif())
            .chain(own)
            .collect()
    }

    /// Whether all files are there, and whole.
    pub(super) fn are_finished(&self) -> bool {
        self.all().iter().all(|file| file.exists())
    }

    /// Whether what is there is what a run leaves that ended before its first checkpoint, before
    /// which it has no more to show than its log and frame 0. One that could not write on has
    /// closed its trajectory, and says so in its log; it has no summary.
    fn are_abandoned(&self) -> bool {
        let early = |replica| [self.csv(replica), self.topology(), self.log()];
        // a set: there may be 65,536 replicas
        let mut early: HashSet<_> = (0..self.replicas.len()).flat_map(early).collect();
        if files::last_line(&self.log()).is_some_and(|line| line.contains("] ended: ")) {
            early.extend((0..self.replicas.len()).map(|replica| self.trajectory(replica)));
        }
        early.extend(self.cif());
        let mut later = self.all();
        later.retain(|file| !early.contains(file));
        later.extend(checkpoint::files(&self.prefix));
        files::starts_with_or_is_empty(&self.log(), &format!("] {HEADING}"))
            && !later.iter().any(|file| file.exists())
    }

    /// Refuses to replace what is there unless that is allowed or it is of a run that ended before
    /// its first checkpoint, and takes away what a run from the start makes void: checkpoints, and
    /// parts of trajectories. Whether it replaces such a run is the answer.
    ///
    /// # Errors
    /// [`Error::Output`] naming the first file that is in the way; [`Error::Input`] for a
    /// checkpoint of a training, which is replaced in no case.
    pub fn clear(&self, overwrite: bool) -> Result<bool> {
        checkpoints::refuse_training(&self.prefix)?;
        let checkpoints = checkpoint::files(&self.prefix);
        let all = self.all();
        let abandoned = self.are_abandoned();
        refuse_existing(
            all.iter().chain(&checkpoints).map(PathBuf::as_path),
            overwrite || abandoned,
        )?;
        for replica in &self.replicas {
            for suffix in [
                ".part.xtc",
                ".part.dcd",
                ".part.trr",
                "_trajectory.part.pdb",
            ] {
                let part = with_suffix(replica, suffix);
                // it would be replaced anyhow, or is of a format that is written no more
                let _ = std::fs::remove_file(part);
            }
        }
        for file in checkpoints.iter().filter(|file| file.is_file()) {
            std::fs::remove_file(file).map_err(|source| Error::writing(file, &source))?;
        }
        Ok(abandoned)
    }

    /// Takes away temporary files that a killed run of this prefix has left.
    pub(super) fn remove_parts(&self) {
        let checkpoints = checkpoint::files(&self.prefix);
        let all = self.all();
        files::remove_parts(all.iter().chain(&checkpoints).map(PathBuf::as_path));
    }
}

/// The prefix that the user means.
pub(super) fn prefix(typed: Option<&Path>, input: &Path) -> PathBuf {
    let is_folder =
        |path: &Path| (path.to_string_lossy()).ends_with(['/', std::path::MAIN_SEPARATOR]);
    let Some(typed) = typed.filter(|path| !is_folder(path)) else {
        let prefix = typed.unwrap_or(Path::new("")).join(stem(input));
        // PREFIX.pdb may be the input
        return if is_same(&with_suffix(&prefix, ".pdb"), input) {
            with_suffix(&prefix, "_run")
        } else {
            prefix
        };
    };
    prefix_meant(typed)
}

/// The name of a file without its endings.
pub(super) fn stem(input: &Path) -> String {
    let name = file_name(input);
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    if stem.is_empty() { "run" } else { stem }.to_owned()
}

/// Keeps other runs and trainings off a prefix. It dies with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// Held open: the lock is the operating system's.
    _file: File,
}

impl Lock {
    /// Takes the lock on a prefix: `PREFIX.lock`.
    ///
    /// # Errors
    /// [`Error::Output`] where another process holds it, or the file cannot be made.
    pub fn take(prefix: &Path) -> Result<Self> {
        let path = with_suffix(prefix, ".lock");
        let failed = |source: &std::io::Error| Error::writing(&path, source);
        loop {
            let file = File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path);
            let file = file.map_err(|source| failed(&source))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let what = "another run or training is writing files of this prefix";
                    let hint = "wait for its end, or another -o PREFIX";
                    return Err(Error::output(prefix, what, hint));
                }
                // a file system without locks: as good as before there were any
                Err(TryLockError::Error(_)) => return Ok(Lock { path, _file: file }),
            }
            // its last holder takes the file away: what was locked may have no name any more
            if is_at(&file, &path) {
                return Ok(Lock { path, _file: file });
            }
        }
    }
}

/// Whether this file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(own), Ok(named)) => (own.dev(), own.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_files_under_the_stem_of_the_input() {
        for (typed, input, prefix_meant) in [
            (None, "some/1abc.pdb.gz", "1abc"),
            (Some("out/"), "some/1abc.cif", "out/1abc"),
            (Some("out/x"), "some/1abc.cif", "out/x"),
            (Some("out/x.1.dcd"), "some/1abc.cif", "out/x.1"),
            (Some("out/.xtc"), "some/1abc.cif", "out/.xtc"),
            (Some("./"), ".pdb", "./run"),
        ] {
            let meant = prefix(typed.map(Path::new), Path::new(input));
            assert_eq!(meant, Path::new(prefix_meant), "{typed:?} {input}");
        }
    }

    #[test]
    fn a_prefix_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("run");
        let lock = Lock::take(&prefix).unwrap();
        let error = Lock::take(&prefix).unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains("another run"));
        drop(lock);
        drop(Lock::take(&prefix).unwrap());
        assert!(!with_suffix(&prefix, ".lock").exists());
    }
}
