//! Atoms that constraints bind to each other, as `shaders/dynamics/step.wgsl` reads them.

use crate::simulate::Constraints;
use crate::simulate::constraints::MOST_BONDS;

/// The clusters of some molecules: a heavy atom with the hydrogens that are held to it, or one
/// atom.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    /// Of each system the first cluster of its molecule and their number.
    pub ranges: Vec<u32>,
    /// Central atom, number of bonds, the other atoms, their squared lengths.
    pub words: Vec<u32>,
}

/// Words of a cluster.
const WORDS: usize = 2 + 2 * MOST_BONDS;

impl Clusters {
    /// Adds `copies` systems of a molecule of `atoms` atoms.
    pub fn add(&mut self, atoms: usize, constraints: &Constraints, copies: usize) {
        let first = self.words.len() / WORDS;
        let mut is_bound = vec![false; atoms];
        let mut count = 0;
        for group in constraints.groups() {
            for atom in group.iter().flat_map(|bond| bond.atoms) {
                is_bound[atom] = true;
            }
            let bonds: Vec<_> = group
                .iter()
                .map(|bond| (bond.atoms[1], bond.square))
                .collect();
            self.push(group[0].atoms[0], &bonds);
            count += 1;
        }
        for atom in (0..atoms).filter(|&atom| !is_bound[atom]) {
            self.push(atom, &[]);
            count += 1;
        }
        for _ in 0..copies {
            self.ranges.extend([first as u32, count]);
        }
    }

    fn push(&mut self, central: usize, bonds: &[(usize, f64)]) {
        let seat = |k: usize| bonds.get(k).map_or(central, |bond| bond.0);
        let square = |k: usize| bonds.get(k).map_or(1.0, |bond| bond.1);
        self.words.extend([central as u32, bonds.len() as u32]);
        self.words.extend((0..MOST_BONDS).map(|k| seat(k) as u32));
        let squares = (0..MOST_BONDS).map(|k| (square(k) as f32).to_bits());
        self.words.extend(squares);
    }
}
