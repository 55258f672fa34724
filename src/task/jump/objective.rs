//! Samples of jumps: frames with noise.

use nalgebra::Vector3;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::Jump;
use super::edm::Preconditioning;
use crate::geometry::noise;
use crate::task::{self, Denoising, Sample, Scene, Task, aligned};

/// Share of the samples of a system with a fold that are given it: the network learns to do
/// without, too.
const FOLD_SHARE: f64 = 0.9;

/// Edges of the bands of noise levels in which validation losses are reported, Å.
pub const BANDS: [f64; 7] = [0.005, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// The band of a noise level, Å.
pub fn band(sigma: f64) -> usize {
    let edges = &BANDS[1..BANDS.len() - 1];
    edges.iter().filter(|&&edge| sigma >= edge).count()
}

/// EDM's noise levels in training: ln σ normal, σ clipped to 0.005 … 10 Å.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Levels {
    /// Mean of ln(σ/Å).
    pub log_mean: f64,
    /// Standard deviation of ln σ.
    pub log_std: f64,
}

impl Levels {
    /// Draws σ, Å.
    fn draw(&self, rng: &mut ChaCha8Rng) -> f64 {
        let normal: f64 = StandardNormal.sample(rng);
        let sigma = (self.log_mean + self.log_std * normal).exp();
        sigma.clamp(BANDS[0], BANDS[BANDS.len() - 1])
    }
}

/// Denoising of x(t + lag), weighted as EDM does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Objective {
    pub jump: Jump,
    pub levels: Levels,
    pub reversed: f64,
    /// Share of samples that start from strays, where there are some.
    pub returns: f64,
    pub condition_noise: f64,
}

impl Objective {
    /// The frames x(t) and x(t + lag), or of the two reversed.
    fn frames(&self, scene: &dyn Scene, rng: &mut ChaCha8Rng) -> [Vec<Vector3<f64>>; 2] {
        if rng.random::<f64>() < self.reversed {
            [scene.later(), scene.now()]
        } else {
            [scene.now(), scene.later()]
        }
    }
}

impl task::Objective for Objective {
    fn task(&self) -> Task {
        Task::Jump(self.jump)
    }

    fn sample(&self, scene: &dyn Scene, rng: &mut ChaCha8Rng) -> Sample {
        let fold =
            (scene.is_folded() && rng.random::<f64>() < FOLD_SHARE).then(|| scene.any_frame(rng));
        let returns = scene.has_strays() && rng.random::<f64>() < self.returns;
        let way_back = if returns { scene.way_back(rng) } else { None };
        let [from, to] = match way_back {
            Some(frames) => frames,
            None => self.frames(scene, rng),
        };
        let [mut condition, target] = aligned(from, &to);
        let condition_noise = self.condition_noise * rng.random::<f64>();
        add(&mut condition, condition_noise, rng);
        let sigma = self.levels.draw(rng);
        let mut noisy = target.clone();
        add(&mut noisy, sigma, rng);
        Sample {
            system: scene.system(),
            condition,
            denoising: Some(Denoising {
                noisy,
                sigma,
                condition_noise,
                fold,
                lag_time: scene.lag_time(),
            }),
            target,
            weight: Preconditioning::new(sigma, self.jump.sigma_data).weight(),
        }
    }

    fn describe(&self) -> String {
        let scale = self.jump.sigma_data;
        match self.jump.lag_range {
            None => format!(
                "jumps of {} ps, displacement {scale:.4} Å",
                self.jump.lag_time
            ),
            Some([shortest, longest]) => {
                format!("jumps of {shortest} to {longest} ps, displacement {scale:.4} Å")
            }
        }
    }
}

fn add(positions: &mut [Vector3<f64>], size: f64, rng: &mut ChaCha8Rng) {
    let noise = noise::centred(rng, positions.len());
    positions
        .iter_mut()
        .zip(noise)
        .for_each(|(position, n)| *position += size * n);
}

#[cfg(test)]
#[path = "objective_tests.rs"]
mod tests;
