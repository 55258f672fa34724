//! RNA whose nucleotides were measured: OpenVaccine's file and Ribonanza's, and how networks see
//! them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use mdsurrogate::error::Place;
use mdsurrogate::network::{Tokens, Vocabulary};
use mdsurrogate::structure::{Atom, Chain, Element, Residue, Topology};
use mdsurrogate::{Error, Result};
use nalgebra::Vector3;
use serde::Deserialize;

use super::fold::{Fold, KINDS};
use super::helix::ATOMS;
use super::place::place;
use crate::results::known_by;

/// The alphabet of RNA: atoms, nucleotides, and the loops that these are in.
pub static RNA: Vocabulary = Vocabulary {
    name: "rna",
    atoms: &ATOMS,
    residues: &["A", "C", "G", "U"],
    places: &KINDS,
    forms: &[("T", "U")],
    backbone: &["P", "C4'"],
};

/// Number of folds of the data, of which one is tested on.
pub const FOLDS: usize = 5;

/// An RNA that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Its name in the file.
    pub name: String,
    /// The fold that it belongs to.
    pub fold: usize,
    /// Rows of the alphabet of every nucleotide: base, loop.
    pub letters: Vec<[u16; 2]>,
    /// P, C4' and N of every nucleotide.
    pub backbone: Tokens,
    /// Where they are in the idealised structure, Å.
    pub positions: Vec<Vector3<f64>>,
    /// One token a nucleotide.
    pub sequence: Tokens,
    /// What was measured of every nucleotide, of every column; NaN where nothing was.
    pub targets: Vec<Vec<f64>>,
}

/// All of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// Hash of the file, its first 16 digits.
    pub hash: String,
    /// What was measured.
    pub columns: Vec<String>,
    /// The RNAs whose signal was strong enough, in the file's order.
    pub all: Vec<Measured>,
}

/// Columns that the competition OpenVaccine was judged by.
const OPEN_VACCINE: [&str; 3] = ["reactivity", "deg_Mg_pH10", "deg_Mg_50C"];
/// Experiments of Ribonanza, as its file calls them.
const RIBONANZA: [&str; 2] = ["2A3_MaP", "DMS_MaP"];

impl Data {
    /// Reads OpenVaccine's lines of JSON (`.jsonl`, gzipped or not), or Ribonanza's table (`.csv`)
    /// with the secondary structures that go with it.
    ///
    /// # Errors
    /// [`Error::Input`] naming file and line.
    pub fn load(path: &Path, structures: Option<&Path>) -> Result<Data> {
        let (text, hash) = text(path)?;
        let (columns, all) = match structures {
            None => (&OPEN_VACCINE[..], open_vaccine(path, &text)?),
            Some(other) => {
                let structures = structure_table(other)?;
                (&RIBONANZA[..], ribonanza(path, &text, &structures)?)
            }
        };
        if all.is_empty() {
            return Err(Error::input(
                Place::file(path),
                "holds no RNA whose SN_filter is 1",
                "give the training set of OpenVaccine, or of Ribonanza with --structures",
            ));
        }
        Ok(Data {
            hash,
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            all,
        })
    }

    /// Numbers of the RNAs of these folds.
    pub fn of_folds(&self, is_in: impl Fn(usize) -> bool) -> Vec<usize> {
        let all = 0..self.all.len();
        all.filter(|&number| is_in(self.all[number].fold)).collect()
    }
}

/// A file's text, unpacked where it is gzipped, and its hash.
fn text(path: &Path) -> Result<(String, String)> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    let hash = known_by(path, &bytes);
    let mut text = String::new();
    let read = if bytes.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text)
    } else {
        (&bytes[..]).read_to_string(&mut text)
    };
    read.map_err(|error| Error::reading(path, &error))?;
    Ok((text, hash))
}

#[derive(Deserialize)]
struct Line {
    seq_id: String,
    fold: usize,
    sequence: String,
    structure: String,
    #[serde(rename = "SN_filter")]
    filter: f64,
    reactivity: Vec<f64>,
    #[serde(rename = "deg_Mg_pH10")]
    deg_mg_ph10: Vec<f64>,
    #[serde(rename = "deg_Mg_50C")]
    deg_mg_50c: Vec<f64>,
}

