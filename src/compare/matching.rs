//! Which heavy atoms of two topologies are the same atom: by chain, residue and name, in any order.

use std::collections::{HashMap, VecDeque};

use crate::structure::residues::family;
use crate::structure::{Element, Topology};

/// The heavy atoms that two topologies share, and what could not be matched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matching {
    /// Atom of the first and of the second topology; ascending in the first.
    pub pairs: Vec<(usize, usize)>,
    /// What a user should know: residues matched by order, atoms that one side lacks. One line
    /// each.
    pub notes: Vec<String>,
}

/// Matches heavy atoms of `left` and `right`, which are called by these names in the notes.
///
/// Residues are the same by chain, number and insertion code; where chains are named or residues
/// are numbered differently, by their order in chains of the same sequence, whichever matches more.
/// A residue of another kind at the same place does not match.
pub fn match_heavy_atoms(left: &Topology, right: &Topology, names: (&str, &str)) -> Matching {
    let by_number = same_atoms(left, right, &by_number(left, right));
    let by_order = same_atoms(left, right, &by_order(left, right));
    let mut matching = Matching::default();
    if by_order.len() > by_number.len() {
        matching.notes.push(format!(
            "{} and {} name chains or number residues differently: matched in order of sequence",
            names.0, names.1
        ));
        matching.pairs = by_order;
    } else {
        matching.pairs = by_number;
    }
    let (in_left, in_right): (Vec<usize>, Vec<usize>) = matching.pairs.iter().copied().unzip();
    matching
        .notes
        .extend(unmatched(left, &in_left, names.0, names.1));
    matching
        .notes
        .extend(unmatched(right, &in_right, names.1, names.0));
    matching
}

/// One line on the heavy atoms of a topology that are not in the list.
fn unmatched(topology: &Topology, matched: &[usize], name: &str, other: &str) -> Option<String> {
    let mut is_matched = vec![false; topology.len()];
    matched.iter().for_each(|&atom| is_matched[atom] = true);
    let left_out: Vec<usize> = topology
        .heavy_atoms()
        .into_iter()
        .filter(|&atom| !is_matched[atom])
        .collect();
    let first: Vec<String> = left_out
        .iter()
        .take(3)
        .map(|&atom| topology.atom_label(atom))
        .collect();
    let more = if left_out.len() > first.len() {
        ", …"
    } else {
        ""
    };
    let atoms = if left_out.len() == 1 {
        "heavy atom"
    } else {
        "heavy atoms"
    };
    (!left_out.is_empty()).then(|| {
        format!(
            "{} {atoms} of {name} not found in {other}: {}{more}",
            left_out.len(),
            first.join(", ")
        )
    })
}

/// Pairs of residues with the same chain, number and insertion code.
fn by_number(left: &Topology, right: &Topology) -> Vec<(usize, usize)> {
    let key = |topology: &Topology, residue: usize| {
        let residue = &topology.residues[residue];
        (
            topology.chains[residue.chain].id.clone(),
            residue.number,
            residue.insertion,
        )
    };
    // Residues named alike (several proteins under one blank chain) are meant in their order.
    let mut places: HashMap<_, VecDeque<usize>> = HashMap::new();
    for residue in 0..right.residues.len() {
        let alike = places.entry(key(right, residue)).or_default();
        alike.push_back(residue);
    }
    (0..left.residues.len())
        .filter_map(|residue| {
            let alike = places.get_mut(&key(left, residue))?;
            Some((residue, alike.pop_front()?))
        })
        .collect()
}

/// Pairs of residues in order, chain by chain, of each chain with the first one of the same
/// sequence that is not taken.
fn by_order(left: &Topology, right: &Topology) -> Vec<(usize, usize)> {
    let sequence = |topology: &Topology, chain: usize| -> Vec<String> {
        topology.residues[topology.chains[chain].residues.clone()]
            .iter()
            .map(|residue| kind(&residue.name).to_owned())
            .collect()
    };
    let mut free: Vec<usize> = (0..right.chains.len()).collect();
    let mut pairs = Vec::new();
    for chain in 0..left.chains.len() {
        let wanted = sequence(left, chain);
        if let Some(place) = free
            .iter()
            .position(|&other| sequence(right, other) == wanted)
        {
            let other = free.remove(place);
            pairs.extend(
                left.chains[chain]
                    .residues
                    .clone()
                    .zip(right.chains[other].residues.clone()),
            );
        }
    }
    pairs
}

/// The residue that this name is a form of: `HIS` for `HIE`.
fn kind(name: &str) -> &str {
    family(name).map_or(name, |family| &family.name)
}

