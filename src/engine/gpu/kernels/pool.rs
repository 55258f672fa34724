//! `pool`: one group a system forward, one lane a token backward.

use super::{Backward, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::ops::pool::Pool;

impl Shader for Pool {
    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [named(["x"], call.inputs), named(["total"], call.outputs)].concat();
        let groups = launch.batch.systems;
        launch.run("forward", &[], &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let bound = [
            named(["d_total"], call.d_outputs),
            named(["d_x"], call.d_inputs),
        ]
        .concat();
        let groups = launch.tokens().div_ceil(LANES);
        launch.run("backward", &[], &bound, groups);
        Ok(())
    }
}
