//! Periodic cells: nearest images, and molecules that a program broke over the border made whole again.

use nalgebra::{Matrix3, Vector3};

use super::{Cell, Frame, Topology};

/// The translations of a periodic cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Lattice {
    /// Columns a, b, c, Å.
    vectors: Matrix3<f64>,
    inverse: Matrix3<f64>,
}

impl Lattice {
    /// The lattice of a cell; `None` where it has no volume.
    pub fn new(cell: &Cell) -> Option<Self> {
        let vectors = cell.vectors().transpose();
        let inverse = vectors.try_inverse().filter(|inverse| inverse.iter().all(|value| value.is_finite()))?;
        Some(Lattice { vectors, inverse })
    }

    /// The displacement (Å) less the lattice vector nearest to it in fractional coordinates: the shortest image, if that is shorter
    /// than half of the cell's least height, as bonds are.
    pub fn nearest(&self, displacement: Vector3<f64>) -> Vector3<f64> {
        let cells = (self.inverse * displacement).map(f64::round);
        // an atom that is where it belongs keeps its position to the last bit
        if cells == Vector3::zeros() { displacement } else { displacement - self.vectors * cells }
    }
}

/// An order in which bonds reach every atom of every molecule from its first one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Molecules {
    /// Atom reached before, atom reached through a bond with it.
    path: Vec<[usize; 2]>,
}

impl Molecules {
    /// Walks through the bonds of a topology, breadth first.
    pub fn new(topology: &Topology) -> Self {
        let neighbours = topology.neighbours();
        let mut seen = vec![false; topology.len()];
        let mut path: Vec<[usize; 2]> = Vec::with_capacity(topology.len());
        for first in 0..topology.len() {
            let mut next = path.len();
            let mut from = (!seen[first]).then_some(first);
            seen[first] = true;
            while let Some(atom) = from {
                for &other in neighbours[atom].iter().filter(|&&other| !std::mem::replace(&mut seen[other], true)) {
                    path.push([atom, other]);
                }
                from = path.get(next).map(|[_, other]| *other);
                next += 1;
            }
        }
        Molecules { path }
    }

    /// Moves atoms by lattice vectors until each lies beside the one it is bonded to; gives back how many were moved. A frame
    /// without cell is left as it is. The first atom of each molecule stays: molecules are not brought together.
    pub fn make_whole(&self, frame: &mut Frame) -> usize {
        let Some(lattice) = frame.cell.as_ref().and_then(Lattice::new) else { return 0 };
        let mut moved = 0;
        for &[from, to] in &self.path {
            let apart = frame.positions[to] - frame.positions[from];
            let nearest = lattice.nearest(apart);
            if nearest != apart {
                frame.positions[to] = frame.positions[from] + nearest;
                moved += 1;
            }
        }
        moved
    }
}
