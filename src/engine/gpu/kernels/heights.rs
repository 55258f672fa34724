//! `heights`: one lane a token, which sees four.

use super::{Backward, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::{Named, Value};
use crate::ops::heights::{Heights, SHARES, WIDTHS};

impl Shader for Heights {
    const CONSTANTS: &'static [Named] = &[
        ("STIFF", Value::number(WIDTHS[0])),
        ("SOFT", Value::number(WIDTHS[1])),
        ("SHARE_OF_CENTRE", Value::number(SHARES[0])),
        ("SHARE_OF_NEIGHBOUR", Value::number(SHARES[1])),
    ];

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [
            named(["y"], call.inputs),
            named(["scalars", "vectors"], call.outputs),
        ]
        .concat();
        let groups = launch.tokens().div_ceil(LANES);
        launch.run("forward", &[], &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let bound = [
            named(["y"], call.inputs),
            named(["d_scalars", "d_vectors"], call.d_outputs),
            named(["d_y"], call.d_inputs),
        ]
        .concat();
        let groups = launch.tokens().div_ceil(LANES);
        launch.run("backward", &[], &bound, groups);
        Ok(())
    }
}
