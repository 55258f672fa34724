//! The k nearest neighbours of every token.

use nalgebra::Vector3;
use rayon::prelude::*;

/// Tokens up to which all distances are compared: below, a cell list costs more than it saves.
const DIRECT: usize = 400;

/// The nearest others of every position.
pub(super) struct Nearest {
    /// How many, of every position.
    width: usize,
    /// Ascending for each.
    lists: Vec<u32>,
}

impl Nearest {
    /// Those of a position, ascending.
    pub fn of(&self, position: usize) -> &[u32] {
        &self.lists[position * self.width..(position + 1) * self.width]
    }
}

/// For every position the indices of its `count` nearest others, ascending; all others where there
/// are no more than `count`.
///
/// Ties are broken by index, so that the lists depend on positions only.
pub(super) fn nearest(positions: &[Vector3<f64>], count: usize) -> Nearest {
    let n = positions.len();
    let width = count.min(n.saturating_sub(1));
    let mut lists = vec![0; n * width];
    if width == 0 {
        return Nearest { width, lists };
    }
    if n <= DIRECT {
        let mut found = Vec::with_capacity(n);
        for (i, list) in lists.chunks_exact_mut(width).enumerate() {
            closest(positions, i, 0..n as u32, &mut found, list);
        }
    } else {
        let grid = Grid::new(positions, count);
        lists
            .par_chunks_exact_mut(width)
            .enumerate()
            .for_each_init(Vec::new, |found, (i, list)| grid.closest(i, found, list));
    }
    Nearest { width, lists }
}

/// Fills `list` with the candidates nearest to `i`, ascending by index; false where there are not
/// so many. `found` is scratch.
fn closest(
    positions: &[Vector3<f64>],
    i: usize,
    candidates: impl Iterator<Item = u32>,
    found: &mut Vec<(f64, u32)>,
    list: &mut [u32],
) -> bool {
    let distance = |j: u32| (positions[j as usize] - positions[i]).norm_squared();
    found.clear();
    let others = candidates.filter(|&j| j as usize != i);
    found.extend(others.map(|j| (distance(j), j)));
    if found.len() < list.len() {
        return false;
    }
    if found.len() > list.len() {
        let by_distance = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        found.select_nth_unstable_by(list.len() - 1, by_distance);
        found.truncate(list.len());
    }
    for (to, &(_, j)) in list.iter_mut().zip(found.iter()) {
        *to = j;
    }
    list.sort_unstable();
    true
}

/// Positions sorted into cubic cells.
struct Grid<'a> {
    positions: &'a [Vector3<f64>],
    origin: Vector3<f64>,
    edge: f64,
    cells: [usize; 3],
    start: Vec<u32>,
    members: Vec<u32>,
}

impl<'a> Grid<'a> {
    /// Cells that hold about `count`/8 positions where atoms are dense.
    fn new(positions: &'a [Vector3<f64>], count: usize) -> Self {
        let first = positions[0];
        let (low, high) = positions
            .iter()
            .fold((first, first), |(low, high), p| (low.inf(p), high.sup(p)));
        let extent = high - low;
        // Heavy atoms of a protein: about 0.06 per Å3. Not more cells than positions, however
        // stretched or exploded they are.
        let wanted = (count as f64 / 8.0 / 0.06).cbrt();
        let volume = extent.iter().map(|x| x.max(wanted)).product::<f64>();
        let edge = wanted.max((volume / positions.len() as f64).cbrt());
        let cells = [0, 1, 2].map(|h| (extent[h] / edge) as usize + 1);
        let mut grid = Grid {
            positions,
            origin: low,
            edge,
            cells,
            start: Vec::new(),
            members: vec![0; positions.len()],
        };
        let index: Vec<usize> = positions.iter().map(|p| grid.index(grid.cell(p))).collect();
        let mut start = vec![0u32; cells.iter().product::<usize>() + 1];
        index.iter().for_each(|&cell| start[cell + 1] += 1);
        (1..start.len()).for_each(|cell| start[cell] += start[cell - 1]);
        let mut next = start.clone();
        for (position, &cell) in index.iter().enumerate() {
            grid.members[next[cell] as usize] = position as u32;
            next[cell] += 1;
        }
        grid.start = start;
        grid
    }

    fn cell(&self, position: &Vector3<f64>) -> [usize; 3] {
        [0, 1, 2]
            .map(|h| (((position[h] - self.origin[h]) / self.edge) as usize).min(self.cells[h] - 1))
    }

    fn index(&self, [x, y, z]: [usize; 3]) -> usize {
        (x * self.cells[1] + y) * self.cells[2] + z
    }

    /// Widens a block of cells until everything outside is further than the last candidate inside.
    fn closest(&self, i: usize, found: &mut Vec<(f64, u32)>, list: &mut [u32]) {
        let centre = self.cell(&self.positions[i]);
        for reach in 1.. {
            let is_whole =
                (0..3).all(|h| centre[h] <= reach && centre[h] + reach + 1 >= self.cells[h]);
            let candidates = self.block(centre, reach);
            if closest(self.positions, i, candidates, found, list) {
                let furthest = found.iter().map(|&(square, _)| square).fold(0.0, f64::max);
                if is_whole || furthest <= (reach as f64 * self.edge).powi(2) {
                    return;
                }
            }
        }
    }

    fn block(&self, centre: [usize; 3], reach: usize) -> impl Iterator<Item = u32> + '_ {
        let range = move |h: usize| {
            centre[h].saturating_sub(reach)..(centre[h] + reach + 1).min(self.cells[h])
        };
        range(0)
            .flat_map(move |x| range(1).map(move |y| (x, y)))
            .flat_map(move |(x, y)| {
                // cells along z follow one another: one run of members
                let z = range(2);
                let (first, last) = (self.index([x, y, z.start]), self.index([x, y, z.end - 1]));
                self.members[self.start[first] as usize..self.start[last + 1] as usize]
                    .iter()
                    .copied()
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn the_grid_finds_what_comparing_all_finds() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        for stretch in [1.0, 30.0] {
            let mut point = || {
                Vector3::new(
                    rng.random::<f64>() * 40.0 * stretch,
                    rng.random::<f64>() * 20.0,
                    rng.random::<f64>() * 9.0,
                )
            };
            let positions: Vec<_> = (0..1500).map(|_| point()).collect();
            for count in [1, 20, 48] {
                let grid = nearest(&positions, count);
                let (mut found, mut list) = (Vec::new(), vec![0; count]);
                for i in 0..positions.len() {
                    let all = 0..positions.len() as u32;
                    assert!(closest(&positions, i, all, &mut found, &mut list));
                    assert_eq!(grid.of(i), list);
                }
            }
        }
    }

    #[test]
    fn few_tokens_are_all_neighbours_and_equal_points_do_no_harm() {
        let three = nearest(&[Vector3::zeros(); 3], 8);
        assert_eq!([0, 1, 2].map(|i| three.of(i)), [[1, 2], [0, 2], [0, 1]]);
        assert!(nearest(&[Vector3::zeros(); 3], 0).of(2).is_empty());
        let lists = nearest(&vec![Vector3::zeros(); 500], 4);
        assert_eq!(
            (lists.of(0), lists.of(499)),
            (&[1, 2, 3, 4][..], &[0, 1, 2, 3][..])
        );
    }
}
