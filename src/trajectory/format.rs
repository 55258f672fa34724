//! Formats of trajectory files, told by content, or by name for files that are to be written.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::error::Place;
use crate::foreign::{self, Kind};
use crate::{Error, Result};

/// A trajectory file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// GROMACS XTC, positions rounded to 0.01 Å.
    Xtc,
    /// CHARMM/NAMD DCD, positions as f32.
    Dcd,
    /// GROMACS TRR, positions, velocities and (written only) forces.
    Trr,
    /// Amber NetCDF (version 3).
    NetCdf,
    /// PDB with one MODEL a frame.
    Pdb,
    /// One that chemfiles reads.
    Foreign(&'static Kind),
}

/// Bytes at the start of a file that tell its format: the head of a PDB file may be long.
const HEAD: u64 = 1 << 16;

/// What to give instead of a file that cannot be read.
const READABLE: &str = "use XTC, DCD, TRR, Amber NetCDF or multi-model PDB";

impl Format {
    /// The format that a file's name stands for.
    ///
    /// # Errors
    /// [`Error::Input`] where the ending is none of them.
    pub fn of_name(path: &Path) -> Result<Self> {
        by_name(path).ok_or_else(|| {
            Error::input(
                Place::file(path),
                "is no trajectory that can be read, by its name",
                "use a trajectory that ends in .xtc, .dcd, .trr, .nc or .pdb",
            )
        })
    }

    /// The format of a file by its content; by its name where the content says nothing, so that
    /// the format's own reader can say what is wrong.
    ///
    /// # Errors
    /// [`Error::Input`] where the file cannot be read, or neither content nor name is that of a
    /// trajectory.
    pub fn of_file(path: &Path) -> Result<Self> {
        let head = match head(path) {
            Ok(head) => head,
            // a name that stands for no trajectory is what the user has to mend first
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if foreign::by_name(path).is_none() {
                    Format::of_name(path)?;
                }
                return Err(Error::reading(path, &error));
            }
            Err(error) => return Err(Error::reading(path, &error)),
        };
        if !path.is_file() {
            return Err(Error::input(
                Place::file(path),
                "is no file on a disk, as trajectories must be",
                "write it to a file first",
            ));
        }
        let refuse = |what: &str, hint: &str| Err(Error::input(Place::file(path), what, hint));
        if let Some(kind) = foreign_kind(&head, path) {
            return if cfg!(feature = "chemfiles") {
                Ok(Format::Foreign(kind))
            } else {
                Err(kind.not_built_in(path))
            };
        }
        match (by_content(&head), by_name(path)) {
            (Some(format), _) => Ok(format),
            (None, Some(Format::Pdb)) => Ok(Format::Pdb),
            (None, _) if head.starts_with(GZIP) => {
                refuse("is gzipped, and no PDB by its name", "gunzip it first")
            }
            (None, Some(format)) => Ok(format),
            (None, None) => refuse("is no trajectory that can be read", READABLE),
        }
    }

    /// What users call it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Xtc => "XTC",
            Format::Dcd => "DCD",
            Format::Trr => "TRR",
            Format::NetCdf => "NetCDF",
            Format::Pdb => "PDB",
            Format::Foreign(kind) => kind.name,
        }
    }

    /// Whether a file of this format says what its atoms are, so that it can be its own structure.
    pub fn names_atoms(self) -> bool {
        match self {
            Format::Pdb => true,
            Format::Foreign(kind) => kind.names_residues,
            _ => false,
        }
    }
}

/// The format of a file that chemfiles reads: by its name where its content is none of ours, but
/// for restarts of Amber, which are NetCDF without frames.
fn foreign_kind(head: &[u8], path: &Path) -> Option<&'static Kind> {
    match by_content(head) {
        Some(Format::NetCdf) => head
            .windows(AMBER_RESTART.len())
            .any(|words| words == AMBER_RESTART)
            .then_some(&foreign::AMBER_RESTART),
        Some(_) => None,
        None => foreign::by_name(path),
    }
}

/// What a restart of Amber calls its conventions.
const AMBER_RESTART: &[u8] = b"AMBERRESTART";

const GZIP: &[u8] = &[0x1f, 0x8b];

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let meta = std::fs::metadata(path)?;
    if meta.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    // a pipe would lose what is read here
    if !meta.is_file() {
        return Ok(head);
    }
    let file = File::open(path)?;
    file.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// The format that a name stands for.
pub(super) fn by_name(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&[".xtc"]) {
        Some(Format::Xtc)
    } else if ends(&[".dcd"]) {
        Some(Format::Dcd)
    } else if ends(&[".trr"]) {
        Some(Format::Trr)
    } else if ends(&[".nc", ".ncdf", ".netcdf"]) {
        Some(Format::NetCdf)
    } else if ends(&[".pdb", ".ent", ".pdb.gz", ".ent.gz"]) {
        Some(Format::Pdb)
    } else {
        None
    }
}

/// The format of a file that starts with these bytes.
fn by_content(head: &[u8]) -> Option<Format> {
    match head {
        [0, 0, 0x07, 0xcb | 0xe7, ..] => Some(Format::Xtc),
        [0, 0, 0x07, 0xc9, ..] => Some(Format::Trr),
        [b'C', b'D', b'F', 1 | 2 | 5, ..] => Some(Format::NetCdf),
        [_, _, _, _, b'C', b'O', b'R', b'D', ..] => Some(Format::Dcd),
        [_, _, _, _, _, _, _, _, b'C', b'O', b'R', b'D', ..] => Some(Format::Dcd),
        _ if is_pdb(head) => Some(Format::Pdb),
        _ => None,
    }
}

/// Whether text holds an atom record with coordinates in the columns of a PDB file.
fn is_pdb(head: &[u8]) -> bool {
    let is_number = |columns: &[u8]| {
        std::str::from_utf8(columns).is_ok_and(|text| text.trim().parse::<f64>().is_ok())
    };
    let is_atom = |line: &[u8]| {
        (line.starts_with(b"ATOM  ") || line.starts_with(b"HETATM"))
            && line.len() >= 54
            && [30..38, 38..46, 46..54].map(|columns| is_number(&line[columns])) == [true; 3]
    };
    !head.contains(&0) && head.split(|&byte| byte == b'\n').any(is_atom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_tell_formats() {
        let atom = b"REMARK\nATOM      1  N   ALA A   1      11.104   6.134  -6.504  1.00  0.00\n";
        assert_eq!(by_content(atom), Some(Format::Pdb));
        assert_eq!(by_content(b"ATOM 1 N ALA\n"), None);
        assert_eq!(by_content(b"TITLE\n  12\n"), None);
        assert_eq!(by_content(&[0, 0, 7, 0xe7, 0]), Some(Format::Xtc));
        assert_eq!(by_content(b"\0\0\0TCORD"), Some(Format::Dcd));
        assert_eq!(by_content(b""), None);
    }

    #[test]
    fn what_chemfiles_reads_is_told_by_name_but_not_against_the_content() {
        let name =
            |head: &[u8], path: &str| foreign_kind(head, Path::new(path)).map(|kind| kind.name);
        assert_eq!(name(b"TITLE\n  12\n", "a.gro"), Some("GRO"));
        assert_eq!(name(&[0, 0, 7, 0xcb], "a.gro"), None);
        assert_eq!(name(b"CDF\x01..Conventions..AMBER", "a.nc"), None);
        let restart = b"CDF\x01..Conventions..AMBERRESTART";
        assert_eq!(name(restart, "a.rst7"), Some("Amber Restart"));
    }
}
