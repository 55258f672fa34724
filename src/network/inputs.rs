//! What one call of the network is given: systems, positions and noise levels, on the host.

use nalgebra::Vector3;

use super::config::{Config, Regime};
use super::edm::Preconditioning;
use super::network::TOLD;
use super::tokens::Tokens;
use crate::ops::Batch;

/// Unit of the positions that the first layer sees as vectors, Å.
pub(super) const PLACE: f64 = 8.0;

/// One system of a call in the jump regime. Positions are of its tokens, in one frame of reference;
/// Å.
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

/// One system of a call in the next-frame or force regime.
#[derive(Debug, Clone, Copy)]
pub struct PlainInput<'a> {
    /// The molecule.
    pub tokens: &'a Tokens,
    /// Positions of its tokens, Å.
    pub positions: &'a [Vector3<f64>],
    /// Displacement since the frame before, Å, where it is known.
    pub velocity: Option<&'a [Vector3<f64>]>,
}

/// One call of the network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// Systems, edges, centres and scales.
    pub batch: Batch,
    /// Centroid that was taken from each system's positions: the network is translation-equivariant
    /// by construction.
    pub centroids: Vec<Vector3<f64>>,
    /// x, centred, Å; three numbers a token, as the next three.
    pub condition: Vec<f64>,
    /// y, Å: where the answer starts.
    pub candidate: Vec<f64>,
    /// n: the noisy displacement (or the velocity) in units that make it of order one.
    pub noisy: Vec<f64>,
    /// x/8 Å: the positions as vector features.
    pub place: Vec<f64>,
    /// Where the fold, superposed, is from x: of tokens of the backbone, in units that make it of
    /// order one. Zero elsewhere, and for a system without a fold.
    pub fold: Vec<f64>,
    /// Noise levels of each system and, where the network takes several, its lag time, as sines and
    /// cosines of their logarithms.
    pub conditioning: Vec<f64>,
}

