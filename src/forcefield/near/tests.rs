use nalgebra::Vector3;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::testing::chain;
use super::super::{ForceField, Precision};
use super::*;

const CUTOFF: f64 = 9.0;

/// Blocks of atoms at positions.
fn blocks_at(positions: &[Vector3<f64>]) -> Vec<Block<f64>> {
    let count = positions.len().div_ceil(LANES);
    let mut blocks: Vec<Block<f64>> = (0..count).map(Block::nowhere).collect();
    for (atom, position) in positions.iter().enumerate() {
        let (block, lane) = (&mut blocks[atom / LANES], atom % LANES);
        block.x[lane] = position.x;
        block.y[lane] = position.y;
        block.z[lane] = position.z;
    }
    blocks
}

/// Every pair within the cutoff by looking at all of them, as (block, later block).
fn brute_force(positions: &[Vector3<f64>]) -> Vec<(usize, u32)> {
    let mut pairs = Vec::new();
    for (i, a) in positions.iter().enumerate() {
        for (j, b) in positions.iter().enumerate().skip(i) {
            if (a - b).norm() < CUTOFF {
                pairs.push((i / LANES, (j / LANES) as u32));
            }
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Moves every atom at random, by at most `way` Å along each axis.
fn wander(positions: &mut [Vector3<f64>], way: f64, random: &mut ChaCha8Rng) {
    for position in positions {
        *position += Vector3::from_fn(|_, _| random.random_range(-way..way));
    }
}

#[test]
fn no_pair_within_the_cutoff_is_missed_while_atoms_move() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for atoms in [5, 203, 600] {
        let (_, mut positions) = chain(atoms, 21);
        let mut near = Near::new(atoms.div_ceil(LANES), CUTOFF);
        let steps = 60;
        for _ in 0..steps {
            near.find(&blocks_at(&positions), atoms, |_, _| true);
            for (row, column) in brute_force(&positions) {
                assert!(near.within[row].contains(&column), "{row} {column}");
            }
            for (row, columns) in near.within.iter().enumerate() {
                assert!(
                    columns.is_sorted() && columns.iter().all(|&column| column as usize >= row)
                );
            }
            wander(&mut positions, 0.05, &mut random);
        }
        // it was kept for a while, and made anew where so many atoms go far enough
        let least = if atoms > 8 { 2 } else { 1 };
        assert!((least..steps / 2).contains(&near.made), "{}", near.made);
        if atoms == 600 {
            let listed: usize = near.within.iter().map(Vec::len).sum();
            let all = near.within.len() * (near.within.len() + 1) / 2;
            assert!(2 * listed < all, "{listed} of {all}: nothing is left out");
        }
    }
}

#[test]
fn atoms_far_apart_in_one_block_and_torn_molecules_are_found() {
    // the last atom of every block is elsewhere, next to another block's
    let (_, mut positions) = chain(160, 22);
    for block in 0..20 {
        positions[8 * block + 7] += Vector3::new(400.0, 3.0 * block as f64, 0.0);
    }
    let mut near = Near::new(20, CUTOFF);
    near.find(&blocks_at(&positions), 160, |_, _| true);
    for (row, column) in brute_force(&positions) {
        assert!(near.within[row].contains(&column), "{row} {column}");
    }
    // an atom that was thrown out of all space takes no time and no memory
    positions[3] = Vector3::repeat(1e30);
    positions[50] = Vector3::repeat(f64::NAN);
    near.find(&blocks_at(&positions), 160, |_, _| true);
    assert_eq!(near.made, 2);
}

#[test]
fn blocks_that_are_not_apart_are_left_to_others() {
    let (_, positions) = chain(80, 23);
    let mut near = Near::new(10, 50.0);
    near.find(&blocks_at(&positions), 80, |row, column| {
        column as usize > row + 1
    });
    assert!(
        near.within
            .iter()
            .enumerate()
            .all(|(row, columns)| { columns.iter().all(|&column| column as usize > row + 1) })
    );
    assert!(near.within[0].contains(&2));
}

#[test]
fn a_list_that_was_made_earlier_changes_no_bit() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let (system, mut positions) = chain(400, 24);
    for precision in [Precision::F32, Precision::F64] {
        let mut kept = ForceField::with_cutoff(system.clone(), precision, Some(CUTOFF));
        for _ in 0..25 {
            let mut anew = ForceField::with_cutoff(system.clone(), precision, Some(CUTOFF));
            let mut forces = [vec![Vector3::zeros(); 400], vec![Vector3::zeros(); 400]];
            let old = kept.energy_forces(&positions, &mut forces[0]);
            let new = anew.energy_forces(&positions, &mut forces[1]);
            assert_eq!(old, new);
            assert_eq!(forces[0], forces[1]);
            wander(&mut positions, 0.05, &mut random);
        }
    }
}
