//! Entries of `data.systems` that stand for many systems: `*` in a file name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::SystemFiles;
use crate::error::Place;
use crate::{Error, Result};

impl SystemFiles {
    /// The systems that this entry stands for: itself, or where the topology's file name holds a
    /// `*`, one for each file in `folder` that fits, in the order of their names. What the `*`
    /// stood for also replaces it in the trajectories. The last frame of a run, `PREFIX_final.pdb`
    /// beside `PREFIX.pdb`, is no system of its own.
    ///
    /// # Errors
    /// [`Error::Input`] where the folder cannot be listed or no file fits.
    pub fn expand(&self, folder: &Path) -> Result<Vec<SystemFiles>> {
        let pattern = self
            .topology
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let Some((head, tail)) = pattern.split_once('*') else {
            return Ok(vec![self.clone()]);
        };
        let within = folder.join(self.topology.parent().unwrap_or(Path::new("")));
        let listing =
            std::fs::read_dir(&within).map_err(|source| Error::reading(&within, &source))?;
        let names = listing.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let middle = |name: String| Some(name.strip_prefix(head)?.strip_suffix(tail)?.to_owned());
        let fitting: BTreeSet<String> = names.filter_map(middle).collect();
        let is_last_frame = |name: &String| {
            let prefix = name.strip_suffix("_final");
            prefix.is_some_and(|prefix| fitting.contains(prefix))
        };
        let found = fitting.iter().filter(|name| !is_last_frame(name));
        if fitting.is_empty() {
            let place = Place::file(folder.join(&self.topology));
            return Err(Error::input(
                place,
                "no file fits this pattern",
                "see `data.folder` and `topology`, or give --data FOLDER",
            ));
        }
        Ok(found.map(|found| self.filled(found)).collect())
    }

    /// This entry with `found` in the place of every `*`.
    fn filled(&self, found: &str) -> SystemFiles {
        let fill = |path: &Path| path.to_string_lossy().replace('*', found).into();
        let fill_all = |paths: &[PathBuf]| paths.iter().map(|path| fill(path)).collect();
        SystemFiles {
            topology: fill(&self.topology),
            trajectories: fill_all(&self.trajectories),
            rollouts: fill_all(&self.rollouts),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(topology: &str) -> SystemFiles {
        let [trajectories, rollouts] = ["sub/*.xtc", "sub/*_r0.xtc"].map(|path| vec![path.into()]);
        SystemFiles {
            name: None,
            topology: topology.into(),
            trajectories,
            rollouts,
            fold: None,
            time_step: None,
            weight: 2.0,
        }
    }

    #[test]
    fn a_star_stands_for_every_file_that_fits_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        for name in ["YN.pdb", "YN_final.pdb", "AK.pdb", "AK.xtc", "notes.txt"] {
            std::fs::write(folder.path().join("sub").join(name), "").unwrap();
        }
        let found = entry("sub/*.pdb").expand(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(SystemFiles::name).collect();
        assert_eq!(names, ["AK", "YN"]);
        assert_eq!(
            (found[1].trajectories[0].as_path(), found[1].weight),
            (Path::new("sub/YN.xtc"), 2.0)
        );
        assert_eq!(found[1].rollouts, [Path::new("sub/YN_r0.xtc")]);
        let error = entry("sub/*.cif").expand(folder.path()).unwrap_err();
        assert!(
            error.exit_code() == 2 && error.to_string().contains("*.cif"),
            "{error}"
        );
        assert!(
            entry("nowhere/*.pdb")
                .expand(folder.path())
                .unwrap_err()
                .to_string()
                .contains("nowhere")
        );
    }

    #[test]
    fn an_entry_without_a_star_stands_for_itself() {
        assert_eq!(
            entry("sub/YN.pdb").expand(Path::new("nowhere")).unwrap()[0].topology,
            Path::new("sub/YN.pdb")
        );
    }
}
