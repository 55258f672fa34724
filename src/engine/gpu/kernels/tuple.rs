//! `tuple`: one group a token.

use super::{Backward, Forward, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::{Named, Value};
use crate::ops::tuple::{EPSILON, Tuple};

fn sizes(op: &Tuple) -> [Named; 5] {
    [
        ("channels", op.channels.into()),
        ("scalar_width", op.scalars.0.into()),
        ("scalar_first", op.scalars.1.into()),
        ("vector_width", op.vectors.0.into()),
        ("vector_first", op.vectors.1.into()),
    ]
}

impl Shader for Tuple {
    const CONSTANTS: &'static [Named] = &[("EPSILON", Value::number(EPSILON))];

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [
            named(["scalars", "vectors"], call.inputs),
            named(["z"], call.outputs),
        ]
        .concat();
        let groups = launch.tokens();
        launch.run("forward", &sizes(self), &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let bound = [
            named(["scalars", "vectors"], call.inputs),
            named(["z"], call.outputs),
            named(["d_z"], call.d_outputs),
            named(["d_scalars", "d_vectors"], call.d_inputs),
        ]
        .concat();
        let groups = launch.tokens();
        launch.run("backward", &sizes(self), &bound, groups);
        Ok(())
    }
}
