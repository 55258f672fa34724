//! Wasserstein-2 distance between sets of points: what it costs to carry one onto the other.

/// Wasserstein-2 distance of two sets of points in the plane of the same size, each point of weight
/// 1/n: the square root of the mean squared distance under the best one-to-one assignment. NaN for
/// none.
///
/// # Panics
/// Where the sizes differ.
pub fn wasserstein2(left: &[[f64; 2]], right: &[[f64; 2]]) -> f64 {
    assert_eq!(
        left.len(),
        right.len(),
        "transport between sets of different size"
    );
    let square = |a: &[f64; 2], b: &[f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    let cost: Vec<Vec<f64>> = left
        .iter()
        .map(|a| right.iter().map(|b| square(a, b)).collect())
        .collect();
    let total: f64 = assignment(&cost)
        .iter()
        .enumerate()
        .map(|(row, &column)| cost[row][column])
        .sum();
    (total / left.len() as f64).sqrt()
}

/// Wasserstein-2 distance of two samples of numbers, each sorted (any sizes): their quantile
/// functions compared. NaN where one is empty.
pub fn wasserstein2_line(left: &[f64], right: &[f64]) -> f64 {
    let (n, m) = (left.len(), right.len());
    if n == 0 || m == 0 {
        return f64::NAN;
    }
    // Both quantile functions are steps, at multiples of 1/n and 1/m: in units of 1/(nm) all ends
    // are whole numbers.
    let (mut i, mut j, mut place, mut total) = (0, 0, 0u128, 0.0);
    while i < n && j < m {
        let end = ((i as u128 + 1) * m as u128).min((j as u128 + 1) * n as u128);
        total += (end - place) as f64 * (left[i] - right[j]).powi(2);
        place = end;
        i += usize::from(end == (i as u128 + 1) * m as u128);
        j += usize::from(end == (j as u128 + 1) * n as u128);
    }
    (total / (n as f64 * m as f64)).sqrt()
}

/// The assignment of rows to columns of least total cost (square matrix), by shortest augmenting
/// paths with potentials (Jonker & Volgenant, Computing 38 (1987) 325): the column of every row.
fn assignment(cost: &[Vec<f64>]) -> Vec<usize> {
    const FREE: usize = usize::MAX;
    let size = cost.len();
    let (mut row_price, mut column_price) = (vec![0.0; size], vec![0.0; size]);
    let (mut row_of, mut column_of) = (vec![FREE; size], vec![FREE; size]);
    for start in 0..size {
        // Shortest paths from the free row `start` to every column, until a free column is reached
        // (Dijkstra on reduced costs).
        let (mut distance, mut before, mut done) = (
            vec![f64::INFINITY; size],
            vec![FREE; size],
            vec![false; size],
        );
        let mut row = start;
        let mut reached = FREE;
        let mut length = 0.0;
        while reached == FREE {
            let mut nearest = FREE;
            let mut least = f64::INFINITY;
            for column in (0..size).filter(|&column| !done[column]) {
                let through = length + cost[row][column] - row_price[row] - column_price[column];
                if through < distance[column] {
                    (distance[column], before[column]) = (through, row);
                }
                if distance[column] < least || nearest == FREE {
                    (nearest, least) = (column, distance[column]);
                }
            }
            length = least;
            done[nearest] = true;
            match row_of[nearest] {
                FREE => reached = nearest,
                other => row = other,
            }
        }
        row_price[start] += length;
        for column in (0..size).filter(|&column| done[column] && column != reached) {
            row_price[row_of[column]] += length - distance[column];
            column_price[column] -= length - distance[column];
        }
        // Turn the assignments along the path to the free column.
        let mut column = reached;
        while column != FREE {
            let row = before[column];
            row_of[column] = row;
            column = std::mem::replace(&mut column_of[row], column);
        }
    }
    column_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_shifted_copy_costs_its_shift_in_any_order() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let points: Vec<[f64; 2]> = (0..60)
            .map(|_| [rng.random_range(-5.0..5.0), rng.random_range(-5.0..5.0)])
            .collect();
        let moved: Vec<[f64; 2]> = points
            .iter()
            .rev()
            .map(|[x, y]| [x + 30.0, y - 40.0])
            .collect();
        assert!((wasserstein2(&points, &moved) - 50.0).abs() <= 1e-10);
        assert_eq!(wasserstein2(&points, &points), 0.0);
    }

    #[test]
    fn the_assignment_is_the_best_of_all_permutations() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for size in 1..=6 {
            for _ in 0..30 {
                let cost: Vec<Vec<f64>> = (0..size)
                    .map(|_| (0..size).map(|_| rng.random_range(0.0..1.0)).collect())
                    .collect();
                let found = assignment(&cost);
                let total: f64 = found
                    .iter()
                    .enumerate()
                    .map(|(row, &column)| cost[row][column])
                    .sum();
                let mut best = f64::INFINITY;
                permute(&mut (0..size).collect::<Vec<_>>(), 0, &mut |columns| {
                    best = best.min(
                        columns
                            .iter()
                            .enumerate()
                            .map(|(row, &column)| cost[row][column])
                            .sum(),
                    );
                });
                assert!((total - best).abs() <= 1e-12, "{total} {best}");
            }
        }
    }

    fn permute(items: &mut Vec<usize>, from: usize, visit: &mut impl FnMut(&[usize])) {
        if from == items.len() {
            visit(items);
        }
        for other in from..items.len() {
            items.swap(from, other);
            permute(items, from + 1, visit);
            items.swap(from, other);
        }
    }

    #[test]
    fn on_a_line_sorting_is_best() {
        assert!((wasserstein2_line(&[1.0, 3.0], &[2.0, 5.0]) - 2.5f64.sqrt()).abs() <= 1e-15);
        // 0 against halves at 1 and 3; unequal sizes: quantiles of thirds against halves
        assert!((wasserstein2_line(&[0.0], &[1.0, 3.0]) - 5f64.sqrt()).abs() <= 1e-15);
        assert!((wasserstein2_line(&[0.0, 0.0, 6.0], &[0.0, 6.0]) - 6f64.sqrt()).abs() <= 1e-14);
    }
}
