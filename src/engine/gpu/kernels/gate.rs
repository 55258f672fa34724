//! `gate`: one lane a tuple.

use super::{Backward, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::Named;
use crate::ops::gate::Gate;

fn sizes(op: &Gate) -> [Named; 3] {
    [
        ("channels", op.channels.into()),
        ("gate_width", op.gates.0.into()),
        ("gate_first", op.gates.1.into()),
    ]
}

impl Shader for Gate {
    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [
            named(["u", "v", "g"], call.inputs),
            named(["scalars", "vectors"], call.outputs),
        ]
        .concat();
        let groups = (launch.tokens() * self.channels).div_ceil(LANES);
        launch.run("forward", &sizes(self), &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let bound = [
            named(["u", "v", "g"], call.inputs),
            named(["d_scalars", "d_vectors"], call.d_outputs),
            named(["d_u", "d_v", "d_g"], call.d_inputs),
        ]
        .concat();
        let groups = (launch.tokens() * self.channels).div_ceil(LANES);
        launch.run("backward", &sizes(self), &bound, groups);
        Ok(())
    }
}
