//! Residue templates: which atoms a residue has, what elements they are and which of them are
//! bonded.
//!
//! Source: `data/residues.json`, made by `scripts/residues.py` from the ff14SB templates and the
//! names that other programs use for the same atoms.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Element;

/// One exact form of a residue, as ff14SB has it: `ALA`, `NALA` (N-terminal), `CALA` (C-terminal),
/// `HIE`, `CYX`, `ACE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Name of the form.
    pub name: String,
    /// The residue that it is a form of: `HIS` for `NHIE`. See [`family`].
    pub family: String,
    /// Atom names with their elements, in the template's order.
    pub atoms: Vec<(String, Element)>,
    /// Bonds between [`Template::atoms`] by index.
    pub bonds: Vec<[usize; 2]>,
    /// Atoms bonded to another residue: `N`, `C`, and `SG` of `CYX`.
    pub external: Vec<usize>,
}

/// The atoms of a residue that nothing is built from, and without which nothing is.
pub const BACKBONE: [&str; 3] = ["N", "CA", "C"];

/// All charge states and terminal forms of one residue taken together: what atoms of a file are
/// matched against.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Family {
    /// Name of the residue, three letters.
    pub name: String,
    /// Element of every atom that any form has.
    pub elements: BTreeMap<String, Element>,
    /// Bonds that any form has.
    pub bonds: Vec<(String, String)>,
    /// Heavy atoms of a residue inside a chain (no OXT), in template order: what a complete residue
    /// has.
    pub heavy: Vec<String>,
    /// Another program's atom name to ours.
    aliases: HashMap<String, String>,
}

impl Family {
    /// Our name of an atom that a file calls `name`; `None` if the residue has no such atom.
    pub fn atom_name(&self, name: &str) -> Option<&str> {
        if let Some(own) = self.known(name) {
            return Some(own);
        }
        // names of before 2007 begin with their last digit: 1HE for HE1
        if let Some(digit) = name.chars().next().filter(char::is_ascii_digit) {
            return self.known(&format!("{}{digit}", &name[1..]));
        }
        // Neutron structures name deuterium so.
        let hydrogen = format!("H{}", name.strip_prefix('D')?);
        let own = self.elements.get_key_value(&hydrogen);
        own.map(|(own, _)| own.as_str())
    }

    fn known(&self, name: &str) -> Option<&str> {
        let own = self.elements.get_key_value(name).map(|(own, _)| own);
        own.or_else(|| self.aliases.get(name)).map(String::as_str)
    }

    /// Whether the residue continues the chain from its atom C (amino acids and ACE).
    pub fn continues_chain(&self) -> bool {
        self.elements.contains_key("C")
    }

    /// Whether the residue can follow another through its atom N (amino acids, NME and NHE).
    pub fn follows_chain(&self) -> bool {
        self.elements.contains_key("N")
    }

    /// Whether this is an amino acid and not a cap.
    pub fn is_amino_acid(&self) -> bool {
        self.elements.contains_key("CA")
    }
}

#[derive(Deserialize)]
struct RawTemplate {
    family: String,
    // An object whose order matters; serde_json keeps it.
    atoms: serde_json::Map<String, serde_json::Value>,
    bonds: Vec<(String, String)>,
    external: Vec<String>,
}

#[derive(Deserialize)]
struct RawTables {
    residues: BTreeMap<String, RawTemplate>,
    aliases: BTreeMap<String, HashMap<String, String>>,
}

#[derive(Default)]
struct Tables {
    templates: BTreeMap<String, Template>,
    families: BTreeMap<String, Family>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let raw: RawTables = serde_json::from_str(include_str!("../../data/residues.json"))
        .expect("the shipped residue templates parse");
    let mut tables = Tables::default();
    for (name, residue) in raw.residues {
        let template = template_of(name, residue);
        let family = tables.families.entry(template.family.clone()).or_default();
        extend_family(family, &template);
        tables.templates.insert(template.name.clone(), template);
    }
    for (name, aliases) in raw.aliases {
        tables.families.entry(name).or_default().aliases = aliases;
    }
    tables
});

