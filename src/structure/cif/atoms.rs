//! The atom table of an mmCIF file.

use std::collections::BTreeMap;

use super::plain_number;
use super::tokens::Token;
use crate::Result;
use crate::structure::Element;
use crate::structure::collector::Collector;
use crate::structure::formal::charge;
use crate::structure::models::AtomFields;
use crate::structure::pdb::coordinate;
use crate::structure::source::Source;

/// Columns of the atom table, by what they mean to us; author names first, as users know them from
/// publications.
pub(super) struct AtomTable<'a> {
    source: &'a Source,
    position: [usize; 3],
    names: [usize; 4],
    fallbacks: [Option<usize>; 4],
    columns: [Option<usize>; 11],
    model: Option<String>,
    /// Entities of the polymers, by identifiers of chains.
    pub entities: BTreeMap<String, String>,
}

const NAMES: [[&str; 2]; 4] = [
    ["label_atom_id", "auth_atom_id"],
    ["auth_comp_id", "label_comp_id"],
    ["auth_asym_id", "label_asym_id"],
    ["auth_seq_id", "label_seq_id"],
];
const OPTIONAL: [&str; 11] = [
    "id",
    "group_pdb",
    "label_alt_id",
    "label_asym_id",
    "label_seq_id",
    "pdbx_pdb_ins_code",
    "occupancy",
    "pdbx_pdb_model_num",
    "type_symbol",
    "label_entity_id",
    "pdbx_formal_charge",
];

impl<'a> AtomTable<'a> {
    pub fn new(source: &'a Source, names: &[String], line: usize) -> Result<Self> {
        let column = |name: &str| {
            names
                .iter()
                .position(|known| known.strip_prefix("_atom_site.") == Some(name))
        };
        let needed = |any: &[&str]| {
            any.iter().find_map(|name| column(name)).ok_or_else(|| {
                let what = format!("the atom table has no column _atom_site.{}", any[0]);
                source.error(
                    line,
                    None,
                    what,
                    "write the file with a program that follows the mmCIF dictionary",
                )
            })
        };
        let position = [
            needed(&["cartn_x"])?,
            needed(&["cartn_y"])?,
            needed(&["cartn_z"])?,
        ];
        let mut found = [0; 4];
        for (found, names) in found.iter_mut().zip(&NAMES) {
            *found = needed(names)?;
        }
        Ok(AtomTable {
            source,
            position,
            names: found,
            fallbacks: NAMES.map(|names| column(names[1])),
            columns: OPTIONAL.map(column),
            model: None,
            entities: BTreeMap::new(),
        })
    }

    pub fn add(&mut self, row: &[Token<'a>], into: &mut Collector) -> Result<()> {
        let [
            serial,
            group,
            altloc,
            part,
            sequence,
            insertion,
            occupancy,
            model,
            element,
            entity,
            formal,
        ] = self
            .columns
            .map(|column| column.and_then(|column| row[column].value()));
        if self.model.as_deref() != Some(model.unwrap_or_default()) {
            self.model = Some(model.unwrap_or_default().to_owned());
            into.choose(model.and_then(|model| model.parse().ok()));
        }
        if !into.wants_atoms() {
            into.count("");
            return Ok(());
        }
        let line = row[self.position[0]].line;
        let mut names = [None; 4];
        for (index, name) in names.iter_mut().enumerate() {
            *name = row[self.names[index]]
                .value()
                .or_else(|| row[self.fallbacks[index]?].value());
        }
        let [Some(name), Some(residue), chain, Some(number)] = names else {
            return Err(self.source.error(
                line,
                None,
                "an atom without a name, residue or residue number",
                "check this row of the atom table",
            ));
        };
        let mut fields = AtomFields {
            line,
            serial: serial
                .and_then(|serial| serial.parse().ok())
                .unwrap_or_else(|| into.atoms() + 1),
            hetero: group == Some("HETATM"),
            name,
            element: element.and_then(Element::from_symbol),
            altloc: altloc.and_then(|altloc| altloc.chars().next()),
            residue,
            chain: chain.unwrap_or_default(),
            part: part.unwrap_or_default(),
            number: 0,
            insertion: insertion.and_then(|insertion| insertion.chars().next()),
            position: [0.0; 3],
            occupancy: occupancy
                .and_then(|value| plain_number(value).parse().ok())
                .filter(|value: &f64| value.is_finite())
                .unwrap_or(1.0),
            charge: formal.and_then(charge),
            polymer: self.columns[4].map(|_| sequence.is_some()),
        };
        if let (Some(entity), Some(_)) = (entity, sequence)
            && !self.entities.contains_key(fields.chain)
        {
            let chain = fields.chain.to_owned();
            self.entities.insert(chain, entity.to_owned());
        }
        fields.number = number.parse().map_err(|_| {
            self.source.error(
                line,
                None,
                format!("`{number}` is no residue number"),
                "check this row of the atom table",
            )
        })?;
        for (axis, column) in self.position.into_iter().enumerate() {
            fields.position[axis] = coordinate(plain_number(row[column].text)).map_err(|what| {
                let what = format!("{} {what}", ["x", "y", "z"][axis]);
                self.source.error(
                    line,
                    Some(fields.label()),
                    what,
                    "check this row of the atom table",
                )
            })?;
        }
        into.add(&fields);
        Ok(())
    }
}
