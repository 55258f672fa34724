//! Contacts between residues.

use nalgebra::Vector3;

use crate::geometry::neighbours::CellList;
use crate::geometry::superpose::pick;
use crate::structure::{Topology, centroid};

/// Distance, Å, below which the closest heavy atoms of two residues are in contact.
pub const HEAVY_CONTACT: f64 = 4.5;
/// Distance, Å, below which two Cα are in contact (AlphaFlow: Jing et al., ICML 2024).
pub const ALPHA_CONTACT: f64 = 8.0;
/// Residues of a chain closer than this along the sequence are always near each other: they are not
/// counted.
pub const APART: usize = 3;

/// More than what rounding takes from the radius of a sphere, Å.
const ROUNDING: f64 = 1e-6;

/// Finds contacts in frames of one topology.
#[derive(Debug, Clone)]
pub struct Contacts {
    heavy: Vec<usize>,
    alphas: Vec<usize>,
    /// Residue of every atom, and chain of every residue.
    residues: Vec<usize>,
    chains: Vec<usize>,
}

impl Contacts {
    /// For one topology; hydrogens are not looked at.
    pub fn new(topology: &Topology) -> Self {
        Contacts {
            heavy: topology.heavy_atoms(),
            alphas: (0..topology.residues.len())
                .filter_map(|residue| topology.atom_named(residue, "CA"))
                .collect(),
            residues: topology.atoms.iter().map(|atom| atom.residue).collect(),
            chains: topology
                .residues
                .iter()
                .map(|residue| residue.chain)
                .collect(),
        }
    }

    /// Residue pairs (i < j), sorted, whose closest heavy atoms are nearer than [`HEAVY_CONTACT`].
    pub fn heavy(&self, positions: &[Vector3<f64>]) -> Vec<(u32, u32)> {
        self.within(positions, &self.heavy, HEAVY_CONTACT)
    }

    /// Residue pairs (i < j), sorted, whose Cα are nearer than [`ALPHA_CONTACT`].
    pub fn alpha(&self, positions: &[Vector3<f64>]) -> Vec<(u32, u32)> {
        self.within(positions, &self.alphas, ALPHA_CONTACT)
    }

    /// Residues are set apart by the spheres around them first; atoms are looked at only where
    /// these are near, up to the first pair.
    fn within(&self, positions: &[Vector3<f64>], atoms: &[usize], limit: f64) -> Vec<(u32, u32)> {
        let points = pick(positions, atoms);
        let mut groups: Vec<(usize, &[Vector3<f64>])> = Vec::new();
        let mut start = 0;
        for group in atoms.chunk_by(|&a, &b| self.residues[a] == self.residues[b]) {
            groups.push((self.residues[group[0]], &points[start..start + group.len()]));
            start += group.len();
        }
        let centres: Vec<Vector3<f64>> =
            groups.iter().map(|(_, points)| centroid(points)).collect();
        let farthest = |(centre, (_, points)): (&Vector3<f64>, &(usize, &[Vector3<f64>]))| {
            points
                .iter()
                .map(|x| (x - centre).norm_squared())
                .fold(0.0, f64::max)
                .sqrt()
                + ROUNDING
        };
        let radii: Vec<f64> = centres.iter().zip(&groups).map(farthest).collect();
        let reach = limit + 2.0 * radii.iter().copied().fold(0.0, f64::max);
        let mut pairs = Vec::new();
        CellList::new(&centres, reach).pairs(|a, b, square| {
            let ((i, left), (j, right)) = (groups[a], groups[b]);
            let counts = self.chains[i] != self.chains[j] || i.abs_diff(j) >= APART;
            let apart = limit + radii[a] + radii[b];
            let touch = || {
                left.iter()
                    .any(|x| right.iter().any(|y| (x - y).norm_squared() < limit * limit))
            };
            if counts && square < apart * apart && touch() {
                pairs.push((i.min(j) as u32, i.max(j) as u32));
            }
        });
        pairs.sort_unstable();
        pairs
    }
}

/// Jaccard index of two sorted sets: common elements over all; 1 for two empty sets.
pub fn jaccard<T: Ord>(left: &[T], right: &[T]) -> f64 {
    let common = left
        .iter()
        .filter(|item| right.binary_search(item).is_ok())
        .count();
    match left.len() + right.len() - common {
        0 => 1.0,
        all => common as f64 / all as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jaccard_of_small_sets() {
        assert_eq!(jaccard::<u8>(&[], &[]), 1.0);
        assert_eq!(jaccard(&[1, 2, 3], &[2, 3, 4]), 0.5);
        assert_eq!(jaccard(&[1], &[2]), 0.0);
    }
}
