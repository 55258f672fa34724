//! `linear`: products in tiles.

use super::{Backward, CHUNKS, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::{Named, Value};
use crate::ops::linear::Linear;

/// Rows and columns of a tile: a lane has 4 × 4 of its results.
const TILE: usize = 32;

const INPUTS: [&str; 4] = ["x0", "x1", "x2", "x3"];
const WEIGHTS: [&str; 4] = ["w0", "w1", "w2", "w3"];
const D_INPUTS: [&str; 4] = ["d_x0", "d_x1", "d_x2", "d_x3"];

fn sizes(op: &Linear, rows: usize, rows_of_chunk: usize) -> [Named; 10] {
    let width = |k: usize| op.inputs.get(k).copied().unwrap_or(0).into();
    [
        ("rows", rows.into()),
        ("outputs", op.outputs.into()),
        ("width0", width(0)),
        ("width1", width(1)),
        ("width2", width(2)),
        ("width3", width(3)),
        ("bias", op.bias.into()),
        ("silu", op.silu.into()),
        ("residual", op.residual.into()),
        ("rows_of_chunk", rows_of_chunk.into()),
    ]
}

impl Shader for Linear {
    const CONSTANTS: &'static [Named] = &[("TILE", Value::count(TILE))];

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let count = self.inputs.len();
        let rows = call.outputs[0].len / self.outputs;
        let bound = [
            named(INPUTS, &call.inputs[..count]),
            named(WEIGHTS, &call.params[..count]),
            named(["bias"], &call.params[count..]),
            named(["residual"], &call.inputs[count..]),
            named(["y", "pre"], call.outputs),
        ]
        .concat();
        let groups = rows.div_ceil(TILE) * self.outputs.div_ceil(TILE);
        launch.run("forward", &sizes(self, rows, 0), &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let count = self.inputs.len();
        let n = self.outputs;
        let rows = call.d_outputs[0].len / n;
        let width: usize = self.inputs.iter().sum();
        let height = width + usize::from(self.bias);
        let of_chunk = rows.div_ceil(CHUNKS).max(LANES);
        let chunks = rows.div_ceil(of_chunk);
        let partial = launch.gpu.buffer(chunks * height * n)?;
        let bound = [
            named(INPUTS, &call.inputs[..count]),
            named(WEIGHTS, &call.params[..count]),
            vec![
                ("pre", call.outputs.get(1).copied()),
                ("d_y", Some(call.d_outputs[0])),
                ("partial", Some(&partial)),
            ],
            named(D_INPUTS, &call.d_inputs[..count]),
            named(["d_residual"], &call.d_inputs[count..]),
        ]
        .concat();
        let sizes = sizes(self, rows, of_chunk);
        if self.residual {
            let groups = (rows * n).div_ceil(LANES);
            launch.run("backward_residual", &sizes, &bound, groups);
        }
        let groups = rows.div_ceil(TILE) * width.div_ceil(TILE);
        launch.run("backward", &sizes, &bound, groups);
        let groups = chunks * height.div_ceil(TILE) * n.div_ceil(TILE);
        launch.run("backward_weights", &sizes, &bound, groups);
        let mut first = 0;
        for d_param in call.d_params {
            launch.sum(&partial, chunks, height * n, first, d_param);
            first += d_param.len;
        }
        Ok(())
    }
}