fn template_of(name: String, raw: RawTemplate) -> Template {
    let element = |symbol: &serde_json::Value| {
        symbol
            .as_str()
            .and_then(Element::from_symbol)
            .expect("templates name elements")
    };
    let atoms: Vec<_> = raw
        .atoms
        .iter()
        .map(|(atom, symbol)| (atom.clone(), element(symbol)))
        .collect();
    let index = |atom: &String| {
        atoms
            .iter()
            .position(|(known, _)| known == atom)
            .expect("templates bond their own atoms")
    };
    let bonds = raw
        .bonds
        .iter()
        .map(|(a, b)| [index(a), index(b)])
        .collect();
    let external = raw.external.iter().map(index).collect();
    Template {
        name,
        family: raw.family,
        bonds,
        external,
        atoms,
    }
}

fn extend_family(family: &mut Family, template: &Template) {
    family.name.clone_from(&template.family);
    for &[a, b] in &template.bonds {
        let bond = (template.atoms[a].0.clone(), template.atoms[b].0.clone());
        if !family.bonds.contains(&bond) {
            family.bonds.push(bond);
        }
    }
    for (atom, element) in &template.atoms {
        family.elements.insert(atom.clone(), *element);
        if *element != Element::H && atom != "OXT" && !family.heavy.contains(atom) {
            family.heavy.push(atom.clone());
        }
    }
}

/// The exact form with this ff14SB name (`ALA`, `NALA`, `CHIE`, `ACE`).
pub fn template(name: &str) -> Option<&'static Template> {
    TABLES.templates.get(name)
}

/// All exact forms, sorted by name.
pub fn templates() -> impl Iterator<Item = &'static Template> {
    TABLES.templates.values()
}

/// The family of a residue by any name that [`residue_name`] knows; `None` for waters, ligands and
/// everything unknown.
pub fn family(name: &str) -> Option<&'static Family> {
    let name = residue_name(name)?;
    TABLES
        .families
        .get(name)
        .or_else(|| TABLES.families.get(&template(name)?.family))
}

/// Names that files give to residues, with ours: those of other programs, and of D amino acids. MSE
/// (selenomethionine) is read as methionine.
const RESIDUE_ALIASES: [(&str, &str); 53] = [
    // the same atoms, of the other hand: positions keep that
    ("DAL", "ALA"),
    ("DAR", "ARG"),
    ("DSG", "ASN"),
    ("DAS", "ASP"),
    ("DCY", "CYS"),
    ("DGN", "GLN"),
    ("DGL", "GLU"),
    ("DHI", "HIS"),
    ("DIL", "ILE"),
    ("DLE", "LEU"),
    ("DLY", "LYS"),
    ("MED", "MET"),
    ("DPN", "PHE"),
    ("DPR", "PRO"),
    ("DSN", "SER"),
    ("DTH", "THR"),
    ("DTR", "TRP"),
    ("DTY", "TYR"),
    ("DVA", "VAL"),
    ("HSD", "HID"),
    ("HSE", "HIE"),
    ("HSP", "HIP"),
    ("HISD", "HID"),
    ("HISE", "HIE"),
    ("HISH", "HIP"),
    ("HISA", "HID"),
    ("HISB", "HIE"),
    ("ASPP", "ASH"),
    ("ASPH", "ASH"),
    ("GLUP", "GLH"),
    ("GLUH", "GLH"),
    ("LSN", "LYN"),
    ("LYSH", "LYS"),
    ("CYSH", "CYS"),
    ("CYS2", "CYX"),
    ("CYN", "CYS"),
    // CYANA
    ("ARG+", "ARG"),
    ("LYS+", "LYS"),
    ("ASP-", "ASP"),
    ("GLU-", "GLU"),
    ("HIS+", "HIP"),
    ("HIST", "HIE"),
    ("CYSS", "CYX"),
    // Rosetta, Maestro, FoldX, GROMOS
    ("CYD", "CYX"),
    ("CYT", "CYM"),
    ("ARN", "ARG"),
    ("ARGN", "ARG"),
    ("CYS1", "CYS"),
    ("H1S", "HID"),
    ("H2S", "HIE"),
    ("NMA", "NME"),
    ("NH2", "NHE"),
    ("MSE", "MET"),
];

