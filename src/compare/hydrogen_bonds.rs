//! Hydrogen bonds, of frames with hydrogens by their geometry, of frames without them between
//! backbones alone.

use nalgebra::Vector3;

use super::secondary::SecondaryStructure;
use crate::geometry::neighbours::CellList;
use crate::structure::{Cell, Element, Lattice, Topology};

/// Farthest that an acceptor is from the hydrogen, Å.
pub const REACH: f64 = 2.5;
/// Cosine of the least angle donor–hydrogen–acceptor: 120°.
const BEND: f64 = -0.5;

/// A hydrogen bond: donor and acceptor, heavy atoms of the topology.
pub type Bond = [u32; 2];

/// How hydrogen bonds are told.
#[derive(Debug, Clone)]
pub enum HydrogenBonds {
    /// By geometry (Baker & Hubbard, Prog. Biophys. Mol. Biol. 44 (1984) 97, as mdtraj's
    /// `baker_hubbard`): N–H or O–H, N or O nearer than 2.5 Å to the hydrogen, at more than 120°.
    ByGeometry {
        /// The heavy atom that each hydrogen is bonded to.
        donors: Vec<usize>,
        /// Atoms that take bonds.
        acceptors: Vec<usize>,
    },
    /// Between backbones by their energy (Kabsch & Sander 1983, as DSSP finds secondary structure),
    /// which needs no hydrogens.
    OfBackbone(SecondaryStructure),
}

impl HydrogenBonds {
    /// For the heavy atoms of a topology, and hydrogens that are bonded to its atoms `donors`.
    pub fn by_geometry(topology: &Topology, donors: Vec<usize>) -> Self {
        let takes = |&atom: &usize| {
            let element = &topology.atoms[atom].element;
            *element == Element::N || *element == Element::O
        };
        HydrogenBonds::ByGeometry {
            donors,
            acceptors: (0..topology.len()).filter(takes).collect(),
        }
    }

    /// For frames without hydrogens.
    pub fn of_backbone(topology: &Topology) -> Self {
        HydrogenBonds::OfBackbone(SecondaryStructure::new(topology))
    }

    /// In words.
    pub fn definition(&self) -> &'static str {
        match self {
            HydrogenBonds::ByGeometry { .. } => {
                "N–H or O–H, and N or O nearer than 2.5 Å to the hydrogen at an angle of more than \
                 120° (Baker & Hubbard 1984)"
            }
            HydrogenBonds::OfBackbone(_) => {
                "N–H of one residue and C=O of another with an energy below −0.5 kcal/mol (Kabsch \
                 & Sander 1983): the frames hold no hydrogens, so side chains are left out"
            }
        }
    }

    /// The bonds of a frame whose molecules are whole (Å), sorted, each once however many hydrogens
    /// make it. `hydrogens` are set at the image nearest to their donor.
    pub fn find(
        &self,
        positions: &[Vector3<f64>],
        hydrogens: &mut [Vector3<f64>],
        cell: Option<&Cell>,
    ) -> Vec<Bond> {
        let mut bonds = match self {
            HydrogenBonds::OfBackbone(backbone) => backbone.bonded_atoms(positions),
            HydrogenBonds::ByGeometry { donors, acceptors } => {
                if let Some(lattice) = cell.and_then(Lattice::new) {
                    for (hydrogen, &donor) in hydrogens.iter_mut().zip(donors) {
                        let at = positions[donor];
                        *hydrogen = at + lattice.nearest(*hydrogen - at);
                    }
                }
                by_geometry(positions, hydrogens, donors, acceptors)
            }
        };
        bonds.sort_unstable();
        bonds.dedup();
        bonds
    }
}

fn by_geometry(
    positions: &[Vector3<f64>],
    hydrogens: &[Vector3<f64>],
    donors: &[usize],
    acceptors: &[usize],
) -> Vec<Bond> {
    let points: Vec<Vector3<f64>> = acceptors.iter().map(|&atom| positions[atom]).collect();
    let cells = CellList::new(&points, REACH);
    let mut bonds = Vec::new();
    for (hydrogen, &donor) in hydrogens.iter().zip(donors) {
        let back = (positions[donor] - hydrogen).normalize();
        cells.around(hydrogen, |place, _| {
            let acceptor = acceptors[place];
            let on = (points[place] - hydrogen).normalize();
            if acceptor != donor && back.dot(&on) < BEND {
                bonds.push([donor as u32, acceptor as u32]);
            }
        });
    }
    bonds
}

/// Hydrogens of a topology that are bonded to N or O, each with the heavy atom that it is bonded
/// to.
pub fn polar_hydrogens(topology: &Topology) -> Vec<[usize; 2]> {
    let is_hydrogen = |atom: usize| topology.atoms[atom].element == Element::H;
    let gives = |atom: usize| {
        let element = &topology.atoms[atom].element;
        *element == Element::N || *element == Element::O
    };
    let mut found = Vec::new();
    for &[i, j] in &topology.bonds {
        for [hydrogen, donor] in [[i, j], [j, i]] {
            if is_hydrogen(hydrogen) && gives(donor) {
                found.push([hydrogen, donor]);
            }
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bond_is_short_and_straight_in_whatever_image() {
        let donors = vec![0];
        let bonds = HydrogenBonds::ByGeometry {
            donors,
            acceptors: vec![0, 1],
        };
        let at = |degrees: f64, far: f64| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            // the hydrogen stands 1 Å along x; an acceptor straight behind it is at 180°
            Vector3::new(1.0 - far * cos, far * sin, 0.0)
        };
        let find = |acceptor: Vector3<f64>, hydrogen: f64, cell: Option<&Cell>| {
            let positions = [Vector3::zeros(), acceptor];
            let mut hydrogens = [Vector3::new(hydrogen, 0.0, 0.0)];
            bonds.find(&positions, &mut hydrogens, cell)
        };
        assert_eq!(find(at(180.0, 2.49), 1.0, None), [[0, 1]]);
        assert_eq!(find(at(121.0, 2.0), 1.0, None), [[0, 1]]);
        assert!(find(at(119.0, 2.0), 1.0, None).is_empty());
        assert!(find(at(180.0, 2.51), 1.0, None).is_empty());
        let cell = Cell {
            lengths: [30.0; 3],
            angles: [90.0; 3],
        };
        assert_eq!(find(at(180.0, 2.0), 31.0, Some(&cell)), [[0, 1]]);
        assert!(find(at(180.0, 2.0), 31.0, None).is_empty());
    }
}
