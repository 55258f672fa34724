//! The executor: runs a program forward and backward on an engine, reusing buffers in both
//! directions.

use std::sync::OnceLock;

use nalgebra::{Rotation3, Vector3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::inputs::{Inputs, index, vectors};
use super::pool::Pool;
use super::program::{Given, Program, Slot};
use super::rotation::rotation_error;
use crate::Result;
use crate::engine::{Engine, Learner, Rates};
use crate::ops::Init;

/// A program with its weights on an engine.
pub struct Network<E: Engine> {
    program: Program,
    /// The same as the engine runs it.
    plan: Plan,
    /// The same for answers alone of long systems, made for the first of these.
    lean: OnceLock<Plan>,
    engine: E,
    params: Vec<E::Buffer>,
}

/// A program as an engine runs it.
struct Plan {
    program: Program,
    /// For every call the slots that die with it, when only the answer is wanted.
    dead: Vec<Vec<usize>>,
}

impl Plan {
    fn new(program: Program) -> Plan {
        Plan {
            dead: program.last_uses(),
            program,
        }
    }
}

/// Everything that a forward call computed, as backward needs it.
pub struct Activations<E: Engine> {
    slots: Vec<E::Buffer>,
    /// The answer's buffer, as [`super::Answer`] describes it.
    pub answer: Vec<f64>,
}

/// What a backward call computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// Of all parameters, one after the other, in [`Network::parameters`]' order.
    pub params: Vec<f64>,
    /// Of the positions y that the network starts from; zero where it does not take them, as the
    /// next two.
    pub candidate: Vec<Vector3<f64>>,
    /// Of the condition x.
    pub condition: Vec<Vector3<f64>>,
    /// Of the positions that the first layer sees as vectors, in their unit
    /// ([`super::PLACE`]).
    pub place: Vec<Vector3<f64>>,
}

impl<E: Engine> Network<E> {
    /// A network with random weights.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine has no memory.
    pub fn initial(program: Program, engine: E, seed: u64) -> Result<Self> {
        let mut values = Vec::with_capacity(program.parameter_count());
        for (stream, (_, shape)) in program.params.iter().enumerate() {
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
        Self::with_parameters(program, engine, &values)
    }

    /// A network with these weights, one after the other in the order of its program.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine has no memory.
    ///
    /// # Panics
    /// Where the number of weights is not the network's.
    pub fn with_parameters(program: Program, engine: E, values: &[f64]) -> Result<Self> {
        let plan = Plan::new(program.fused(|chain| engine.joins(chain)));
        let mut network = Network {
            program,
            plan,
            lean: OnceLock::new(),
            engine,
            params: Vec::new(),
        };
        network.set_parameters(values)?;
        Ok(network)
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }
    /// Calls of one evaluation, as the engine runs it.
    pub fn calls(&self) -> usize {
        self.plan.program.calls.len()
    }
    /// The engine that it runs on.
    pub fn engine(&self) -> &E {
        &self.engine
    }
    /// Number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.program.parameter_count()
    }

