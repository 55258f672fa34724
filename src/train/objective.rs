//! Objectives: what a sample is, and its loss.

use nalgebra::Vector3;
use rand::RngExt;

use super::config::{self, Config};
use super::dataset::Dataset;
use super::pairs::{Pairs, aligned};
use super::random::{NoiseLevels, Purpose, centred_noise, generator, uniform};
use super::report::BANDS;
use crate::network::edm::Preconditioning;
use crate::network::{self, Inputs, JumpInput, PlainInput, Regime, Tokens};

/// One sample: what the network is given and what it should answer. Positions in Å, about the
/// centroid.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The system.
    pub system: usize,
    /// The condition.
    pub condition: Vec<Vector3<f64>>,
    /// The noisy answer (jump).
    pub noisy: Vec<Vector3<f64>>,
    /// Its noise level, Å (jump).
    pub sigma: f64,
    /// Noise level of the condition, Å (jump).
    pub condition_noise: f64,
    /// The fold that the system keeps to (jump).
    pub fold: Option<Vec<Vector3<f64>>>,
    /// Time between condition and answer, ps (jump).
    pub lag_time: f64,
    /// The right answer.
    pub target: Vec<Vector3<f64>>,
    /// Factor of the squared error.
    pub weight: f64,
}

/// Share of the samples of a system with a fold that are given it: the network learns to do
/// without, too.
const FOLD_SHARE: f64 = 0.9;

/// Pairs of which the scale of the data is taken.
const SCALE_PAIRS: usize = 20_000;

/// What a training asks of the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// Denoising of x(t + lag), weighted as EDM does.
    Jump(JumpSampler),
    /// x(t + lag) itself: the squared error in units of the mean squared displacement.
    Displacement {
        /// Lag time, ps.
        lag: f64,
        /// RMS displacement, Å.
        scale: f64,
    },
    /// Forces on the tokens: the squared error in units of the mean squared force.
    Force {
        /// RMS force, kJ/mol/Å.
        scale: f64,
        /// What the network will answer.
        regime: Regime,
    },
}

impl Objective {
    /// The objective of a configuration for these data. Its scale is that of the model that the
    /// training starts from, where that one has the same lag time, and measured otherwise.
    pub fn new(config: &Config, dataset: &Dataset) -> Objective {
        let initial = config.initial.as_ref();
        if let Some(config::Force { form }) = config.force {
            if let Some(regime @ Regime::Force { scale, .. }) =
                initial.map(|initial| initial.config.regime)
            {
                return Objective::Force { scale, regime };
            }
            let scale =
                dataset.root_mean_square(SCALE_PAIRS, |segment, pair| segment.force(pair.first));
            return Objective::Force {
                scale,
                regime: Regime::force(scale, form),
            };
        }
        let kept = initial.and_then(|initial| initial.scale(&config.lags()));
        let measured = dataset.root_mean_square(SCALE_PAIRS, |segment, pair| {
            let [now, later] = aligned(segment.frame(pair.first), &segment.frame(pair.second));
            now.iter()
                .zip(&later)
                .map(|(now, later)| later - now)
                .collect()
        });
        match &config.jump {
            Some(jump) => {
                let measured = (measured.powi(2) + jump.condition_noise.powi(2) / 3.0).sqrt();
                let sampler = JumpSampler::new(jump, kept.unwrap_or(measured));
                // a network that is told the lag time goes on being told, even if it is always the
                // same now
                let told = sampler.told
                    || initial.is_some_and(|initial| initial.config.regime.is_told_lags());
                Objective::Jump(JumpSampler { told, ..sampler })
            }
            None => Objective::Displacement {
                lag: config.lag(),
                scale: kept.unwrap_or(measured),
            },
        }
    }

    /// What the network will answer.
    pub fn regime(&self) -> Regime {
        match *self {
            Objective::Jump(JumpSampler {
                lags,
                sigma_data,
                told,
                ..
            }) => Regime::Jump {
                lag_time: lags[0],
                sigma_data,
                lag_range: told.then_some(lags),
            },
            Objective::Displacement { lag, scale } => Regime::NextFrame {
                lag_time: lag,
                scale,
            },
            Objective::Force { regime, .. } => regime,
        }
    }

