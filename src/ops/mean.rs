//! `mean`: every token of a system gets the mean over all of its tokens.
//!
//! ```text
//! y_i = 1/N Σ_j x_j      over the tokens j of i's system
//! ```
//!
//! What a network keeps for a whole system (virtual nodes, context tokens) is computed token by
//! token from such means: the same numbers at every token, so that all other ops serve it.

use rayon::prelude::*;

use super::{Backward, Batch, Forward, Kernel, Rows, Shape, Signature};
use crate::numeric::Real;

/// Mean over the tokens of a system, see the module's equation. Input and output: `channels`
/// scalars or vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Mean {
    /// 1 for scalars, 3 for vectors.
    pub components: usize,
    /// Channels.
    pub channels: usize,
}

impl Mean {
    fn row(&self) -> usize {
        self.components * self.channels
    }
}

/// Means of the rows of every system.
fn means<T: Real>(batch: &Batch, x: &[T], row: usize) -> Vec<Vec<T>> {
    let of_system = |system| {
        let range = batch.range(system);
        let mut mean = vec![T::zero(); row];
        for x in x[range.start * row..range.end * row].chunks_exact(row) {
            mean.iter_mut().zip(x).for_each(|(mean, &x)| *mean += x);
        }
        let share = T::of(1.0 / range.len().max(1) as f64);
        mean.iter_mut().for_each(|mean| *mean *= share);
        mean
    };
    (0..batch.systems())
        .into_par_iter()
        .map(of_system)
        .collect()
}

impl Kernel for Mean {
    fn examples() -> Vec<Self> {
        let example = |components, channels| Mean {
            components,
            channels,
        };
        vec![example(1, 5), example(3, 2)]
    }

    fn signature(&self) -> Signature {
        let shape = Shape {
            rows: Rows::Tokens,
            components: self.components,
            width: self.channels,
        };
        Signature {
            inputs: vec![shape],
            params: vec![],
            outputs: vec![shape],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let row = self.row();
        let means = means(call.batch, call.inputs[0], row);
        let rows = call.outputs[0].chunks_exact_mut(row);
        for (y, system) in rows.zip(call.batch.system_of_tokens()) {
            y.copy_from_slice(&means[system]);
        }
    }

    /// A mean is its own adjoint.
    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let row = self.row();
        let means = means(call.batch, call.d_outputs[0], row);
        let rows = call.d_inputs[0].chunks_exact_mut(row);
        for (d_x, system) in rows.zip(call.batch.system_of_tokens()) {
            let pairs = d_x.iter_mut().zip(&means[system]);
            pairs.for_each(|(d_x, &mean)| *d_x += mean);
        }
    }
}
