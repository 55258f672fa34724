//! A model of a file on its way to a structure: its atoms as rows, grouped into residues and
//! molecules, with nothing decided yet.
//!
//! Real files repeat numbers, leave chains blank, list hydrogens behind the chain and overflow
//! their columns; the lexers of both formats hand over checked [`AtomFields`], and [`Row`]s
//! remember where each atom stood and what the user calls it.

use std::collections::{HashMap, HashSet};

use nalgebra::Vector3;

use super::Element;

/// One atom of the user's file, checked: finite position, no empty name.
#[derive(Debug, Clone, Copy)]
pub(super) struct AtomFields<'a> {
    /// Line in the file, from 1.
    pub line: usize,
    pub serial: usize,
    pub hetero: bool,
    pub name: &'a str,
    /// As the file says; many files do not.
    pub element: Option<Element>,
    pub altloc: Option<char>,
    pub residue: &'a str,
    pub chain: &'a str,
    /// What tells molecules of one chain identifier apart (mmCIF's label_asym_id); may be empty.
    pub part: &'a str,
    pub number: isize,
    pub insertion: Option<char>,
    /// Å
    pub position: [f64; 3],
    pub occupancy: f64,
    /// Formal charge, where the file has one that is not 0.
    pub charge: Option<i8>,
    /// Whether the file says that the residue belongs to a polymer.
    pub polymer: Option<bool>,
}

impl AtomFields<'_> {
    /// `A:LYS 27:CG`
    pub fn label(&self) -> String {
        let colon = if self.chain.is_empty() { "" } else { ":" };
        let insertion = self.insertion.map(String::from).unwrap_or_default();
        format!(
            "{}{colon}{} {}{insertion}:{}",
            self.chain, self.residue, self.number, self.name
        )
    }
}

/// An atom as it stands in the user's file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub line: usize,
    /// Which of its model's atom records it is, waters and all counted from 0.
    pub record: usize,
    pub serial: usize,
    /// In capitals, as all names here.
    pub name: String,
    /// Name of its residue: alternative locations of one residue may differ in it.
    pub residue: String,
    pub element: Option<Element>,
    pub altloc: Option<char>,
    /// Å
    pub position: Vector3<f64>,
    pub occupancy: f64,
    /// Formal charge, where the file has one that is not 0.
    pub charge: Option<i8>,
}

/// A residue of the user's file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ResidueId {
    /// Index of its molecule in [`Model::segments`].
    pub segment: usize,
    pub number: isize,
    pub insertion: Option<char>,
    /// Whether all its atoms are HETATM records.
    pub hetero: bool,
    pub polymer: Option<bool>,
    /// Its atoms, in [`Model::rows`].
    pub rows: Vec<usize>,
}

/// One model of a file.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub rows: Vec<Row>,
    /// Number of atom records, those of waters too.
    pub records: usize,
    /// Which of them are waters'.
    pub water_records: Vec<usize>,
    pub residues: Vec<ResidueId>,
    /// Chain identifiers of molecules: one a chain, and one more after each TER.
    pub segments: Vec<String>,
    /// Waters, which are counted and left out at once: files hold tens of thousands.
    pub waters: usize,
    /// Serial numbers of their atoms, and their chains, numbers and insertion codes: records of
    /// bonds name them.
    pub water_serials: HashSet<usize>,
    pub water_residues: HashSet<(String, isize, Option<char>)>,
    open: HashMap<(String, String), usize>,
    /// The latest residue of each molecule with a number and insertion code.
    numbered: HashMap<(usize, isize, Option<char>), usize>,
    last_water: Option<(String, isize, Option<char>)>,
}

const WATERS: [&str; 20] = [
    "HOH", "WAT", "H2O", "DOD", "D2O", "SOL", "SOLV", "TIP", "TIP3", "TIP4", "TIP5", "TP3", "TP4",
    "TP5", "T3P", "T4P", "SPC", "SPCE", "OPC", "OPC3",
];

/// Whether a residue of this name is water.
pub(super) fn is_water(residue: &str) -> bool {
    WATERS
        .iter()
        .any(|water| water.eq_ignore_ascii_case(residue))
}

/// Whether an atom is hydrogen (or deuterium): by its element where the file has it, else by name.
pub(super) fn is_hydrogen(name: &str, element: Option<Element>) -> bool {
    element.map_or_else(
        || {
            name.trim_start_matches(|c: char| c.is_ascii_digit())
                .starts_with(['H', 'D'])
        },
        |element| element == Element::H,
    )
}

