//! The alphabet of tokens: which atoms a network can be told apart, as data whose hash stands in
//! every file of weights.

use sha2::{Digest, Sha256};

use crate::files::hexadecimal;

/// Names that tokens are told apart by. Their order is that of the rows of the embedding tables.
#[derive(Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// What files of weights call it.
    pub name: &'static str,
    /// Names of heavy atoms: rows of the first table.
    pub atoms: &'static [&'static str],
    /// Names of residues: rows of the second table.
    pub residues: &'static [&'static str],
    /// Places of a residue in its chain: rows of the third table, inside, first, last, alone.
    pub places: &'static [&'static str],
    /// Other names of residues, such as those of charge states, and the residue that they count as.
    pub forms: &'static [(&'static str, &'static str)],
    /// Atoms that make a fold.
    pub backbone: &'static [&'static str],
}

/// The twenty amino acids and the caps ACE, NME and NH2.
pub static PROTEIN: Vocabulary = Vocabulary {
    name: "protein",
    atoms: &[
        "N", "CA", "C", "O", "OXT", "CB", "CG", "CG1", "CG2", "CD", "CD1", "CD2", "CE", "CE1",
        "CE2", "CE3", "CZ", "CZ2", "CZ3", "CH2", "ND1", "ND2", "NE", "NE1", "NE2", "NH1", "NH2",
        "NZ", "OG", "OG1", "OD1", "OD2", "OE1", "OE2", "OH", "SG", "SD", "CH3",
    ],
    residues: &[
        "ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE", "LEU", "LYS", "MET",
        "PHE", "PRO", "SER", "THR", "TRP", "TYR", "VAL", "ACE", "NME", "NH2",
    ],
    places: &["inside", "first", "last", "alone"],
    forms: &[
        ("ASH", "ASP"),
        ("GLH", "GLU"),
        ("LYN", "LYS"),
        ("CYM", "CYS"),
        ("CYX", "CYS"),
        ("HID", "HIS"),
        ("HIE", "HIS"),
        ("HIP", "HIS"),
        ("HSD", "HIS"),
        ("HSE", "HIS"),
        ("HSP", "HIS"),
        ("MSE", "MET"),
        // a proline with an oxygen on its CG
        ("HYP", "PRO"),
        ("NHE", "NH2"),
    ],
    backbone: &["N", "CA", "C", "O", "CB"],
};

impl Vocabulary {
    /// All that this program knows.
    pub const ALL: [&'static Vocabulary; 1] = [&PROTEIN];

    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Vocabulary> {
        Vocabulary::ALL
            .into_iter()
            .find(|vocabulary| vocabulary.name == name)
    }

    /// Rows of the three embedding tables.
    pub fn tables(&self) -> [usize; 3] {
        [self.atoms.len(), self.residues.len(), self.places.len()]
    }

    /// Row of an atom's name.
    pub fn atom(&self, name: &str) -> Option<u16> {
        row(self.atoms, name)
    }

    /// Row of a residue's name, or of the residue that it counts as.
    pub fn residue(&self, name: &str) -> Option<u16> {
        let form = self.forms.iter().find(|(form, _)| *form == name);
        row(self.residues, form.map_or(name, |(_, base)| base))
    }

    /// Whether atoms of this row make a fold.
    pub fn is_backbone(&self, atom: u16) -> bool {
        self.backbone.contains(&self.atoms[usize::from(atom)])
    }

    /// SHA-256, hexadecimal, of the rows of all tables: weights of another alphabet mean something
    /// else. Forms and backbone are how this program reads a molecule, and are not in it.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for table in [self.atoms, self.residues, self.places] {
            for name in table {
                hash.update(name);
                hash.update(b"\n");
            }
            hash.update(b"\n");
        }
        hexadecimal(hash.finalize())
    }
}

fn row(names: &[&str], name: &str) -> Option<u16> {
    let found = names.iter().position(|other| *other == name)?;
    Some(found as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of the alphabet that every shipped model was trained with: `printf '%s\n' …` of the
    /// names above, an empty line behind each table, through sha256sum.
    #[test]
    fn the_alphabet_of_proteins_is_the_one_of_the_shipped_models() {
        assert_eq!(PROTEIN.tables(), [38, 23, 4]);
        assert_eq!(
            PROTEIN.sha256(),
            "e2078328c41f21622591f4de6c57a2b4ef56d3473f0a2be826f9284a1b003cd4"
        );
        assert_eq!(Vocabulary::named("protein"), Some(&PROTEIN));
        assert!(Vocabulary::named("rna").is_none());
    }

    #[test]
    fn forms_count_as_their_residue() {
        assert_eq!(PROTEIN.residue("HIE"), PROTEIN.residue("HIS"));
        assert_eq!(PROTEIN.residue("XXX"), None);
        assert_eq!(
            (PROTEIN.atom("N"), PROTEIN.atom("CH3")),
            (Some(0), Some(37))
        );
        assert!(PROTEIN.is_backbone(1) && !PROTEIN.is_backbone(6));
    }
}
