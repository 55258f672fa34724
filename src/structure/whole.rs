//! Periodic cells: nearest images, and molecules that a program broke over the border made whole
//! again.

use nalgebra::{Matrix3, Vector3};

use super::{Cell, Topology};

/// The translations of a periodic cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Lattice {
    /// Columns a, b, c, Å.
    vectors: Matrix3<f64>,
    inverse: Matrix3<f64>,
}

/// A cell that holds no more than this, Å³, is none: files without a cell have edges of 0, or the
/// unit cube that PDB prescribes.
const NO_CELL: f64 = 1.0 + 1e-6;

impl Lattice {
    /// The lattice of a cell; `None` where it has no volume, and for the unit cube that stands for
    /// no cell in PDB files.
    pub fn new(cell: &Cell) -> Option<Self> {
        let vectors = cell.vectors().transpose();
        if !vectors.iter().all(|value| value.is_finite()) || vectors.determinant() <= NO_CELL {
            return None;
        }
        Some(Lattice {
            vectors,
            inverse: vectors.try_inverse()?,
        })
    }

    /// The displacement (Å) less the lattice vector nearest to it in fractional coordinates: the
    /// shortest image, if that is shorter than half of the cell's least height, as bonds are.
    pub fn nearest(&self, displacement: Vector3<f64>) -> Vector3<f64> {
        let cells = (self.inverse * displacement).map(f64::round);
        // an atom that is where it belongs keeps its position to the last bit
        if cells == Vector3::zeros() {
            displacement
        } else {
            displacement - self.vectors * cells
        }
    }
}

/// The molecules of a topology, each in an order in which bonds reach every atom from its first
/// one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Molecules {
    /// Atom reached before, atom reached through a bond with it.
    path: Vec<[usize; 2]>,
    /// Atoms of every molecule, in the order of their first ones.
    members: Vec<Vec<usize>>,
}

impl Molecules {
    /// Walks through the bonds of a topology, breadth first.
    pub fn new(topology: &Topology) -> Self {
        let neighbours = topology.neighbours();
        let mut seen = vec![false; topology.len()];
        let mut molecules = Molecules::default();
        for first in 0..topology.len() {
            if std::mem::replace(&mut seen[first], true) {
                continue;
            }
            let mut reached = vec![first];
            let mut next = 0;
            while let Some(&atom) = reached.get(next) {
                for &other in neighbours[atom]
                    .iter()
                    .filter(|&&other| !std::mem::replace(&mut seen[other], true))
                {
                    molecules.path.push([atom, other]);
                    reached.push(other);
                }
                next += 1;
            }
            molecules.members.push(reached);
        }
        molecules
    }

    /// Moves atoms by lattice vectors until each lies beside the one it is bonded to; gives back
    /// how many were moved. The first atom of each molecule stays: molecules are not brought
    /// together. A cell that is none moves nothing.
    pub fn make_whole(&self, positions: &mut [Vector3<f64>], cell: &Cell) -> usize {
        let Some(lattice) = Lattice::new(cell) else {
            return 0;
        };
        let mut moved = 0;
        for &[from, to] in &self.path {
            let apart = positions[to] - positions[from];
            let nearest = lattice.nearest(apart);
            if nearest != apart {
                positions[to] = positions[from] + nearest;
                moved += 1;
            }
        }
        moved
    }

    /// Moves molecules, which are whole, by lattice vectors until they lie beside each other as
    /// they do in the periodic system; gives back how many were moved. The first molecule stays,
    /// and so does what lies beside it: the next one is always that nearest to those that have
    /// their place (an image of its centroid may be nearer to the first one, in a fibril, or among
    /// the residues of a trajectory of Cα alone). A cell that is none moves nothing.
    pub fn bring_together(&self, positions: &mut [Vector3<f64>], cell: &Cell) -> usize {
        let (Some(lattice), 2..) = (Lattice::new(cell), self.members.len()) else {
            return 0;
        };
        let mut waiting: Vec<(usize, Neighbour)> = (1..self.members.len())
            .map(|molecule| (molecule, Neighbour::default()))
            .collect();
        let (mut placed, mut moved) = (0, 0);
        while !waiting.is_empty() {
            for (molecule, nearest) in &mut waiting {
                for from in sample(&self.members[placed]) {
                    for to in sample(&self.members[*molecule]) {
                        nearest.look(positions[to] - positions[from], &lattice);
                    }
                }
            }
            let distance = |at: &usize| waiting[*at].1.by_image;
            let next = (0..waiting.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
            let (molecule, nearest) = waiting.remove(next.expect("some wait"));
            let by = nearest.shift();
            if by != Vector3::zeros() {
                let atoms = &self.members[molecule];
                atoms.iter().for_each(|&atom| positions[atom] += by);
                moved += 1;
            }
            placed = molecule;
        }
        moved
    }
}

/// Most atoms of a molecule that distances to others are measured from.
const SAMPLES: usize = 32;

/// Atoms of a molecule, evenly from all of it.
fn sample(members: &[usize]) -> impl Iterator<Item = usize> {
    let step = members.len().div_ceil(SAMPLES);
    members.iter().step_by(step).copied()
}

/// A molecule that stands no more than this, Å, farther from the others than an image of it does is
/// left where it is: in a crystal, or a tight cell, images touch too.
const AS_IT_STANDS: f64 = 3.0;

/// How near a molecule is to those that have their place.
struct Neighbour {
    /// Smallest distance as it stands, Å.
    as_it_stands: f64,
    /// Smallest distance of an image, Å, and the lattice vector to it.
    by_image: f64,
    to_image: Vector3<f64>,
}

impl Default for Neighbour {
    fn default() -> Self {
        Neighbour {
            as_it_stands: f64::INFINITY,
            by_image: f64::INFINITY,
            to_image: Vector3::zeros(),
        }
    }
}

impl Neighbour {
    /// Takes in a displacement, Å, of one of its atoms from one that has its place.
    fn look(&mut self, apart: Vector3<f64>, lattice: &Lattice) {
        let image = lattice.nearest(apart);
        self.as_it_stands = self.as_it_stands.min(apart.norm());
        if image.norm() < self.by_image {
            self.by_image = image.norm();
            self.to_image = image - apart;
        }
    }

