//! Samples of a training: scenes drawn from the dataset, of which the task makes samples.

use nalgebra::Vector3;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::config::Config;
use super::dataset::Dataset;
use super::pairs::{Pair, Pairs, Segment};
use super::random::{Purpose, generator};
use crate::task::{Objective, Sample, Scene};

/// Pairs of which the scale of the data is taken.
const SCALE_PAIRS: usize = 20_000;

/// What a configuration trains on these data. The scale of the answers is that of the model that
/// the training starts from, where that one has the same lag time, and measured otherwise.
pub fn objective(config: &Config, dataset: &Dataset) -> Box<dyn Objective> {
    let measured = dataset.root_mean_square(SCALE_PAIRS, |pair| {
        config.task.scale_of(&Drawn {
            dataset,
            pair,
            segment: dataset.segment(pair),
            purpose: Purpose::Training,
        })
    });
    let initial = config.initial.as_ref().map(|initial| initial.task);
    config.task.objective(initial, measured)
}

/// Which sample of a training.
#[derive(Debug, Clone, Copy)]
pub struct Which {
    /// Seed of the training.
    pub seed: u64,
    /// What it is for.
    pub purpose: Purpose,
    /// Number of the update.
    pub update: u64,
    /// Number of the sample within it.
    pub number: u64,
}

/// A sample: a pair of `pairs` and what the objective makes of it.
pub fn draw(objective: &dyn Objective, dataset: &Dataset, pairs: &Pairs, which: Which) -> Sample {
    let mut rng = generator(which.seed, which.purpose, which.update, which.number);
    let pair = pairs.draw(&mut rng);
    let scene = Drawn {
        dataset,
        pair,
        segment: dataset.segment(pair),
        purpose: which.purpose,
    };
    objective.sample(&scene, &mut rng)
}

/// A pair of frames of the dataset.
struct Drawn<'a> {
    dataset: &'a Dataset,
    pair: Pair,
    segment: &'a Segment,
    purpose: Purpose,
}

impl Drawn<'_> {
    fn lag(&self) -> usize {
        self.pair.second - self.pair.first
    }
}

impl Scene for Drawn<'_> {
    fn system(&self) -> usize {
        self.pair.system
    }

    fn lag_time(&self) -> f64 {
        self.lag() as f64 * self.segment.time_step
    }

    fn now(&self) -> Vec<Vector3<f64>> {
        self.segment.frame(self.pair.first)
    }

    fn later(&self) -> Vec<Vector3<f64>> {
        self.segment.frame(self.pair.second)
    }

    fn force(&self) -> Vec<Vector3<f64>> {
        self.segment.force(self.pair.first)
    }

    fn is_folded(&self) -> bool {
        self.dataset.systems[self.pair.system].fold
    }

    fn any_frame(&self, rng: &mut ChaCha8Rng) -> Vec<Vector3<f64>> {
        self.segment.frame(rng.random_range(0..self.segment.len()))
    }

    fn has_strays(&self) -> bool {
        self.purpose == Purpose::Training && !self.dataset.strays[self.pair.system].is_empty()
    }

    fn way_back(&self, rng: &mut ChaCha8Rng) -> Option<[Vec<Vector3<f64>>; 2]> {
        let system = &self.dataset.systems[self.pair.system];
        let strays = &self.dataset.strays[self.pair.system];
        strays.draw(&system.rollouts, &system.segments, self.lag(), rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forcefield::template_geometry_at;
    use crate::geometry::noise;
    use crate::network::Tokens;
    use crate::structure::{ReadOptions, Structure, centroid, read};
    use crate::train::dataset::System;

    /// AKLE, frames of it with 0.3 Å of noise, and a rollout of one frame that is twice as large.
    fn strayed() -> System {
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
        let Structure {
            topology, frame, ..
        } = read(&file, &ReadOptions::default()).unwrap();
        let tokens = Tokens::new(
            &topology,
            &template_geometry_at(&topology, &frame.positions).unwrap(),
        )
        .unwrap();
        let places = tokens.positions(&frame.positions);
        let segment = |frames: usize, factor: f64, noise: f64| {
            let mut rng = noise::generator(5, 0, 0, 0);
            let shaken = (0..frames).flat_map(|_| {
                let noisy = places
                    .iter()
                    .zip(noise::centred(&mut rng, places.len()))
                    .map(|(x, n)| factor * x + noise * n);
                noisy
                    .flat_map(|x| [x.x as f32, x.y as f32, x.z as f32])
                    .collect::<Vec<_>>()
            });
            Segment {
                file: "a.xtc".into(),
                tokens: places.len(),
                time_step: 1.0,
                positions: shaken.collect(),
                forces: vec![],
            }
        };
        let (segments, rollouts) = (vec![segment(40, 1.0, 0.3)], vec![segment(1, 2.0, 0.0)]);
        System {
            name: "akle".into(),
            sequence: "AKLE".into(),
            tokens,
            segments,
            rollouts,
            fold: true,
            weight: 1.0,
        }
    }

    #[test]
    fn samples_start_where_rollouts_strayed_and_carry_a_fold_as_often_as_told() {
        let text = "[data]\nsystems = [{ topology = \"-\", trajectories = [\"-\"] }]\n[jump]\nlag \
                    = \"1ps\"\nreturns = 0.5\n\
                    return_within = \"9A\"\n[training]\nupdates = 1\n";
        let config = Config::parse(text.into(), std::path::Path::new("a.toml")).unwrap();
        let dataset = Dataset::split(vec![strayed()], Vec::new(), &config).unwrap();
        assert_eq!(dataset.straying().map(|(count, _)| count), Some(1));
        let objective = objective(&config, &dataset);
        let size = |x: &[Vector3<f64>]| {
            x.iter()
                .map(|place| (place - centroid(x)).norm_squared())
                .sum::<f64>()
                .sqrt()
        };
        let large = 1.5 * size(&dataset.systems[0].segments[0].frame(0));
        const DRAWS: usize = 400;
        for (purpose, pairs, share) in [
            (Purpose::Training, &dataset.training, 0.5),
            (Purpose::Validation, &dataset.validation, 0.0),
        ] {
            let samples: Vec<_> = (0..DRAWS as u64)
                .map(|number| {
                    let which = Which {
                        seed: 1,
                        purpose,
                        update: 0,
                        number,
                    };
                    draw(&*objective, &dataset, pairs, which)
                })
                .collect();
            let count = |of: &dyn Fn(&Sample) -> bool| {
                samples.iter().filter(|&sample| of(sample)).count() as f64 / DRAWS as f64
            };
            let within = |found: f64, share: f64| {
                (found - share).abs() <= 4.0 * (share * (1.0 - share) / DRAWS as f64).sqrt()
            };
            let strays = count(&|sample| size(&sample.condition) > large);
            assert!(within(strays, share), "{purpose:?}: {strays}");
            assert!(samples.iter().all(|sample| size(&sample.target) < large));
            let folds = count(&|sample| sample.denoising.as_ref().unwrap().fold.is_some());
            assert!(within(folds, 0.9), "{purpose:?}: {folds}");
        }
    }
}
