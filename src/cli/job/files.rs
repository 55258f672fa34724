//! The files of a run, and which of them may be there already.

use std::path::{Path, PathBuf};

use super::JobArgs;
use crate::files::{self, refuse_existing, with_suffix};
use crate::simulate::checkpoint;
use crate::{Error, Result};

/// What the first line of a run's log begins with, behind its time.
pub const HEADING: &str = "mdsurrogate ";

/// Names of a run's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// What all names start with.
    pub prefix: PathBuf,
    /// What names of each replica's own files start with.
    pub replicas: Vec<PathBuf>,
    /// Ending of the trajectories.
    ending: &'static str,
    /// Whether there are files of forces.
    forces: bool,
}

impl Files {
    /// The files that these arguments ask for, with forces or without.
    ///
    /// # Errors
    /// [`Error::Usage`] where one of them would be the input, or the folder does not exist.
    pub fn new(args: &JobArgs, input: &Path, forces: bool) -> Result<Self> {
        let prefix = args.output.clone().unwrap_or_else(|| default_prefix(input));
        let prefix = args.replica_index.map_or_else(
            || prefix.clone(),
            |index| with_suffix(&prefix, &format!("_r{index}")),
        );
        let replicas = match args.replicas {
            1 => vec![prefix.clone()],
            many => (0..many)
                .map(|replica| with_suffix(&prefix, &format!("_r{replica}")))
                .collect(),
        };
        let files = Files {
            prefix,
            replicas,
            ending: args.traj_format.ending(),
            forces,
        };
        if let Some(same) = files.all().into_iter().find(|file| is_same(file, input)) {
            let what = format!("the output {} would replace the input", same.display());
            return Err(Error::usage(what, "another -o PREFIX"));
        }
        let folder = files
            .prefix
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(Error::usage(
                format!("there is no folder {} for the output", folder.display()),
                "make it, or another -o PREFIX",
            ));
        }
        Ok(files)
    }

    /// `PREFIX.pdb`: topology and frame 0.
    pub fn topology(&self) -> PathBuf {
        with_suffix(&self.prefix, ".pdb")
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
        with_suffix(&self.replicas[replica], &format!(".{}", self.ending))
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
            .chain(own)
            .collect()
    }

    /// Whether all files are there, and whole.
    pub fn are_finished(&self) -> bool {
        self.all().iter().all(|file| file.exists())
    }

    /// Whether what is there is what a run leaves that ended before its first checkpoint, before
    /// which it has no more to show than its log and frame 0.
    fn are_abandoned(&self) -> bool {
        let early = |replica| [self.csv(replica), self.topology(), self.log()];
        let early: Vec<_> = (0..self.replicas.len()).flat_map(early).collect();
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
    /// [`Error::Output`] naming the first file that is in the way.
    pub fn clear(&self, overwrite: bool) -> Result<bool> {
        let checkpoints = checkpoint::files(&self.prefix);
        let all = self.all();
        let abandoned = self.are_abandoned();
        refuse_existing(
            all.iter().chain(&checkpoints).map(PathBuf::as_path),
            overwrite || abandoned,
        )?;
        for replica in &self.replicas {
            for ending in ["xtc", "dcd", "trr"] {
                let part = with_suffix(replica, &format!(".part.{ending}"));
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
    pub fn remove_parts(&self) {
        let checkpoints = checkpoint::files(&self.prefix);
        let all = self.all();
        files::remove_parts(all.iter().chain(&checkpoints).map(PathBuf::as_path));
    }
}

/// The input's name without its endings; `_run` behind it where `PREFIX.pdb` would be the input.
fn default_prefix(input: &Path) -> PathBuf {
    let name = input
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let prefix = PathBuf::from(if stem.is_empty() { "run" } else { stem });
    if is_same(&with_suffix(&prefix, ".pdb"), input) {
        with_suffix(&prefix, "_run")
    } else {
        prefix
    }
}

/// Whether both are one file that exists.
fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