    /// Number of bands of noise levels that the validation loss is reported in.
    pub fn bands(&self) -> usize {
        match self {
            Objective::Jump(_) => BANDS.len() - 1,
            Objective::Displacement { .. } | Objective::Force { .. } => 0,
        }
    }

    /// Sample number `number` of an update: a pair of `pairs` and its noise.
    pub fn sample(
        &self,
        data: &Dataset,
        pairs: &Pairs,
        seed: u64,
        purpose: Purpose,
        update: u64,
        number: u64,
    ) -> Sample {
        let mut rng = generator(seed, purpose, update, number);
        let pair = pairs.draw(&mut rng);
        let segment = data.segment(pair);
        let now = segment.frame(pair.first);
        match *self {
            Objective::Jump(sampler) => {
                let lag = pair.second - pair.first;
                let lag_time = lag as f64 * segment.time_step;
                let (system, strays) = (&data.systems[pair.system], &data.strays[pair.system]);
                let fold = (system.fold && rng.random::<f64>() < FOLD_SHARE)
                    .then(|| segment.frame(rng.random_range(0..segment.len())));
                let returns = purpose == Purpose::Training
                    && !strays.is_empty()
                    && rng.random::<f64>() < sampler.returns;
                let way_back = if returns {
                    strays.draw(&system.rollouts, &system.segments, lag, &mut rng)
                } else {
                    None
                };
                let sample = match way_back {
                    Some(way_back) => {
                        sampler.sample_from(pair.system, lag_time, way_back, &mut rng)
                    }
                    None => sampler.sample(
                        pair.system,
                        lag_time,
                        [now, segment.frame(pair.second)],
                        &mut rng,
                    ),
                };
                Sample { fold, ..sample }
            }
            Objective::Displacement { scale, .. } => {
                let [condition, target] = aligned(now, &segment.frame(pair.second));
                Sample::plain(pair.system, condition, target, scale)
            }
            Objective::Force { scale, .. } => {
                Sample::plain(pair.system, now, segment.force(pair.first), scale)
            }
        }
    }

    /// One call of the network for these samples.
    pub fn inputs(&self, config: &network::Config, data: &Dataset, samples: &[Sample]) -> Inputs {
        let tokens = |sample: &Sample| -> &Tokens { &data.systems[sample.system].tokens };
        match self {
            Objective::Jump(_) => {
                let systems = samples.iter().map(|sample| JumpInput {
                    tokens: tokens(sample),
                    condition: &sample.condition,
                    noisy: &sample.noisy,
                    sigma: sample.sigma,
                    condition_noise: sample.condition_noise,
                    fold: sample.fold.as_deref(),
                    lag_time: sample.lag_time,
                });
                Inputs::jump(config, &systems.collect::<Vec<_>>())
            }
            Objective::Displacement { .. } | Objective::Force { .. } => {
                let systems = samples.iter().map(|sample| PlainInput {
                    tokens: tokens(sample),
                    positions: &sample.condition,
                    velocity: None,
                });
                Inputs::plain(config, &systems.collect::<Vec<_>>())
            }
        }
    }
}

/// Makes samples of the objective `jump`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JumpSampler {
    /// Shortest and longest lag time, ps.
    lags: [f64; 2],
    /// Whether the network is told the lag time.
    told: bool,
    levels: NoiseLevels,
    reversed: f64,
    /// Share of samples that start from strays, where there are some.
    returns: f64,
    condition_noise: f64,
    sigma_data: f64,
}

impl JumpSampler {
    /// With these settings, for data of this standard deviation (Å).
    pub fn new(settings: &config::Jump, sigma_data: f64) -> Self {
        let levels = NoiseLevels {
            log_mean: settings.log_sigma_mean,
            log_std: settings.log_sigma_std,
        };
        let lags = [
            settings.lag,
            settings.lags().last().copied().unwrap_or(settings.lag),
        ];
        let told = settings.longest_lag.is_some();
        let config::Jump {
            reversed,
            returns,
            condition_noise,
            ..
        } = *settings;
        JumpSampler {
            lags,
            told,
            levels,
            reversed,
            returns,
            condition_noise,
            sigma_data,
        }
    }

