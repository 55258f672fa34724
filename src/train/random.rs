//! Random draws that depend on where they are used only: on the seed, the purpose, the update and
//! the sample, never on what was drawn before. So a resumed training, and one on another number of
//! threads, draws the same.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

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
}