impl Model {
    /// Appends an atom.
    pub fn add(&mut self, fields: &AtomFields) {
        let record = self.records;
        self.records += 1;
        if is_water(fields.residue) {
            self.water_records.push(record);
            let water = Some((fields.chain.to_owned(), fields.number, fields.insertion));
            self.water_serials.insert(fields.serial);
            if self.last_water != water {
                self.waters += 1;
                self.water_residues.extend(water.clone());
                self.last_water = water;
            }
            return;
        }
        let residue = self.residue_for(fields);
        let row = self.rows.len();
        let known = &mut self.residues[residue];
        known.rows.push(row);
        known.hetero &= fields.hetero;
        self.rows.push(Row {
            line: fields.line,
            record,
            serial: fields.serial,
            name: fields.name.to_ascii_uppercase(),
            residue: fields.residue.to_ascii_uppercase(),
            element: fields.element,
            altloc: fields.altloc,
            position: fields.position.into(),
            occupancy: fields.occupancy,
            charge: fields.charge,
        });
    }

    /// TER: what follows under the same chain identifier is another molecule.
    pub fn end_segment(&mut self) {
        self.open.clear();
    }

    /// The residue that an atom belongs to: the last one, an earlier one that it completes, or a
    /// new one.
    fn residue_for(&mut self, fields: &AtomFields) -> usize {
        let key = (fields.chain.to_owned(), fields.part.to_owned());
        let segment = self.open.get(&key).copied();
        if let Some(residue) = segment.and_then(|segment| self.known_residue(segment, fields)) {
            return residue;
        }
        // Numbering that starts over without TER is another molecule.
        let repeats = segment.is_some_and(|segment| {
            self.numbered(segment, fields)
                .is_some_and(|residue| self.has_atom(residue, fields))
        });
        let segment = segment.filter(|_| !repeats).unwrap_or_else(|| {
            self.segments.push(fields.chain.to_owned());
            self.open.insert(key, self.segments.len() - 1);
            self.segments.len() - 1
        });
        let AtomFields {
            number,
            insertion,
            polymer,
            ..
        } = *fields;
        self.residues.push(ResidueId {
            segment,
            number,
            insertion,
            hetero: true,
            polymer,
            rows: Vec::new(),
        });
        let residue = self.residues.len() - 1;
        self.numbered.insert((segment, number, insertion), residue);
        residue
    }

    fn known_residue(&self, segment: usize, fields: &AtomFields) -> Option<usize> {
        let residue = self.numbered(segment, fields)?;
        let same_name = |&row: &usize| self.rows[row].residue.eq_ignore_ascii_case(fields.residue);
        let is_last = residue + 1 == self.residues.len();
        // Alternative locations may differ in the residue's name: one residue nonetheless.
        let fits =
            fields.altloc.is_some() || self.residues[residue].rows.first().is_none_or(same_name);
        (fits && (is_last || !self.has_atom(residue, fields))).then_some(residue)
    }

    /// The latest residue of a molecule with the number of these fields.
    fn numbered(&self, segment: usize, fields: &AtomFields) -> Option<usize> {
        let key = (segment, fields.number, fields.insertion);
        self.numbered.get(&key).copied()
    }

    /// Whether a residue has this atom already, at another place (an exact repeat is no other
    /// atom).
    fn has_atom(&self, residue: usize, fields: &AtomFields) -> bool {
        self.residues[residue].rows.iter().any(|&row| {
            let known = &self.rows[row];
            known.name.eq_ignore_ascii_case(fields.name)
                && known.altloc == fields.altloc
                && known.position != Vector3::from(fields.position)
        })
    }

    /// Gives hydrogens that stand behind their chain's TER, as Maestro and PyMOL write them, back
    /// to the residues whose chain, number and name they carry; returns how many.
    pub fn join_hydrogens(&mut self) -> usize {
        let key = |model: &Model, residue: &ResidueId| {
            let name = &model.rows[residue.rows[0]].residue;
            let chain = &model.segments[residue.segment];
            (
                chain.clone(),
                residue.number,
                residue.insertion,
                name.clone(),
            )
        };
        let mut heavy = HashMap::new();
        let mut joined = 0;
        for index in 0..self.residues.len() {
            let residue = &self.residues[index];
            let of_hydrogen = |&row: &usize| {
                let row = &self.rows[row];
                is_hydrogen(&row.name, row.element)
            };
            if residue.rows.is_empty() {
                continue;
            }
            if !residue.rows.iter().all(of_hydrogen) {
                heavy.insert(key(self, residue), index);
            } else if let Some(&home) = heavy.get(&key(self, residue)) {
                let rows = std::mem::take(&mut self.residues[index].rows);
                joined += rows.len();
                self.residues[home].rows.extend(rows);
            }
        }
        joined
    }
}
