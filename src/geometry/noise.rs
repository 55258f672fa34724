//! Random numbers that depend on seed, attempt, replica and step only.

use nalgebra::Vector3;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// 32-bit words of the generator's stream that one step may use: 2^36 of the 2^68 that a stream
/// has, so 2^32 steps.
const WORDS_PER_STEP: u32 = 36;

/// A generator for one step of one replica: ChaCha8 keyed by (seed, attempt), stream = replica,
/// position = step.
pub fn generator(seed: u64, attempt: u64, replica: u64, step: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&attempt.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(replica);
    rng.set_word_pos(u128::from(step) << WORDS_PER_STEP);
    rng
}

/// `count` normal vectors of unit variance a component, less their mean: noise that moves no
/// centroid.
pub fn centred(rng: &mut ChaCha8Rng, count: usize) -> Vec<Vector3<f64>> {
    let mut noise: Vec<Vector3<f64>> = (0..count)
        .map(|_| Vector3::from_fn(|_, _| rng.sample(StandardNormal)))
        .collect();
    let mean = crate::structure::centroid(&noise);
    noise.iter_mut().for_each(|n| *n -= mean);
    noise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_normal_and_moves_no_centroid() {
        let mut rng = generator(3, 0, 1, 1);
        let (mut square, mut count) = (0.0, 0);
        for _ in 0..2000 {
            let noise = centred(&mut rng, 10);
            assert!(crate::structure::centroid(&noise).norm() <= 1e-15);
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
