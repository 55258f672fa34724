//! `jump`: positions a lag time later, sampled by taking noise away (EDM, Karras et al. 2022).

pub mod edm;
mod objective;
mod sampler;
mod settings;

pub use objective::{BANDS, band};
pub use sampler::{Candidate, Denoised, Method, Sampler};
pub use settings::{Settings, Usual};

use std::fmt;

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::{Own, Sample};
use crate::network::{Answer, Given, Inputs, Interface, TOLD, Tokens};
use crate::{Error, Result};
use edm::Preconditioning;

pub(super) const NAME: &str = "jump";

/// What the conditioning tells, in this order: noise levels of the candidate and of the condition,
/// and the lag time where the network takes several.
const SIGMA: usize = 0;
const CONDITION_NOISE: usize = 1;
const LAG_TIME: usize = 2;

/// The task `jump`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// Physical time of one step, ps, where no other is asked for.
    pub lag_time: f64,
    /// Standard deviation of the displacement over the lag times of the training, Å.
    pub sigma_data: f64,
    /// Shortest and longest lag time of the training, ps, of a network that is told the lag time;
    /// none: it knows `lag_time` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_range: Option<[f64; 2]>,
    /// Whether the network is also given the fold that a protein keeps to ([`JumpInput::fold`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fold: bool,
}

/// One system of a call. Positions are of its tokens, in one frame of reference; Å.
#[derive(Debug, Clone, Copy)]
pub struct JumpInput<'a> {
    /// The molecule.
    pub tokens: &'a Tokens,
    /// xc: the positions at the start of the jump, with their small noise.
    pub condition: &'a [Vector3<f64>],
    /// xn: the noisy candidate of the positions at its end.
    pub noisy: &'a [Vector3<f64>],
    /// Noise level σ of the candidate, Å.
    pub sigma: f64,
    /// Noise level s of the condition, Å.
    pub condition_noise: f64,
    /// The fold that the protein keeps to: positions of all its tokens, of which those of the
    /// backbone count, in any frame of reference. Only a network that is given one looks at it, and
    /// it has to do without where there is none.
    pub fold: Option<&'a [Vector3<f64>]>,
    /// Physical time of the jump, ps; only a network that takes several is told.
    pub lag_time: f64,
}

impl Jump {
    /// Systems of a call: y starts at xc + c_skip (xn − xc), and the network sees c_in (xn − xc).
    ///
    /// # Panics
    /// Where lengths differ from the molecule's.
    pub fn inputs(&self, neighbours: usize, systems: &[JumpInput<'_>]) -> Inputs {
        let places = systems
            .iter()
            .map(|system| (system.tokens, system.condition));
        let mut inputs = Inputs::at(&Own::interface(self), neighbours, places);
        for (index, system) in systems.iter().enumerate() {
            self.set_noisy(&mut inputs, index, system.noisy, system.sigma);
            if let Some(fold) = system.fold.filter(|_| self.fold) {
                let away = system.tokens.away_from_fold(system.condition, fold);
                inputs.set(Given::Fold, index, &away, 1.0);
            }
            let noise = (system.condition_noise + 0.005).ln();
            inputs.tell(index, CONDITION_NOISE, noise);
            if self.lag_range.is_some() {
                inputs.tell(index, LAG_TIME, system.lag_time.ln());
            }
        }
        inputs
    }

    /// Replaces the noisy candidate and its noise level of one system; the condition and the edges
    /// stay.
    ///
    /// # Panics
    /// Where lengths differ.
    pub fn set_noisy(
        &self,
        inputs: &mut Inputs,
        system: usize,
        noisy: &[Vector3<f64>],
        sigma: f64,
    ) {
        let factors = Preconditioning::new(sigma, self.sigma_data);
        inputs.batch.scale[system] = factors.out;
        let range = inputs.batch.range(system);
        assert_eq!(range.len(), noisy.len(), "one noisy position a token");
        let condition = &inputs[Given::Condition][3 * range.start..3 * range.end];
        let from = condition.chunks_exact(3).map(Vector3::from_column_slice);
        let middle = inputs.centroids[system];
        let (mut moves, mut candidate) = (Vec::new(), Vec::new());
        for (from, position) in from.zip(noisy) {
            let displacement = position - middle - from;
            candidate.push(from + factors.skip * displacement);
            moves.push(displacement);
        }
        inputs.set(Given::Noisy, system, &moves, factors.input);
        inputs.set(Given::Candidate, system, &candidate, 1.0);
        inputs.tell(system, SIGMA, sigma.ln());
    }
}

impl Own for Jump {
    fn check(&self) -> Result<()> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let [shortest, longest] = self.lag_range.unwrap_or([self.lag_time; 2]);
        let within = shortest <= self.lag_time && self.lag_time <= longest;
        if positive(shortest) && longest.is_finite() && within && positive(self.sigma_data) {
            return Ok(());
        }
        Err(Error::usage(
            "jump: lag times or scale are out of range",
            "use positive times and scales",
        ))
    }

    fn interface(&self) -> Interface {
        let mut given = vec![
            Given::Candidate,
            Given::Condition,
            Given::Noisy,
            Given::Place,
            Given::Conditioning,
        ];
        given.extend(self.fold.then_some(Given::Fold));
        let told = if self.lag_range.is_some() { 3 } else { 2 };
        Interface {
            given,
            conditioning: told * TOLD,
            answer: Answer::Positions,
        }
    }

    fn lag_times(&self) -> Option<[f64; 2]> {
        Some(self.lag_range.unwrap_or([self.lag_time; 2]))
    }

    fn inputs(&self, neighbours: usize, samples: &[(&Tokens, &Sample)]) -> Inputs {
        let systems: Vec<JumpInput<'_>> = samples
            .iter()
            .map(|(tokens, sample)| {
                let given = sample.denoising.as_ref();
                let given = given.expect("samples of a jump are noisy");
                JumpInput {
                    tokens,
                    condition: &sample.condition,
                    noisy: &given.noisy,
                    sigma: given.sigma,
                    condition_noise: given.condition_noise,
                    fold: given.fold.as_deref(),
                    lag_time: given.lag_time,
                }
            })
            .collect();
        Jump::inputs(self, neighbours, &systems)
    }
}

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = self.lag_range.map_or(String::new(), |[shortest, longest]| {
            format!(", or {shortest} to {longest} ps")
        });
        write!(
            f,
            "jump: samples positions {} ps{range} later (data: {:.4} Å)",
            self.lag_time, self.sigma_data
        )
    }
}
