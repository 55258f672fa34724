//! `update`: one group a token.

use super::{Backward, Forward, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::{Named, Value};
use crate::ops::update::{LIMIT, Update};

fn sizes(op: &Update) -> [Named; 2] {
    [
        ("components", op.components.into()),
        ("channels", op.channels.into()),
    ]
}

impl Shader for Update {
    const CONSTANTS: &'static [Named] = &[("LIMIT", Value::number(LIMIT))];

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [
            named(["v", "u", "g"], call.inputs),
            named(["out"], call.outputs),
        ]
        .concat();
        let groups = launch.tokens();
        launch.run("forward", &sizes(self), &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let bound = [
            named(["v", "u", "g"], call.inputs),
            named(["d_out"], call.d_outputs),
            named(["d_v", "d_u", "d_g"], call.d_inputs),
        ]
        .concat();
        let groups = launch.tokens();
        launch.run("backward", &sizes(self), &bound, groups);
        Ok(())
    }
}
