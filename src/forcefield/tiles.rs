//! The one traversal of all pairs: tiles of one atom by [`LANES`] atoms, in fixed tasks whose sums
//! are added in a fixed order.

use std::ops::Range;

use rayon::prelude::*;

use super::lanes::{Atoms, Block, LANES, PairReal, Sums};
use super::near::{Bounds, Near};

/// Which lanes of a row of a tile are what, a bit a lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes {
    /// Pairs: neither the atom itself nor a pair that another row counts.
    pub pair: u8,
    /// Pairs of all terms: not excluded from Lennard-Jones and Coulomb.
    pub full: u8,
}

impl Codes {
    const FULL: Codes = Codes { pair: !0, full: !0 };
}

/// What a sweep does with the pairs of one row and one block.
pub(super) trait TileKernel<T: PairReal>: Sync {
    /// Sums over the tiles of a row.
    type Row;
    /// Empty sums.
    fn start() -> Self::Row;
    /// Adds the pairs of `row` and `block`, and returns the bits of those that it leaves to
    /// [`TileKernel::close`]. `codes` matter where `MASKED`; elsewhere all pairs are of all terms.
    fn tile<const MASKED: bool>(
        &self,
        row: &Atoms<T>,
        block: &Atoms<T>,
        codes: Codes,
        sum: &mut Self::Row,
        out: &mut Sums<T>,
    ) -> u8;
    /// Adds the row's sums to its own lane and to the task's energies.
    fn finish(sum: &Self::Row, lane: usize, out: &mut Sums<T>, energies: &mut [f64; 2]);
    /// Adds the pairs that are too close for the form that [`TileKernel::tile`] computes, as this
    /// sweep or an earlier one found them.
    fn close(&self, _pairs: &[Pair], _blocks: &[Block<T>], _sums: &mut [Sums<T>]) {}
}

/// Two atoms.
pub(super) type Pair = [u32; 2];

/// Tiles of the rows of one block: with every block from itself on, so that every pair occurs once.
#[derive(Debug, Clone, Default)]
struct BlockRows {
    /// Blocks with codes: itself, and those that hold an excluded pair.
    masked: Vec<(u32, [Codes; LANES])>,
    /// Blocks whose pairs are all of all terms; with a cutoff those are [`Near::within`].
    clean: Vec<u32>,
}

impl BlockRows {
    /// Whether all pairs with a block are of all terms.
    fn is_clean(&self, column: u32) -> bool {
        self.masked.iter().all(|&(other, _)| other != column)
    }
}

/// A fixed share of the rows with its own sums, so that the result does not depend on which thread
/// does it when.
#[derive(Debug, Clone)]
struct Task<T> {
    rows: Range<usize>,
    sums: Vec<Sums<T>>,
    energies: [f64; 2],
    /// Pairs that a sweep left to [`TileKernel::close`].
    close: Vec<Pair>,
}

/// All tiles of a molecule and the tasks that sweep over them.
#[derive(Debug, Clone)]
pub(super) struct Tiles<T> {
    atoms: usize,
    rows: Vec<BlockRows>,
    tasks: Vec<Task<T>>,
    near: Option<Near<T>>,
}

/// Tiles that a task has at least, so that starting it costs little beside doing it.
const TILES_PER_TASK: usize = 96;
/// Most tasks: enough to balance any machine's cores, few enough that their sums stay cheap.
const MOST_TASKS: usize = 32;

impl<T: PairReal> Tiles<T> {
    /// Tiles of `atoms` atoms of which the pairs `excluded` (i < j) take part in the Born terms
    /// only; with a cutoff, Å, tiles without a pair within it are left out.
    pub fn new(atoms: usize, excluded: &[[usize; 2]], cutoff: Option<f64>) -> Self {
        let blocks = atoms.div_ceil(LANES);
        let mut rows = vec![BlockRows::default(); blocks];
        for (block, row) in rows.iter_mut().enumerate() {
            row.masked.push((
                block as u32,
                std::array::from_fn(|lane| !0u8 << lane << 1).map(|later| Codes {
                    pair: later,
                    full: later,
                }),
            ));
        }
        for &[i, j] in excluded {
            let (row, column) = (&mut rows[i / LANES], (j / LANES) as u32);
            let tile = row
                .masked
                .iter()
                .position(|&(block, _)| block == column)
                .unwrap_or_else(|| {
                    row.masked.push((column, [Codes::FULL; LANES]));
                    row.masked.len() - 1
                });
            row.masked[tile].1[i % LANES].full &= !(1 << (j % LANES));
        }
        let near = cutoff.map(|cutoff| Near::new(blocks, cutoff));
        if near.is_none() {
            for (block, row) in rows.iter_mut().enumerate() {
                let later = block as u32..blocks as u32;
                row.clean = later.filter(|&other| row.is_clean(other)).collect();
            }
        }
        Tiles {
            atoms,
            rows,
            tasks: Self::share(blocks, near.is_some()),
            near,
        }
    }

