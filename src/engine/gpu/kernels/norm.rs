//! `norm`: one group a token.

use super::{Backward, Forward, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::{Named, Value};
use crate::ops::norm::{EPSILON, Norm};

impl Shader for Norm {
    const CONSTANTS: &'static [Named] = &[("EPSILON", Value::number(EPSILON))];

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [named(["x"], call.inputs), named(["y"], call.outputs)].concat();
        let groups = launch.tokens();
        launch.run(
            "forward",
            &[("channels", self.channels.into())],
            &bound,
            groups,
        );
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let bound = [
            named(["x"], call.inputs),
            named(["y"], call.outputs),
            named(["d_y"], call.d_outputs),
            named(["d_x"], call.d_inputs),
        ]
        .concat();
        let groups = launch.tokens();
        launch.run(
            "backward",
            &[("channels", self.channels.into())],
            &bound,
            groups,
        );
        Ok(())
    }
}