fn same_atoms(
    left: &Topology,
    right: &Topology,
    residues: &[(usize, usize)],
) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for &(a, b) in residues
        .iter()
        .filter(|&&(a, b)| kind(&left.residues[a].name) == kind(&right.residues[b].name))
    {
        for atom in left.residues[a]
            .atoms
            .clone()
            .filter(|&atom| left.atoms[atom].element != Element::H)
        {
            pairs.extend(
                right
                    .atom_named(b, &left.atoms[atom].name)
                    .map(|other| (atom, other)),
            );
        }
    }
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::{Atom, Chain, Residue};

    /// Chains as (identifier, first number, residues, each with its atoms).
    /// Residue name and atom names.
    type Named<'a> = (&'a str, &'a [&'a str]);

    fn topology(chains: &[(&str, isize, &[Named])]) -> Topology {
        let mut topology = Topology::default();
        for (chain, (id, first, residues)) in chains.iter().enumerate() {
            let start = topology.residues.len();
            for (number, (name, atoms)) in (*first..).zip(*residues) {
                let begin = topology.atoms.len();
                for atom in *atoms {
                    let element = if atom.starts_with('H') {
                        Element::H
                    } else {
                        Element::C
                    };
                    let residue = topology.residues.len();
                    topology.atoms.push(Atom {
                        name: atom.to_string(),
                        element,
                        residue,
                        serial: 0,
                        mass: 1.0,
                    });
                }
                let atoms = begin..topology.atoms.len();
                topology.residues.push(Residue {
                    name: name.to_string(),
                    chain,
                    number,
                    insertion: None,
                    atoms,
                });
            }
            topology.chains.push(Chain {
                id: id.to_string(),
                residues: start..topology.residues.len(),
            });
        }
        topology
    }

    #[test]
    fn another_order_and_missing_hydrogens_do_not_matter() {
        let left = topology(&[
            (
                "A",
                1,
                &[("GLY", &["N", "H", "CA", "C"]), ("HIE", &["N", "CA"])],
            ),
            ("B", 7, &[("GLY", &["N"])]),
        ]);
        let right = topology(&[
            ("B", 7, &[("GLY", &["N"])]),
            ("A", 1, &[("GLY", &["C", "CA", "N"]), ("HIS", &["CA", "N"])]),
        ]);
        let matching = match_heavy_atoms(&left, &right, ("run", "reference"));
        assert_eq!(
            matching.pairs,
            [(0, 3), (2, 2), (3, 1), (4, 5), (5, 4), (6, 0)]
        );
        assert!(matching.notes.is_empty(), "{:?}", matching.notes);
    }

    #[test]
    fn chains_named_and_residues_numbered_differently_match_in_order() {
        let left = topology(&[("", 1, &[("GLY", &["N"]), ("ALA", &["CA"])])]);
        let right = topology(&[("X", 101, &[("GLY", &["N"]), ("ALA", &["CA"])])]);
        let matching = match_heavy_atoms(&left, &right, ("run", "reference"));
        assert_eq!(matching.pairs, [(0, 0), (1, 1)]);
        assert!(
            matching.notes.len() == 1 && matching.notes[0].contains("in order"),
            "{:?}",
            matching.notes
        );
    }

    #[test]
    fn proteins_that_share_a_blank_chain_and_numbers_match_themselves() {
        let two = topology(&[
            ("", 1, &[("GLY", &["N"]), ("ALA", &["CA"])]),
            ("", 1, &[("GLY", &["N"]), ("SER", &["CA"])]),
        ]);
        let matching = match_heavy_atoms(&two, &two, ("run", "run"));
        assert_eq!(matching.pairs, [(0, 0), (1, 1), (2, 2), (3, 3)]);
        assert!(matching.notes.is_empty(), "{:?}", matching.notes);
    }

    #[test]
    fn what_one_side_lacks_is_counted_and_named() {
        let left = topology(&[(
            "A",
            1,
            &[("GLY", &["N", "CA"]), ("ALA", &["N"]), ("SER", &["N"])],
        )]);
        let right = topology(&[(
            "A",
            1,
            &[("GLY", &["N", "CA", "C"]), ("VAL", &["N"]), ("SER", &["N"])],
        )]);
        let matching = match_heavy_atoms(&left, &right, ("run", "reference"));
        assert_eq!(matching.pairs, [(0, 0), (1, 1), (3, 4)]);
        assert_eq!(
            matching.notes,
            [
                "1 heavy atom of run not found in reference: A:ALA 2:N",
                "2 heavy atoms of reference not found in run: A:GLY 1:C, A:VAL 2:N"
            ]
        );
    }
}
