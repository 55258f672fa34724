//! Models of a file on their way into pdbtbx: real files' rows, cleaned, in the plainest text that
//! pdbtbx reads.
//!
//! pdbtbx refuses or misreads what many real files hold (short lines, repeated numbering, blank
//! chains, serials beyond 99,999), and its errors do not name lines of mmCIF. So the lexers of both
//! formats hand over checked [`AtomFields`]; they are numbered anew here, and [`Row`]s remember
//! where each atom stood and what the user calls it.

use std::collections::HashMap;
use std::fmt::Write;

use pdbtbx::{Format, PDB, ReadOptions, StrictnessLevel};

use super::source::Source;
use crate::{Error, Result};

/// One atom of the user's file, checked: finite position, no empty name.
#[derive(Debug, Clone, Copy)]
pub(super) struct AtomFields<'a> {
    /// Line in the file, from 1.
    pub line: usize,
    pub serial: usize,
    pub hetero: bool,
    pub name: &'a str,
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

/// Where an atom stood in the user's file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub line: usize,
    pub serial: usize,
    pub residue: usize,
    altloc: Option<char>,
    position: [f64; 3],
}

/// A residue of the user's file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ResidueId {
    /// Index of its molecule in [`Model::segments`].
    pub segment: usize,
    pub number: isize,
    pub insertion: Option<char>,
    pub hetero: bool,
    pub polymer: Option<bool>,
    /// Rows of its atoms.
    rows: Vec<usize>,
}

/// One model of a file, as text for pdbtbx and tables to find the way back.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub rows: Vec<Row>,
    pub residues: Vec<ResidueId>,
    /// Chain identifiers of molecules: one a chain, and one more after each TER.
    pub segments: Vec<String>,
    /// Waters, which are counted and left out at once: files hold tens of thousands.
    pub waters: usize,
    text: String,
    names: Vec<(String, String)>,
    open: HashMap<(String, String), usize>,
    last_water: Option<(String, isize, Option<char>)>,
}

const HEADER: &str = "data_model\nloop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.label_atom_id\n_atom_site.label_alt_id\n\
    _atom_site.label_comp_id\n_atom_site.label_asym_id\n_atom_site.label_seq_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n\
    _atom_site.Cartn_z\n_atom_site.occupancy\n_atom_site.type_symbol\n";

const WATERS: [&str; 16] = [
    "HOH", "WAT", "H2O", "DOD", "D2O", "SOL", "TIP", "TIP3", "TIP4", "TP3", "TP4", "TP5", "T3P",
    "T4P", "SPC", "SPCE",
];

impl Model {
    /// Appends an atom.
    pub fn add(&mut self, fields: &AtomFields) {
        if WATERS.contains(&fields.residue) {
            let water = Some((fields.chain.to_owned(), fields.number, fields.insertion));
            self.waters += usize::from(self.last_water != water);
            self.last_water = water;
            return;
        }
        let residue = self.residue_for(fields);
        let row = self.rows.len();
        let known = &mut self.residues[residue];
        known.rows.push(row);
        known.hetero &= fields.hetero;
        let AtomFields {
            line,
            serial,
            altloc,
            position,
            ..
        } = *fields;
        self.rows.push(Row {
            line,
            serial,
            residue,
            altloc,
            position,
        });
        self.names
            .push((fields.name.to_owned(), fields.residue.to_owned()));
        self.write(row, residue, fields);
    }

    /// TER: what follows under the same chain identifier is another molecule.
    pub fn end_segment(&mut self) {
        self.open.clear();
    }