    /// The lattice vector to move it by.
    fn shift(&self) -> Vector3<f64> {
        if self.as_it_stands <= self.by_image + AS_IT_STANDS {
            Vector3::zeros()
        } else {
            self.to_image
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::{Atom, Chain, Element, Residue};

    #[test]
    fn molecules_broken_over_a_skewed_cell_are_whole_and_beside_each_other_again() {
        let atom = |index: usize| Atom {
            name: format!("C{index}"),
            element: Element::C,
            residue: 0,
            serial: index,
            mass: 12.0,
        };
        let residue = Residue {
            name: "LIG".into(),
            chain: 0,
            number: 1,
            insertion: None,
            atoms: 0..12,
        };
        let chains = vec![Chain {
            id: "A".into(),
            residues: 0..1,
        }];
        let bonds: Vec<[usize; 2]> = (0..9)
            .filter(|&i| i != 5)
            .map(|i| [i, i + 1])
            .chain([[10, 11]])
            .collect();
        let topology = Topology {
            atoms: (0..12).map(atom).collect(),
            residues: vec![residue],
            chains,
            bonds,
        };
        let cell = Cell {
            lengths: [12.0, 13.0, 11.0],
            angles: [70.0, 95.0, 109.4712206],
        };
        let rows = cell.vectors();
        // Three molecules: a zigzag of six, one of four beside it, one of two.
        let still: Vec<Vector3<f64>> = (0..12)
            .map(|i| {
                Vector3::new(
                    1.2 * (i % 6) as f64 - 3.0,
                    0.5 * (i % 2) as f64,
                    if i < 6 { 0.0 } else { 3.0 },
                )
            })
            .collect();
        let mut broken = still.clone();
        for (index, position) in broken.iter_mut().enumerate().skip(1) {
            let turns = Vector3::new(
                (index % 3) as f64 - 1.0,
                (index % 2) as f64,
                -((index % 5) as f64),
            );
            *position += rows.transpose() * turns;
        }
        let molecules = Molecules::new(&topology);
        assert!(molecules.make_whole(&mut broken, &cell) > 0);
        for &[i, j] in &topology.bonds {
            assert!(
                ((broken[j] - broken[i]) - (still[j] - still[i])).norm() <= 1e-12,
                "{i} {j}"
            );
        }
        // the third molecule's first atom stayed where it was
        assert_eq!(molecules.bring_together(&mut broken, &cell), 1);
        for (a, b) in broken.iter().zip(&still) {
            assert!((a - b).norm() <= 1e-12, "{a} {b}");
        }
        assert_eq!(
            molecules.make_whole(&mut broken, &cell) + molecules.bring_together(&mut broken, &cell),
            0
        );
    }

    #[test]
    fn what_stands_for_no_cell_is_none() {
        for lengths in [[0.0; 3], [1.0; 3], [f64::NAN; 3], [10.0, 0.0, 10.0]] {
            assert_eq!(
                Lattice::new(&Cell {
                    lengths,
                    angles: [90.0; 3]
                }),
                None,
                "{lengths:?}"
            );
        }
        assert_eq!(
            Lattice::new(&Cell {
                lengths: [10.0; 3],
                angles: [0.0; 3]
            }),
            None
        );
        assert!(
            Lattice::new(&Cell {
                lengths: [10.0; 3],
                angles: [90.0; 3]
            })
            .is_some()
        );
    }
}