    /// A sample of `system` from the frames x(t) and x(t + `lag_time`), or of the two reversed.
    pub fn sample(
        &self,
        system: usize,
        lag_time: f64,
        [now, later]: [Vec<Vector3<f64>>; 2],
        rng: &mut impl rand::Rng,
    ) -> Sample {
        let frames = if rng.random::<f64>() < self.reversed {
            [later, now]
        } else {
            [now, later]
        };
        self.sample_from(system, lag_time, frames, rng)
    }

    /// A sample of `system` from the first frame to the second.
    fn sample_from(
        &self,
        system: usize,
        lag_time: f64,
        [now, later]: [Vec<Vector3<f64>>; 2],
        rng: &mut impl rand::Rng,
    ) -> Sample {
        let [mut condition, target] = aligned(now, &later);
        let condition_noise = uniform(self.condition_noise, rng);
        add(&mut condition, condition_noise, rng);
        let sigma = self.levels.draw(rng);
        let mut noisy = target.clone();
        add(&mut noisy, sigma, rng);
        let weight = Preconditioning::new(sigma, self.sigma_data).weight();
        Sample {
            system,
            condition,
            noisy,
            sigma,
            condition_noise,
            fold: None,
            lag_time,
            target,
            weight,
        }
    }
}

fn add(positions: &mut [Vector3<f64>], size: f64, rng: &mut impl rand::Rng) {
    let noise = centred_noise(positions.len(), rng);
    positions
        .iter_mut()
        .zip(noise)
        .for_each(|(position, n)| *position += size * n);
}

impl Sample {
    /// A sample without noise, whose squared error is in units of `scale`².
    fn plain(
        system: usize,
        condition: Vec<Vector3<f64>>,
        target: Vec<Vector3<f64>>,
        scale: f64,
    ) -> Sample {
        let (noisy, weight) = (Vec::new(), scale.powi(-2));
        Sample {
            system,
            condition,
            noisy,
            sigma: 0.0,
            condition_noise: 0.0,
            fold: None,
            lag_time: 0.0,
            target,
            weight,
        }
    }