impl Inputs {
    /// Systems of the jump regime: y starts at xc + c_skip (xn − xc), and the network sees c_in (xn
    /// − xc).
    ///
    /// # Panics
    /// Where the configuration is of another regime, or lengths differ from the molecule's.
    pub fn jump(config: &Config, systems: &[JumpInput<'_>]) -> Inputs {
        let mut inputs = Inputs::default();
        for system in systems {
            inputs.add(config, system.tokens, system.condition);
        }
        for (index, system) in systems.iter().enumerate() {
            inputs.set_noisy(config, index, system.noisy, system.sigma);
            if let Some(fold) = system.fold.filter(|_| config.fold) {
                let at = inputs.batch.range(index).start * 3;
                let away = system.tokens.away_from_fold(system.condition, fold);
                let values = away.iter().flat_map(|away| away.iter().copied());
                inputs.fold[at..]
                    .iter_mut()
                    .zip(values)
                    .for_each(|(to, value)| *to = value);
            }
            let told =
                &mut inputs.conditioning[index * config.conditioning()..][..config.conditioning()];
            fourier(
                (system.condition_noise + 0.005).ln(),
                &mut told[TOLD..2 * TOLD],
            );
            told[2 * TOLD..]
                .chunks_exact_mut(TOLD)
                .for_each(|lag| fourier(system.lag_time.ln(), lag));
        }
        inputs
    }

    /// Systems of the next-frame or force regime.
    ///
    /// # Panics
    /// Where the configuration is of the jump regime, or lengths differ from the molecule's.
    pub fn plain(config: &Config, systems: &[PlainInput<'_>]) -> Inputs {
        let mut inputs = Inputs::default();
        assert!(
            !matches!(config.regime, Regime::Jump { .. }),
            "not a jump regime"
        );
        let scale = config.regime.system_scale();
        for (index, system) in systems.iter().enumerate() {
            inputs.add(config, system.tokens, system.positions);
            inputs.batch.scale[index] = scale;
            if let Some(velocity) = system.velocity {
                let at = inputs.batch.range(index).start * 3;
                let values = velocity.iter().flat_map(|v| v.iter().map(|x| x / scale));
                inputs.noisy[at..]
                    .iter_mut()
                    .zip(values)
                    .for_each(|(to, value)| *to = value);
            }
        }
        inputs
    }

    /// The same systems with `step` times a displacement, Å, added to the positions of the force
    /// regime; pairs stay what they are. Its mean over each system is left out, which moves nothing
    /// that the network sees.
    ///
    /// # Panics
    /// Where there is not one displacement a token.
    pub fn displaced(&self, displacement: &[Vector3<f64>], step: f64) -> Inputs {
        assert_eq!(
            displacement.len(),
            self.batch.tokens(),
            "one displacement a token"
        );
        let mut moved = self.clone();
        for system in 0..self.systems() {
            let range = self.batch.range(system);
            let mean = crate::structure::centroid(&displacement[range.clone()]);
            for token in range {
                let shift = step * (displacement[token] - mean);
                for h in 0..3 {
                    let at = token * 3 + h;
                    moved.condition[at] += shift[h];
                    moved.candidate[at] += shift[h];
                    moved.place[at] += shift[h] / PLACE;
                }
            }
        }
        moved
    }

    /// Number of systems.
    pub fn systems(&self) -> usize {
        self.batch.systems()
    }

    /// Replaces the noisy candidate and its noise level of one system; the condition and the edges
    /// stay.
    ///
    /// # Panics
    /// Where the configuration is of another regime, or lengths differ.
    pub fn set_noisy(
        &mut self,
        config: &Config,
        system: usize,
        noisy: &[Vector3<f64>],
        sigma: f64,
    ) {
        let Regime::Jump { sigma_data, .. } = config.regime else {
            panic!("the jump regime alone has noise")
        };
        let factors = Preconditioning::new(sigma, sigma_data);
        self.batch.scale[system] = factors.out;
        let range = self.batch.range(system);
        assert_eq!(range.len(), noisy.len(), "one noisy position a token");
        for (token, position) in range.zip(noisy) {
            for h in 0..3 {
                let at = token * 3 + h;
                let displacement = position[h] - self.centroids[system][h] - self.condition[at];
                self.noisy[at] = factors.input * displacement;
                self.candidate[at] = self.condition[at] + factors.skip * displacement;
            }
        }
        fourier(
            sigma.ln(),
            &mut self.conditioning[system * config.conditioning()..][..TOLD],
        );
    }

    /// Appends a system at these positions, still without noise.
    fn add(&mut self, config: &Config, tokens: &Tokens, positions: &[Vector3<f64>]) {
        assert_eq!(tokens.len(), positions.len(), "one position a token");
        let batch = &mut self.batch;
        if batch.offsets.is_empty() {
            batch.offsets.push(0);
            batch.centre_offsets.push(0);
            batch.edges.start.push(0);
        }
        let first = batch.tokens();
        batch.kinds.extend_from_slice(&tokens.kinds);
        batch.offsets.push(first + tokens.len());
        tokens.edges(positions, config.neighbours, first, &mut batch.edges);
        let shifted = tokens.centres.iter().map(|centre| crate::ops::Centre {
            tokens: centre.tokens.map(|t| t + first as u32),
            ..*centre
        });
        batch.centres.extend(shifted);
        batch.centre_offsets.push(batch.centres.len());
        batch.scale.push(1.0);
        let centroid = crate::structure::centroid(positions);
        self.centroids.push(centroid);
        self.condition.extend(
            positions
                .iter()
                .flat_map(|p| (p - centroid).iter().copied().collect::<Vec<_>>()),
        );
        self.candidate
            .extend_from_slice(&self.condition[first * 3..]);
        self.place
            .extend(self.condition[first * 3..].iter().map(|x| x / PLACE));
        self.noisy.resize(self.condition.len(), 0.0);
        self.fold
            .resize(if config.fold { self.condition.len() } else { 0 }, 0.0);
        self.conditioning
            .resize(self.conditioning.len() + config.conditioning(), 0.0);
    }
}

/// Sines, then cosines, of `value` at frequencies 0.35, 0.70, …
fn fourier(value: f64, out: &mut [f64]) {
    let half = out.len() / 2;
    for k in 0..half {
        let angle = value * 0.35 * (k + 1) as f64;
        (out[k], out[half + k]) = (angle.sin(), angle.cos());
    }
}
