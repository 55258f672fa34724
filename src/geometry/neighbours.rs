//! Pairs of positions closer than a limit, by a cell list: linear in the number of positions.

use nalgebra::Vector3;

/// Positions sorted into cubes at least `limit` wide, so that only neighbouring cubes can hold a
/// pair.
pub struct CellList<'a> {
    positions: &'a [Vector3<f64>],
    limit: f64,
    low: Vector3<f64>,
    width: f64,
    shape: [usize; 3],
    /// Where each cube's positions start in `order`; one more entry at the end.
    starts: Vec<usize>,
    order: Vec<usize>,
}

impl<'a> CellList<'a> {
    /// Sorts positions (finite, Å) for pairs closer than `limit` (Å, positive). Positions that are
    /// not finite have no pairs.
    pub fn new(positions: &'a [Vector3<f64>], limit: f64) -> Self {
        let finite = |x: &Vector3<f64>| x.iter().all(|value| value.is_finite());
        let some = positions
            .iter()
            .find(|x| finite(x))
            .copied()
            .unwrap_or_default();
        let (low, high) = positions
            .iter()
            .filter(|x| finite(x))
            .fold((some, some), |(low, high), x| (low.inf(x), high.sup(x)));
        // Exploded frames must not ask for more cubes than there are positions.
        let extent = high - low;
        let most = (8 * positions.len() + 64) as f64;
        let mut width = limit;
        while extent
            .iter()
            .map(|edge| (edge / width).floor() + 1.0)
            .product::<f64>()
            > most
        {
            width *= 1.5;
        }
        let shape = [0, 1, 2].map(|axis| (extent[axis] / width) as usize + 1);
        let mut list = CellList {
            positions,
            limit,
            low,
            width,
            shape,
            starts: vec![0; shape.iter().product::<usize>() + 1],
            order: Vec::new(),
        };
        let cubes: Vec<Option<usize>> = positions
            .iter()
            .map(|x| finite(x).then(|| list.cube(list.place(x))))
            .collect();
        cubes
            .iter()
            .flatten()
            .for_each(|&cube| list.starts[cube + 1] += 1);
        (1..list.starts.len()).for_each(|cube| list.starts[cube] += list.starts[cube - 1]);
        let mut next = list.starts.clone();
        list.order = vec![0; *list.starts.last().unwrap_or(&0)];
        for (index, cube) in cubes.iter().enumerate() {
            if let Some(cube) = *cube {
                list.order[next[cube]] = index;
                next[cube] += 1;
            }
        }
        list
    }

    fn place(&self, x: &Vector3<f64>) -> [usize; 3] {
        [0, 1, 2].map(|axis| {
            (((x[axis] - self.low[axis]) / self.width).max(0.0) as usize).min(self.shape[axis] - 1)
        })
    }

    fn cube(&self, [x, y, z]: [usize; 3]) -> usize {
        (x * self.shape[1] + y) * self.shape[2] + z
    }

    /// Calls `visit(other, square distance)` for every position closer than the limit to `centre`,
    /// in a fixed order; a position that is the centre itself is among them.
    pub fn around(&self, centre: &Vector3<f64>, mut visit: impl FnMut(usize, f64)) {
        if !centre.iter().all(|value| value.is_finite()) {
            return;
        }
        let reach = |axis: usize| {
            let place = (centre[axis] - self.low[axis]) / self.width;
            let bound = |place: f64| (place.floor().max(0.0) as usize).min(self.shape[axis] - 1);
            bound(place - 1.0)..bound(place + 1.0) + 1
        };
        let (xs, ys, zs) = (reach(0), reach(1), reach(2));
        for x in xs {
            for y in ys.clone() {
                let row = self.starts[self.cube([x, y, zs.start])]
                    ..self.starts[self.cube([x, y, zs.end - 1]) + 1];
                for &other in &self.order[row] {
                    let square = (self.positions[other] - centre).norm_squared();
                    if square < self.limit * self.limit {
                        visit(other, square);
                    }
                }
            }
        }
    }

    /// Calls `visit(i, j, square distance)` with i < j once for every pair closer than the limit.
    pub fn pairs(&self, mut visit: impl FnMut(usize, usize, f64)) {
        for (index, centre) in self.positions.iter().enumerate() {
            self.around(centre, |other, square| {
                if other > index {
                    visit(index, other, square);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn finds_the_pairs_that_the_double_loop_finds() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (count, size, limit) in [
            (0, 1.0, 1.0),
            (1, 1.0, 1.0),
            (300, 10.0, 1.5),
            (300, 3.0, 4.5),
            (200, 1e6, 3e5),
            (50, 1e9, 1.0),
        ] {
            let mut positions: Vec<Vector3<f64>> = (0..count)
                .map(|_| Vector3::from_fn(|_, _| rng.random_range(-size..size)))
                .collect();
            if let Some(first) = positions.first_mut().filter(|_| count == 300) {
                first.x = f64::NAN;
            }
            let mut found = Vec::new();
            CellList::new(&positions, limit).pairs(|i, j, square| found.push((i, j, square)));
            found.sort_by_key(|&(i, j, _)| (i, j));
            let mut expected = Vec::new();
            for i in 0..positions.len() {
                for j in i + 1..positions.len() {
                    let square = (positions[j] - positions[i]).norm_squared();
                    if square < limit * limit {
                        expected.push((i, j, square));
                    }
                }
            }
            assert_eq!(found, expected, "{count} positions in {size}");
        }
    }

    #[test]
    fn points_outside_the_box_find_their_neighbours() {
        let positions = [Vector3::new(0.0, 0.0, 0.0), Vector3::new(5.0, 0.0, 0.0)];
        let list = CellList::new(&positions, 1.0);
        let near = |x: f64| {
            let mut found = Vec::new();
            list.around(&Vector3::new(x, 0.0, 0.0), |other, _| found.push(other));
            found
        };
        assert_eq!(
            (near(-0.5), near(5.9), near(2.5), near(100.0)),
            (vec![0], vec![1], vec![], vec![])
        );
    }
}
