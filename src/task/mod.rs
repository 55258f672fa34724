//! Tasks: what a network is for. One folder each: what a system hands to the network, what the
//! answer means and in which unit, how a training's samples are made and how it is described.
//!
//! A new one is a folder here, a variant of [`Task`] and of [`Settings`] with a line in their
//! `own`, and what runs it in [`crate::simulate`].
//!
//! A network of random weights, asked for the mean of what AKLE is 20 ps later:
//!
//! ```
//! use mdsurrogate::engine::Cpu;
//! use mdsurrogate::forcefield::template_geometry;
//! use mdsurrogate::network::{Architecture, Tokens};
//! use mdsurrogate::structure::{ReadOptions, read};
//! use mdsurrogate::task::{NextFrame, Task};
//!
//! # fn main() -> mdsurrogate::Result<()> {
//! let akle = read("data/structures/akle.pdb".as_ref(), &ReadOptions::default())?;
//! let tokens = Tokens::new(&akle.topology, &template_geometry(&akle.topology)?)?;
//! let positions = tokens.positions(&akle.frame.positions);
//!
//! let next = NextFrame { lag_time: 20.0, scale: 0.8 };
//! let task = Task::NextFrame(next);
//! let network = task.initial(&Architecture::default(), Cpu::<f32>::new(), 1)?;
//! let inputs = next.inputs(network.program().neighbours, [(&tokens, &positions[..])]);
//! let mean = task.predict(&network, &inputs)?;
//! assert_eq!(mean.len(), 32); // heavy atoms
//! # Ok(())
//! # }
//! ```

pub mod force;
pub mod jump;
mod model;
pub mod next_frame;
pub mod quantity;
pub mod recall;
mod sample;

pub use force::{FORCE_STEP, Force, Form};
pub use jump::{Jump, JumpInput, Method, Sampler};
pub use model::{Loaded, from_bytes, load, save, shipped};
pub use next_frame::NextFrame;
pub use recall::Recall;
pub use sample::{Denoising, Objective, Sample, Scene, aligned};

use std::fmt;

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::Engine;
use crate::network::{Activations, Gradients, Inputs, Interface, Network, Tokens, vectors};
use crate::{Error, Result};

/// What a network is for, with the numbers that its answer is read with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Task {
    /// Positions a lag time later, sampled.
    Jump(Jump),
    /// Mean positions a lag time later.
    NextFrame(NextFrame),
    /// Forces, or an energy whose gradient they are.
    Force(Force),
}

/// What every task says of itself.
trait Own: fmt::Display {
    fn check(&self) -> Result<()>;
    fn interface(&self) -> Interface;
    fn lag_times(&self) -> Option<[f64; 2]>;
    fn inputs(&self, neighbours: usize, samples: &[(&Tokens, &Sample)]) -> Inputs;
}

impl Task {
    fn own(&self) -> &dyn Own {
        match self {
            Task::Jump(task) => task,
            Task::NextFrame(task) => task,
            Task::Force(task) => task,
        }
    }

