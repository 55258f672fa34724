//! AdamW, clipping by the global norm, and the moving average of the parameters.
//!
//! All of it on flat f64 vectors on the host, whatever the precision of the engine: a small step is
//! not lost in a large weight.

use crate::{Error, Result};

/// What AdamW does with a gradient (Kingma & Ba 2015; decoupled decay by Loshchilov & Hutter 2019).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// Memory of the mean gradient.
    pub beta1: f64,
    /// Memory of the mean squared gradient.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub epsilon: f64,
    /// Share of the learning rate by which weight matrices shrink at every update.
    pub weight_decay: f64,
}

/// Parameters and what AdamW remembers of their gradients, one number a parameter each.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Updates made.
    pub updates: u64,
    /// The parameters.
    pub values: Vec<f64>,
    /// Running mean of the gradient.
    pub mean: Vec<f64>,
    /// Running mean of the squared gradient.
    pub square: Vec<f64>,
}

impl State {
    /// These parameters before the first update.
    pub fn new(values: Vec<f64>) -> Self {
        let zeros = vec![0.0; values.len()];
        State {
            updates: 0,
            values,
            mean: zeros.clone(),
            square: zeros,
        }
    }
}

impl AdamW {
    /// One update: `m ← β1 m + (1 − β1) g`, `v ← β2 v + (1 − β2) g²`, `p ← p − lr (m̂/(√v̂ + ε) +
    /// decay·p)`, m̂ and v̂ freed of their bias towards 0. `decays` says which parameters shrink.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn update(&self, state: &mut State, gradient: &[f64], decays: &[bool], learning_rate: f64) {
        assert!(
            state.values.len() == gradient.len() && decays.len() == gradient.len(),
            "one gradient a parameter"
        );
        state.updates += 1;
        let bias = |beta: f64| 1.0 - beta.powf(state.updates as f64);
        let (bias1, bias2) = (bias(self.beta1), bias(self.beta2));
        for (index, &g) in gradient.iter().enumerate() {
            let mean = &mut state.mean[index];
            let square = &mut state.square[index];
            *mean += (1.0 - self.beta1) * (g - *mean);
            *square += (1.0 - self.beta2) * (g * g - *square);
            let step = (*mean / bias1) / ((*square / bias2).sqrt() + self.epsilon);
            let decay = if decays[index] {
                self.weight_decay * state.values[index]
            } else {
                0.0
            };
            state.values[index] -= learning_rate * (step + decay);
        }
    }
}

/// Scales `gradient` down to the Euclidean norm `limit` where it is longer; returns its norm
/// before.
///
/// # Errors
/// [`Error::Guard`] naming the update where the norm is not finite: the training has diverged.
pub fn clip(gradient: &mut [f64], limit: f64, update: u64) -> Result<f64> {
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    checked(norm, update)?;
    if norm > limit {
        gradient.iter_mut().for_each(|g| *g *= limit / norm);
    }
    Ok(norm)
}

/// Refuses the norm of a gradient that is not finite.
///
/// # Errors
/// [`Error::Guard`] naming the update: the training has diverged.
pub fn checked(norm: f64, update: u64) -> Result<()> {
    if !norm.is_finite() {
        return Err(Error::Guard {
            step: update,
            what: format!("the training diverged: the norm of the gradient is {norm}"),
            hint: "lower optimizer.learning_rate or optimizer.clip, or look for broken frames in \
                   the data"
                .into(),
        });
    }
    Ok(())
}

/// What the average keeps of itself at an update. The memory grows from 0.1 to `decay`, so that the
/// first parameters, which are noise, are soon forgotten: at update u (from 0) it is
/// min(decay, (u + 1)/(u + 10)).
pub fn kept(decay: f64, update: u64) -> f64 {
    decay.min((update + 1) as f64 / (update + 10) as f64)
}

/// Moves `average` towards `values`, keeping of itself what [`kept`] says.
///
/// # Panics
/// Where the lengths differ.
pub fn average_in(average: &mut [f64], values: &[f64], decay: f64, update: u64) {
    assert_eq!(average.len(), values.len(), "one average a parameter");
    let keep = kept(decay, update);
    for (mean, value) in average.iter_mut().zip(values) {
        *mean = keep * *mean + (1.0 - keep) * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of `optax.adamw` (JAX, float64) for the same parameters, gradients and settings.
    #[test]
    fn adamw_follows_optax() {
        let adam = AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.1,
        };
        let mut state = State::new(vec![1.0, -2.0, 0.5]);
        let expected = [
            [0.9450000005941975, -2.03999995000005, 0.44750000005],
            [0.8902203360590066, -2.0464544975862338, 0.3964386451749725],
            [0.8436168200905512, -2.0307010805678174, 0.34856300635386056],
            [0.8250212856182891, -2.0345317343225564, 0.3069896700932513],
            [0.8257553526262008, -2.0336584786900325, 0.27634314631255175],
            [0.8299089341700406, -2.0183886641840108, 0.2609714482020834],
        ];
        for (update, row) in expected.iter().enumerate() {
            let u = update as f64;
            let gradient = [(u + 1.0).sin(), 0.01 * (2.0 * u).cos(), 10.0 - 3.0 * u];
            adam.update(&mut state, &gradient, &[true; 3], 0.05);
            for (got, want) in state.values.iter().zip(row) {
                assert!((got - want).abs() <= 1e-12, "update {update}: {got} {want}");
            }
        }
    }

    #[test]
    fn the_first_update_is_the_learning_rate_whatever_the_gradient() {
        let adam = AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 0.0,
            weight_decay: 0.5,
        };
        let mut state = State::new(vec![2.0, 2.0, 2.0]);
        adam.update(&mut state, &[1e-6, -1e6, 3.0], &[false, false, true], 0.01);
        for (got, want) in state
            .values
            .iter()
            .zip([1.99, 2.01, 2.0 - 0.01 - 0.01 * 0.5 * 2.0])
        {
            assert!((got - want).abs() <= 1e-12, "{got} {want}");
        }
    }

    #[test]
    fn clipping_keeps_the_direction_and_refuses_what_is_not_finite() {
        let mut gradient = [3.0, 4.0];
        assert!(
            (clip(&mut gradient, 10.0, 0).unwrap() - 5.0).abs() <= 1e-15 && gradient == [3.0, 4.0]
        );
        assert!((clip(&mut gradient, 1.0, 0).unwrap() - 5.0).abs() <= 1e-15);
        assert!(
            (gradient[0] - 0.6).abs() <= 1e-15 && (gradient[1] - 0.8).abs() <= 1e-15,
            "{gradient:?}"
        );
        let error = clip(&mut [1.0, f64::NAN], 1.0, 7).unwrap_err();
        assert!(
            error.exit_code() == 3 && error.to_string().contains("step 7"),
            "{error}"
        );
    }

    #[test]
    fn the_average_of_a_constant_is_the_constant_and_the_start_is_forgotten() {
        let mut average = [1000.0];
        for update in 0..2000 {
            average_in(&mut average, &[3.0], 0.99, update);
        }
        assert!((average[0] - 3.0).abs() <= 1e-5, "{average:?}");
        let mut average = [0.0];
        average_in(&mut average, &[1.0], 0.99, 0);
        assert!((average[0] - 0.9).abs() <= 1e-15);
    }
}
