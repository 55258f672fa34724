//! Makes molecules whole that a trajectory broke over the faces of its periodic cell.

use nalgebra::{Matrix3, Vector3};

use crate::structure::{Cell, Topology};

/// How to walk through one topology so that every atom is set next to one that is in place.
#[derive(Debug, Clone)]
pub struct Whole {
    /// Atom and the bonded one before it, in the order of the walk.
    bonded: Vec<(usize, usize)>,
    /// Molecules (or pieces of chains) in order; each is set near the ones before it.
    pieces: Vec<Vec<usize>>,
}

impl Whole {
    /// For one topology, by its bonds.
    pub fn new(topology: &Topology) -> Self {
        let neighbours = topology.neighbours();
        let mut seen = vec![false; topology.len()];
        let (mut bonded, mut pieces) = (Vec::new(), Vec::new());
        for start in 0..topology.len() {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            let mut piece = vec![start];
            let mut next = 0;
            while next < piece.len() {
                let atom = piece[next];
                next += 1;
                for &other in &neighbours[atom] {
                    if !std::mem::replace(&mut seen[other], true) {
                        bonded.push((other, atom));
                        piece.push(other);
                    }
                }
            }
            pieces.push(piece);
        }
        Whole { bonded, pieces }
    }

    /// Sets every atom at the image of itself nearest to the atom that it is bonded to, and every further molecule where its centroid is
    /// nearest to that of the first. Says whether anything moved.
    pub fn make(&self, positions: &mut [Vector3<f64>], cell: &Cell) -> bool {
        let rows = cell.vectors();
        let Some(inverse) = rows.try_inverse() else { return false };
        // Positions are sums of the cell's row vectors.
        let shift = |from: &Vector3<f64>, to: &Vector3<f64>| -> Vector3<f64> {
            let turns = inverse.transpose() * (to - from);
            rows.transpose() * turns.map(f64::round)
        };
        let mut moved = false;
        for &(atom, before) in &self.bonded {
            let by = shift(&positions[before], &positions[atom]);
            if by != Vector3::zeros() {
                positions[atom] -= by;
                moved = true;
            }
        }
        let centre = |positions: &[Vector3<f64>], piece: &[usize]| {
            piece.iter().map(|&atom| positions[atom]).sum::<Vector3<f64>>() / piece.len() as f64
        };
        for piece in self.pieces.iter().skip(1) {
            let by = shift(&centre(positions, &self.pieces[0]), &centre(positions, piece));
            if by != Vector3::zeros() {
                piece.iter().for_each(|&atom| positions[atom] -= by);
                moved = true;
            }
        }
        moved
    }
}

/// Whether a cell is one that molecules can be broken over (files without one may still write three edges).
pub fn is_periodic(cell: &Cell) -> bool {
    let rows: Matrix3<f64> = cell.vectors();
    rows.iter().all(|value| value.is_finite()) && rows.determinant() > 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::{Atom, Chain, Element, Residue};

    #[test]
    fn a_chain_broken_over_a_skewed_cell_is_whole_again() {
        let atom = |index: usize| Atom { name: format!("C{index}"), element: Element::C, residue: 0, serial: index, mass: 12.0 };
        let residue = Residue { name: "LIG".into(), chain: 0, number: 1, insertion: None, atoms: 0..12 };
        let chains = vec![Chain { id: "A".into(), residues: 0..1 }];
        let bonds: Vec<[usize; 2]> = (0..9).filter(|&i| i != 5).map(|i| [i, i + 1]).chain([[10, 11]]).collect();
        let topology = Topology { atoms: (0..12).map(atom).collect(), residues: vec![residue], chains, bonds };
        let cell = Cell { lengths: [12.0, 13.0, 11.0], angles: [70.0, 95.0, 109.4712206] };
        let rows = cell.vectors();
        // Three molecules: a zigzag of six, one of four beside it, one of two.
        let still: Vec<Vector3<f64>> =
            (0..12).map(|i| Vector3::new(1.2 * (i % 6) as f64 - 3.0, 0.5 * (i % 2) as f64, if i < 6 { 0.0 } else { 3.0 })).collect();
        let mut broken = still.clone();
        for (index, position) in broken.iter_mut().enumerate().skip(1) {
            let turns = Vector3::new((index % 3) as f64 - 1.0, (index % 2) as f64, -((index % 5) as f64));
            *position += rows.transpose() * turns;
        }
        assert!(Whole::new(&topology).make(&mut broken, &cell));
        for (a, b) in broken.iter().zip(&still) {
            assert!((a - b).norm() <= 1e-12, "{a} {b}");
        }
        assert!(!Whole::new(&topology).make(&mut broken, &cell));
        assert!(is_periodic(&cell) && !is_periodic(&Cell { lengths: [0.0; 3], angles: [90.0; 3] }));
    }
}