    /// Its name: that of its table in a training's configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Task::Jump(_) => jump::NAME,
            Task::NextFrame(_) => next_frame::NAME,
            Task::Force(_) => force::NAME,
        }
    }

    /// The jump that it is.
    ///
    /// # Errors
    /// [`Error::Usage`] where it is another task.
    pub fn jump(&self) -> Result<Jump> {
        match self {
            Task::Jump(jump) => Ok(*jump),
            other => Err(Error::usage(
                format!("this model samples no jumps; it is for [{}]", other.name()),
                "use a model trained with a table [jump]",
            )),
        }
    }

    /// Refuses numbers that cannot be.
    ///
    /// # Errors
    /// [`Error::Usage`] naming what is allowed.
    pub fn check(&self) -> Result<()> {
        self.own().check()
    }

    /// What it hands to a network and wants of it.
    pub fn interface(&self) -> Interface {
        self.own().interface()
    }

    /// Shortest and longest physical time of one step, ps; none for forces.
    pub fn lag_times(&self) -> Option<[f64; 2]> {
        self.own().lag_times()
    }

    /// One call of a network for samples of a training.
    pub fn inputs(&self, neighbours: usize, samples: &[(&Tokens, &Sample)]) -> Inputs {
        self.own().inputs(neighbours, samples)
    }

    /// As a file of weights holds it.
    ///
    /// # Errors
    /// [`Error::Usage`] for numbers that are none.
    pub fn to_value(&self) -> Result<Value> {
        serde_json::to_value(self).map_err(|error| Error::usage(error.to_string(), "report this"))
    }

    /// The answer alone: positions, Å, or forces, kJ/mol/Å, one a token, all systems one after the
    /// other. Memory O(tokens × channels), of conservative forces O(slots) more.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    pub fn predict<E: Engine>(
        &self,
        network: &Network<E>,
        inputs: &Inputs,
    ) -> Result<Vec<Vector3<f64>>> {
        match self {
            Task::Force(force) => force.predict(network, inputs),
            Task::Jump(_) | Task::NextFrame(_) => Ok(placed(inputs, &network.answer(inputs)?)),
        }
    }

    /// The answer and what backward needs.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    pub fn forward<E: Engine>(
        &self,
        network: &Network<E>,
        inputs: &Inputs,
    ) -> Result<Evaluation<E>> {
        if let Task::Force(force) = self {
            return force.forward(network, inputs);
        }
        let activations = network.forward(inputs)?;
        Ok(Evaluation {
            answer: placed(inputs, &activations.answer),
            activations,
            energies: Vec::new(),
        })
    }

    /// Gradients of a loss from its gradient by the answer.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    ///
    /// # Panics
    /// Where `d_answer` has not one vector a token.
    pub fn backward<E: Engine>(
        &self,
        network: &Network<E>,
        inputs: &Inputs,
        evaluation: &Evaluation<E>,
        d_answer: &[Vector3<f64>],
    ) -> Result<Gradients> {
        let tokens = inputs.batch.tokens();
        assert_eq!(d_answer.len(), tokens, "one gradient a token");
        if let Task::Force(force) = self {
            return force.backward(network, inputs, evaluation, d_answer);
        }
        network.backward(inputs, &evaluation.activations, &flat(d_answer, 1.0))
    }
}

impl Task {
    /// Whether the gradient of a loss is one backward call of the network, and not more.
    pub fn has_plain_gradient(&self) -> bool {
        matches!(self, Task::Jump(_) | Task::NextFrame(_))
    }

    /// Adds the gradients of the parameters to `d_params`, on the engine.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    ///
    /// # Panics
    /// Where `d_answer` has not one vector a token, or the task has no plain gradient.
    pub fn add_gradients<E: Engine>(
        &self,
        network: &Network<E>,
        inputs: &Inputs,
        evaluation: &Evaluation<E>,
        d_answer: &[Vector3<f64>],
        d_params: &mut [E::Buffer],
    ) -> Result<()> {
        assert_eq!(
            d_answer.len(),
            inputs.batch.tokens(),
            "one gradient a token"
        );
        assert!(
            self.has_plain_gradient(),
            "{self} takes several backward calls"
        );
        let d_answer = flat(d_answer, 1.0);
        network.add_gradients(inputs, &evaluation.activations, &d_answer, d_params)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.own().fmt(f)
    }
}

/// What a forward call came to.
pub struct Evaluation<E: Engine> {
    /// All that the network computed.
    pub activations: Activations<E>,
    /// Positions, Å, or forces, kJ/mol/Å, one a token, all systems one after the other.
    pub answer: Vec<Vector3<f64>>,
    /// The energy of every system, kJ/mol up to a constant of the molecule; of conservative forces
    /// alone.
    pub energies: Vec<f64>,
}

/// Positions about their centroids, back where the systems are.
fn placed(inputs: &Inputs, answer: &[f64]) -> Vec<Vector3<f64>> {
    let mut positions = vectors(answer);
    for system in 0..inputs.systems() {
        let own = &mut positions[inputs.batch.range(system)];
        own.iter_mut()
            .for_each(|position| *position += inputs.centroids[system]);
    }
    positions
}

/// The numbers of vectors times `factor`.
fn flat(vectors: &[Vector3<f64>], factor: f64) -> Vec<f64> {
    let numbers = vectors.iter().flat_map(|v| [v.x, v.y, v.z]);
    numbers.map(|x| x * factor).collect()
}

