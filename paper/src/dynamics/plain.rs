//! What is known of a next frame without a network.

use mdsurrogate::{Error, Result};
use nalgebra::{DMatrix, Vector3};
use serde::{Deserialize, Serialize};

use super::features::{self, Features};
use super::task::{Data, Velocity};
use crate::ridge::{Sums, answer};

/// A method without a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// x
    Copy,
    /// x + t v, with the t of the least error in training
    Linear,
    /// The mean of the frames that are predicted in training
    Mean,
    /// Of every atom, ridge regression on x and v
    Ridge,
    /// Ridge regression on random features of x and v of all atoms
    Features,
}

/// Decays of the regression, Å² a pair, that are chosen among by the validation pairs.
const DECAYS: [f64; 5] = [1e-3, 1e-2, 0.1, 1.0, 10.0];

impl Method {
    /// All of them.
    pub const ALL: [Method; 5] = [
        Method::Copy,
        Method::Linear,
        Method::Mean,
        Method::Ridge,
        Method::Features,
    ];

    /// Its name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Method::Copy => "copy",
            Method::Linear => "fitted linear",
            Method::Mean => "aligned mean",
            Method::Ridge => "ridge, atom by atom",
            Method::Features => "random features",
        }
    }

    /// Mean squared error on the test pairs, Å².
    ///
    /// # Errors
    /// [`Error::Usage`] where a regression has no solution.
    pub fn test(self, data: &Data, velocity: Velocity) -> Result<f64> {
        let error = |set: usize, answer: Answers| {
            let mut sum = 0.0;
            for first in data.pairs[set].clone() {
                let both = answer(first).into_iter().zip(data.later(first));
                sum += both.map(|(a, b)| (a - b).norm_squared()).sum::<f64>();
            }
            sum / (3 * data.system.tokens.len() * data.pairs[set].len()) as f64
        };
        match self {
            Method::Copy => Ok(error(2, &|first| data.now(first).to_vec())),
            Method::Linear => {
                let t = time(data, velocity);
                Ok(error(2, &|first| {
                    let both = data.now(first).iter().zip(data.velocity(first, velocity));
                    both.map(|(x, v)| x + t * v).collect()
                }))
            }
            Method::Mean => {
                let mean = mean(data);
                Ok(error(2, &|_| mean.clone()))
            }
            Method::Ridge => {
                let (sums, mean) = (sums(data, velocity), mean(data));
                chosen(&DECAYS, &error, |decay| {
                    let decay = decay * data.pairs[0].len() as f64;
                    let weights: Option<Vec<DMatrix<f64>>> =
                        sums.iter().map(|own| own.solve(decay)).collect();
                    let (weights, mean) = (weights?, &mean);
                    Some(move |first: usize| {
                        let own = inputs(data, mean, first, velocity).into_iter();
                        let atoms = own.zip(&weights).zip(mean);
                        atoms
                            .map(|((x, w), mean)| {
                                let found = answer(w, &x);
                                mean + Vector3::new(found[0], found[1], found[2])
                            })
                            .collect()
                    })
                })
            }
            Method::Features => {
                let features = Features::of(data, velocity);
                chosen(&features::DECAYS, &error, |decay| features.answers(decay))
            }
        }
    }
}

/// Answers to a pair, by the number of its first frame.
type Answers<'a> = &'a dyn Fn(usize) -> Vec<Vector3<f64>>;

/// The error on the test pairs by the decay with the lowest on the validation pairs.
fn chosen<A: Fn(usize) -> Vec<Vector3<f64>>>(
    decays: &[f64],
    error: &dyn Fn(usize, Answers) -> f64,
    solve: impl Fn(f64) -> Option<A>,
) -> Result<f64> {
    let mut best: Option<[f64; 2]> = None;
    for answers in decays.iter().filter_map(|&decay| solve(decay)) {
        let validation = error(1, &answers);
        if best.is_none_or(|best| validation < best[0]) {
            best = Some([validation, error(2, &answers)]);
        }
    }
    let none = || Error::usage("the regression has no solution", "use a longer trajectory");
    Ok(best.ok_or_else(none)?[1])
}

/// The t of the least Σ |x + t v − y|² over the training pairs, frames.
fn time(data: &Data, velocity: Velocity) -> f64 {
    let (mut along, mut square) = (0.0, 0.0);
    for first in data.pairs[0].clone() {
        let moved = data.now(first).iter().zip(data.later(first));
        for ((x, y), v) in moved.zip(data.velocity(first, velocity)) {
            along += (y - x).dot(&v);
            square += v.norm_squared();
        }
    }
    along / square
}

