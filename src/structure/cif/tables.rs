//! The tables of an mmCIF file beside that of its atoms: declared bonds, sequences, and what is
//! known of the entry.

use std::collections::BTreeMap;

use super::bonds;
use super::tokens::Token;
use crate::structure::records::Records;

/// A table that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Bonds,
    Sequences,
    Caveats,
    Withdrawn,
}

/// Their names, in small letters, with the dot behind them.
const CATEGORIES: [(&str, Category); 4] = [
    ("_struct_conn.", Category::Bonds),
    ("_entity_poly_seq.", Category::Sequences),
    ("_database_pdb_caveat.", Category::Caveats),
    ("_pdbx_database_pdb_obs_spr.", Category::Withdrawn),
];

/// Most residues of sequences that are kept of a file.
const MOST_RESIDUES: usize = 1 << 20;

/// The table that an item is of, and its name in it.
pub(super) fn item(name: &str) -> Option<(Category, String)> {
    let name = name.to_ascii_lowercase();
    CATEGORIES.iter().find_map(|(category, kind)| {
        let item = name.strip_prefix(category)?;
        Some((*kind, item.to_owned()))
    })
}

/// What these tables say.
#[derive(Default)]
pub(super) struct Tables<'a> {
    pub records: Records,
    /// The entity of every chain.
    pub entities: BTreeMap<String, String>,
    /// Numbers and names of the residues of every entity.
    sequences: BTreeMap<String, Vec<(&'a str, &'a str)>>,
    residues: usize,
}

impl<'a> Tables<'a> {
    /// Adds a row; `names` are the items without their category.
    pub fn add(&mut self, category: Category, names: &[String], row: &[Token<'a>]) {
        let value = |item: &str| {
            let column = names.iter().position(|name| name == item)?;
            row.get(column)?.value()
        };
        match category {
            Category::Bonds => bonds::add(names, row, &mut self.records.declared),
            Category::Caveats => {
                let words = value("text");
                words
                    .into_iter()
                    .for_each(|words| self.records.add_caveat(words));
            }
            Category::Withdrawn => {
                if value("id").is_some_and(|id| id.eq_ignore_ascii_case("OBSLTE")) {
                    self.records.withdraw(value("pdb_id").unwrap_or_default());
                }
            }
            Category::Sequences => {
                let (Some(entity), Some(number), Some(name)) =
                    (value("entity_id"), value("num"), value("mon_id"))
                else {
                    return;
                };
                self.residues += 1;
                if self.residues > MOST_RESIDUES {
                    return;
                }
                let residues = self.sequences.entry(entity.to_owned()).or_default();
                // several names under one number: one residue, of which some copies are another
                if residues.last().is_none_or(|(last, _)| *last != number) {
                    residues.push((number, name));
                }
            }
        }
    }

    /// What the file says beside its atoms.
    pub fn finish(mut self) -> Records {
        for (chain, entity) in &self.entities {
            for (_, name) in self.sequences.get(entity).into_iter().flatten() {
                self.records.sequences.add("entity_poly_seq", chain, name);
            }
        }
        self.records
    }
}
