//! `short_conv`: one lane a number; gradients of the weights by chunks of tokens.

use super::{Backward, CHUNKS, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::Named;
use crate::ops::short_conv::ShortConv;

fn sizes(op: &ShortConv, tokens_of_chunk: usize) -> [Named; 4] {
    [
        ("components", op.components.into()),
        ("channels", op.channels.into()),
        ("reach", op.reach.into()),
        ("tokens_of_chunk", tokens_of_chunk.into()),
    ]
}

impl Shader for ShortConv {
    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [
            named(["x"], call.inputs),
            named(["weight"], call.params),
            named(["y"], call.outputs),
        ]
        .concat();
        let groups = (launch.tokens() * self.components * self.channels).div_ceil(LANES);
        launch.run("forward", &sizes(self, 0), &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let numbers = (2 * self.reach + 1) * self.channels;
        let of_chunk = launch.tokens().div_ceil(CHUNKS).max(LANES);
        let chunks = launch.tokens().div_ceil(of_chunk);
        let partial = launch.gpu.buffer(chunks * numbers)?;
        let bound = [
            named(["x"], call.inputs),
            named(["weight"], call.params),
            named(["d_y"], call.d_outputs),
            named(["d_x"], call.d_inputs),
            vec![("partial", Some(&partial))],
        ]
        .concat();
        let sizes = sizes(self, of_chunk);
        let groups = (launch.tokens() * self.components * self.channels).div_ceil(LANES);
        launch.run("backward", &sizes, &bound, groups);
        let groups = (chunks * numbers).div_ceil(LANES);
        launch.run("backward_weights", &sizes, &bound, groups);
        launch.sum(&partial, chunks, numbers, 0, call.d_params[0]);
        Ok(())
    }
}
