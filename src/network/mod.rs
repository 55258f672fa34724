//! The network: configuration, weights, forward and backward.

mod config;
mod conservative;
pub mod edm;
mod file;
mod inputs;
mod neighbours;
mod network;
mod program;
mod tokens;

pub use config::{Config, Form, LongRange, Regime};
pub use conservative::FORCE_STEP;
pub use file::{DataFile, Header, Provenance, SCHEMA, SHIPPED};
pub use inputs::{Inputs, JumpInput, PlainInput};
pub use network::{Network, TOLD};
pub use program::{Builder, Program};
pub use tokens::{Tokens, VOCABULARY};

use nalgebra::{Rotation3, Vector3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::Result;
use crate::engine::Engine;
use crate::ops::Init;

/// A network with its weights on an engine.
pub struct Model<E: Engine> {
    config: Config,
    network: Network,
    engine: E,
    params: Vec<E::Buffer>,
    /// For every call the slots that die with it, when only the answer is wanted.
    dead: Vec<Vec<usize>>,
}

/// Everything that a forward call computed, as backward needs it.
pub struct Activations<E: Engine> {
    slots: Vec<E::Buffer>,
    /// The answer: positions (jump, next frame) or forces, one a token, all systems one after the
    /// other.
    pub answer: Vec<Vector3<f64>>,
    /// The energy of every system, kJ/mol up to a constant of the molecule; of conservative forces
    /// alone.
    pub energies: Vec<f64>,
}

/// What a backward call computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// Of all parameters, one after the other, in [`Model::parameters`]' order.
    pub params: Vec<f64>,
    /// Of the candidate positions y that the network starts from.
    pub candidate: Vec<Vector3<f64>>,
    /// Of the condition x.
    pub condition: Vec<Vector3<f64>>,
    /// Of the positions that the first layer sees as vectors, in their unit (8 Å).
    pub place: Vec<Vector3<f64>>,
}

