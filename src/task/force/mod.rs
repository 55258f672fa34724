//! `force`: forces on the tokens, those of hydrogens added to their heavy atoms; or an energy whose
//! gradient they are.

mod conservative;

pub use conservative::FORCE_STEP;

use std::fmt;

use nalgebra::Vector3;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Evaluation, Objective, Own, Sample, Scene, Table, Task, flat, plain_interface};
use crate::engine::Engine;
use crate::network::{Answer, Given, Gradients, Inputs, Interface, Network, Tokens, vectors};
use crate::{Error, Result};

pub(super) const NAME: &str = "force";

/// How a network makes forces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// It answers with them: one evaluation, and no energy that they conserve.
    #[default]
    Direct,
    /// It answers with one energy a system, of which they are the negative gradient: the backward
    /// pass gives them.
    Conservative,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Direct => "direct",
            Form::Conservative => "conservative",
        })
    }
}

/// Length that the network of a new force model sees deviations from templates in, Å: about what a
/// stiff bond of 300 K deviates by.
const DEVIATION: f64 = 0.1;

/// The task `force`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Force {
    /// RMS force, kJ/mol/Å: the scale of the answer.
    pub scale: f64,
    /// Whether the network answers with forces or with an energy.
    #[serde(default)]
    pub form: Form,
    /// Length that the network sees deviations from templates in and answers in, Å: 1 of its
    /// answers is `scale` (direct) or `scale` · this (conservative). None, in models from before it
    /// was there: the number that `scale` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
}

impl Force {
    /// Forces of this RMS, kJ/mol/Å, in this form.
    pub fn new(scale: f64, form: Form) -> Self {
        Force {
            scale,
            form,
            deviation: Some(DEVIATION),
        }
    }

    /// Whether forces are the gradient of an energy.
    pub fn is_conservative(&self) -> bool {
        self.form == Form::Conservative
    }

    /// What the network's ops are told as the scale of a system, Å.
    fn system_scale(&self) -> f64 {
        self.deviation.unwrap_or(self.scale)
    }

    /// What 1 of the network's answer stands for: kJ/mol/Å (direct) or kJ/mol (conservative).
    fn answer_unit(&self) -> f64 {
        match self.form {
            Form::Direct => self.scale / self.system_scale(),
            Form::Conservative => self.scale,
        }
    }

    /// Systems of a call, at these positions of their tokens, Å.
    ///
    /// # Panics
    /// Where lengths differ from the molecule's.
    pub fn inputs<'a>(
        &self,
        neighbours: usize,
        systems: impl IntoIterator<Item = (&'a Tokens, &'a [Vector3<f64>])>,
    ) -> Inputs {
        let mut inputs = Inputs::at(&Own::interface(self), neighbours, systems);
        inputs.batch.scale.fill(self.system_scale());
        inputs
    }

    /// Forces, kJ/mol/Å.
    pub(super) fn predict<E: Engine>(
        &self,
        network: &Network<E>,
        inputs: &Inputs,
    ) -> Result<Vec<Vector3<f64>>> {
        match self.form {
            Form::Direct => Ok(self.direct(inputs, &network.answer(inputs)?)),
            Form::Conservative => Ok(self.forward(network, inputs)?.answer),
        }
    }

    /// Forces, of conservative ones energies too, and what backward needs.
    pub(super) fn forward<E: Engine>(
        &self,
        network: &Network<E>,
        inputs: &Inputs,
    ) -> Result<Evaluation<E>> {
        let activations = network.forward(inputs)?;
        let (answer, energies) = match self.form {
            Form::Direct => (self.direct(inputs, &activations.answer), Vec::new()),
            Form::Conservative => (
                self.forces(network, inputs, &activations)?,
                self.in_units(&activations.answer),
            ),
        };
        Ok(Evaluation {
            activations,
            answer,
            energies,
        })
    }

    /// Gradients of a loss from its gradient by the forces. That of conservative forces takes
    /// central differences along them ([`Force::backward_of_forces`]).
    pub(super) fn backward<E: Engine>(
        &self,
        network: &Network<E>,
        inputs: &Inputs,
        evaluation: &Evaluation<E>,
        d_answer: &[Vector3<f64>],
    ) -> Result<Gradients> {
        match self.form {
            Form::Direct => {
                let d_answer = flat(d_answer, self.answer_unit());
                network.backward(inputs, &evaluation.activations, &d_answer)
            }
            Form::Conservative => self.backward_of_forces(network, inputs, d_answer, FORCE_STEP),
        }
    }

    /// What the network added to the vectors that it started from.
    fn direct(&self, inputs: &Inputs, answer: &[f64]) -> Vec<Vector3<f64>> {
        let start = vectors(&inputs[Given::Velocity]);
        let pairs = vectors(answer).into_iter().zip(start);
        let unit = self.answer_unit();
        pairs
            .map(|(answer, start)| unit * (answer - start))
            .collect()
    }
}

