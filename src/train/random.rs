//! Random draws that depend on where they are used only: on the seed, the purpose, the update and
//! the sample, never on what was drawn before. So a resumed training, and one on another number of
//! threads, draws the same.

use nalgebra::Vector3;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::structure::centroid;

/// What a draw is for; draws for different purposes have nothing in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Samples of an update.
    Training = 1,
    /// Samples of the validation set.
    Validation = 2,
}

/// The generator of one sample (counter-based: ChaCha8, with these four numbers as its key).
pub fn generator(seed: u64, purpose: Purpose, update: u64, sample: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    for (part, number) in key
        .chunks_exact_mut(8)
        .zip([seed, purpose as u64, update, sample])
    {
        part.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Unit normal noise without its mean: what moves no centroid.
pub fn centred_noise(count: usize, rng: &mut impl rand::Rng) -> Vec<Vector3<f64>> {
    let mut noise: Vec<Vector3<f64>> = (0..count)
        .map(|_| Vector3::from_fn(|_, _| StandardNormal.sample(rng)))
        .collect();
    let mean = centroid(&noise);
    noise.iter_mut().for_each(|n| *n -= mean);
    noise
}

/// EDM's noise levels in training: ln σ normal, σ clipped to 0.005 … 10 Å.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseLevels {
    /// Mean of ln(σ/Å).
    pub log_mean: f64,
    /// Standard deviation of ln σ.
    pub log_std: f64,
}

/// Smallest and largest noise level, Å.
pub const SIGMA_RANGE: [f64; 2] = [0.005, 10.0];

impl NoiseLevels {
    /// Draws σ, Å.
    pub fn draw(&self, rng: &mut impl rand::Rng) -> f64 {
        let normal: f64 = StandardNormal.sample(rng);
        (self.log_mean + self.log_std * normal)
            .exp()
            .clamp(SIGMA_RANGE[0], SIGMA_RANGE[1])
    }
}

/// A uniform draw from 0 … `limit`.
pub fn uniform(limit: f64, rng: &mut impl rand::Rng) -> f64 {
    limit * rng.random::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_all_four_numbers() {
        let draw = |seed, purpose, update, sample| {
            generator(seed, purpose, update, sample).random::<u64>()
        };
        let first = draw(1, Purpose::Training, 2, 3);
        assert_eq!(first, draw(1, Purpose::Training, 2, 3));
        for other in [
            draw(2, Purpose::Training, 2, 3),
            draw(1, Purpose::Validation, 2, 3),
            draw(1, Purpose::Training, 3, 3),
            draw(1, Purpose::Training, 2, 4),
        ] {
            assert_ne!(first, other);
        }
    }

    /// Mean and variance of ln σ, and the shares that are clipped, within four standard errors of
    /// the normal distribution's.
    #[test]
    fn noise_levels_are_log_normal() {
        let levels = NoiseLevels {
            log_mean: -1.6,
            log_std: 1.5,
        };
        let mut rng = generator(7, Purpose::Training, 0, 0);
        const COUNT: usize = 200_000;
        let sigma: Vec<f64> = (0..COUNT).map(|_| levels.draw(&mut rng)).collect();
        assert!(sigma.iter().all(|s| (0.005..=10.0).contains(s)));
        // Φ of a few levels: ln σ below mean − s.d., mean, mean + s.d.; and the two clips, z = (ln
        // .005 + 1.6)/1.5, (ln 10 + 1.6)/1.5
        for (z, below) in [
            (-2.465_545, 0.006_840_3),
            (-1.0, 0.158_655),
            (0.0, 0.5),
            (1.0, 0.841_345),
            (2.601_723, 0.995_362_2),
        ] {
            let edge = ((-1.6f64 + 1.5 * z).exp() * (1.0 + 1e-6)).min(10.0 * (1.0 - 1e-9));
            let share = sigma.iter().filter(|&&s| s <= edge).count() as f64 / COUNT as f64;
            let error = (below * (1.0 - below) / COUNT as f64).sqrt();
            assert!(
                (share - below).abs() <= 4.0 * error + 1e-5,
                "z {z}: {share} {below}"
            );
        }
    }

    #[test]
    fn noise_is_normal_and_moves_no_centroid() {
        let mut rng = generator(3, Purpose::Validation, 1, 1);
        let (mut square, mut count) = (0.0, 0);
        for _ in 0..2000 {
            let noise = centred_noise(10, &mut rng);
            assert!(centroid(&noise).norm() <= 1e-15);
            square += noise.iter().map(|n| n.norm_squared()).sum::<f64>();
            count += 30;
        }
        // nine tenths of the variance are left without the mean; standard error of a mean square:
        // √(2/n)
        let variance = square / count as f64;
        assert!(
            (variance - 0.9).abs() <= 4.0 * 0.9 * (2.0 / (0.9 * count as f64)).sqrt(),
            "{variance}"
        );
    }
}
