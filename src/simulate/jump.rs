//! `Jump`: displacements over a lag time, sampled from a trained network by integrating its
//! probability-flow ODE.

use nalgebra::{Rotation3, Vector3};
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::hydrogens::Hydrogens;
use super::{Clock, Motion, Stepper, Stop, redrawn};
use crate::engine::Engine;
use crate::geometry::noise;
use crate::network::{Inputs, Network, Tokens};
use crate::observe::Probe;
use crate::structure::Frame;
use crate::task::jump::Candidate;
use crate::task::{self, Evaluation, JumpInput, Sampler, Task};
use crate::{Error, Result};

/// A stepper that samples jumps.
pub struct Jump<E: Engine> {
    network: Network<E>,
    task: task::Jump,
    tokens: Tokens,
    hydrogens: Hydrogens,
    sampler: Sampler,
    fold: Option<Vec<Vector3<f64>>>,
    /// Time over which the fold follows the frames, ps; none: it stays as it is.
    memory: Option<f64>,
    /// How strongly it is kept to; 1: as the network has learnt.
    strength: f64,
    lag_time: f64,
    seed: u64,
    attempt: u64,
    first_replica: u64,
    stop: Stop,
}

impl<E: Engine> Jump<E> {
    /// Jumps of the molecule `tokens` with a network trained for them. `hydrogens` ride on the
    /// heavy atoms. Replica `r` of a step call draws the random numbers of replica `first_replica +
    /// r`.
    pub fn new(
        network: Network<E>,
        task: task::Jump,
        tokens: Tokens,
        hydrogens: Hydrogens,
        sampler: Sampler,
        seed: u64,
        first_replica: u64,
    ) -> Self {
        Jump {
            network,
            task,
            tokens,
            hydrogens,
            sampler,
            fold: None,
            memory: None,
            strength: 1.0,
            lag_time: task.lag_time,
            seed,
            attempt: 0,
            first_replica,
            stop: Stop::never(),
        }
    }

    /// The same over another lag time, ps.
    ///
    /// # Errors
    /// [`Error::Usage`] where the model was not trained for it.
    pub fn with_lag_time(self, lag_time: f64) -> Result<Self> {
        let [shortest, longest] = self.task.lag_range.unwrap_or([self.task.lag_time; 2]);
        if !(shortest..=longest).contains(&lag_time) {
            let what = format!("this model makes no jumps of {lag_time} ps");
            let one = shortest == longest;
            return Err(Error::usage(
                what,
                if one {
                    format!("{shortest}ps, its own")
                } else {
                    format!("{shortest}ps to {longest}ps")
                },
            ));
        }
        Ok(Jump { lag_time, ..self })
    }

    /// The same, keeping to the fold that the molecule has at `positions` (of all atoms). Models
    /// that know of no fold go without.
    pub fn with_fold(self, positions: &[Vector3<f64>]) -> Self {
        let fold = Some(self.tokens.positions(positions)).filter(|_| self.task.fold);
        Jump { fold, ..self }
    }

    /// The same, with a fold that follows the frames: their running mean, in which those of a time
    /// t ago weigh exp(−t/`memory`), ps, and the fold of the start what is left.
    pub fn with_memory(self, memory: f64) -> Self {
        Jump {
            memory: Some(memory),
            ..self
        }
    }

    /// The same, keeping to its fold so strongly: what the network answers with the fold and
    /// without it is extrapolated, D = D₀ + `strength` (D₁ − D₀), at two evaluations for one; 1 is
    /// what it has learnt, and costs nothing (classifier-free guidance: Ho & Salimans 2022, eq. 6).
    pub fn with_strength(self, strength: f64) -> Self {
        Jump { strength, ..self }
    }

    /// Whether it keeps to a fold.
    pub fn keeps_fold(&self) -> bool {
        self.fold.is_some()
    }

    /// Whether it keeps to its fold otherwise than the network has learnt.
    fn is_guided(&self) -> bool {
        self.keeps_fold() && self.strength != 1.0
    }

    /// The molecule as the network sees it.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The network.
    pub fn network(&self) -> &Network<E> {
        &self.network
    }

