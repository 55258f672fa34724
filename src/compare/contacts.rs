//! Contacts between residues.

use nalgebra::Vector3;

use super::neighbours::CellList;
use super::superpose::pick;
use crate::structure::Topology;

/// Distance, Å, below which the closest heavy atoms of two residues are in contact.
pub const HEAVY_CONTACT: f64 = 4.5;
/// Distance, Å, below which two Cα are in contact (AlphaFlow: Jing et al., ICML 2024).
pub const ALPHA_CONTACT: f64 = 8.0;
/// Residues of a chain closer than this along the sequence are always near each other: they are not counted.
pub const APART: usize = 3;

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
            alphas: (0..topology.residues.len()).filter_map(|residue| topology.atom_named(residue, "CA")).collect(),
            residues: topology.atoms.iter().map(|atom| atom.residue).collect(),
            chains: topology.residues.iter().map(|residue| residue.chain).collect(),
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

    fn within(&self, positions: &[Vector3<f64>], atoms: &[usize], limit: f64) -> Vec<(u32, u32)> {
        let points = pick(positions, atoms);
        let mut pairs = Vec::new();
        CellList::new(&points, limit).pairs(|i, j, _| {
            let (i, j) = (self.residues[atoms[i]], self.residues[atoms[j]]);
            if self.chains[i] != self.chains[j] || i.abs_diff(j) >= APART {
                pairs.push((i.min(j) as u32, i.max(j) as u32));
            }
        });
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

/// Jaccard index of two sorted sets: common elements over all; 1 for two empty sets.
pub fn jaccard<T: Ord>(left: &[T], right: &[T]) -> f64 {
    let common = left.iter().filter(|item| right.binary_search(item).is_ok()).count();
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
