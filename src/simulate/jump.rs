//! `Jump`: displacements over a lag time, sampled from a trained network by integrating its probability-flow ODE.

use nalgebra::{Rotation3, Vector3};
use rayon::prelude::*;

use super::hydrogens::Hydrogens;
use super::{Stepper, noise};
use crate::engine::Engine;
use crate::model::edm::noise_levels;
use crate::model::{Config, Inputs, JumpInput, Model, Regime, Tokens};
use crate::observe::Probe;
use crate::structure::Frame;
use crate::{Error, Result};

/// How a jump is sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// Noise levels, from `high` to `low`.
    pub levels: usize,
    /// Largest noise level, Å.
    pub high: f64,
    /// Smallest noise level, Å.
    pub low: f64,
    /// Whether each step is corrected at its end (Heun, 2 · levels − 1 evaluations) or not (Euler, `levels` evaluations).
    pub heun: bool,
    /// Noise on the condition, Å: within what the network was trained on, it lets it correct its own errors.
    pub condition_noise: f64,
}

impl Default for Sampler {
    fn default() -> Self {
        Sampler { levels: 10, high: 6.0, low: 0.01, heun: true, condition_noise: 0.03 }
    }
}

impl Sampler {
    /// Evaluations of the network for one jump.
    pub fn evaluations(&self) -> usize {
        if self.heun { 2 * self.levels - 1 } else { self.levels }
    }
}

/// A stepper that samples jumps.
pub struct Jump<E: Engine> {
    model: Model<E>,
    tokens: Tokens,
    hydrogens: Hydrogens,
    sampler: Sampler,
    lag_time: f64,
    seed: u64,
    attempt: u64,
    first_replica: u64,
}

impl<E: Engine> Jump<E> {
    /// Jumps of the molecule `tokens` with a model of the jump regime. `hydrogens` ride on the heavy atoms.
    /// Replica `r` of a step call draws the random numbers of replica `first_replica + r`.
    ///
    /// # Errors
    /// [`Error::Usage`] where the model is of another regime.
    pub fn new(model: Model<E>, tokens: Tokens, hydrogens: Hydrogens, sampler: Sampler, seed: u64, first_replica: u64) -> Result<Self> {
        let Regime::Jump { lag_time, .. } = model.config().regime else {
            return Err(Error::usage("this model does not sample jumps", "use a model trained with objective = \"jump\""));
        };
        Ok(Jump { model, tokens, hydrogens, sampler, lag_time, seed, attempt: 0, first_replica })
    }

    /// The molecule as the network sees it.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The network.
    pub fn model(&self) -> &Model<E> {
        &self.model
    }

    /// Jumps of a group of replicas: new positions of the tokens, replica by replica.
    fn sample(&self, replicas: &[Frame], first: u64) -> Result<Vec<Vec<Vector3<f64>>>> {
        let mut jumps: Vec<State> = (first..).zip(replicas).map(|(replica, frame)| self.start(frame, replica)).collect();
        let levels = noise_levels(self.sampler.levels, self.sampler.high, self.sampler.low);
        let mut inputs = self.inputs(&jumps, levels[0]);
        for level in levels.windows(2) {
            let (sigma, next) = (level[0], level[1]);
            let slopes = self.slopes(&mut inputs, &jumps, sigma)?;
            let start: Vec<Vec<Vector3<f64>>> = jumps.iter().map(|jump| jump.noisy.clone()).collect();
            jumps.iter_mut().zip(&slopes).for_each(|(jump, slope)| jump.advance(slope, next - sigma));
            if self.sampler.heun && next > 0.0 {
                let corrected = self.slopes(&mut inputs, &jumps, next)?;
                for (((jump, start), a), b) in jumps.iter_mut().zip(start).zip(&slopes).zip(&corrected) {
                    jump.noisy = start;
                    let mean: Vec<_> = a.iter().zip(b).map(|(a, b)| 0.5 * (a + b)).collect();
                    jump.advance(&mean, next - sigma);
                }
            }
        }
        Ok(jumps.into_iter().map(|jump| jump.noisy).collect())
    }

    fn start(&self, frame: &Frame, replica: u64) -> State {
        let mut rng = noise::generator(self.seed, self.attempt, replica, frame.step);
        let x = self.tokens.positions(&frame.positions);
        let mut add = |to: &[Vector3<f64>], size: f64| -> Vec<Vector3<f64>> {
            to.iter().zip(noise::centred(&mut rng, to.len())).map(|(x, n)| x + size * n).collect()
        };
        let condition = add(&x, self.sampler.condition_noise);
        let noisy = add(&condition, self.sampler.high);
        State { condition, noisy }
    }