    /// Jumps of a group of replicas: new positions of the tokens, replica by replica.
    fn sample<'a>(&'a self, replicas: &'a [Frame], first: u64) -> Result<Vec<Vec<Vector3<f64>>>> {
        let (mut conditions, mut jumps) = (Vec::new(), Vec::new());
        let fold = |frame: &'a Frame| frame.mean.as_deref().or(self.fold.as_deref());
        let folds: Vec<_> = replicas.iter().map(fold).collect();
        for (replica, frame) in (first..).zip(replicas) {
            let (condition, jump) = self.start(frame, replica);
            conditions.push(condition);
            jumps.push(jump);
        }
        let mut inputs = self.inputs(&conditions, &folds);
        let mut free =
            (self.is_guided()).then(|| self.inputs(&conditions, &vec![None; folds.len()]));
        self.sampler.integrate(&mut jumps, |jumps, sigma| {
            if self.stop.is_asked() {
                return Err(Stop::interrupted(replicas[0].step));
            }
            let mut denoised = self.denoise(&mut inputs, jumps, sigma)?;
            if let Some(free) = &mut free {
                let free = self.denoise(free, jumps, sigma)?;
                let pairs = denoised.iter_mut().zip(&free);
                pairs.for_each(|(kept, free)| *kept = free + self.strength * (*kept - free));
            }
            Ok(denoised
                .chunks_exact(self.tokens.len())
                .map(<[_]>::to_vec)
                .collect())
        })?;
        Ok(jumps.into_iter().map(|jump| jump.positions).collect())
    }

    /// Denoised positions of the tokens of all candidates, one behind the other.
    fn denoise(
        &self,
        inputs: &mut Inputs,
        jumps: &[Candidate],
        sigma: f64,
    ) -> Result<Vec<Vector3<f64>>> {
        for (system, jump) in jumps.iter().enumerate() {
            self.task.set_noisy(inputs, system, &jump.positions, sigma);
        }
        Task::Jump(self.task).predict(&self.network, inputs)
    }

    /// Jumps of a group of replicas, the first of which is number `first` of the call.
    fn advance(&self, frames: &mut [Frame], first: usize) -> Result<()> {
        frames.iter_mut().for_each(|frame| self.follow(frame));
        let sampled = self.sample(frames, self.first_replica + first as u64)?;
        for (frame, positions) in frames.iter_mut().zip(sampled) {
            for (&atom, position) in self.tokens.atoms.iter().zip(positions) {
                frame.positions[atom] = position;
            }
            self.hydrogens.place(&mut frame.positions);
            frame.velocities = None;
            frame.step += 1;
            frame.time += self.lag_time;
        }
        Ok(())
    }

    /// Takes a frame into the running mean that it carries, where the fold follows the frames.
    fn follow(&self, frame: &mut Frame) {
        let (Some(memory), Some(start)) = (self.memory, &self.fold) else {
            return;
        };
        let share = 1.0 - (-self.lag_time / memory).exp();
        let mean = frame.mean.get_or_insert_with(|| start.clone());
        let positions = self.tokens.positions(&frame.positions);
        self.tokens.draw_fold(mean, &positions, share);
    }

    /// The condition of a jump and its noisy candidate.
    fn start(&self, frame: &Frame, replica: u64) -> (Vec<Vector3<f64>>, Candidate) {
        let mut random = noise::generator(self.seed, self.attempt, replica, frame.step);
        let x = self.tokens.positions(&frame.positions);
        let mut add = |to: &[Vector3<f64>], size: f64| -> Vec<Vector3<f64>> {
            to.iter()
                .zip(noise::centred(&mut random, to.len()))
                .map(|(x, n)| x + size * n)
                .collect()
        };
        let condition = add(&x, self.sampler.condition_noise);
        let positions = add(&condition, self.sampler.high);
        (condition, Candidate { positions, random })
    }

    /// What the network is given.
    fn inputs(
        &self,
        conditions: &[Vec<Vector3<f64>>],
        folds: &[Option<&[Vector3<f64>]>],
    ) -> Inputs {
        let Sampler {
            condition_noise,
            high: sigma,
            ..
        } = self.sampler;
        let tokens = &self.tokens;
        let systems = conditions
            .iter()
            .zip(folds)
            .map(|(condition, &fold)| JumpInput {
                tokens,
                condition,
                noisy: condition,
                sigma,
                condition_noise,
                fold,
                lag_time: self.lag_time,
            });
        let neighbours = self.network.program().neighbours;
        self.task.inputs(neighbours, &systems.collect::<Vec<_>>())
    }

    /// One evaluation of the network, with all that it computed.
    fn evaluate(
        &self,
        condition: &[Vector3<f64>],
        noisy: &[Vector3<f64>],
        sigma: f64,
    ) -> Result<Evaluation<E>> {
        let input = JumpInput {
            tokens: &self.tokens,
            condition,
            noisy,
            sigma,
            condition_noise: self.sampler.condition_noise,
            fold: self.fold.as_deref(),
            lag_time: self.lag_time,
        };
        let neighbours = self.network.program().neighbours;
        let inputs = self.task.inputs(neighbours, &[input]);
        Task::Jump(self.task).forward(&self.network, &inputs)
    }
}

