//! `pool`: the sum of a token scalar over each system, times the system's scale: the energy of the
//! conservative force form.

use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::Real;

/// Sum over tokens. Input: 1 scalar a token. Output: 1 scalar a system.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool;

impl Kernel for Pool {
    fn examples() -> Vec<Self> {
        vec![Pool]
    }

    fn signature(&self) -> Signature {
        Signature {
            inputs: vec![Shape::scalars(1)],
            params: vec![],
            outputs: vec![Shape::per_system(1)],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        for (system, out) in call.outputs[0].iter_mut().enumerate() {
            *out = call.inputs[0][call.batch.range(system)]
                .iter()
                .copied()
                .sum::<T>()
                * T::of(call.batch.scale[system]);
        }
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        for (system, &d) in call.d_outputs[0].iter().enumerate() {
            let d = d * T::of(call.batch.scale[system]);
            call.d_inputs[0][call.batch.range(system)]
                .iter_mut()
                .for_each(|d_x| *d_x += d);
        }
    }
}
