//! PDB files as they are met: short lines, overflowing numbers, free text, several models.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::collector::{Collector, Wanted};
use super::columns::{column, columns, hybrid36, serial};
use super::formal::charge;
use super::models::{AtomFields, is_water};
use super::pqr::{Layout, in_columns};
use super::records::Records;
use super::residues::residue_name;
use super::source::Source;
use super::{Cell, Element};
use crate::{Error, Result};

/// Farthest that an atom can be from the origin, Å: beyond it f32 no longer resolves 0.1 Å.
pub(super) const FARTHEST: f64 = 1e6;

/// What a lexer finds in a file.
pub(super) struct Lexed {
    pub collector: Collector,
    pub cell: Option<Cell>,
    pub records: Records,
}

fn is_atom(line: &str) -> bool {
    line.starts_with("ATOM") && line[4..].starts_with([' ', '\t']) || line.starts_with("HETATM")
}

/// Finds the atoms of the wanted models, the cell, and what records say of both.
///
/// # Errors
/// [`crate::Error::Input`] naming the line of the first atom record that is cut short, or whose
/// position is no finite number, or whose names or residue number are missing.
pub(super) fn lex(source: &Source, wanted: Wanted) -> Result<Lexed> {
    let atoms = source.text.lines().filter(|line| is_atom(line));
    let layout = Layout::of(atoms);
    let two_letters = layout != Layout::Words && has_two_letter_chains(&source.text);
    let mut collector = Collector::new(wanted);
    let mut cell = None;
    let mut records = Records::in_layout(layout);
    for (index, line) in source.text.lines().enumerate() {
        if is_atom(line) {
            if collector.wants_atoms() {
                let line = in_layout(line, layout);
                let mut fields = atom(source, index + 1, &line, collector.atoms() + 1, two_letters)
                    .map_err(|error| dialect(source, index + 1, &line).unwrap_or(error))?;
                if layout != Layout::Pdb {
                    fields.occupancy = 1.0; // a charge stands there
                }
                collector.add(&fields);
            } else {
                collector.count(columns(line, 21..22));
            }
        } else if line.starts_with("TER") {
            collector.end_segment();
        } else if line.starts_with("MODEL ") {
            collector.begin(line.get(5..).and_then(|number| number.trim().parse().ok()));
        } else if line.trim_end() == "END" || line.starts_with("ENDMDL") {
            // not ENDROOT, ENDBRANCH and END_RES of PDBQT files
            collector.end();
        } else if line.starts_with("CRYST1") {
            cell = cell.or_else(|| unit_cell(line));
        } else {
            records.add_pdb(line, index + 1, two_letters);
        }
    }
    collector.finish(source)?;
    Ok(Lexed {
        collector,
        cell,
        records,
    })
}

/// Whether chains have two characters, in columns 21 and 22, as some programs write large
/// assemblies: names of four characters that no residue has, of which three are an amino acid, and
/// of several amino acids (one alone is a modified residue), or everywhere.
fn has_two_letter_chains(text: &str) -> bool {
    /// Least number of amino acids in such a chain.
    const SEVERAL: usize = 4;
    let mut found = BTreeSet::new();
    let mut everywhere = true;
    for line in text.lines().filter(|line| is_atom(line)) {
        let name = columns(line, 17..21).to_ascii_uppercase();
        let is_long = name.len() == 4
            && residue_name(&name).is_none()
            && !is_water(&name)
            && residue_name(&name[..3]).is_some();
        everywhere &= is_long;
        if is_long {
            found.insert(name[..3].to_owned());
        }
    }
    found.len() >= SEVERAL || everywhere && !found.is_empty()
}

/// What an atom record is that does not have the columns of a PDB file, where it can be told.
fn dialect(source: &Source, number: usize, line: &str) -> Option<Error> {
    if line.contains('\t') {
        return Some(source.error(
            number,
            None,
            "the atom records hold tabs instead of blanks: their columns are lost",
            "write the file again with a program that keeps to the columns of PDB",
        ));
    }
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let numbers = words
        .iter()
        .rev()
        .take_while(|word| word.parse::<f64>().is_ok());
    let is_pqr = (10..=12).contains(&words.len()) && numbers.count() >= 5;
    is_pqr.then(|| {
        source.error(
            number,
            None,
            "a PQR file with free columns (charges and radii behind the position), not PDB",
            "give the PDB file that it was made from, or have pdb2pqr write PDB (--pdb-output)",
        )
    })
}

/// An atom record in the columns of PDB.
fn in_layout(line: &str, layout: Layout) -> Cow<'_, str> {
    match layout {
        Layout::Words => in_columns(line).map_or(line.into(), Cow::from),
        _ => unshifted(line),
    }
}

/// Undoes the shift by one column that a six-digit serial causes where a program prints it into
/// five.
fn unshifted(line: &str) -> Cow<'_, str> {
    let spilled = line
        .get(6..12)
        .is_some_and(|serial| serial.bytes().all(|byte| byte.is_ascii_digit()));
    // Coordinates print as %8.3f: the decimal point of x tells whether the rest of the line moved.
    if spilled && line.as_bytes().get(35) == Some(&b'.') {
        format!("{}{}", &line[..6], &line[7..]).into()
    } else {
        line.into()
    }
}