impl<E: Engine> Stepper for Jump<E> {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        let group = (self.network.engine().group() / self.tokens.len()).max(1);
        let this = &*self;
        replicas
            .par_chunks_mut(group)
            .enumerate()
            .try_for_each(|(index, frames)| this.advance(frames, index * group))
    }

    fn heed(&mut self, stop: &Stop) {
        self.stop = stop.clone();
    }

    fn begin(&mut self, start: &[Vector3<f64>]) {
        self.hydrogens.take_from(start);
        if let Some(fold) = &mut self.fold {
            *fold = self.tokens.positions(start);
        }
    }

    fn redraw(&mut self, replica: usize, draw: u64, frame: &mut Frame) -> Result<()> {
        let attempt = self.attempt;
        self.attempt = redrawn(attempt, draw);
        let drawn = self.advance(std::slice::from_mut(frame), replica);
        self.attempt = attempt;
        drawn
    }

    fn clock(&self) -> Clock {
        Clock::Jumps(self.lag_time)
    }

    fn motion(&self) -> Option<Motion> {
        None
    }

    fn identity(&self) -> Map<String, Value> {
        let mut identity = Map::from_iter([
            ("time step (ps)".to_owned(), json!(self.lag_time)),
            ("sampler".to_owned(), json!(self.sampler)),
            ("keeps its fold".to_owned(), self.keeps_fold().into()),
        ]);
        if let Some(memory) = self.memory {
            identity.insert("memory of its fold (ps)".to_owned(), json!(memory));
        }
        if self.strength != 1.0 {
            identity.insert("strength of its fold".to_owned(), json!(self.strength));
        }
        identity
    }

    fn describe(&self) -> String {
        let Sampler { levels, method, .. } = self.sampler;
        let fold = match (self.keeps_fold(), self.memory) {
            (false, _) => String::new(),
            (true, None) => ", keeping to the fold of the start".to_owned(),
            (true, Some(memory)) => {
                format!(", keeping to the mean of their own last {memory} ps as fold")
            }
        };
        format!(
            "jumps of {} ps by a network of {} weights on {}, {method:?} with {levels} noise \
             levels ({} evaluations a jump){fold}",
            self.lag_time,
            self.network.parameter_count(),
            self.network.engine().name(),
            self.sampler.evaluations() * if self.is_guided() { 2 } else { 1 }
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
    /// One evaluation at each of three noise levels, of the frame and of the moved frame with the
    /// same noise, moved along.
    fn equivariance(
        &self,
        frame: &Frame,
        rotation: &Rotation3<f64>,
        translation: &Vector3<f64>,
    ) -> Result<(f64, String)> {
        let mut rng = noise::generator(self.seed, self.attempt, u64::MAX, frame.step);
        let condition = self.tokens.positions(&frame.positions);
        let moved = |points: &[Vector3<f64>]| {
            points
                .iter()
                .map(|p| rotation * p + translation)
                .collect::<Vec<_>>()
        };
        let moved_condition = moved(&condition);
        let mut worst = 0.0f64;
        let mut op = (0.0f64, String::new());
        for sigma in [0.05, 0.5, 2.0] {
            let noise = noise::centred(&mut rng, condition.len());
            let noisy: Vec<_> = condition
                .iter()
                .zip(noise)
                .map(|(x, n)| x + sigma * n)
                .collect();
            let plain = self.evaluate(&condition, &noisy, sigma)?;
            let other = self.evaluate(&moved_condition, &moved(&noisy), sigma)?;
            let sum = |terms: &mut dyn Iterator<Item = Vector3<f64>>| {
                terms.map(|v| v.norm_squared()).sum::<f64>()
            };
            let difference = sum(&mut moved(&plain.answer)
                .iter()
                .zip(&other.answer)
                .map(|(a, b)| a - b));
            let size = sum(&mut plain.answer.iter().zip(&condition).map(|(a, b)| a - b));
            let error = (difference / size).sqrt();
            worst = if error.is_nan() {
                f64::INFINITY
            } else {
                worst.max(error)
            };
            let (plain, other) = (&plain.activations, &other.activations);
            for (name, error) in self.network.equivariance_errors(plain, other, rotation)? {
                if error > op.0 {
                    op = (error, name);
                }
            }
        }
        Ok((worst, op.1))
    }
}
