//! The text of a structure file, whatever way it was stored.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::Place;
use crate::foreign::{self, Kind};
use crate::{Error, Result};

/// What a structure file is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub enum Format {
    /// Protein Data Bank, columns.
    #[default]
    #[serde(rename = "PDB")]
    Pdb,
    /// mmCIF / PDBx, tables.
    #[serde(rename = "mmCIF")]
    Mmcif,
    /// One that chemfiles reads, which says nothing of its lines.
    #[serde(untagged)]
    Foreign(&'static Kind),
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Format::Pdb => "PDB",
            Format::Mmcif => "mmCIF",
            Format::Foreign(kind) => kind.name,
        })
    }
}

/// Most text that a structure file may hold, bytes, packed or not: three million atoms, more than
/// can be simulated, and little enough that a small archive of blanks cannot fill the memory.
const MOST_TEXT: u64 = 256 << 20;

/// A file as ASCII text: other characters, which only free text holds, are replaced by `?`.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub path: PathBuf,
    pub text: String,
    pub format: Format,
    pub compressed: bool,
}

impl Source {
    /// An error at a line (from 1; 0 where lines are not known) of this file, at an atom where one
    /// is known.
    pub fn error(
        &self,
        line: usize,
        atom: Option<String>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Error {
        Error::input(
            Place {
                atom,
                line: (line > 0).then_some(line),
                ..Place::file(&self.path)
            },
            what,
            hint,
        )
    }
}

/// Reads a plain or gzipped file and tells its format, both by content.
///
/// # Errors
/// [`Error::Input`]: no such file, empty, cut-short gzip stream, no text, or more of it than
/// [`MOST_TEXT`].
pub(super) fn load(path: &Path) -> Result<Source> {
    let file = std::fs::File::open(path).map_err(|error| Error::reading(path, &error))?;
    let mut stored = Vec::new();
    file.take(MOST_TEXT + 1)
        .read_to_end(&mut stored)
        .map_err(|error| Error::reading(path, &error))?;
    if let Some(kind) = foreign::by_name(path).filter(|_| !starts_as_ours(&stored)) {
        return foreign_source(path, kind);
    }
    let refuse = |what: &str, hint: &str| Err(Error::input(Place::file(path), what, hint));
    let compressed = stored.starts_with(&[0x1f, 0x8b]);
    let bytes = if compressed {
        unzip(path, &stored)?
    } else {
        stored
    };
    if bytes.len() as u64 > MOST_TEXT {
        return refuse(
            &format!("holds more than {} MiB of text", MOST_TEXT >> 20),
            "give the protein that you mean alone",
        );
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return refuse("is empty", "download or copy the file again");
    }
    let text = match from_utf16(&bytes) {
        Some(text) => ascii(text.into_bytes()),
        None if bytes.contains(&0) => {
            return refuse(
                "is not a text file",
                "give a structure as PDB or mmCIF text, plain or gzipped (.pdb, .cif, .gz)",
            );
        }
        None => ascii(bytes),
    };
    let format = if is_mmcif(&text) {
        Format::Mmcif
    } else {
        Format::Pdb
    };
    Ok(Source {
        path: path.to_owned(),
        text,
        format,
        compressed,
    })
}

/// Whether a file, whatever it is called, starts as text that we read ourselves.
fn starts_as_ours(bytes: &[u8]) -> bool {
    const ATOMS: [&[u8]; 3] = [b"ATOM  ", b"HETATM", b"data_"];
    let head = &bytes[..bytes.len().min(1 << 16)];
    head.split(|&byte| byte == b'\n')
        .any(|line| ATOMS.iter().any(|start| line.starts_with(start)))
}

/// A file that chemfiles is to read.
fn foreign_source(path: &Path, kind: &'static Kind) -> Result<Source> {
    if cfg!(not(feature = "chemfiles")) {
        return Err(kind.not_built_in(path));
    }
    if !kind.names_residues {
        return Err(Error::input(
            Place::file(path),
            format!("is {}, which does not name residues", kind.name),
            "give the structure as PDB or mmCIF",
        ));
    }
    Ok(Source {
        path: path.to_owned(),
        format: Format::Foreign(kind),
        ..Source::default()
    })
}

fn unzip(path: &Path, stored: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(stored)
        .take(MOST_TEXT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            let what = match error.kind() {
                std::io::ErrorKind::UnexpectedEof => format!(
                    "is cut short: its gzip stream ends after {} bytes of text",
                    bytes.len()
                ),
                _ => format!("is a damaged gzip file: {error}"),
            };
            Error::input(
                Place::file(path),
                what,
                "download or copy the file again; `gzip -t FILE` tells whether it is whole",
            )
        })?;
    Ok(bytes)
}

/// The text of a UTF-16 file, which Windows programs write; told by its byte order mark.
fn from_utf16(bytes: &[u8]) -> Option<String> {
    let join: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let words = bytes[2..]
        .chunks_exact(2)
        .map(|pair| join([pair[0], pair[1]]));
    let characters = char::decode_utf16(words).map(|character| character.unwrap_or('?'));
    Some(characters.collect())
}

/// Plain text in place: files may be large.
fn ascii(mut bytes: Vec<u8>) -> String {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    let lone_returns = !bytes.contains(&b'\n'); // line ends of old Macs
    for byte in &mut bytes {
        *byte = match *byte {
            b'\r' if lone_returns => b'\n',
            b'\n' | b'\r' | b'\t' | b' '..=b'~' => *byte,
            _ => b'?',
        };
    }
    String::from_utf8(bytes).expect("only ASCII is left")
}

/// mmCIF starts with a data block, or without its name with a table or item; comments may come
/// before it.
fn is_mmcif(text: &str) -> bool {
    let first = text
        .lines()
        .map(str::trim_start)
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    let starts = |line: &str, word: &str| {
        let start = line.get(..word.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    first.is_some_and(|line| {
        ["data_", "loop_", "_"]
            .iter()
            .any(|word| starts(line, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_ascii_line_by_line() {
        assert_eq!(ascii(b"\xef\xbb\xbfA\xc3\x85\r\nB".to_vec()), "A??\r\nB");
        assert_eq!(ascii(b"A\rB".to_vec()), "A\nB");
    }

    #[test]
    fn utf16_is_told_by_its_mark() {
        for (mark, order) in [
            ([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ([0xfe, 0xff], u16::to_be_bytes),
        ] {
            let mut bytes = mark.to_vec();
            bytes.extend("ATOM Å".encode_utf16().flat_map(order));
            assert_eq!(from_utf16(&bytes).as_deref(), Some("ATOM Å"));
        }
        assert_eq!(from_utf16(b"ATOM"), None);
    }

    #[test]
    fn formats_are_told_by_content() {
        for text in [
            "# by hand\n\n DATA_1abc\nloop_\n",
            "loop_\n_atom_site.id",
            "_cell.length_a 1",
        ] {
            assert!(is_mmcif(text), "{text}");
        }
        for text in ["ATOM", "data", "HEADER data_", ""] {
            assert!(!is_mmcif(text), "{text}");
        }
    }
}