impl<E: Engine> Model<E> {
    /// A network with random weights.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] where the configuration is unsound, [`crate::Error::Device`] where
    /// the engine has no memory.
    pub fn initial(config: Config, engine: E, seed: u64) -> Result<Self> {
        config.check()?;
        let network = Network::new(&config);
        let mut values = Vec::new();
        for (stream, (_, shape)) in network.program.params.iter().enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream as u64);
            let len = shape.size[0] * shape.size[1];
            match shape.init {
                Init::Constant(value) => values.resize(values.len() + len, value),
                Init::Normal { gain } => {
                    let deviation = gain / (shape.size[0] as f64).sqrt();
                    values
                        .extend((0..len).map(|_| deviation * rng.sample::<f64, _>(StandardNormal)));
                }
            }
        }
        Self::with_parameters(config, engine, &values)
    }

    /// A network with these weights, one after the other in the order of its program.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] where the configuration is unsound, [`crate::Error::Device`] where
    /// the engine has no memory.
    ///
    /// # Panics
    /// Where the number of weights is not the network's.
    pub fn with_parameters(config: Config, engine: E, values: &[f64]) -> Result<Self> {
        config.check()?;
        let network = Network::new(&config);
        let dead = network.program.last_uses(&[network.answer]);
        let mut model = Model {
            config,
            network,
            engine,
            params: Vec::new(),
            dead,
        };
        model.set_parameters(values)?;
        Ok(model)
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }
    /// The network's program.
    pub fn network(&self) -> &Network {
        &self.network
    }
    /// The engine that it runs on.
    pub fn engine(&self) -> &E {
        &self.engine
    }
    /// Number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.network
            .program
            .params
            .iter()
            .map(|(_, shape)| shape.size[0] * shape.size[1])
            .sum()
    }

    /// All weights, one after the other in the order of the program.
    pub fn parameters(&self) -> Result<Vec<f64>> {
        let buffers: Vec<Vec<f64>> = self
            .params
            .iter()
            .map(|buffer| self.engine.download(buffer))
            .collect::<Result<_>>()?;
        Ok(buffers.concat())
    }

    /// Replaces all weights.
    ///
    /// # Panics
    /// Where the number of weights is not the network's.
    pub fn set_parameters(&mut self, values: &[f64]) -> Result<()> {
        assert_eq!(values.len(), self.parameter_count(), "number of weights");
        let mut rest = values;
        let mut next = |len: usize| {
            let (first, other) = rest.split_at(len);
            rest = other;
            self.engine.upload(first)
        };
        self.params = self
            .network
            .program
            .params
            .iter()
            .map(|(_, shape)| next(shape.size[0] * shape.size[1]))
            .collect::<Result<_>>()?;
        Ok(())
    }

    /// The answer alone: positions (jump, next frame) or forces of all tokens, Å or kJ/mol/Å.
    /// Memory O(tokens × channels).
    ///
    /// Conservative forces are the exception: they need what the layers computed, as
    /// [`Model::forward`] keeps it.
    pub fn predict(&self, inputs: &Inputs) -> Result<Vec<Vector3<f64>>> {
        if self.config.regime.is_conservative() {
            return Ok(self.forward(inputs)?.answer);
        }
        Ok(self.answer(inputs, &self.run(inputs, false)?.1))
    }

    /// Runs forward and keeps what backward needs.
    pub fn forward(&self, inputs: &Inputs) -> Result<Activations<E>> {
        let (slots, flat) = self.run(inputs, true)?;
        if self.config.regime.is_conservative() {
            let answer = self.forces(inputs, &slots)?;
            return Ok(Activations {
                slots,
                answer,
                energies: self.in_units(&flat),
            });
        }
        Ok(Activations {
            slots,
            answer: self.answer(inputs, &flat),
            energies: Vec::new(),
        })
    }

    /// All slots, of which only the answer's is whole where they are not to be kept, and the
    /// answer's on the host.
    fn run(&self, inputs: &Inputs, keep: bool) -> Result<(Vec<E::Buffer>, Vec<f64>)> {
        let program = &self.network.program;
        let batch = self.engine.prepare(&inputs.batch)?;
        let mut slots: Vec<Option<E::Buffer>> = (0..program.slots.len()).map(|_| None).collect();
        for (slot, values) in self.host_inputs(inputs) {
            slots[slot] = Some(self.engine.upload(values)?);
        }
        let mut slots: Vec<E::Buffer> = slots
            .into_iter()
            .map(|slot| slot.map_or_else(|| self.engine.zeros(0), Ok))
            .collect::<Result<_>>()?;
        let mut free: Vec<(usize, E::Buffer)> = Vec::new();
        for (call, dead) in program.calls.iter().zip(&self.dead) {
            for &slot in &call.outputs {
                let len = program.slots[slot].len(&inputs.batch);
                let reusable = free.iter().position(|(size, _)| *size == len);
                slots[slot] = reusable
                    .map_or_else(|| self.engine.scratch(len), |at| Ok(free.swap_remove(at).1))?;
            }
            self.engine
                .forward(call, &batch, &self.params, &mut slots)?;
            for &slot in dead.iter().filter(|_| !keep) {
                let buffer = std::mem::replace(&mut slots[slot], self.engine.zeros(0)?);
                free.push((program.slots[slot].len(&inputs.batch), buffer));
            }
        }
        let answer = self.engine.download(&slots[self.network.answer])?;
        Ok((slots, answer))
    }

    /// Runs backward from the gradient of the answer. That of conservative forces takes central
    /// differences along them ([`Model::backward_of_forces`]).
    ///
    /// # Panics
    /// Where `d_answer` has not one vector a token.
    pub fn backward(
        &self,
        inputs: &Inputs,
        activations: &Activations<E>,
        d_answer: &[Vector3<f64>],
    ) -> Result<Gradients> {
        assert_eq!(
            d_answer.len(),
            inputs.batch.tokens(),
            "one gradient a token"
        );
        if self.config.regime.is_conservative() {
            return self.backward_of_forces(inputs, d_answer, FORCE_STEP);
        }
        let unit = self.config.regime.answer_unit();
        let flat: Vec<f64> = d_answer
            .iter()
            .flat_map(|d| [d.x * unit, d.y * unit, d.z * unit])
            .collect();
        self.pull(inputs, &activations.slots, &flat)
    }

    /// Runs backward from the gradient of the answer's slot.
    fn pull(&self, inputs: &Inputs, slots: &[E::Buffer], d_answer: &[f64]) -> Result<Gradients> {
        let program = &self.network.program;
        let batch = self.engine.prepare(&inputs.batch)?;
        let mut d_slots: Vec<E::Buffer> = (0..program.slots.len())
            .map(|_| self.engine.zeros(0))
            .collect::<Result<_>>()?;
        d_slots[self.network.answer] = self.engine.upload(d_answer)?;
        let sizes = program
            .params
            .iter()
            .map(|(_, shape)| shape.size[0] * shape.size[1]);
        let mut d_params: Vec<E::Buffer> = sizes
            .map(|len| self.engine.zeros(len))
            .collect::<Result<_>>()?;
        // A gradient begins where it is first added to, and ends with the call that wrote its slot:
        // every slot is written once.
        let mut begun = vec![false; program.slots.len()];
        begun[self.network.answer] = true;
        let mut free: Vec<(usize, E::Buffer)> = Vec::new();
        for call in program.calls.iter().rev() {
            for &slot in call.inputs.iter().chain(&call.outputs) {
                if !std::mem::replace(&mut begun[slot], true) {
                    let len = program.slots[slot].len(&inputs.batch);
                    let reusable = free.iter().position(|(size, _)| *size == len);
                    d_slots[slot] = match reusable {
                        Some(at) => self.engine.zeros_in(free.swap_remove(at).1, len)?,
                        None => self.engine.zeros(len)?,
                    };
                }
            }
            self.engine.backward(
                call,
                &batch,
                &self.params,
                slots,
                &mut d_slots,
                &mut d_params,
            )?;
            for &slot in &call.outputs {
                let buffer = std::mem::replace(&mut d_slots[slot], self.engine.zeros(0)?);
                free.push((program.slots[slot].len(&inputs.batch), buffer));
            }
        }
        let params: Vec<Vec<f64>> = d_params
            .iter()
            .map(|buffer| self.engine.download(buffer))
            .collect::<Result<_>>()?;
        let positions =
            |slot: usize| Ok::<_, crate::Error>(vectors(&self.engine.download(&d_slots[slot])?));
        Ok(Gradients {
            params: params.concat(),
            candidate: positions(self.network.candidate)?,
            condition: positions(self.network.condition)?,
            place: positions(self.network.place)?,
        })
    }

    /// Relative equivariance error of every call's outputs between a plain and a rotated run: name
    /// of the op's call, error.
    ///
    /// Scalars should be equal, vectors rotated. Errors are relative to the RMS of the output over
    /// the batch.
    pub fn equivariance_errors(
        &self,
        plain: &Activations<E>,
        rotated: &Activations<E>,
        rotation: &Rotation3<f64>,
    ) -> Result<Vec<(String, f64)>> {
        let program = &self.network.program;
        let mut errors = Vec::with_capacity(program.calls.len());
        for (call, name) in program.calls.iter().zip(&program.names) {
            let mut worst = 0.0f64;
            for &slot in &call.outputs {
                let expected = self.engine.download(&plain.slots[slot])?;
                let found = self.engine.download(&rotated.slots[slot])?;
                let shape = program.slots[slot];
                worst = worst.max(rotation_error(
                    &expected,
                    &found,
                    shape.components,
                    shape.width,
                    rotation,
                ));
            }
            errors.push((format!("{name} ({})", call.op.name()), worst));
        }
        Ok(errors)
    }

    fn host_inputs<'a>(&self, inputs: &'a Inputs) -> impl Iterator<Item = (usize, &'a [f64])> {
        let network = &self.network;
        let fold = network.fold.map(|slot| (slot, inputs.fold.as_slice()));
        let others: [(usize, &'a [f64]); 5] = [
            (network.candidate, &inputs.candidate),
            (network.condition, &inputs.condition),
            (network.noisy, &inputs.noisy),
            (network.place, &inputs.place),
            (network.conditioning, &inputs.conditioning),
        ];
        others.into_iter().chain(fold)
    }

    /// The answer slot in the caller's frame of reference: positions with their centroid, or
    /// forces.
    fn answer(&self, inputs: &Inputs, flat: &[f64]) -> Vec<Vector3<f64>> {
        let force = matches!(self.config.regime, Regime::Force { .. });
        let unit = self.config.regime.answer_unit();
        let mut answer = vectors(flat);
        for system in 0..inputs.systems() {
            for token in inputs.batch.range(system) {
                let start = Vector3::from_column_slice(&inputs.noisy[token * 3..token * 3 + 3]);
                answer[token] = if force {
                    unit * (answer[token] - start)
                } else {
                    answer[token] + inputs.centroids[system]
                };
            }
        }
        answer
    }
}

fn vectors(flat: &[f64]) -> Vec<Vector3<f64>> {
    flat.chunks_exact(3)
        .map(Vector3::from_column_slice)
        .collect()
}

/// RMS of found − R·expected over the RMS of expected, for rows of scalars, vectors or tuples; NaN
/// stays NaN as infinity.
fn rotation_error(
    expected: &[f64],
    found: &[f64],
    components: usize,
    width: usize,
    rotation: &Rotation3<f64>,
) -> f64 {
    let row = components * width;
    let (mut difference, mut size) = (0.0, 1e-30);
    for (expected, found) in expected
        .chunks_exact(row.max(1))
        .zip(found.chunks_exact(row.max(1)))
    {
        let first = components % 3; // 1 for scalars and tuples: their scalar part
        for k in 0..width {
            if first == 1 {
                difference += (found[k] - expected[k]).powi(2);
                size += expected[k].powi(2);
            }
            if components >= 3 {
                let at = |row: &[f64]| Vector3::from_fn(|h, _| row[(first + h) * width + k]);
                difference += (at(found) - rotation * at(expected)).norm_squared();
                size += at(expected).norm_squared();
            }
        }
    }
    let error = (difference / size).sqrt();
    if error.is_nan() { f64::INFINITY } else { error }
}