/// Where the atoms are in the mean at the second frames of the training pairs.
pub fn mean(data: &Data) -> Vec<Vector3<f64>> {
    let mut mean = vec![Vector3::zeros(); data.system.tokens.len()];
    for first in data.pairs[0].clone() {
        let pairs = mean.iter_mut().zip(data.later(first));
        pairs.for_each(|(sum, x)| *sum += x / data.pairs[0].len() as f64);
    }
    mean
}

/// Of every atom one, its distance from the mean and its velocity.
fn inputs(
    data: &Data,
    mean: &[Vector3<f64>],
    first: usize,
    velocity: Velocity,
) -> Vec<Vec<(usize, f64)>> {
    let moved = data.now(first).iter().zip(mean);
    let atoms = moved.zip(data.velocity(first, velocity));
    atoms
        .map(|((x, mean), v)| {
            let away = x - mean;
            let all = [1.0, away.x, away.y, away.z, v.x, v.y, v.z];
            all.into_iter().enumerate().collect()
        })
        .collect()
}

fn sums(data: &Data, velocity: Velocity) -> Vec<Sums> {
    let mean = mean(data);
    let mut sums: Vec<Sums> = mean.iter().map(|_| Sums::new(7, 3)).collect();
    for first in data.pairs[0].clone() {
        let all = inputs(data, &mean, first, velocity);
        let wanted = data.later(first).iter().zip(&mean);
        for ((own, x), (y, mean)) in sums.iter_mut().zip(&all).zip(wanted) {
            own.add(x, (y - mean).as_slice());
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::data::{Atoms, System};
    use std::path::Path;

    fn data(frames: impl Fn(usize, usize) -> Vector3<f64>) -> Data {
        data_of(100, frames)
    }

    fn data_of(count: usize, frames: impl Fn(usize, usize) -> Vector3<f64>) -> Data {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let topology = root.join("data/structures/akle.pdb");
        let trajectory = root.join("tests/data/compare/akle_a.xtc");
        let mut system = System::load(&topology, &trajectory, Atoms::Backbone).unwrap();
        let atoms = system.tokens.len();
        system.frames = (0..count)
            .map(|time| (0..atoms).map(|atom| frames(time, atom)).collect())
            .collect();
        Data::new(system, 5).unwrap()
    }

    /// Atoms that go straight on: five velocities ahead, which a copy misses by.
    #[test]
    fn straight_motion_is_found_by_linear_and_ridge_and_missed_by_a_copy() {
        let way = |atom: usize| Vector3::new(0.1, 0.02 * atom as f64, -0.03);
        let data = data(|time, atom| time as f64 * way(atom));
        let error = |method: Method| method.test(&data, Velocity::Causal).unwrap();
        // the pair that begins with the first frame has no velocity yet
        assert!(error(Method::Linear) <= 1e-4, "{}", error(Method::Linear));
        assert!(error(Method::Ridge) <= 1e-2, "{}", error(Method::Ridge));
        let atoms = data.system.tokens.len();
        let squares = (0..atoms).map(|atom| (5.0 * way(atom)).norm_squared());
        let expected = squares.sum::<f64>() / (3 * atoms) as f64;
        let copy = error(Method::Copy);
        assert!((copy - expected).abs() <= 1e-12, "{copy} {expected}");
    }

    /// Atoms whose next place is a product of two coordinates: no linear map finds it.
    #[test]
    fn random_features_find_what_is_not_linear() {
        let noise = |time: usize, k: usize| ((time * 7919 + k * 104_729) as f64).sin();
        let data = data_of(600, |time, atom| {
            let before = time.saturating_sub(5);
            let product = noise(before, 1) * noise(before, 2);
            match atom {
                0 => Vector3::new(noise(time, 1), noise(time, 2), 0.0),
                _ => Vector3::new(product, 0.1 * product, 0.0),
            }
        });
        let error = |method: Method| method.test(&data, Velocity::Causal).unwrap();
        let (ridge, features) = (error(Method::Ridge), error(Method::Features));
        println!("ridge {ridge:.4}, random features {features:.4}");
        assert!(features <= 0.5 * ridge, "{features} {ridge}");
    }

    /// Atoms that shake about their places without memory: the mean has their variance for its
    /// error, a copy twice that.
    #[test]
    fn the_mean_is_best_where_nothing_is_remembered() {
        let data = data(|time, atom| {
            let noise = |k: usize| ((time * 7919 + atom * 104_729 + k * 1_299_709) as f64).sin();
            Vector3::new(noise(1), noise(2), noise(3)) + 3.0 * atom as f64 * Vector3::x()
        });
        let error = |method: Method| method.test(&data, Velocity::Causal).unwrap();
        let (mean, copy) = (error(Method::Mean), error(Method::Copy));
        // a sine of such numbers has a variance of one half
        assert!((mean - 0.5).abs() <= 0.1, "{mean}");
        assert!((copy - 1.0).abs() <= 0.35, "{copy}");
    }
}
