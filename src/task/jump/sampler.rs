//! The sampler of jumps: a noisy candidate becomes a sample, noise level by noise level (EDM,
//! Karras et al. 2022, § 3 and 4).

use clap::ValueEnum;
use nalgebra::Vector3;
use rand_chacha::ChaCha8Rng;

use super::edm::noise_levels;
use crate::Result;
use crate::geometry::noise;

/// How the sampler steps from one noise level to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// One evaluation of the network a level
    Euler,
    /// Two, for bonds as wide as those of MD without a corrector
    Heun,
    /// One a level, its error taken down by the evaluation before it (DPM-Solver++ 2M)
    Multistep,
}

impl Method {
    /// Its word on the command line and in files.
    pub fn word(self) -> String {
        self.to_possible_value()
            .map_or(String::new(), |value| value.get_name().to_owned())
    }

    /// The method of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Method::from_str(word, false).ok()
    }
}

/// How a jump is sampled.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Sampler {
    /// Noise levels, from `high` to `low`.
    pub levels: usize,
    /// Largest noise level, Å.
    pub high: f64,
    /// Smallest noise level, Å.
    pub low: f64,
    /// How it steps through them.
    pub method: Method,
    /// Noise added before each step, as a share of its noise level (γ of EDM, algorithm 2): 0
    /// integrates the probability-flow ODE, more forgets the errors of earlier steps.
    pub stir: f64,
    /// Noise on the condition, Å: within what the network was trained on, it lets it correct its
    /// own errors.
    pub condition_noise: f64,
}

impl Default for Sampler {
    fn default() -> Self {
        Sampler {
            levels: 10,
            high: 6.0,
            low: 0.01,
            method: Method::Heun,
            stir: 0.0,
            condition_noise: 0.03,
        }
    }
}

impl Sampler {
    /// Evaluations of the network for one jump.
    pub fn evaluations(&self) -> usize {
        if self.method == Method::Heun {
            2 * self.levels - 1
        } else {
            self.levels
        }
    }

    /// Takes the candidates from the largest noise level to none. `denoise` gives D(z, σ) of every
    /// candidate.
    ///
    /// # Errors
    /// Those of `denoise`.
    pub fn integrate(
        &self,
        candidates: &mut [Candidate],
        mut denoise: impl FnMut(&[Candidate], f64) -> Result<Denoised>,
    ) -> Result<()> {
        let mut before: Option<(f64, Denoised)> = None;
        for level in noise_levels(self.levels, self.high, self.low).windows(2) {
            let (sigma, next) = (level[0] * (1.0 + self.stir), level[1]);
            candidates
                .iter_mut()
                .for_each(|candidate| candidate.stir((sigma * sigma - level[0] * level[0]).sqrt()));
            let start: Denoised = match self.method {
                Method::Heun => candidates
                    .iter()
                    .map(|candidate| candidate.positions.clone())
                    .collect(),
                Method::Euler | Method::Multistep => Vec::new(),
            };
            let clean = denoise(candidates, sigma)?;
            let ahead = match &before {
                Some((last, past)) if next > 0.0 => {
                    Some(ahead(&clean, past, extrapolation(*last, sigma, next)))
                }
                _ => None,
            };
            let towards = ahead.as_ref().unwrap_or(&clean);
            candidates
                .iter_mut()
                .zip(towards)
                .for_each(|(candidate, towards)| candidate.advance(towards, sigma, next));
            match self.method {
                Method::Euler => {}
                Method::Multistep => before = Some((sigma, clean)),
                Method::Heun if next > 0.0 => {
                    let end = denoise(candidates, next)?;
                    for (((candidate, start), clean), end) in
                        candidates.iter_mut().zip(&start).zip(&clean).zip(&end)
                    {
                        correct(&mut candidate.positions, start, clean, end, [sigma, next]);
                    }
                }
                Method::Heun => {}
            }
        }
        Ok(())
    }
}

/// A sample in the making.
pub struct Candidate {
    /// Positions of its tokens, Å.
    pub positions: Vec<Vector3<f64>>,
    /// Its random numbers.
    pub random: ChaCha8Rng,
}

impl Candidate {
    /// Adds noise of standard deviation `size`, Å.
    fn stir(&mut self, size: f64) {
        if size > 0.0 {
            let noise = noise::centred(&mut self.random, self.positions.len());
            self.positions
                .iter_mut()
                .zip(noise)
                .for_each(|(z, n)| *z += size * n);
        }
    }

    /// Steps from noise level `sigma` to `next` along the straight line to the denoised positions
    /// `clean`.
    fn advance(&mut self, clean: &[Vector3<f64>], sigma: f64, next: f64) {
        self.positions
            .iter_mut()
            .zip(clean)
            .for_each(|(z, clean)| *z += (next / sigma - 1.0) * (*z - clean));
    }
}

