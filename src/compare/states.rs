//! States by k-means, and the transitions between them.

use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Centres of k-means clusters, dimensions × states.
#[derive(Debug, Clone, PartialEq)]
pub struct States {
    /// One column a state.
    pub centres: DMatrix<f64>,
}

/// Lloyd's iterations never take more than this.
const ITERATIONS: usize = 200;

impl States {
    /// Clusters points (dimensions × frames) into at most `count` states: k-means++ (Arthur &
    /// Vassilvitskii, SODA 2007) from a seeded generator, then Lloyd's iterations until no point
    /// changes its state. States are ordered by how many points they hold.
    pub fn fit(points: &DMatrix<f64>, count: usize, seed: u64) -> Self {
        let mut states = States {
            centres: first_centres(points, count, seed),
        };
        let mut assigned = states.assign(points);
        for _ in 0..ITERATIONS {
            let mut sums = DMatrix::zeros(points.nrows(), states.centres.ncols());
            let mut sizes = vec![0.0; states.centres.ncols()];
            for (frame, &state) in assigned.iter().enumerate() {
                let mut sum = sums.column_mut(state);
                sum += points.column(frame);
                sizes[state] += 1.0;
            }
            for (state, &size) in sizes.iter().enumerate().filter(|(_, size)| **size > 0.0) {
                states
                    .centres
                    .set_column(state, &(sums.column(state) / size));
            }
            let again = states.assign(points);
            if again == assigned {
                break;
            }
            assigned = again;
        }
        let mut sizes = vec![0usize; states.centres.ncols()];
        assigned.iter().for_each(|&state| sizes[state] += 1);
        let mut order: Vec<usize> = (0..sizes.len()).filter(|&state| sizes[state] > 0).collect();
        order.sort_by_key(|&state| std::cmp::Reverse(sizes[state]));
        States {
            centres: states.centres.select_columns(&order),
        }
    }

    /// Number of states.
    pub fn count(&self) -> usize {
        self.centres.ncols()
    }

    /// The nearest state of every point (dimensions × frames).
    pub fn assign(&self, points: &DMatrix<f64>) -> Vec<usize> {
        let nearest = |frame: usize| {
            let distance = |state: usize| -> f64 {
                points
                    .column(frame)
                    .iter()
                    .zip(self.centres.column(state).iter())
                    .map(|(x, y)| (x - y) * (x - y))
                    .sum()
            };
            (0..self.count())
                .map(|state| (distance(state), state))
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .map_or(0, |(_, state)| state)
        };
        (0..points.ncols()).map(nearest).collect()
    }
}

fn first_centres(points: &DMatrix<f64>, count: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let frames = points.ncols();
    let mut chosen = Vec::new();
    let mut nearest = vec![f64::INFINITY; frames];
    let mut next = if frames == 0 {
        None
    } else {
        Some(rng.random_range(0..frames))
    };
    while let Some(frame) = next.filter(|_| chosen.len() < count) {
        chosen.push(frame);
        for (other, distance) in nearest.iter_mut().enumerate() {
            *distance = distance.min((points.column(other) - points.column(frame)).norm_squared());
        }
        let mut left = rng.random_range(0.0..1.0) * nearest.iter().sum::<f64>();
        next = nearest.iter().position(|&distance| {
            left -= distance;
            distance > 0.0 && left <= 0.0
        });
    }
    points.select_columns(&chosen)
}

/// Counts of transitions over `lag` frames within one segment, from row to column, every start
/// counted (sliding).
pub fn transition_counts(assigned: &[usize], states: usize, lag: usize) -> DMatrix<f64> {
    let mut counts = DMatrix::zeros(states, states);
    assigned
        .iter()
        .zip(assigned.iter().skip(lag))
        .for_each(|(&from, &to)| counts[(from, to)] += 1.0);
    counts
}

/// Counts made probabilities: every row divided by its sum; a state never left stays where it is.
pub fn transition_matrix(counts: &DMatrix<f64>) -> DMatrix<f64> {
    let mut matrix = counts.clone();
    for (state, mut row) in matrix.row_iter_mut().enumerate() {
        match row.sum() {
            0.0 => row[state] = 1.0,
            sum => row /= sum,
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_clouds_are_three_states_in_the_order_of_their_size() {
        let sizes = [30, 50, 20];
        let middles = [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)];
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut points = Vec::new();
        for (size, (x, y)) in sizes.into_iter().zip(middles) {
            (0..size).for_each(|_| {
                points.extend([
                    x + rng.random_range(-1.0..1.0),
                    y + rng.random_range(-1.0..1.0),
                ]);
            });
        }
        let points = DMatrix::from_vec(2, 100, points);
        let states = States::fit(&points, 3, 1);
        let assigned = states.assign(&points);
        assert!(
            assigned[..30].iter().all(|&s| s == 1)
                && assigned[30..80].iter().all(|&s| s == 0)
                && assigned[80..].iter().all(|&s| s == 2)
        );
        let mean = points.columns(30, 50).column_mean();
        assert!((states.centres.column(0) - mean).norm() <= 1e-12);
        assert_eq!(
            States::fit(&DMatrix::from_element(2, 5, 1.0), 3, 1).count(),
            1
        );
        assert_eq!(States::fit(&DMatrix::zeros(2, 0), 3, 1).count(), 0);
    }

    #[test]
    fn transitions_are_counted_from_every_start() {
        let counts = transition_counts(&[0, 0, 1, 1, 0, 2], 3, 2);
        assert_eq!(
            counts,
            DMatrix::from_row_slice(3, 3, &[0.0, 2.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
        );
        assert_eq!(
            transition_matrix(&counts),
            DMatrix::from_row_slice(3, 3, &[0.0, 1.0, 0.0, 0.5, 0.0, 0.5, 0.0, 0.0, 1.0])
        );
        assert_eq!(transition_counts(&[0, 1], 2, 2).sum(), 0.0);
    }
}
