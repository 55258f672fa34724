//! `norm`: layer normalisation of scalars without affine parameters: y = (x − x̄) / √(mean (x − x̄)² + 1e-5).

use super::pieces::for_rows;
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::engine::Real;

const EPSILON: f64 = 1e-5;

/// Layer normalisation of a token's scalars. Input and output: `channels` scalars.
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    /// Channels C.
    pub channels: usize,
}

/// Mean of a row and 1/√(variance + ε).
fn moments<T: Real>(row: &[T]) -> (T, T) {
    let scale = T::of(1.0 / row.len() as f64);
    let mean = row.iter().copied().sum::<T>() * scale;
    let variance = row.iter().map(|&x| (x - mean) * (x - mean)).sum::<T>() * scale;
    (mean, (variance + T::of(EPSILON)).sqrt().recip())
}

impl Kernel for Norm {
    fn signature(&self) -> Signature {
        let shape = Shape::scalars(self.channels);
        Signature { inputs: vec![shape], params: vec![], outputs: vec![shape] }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let c = self.channels;
        for_rows(call.outputs[0], c, |first, out| {
            for (y, x) in out.chunks_exact_mut(c).zip(call.inputs[0][first * c..].chunks_exact(c)) {
                let (mean, inverse) = moments(x);
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - mean) * inverse);
            }
        });
    }

    /// d_x = (d_y − mean d_y − y · mean(d_y y)) / σ.
    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let c = self.channels;
        let scale = T::of(1.0 / c as f64);
        for_rows(call.d_inputs[0], c, |first, d_inputs| {
            for (token, d_x) in (first..).zip(d_inputs.chunks_exact_mut(c)) {
                let at = token * c..(token + 1) * c;
                let (y, d_y) = (&call.outputs[0][at.clone()], &call.d_outputs[0][at.clone()]);
                let (_, inverse) = moments(&call.inputs[0][at]);
                let mean = d_y.iter().copied().sum::<T>() * scale;
                let along = d_y.iter().zip(y).map(|(&d, &y)| d * y).sum::<T>() * scale;
                for ((d_x, &d), &y) in d_x.iter_mut().zip(d_y).zip(y) {
                    *d_x += (d - mean - y * along) * inverse;
                }
            }
        });
    }
}