    fn write(&mut self, row: usize, residue: usize, fields: &AtomFields) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "'"));
        let altloc = fields
            .altloc
            .map_or(".".to_owned(), |altloc| quoted(&altloc.to_string()));
        let (group, segment) = (
            if fields.hetero { "HETATM" } else { "ATOM" },
            self.residues[residue].segment,
        );
        let (name, family, [x, y, z]) =
            (quoted(fields.name), quoted(fields.residue), fields.position);
        let occupancy = fields.occupancy;
        // The element "X" is none: residue templates know elements better than files do.
        writeln!(
            self.text,
            "{group} {row} {name} {altloc} {family} {segment} {residue} {x} {y} {z} {occupancy} X"
        )
        .expect("memory");
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
        self.residues.len() - 1
    }

    fn known_residue(&self, segment: usize, fields: &AtomFields) -> Option<usize> {
        let residue = self.numbered(segment, fields)?;
        let same_name = |&row: &usize| self.names[row].1 == fields.residue;
        let is_last = residue + 1 == self.residues.len();
        // Alternative locations may differ in the residue's name: one residue nonetheless.
        let fits =
            fields.altloc.is_some() || self.residues[residue].rows.first().is_none_or(same_name);
        (fits && (is_last || !self.has_atom(residue, fields))).then_some(residue)
    }

    /// The latest residue of a molecule with the number of these fields.
    fn numbered(&self, segment: usize, fields: &AtomFields) -> Option<usize> {
        let matches = |id: &ResidueId| {
            id.segment == segment && id.number == fields.number && id.insertion == fields.insertion
        };
        let last = self.residues.len().checked_sub(1)?;
        if matches(&self.residues[last]) {
            Some(last)
        } else {
            self.residues.iter().rposition(matches)
        }
    }

    /// Whether a residue has this atom already, at another place (an exact repeat is no other
    /// atom).
    fn has_atom(&self, residue: usize, fields: &AtomFields) -> bool {
        self.residues[residue].rows.iter().any(|&row| {
            let known = &self.rows[row];
            self.names[row].0 == fields.name
                && known.altloc == fields.altloc
                && known.position != fields.position
        })
    }

    /// The model as pdbtbx sees it: residues numbered as in [`Model::residues`], atoms as in
    /// [`Model::rows`].
    ///
    /// # Errors
    /// [`Error::Input`] for what the lexers should have refused.
    pub fn parse(&self, source: &Source) -> Result<PDB> {
        let text = format!("{HEADER}{}", self.text);
        let reader = std::io::BufReader::new(text.as_bytes());
        let read = ReadOptions::default()
            .set_format(Format::Mmcif)
            .set_level(StrictnessLevel::Loose)
            .read_raw(reader);
        read.map(|(pdb, _)| pdb).map_err(|errors| {
            let what = errors.first().map(|error| {
                format!(
                    "{}: {}",
                    error.short_description(),
                    error.long_description()
                )
            });
            let line = self.rows.first().map_or(1, |row| row.line);
            source.error(
                line,
                None,
                what.unwrap_or_default(),
                "check the atoms of this model",
            )
        })
    }
}

/// Which models of a file to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    First,
    Number(usize),
    All,
}

/// Models as a lexer finds them.
#[derive(Debug)]
pub(super) struct Collector {
    wanted: Wanted,
    /// Numbers of all models in the file.
    pub numbers: Vec<usize>,
    /// The wanted ones, with their numbers.
    pub models: Vec<(usize, Model)>,
    inside: bool,
}

impl Collector {
    pub fn new(wanted: Wanted) -> Self {
        Collector {
            wanted,
            numbers: Vec::new(),
            models: Vec::new(),
            inside: false,
        }
    }

    /// A model begins.
    pub fn begin(&mut self, number: Option<usize>) {
        let number =
            number.unwrap_or_else(|| self.numbers.last().map_or(1, |last| last.saturating_add(1)));
        self.numbers.push(number);
        self.inside = true;
        if self.wants() {
            self.models.push((number, Model::default()));
        }
    }

    /// A model ends; atoms after it begin another.
    pub fn end(&mut self) {
        self.inside = false;
    }

    /// A molecule ends (TER).
    pub fn end_segment(&mut self) {
        if self.inside
            && let Some(model) = self.current()
        {
            model.end_segment();
        }
    }

    fn wants(&self) -> bool {
        match self.wanted {
            Wanted::First => self.numbers.len() == 1,
            Wanted::Number(number) => self.numbers.last() == Some(&number),
            Wanted::All => true,
        }
    }

    /// The model that an atom belongs to; `None` if it is not wanted.
    pub fn current(&mut self) -> Option<&mut Model> {
        if !self.inside {
            self.begin(None);
        }
        if self.wants() {
            self.models.last_mut().map(|(_, model)| model)
        } else {
            None
        }
    }

    /// The wanted models.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file has no model of the wanted number, [`Error::Input`] if it has
    /// no atoms at all.
    pub fn finish(&mut self, source: &Source) -> Result<()> {
        let is_empty = |model: &Model| model.rows.is_empty() && model.waters == 0;
        if let (Wanted::Number(number), true) = (
            self.wanted,
            self.models.is_empty() && !self.numbers.is_empty(),
        ) {
            let (first, last) = (self.numbers[0], self.numbers[self.numbers.len() - 1]);
            let what = format!("{} has no model {number}", source.path.display());
            return Err(Error::usage(
                what,
                format!(
                    "--model-number {first}; the file has {} models, {first} to {last}",
                    self.numbers.len()
                ),
            ));
        }
        if self.models.iter().all(|(_, model)| is_empty(model)) {
            let hint = "give a structure as PDB or mmCIF text, plain or gzipped (.pdb, .cif, .gz)";
            return Err(Error::input(
                crate::error::Place::file(&source.path),
                "holds no atoms: neither PDB nor mmCIF",
                hint,
            ));
        }
        Ok(())
    }
}