/// Our name of a residue that a file calls `name`: charge states keep theirs (`HSD` → `HID`),
/// terminal forms lose it (`NALA` → `ALA`). `None` if there is no template.
pub fn residue_name(name: &str) -> Option<&'static str> {
    let name = RESIDUE_ALIASES
        .iter()
        .find(|(other, _)| *other == name)
        .map_or(name, |(_, own)| *own);
    if let Some((family, _)) = TABLES.families.get_key_value(name) {
        return Some(family);
    }
    let is_terminal = name.len() == 4 && name.starts_with(['N', 'C']);
    let base = if is_terminal { &name[1..] } else { name };
    // HIS has no exact form of its own, only HID, HIE and HIP.
    let exact = TABLES
        .templates
        .get_key_value(base)
        .map(|(exact, _)| exact.as_str());
    exact.or_else(|| {
        TABLES
            .families
            .get_key_value(base)
            .map(|(family, _)| family.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_one_connected_molecule() {
        assert_eq!(templates().count(), 78);
        for template in templates() {
            let mut group: Vec<usize> = (0..template.atoms.len()).collect();
            for _ in 0..template.atoms.len() {
                for &[a, b] in &template.bonds {
                    let least = group[a].min(group[b]);
                    (group[a], group[b]) = (least, least);
                }
            }
            assert!(group.iter().all(|&g| g == 0), "{}", template.name);
            // valence: hydrogen has one bond, carbon at most four
            for (index, (atom, element)) in template.atoms.iter().enumerate() {
                let bonds = template
                    .bonds
                    .iter()
                    .filter(|bond| bond.contains(&index))
                    .count();
                let external = usize::from(template.external.contains(&index));
                match element {
                    Element::H => assert_eq!(bonds, 1, "{}:{atom}", template.name),
                    Element::C => assert!(
                        (3..=4).contains(&(bonds + external)),
                        "{}:{atom}",
                        template.name
                    ),
                    _ => assert!(
                        (1..=4).contains(&(bonds + external)),
                        "{}:{atom}",
                        template.name
                    ),
                }
            }
        }
    }

    #[test]
    fn families_know_the_twenty_amino_acids() {
        // heavy atoms of a residue inside a chain, from the amino acids' formulas
        let heavy = [
            ("GLY", 4),
            ("ALA", 5),
            ("SER", 6),
            ("CYS", 6),
            ("THR", 7),
            ("VAL", 7),
            ("PRO", 7),
            ("ASP", 8),
            ("ASN", 8),
            ("LEU", 8),
            ("ILE", 8),
            ("MET", 8),
            ("GLU", 9),
            ("GLN", 9),
            ("LYS", 9),
            ("HIS", 10),
            ("PHE", 11),
            ("ARG", 11),
            ("TYR", 12),
            ("TRP", 14),
        ];
        for (name, count) in heavy {
            let family = family(name).unwrap();
            assert_eq!(family.heavy.len(), count, "{name}");
            assert!(
                family.is_amino_acid() && family.continues_chain() && family.follows_chain(),
                "{name}"
            );
            assert_eq!(family.elements["OXT"], Element::O, "{name}");
        }
    }

    #[test]
    fn names_of_other_programs_are_known() {
        for (name, own) in [
            ("HSD", "HID"),
            ("HSP", "HIP"),
            ("HIS", "HIS"),
            ("MSE", "MET"),
            ("NALA", "ALA"),
            ("CHIE", "HIE"),
            ("NHIS", "HIS"),
        ] {
            assert_eq!(residue_name(name), Some(own));
        }
        for name in ["HOH", "NAG", "", "DA", "A", "CAL", "NÅL"] {
            assert_eq!(residue_name(name), None, "{name}");
        }
        for (residue, atom, own) in [
            ("ILE", "CD", "CD1"),
            ("ILE", "HD1", "HD11"),
            ("ALA", "OT1", "O"),
            ("ALA", "OT2", "OXT"),
            ("LYS", "HN", "H"),
            ("LYS", "HT1", "H1"),
            ("LEU", "HB1", "HB3"),
            ("SER", "HG1", "HG"),
            ("GLY", "1HA", "HA3"),
            ("HSE", "HE2", "HE2"),
            ("ACE", "H1", "HH31"),
            ("NME", "C", "CH3"),
            ("PHE", "DE1", "HE1"),
            ("HIS", "1HE", "HE1"),
            ("NHE", "2HN", "HN2"),
        ] {
            assert_eq!(
                family(residue).unwrap().atom_name(atom),
                Some(own),
                "{residue}:{atom}"
            );
        }
        assert_eq!(family("GLY").unwrap().atom_name("CB"), None);
    }
}
