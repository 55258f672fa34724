//! `invariants`: one lane a vector or tensor.

use super::{Backward, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::{Named, Value};
use crate::ops::invariants::{EPSILON, Invariants};

fn sizes(op: &Invariants) -> [Named; 2] {
    [
        ("components", op.components.into()),
        ("channels", op.channels.into()),
    ]
}

impl Shader for Invariants {
    const CONSTANTS: &'static [Named] = &[("EPSILON", Value::number(EPSILON))];

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [named(["v"], call.inputs), named(["lengths"], call.outputs)].concat();
        let groups = (launch.tokens() * self.channels).div_ceil(LANES);
        launch.run("forward", &sizes(self), &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let bound = [
            named(["v"], call.inputs),
            named(["d_lengths"], call.d_outputs),
            named(["d_v"], call.d_inputs),
        ]
        .concat();
        let groups = (launch.tokens() * self.channels).div_ceil(LANES);
        launch.run("backward", &sizes(self), &bound, groups);
        Ok(())
    }
}