    /// All weights, one after the other in the order of the program.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    pub fn parameters(&self) -> Result<Vec<f64>> {
        let buffers: Vec<&E::Buffer> = self.params.iter().collect();
        Ok(self.engine.download_all(&buffers)?.concat())
    }

    /// Replaces all weights.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    ///
    /// # Panics
    /// Where the number of weights is not the network's.
    pub fn set_parameters(&mut self, values: &[f64]) -> Result<()> {
        assert_eq!(values.len(), self.parameter_count(), "number of weights");
        let lens = self.program.parameter_lens();
        self.params = self.engine.upload_parts(values, &lens)?;
        Ok(())
    }

    /// The answer's buffer alone. Memory O(tokens × channels).
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    pub fn answer(&self, inputs: &Inputs) -> Result<Vec<f64>> {
        Ok(self.run(inputs, false)?.1)
    }

    /// Runs forward and keeps what backward needs.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    pub fn forward(&self, inputs: &Inputs) -> Result<Activations<E>> {
        let (slots, answer) = self.run(inputs, true)?;
        Ok(Activations { slots, answer })
    }

    /// Runs backward from the gradient of the answer's buffer.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    ///
    /// # Panics
    /// Where `d_answer` is not as long as the answer.
    pub fn backward(
        &self,
        inputs: &Inputs,
        activations: &Activations<E>,
        d_answer: &[f64],
    ) -> Result<Gradients> {
        assert_eq!(
            d_answer.len(),
            activations.answer.len(),
            "a gradient for every number of the answer"
        );
        self.pull(inputs, &activations.slots, d_answer)
    }

    /// Runs backward and adds the gradients of the parameters to these, which stay on the engine.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    pub fn add_gradients(
        &self,
        inputs: &Inputs,
        activations: &Activations<E>,
        d_answer: &[f64],
        d_params: &mut [E::Buffer],
    ) -> Result<()> {
        self.propagate(inputs, &activations.slots, d_answer, d_params)?;
        Ok(())
    }

    /// An update of the weights by an optimiser of the engine; returns the norm of the gradient.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    pub fn learn(
        &self,
        learner: &mut dyn Learner<E::Buffer>,
        d_params: &[E::Buffer],
        rates: &Rates,
    ) -> Result<f64> {
        learner.update(&self.params, d_params, rates)
    }

    /// All slots, of which only the answer's is whole where they are not to be kept, and the
    /// answer's on the host.
    fn run(&self, inputs: &Inputs, keep: bool) -> Result<(Vec<E::Buffer>, Vec<f64>)> {
        let tokens = inputs.batch.tokens();
        let is_long = |least| tokens >= least;
        let is_lean = !keep && self.engine.lean_from().is_some_and(is_long);
        let plan = if is_lean {
            self.lean.get_or_init(|| Plan::new(self.program.lean()))
        } else {
            &self.plan
        };
        let program = &plan.program;
        let batch = self.engine.prepare(&inputs.batch)?;
        let len = |slot: usize| program.slots[slot].len(&inputs.batch);
        let mut slots: Vec<E::Buffer> = (0..program.slots.len())
            .map(|_| self.engine.zeros(0))
            .collect::<Result<_>>()?;
        for &(given, slot) in &program.given {
            slots[slot.index()] = match given {
                Given::Index => self.engine.upload(&index(&inputs.batch))?,
                _ => self.engine.upload(&inputs[given])?,
            };
        }
        let most = if is_lean {
            program.live(len).into_iter().max().unwrap_or(0)
        } else {
            usize::MAX
        };
        let given = program.given.iter().map(|(_, slot)| len(slot.index()));
        let mut pool = Pool::new(given.sum(), most);
        for (call, dead) in program.calls.iter().zip(&plan.dead) {
            for &slot in call
                .outputs
                .iter()
                .filter(|slot| !call.inputs.contains(slot))
            {
                slots[slot] = pool.take(&self.engine, len(slot))?;
            }
            self.engine
                .forward(call, &batch, &self.params, &mut slots)?;
            for &slot in dead.iter().filter(|_| !keep) {
                let buffer = std::mem::replace(&mut slots[slot], self.engine.zeros(0)?);
                pool.give(len(slot), buffer);
            }
        }
        let answer = self.engine.download(&slots[program.answer.index()])?;
        Ok((slots, answer))
    }

    /// Runs backward from the gradient of the answer's slot: gradients of the slots, and which of
    /// them there are; adds those of the parameters.
    fn propagate(
        &self,
        inputs: &Inputs,
        slots: &[E::Buffer],
        d_answer: &[f64],
        d_params: &mut [E::Buffer],
    ) -> Result<(Vec<E::Buffer>, Vec<bool>)> {
        let program = &self.plan.program;
        let batch = self.engine.prepare(&inputs.batch)?;
        let mut d_slots: Vec<E::Buffer> = (0..program.slots.len())
            .map(|_| self.engine.zeros(0))
            .collect::<Result<_>>()?;
        d_slots[program.answer.index()] = self.engine.upload(d_answer)?;
        // A gradient begins where it is first added to, and ends with the call that wrote its slot:
        // every slot is written once.
        let mut begun = vec![false; program.slots.len()];
        begun[program.answer.index()] = true;
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
            self.engine
                .backward(call, &batch, &self.params, slots, &mut d_slots, d_params)?;
            for &slot in &call.outputs {
                let buffer = std::mem::replace(&mut d_slots[slot], self.engine.zeros(0)?);
                free.push((program.slots[slot].len(&inputs.batch), buffer));
            }
        }
        Ok((d_slots, begun))
    }

    /// Runs backward and hands all gradients out.
    fn pull(&self, inputs: &Inputs, slots: &[E::Buffer], d_answer: &[f64]) -> Result<Gradients> {
        let program = &self.plan.program;
        let mut d_params = self.engine.zeros_parts(&program.parameter_lens())?;
        let (d_slots, begun) = self.propagate(inputs, slots, d_answer, &mut d_params)?;
        // nothing flows to what the program does not take, nor to what it takes and does not use
        let wanted = [Given::Candidate, Given::Condition, Given::Place];
        let slots = wanted.map(|given| {
            let slot = program.slot_of(given);
            slot.map(Slot::index).filter(|&slot| begun[slot])
        });
        let mut asked: Vec<&E::Buffer> = d_params.iter().collect();
        asked.extend(slots.iter().flatten().map(|&slot| &d_slots[slot]));
        let mut found = self.engine.download_all(&asked)?;
        let positions = found.split_off(d_params.len());
        let mut positions = positions.iter().map(|flat| vectors(flat));
        let zeros = || vec![Vector3::zeros(); inputs.batch.tokens()];
        let [candidate, condition, place] = slots.map(|slot| {
            let own = slot.and_then(|_| positions.next());
            own.unwrap_or_else(zeros)
        });
        Ok(Gradients {
            params: found.concat(),
            candidate,
            condition,
            place,
        })
    }

    /// Relative equivariance error of every call's outputs between a plain and a rotated run: name
    /// of the op's call, error.
    ///
    /// Scalars should be equal, vectors rotated. Errors are relative to the RMS of the output over
    /// the batch.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails.
    pub fn equivariance_errors(
        &self,
        plain: &Activations<E>,
        rotated: &Activations<E>,
        rotation: &Rotation3<f64>,
    ) -> Result<Vec<(String, f64)>> {
        let program = &self.plan.program;
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
}
