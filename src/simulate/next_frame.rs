//! `NextFrame`: mean positions a lag time later, as a network of that task predicts them.

use nalgebra::{Rotation3, Vector3};
use serde_json::{Map, Value, json};

use super::{Clock, Hydrogens, Motion, Stepper};
use crate::Result;
use crate::engine::Engine;
use crate::network::{Inputs, Network, Tokens};
use crate::observe::Probe;
use crate::structure::Frame;
use crate::task::{self, Evaluation, Task};

/// A stepper that replaces a frame by the mean of what comes a lag time later.
///
/// That is no dynamics: fluctuations are averaged out, so that a chain of means contracts towards
/// one structure instead of exploring many. It shows what a sampled jump adds.
pub struct NextFrame<E: Engine> {
    network: Network<E>,
    task: task::NextFrame,
    tokens: Tokens,
    hydrogens: Hydrogens,
}

impl<E: Engine> NextFrame<E> {
    /// What to say of a run of such steps.
    pub const WARNING: &'static str = "these steps are means, not dynamics: fluctuations are \
                                       averaged out, and temperatures, \
         distributions and rates of this trajectory mean nothing";

    /// Predictions of the molecule `tokens` with a network trained for them. `hydrogens` ride on
    /// the heavy atoms.
    pub fn new(
        network: Network<E>,
        task: task::NextFrame,
        tokens: Tokens,
        hydrogens: Hydrogens,
    ) -> Self {
        NextFrame {
            network,
            task,
            tokens,
            hydrogens,
        }
    }

    fn inputs<'a>(&'a self, systems: impl Iterator<Item = &'a [Vector3<f64>]>) -> Inputs {
        let neighbours = self.network.program().neighbours;
        let systems = systems.map(|positions| (&self.tokens, positions));
        self.task.inputs(neighbours, systems)
    }

    fn evaluate(&self, positions: &[Vector3<f64>]) -> Result<Evaluation<E>> {
        let inputs = self.inputs([positions].into_iter());
        Task::NextFrame(self.task).forward(&self.network, &inputs)
    }
}

impl<E: Engine> Stepper for NextFrame<E> {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        let group = (self.network.engine().group() / self.tokens.len()).max(1);
        for frames in replicas.chunks_mut(group) {
            let before: Vec<Vec<Vector3<f64>>> = frames
                .iter()
                .map(|frame| self.tokens.positions(&frame.positions))
                .collect();
            let inputs = self.inputs(before.iter().map(Vec::as_slice));
            let after = Task::NextFrame(self.task).predict(&self.network, &inputs)?;
            for (frame, after) in frames.iter_mut().zip(after.chunks_exact(self.tokens.len())) {
                for (&atom, position) in self.tokens.atoms.iter().zip(after) {
                    frame.positions[atom] = *position;
                }
                self.hydrogens.place(&mut frame.positions);
                frame.velocities = None;
                frame.step += 1;
                frame.time += self.task.lag_time;
            }
        }
        Ok(())
    }

    fn clock(&self) -> Clock {
        Clock::Jumps(self.task.lag_time)
    }

    fn motion(&self) -> Option<Motion> {
        None
    }

    fn identity(&self) -> Map<String, Value> {
        Map::from_iter([("time step (ps)".to_owned(), json!(self.task.lag_time))])
    }

    fn describe(&self) -> String {
        format!(
            "mean positions {} ps later by a network of {} weights on {}",
            self.task.lag_time,
            self.network.parameter_count(),
            self.network.engine().name()
        )
    }

    /// There are no random numbers.
    fn reseed(&mut self, _attempt: u64) {}

    fn begin(&mut self, start: &[Vector3<f64>]) {
        self.hydrogens.take_from(start);
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

impl<E: Engine> Probe for NextFrame<E> {
    /// The prediction of the moved frame beside the moved prediction, relative to the displacement.
    fn equivariance(
        &self,
        frame: &Frame,
        rotation: &Rotation3<f64>,
        translation: &Vector3<f64>,
    ) -> Result<(f64, String)> {
        let positions = self.tokens.positions(&frame.positions);
        let moved = |points: &[Vector3<f64>]| -> Vec<Vector3<f64>> {
            points.iter().map(|p| rotation * p + translation).collect()
        };
        let (plain, other) = (
            self.evaluate(&positions)?,
            self.evaluate(&moved(&positions))?,
        );
        let square = |a: &[Vector3<f64>], b: &[Vector3<f64>]| -> f64 {
            a.iter().zip(b).map(|(a, b)| (a - b).norm_squared()).sum()
        };
        let difference = square(&moved(&plain.answer), &other.answer);
        let error = (difference / square(&plain.answer, &positions)).sqrt();
        let (plain, other) = (&plain.activations, &other.activations);
        let ops = self.network.equivariance_errors(plain, other, rotation)?;
        let worst = ops.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let name = worst.map_or(String::new(), |(name, _)| name);
        Ok((if error.is_nan() { f64::INFINITY } else { error }, name))
    }
}