    /// Divides the rows into tasks of about as many tiles: those of a triangle, or with a cutoff as
    /// many for every row.
    fn share(blocks: usize, even: bool) -> Vec<Task<T>> {
        let columns = |block: usize| {
            if even {
                blocks.div_ceil(2)
            } else {
                blocks - block
            }
        };
        let tiles: usize = (0..blocks).map(columns).sum();
        let count = (tiles / TILES_PER_TASK).clamp(1, MOST_TASKS);
        let mut tasks = Vec::with_capacity(count);
        let (mut start, mut done) = (0, 0);
        for block in 0..blocks {
            done += columns(block);
            if done * count >= tiles * (tasks.len() + 1) || block + 1 == blocks {
                tasks.push(Task {
                    rows: start..block + 1,
                    sums: vec![Sums::default(); blocks],
                    energies: [0.0; 2],
                    close: Vec::new(),
                });
                start = block + 1;
            }
        }
        tasks
    }

    /// Whether threads share the work: there are several tasks, and several threads.
    pub fn is_shared(&self) -> bool {
        self.tasks.len() > 1 && rayon::current_num_threads() > 1
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.rows.len()
    }

    /// Empties all sums.
    pub fn clear(&mut self) {
        for task in &mut self.tasks {
            task.sums.fill(Sums::default());
            task.energies = [0.0; 2];
            task.close.clear();
        }
    }

    /// Finds the tiles within the cutoff, where there is one, for blocks at new positions.
    pub fn find_near(&mut self, blocks: &[Block<T>]) {
        if let Some(near) = &mut self.near {
            let rows = &self.rows;
            near.find(blocks, self.atoms, |row, column| rows[row].is_clean(column));
        }
    }

    /// Runs `kernel` over all pairs, adding to the sums.
    pub fn sweep<K: TileKernel<T>>(&mut self, kernel: &K, blocks: &[Block<T>]) {
        let is_shared = self.is_shared();
        let (atoms, rows, near) = (self.atoms, &self.rows, self.near.as_ref());
        let run = |task: &mut Task<T>| {
            for block in task.rows.clone() {
                for lane in 0..LANES.min(atoms - block * LANES) {
                    sweep_row(kernel, blocks, &rows[block], near, (block, lane), task);
                }
            }
            kernel.close(&task.close, blocks, &mut task.sums);
        };
        // the thread pool is not asked for what one thread does: on a small molecule, that would
        // cost more than the work
        if is_shared {
            self.tasks.par_iter_mut().for_each(run);
        } else {
            self.tasks.iter_mut().for_each(run);
        }
    }

    /// Moves the scalar sum of every atom into `out`, leaving zero.
    pub fn take_scalars(&mut self, out: &mut [f64]) {
        out.fill(0.0);
        for task in &mut self.tasks {
            for (chunk, sums) in out.chunks_mut(LANES).zip(&mut task.sums) {
                for (value, scalar) in chunk.iter_mut().zip(&mut sums.scalar) {
                    *value += scalar.wide();
                    *scalar = T::zero();
                }
            }
        }
    }

    /// Adds the force sums of every atom to `out`, and returns the energies.
    pub fn add_forces(&self, out: &mut [nalgebra::Vector3<f64>]) -> [f64; 2] {
        debug_assert_eq!(out.len(), self.atoms);
        let mut energies = [0.0; 2];
        for task in &self.tasks {
            energies[0] += task.energies[0];
            energies[1] += task.energies[1];
            for (chunk, sums) in out.chunks_mut(LANES).zip(&task.sums) {
                for (lane, force) in chunk.iter_mut().enumerate() {
                    for axis in 0..3 {
                        force[axis] += sums.force[axis][lane].wide();
                    }
                }
            }
        }
        energies
    }
}

/// One row of a sweep.
#[inline(always)]
fn sweep_row<T: PairReal, K: TileKernel<T>>(
    kernel: &K,
    blocks: &[Block<T>],
    tiles: &BlockRows,
    near: Option<&Near<T>>,
    (block, lane): (usize, usize),
    task: &mut Task<T>,
) {
    let row = blocks[block].row(lane);
    let mut sum = K::start();
    let mut keep = |close: u8, column: usize| {
        let mut close = close;
        while close != 0 {
            task.close.push([
                (block * LANES + lane) as u32,
                (column * LANES) as u32 + close.trailing_zeros(),
            ]);
            close &= close - 1;
        }
    };
    for (column, codes) in &tiles.masked {
        let column = *column as usize;
        let close = kernel.tile::<true>(
            &row,
            &blocks[column].atoms(),
            codes[lane],
            &mut sum,
            &mut task.sums[column],
        );
        keep(close, column);
    }
    let point = Bounds::point(&blocks[block], lane);
    for &column in near.map_or(&tiles.clean, |near| &near.within[block]) {
        let column = column as usize;
        if near.is_none_or(|near| near.reaches(&point, column)) {
            let close = kernel.tile::<false>(
                &row,
                &blocks[column].atoms(),
                Codes::FULL,
                &mut sum,
                &mut task.sums[column],
            );
            keep(close, column);
        }
    }
    K::finish(&sum, lane, &mut task.sums[block], &mut task.energies);
}