    fn inputs(&self, jumps: &[State], sigma: f64) -> Inputs {
        let (tokens, condition_noise) = (&self.tokens, self.sampler.condition_noise);
        let systems: Vec<JumpInput<'_>> =
            jumps.iter().map(|State { condition, noisy }| JumpInput { tokens, condition, noisy, sigma, condition_noise }).collect();
        Inputs::jump(self.model.config(), &systems)
    }

    /// dz/dσ = (z − D(z, σ))/σ of every jump.
    fn slopes(&self, inputs: &mut Inputs, jumps: &[State], sigma: f64) -> Result<Vec<Vec<Vector3<f64>>>> {
        let config: &Config = self.model.config();
        jumps.iter().enumerate().for_each(|(system, jump)| inputs.set_noisy(config, system, &jump.noisy, sigma));
        let denoised = self.model.predict(inputs)?;
        let slope = |(jump, clean): (&State, &[Vector3<f64>])| jump.noisy.iter().zip(clean).map(|(z, d)| (z - d) / sigma).collect();
        Ok(jumps.iter().zip(denoised.chunks_exact(self.tokens.len())).map(slope).collect())
    }
}

/// One jump being sampled: positions of its tokens, Å.
struct State {
    condition: Vec<Vector3<f64>>,
    noisy: Vec<Vector3<f64>>,
}

impl State {
    fn advance(&mut self, slope: &[Vector3<f64>], by: f64) {
        self.noisy.iter_mut().zip(slope).for_each(|(z, slope)| *z += by * slope);
    }
}

impl<E: Engine> Stepper for Jump<E> {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        let group = (self.model.engine().group() / self.tokens.len()).max(1);
        let this = &*self;
        let advance = |(index, frames): (usize, &mut [Frame])| -> Result<()> {
            let positions = this.sample(frames, this.first_replica + (index * group) as u64)?;
            for (frame, positions) in frames.iter_mut().zip(positions) {
                this.tokens.atoms.iter().zip(positions).for_each(|(&atom, position)| frame.positions[atom] = position);
                this.hydrogens.place(&mut frame.positions);
                frame.velocities = None;
                frame.step += 1;
                frame.time += this.lag_time;
            }
            Ok(())
        };
        replicas.par_chunks_mut(group).enumerate().try_for_each(advance)
    }

    fn time_step(&self) -> f64 {
        self.lag_time
    }

    fn describe(&self) -> String {
        let Sampler { levels, heun, .. } = self.sampler;
        let method = if heun { "Heun" } else { "Euler" };
        format!(
            "jumps of {} ps by a G-Hyena network of {} weights on {}, {method} with {levels} noise levels ({} evaluations a jump)",
            self.lag_time,
            self.model.parameter_count(),
            self.model.engine().name(),
            self.sampler.evaluations()
        )
    }

    fn reseed(&mut self, attempt: u64) {
        self.attempt = attempt;
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

impl<E: Engine> Probe for Jump<E> {
    /// One evaluation at each of three noise levels, of the frame and of the moved frame with the same noise, moved along.
    fn equivariance(&self, frame: &Frame, rotation: &Rotation3<f64>, translation: &Vector3<f64>) -> Result<(f64, String)> {
        let mut rng = noise::generator(self.seed, self.attempt, u64::MAX, frame.step);
        let condition = self.tokens.positions(&frame.positions);
        let moved = |points: &[Vector3<f64>]| points.iter().map(|p| rotation * p + translation).collect::<Vec<_>>();
        let moved_condition = moved(&condition);
        let (mut worst, mut op) = (0.0f64, (0.0f64, String::new()));
        for sigma in [0.05, 0.5, 2.0] {
            let noise = noise::centred(&mut rng, condition.len());
            let noisy: Vec<_> = condition.iter().zip(noise).map(|(x, n)| x + sigma * n).collect();
            let run = |condition: &[Vector3<f64>], noisy: &[Vector3<f64>]| {
                let input = JumpInput { tokens: &self.tokens, condition, noisy, sigma, condition_noise: self.sampler.condition_noise };
                self.model.forward(&Inputs::jump(self.model.config(), &[input]))
            };
            let plain = run(&condition, &noisy)?;
            let other = run(&moved_condition, &moved(&noisy))?;
            let sum = |terms: &mut dyn Iterator<Item = Vector3<f64>>| terms.map(|v| v.norm_squared()).sum::<f64>();
            let difference = sum(&mut moved(&plain.answer).iter().zip(&other.answer).map(|(a, b)| a - b));
            let size = sum(&mut plain.answer.iter().zip(&condition).map(|(a, b)| a - b));
            let error = (difference / size).sqrt();
            worst = if error.is_nan() { f64::INFINITY } else { worst.max(error) };
            for (name, error) in self.model.equivariance_errors(&plain, &other, rotation)? {
                if error > op.0 {
                    op = (error, name);
                }
            }
        }
        Ok((worst, op.1))
    }
}