fn atom<'a>(
    source: &Source,
    number: usize,
    line: &'a str,
    ordinal: usize,
    two_letters: bool,
) -> Result<AtomFields<'a>> {
    require_position(source, number, line)?;
    let split = if two_letters { 20 } else { 21 };
    let mut fields = AtomFields {
        line: number,
        serial: serial(columns(line, 6..11)).unwrap_or(ordinal),
        hetero: line.starts_with("HETATM"),
        name: columns(line, 12..16),
        altloc: column(line, 16),
        element: Element::from_symbol(columns(line, 76..78)),
        residue: columns(line, 17..split),
        chain: columns(line, split..22),
        part: "",
        number: 0,
        insertion: None,
        position: [0.0; 3],
        occupancy: columns(line, 54..60)
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
            .unwrap_or(1.0),
        charge: charge(columns(line, 78..80)),
        polymer: None,
    };
    if fields.name.is_empty() && fields.element.is_some() {
        fields.name = columns(line, 76..78); // ions of some programs
    }
    if fields.name.is_empty() || fields.residue.is_empty() {
        return Err(source.error(
            number,
            None,
            "an atom without a name or residue",
            "check columns 13-20 of this line",
        ));
    }
    let found = residue_number(line).ok_or_else(|| {
        let what = format!("`{}` is no residue number", columns(line, 22..27));
        source.error(number, None, what, "check columns 23-27 of this line")
    });
    (fields.number, fields.insertion) = found?;
    for (axis, start) in [30, 38, 46].into_iter().enumerate() {
        fields.position[axis] = coordinate(columns(line, start..start + 8)).map_err(|what| {
            source.error(
                number,
                Some(fields.label()),
                format!("{} {what}", ["x", "y", "z"][axis]),
                "check columns 31-54 of this line",
            )
        })?;
    }
    Ok(fields)
}

/// Refuses the record of an atom that ends before its position does.
fn require_position(source: &Source, number: usize, line: &str) -> Result<()> {
    if line.len() >= 54 {
        return Ok(());
    }
    let what = format!(
        "the atom record ends at column {}, before its position does (column 54)",
        line.len()
    );
    let hint = "the file may be cut short: download or copy it again";
    Err(source.error(number, None, what, hint))
}

/// A coordinate in Å, or what is wrong with it.
pub(super) fn coordinate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.abs() <= FARTHEST => Ok(value),
        Ok(value) if value.is_nan() => Err("is NaN".into()),
        Ok(_) => Err(format!("is {text}, out of range")),
        Err(_) if text.starts_with('*') => {
            Err(format!("is `{text}`: the number did not fit its columns"))
        }
        Err(_) => Err(format!("is `{text}`, not a number")),
    }
}

/// Residue number and insertion code; numbers beyond 9999 as hybrid-36 or spilled into the
/// insertion code's column.
fn residue_number(line: &str) -> Option<(isize, Option<char>)> {
    let wide = &line[22..27];
    if wide.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((wide.parse().ok()?, None));
    }
    let text = columns(line, 22..26);
    let number = text.parse().ok().or_else(|| hybrid36(text, 4))?;
    Some((number, column(line, 26)))
}

fn unit_cell(line: &str) -> Option<Cell> {
    let value = |range| columns(line, range).parse::<f64>().ok();
    cell(
        [value(6..15)?, value(15..24)?, value(24..33)?],
        [value(33..40)?, value(40..47)?, value(47..54)?],
    )
}

/// A cell, unless the numbers say that there is none: structures without one carry 1 1 1 or 0 0 0.
pub(super) fn cell(lengths: [f64; 3], angles: [f64; 3]) -> Option<Cell> {
    let is_real = lengths
        .iter()
        .all(|&length| length > 1.0 && length <= FARTHEST)
        && angles.iter().all(|&angle| angle > 0.0 && angle < 180.0);
    is_real.then_some(Cell { lengths, angles })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digit_serials_shift_nothing() {
        let plain =
            "ATOM  99999  CA  ALA A  27      11.104   6.134  -6.504  1.00  0.00           C";
        let shifted = plain.replace("99999", "100000");
        assert_eq!(unshifted(&shifted), plain.replace("99999", "00000"));
        let unmoved = plain.replace("99999 ", "100000");
        assert_eq!(unshifted(&unmoved), unmoved);
        assert_eq!(unshifted(plain), plain);
    }

    #[test]
    fn numbers_beyond_their_columns_are_read() {
        let line =
            |number: &str| format!("ATOM      1  CA  ALA A{number}   11.104   6.134  -6.504");
        for (text, number) in [
            ("  27 ", (27, None)),
            ("  27B", (27, Some('B'))),
            ("  -3 ", (-3, None)),
            ("A000 ", (10_000, None)),
            ("12345", (12_345, None)),
        ] {
            assert_eq!(residue_number(&line(text)), Some(number), "{text}");
        }
        assert_eq!(residue_number(&line("**** ")), None);
    }

    #[test]
    fn a_cell_of_one_is_none() {
        assert_eq!(
            unit_cell("CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1"),
            None
        );
        assert_eq!(
            unit_cell("CRYST1    0.000    0.000    0.000  90.00  90.00  90.00 P 1           1"),
            None
        );
        assert_eq!(unit_cell("CRYST1   50.840   42.770   28.950  90.00"), None);
        let cell =
            unit_cell("CRYST1   50.840   42.770   28.950  90.00  91.50  90.00 P 21 21 21    4")
                .unwrap();
        assert_eq!(
            (cell.lengths, cell.angles),
            ([50.84, 42.77, 28.95], [90.0, 91.5, 90.0])
        );
    }
}