/// The interface of a task without noise levels, whose network is told nothing.
fn plain_interface(answer: crate::network::Answer) -> Interface {
    // two noise levels that are always zero: what networks of these tasks were trained with
    Interface::of_moving_tokens(2 * crate::network::TOLD, answer)
}

/// The table of a training's configuration that says what is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settings {
    /// `[jump]`
    Jump(jump::Settings),
    /// `[next-frame]`
    NextFrame(next_frame::Settings),
    /// `[force]`
    Force(force::Settings),
}

/// What every such table says.
trait Table {
    /// The keys that make no sense, and what is allowed.
    fn check(&self) -> std::result::Result<(), (&'static str, &'static str)>;
    fn lags(&self) -> Vec<f64>;
    fn scale_of(&self, scene: &dyn Scene) -> Vec<Vector3<f64>>;
    fn objective(&self, initial: Option<Task>, measured: f64) -> Box<dyn Objective>;
    fn start_from(&self, initial: &Task) -> std::result::Result<(), [String; 2]>;
}

impl Settings {
    fn own(&self) -> &dyn Table {
        match self {
            Settings::Jump(table) => table,
            Settings::NextFrame(table) => table,
            Settings::Force(table) => table,
        }
    }

    /// Name of the table.
    pub fn name(&self) -> &'static str {
        match self {
            Settings::Jump(_) => jump::NAME,
            Settings::NextFrame(_) => next_frame::NAME,
            Settings::Force(_) => force::NAME,
        }
    }

    /// The first key that makes no sense, and what is allowed.
    ///
    /// # Errors
    /// Key and what is allowed.
    pub fn check(&self) -> std::result::Result<(), (&'static str, &'static str)> {
        self.own().check()
    }

    /// All times between the two frames of a pair, ps, ascending; 0 for forces.
    pub fn lags(&self) -> Vec<f64> {
        self.own().lags()
    }

    /// Whether samples need the force field's forces at the frames.
    pub fn needs_forces(&self) -> bool {
        matches!(self, Settings::Force(_))
    }

    /// Whether systems that keep to a fold hand it over.
    pub fn gives_fold(&self) -> bool {
        matches!(self, Settings::Jump(jump::Settings { fold: true, .. }))
    }

    /// How runs of the trained model jump where nobody asks for anything else.
    pub fn usual(&self) -> Vec<crate::network::Usual> {
        match self {
            Settings::Jump(jump) => jump.usual.map(Into::into).into_iter().collect(),
            Settings::NextFrame(_) | Settings::Force(_) => Vec::new(),
        }
    }

    /// Largest distance (RMSD, Å) from the reference of a rollout's frame that samples start from;
    /// none where they start from no rollouts.
    pub fn return_within(&self) -> Option<f64> {
        match self {
            Settings::Jump(jump) => Some(jump.return_within),
            Settings::NextFrame(_) | Settings::Force(_) => None,
        }
    }

    /// What the trained network will be handed and asked for; the scale of the data, which is not
    /// measured yet, makes no difference.
    pub fn interface(&self, initial: Option<Task>) -> Interface {
        self.objective(initial, 1.0).task().interface()
    }

    /// Vectors whose root mean square over the training's scenes is the scale of the answers.
    pub fn scale_of(&self, scene: &dyn Scene) -> Vec<Vector3<f64>> {
        self.own().scale_of(scene)
    }

    /// What is trained, where the scale of the data was measured to be this and the training
    /// starts from a model of the task `initial`.
    pub fn objective(&self, initial: Option<Task>, measured: f64) -> Box<dyn Objective> {
        self.own().objective(initial, measured)
    }

    /// Refuses a model to start from whose answers are others.
    ///
    /// # Errors
    /// What the two are, and what to do.
    pub fn start_from(&self, initial: &Task) -> std::result::Result<(), [String; 2]> {
        let (wanted, answers) = (self.name(), initial.name());
        if wanted != answers {
            return Err([
                format!("was trained for [{answers}], this training is for [{wanted}]"),
                format!("start from a model trained for [{wanted}], or leave `initial` out"),
            ]);
        }
        self.own().start_from(initial)
    }
}
