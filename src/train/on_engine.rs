//! Updates whose gradient and optimiser stay on the engine: the host reads answers, of which it
//! takes the losses, and the gradient's norm.

use nalgebra::Vector3;

use super::batches::{losses, micro_batches};
use super::optimizer::{checked, kept};
use super::trainer::Trainer;
use crate::Result;
use crate::engine::{Engine, Learned, Rates};
use crate::task::Sample;

impl<E: Engine> Trainer<E> {
    /// Hands the state to the engine's optimiser, where it has one and the task's gradient needs no
    /// host, nor other processes.
    pub(super) fn hand_over(&mut self) -> Result<()> {
        if !self.task.has_plain_gradient() || self.ranks.count() > 1 {
            return Ok(());
        }
        let learned = Learned {
            values: self.state.values.clone(),
            mean: self.state.mean.clone(),
            square: self.state.square.clone(),
            average: self.average.clone(),
        };
        let lens = self.network.program().parameter_lens();
        self.learner = self
            .network
            .engine()
            .learner(&lens, &self.decays, &learned)?;
        Ok(())
    }

    /// Takes the state back from the engine's optimiser, which goes on.
    pub(super) fn take_back(&mut self) -> Result<()> {
        let Some(learner) = &self.learner else {
            return Ok(());
        };
        let learned = learner.learned()?;
        self.state.values = learned.values;
        self.state.mean = learned.mean;
        self.state.square = learned.square;
        self.average = learned.average;
        Ok(())
    }

    /// One update by the engine's optimiser: mean loss of the samples, norm of the gradient.
    ///
    /// # Panics
    /// Where the engine has none.
    pub(super) fn learn(&mut self, samples: &[Sample], learning_rate: f64) -> Result<(f64, f64)> {
        let update = self.state.updates;
        let (gathered, next) = rayon::join(|| self.gathered(samples), || self.draw(update + 1));
        self.drawn = Some((update + 1, next));
        let (loss, d_params) = gathered?;
        let rates = self.rates(update, learning_rate);
        let learner = self.learner.as_mut().expect("the engine has an optimiser");
        let norm = self.network.learn(&mut **learner, &d_params, &rates)?;
        self.state.updates += 1;
        checked(norm, update)?;
        Ok((loss, norm))
    }

    /// Mean loss of samples, and its gradient on the engine.
    fn gathered(&self, samples: &[Sample]) -> Result<(f64, Vec<E::Buffer>)> {
        let lens = self.network.program().parameter_lens();
        let mut d_params = self.network.engine().zeros_parts(&lens)?;
        let mut loss = 0.0;
        for range in micro_batches(samples, self.micro_batch_tokens(samples)) {
            let own = &samples[range];
            let inputs = self.inputs(own);
            let evaluation = self.task.forward(&self.network, &inputs)?;
            let (each, d_answer) = losses(own, &evaluation.answer);
            loss += each.iter().sum::<f64>();
            let share = 1.0 / samples.len() as f64;
            let d_answer: Vec<Vector3<f64>> = d_answer.into_iter().map(|d| d * share).collect();
            self.task.add_gradients(
                &self.network,
                &inputs,
                &evaluation,
                &d_answer,
                &mut d_params,
            )?;
        }
        Ok((loss / samples.len() as f64, d_params))
    }

    fn rates(&self, update: u64, learning_rate: f64) -> Rates {
        let settings = &self.config.optimizer;
        let bias = |beta: f64| 1.0 - beta.powf((update + 1) as f64);
        Rates {
            learning_rate,
            beta1: settings.beta1,
            beta2: settings.beta2,
            epsilon: settings.epsilon,
            weight_decay: settings.weight_decay,
            bias1: bias(settings.beta1),
            bias2: bias(settings.beta2),
            clip: settings.clip,
            moved: 1.0 - kept(settings.average, update),
        }
    }
}
