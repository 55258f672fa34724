//! Bonds of a topology: inside residues from templates, between them by distance.

use nalgebra::Vector3;

use super::residues::family;
use super::whole::Lattice;
use super::{Cell, Topology};

/// Longest C–N distance that is still a peptide bond, Å; beyond it the chain is broken.
pub const LONGEST_PEPTIDE_BOND: f64 = 2.0;
/// Longest S–S distance that is a disulfide, Å.
pub const LONGEST_DISULFIDE: f64 = 2.5;

/// Two residues that follow each other in a chain without a bond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainBreak {
    /// Index of the residue before the break; the next one is after it.
    pub after: usize,
    /// C–N distance, Å; `None` where one of the two atoms is missing.
    pub distance: Option<f64>,
}

/// What holds a topology together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Links {
    /// All bonds `[i, j]`, `i < j`, sorted, without repeats.
    pub bonds: Vec<[usize; 2]>,
    /// Disulfides among them.
    pub disulfides: Vec<[usize; 2]>,
    /// Where chains are interrupted.
    pub breaks: Vec<ChainBreak>,
}

/// Finds the bonds of a topology with one position (Å) per atom. [`Topology::bonds`] is neither
/// read nor changed.
///
/// Inside residues bonds come from [templates](super::residues) between the atoms present; C–N
/// bonds join residues that follow each other in a chain, up to `LONGEST_PEPTIDE_BOND`; SG–SG bonds
/// join cysteines, nearest pairs first, up to `LONGEST_DISULFIDE`. In a periodic cell distances are
/// those of the nearest images: molecules may be broken over its border.
pub fn link(topology: &Topology, positions: &[Vector3<f64>], cell: Option<&Cell>) -> Links {
    let lattice = cell.and_then(Lattice::new);
    let distance = |i: usize, j: usize| {
        let apart = positions[j] - positions[i];
        lattice
            .as_ref()
            .map_or(apart, |lattice| lattice.nearest(apart))
            .norm()
    };
    let mut links = Links {
        disulfides: disulfides(topology, distance),
        ..Links::default()
    };
    for (index, residue) in topology.residues.iter().enumerate() {
        let template = family(&residue.name)
            .map(|family| family.bonds.as_slice())
            .unwrap_or_default();
        let named = |(a, b): &(String, String)| {
            Some([
                topology.atom_named(index, a)?,
                topology.atom_named(index, b)?,
            ])
        };
        links.bonds.extend(template.iter().filter_map(named));
    }
    for chain in &topology.chains {
        for after in chain.residues.start..chain.residues.end.saturating_sub(1) {
            let ends = [
                topology.atom_named(after, "C"),
                topology.atom_named(after + 1, "N"),
            ];
            let distance = match ends {
                [Some(c), Some(n)] => Some(distance(c, n)),
                _ => None,
            };
            match (ends, distance) {
                ([Some(c), Some(n)], Some(distance)) if distance <= LONGEST_PEPTIDE_BOND => {
                    links.bonds.push([c, n])
                }
                _ => links.breaks.push(ChainBreak { after, distance }),
            }
        }
    }
    links.bonds.extend(&links.disulfides);
    links.bonds.iter_mut().for_each(|bond| bond.sort_unstable());
    links.bonds.sort_unstable();
    links.bonds.dedup();
    links
}

/// Pairs of SG atoms within reach, nearest first, each atom once.
fn disulfides(topology: &Topology, distance: impl Fn(usize, usize) -> f64) -> Vec<[usize; 2]> {
    let is_cysteine = |&residue: &usize| {
        family(&topology.residues[residue].name).is_some_and(|family| family.name == "CYS")
    };
    let sulfurs: Vec<usize> = (0..topology.residues.len())
        .filter(is_cysteine)
        .filter_map(|residue| topology.atom_named(residue, "SG"))
        .collect();
    let mut pairs = Vec::new();
    for (at, &i) in sulfurs.iter().enumerate() {
        for &j in &sulfurs[at + 1..] {
            let distance = distance(i, j);
            if distance <= LONGEST_DISULFIDE {
                pairs.push((distance, [i, j]));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut found: Vec<[usize; 2]> = Vec::new();
    for (_, pair) in pairs {
        if !found.iter().flatten().any(|atom| pair.contains(atom)) {
            found.push(pair);
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::{Atom, Chain, Element, Residue};

    /// Residues of one chain, each a list of (atom, x in Å) on a line.
    fn chain_of(residues: &[(&str, &[(&str, f64)])]) -> (Topology, Vec<Vector3<f64>>) {
        let mut topology = Topology::default();
        let mut positions = Vec::new();
        for (index, (name, atoms)) in residues.iter().enumerate() {
            let start = topology.atoms.len();
            for (atom, x) in *atoms {
                let element = Element::from_symbol(&atom[..1]).unwrap();
                topology.atoms.push(Atom {
                    name: atom.to_string(),
                    element,
                    residue: index,
                    serial: 0,
                    mass: 1.0,
                });
                positions.push(Vector3::new(*x, 0.0, 0.0));
            }
            let atoms = start..topology.atoms.len();
            topology.residues.push(Residue {
                name: name.to_string(),
                chain: 0,
                number: index as isize,
                insertion: None,
                atoms,
            });
        }
        topology.chains.push(Chain {
            id: "A".into(),
            residues: 0..residues.len(),
        });
        (topology, positions)
    }

    #[test]
    fn peptide_bonds_end_at_two_angstrom() {
        let first: &[(&str, f64)] = &[("N", 0.0), ("CA", 1.5), ("C", 3.0), ("O", 4.2)];
        for (gap, bonded) in [(1.33, true), (2.0, true), (2.001, false), (30.0, false)] {
            let (topology, positions) = chain_of(&[
                ("GLY", first),
                ("GLY", &[("N", 3.0 + gap), ("CA", 4.5 + gap)]),
            ]);
            let links = link(&topology, &positions, None);
            assert_eq!(links.bonds.contains(&[2, 4]), bonded, "{gap}");
            assert_eq!(links.bonds.len(), 4 + usize::from(bonded));
            assert_eq!(links.breaks.len(), usize::from(!bonded));
        }
        let (topology, positions) = chain_of(&[("GLY", &first[..2]), ("GLY", first)]);
        assert_eq!(
            link(&topology, &positions, None).breaks,
            [ChainBreak {
                after: 0,
                distance: None
            }]
        );
    }

    #[test]
    fn a_sulfur_takes_its_nearest_partner_only() {
        let (topology, positions) = chain_of(&[
            ("CYS", &[("SG", 0.0)]),
            ("CYX", &[("SG", 2.4)]),
            ("CYS", &[("SG", 4.4)]),
            ("CYS", &[("SG", 7.0)]),
            ("MET", &[("SD", 9.0)]),
        ]);
        assert_eq!(link(&topology, &positions, None).disulfides, [[1, 2]]);
    }
}
