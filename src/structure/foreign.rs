//! Structures in formats that chemfiles reads, in its own process: what a file says of its atoms,
//! handed on as the lexers of our own formats do.

use std::collections::HashSet;

use super::collector::{Collector, Wanted};
use super::models::AtomFields;
use super::pdb::{FARTHEST, Lexed, cell};
use super::records::Records;
use super::source::Source;
use crate::Error;
use crate::Result;
use crate::error::Place;
use crate::foreign::wire::Atom;
use crate::foreign::{Kind, Reader};

/// Finds the atoms of the wanted frames, which are numbered from 1 as models are, and the cell.
///
/// # Errors
/// Those of [`Reader::open`]; [`Error::Input`] naming the first atom without name, residue or
/// place, or a residue that stands in several places.
pub(super) fn lex(source: &Source, kind: &Kind, wanted: Wanted) -> Result<Lexed> {
    let (mut reader, contents) = Reader::open(&source.path, kind)?;
    let mut collector = Collector::new(wanted);
    let mut found = None;
    for frame in 0..contents.times.len() {
        collector.begin(Some(frame + 1));
        if !collector.wants_atoms() {
            continue;
        }
        let mut read = || {
            let atoms = reader.atoms(frame)?;
            Ok((atoms, reader.positions(frame)?))
        };
        let (atoms, (positions, edges)) = read().map_err(|what: String| {
            let place = Place::file(&source.path).at_frame(frame);
            Error::input(place, what, reader.hint())
        })?;
        if let Some([a, b, c, alpha, beta, gamma]) = edges {
            found = found.or_else(|| cell([a, b, c], [alpha, beta, gamma]));
        }
        refuse_scattered(source, &atoms)?;
        for (index, (atom, position)) in atoms.iter().zip(positions.chunks_exact(3)).enumerate() {
            add(source, index, atom, position, &mut collector)?;
        }
    }
    collector.finish(source)?;
    Ok(Lexed {
        collector,
        cell: found,
        records: Records::default(),
    })
}

fn add(
    source: &Source,
    index: usize,
    atom: &Atom,
    position: &[f64],
    collector: &mut Collector,
) -> Result<()> {
    let (name, own_number) = residue(&atom.residue_name);
    // formats that do not number residues have them in order
    let number = own_number.or(atom.number);
    let number = number.unwrap_or(atom.residue.map_or(0, |residue| residue as i64 + 1));
    let fields = AtomFields {
        line: 0,
        serial: index + 1,
        hetero: false,
        name: &atom.name,
        // chemfiles guesses elements from names (CA is calcium to it): templates know better
        element: None,
        altloc: atom.altloc,
        residue: name,
        chain: &atom.chain,
        part: "",
        number: number as isize,
        insertion: atom.insertion,
        position: [position[0], position[1], position[2]],
        occupancy: 1.0,
        charge: None,
        polymer: None,
    };
    let whole = |x: &f64| x.abs() <= FARTHEST;
    if atom.name.is_empty() || name.is_empty() {
        let what = format!("atom {} has no name or no residue", index + 1);
        return Err(source.error(0, None, what, "give the structure as PDB or mmCIF"));
    }
    if !fields.position.iter().all(whole) {
        let hint = "write the file again: a position is a number of at most 1e6 Å";
        return Err(source.error(0, Some(fields.label()), "is at no place", hint));
    }
    collector.add(&fields);
    Ok(())
}

/// Name of a residue without the number that MOL2 files have behind it, and that number.
fn residue(text: &str) -> (&str, Option<i64>) {
    let name = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = text[name.len()..].parse().ok();
    // K+1, CL2: two letters and a digit are a name
    if name.len() < 3 || number.is_none() {
        return (text, None);
    }
    (name, number)
}

/// Refuses a file whose residues cannot be told apart: chemfiles joins those of GRO and MOL2 files
/// by their numbers alone, and gives all the name of the first, where chains are numbered alike.
fn refuse_scattered(source: &Source, atoms: &[Atom]) -> Result<()> {
    let mut done = HashSet::new();
    for pair in atoms.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        if before.residue == after.residue {
            continue;
        }
        done.extend(before.residue);
        if after.residue.is_some_and(|residue| done.contains(&residue)) {
            let number = after.number.unwrap_or_default();
            let what = format!(
                "residue number {number} stands in several places, as where two chains are \
                 numbered alike: the format does not tell them apart"
            );
            let hint = "give the structure as PDB or mmCIF (gmx editconf -f FILE.gro -o FILE.pdb)";
            return Err(source.error(0, None, what, hint));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_behind_names_are_those_of_residues() {
        assert_eq!(residue("ALA27"), ("ALA", Some(27)));
        assert_eq!(residue("ALA"), ("ALA", None));
        for whole in ["CL2", "K1", "HOH", ""] {
            assert_eq!(residue(whole), (whole, None));
        }
    }
}