    /// weight · mean over atoms and coordinates of (answer − target)², and its gradient with
    /// respect to the answer.
    pub fn loss(&self, answer: &[Vector3<f64>]) -> (f64, Vec<Vector3<f64>>) {
        let scale = self.weight / (3 * self.target.len()) as f64;
        let errors = || answer.iter().zip(&self.target).map(|(a, b)| a - b);
        let loss = scale * errors().map(|e| e.norm_squared()).sum::<f64>();
        (loss, errors().map(|e| 2.0 * scale * e).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forcefield::template_geometry_at;
    use crate::structure::{ReadOptions, Structure, centroid, read};
    use crate::train::dataset::System;
    use crate::train::pairs::Segment;

    const SIGMA_DATA: f64 = 0.8;

    fn settings() -> config::Jump {
        let text = "lag = \"1ps\"";
        toml::from_str(text).unwrap()
    }

    /// A frame and one a normal displacement (standard deviation σ_data) away, both without their
    /// mean.
    fn frames(rng: &mut impl rand::Rng) -> [Vec<Vector3<f64>>; 2] {
        let now: Vec<_> = centred_noise(200, rng).iter().map(|x| 10.0 * x).collect();
        let later = now
            .iter()
            .zip(centred_noise(200, rng))
            .map(|(x, n)| x + SIGMA_DATA * n)
            .collect();
        [now, later]
    }

    #[test]
    fn an_exact_denoiser_has_no_loss_and_the_gradient_is_the_derivative() {
        let mut rng = generator(1, Purpose::Training, 0, 0);
        let frames = frames(&mut rng);
        let sample = JumpSampler::new(&settings(), SIGMA_DATA).sample(0, 1.0, frames, &mut rng);
        let (loss, gradient) = sample.loss(&sample.target);
        assert!(loss == 0.0 && gradient.iter().all(|g| g.norm() == 0.0));

        let mut answer = sample.noisy.clone();
        let (_, gradient) = sample.loss(&answer);
        let step = 1e-4;
        answer[3].y += step;
        let above = sample.loss(&answer).0;
        answer[3].y -= 2.0 * step;
        let slope = (above - sample.loss(&answer).0) / (2.0 * step);
        assert!(
            (slope - gradient[3].y).abs() <= 1e-7 * gradient[3].y.abs(),
            "{slope} {}",
            gradient[3].y
        );
    }

    /// D = xc + c_skip (xn − xc), an answer of nothing: with normal displacements its weighted
    /// error is 1 on average at any σ.
    #[test]
    fn the_skip_connection_alone_has_a_loss_of_one() {
        let mut rng = generator(2, Purpose::Training, 0, 0);
        let sampler = JumpSampler::new(
            &config::Jump {
                condition_noise: 0.0,
                ..settings()
            },
            SIGMA_DATA,
        );
        let losses: Vec<f64> = (0..400)
            .map(|_| {
                let frames = frames(&mut rng);
                let sample = sampler.sample(0, 1.0, frames, &mut rng);
                let skip = SIGMA_DATA.powi(2) / (SIGMA_DATA.powi(2) + sample.sigma.powi(2));
                let answer: Vec<_> = sample
                    .condition
                    .iter()
                    .zip(&sample.noisy)
                    .map(|(c, n)| c + skip * (n - c))
                    .collect();
                sample.loss(&answer).0
            })
            .collect();
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        // a mean of 400 × 600 squares, standard error √2/√(240,000) = 0.0029; centring and
        // alignment take 6 of 600 degrees
        assert!((mean - 1.0).abs() <= 0.01 + 4.0 * 0.0029, "{mean}");
    }

    #[test]
    fn samples_are_centred_noisy_as_told_and_half_reversed() {
        let mut rng = generator(3, Purpose::Training, 0, 0);
        let sampler = JumpSampler::new(&settings(), SIGMA_DATA);
        let [now, later] = frames(&mut rng);
        let size = |x: &[Vector3<f64>], y: &[Vector3<f64>]| {
            (x.iter()
                .zip(y)
                .map(|(a, b)| (a - b).norm_squared())
                .sum::<f64>()
                / (3.0 * 199.0))
                .sqrt()
        };
        let (mut reversed, mut ratios) = (0, Vec::new());
        for _ in 0..400 {
            let sample = sampler.sample(5, 1.0, [now.clone(), later.clone()], &mut rng);
            assert!(sample.system == 5 && sample.condition_noise <= 0.1);
            assert!(
                centroid(&sample.noisy).norm() <= 1e-12
                    && centroid(&sample.condition).norm() <= 1e-12
            );
            ratios.push(size(&sample.noisy, &sample.target) / sample.sigma);
            let backwards = size(&sample.condition, &later) < size(&sample.condition, &now);
            reversed += usize::from(backwards);
            let clean = if backwards { &later } else { &now };
            ratios.push(size(&sample.condition, clean) / sample.condition_noise);
        }
        // binomial: 200 ± 10; each ratio of standard deviations 1 ± 1/√(2·597)
        assert!((160..=240).contains(&reversed), "{reversed}");
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        assert!(
            (mean - 1.0).abs() <= 4.0 * 0.029 / (800f64).sqrt(),
            "{mean}"
        );
        assert!(ratios.iter().all(|r| (r - 1.0).abs() <= 0.15));
    }

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
            let mut rng = generator(5, Purpose::Training, 0, 0);
            let shaken = (0..frames).flat_map(|_| {
                let noisy = places
                    .iter()
                    .zip(centred_noise(places.len(), &mut rng))
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
            tokens,
            segments,
            rollouts,
            fold: true,
            weight: 1.0,
        }
    }

    #[test]
    fn samples_start_where_rollouts_strayed_and_carry_a_fold_as_often_as_told() {
        let text = "[data]\nsystems = [{ topology = \"-\", trajectories = [\"-\"] }]\n[jump]\nlag = \"1ps\"\nreturns = 0.5\n\
                    return_within = \"9A\"\n[training]\nupdates = 1\n";
        let config = Config::parse(text.into(), std::path::Path::new("a.toml")).unwrap();
        let dataset = Dataset::split(vec![strayed()], Vec::new(), &config).unwrap();
        assert_eq!(dataset.straying().map(|(count, _)| count), Some(1));
        let objective = Objective::new(&config, &dataset);
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
                .map(|number| objective.sample(&dataset, pairs, 1, purpose, 0, number))
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
            let folds = count(&|sample| sample.fold.is_some());
            assert!(within(folds, 0.9), "{purpose:?}: {folds}");
        }
    }
}