/// Denoised positions of every candidate, Å.
pub type Denoised = Vec<Vec<Vector3<f64>>>;

/// now + weight · (now − past).
fn ahead(now: &[Vec<Vector3<f64>>], past: &[Vec<Vector3<f64>>], weight: f64) -> Denoised {
    let one = |(now, past): (&Vec<Vector3<f64>>, &Vec<Vector3<f64>>)| -> Vec<Vector3<f64>> {
        now.iter()
            .zip(past)
            .map(|(now, past)| now + weight * (now - past))
            .collect()
    };
    now.iter().zip(past).map(one).collect()
}

/// Weight of the last change of D in the step from σ to `next`, where `before` is the level before
/// σ: ½ ln(σ/next)/ln(before/σ) (DPM-Solver++ 2M, Lu et al. 2022, algorithm 2, for noise that is
/// added without drift).
fn extrapolation(before: f64, sigma: f64, next: f64) -> f64 {
    0.5 * (sigma / next).ln() / (before / sigma).ln()
}

/// Heun's correction: the step again, from `start`, along the mean of the slopes (z − D)/σ at both
/// of its ends.
fn correct(
    z: &mut [Vector3<f64>],
    start: &[Vector3<f64>],
    clean: &[Vector3<f64>],
    end: &[Vector3<f64>],
    [sigma, next]: [f64; 2],
) {
    for (((z, start), clean), end) in z.iter_mut().zip(start).zip(clean).zip(end) {
        let slopes = (start - clean) / sigma + (*z - end) / next;
        *z = start + 0.5 * (next - sigma) * slopes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Standard deviation of the data, Å.
    const DATA: f64 = 0.8;

    fn candidate(tokens: usize, seed: u64, size: f64) -> Candidate {
        let mut random = noise::generator(seed, 0, 0, 0);
        let positions = noise::centred(&mut random, tokens)
            .iter()
            .map(|n| size * n)
            .collect();
        Candidate { positions, random }
    }

    /// D of normal data about 0: z · σ_d²/(σ_d² + σ²).
    fn denoise(candidates: &[Candidate], sigma: f64) -> Result<Denoised> {
        let share = DATA * DATA / (DATA * DATA + sigma * sigma);
        Ok(candidates
            .iter()
            .map(|candidate| candidate.positions.iter().map(|z| share * z).collect())
            .collect())
    }

    /// Relative error of the sampler's end against the ODE's own, z(0) = z(σ)·σ_d/√(σ_d² + σ²).
    fn error(method: Method, levels: usize) -> f64 {
        let sampler = Sampler {
            levels,
            method,
            ..Sampler::default()
        };
        let mut one = [candidate(5, 1, 6.0)];
        let exact: Vec<_> = one[0]
            .positions
            .iter()
            .map(|z| z * DATA / (DATA * DATA + 36.0).sqrt())
            .collect();
        sampler.integrate(&mut one, denoise).unwrap();
        let off: f64 = one[0]
            .positions
            .iter()
            .zip(&exact)
            .map(|(z, exact)| (z - exact).norm_squared())
            .sum();
        (off / exact.iter().map(|exact| exact.norm_squared()).sum::<f64>()).sqrt()
    }

    #[test]
    fn errors_fall_with_the_order_of_the_method() {
        let gain = |method| error(method, 80) / error(method, 160);
        assert!(
            (gain(Method::Euler) / 2.0 - 1.0).abs() <= 0.1,
            "{}",
            gain(Method::Euler)
        );
        // second order at least: terms of it may cancel in so plain a case
        for method in [Method::Heun, Method::Multistep] {
            assert!(
                gain(method) >= 3.5 && error(method, 160) <= 1e-3,
                "{method:?}: {} {}",
                gain(method),
                error(method, 160)
            );
        }
        // at ten levels, where it is used
        assert!(error(Method::Multistep, 10) <= 0.5 * error(Method::Euler, 10));
    }

    #[test]
    fn stirred_samples_have_the_width_of_the_data() {
        let sampler = Sampler {
            levels: 100,
            method: Method::Heun,
            stir: 0.2,
            ..Sampler::default()
        };
        let tokens = 20_000;
        let mut one = [candidate(tokens, 2, (DATA * DATA + 36.0).sqrt())];
        sampler.integrate(&mut one, denoise).unwrap();
        let variance = one[0]
            .positions
            .iter()
            .map(|z| z.norm_squared())
            .sum::<f64>()
            / (3 * tokens) as f64;
        // 60,000 squares of a normal number: a relative standard error of √(2/60,000); 0.01 for the
        // steps
        let error = 4.0 * (2.0 / (3 * tokens) as f64).sqrt() + 0.01;
        assert!(
            (variance / (DATA * DATA) - 1.0).abs() <= error,
            "{variance}"
        );
    }
}
