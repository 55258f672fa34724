//! The models of a file as a lexer finds them.

use super::models::{AtomFields, Model};
use super::report::plural;
use super::source::Source;
use crate::error::Place;
use crate::{Error, Result};

/// Which models of a file to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    First,
    Number(usize),
    All,
}

/// What is known of every model of the file, read or not.
#[derive(Debug, Default)]
struct Found {
    number: usize,
    /// Atoms, waters too.
    atoms: usize,
    /// Chain identifiers in order of appearance.
    chains: Vec<String>,
    /// Its place in [`Collector::models`], if it is wanted.
    place: Option<usize>,
}

/// Models as a lexer finds them.
#[derive(Debug)]
pub(super) struct Collector {
    wanted: Wanted,
    found: Vec<Found>,
    /// The wanted models, with their numbers.
    pub models: Vec<(usize, Model)>,
    /// The model that atoms go to now.
    open: Option<usize>,
    /// Whether a record or column of the file numbers its models.
    numbered: bool,
    /// What stands behind the END of the only model, in words.
    pub behind_end: Option<String>,
}

impl Collector {
    pub fn new(wanted: Wanted) -> Self {
        Collector {
            wanted,
            found: Vec::new(),
            models: Vec::new(),
            open: None,
            numbered: false,
            behind_end: None,
        }
    }

    /// Numbers of all models in the file.
    pub fn numbers(&self) -> Vec<usize> {
        self.found.iter().map(|found| found.number).collect()
    }

    /// Whether a model has begun.
    pub fn has_models(&self) -> bool {
        !self.found.is_empty()
    }

    /// A model begins; `number` as the file has it.
    pub fn begin(&mut self, number: Option<usize>) {
        self.numbered = true;
        self.push(number);
    }

    /// Atoms of this model follow: a new one, or one that has begun before.
    pub fn choose(&mut self, number: Option<usize>) {
        let known = |found: &Found| Some(found.number) == number;
        match self.found.iter().rposition(known) {
            Some(index) => self.open = Some(index),
            None => self.begin(number),
        }
    }

    fn push(&mut self, number: Option<usize>) {
        let last = self.found.last().map(|found| found.number);
        let number = number.unwrap_or_else(|| last.map_or(1, |last| last.saturating_add(1)));
        let wanted = match self.wanted {
            Wanted::First => self.found.is_empty(),
            Wanted::Number(wanted) => number == wanted,
            Wanted::All => true,
        };
        let place = wanted.then_some(self.models.len());
        if wanted {
            self.models.push((number, Model::default()));
        }
        self.open = Some(self.found.len());
        self.found.push(Found {
            number,
            place,
            ..Found::default()
        });
    }

    /// A model ends; atoms after it begin another.
    pub fn end(&mut self) {
        self.open = None;
    }

    /// A molecule ends (TER).
    pub fn end_segment(&mut self) {
        let place = self.open.and_then(|open| self.found[open].place);
        if let Some(place) = place {
            self.models[place].1.end_segment();
        }
    }

    /// Whether the model that atoms go to now is wanted; it begins if none has.
    pub fn wants_atoms(&mut self) -> bool {
        if self.open.is_none() {
            self.push(None);
        }
        self.open
            .is_some_and(|open| self.found[open].place.is_some())
    }

    /// Counts an atom of the model that atoms go to now.
    pub fn count(&mut self, chain: &str) {
        let Some(open) = self.open else { return };
        let found = &mut self.found[open];
        found.atoms += 1;
        // enough of them for a message
        if found.chains.len() < 20 && !found.chains.iter().any(|known| known == chain) {
            found.chains.push(chain.to_owned());
        }
    }

    /// Appends an atom to the model that atoms go to now.
    pub fn add(&mut self, fields: &AtomFields) {
        self.count(fields.chain);
        let place = self.open.and_then(|open| self.found[open].place);
        if let Some(place) = place {
            self.models[place].1.add(fields);
        }
    }

    /// Number of atoms read into the model that atoms go to now.
    pub fn atoms(&self) -> usize {
        self.open.map_or(0, |open| self.found[open].atoms)
    }

    /// Parts that END alone separates are models where all are alike (trajectories of some
    /// programs); else the file ends at its first END, as other programs read it.
    fn settle_unnumbered(&mut self) {
        let alike = |found: &Found| found.atoms == self.found[0].atoms;
        if self.numbered || self.found.len() < 2 || self.found.iter().all(alike) {
            return;
        }
        let behind = &self.found[1..];
        let atoms = behind.iter().map(|found| found.atoms).sum();
        let mut chains: Vec<&str> = behind
            .iter()
            .flat_map(|found| found.chains.iter().map(String::as_str))
            .map(|id| if id.is_empty() { "(blank)" } else { id })
            .collect();
        chains.dedup();
        self.behind_end = Some(format!(
            "not read: {} of chain {} behind the first END record; delete that record to read them",
            plural(atoms, "atom"),
            chains.join(", ")
        ));
        self.found.truncate(1);
        self.models
            .truncate(usize::from(self.found[0].place.is_some()));
    }

    /// The wanted models.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file has no model of the wanted number, [`Error::Input`] if it has
    /// no atoms at all.
    pub fn finish(&mut self, source: &Source) -> Result<()> {
        self.settle_unnumbered();
        let numbers = self.numbers();
        if let (Wanted::Number(number), true) =
            (self.wanted, self.models.is_empty() && !numbers.is_empty())
        {
            let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
            let what = format!("{} has no model {number}", source.path.display());
            return Err(Error::usage(
                what,
                format!(
                    "--model-number {first}; the file has {} models, {first} to {last}",
                    numbers.len()
                ),
            ));
        }
        let is_empty = |model: &Model| model.rows.is_empty() && model.waters == 0;
        if self.models.iter().all(|(_, model)| is_empty(model)) {
            let hint = "give a structure as PDB or mmCIF text, plain or gzipped (.pdb, .cif, .gz)";
            return Err(Error::input(
                Place::file(&source.path),
                "holds no atoms: neither PDB nor mmCIF",
                hint,
            ));
        }
        Ok(())
    }
}
