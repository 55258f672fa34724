//! `attention`: a group has 64 tokens of one head; backward goes by query, then by key.

use super::{Backward, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::shaders::{Variant, variant};
use crate::ops::attention::Attention;

/// Numbers of two blocks that leave room for other things in 16 KiB of shared memory, which every
/// device has.
const SHARED_NUMBERS: usize = 4000;

impl Shader for Attention {
    fn variant(&self) -> Variant {
        let width = self.scalars + 3 * self.vectors;
        let block = (SHARED_NUMBERS / 2 / width).clamp(1, LANES);
        variant([
            ("SCALARS", self.scalars.into()),
            ("VECTORS", self.vectors.into()),
            ("BLOCK", block.into()),
        ])
    }

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [
            named(["scalars", "vectors"], call.inputs),
            named(["o_scalars", "o_vectors", "lse"], call.outputs),
        ]
        .concat();
        let groups = launch.tokens().div_ceil(LANES) * self.heads;
        launch.run("forward", &[("heads", self.heads.into())], &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let along = launch.gpu.buffer(launch.tokens() * self.heads)?;
        let bound = [
            named(["scalars", "vectors"], call.inputs),
            named(["o_scalars", "o_vectors", "lse"], call.outputs),
            named(["d_o_scalars", "d_o_vectors"], call.d_outputs),
            named(["d_scalars", "d_vectors"], call.d_inputs),
            vec![("along", Some(&along))],
        ]
        .concat();
        let sizes = [("heads", self.heads.into())];
        let groups = launch.tokens().div_ceil(LANES) * self.heads;
        launch.run("backward", &sizes, &bound, groups);
        launch.run("backward_keys", &sizes, &bound, groups);
        Ok(())
    }
}
