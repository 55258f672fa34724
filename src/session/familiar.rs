//! Whether a model knows a protein: what it was trained on, and where it was judged.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::network::{Header, Provenance, Usual, Validated};
use crate::structure::Topology;

/// What the file of the built-in model, made before there was a place for it, does not say.
const BUILT_IN: &str = include_str!("../../data/models/default.json");

/// Scores of an alignment: two equal residues, two others, one that has no partner between two that
/// have.
const EQUAL: i32 = 2;
const OTHER: i32 = -1;
const GAP: i32 = -2;

/// How near a protein is to those that a model was trained on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Familiar {
    /// It is this one of them.
    Trained(String),
    /// Its sequence is so like that of this one, a share of 1, that it has the same fold.
    Near(String, f64),
    /// It is like none of them.
    New,
    /// The model does not say what it was trained on.
    Unknown,
}

/// The facts of the built-in model.
#[derive(Deserialize)]
struct Facts {
    /// Of its weights.
    sha256: String,
    sequences: BTreeMap<String, String>,
    temperatures: BTreeMap<String, f64>,
    validated: Vec<Validated>,
    usual: Vec<Usual>,
}

/// Adds to the header of the built-in model, also of a copy of its file, what that does not say;
/// those of other models stay as they are.
pub(super) fn complete_built_in(header: &mut Header) {
    let facts: Facts = serde_json::from_str(BUILT_IN).expect("a file of the program's own");
    if header.sha256 != facts.sha256 {
        return;
    }
    let provenance = &mut header.provenance;
    provenance.sequences = facts.sequences;
    provenance.temperatures = facts.temperatures;
    provenance.validated = facts.validated;
    provenance.usual = facts.usual;
}

impl Familiar {
    /// How near a protein is.
    pub fn of(provenance: &Provenance, topology: &Topology) -> Self {
        if provenance.sequences.is_empty() {
            return Familiar::Unknown;
        }
        let sequence = topology.sequence();
        let same = provenance.sequences.iter().find(|(_, of)| **of == sequence);
        if let Some((name, _)) = same {
            return Familiar::Trained(name.clone());
        }
        let chains: Vec<&str> = sequence.split('/').collect();
        let near = provenance.sequences.iter().filter_map(|(name, of)| {
            let pairs = of
                .split('/')
                .flat_map(|of| chains.iter().map(move |own| (*own, of)));
            let identities = pairs.filter_map(|(own, of)| likeness(own, of));
            let best = identities.fold(0.0, f64::max);
            (best > 0.0).then(|| (name.clone(), best))
        });
        near.max_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(Familiar::New, |(name, identity)| {
                Familiar::Near(name, identity)
            })
    }

    /// What the user is to know.
    pub fn words(&self) -> String {
        match self {
            Familiar::Trained(name) => {
                format!("this protein is one that it was trained on ({name})")
            }
            Familiar::Near(name, identity) => format!(
                "this protein is near one that it was trained on ({name}: {:.0} % of the sequence \
                 are the same)",
                100.0 * identity
            ),
            Familiar::New => {
                "this protein is new to it: what it makes of it is an extrapolation".to_owned()
            }
            Familiar::Unknown => "a protein outside that set is an extrapolation".to_owned(),
        }
    }
}

/// Share of equal residues of two sequences so alike that their folds are the same: above the
/// threshold of Rost, Protein Eng. 12, 85 (1999), eq. 2, which is the higher the shorter they are.
/// None below it, and where the alignment is less than half of either.
fn likeness(a: &str, b: &str) -> Option<f64> {
    let (equal, aligned) = align(a.as_bytes(), b.as_bytes());
    let length = aligned as f64;
    if 2 * aligned < a.len().max(b.len()) || aligned <= 11 {
        return None;
    }
    let identity = equal as f64 / length;
    let threshold = 4.8 * length.powf(-0.32 * (1.0 + (-length / 1000.0).exp()));
    (identity >= threshold).then_some(identity)
}

/// Equal and aligned residues of the best alignment whose ends are free (Needleman, Wunsch, J. Mol.
/// Biol. 48, 443 (1970)).
fn align(a: &[u8], b: &[u8]) -> (usize, usize) {
    /// Score, equal, aligned.
    type Cell = (i32, usize, usize);
    let mut above: Vec<Cell> = vec![(0, 0, 0); b.len() + 1];
    let mut best: Cell = (0, 0, 0);
    for (row, x) in a.iter().enumerate() {
        let mut line: Vec<Cell> = vec![(0, 0, 0)];
        for (column, y) in b.iter().enumerate() {
            let (score, equal, aligned) = above[column];
            let same = x == y;
            let own = if same { EQUAL } else { OTHER };
            let pair = (score + own, equal + usize::from(same), aligned + 1);
            let skip = |cell: Cell| (cell.0 + GAP, cell.1, cell.2);
            let cell = pair.max(skip(above[column + 1])).max(skip(line[column]));
            line.push(cell);
            if row + 1 == a.len() || column + 1 == b.len() {
                best = best.max(cell);
            }
        }
        above = line;
    }
    (best.1, best.2)
}

/// How a molecule of so many residues jumps where nobody asks for anything else; none: the model's
/// own way.
pub(super) fn usual(provenance: &Provenance, residues: usize) -> Option<&Usual> {
    let mut usual = provenance.usual.iter();
    usual.find(|usual| (usual.residues[0]..=usual.residues[1]).contains(&residues))
}

