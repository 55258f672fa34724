//! `readout`: sums over the channels of a token, then means over systems.

use super::{Backward, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::Named;
use crate::ops::readout::Readout;

const VECTORS: [&str; 4] = ["v0", "v1", "v2", "v3"];
const D_VECTORS: [&str; 4] = ["d_v0", "d_v1", "d_v2", "d_v3"];

fn sizes(op: &Readout) -> [Named; 4] {
    assert!(
        op.vectors.len() <= VECTORS.len(),
        "readout of more than {} vector inputs",
        VECTORS.len()
    );
    let width = |k: usize| op.vectors.get(k).copied().unwrap_or(0).into();
    [
        ("width0", width(0)),
        ("width1", width(1)),
        ("width2", width(2)),
        ("width3", width(3)),
    ]
}

impl Shader for Readout {
    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let sizes = sizes(self);
        let means = 3 * launch.batch.systems;
        let mean = launch.gpu.buffer(means)?;
        let bound = [
            named(["y", "w"], &call.inputs[..2]),
            named(VECTORS, &call.inputs[2..]),
            named(["out"], call.outputs),
            vec![("mean", Some(&mean))],
        ]
        .concat();
        launch.run("forward", &sizes, &bound, launch.tokens());
        let averaged = [("rows", Some(call.outputs[0])), ("mean", Some(&mean))];
        launch.run("average", &sizes, &averaged, means);
        let groups = (3 * launch.tokens()).div_ceil(LANES);
        launch.run("centre", &sizes, &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let sizes = sizes(self);
        let means = 3 * launch.batch.systems;
        let mean = launch.gpu.buffer(means)?;
        let averaged = [("rows", Some(call.d_outputs[0])), ("mean", Some(&mean))];
        launch.run("average", &sizes, &averaged, means);
        let bound = [
            named(["y", "w"], &call.inputs[..2]),
            named(VECTORS, &call.inputs[2..]),
            named(["d_out"], call.d_outputs),
            named(["d_y", "d_w"], &call.d_inputs[..2]),
            named(D_VECTORS, &call.d_inputs[2..]),
            vec![("mean", Some(&mean))],
        ]
        .concat();
        let weights: usize = self.vectors.iter().sum();
        let groups = (launch.tokens() * weights).div_ceil(LANES);
        launch.run("backward", &sizes, &bound, groups);
        Ok(())
    }
}