fn open_vaccine(path: &Path, text: &str) -> Result<Vec<Measured>> {
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = || Place::line(path, number + 1);
        let line: Line = serde_json::from_str(line).map_err(|error| {
            let what = format!("is no line of OpenVaccine's: {error}");
            Error::input(place(), what, "give the training set, with its folds")
        })?;
        if line.filter != 1.0 {
            continue;
        }
        let columns = [&line.reactivity, &line.deg_mg_ph10, &line.deg_mg_50c];
        let of = |at: usize| columns.map(|column| column.get(at).copied().unwrap_or(f64::NAN));
        let targets = (0..line.sequence.len()).map(|at| of(at).to_vec()).collect();
        let measured = Measured::new(&line.seq_id, line.fold, [&line.sequence, &line.structure]);
        all.push(
            measured
                .map_err(|what| Error::input(place(), what, "take the line away"))?
                .with(targets),
        );
    }
    Ok(all)
}

/// The secondary structure of every sequence: a table with the columns `sequence` and `structure`.
fn structure_table(path: &Path) -> Result<BTreeMap<String, String>> {
    let (text, _) = text(path)?;
    let table = Table::new(path, &text);
    let columns = [table.column("sequence")?, table.column("structure")?];
    let row = |(_, row): (usize, Vec<&str>)| {
        let [sequence, structure] = columns.map(|column| row[column].to_owned());
        (sequence, structure)
    };
    Ok(table.rows()?.into_iter().map(row).collect())
}

/// A table of values set apart by commas, none of which is quoted.
struct Table<'a> {
    path: &'a Path,
    text: &'a str,
    names: Vec<&'a str>,
}

impl<'a> Table<'a> {
    fn new(path: &'a Path, text: &'a str) -> Self {
        let head = text.lines().next().unwrap_or_default();
        let names = head.split(',').map(str::trim).collect();
        Table { path, text, names }
    }

    fn column(&self, name: &str) -> Result<usize> {
        let found = self.names.iter().position(|own| *own == name);
        found.ok_or_else(|| {
            Error::input(
                Place::line(self.path, 1),
                format!("names no column {name}"),
                "give a table of Ribonanza, values set apart by commas",
            )
        })
    }

    /// Number of the line and values of every row.
    fn rows(&self) -> Result<Vec<(usize, Vec<&'a str>)>> {
        let lines = self.text.lines().enumerate().skip(1);
        let rows = lines.filter(|(_, line)| !line.trim().is_empty());
        rows.map(|(number, line)| {
            let row: Vec<&str> = line.split(',').map(str::trim).collect();
            if row.len() == self.names.len() {
                return Ok((number + 1, row));
            }
            Err(Error::input(
                Place::line(self.path, number + 1),
                format!("holds {} values, not {}", row.len(), self.names.len()),
                "copy or download the file again",
            ))
        })
        .collect()
    }
}

/// A row for each experiment on a sequence: `sequence_id`, `sequence`, `experiment_type`,
/// `SN_filter` and `reactivity_0001` … Of its sequences no clusters are known: the fold is that of
/// a hash of the sequence.
fn ribonanza(
    path: &Path,
    text: &str,
    structures: &BTreeMap<String, String>,
) -> Result<Vec<Measured>> {
    let table = Table::new(path, text);
    let [name, sequence, experiment, filter] =
        ["sequence_id", "sequence", "experiment_type", "SN_filter"]
            .map(|column| table.column(column));
    let [name, sequence, experiment, filter] = [name?, sequence?, experiment?, filter?];
    let values: Vec<usize> = (1..)
        .map_while(|at| table.column(&format!("reactivity_{at:04}")).ok())
        .collect();
    let mut all: Vec<Measured> = Vec::new();
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, row) in table.rows()? {
        let refused =
            |what: String, hint: &str| Error::input(Place::line(path, number), what, hint);
        let column = RIBONANZA.iter().position(|own| *own == row[experiment]);
        let column = column.ok_or_else(|| {
            let what = format!("is of an unknown experiment, {}", row[experiment]);
            refused(what, "leave the row out")
        })?;
        if row[filter].parse::<f64>() != Ok(1.0) {
            continue;
        }
        let letters = row[sequence];
        let at = match numbers.get(row[name]) {
            Some(&at) => at,
            None => {
                let structure = structures.get(letters).ok_or_else(|| {
                    let hint = "give the structures of all sequences with --structures";
                    refused(format!("{} has no structure", row[name]), hint)
                })?;
                let measured = Measured::new(row[name], hashed(letters), [letters, structure]);
                let measured = measured.map_err(|what| refused(what, "take the row away"))?;
                let nothing = vec![vec![f64::NAN; RIBONANZA.len()]; letters.len()];
                all.push(measured.with(nothing));
                numbers.insert(row[name], all.len() - 1);
                all.len() - 1
            }
        };
        for (targets, &place) in all[at].targets.iter_mut().zip(&values) {
            let value = row[place];
            if value.is_empty() {
                continue; // not measured: the ends, where primers bind
            }
            targets[column] = value
                .parse()
                .map_err(|_| refused(format!("{value} is no number"), "download the file again"))?;
        }
    }
    Ok(all)
}

