//! The k nearest neighbours of every token.

use nalgebra::Vector3;
use rayon::prelude::*;

/// Tokens up to which all distances are compared: below, a cell list costs more than it saves.
const DIRECT: usize = 400;

/// For every position the indices of its `count` nearest others, ascending; all others where there
/// are no more than `count`.
///
/// Ties are broken by index, so that the lists depend on positions only.
pub(super) fn nearest(positions: &[Vector3<f64>], count: usize) -> Vec<Vec<usize>> {
    let n = positions.len();
    if count == 0 {
        return vec![Vec::new(); n];
    }
    if n <= count + 1 {
        return (0..n)
            .map(|i| (0..n).filter(|&j| j != i).collect())
            .collect();
    }
    if n <= DIRECT {
        return (0..n).map(|i| closest(positions, i, 0..n, count)).collect();
    }
    let grid = Grid::new(positions, count);
    (0..n)
        .into_par_iter()
        .map(|i| grid.closest(i, count))
        .collect()
}

/// The `count` candidates nearest to `i`, ascending by index.
fn closest(
    positions: &[Vector3<f64>],
    i: usize,
    candidates: impl Iterator<Item = usize>,
    count: usize,
) -> Vec<usize> {
    let distance = |j: usize| (positions[j] - positions[i]).norm_squared();
    let mut found: Vec<(f64, usize)> = candidates
        .filter(|&j| j != i)
        .map(|j| (distance(j), j))
        .collect();
    if found.len() > count {
        found.select_nth_unstable_by(count - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.truncate(count);
    }
    let mut list: Vec<usize> = found.into_iter().map(|(_, j)| j).collect();
    list.sort_unstable();
    list
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

    /// Widens a block of cells until everything outside is further than the `count`-th candidate
    /// inside.
    fn closest(&self, i: usize, count: usize) -> Vec<usize> {
        let centre = self.cell(&self.positions[i]);
        for reach in 1.. {
            let candidates: Vec<usize> = self.block(centre, reach).collect();
            let whole =
                (0..3).all(|h| centre[h] <= reach && centre[h] + reach + 1 >= self.cells[h]);
            if candidates.len() > count || whole {
                let list = closest(self.positions, i, candidates.into_iter(), count);
                let furthest = list
                    .iter()
                    .map(|&j| (self.positions[j] - self.positions[i]).norm_squared())
                    .fold(0.0, f64::max);
                if whole || furthest <= (reach as f64 * self.edge).powi(2) {
                    return list;
                }
            }
        }
        unreachable!("the block covers the grid at last")
    }

    fn block(&self, centre: [usize; 3], reach: usize) -> impl Iterator<Item = usize> + '_ {
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
                    .map(|&member| member as usize)
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
                for (i, list) in grid.iter().enumerate() {
                    assert_eq!(*list, closest(&positions, i, 0..positions.len(), count));
                }
            }
        }
    }

    #[test]
    fn few_tokens_are_all_neighbours_and_equal_points_do_no_harm() {
        assert_eq!(nearest(&[Vector3::zeros(); 3], 8), [[1, 2], [0, 2], [0, 1]]);
        assert_eq!(nearest(&[Vector3::zeros(); 3], 0), [[0; 0]; 3]);
        let lists = nearest(&vec![Vector3::zeros(); 500], 4);
        assert!(lists.iter().all(|list| list.len() == 4));
    }
}
