//! `norm`: layer normalisation of scalars without affine parameters: y = (x − x̄) / √(mean (x −
//! x̄)² + 1e-5).

use super::pieces::{dot, eights, for_rows};
use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::{Lanes, Real};

/// Added to the variance.
pub const EPSILON: f64 = 1e-5;

/// Layer normalisation of a token's scalars. Input and output: `channels` scalars.
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    /// Channels C.
    pub channels: usize,
}

fn sum<T: Real>(row: &[T]) -> T {
    eights(row.len())
        .fold(Lanes::zero(), |sum, k| sum + Lanes::load(&row[k]))
        .total()
}

/// Mean of a row and 1/√(variance + ε).
fn moments<T: Real>(row: &[T]) -> (T, T) {
    let scale = T::of(1.0 / row.len() as f64);
    let mean = sum(row) * scale;
    let whole = row.len() / 8 * 8;
    let square = |sum, x| Lanes::fma(x, x, sum);
    let squares = row[..whole]
        .chunks_exact(8)
        .map(|x| Lanes::load(x) - Lanes::all(mean))
        .fold(Lanes::zero(), square)
        .total();
    let rest = row[whole..]
        .iter()
        .map(|&x| (x - mean) * (x - mean))
        .sum::<T>();
    (
        mean,
        ((squares + rest) * scale + T::of(EPSILON)).sqrt().recip(),
    )
}

impl Kernel for Norm {
    fn examples() -> Vec<Self> {
        vec![Norm { channels: 8 }, Norm { channels: 11 }]
    }

    fn signature(&self) -> Signature {
        let shape = Shape::scalars(self.channels);
        Signature {
            inputs: vec![shape],
            params: vec![],
            outputs: vec![shape],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let c = self.channels;
        for_rows(call.outputs[0], c, |first, out| {
            for (y, x) in out
                .chunks_exact_mut(c)
                .zip(call.inputs[0][first * c..].chunks_exact(c))
            {
                let (mean, inverse) = moments(x);
                for k in eights(c) {
                    ((Lanes::load(&x[k.clone()]) - Lanes::all(mean)) * Lanes::all(inverse))
                        .store(&mut y[k]);
                }
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
                let y = &call.outputs[0][at.clone()];
                let d_y = &call.d_outputs[0][at.clone()];
                let (_, inverse) = moments(&call.inputs[0][at]);
                let (mean, along) = (
                    Lanes::all(sum(d_y) * scale),
                    Lanes::all(dot(d_y, y) * scale),
                );
                for k in eights(c) {
                    let (d, y) = (Lanes::load(&d_y[k.clone()]), Lanes::load(&y[k.clone()]));
                    ((d - mean - y * along) * Lanes::all(inverse)).add_to(&mut d_x[k]);
                }
            }
        });
    }
}