impl Task {
    /// The force that it is.
    ///
    /// # Errors
    /// [`Error::Usage`] where it is another task.
    pub fn force(&self) -> Result<Force> {
        match self {
            Task::Force(force) => Ok(*force),
            other => Err(Error::usage(
                format!(
                    "this model answers with no forces; it is for [{}]",
                    other.name()
                ),
                "use a model trained with a table [force]",
            )),
        }
    }
}

impl Own for Force {
    fn check(&self) -> Result<()> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        if positive(self.scale) && self.deviation.is_none_or(positive) {
            return Ok(());
        }
        Err(Error::usage(
            "force: a scale is out of range",
            "use positive scales",
        ))
    }

    fn interface(&self) -> Interface {
        plain_interface(match self.form {
            Form::Direct => Answer::Vectors,
            Form::Conservative => Answer::Energy,
        })
    }

    fn lag_times(&self) -> Option<[f64; 2]> {
        None
    }

    fn inputs(&self, neighbours: usize, samples: &[(&Tokens, &Sample)]) -> Inputs {
        let systems = samples
            .iter()
            .map(|(tokens, sample)| (*tokens, sample.condition.as_slice()));
        Force::inputs(self, neighbours, systems)
    }
}

impl fmt::Display for Force {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.form {
            Form::Direct => "forces",
            Form::Conservative => "an energy and its gradient, forces",
        };
        write!(f, "force: {what} in kJ/mol/Å (data: {:.4})", self.scale)
    }
}

/// The table `[force]`: forces of the built-in force field at the frames, the squared error in
/// units of the mean squared force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether the network answers with forces or with an energy whose gradient they are.
    #[serde(default)]
    pub form: Form,
}

impl Table for Settings {
    fn check(&self) -> std::result::Result<(), (&'static str, &'static str)> {
        Ok(())
    }

    fn lags(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn scale_of(&self, scene: &dyn Scene) -> Vec<Vector3<f64>> {
        scene.force()
    }

    fn objective(&self, initial: Option<Task>, measured: f64) -> Box<dyn Objective> {
        Box::new(match initial {
            Some(Task::Force(task)) => task,
            _ => Force::new(measured, self.form),
        })
    }

    fn start_from(&self, initial: &Task) -> std::result::Result<(), [String; 2]> {
        let (form, wanted) = match initial {
            Task::Force(force) => (force.form, self.form),
            _ => return Ok(()),
        };
        if form == wanted {
            return Ok(());
        }
        Err([
            format!("is of the {form} form of forces, this training is for the {wanted} one"),
            "set `form` in [force] to the model's, or leave `initial` out".to_owned(),
        ])
    }
}

impl Objective for Force {
    fn task(&self) -> Task {
        Task::Force(*self)
    }

    fn sample(&self, scene: &dyn Scene, _rng: &mut ChaCha8Rng) -> Sample {
        Sample::plain(scene.system(), scene.now(), scene.force(), self.scale)
    }

    fn describe(&self) -> String {
        let form = match self.form {
            Form::Direct => "forces",
            Form::Conservative => "conservative forces",
        };
        format!("{form}, {:.4} kJ/mol/Å", self.scale)
    }
}
