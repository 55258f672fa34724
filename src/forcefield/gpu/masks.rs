//! Which pairs are excluded from Lennard-Jones and Coulomb, as the sweeps read it: a bit a pair,
//! for the tiles alone that hold an excluded one.

use std::collections::BTreeMap;

use super::sources::{ATOMS, SPLIT};
use crate::engine::gpu::LANES;

/// The masks of some molecules, groups one after another.
#[derive(Debug, Default)]
pub(super) struct Masks {
    /// Number of the first mask of each group, and one more.
    pub first: Vec<u32>,
    /// Masks: the tile, then a word a lane, whose bit n is the pair of the lane's atom with atom
    /// `SPLIT`·n + its turn of the tile.
    pub words: Vec<u32>,
}

impl Masks {
    /// Adds a molecule of `atoms` atoms with these excluded pairs; of itself, an atom is one too.
    pub fn add(&mut self, atoms: usize, excluded: &[[usize; 2]]) {
        let groups = atoms.div_ceil(ATOMS);
        let mut tiles: Vec<BTreeMap<usize, [u32; LANES]>> = vec![BTreeMap::new(); groups];
        let own = (0..atoms).map(|atom| [atom, atom]);
        let there = excluded.iter().copied();
        let back = excluded.iter().map(|&[i, j]| [j, i]);
        for [i, j] in own.chain(there).chain(back) {
            let mask = (tiles[i / ATOMS].entry(j / LANES)).or_insert([!0; LANES]);
            let (seat, other) = (i % ATOMS, j % LANES);
            mask[seat * SPLIT + other % SPLIT] &= !(1 << (other / SPLIT));
        }
        if self.first.is_empty() {
            self.first.push(0);
        }
        for tiles in tiles {
            for (tile, mask) in &tiles {
                self.words.push(*tile as u32);
                self.words.extend(mask);
            }
            let count = self.words.len() / (1 + LANES);
            self.first.push(count as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the masks say that `i` feels `j`, read as the shader reads them.
    fn feels(masks: &Masks, i: usize, j: usize) -> bool {
        let group = i / ATOMS;
        let mut mask = masks.first[group] as usize;
        for tile in 0..=j / LANES {
            let words = &masks.words[mask * (1 + LANES)..];
            let is_masked = mask < masks.first[group + 1] as usize && words[0] as usize == tile;
            if tile == j / LANES && is_masked {
                let lane = i % ATOMS * SPLIT + j % LANES % SPLIT;
                return words[1 + lane] >> (j % LANES / SPLIT) & 1 == 1;
            }
            mask += usize::from(is_masked);
        }
        true
    }

    #[test]
    fn every_pair_has_its_bit() {
        let atoms = 150;
        let excluded = [[0, 1], [0, 149], [15, 16], [63, 64], [17, 130], [128, 129]];
        let mut masks = Masks::default();
        masks.add(atoms, &excluded);
        for i in 0..atoms {
            for j in 0..atoms {
                let pair = [i.min(j), i.max(j)];
                let expected = i != j && !excluded.contains(&pair);
                assert_eq!(feels(&masks, i, j), expected, "{i} {j}");
            }
        }
    }
}