/// A fold by the FNV-1a hash of a text, the same on every machine.
fn hashed(text: &str) -> usize {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    (hash % FOLDS as u64) as usize
}

impl Measured {
    /// An RNA of which nothing was measured yet.
    ///
    /// # Errors
    /// What is wrong with its sequence or structure.
    fn new(
        name: &str,
        fold: usize,
        [sequence, structure]: [&str; 2],
    ) -> std::result::Result<Measured, String> {
        if fold >= FOLDS {
            return Err(format!("fold {fold} is none of 0 to {}", FOLDS - 1));
        }
        if sequence.is_empty() || sequence.len() != structure.len() {
            return Err(format!(
                "the sequence has {} letters, the structure {}",
                sequence.len(),
                structure.len()
            ));
        }
        let folded = Fold::parse(structure)?;
        let mut letters = Vec::with_capacity(sequence.len());
        for (letter, kind) in sequence.chars().zip(folded.kinds()) {
            let base = RNA.residue(letter.encode_utf8(&mut [0; 4]));
            let base = base.ok_or_else(|| format!("`{letter}` is none of A C G U"))?;
            letters.push([base, kind]);
        }
        Ok(Measured {
            name: name.to_owned(),
            fold,
            backbone: tokens(&letters, &folded, &[0, 1, 2]),
            sequence: tokens(&letters, &folded, &[1]),
            positions: place(&folded).concat(),
            letters,
            targets: Vec::new(),
        })
    }

    fn with(self, targets: Vec<Vec<f64>>) -> Measured {
        Measured { targets, ..self }
    }
}

/// These atoms of every nucleotide as tokens. Bonded are, for who counts the bonds between two
/// tokens, P with C4', C4' with N and with the P behind it, and the N of a pair.
fn tokens(letters: &[[u16; 2]], folded: &Fold, atoms: &[usize]) -> Tokens {
    let width = atoms.len();
    let mut topology = Topology::default();
    let mut kinds = Vec::with_capacity(width * letters.len());
    topology.chains.push(Chain {
        id: String::new(),
        residues: 0..letters.len(),
    });
    for (residue, &[base, kind]) in letters.iter().enumerate() {
        let first = residue * width;
        topology.residues.push(Residue {
            name: RNA.residues[usize::from(base)].to_owned(),
            chain: 0,
            number: residue as isize + 1,
            insertion: None,
            atoms: first..first + width,
        });
        for &atom in atoms {
            topology.atoms.push(Atom {
                name: ATOMS[atom].to_owned(),
                element: [Element::P, Element::C, Element::N][atom],
                residue,
                serial: topology.atoms.len() + 1,
                mass: [30.97, 12.01, 14.01][atom],
            });
            kinds.push([atom as u16, base, kind]);
        }
        topology
            .bonds
            .extend((1..width).map(|k| [first + k - 1, first + k]));
        if residue > 0 {
            // from the C4' of the nucleotide before, its second atom or its only one
            topology
                .bonds
                .push([first - width + usize::from(width > 1), first]);
        }
        if let Some(other) = folded.partner[residue].filter(|&other| other > residue) {
            topology
                .bonds
                .push([first + width - 1, (other + 1) * width - 1]);
        }
    }
    topology.bonds.sort_unstable();
    Tokens::of_kinds(&topology, kinds)
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