/// Why jumps of `lag` ps of a protein of so many residues are beyond what the model was judged at;
/// none where they are not, or nothing is known of it.
pub(super) fn beyond_validation(
    provenance: &Provenance,
    lag: f64,
    residues: usize,
) -> Option<String> {
    let validated = &provenance.validated;
    let largest = validated.iter().map(|at| at.residues).max()?;
    let up_to = |at: &Validated| format!("{} ps up to {}", at.lag, at.residues);
    if residues > largest {
        return Some(format!(
            "warning: {residues} residues are more than it was validated for ({largest})"
        ));
    }
    let mut within = validated.iter().filter(|at| at.residues >= residues);
    if within.any(|at| lag <= at.lag * (1.0 + 1e-9)) {
        return None;
    }
    let known: Vec<String> = validated.iter().map(up_to).collect();
    Some(format!(
        "warning: jumps of {lag} ps of {residues} residues are beyond what it was validated for: \
         {} \
         residues",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::super::ModelSource;
    use super::*;
    use crate::structure::{Chain, Residue};

    fn built_in() -> Provenance {
        ModelSource::BuiltIn.examine().unwrap().header.provenance
    }

    /// A protein of one chain of nothing but names.
    fn protein(sequence: &str) -> Topology {
        const NAMES: [(char, &str); 20] = [
            ('A', "ALA"),
            ('R', "ARG"),
            ('N', "ASN"),
            ('D', "ASP"),
            ('C', "CYX"),
            ('Q', "GLN"),
            ('E', "GLU"),
            ('G', "GLY"),
            ('H', "HIE"),
            ('I', "ILE"),
            ('L', "LEU"),
            ('K', "LYS"),
            ('M', "MET"),
            ('F', "PHE"),
            ('P', "PRO"),
            ('S', "SER"),
            ('T', "THR"),
            ('W', "TRP"),
            ('Y', "TYR"),
            ('V', "VAL"),
        ];
        let name = |letter: char| NAMES.iter().find(|(own, _)| *own == letter).unwrap().1;
        let residues: Vec<Residue> = sequence
            .chars()
            .map(|letter| Residue {
                name: name(letter).to_owned(),
                chain: 0,
                number: 1,
                insertion: None,
                atoms: 0..0,
            })
            .collect();
        Topology {
            chains: vec![Chain {
                id: "A".into(),
                residues: 0..residues.len(),
            }],
            residues,
            ..Topology::default()
        }
    }

    #[test]
    fn a_protein_is_known_by_its_sequence() {
        let model = built_in();
        let of = |sequence: &str| Familiar::of(&model, &protein(sequence));
        assert_eq!(of("AKLE"), Familiar::Trained("akle".into()));
        let trpcage = "NLYIQWLKDGGPSSGRPPPS";
        assert_eq!(of(trpcage), Familiar::Trained("trpcage".into()));
        // TC10b, another trp-cage: 16 of 20 are the same
        let Familiar::Near(name, identity) = of("DAYAQWLKDGGPSSGRPPPS") else {
            panic!("{:?}", of("DAYAQWLKDGGPSSGRPPPS"));
        };
        assert!(
            name == "trpcage" && (identity - 17.0 / 20.0).abs() <= 0.06,
            "{identity}"
        );
        // peptides are too short to be near each other; ubiquitin and villin are new
        for new in [
            "AKLD",
            "LSDEDFKAVFGMTRSAFANLPLWKQQNLKKEKGLF",
            "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG",
        ] {
            assert_eq!(of(new), Familiar::New, "{new}");
        }
        assert_eq!(
            Familiar::of(&Provenance::default(), &protein("AKLE")),
            Familiar::Unknown
        );
    }

    #[test]
    fn an_alignment_skips_what_has_no_partner() {
        assert_eq!(align(b"ACDEFGHIK", b"ACDEFGHIK"), (9, 9));
        assert_eq!(align(b"ACDEFGHIK", b"ACDFGHIK"), (8, 8));
        assert_eq!(align(b"MMACDEFGHIK", b"ACDEFGHIKLL"), (9, 9));
    }

    #[test]
    fn lag_times_are_warned_of_where_nobody_looked() {
        let model = built_in();
        for (lag, residues, warned) in [
            (20.0, 76, false),
            (20.0, 20, false),
            (160.0, 20, false),
            (160.0, 70, false),
            (160.0, 71, true),
            (640.0, 4, false),
            (640.0, 6, true),
            (20.0, 100, true),
        ] {
            let warning = beyond_validation(&model, lag, residues);
            assert_eq!(warning.is_some(), warned, "{lag} {residues}: {warning:?}");
        }
        assert_eq!(beyond_validation(&Provenance::default(), 640.0, 900), None);
        let lag = |residues| usual(&model, residues).map(|usual| usual.lag);
        assert_eq!(
            [1, 2, 9, 10, 200, 201].map(lag),
            [
                None,
                Some(160.0),
                Some(160.0),
                Some(160.0),
                Some(160.0),
                None
            ]
        );
        let stir = |residues| usual(&model, residues).and_then(|usual| usual.stir);
        assert_eq!([9, 10].map(stir), [Some(0.3), None]);
        assert_eq!(usual(&Provenance::default(), 30), None);
    }
}
