//! Formats that the library chemfiles reads for us, in a process of its own.
//!
//! chemfiles knows a dozen formats that this program does not. It is C++ that trusts its files: a
//! damaged one may end the process that reads it, or never let go of it. So a helper reads them,
//! which is this program under a hidden subcommand (`serve`), and hands frames over through a
//! pipe (`wire`); `Reader` is the other end. When the helper dies or says nothing for too long,
//! that is an error with the file's name and the frame, and nothing else happens.
//!
//! What is here without the Cargo feature `chemfiles` is the list of formats, so that a build
//! without it can say what it lacks.

#[cfg(any(feature = "chemfiles", test))]
mod reader;
#[cfg(feature = "chemfiles")]
mod serve;
#[cfg(any(feature = "chemfiles", test))]
pub mod wire;

#[cfg(any(feature = "chemfiles", test))]
pub use reader::{Contents, Reader, use_program};
#[cfg(feature = "chemfiles")]
pub use serve::serve;

use std::path::Path;

use crate::Error;
use crate::error::Place;

/// A format that chemfiles reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// What chemfiles calls it, and users.
    pub name: &'static str,
    /// Endings of its files.
    endings: &'static [&'static str],
    /// Whether its files name atoms and residues, so that they can be structures.
    pub names_residues: bool,
    /// Whether it is text that may stand in files ending in `.gz`, `.bz2` or `.xz`.
    packs: bool,
}

/// Every format of chemfiles 0.10 that holds positions in known units and that nothing of ours
/// reads. Not among them: SMILES and PSF, which hold no positions, CIF, CML, CSSR and Molden, which
/// are of crystals and small molecules, and LAMMPS data files, which have no ending to be told by.
static KINDS: [Kind; 9] = [
    kind("GRO", &[".gro"], true, true),
    kind("MOL2", &[".mol2"], true, true),
    kind("MMTF", &[".mmtf"], true, true),
    kind("TPR", &[".tpr"], true, false),
    kind("TNG", &[".tng"], true, false),
    kind("TRJ", &[".trj"], false, false),
    kind("LAMMPS", &[".lammpstrj"], false, true),
    kind("XYZ", &[".xyz"], false, true),
    kind("Tinker", &[".arc"], false, true),
];

/// Amber's restart in NetCDF, which is told by its content: it has the endings of text files too.
pub static AMBER_RESTART: Kind = kind("Amber Restart", &[], false, false);

const fn kind(
    name: &'static str,
    endings: &'static [&'static str],
    names_residues: bool,
    packs: bool,
) -> Kind {
    Kind {
        name,
        endings,
        names_residues,
        packs,
    }
}

/// Endings of packed files, and what chemfiles calls the packing.
const PACKED: [(&str, &str); 3] = [(".gz", "GZ"), (".bz2", "BZ2"), (".xz", "XZ")];

/// A file's name without what says that it is packed, and what that is.
fn unpacked(name: &str) -> (&str, Option<&'static str>) {
    for (ending, packing) in PACKED {
        if let Some(inner) = name.strip_suffix(ending) {
            return (inner, Some(packing));
        }
    }
    (name, None)
}

fn lower_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}

/// The format that a file's name stands for, among those that chemfiles reads for us.
pub fn by_name(path: &Path) -> Option<&'static Kind> {
    let name = lower_name(path);
    let (name, packing) = unpacked(&name);
    KINDS.iter().find(|kind| {
        let mut endings = kind.endings.iter();
        (packing.is_none() || kind.packs) && endings.any(|ending| name.ends_with(ending))
    })
}

impl serde::Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl Kind {
    /// Format and packing, as chemfiles wants to be told: `GRO / GZ`.
    #[cfg(any(feature = "chemfiles", test))]
    fn for_chemfiles(&self, path: &Path) -> String {
        match unpacked(&lower_name(path)).1 {
            Some(packing) if self.packs => format!("{} / {packing}", self.name),
            _ => self.name.to_owned(),
        }
    }

    /// Why a build without chemfiles cannot read a file, and what to do.
    pub fn not_built_in(&self, path: &Path) -> Error {
        Error::input(
            Place::file(path),
            format!("is {}, which this build does not read", self.name),
            "build with `--features chemfiles`, or convert the file: structures to PDB, \
             trajectories to XTC, DCD, TRR, Amber NetCDF or PDB of many models",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        let name = |path: &str| by_name(Path::new(path)).map(|kind| kind.name);
        assert_eq!(name("a/run.GRO"), Some("GRO"));
        assert_eq!(name("dump.lammpstrj.xz"), Some("LAMMPS"));
        assert_eq!(name("run.tng.gz"), None);
        for ours in ["run.xtc", "run.pdb.gz", "run.nc", "gro", "run.cif"] {
            assert_eq!(name(ours), None, "{ours}");
        }
    }

    #[test]
    fn a_build_without_it_says_what_it_lacks() {
        let path = Path::new("run.tng");
        let error = by_name(path).unwrap().not_built_in(path);
        let words = format!("{error}\n{}", error.hint());
        assert!(words.starts_with("run.tng: is TNG,"), "{words}");
        assert!(words.contains("--features chemfiles"), "{words}");
    }
}
