//! Random-feature regression: a layer of random, rectified features of where all atoms are and how
//! they move, and ridge regression on top (Rahimi & Recht, *Random features for large-scale kernel
//! machines*, NIPS 2007; of rectified ones the kernel is that of Cho & Saul, NIPS 2009). What a
//! network of one hidden layer comes to that has all the time in the world for its last layer, and
//! none for its first.

use std::ops::Range;

use mdsurrogate::train::random::{Purpose, generator};
use nalgebra::{DMatrix, Vector3};
use rand::RngExt;

use super::plain::mean;
use super::task::{Data, Velocity};
use crate::ridge::Sums;

/// Features, beside a constant.
const FEATURES: usize = 1000;
/// Pairs whose inputs are in memory at once.
const TOGETHER: usize = 256;

/// Decays of the regression, a pair, that are chosen among by the validation pairs; features have
/// a norm of about one.
pub const DECAYS: [f64; 7] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0];

/// Features of all pairs of a system, and what a regression on them is made of.
pub struct Features {
    /// Of every set of pairs, a row a pair.
    sets: [(Range<usize>, DMatrix<f64>); 3],
    mean: Vec<Vector3<f64>>,
    sums: Sums,
}

impl Features {
    /// The features of these pairs; the same ones every time.
    pub fn of(data: &Data, velocity: Velocity) -> Features {
        let mean = mean(data);
        let scales = scales(data, &mean, velocity);
        let directions = directions(6 * mean.len());
        let sets = data.pairs.clone().map(|pairs| {
            let mut rows = DMatrix::zeros(pairs.len(), FEATURES + 1);
            for start in (0..pairs.len()).step_by(TOGETHER) {
                let end = pairs.len().min(start + TOGETHER);
                let own = pairs.start + start..pairs.start + end;
                let found = lifted(data, &mean, velocity, scales, own, &directions);
                rows.rows_mut(start, end - start).copy_from(&found);
            }
            (pairs, rows)
        });
        let atoms = mean.len();
        let mut wanted = DMatrix::zeros(sets[0].0.len(), 3 * atoms);
        for (row, first) in sets[0].0.clone().enumerate() {
            let away = data.later(first).iter().zip(&mean);
            for (atom, (y, mean)) in away.enumerate() {
                (0..3).for_each(|k| wanted[(row, 3 * atom + k)] = y[k] - mean[k]);
            }
        }
        Features {
            sums: Sums::of(&sets[0].1, &wanted),
            sets,
            mean,
        }
    }

    /// Where the atoms are later by the regression with this decay, of validation and test pairs by
    /// the number of their first frame; none where it has no solution.
    pub fn answers(&self, decay: f64) -> Option<impl Fn(usize) -> Vec<Vector3<f64>>> {
        let pairs = self.sets[0].0.len() as f64;
        let weights = self.sums.solve(decay * pairs)?;
        let answers = [1, 2].map(|set| &self.sets[set].1 * &weights);
        Some(move |first: usize| {
            let set = if self.sets[1].0.contains(&first) {
                1
            } else {
                2
            };
            let row = first - self.sets[set].0.start;
            let own = &answers[set - 1];
            let atoms = self.mean.iter().enumerate();
            atoms
                .map(|(atom, mean)| mean + Vector3::from_fn(|k, _| own[(row, 3 * atom + k)]))
                .collect()
        })
    }
}

/// Random directions of unit variance, inputs and a constant × features.
fn directions(inputs: usize) -> DMatrix<f64> {
    let mut rng = generator(1, Purpose::Training, 0, 0);
    // sums of hundreds of uniform numbers are normal
    let along = (3.0 / inputs as f64).sqrt();
    DMatrix::from_fn(inputs + 1, FEATURES, |row, _| {
        let size = if row < inputs { along } else { 1.0 };
        rng.random_range(-size..size)
    })
}

/// Root mean square distance from the mean, and velocity, over training pairs, atoms and
/// coordinates.
fn scales(data: &Data, mean: &[Vector3<f64>], velocity: Velocity) -> [f64; 2] {
    let mut squares = [0.0; 2];
    for first in data.pairs[0].clone() {
        let away = data.now(first).iter().zip(mean);
        squares[0] += away.map(|(x, mean)| (x - mean).norm_squared()).sum::<f64>();
        let moved = data.velocity(first, velocity);
        squares[1] += moved.iter().map(Vector3::norm_squared).sum::<f64>();
    }
    let count = (3 * mean.len() * data.pairs[0].len()) as f64;
    squares.map(|square| (square / count).sqrt().max(1e-12))
}

/// Features of these pairs, and a constant one.
fn lifted(
    data: &Data,
    mean: &[Vector3<f64>],
    velocity: Velocity,
    [far, fast]: [f64; 2],
    pairs: Range<usize>,
    directions: &DMatrix<f64>,
) -> DMatrix<f64> {
    let inputs = directions.nrows() - 1;
    let mut rows = DMatrix::from_element(pairs.len(), inputs + 1, 1.0);
    for (row, first) in pairs.clone().enumerate() {
        let away = data.now(first).iter().zip(mean);
        let away = away.map(|(x, mean)| (x - mean) / far);
        let moved = data.velocity(first, velocity).into_iter();
        let all = away.chain(moved.map(|v| v / fast));
        let numbers = all.flat_map(|v| [v.x, v.y, v.z]);
        numbers.enumerate().for_each(|(i, x)| rows[(row, i)] = x);
    }
    let along = rows * directions;
    let share = (1.0 / FEATURES as f64).sqrt();
    DMatrix::from_fn(pairs.len(), FEATURES + 1, |row, feature| {
        if feature == FEATURES {
            1.0
        } else {
            share * along[(row, feature)].max(0.0)
        }
    })
}
