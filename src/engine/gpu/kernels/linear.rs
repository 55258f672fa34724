//! `linear`: products in tiles.

use super::{Backward, CHUNKS, Forward, LANES, Launch, named};
use crate::Result;
use crate::ops::linear::Linear;

/// Rows and columns of a tile, as in the shader.
const TILE: usize = 32;

const INPUTS: [&str; 4] = ["x0", "x1", "x2", "x3"];
const WEIGHTS: [&str; 4] = ["w0", "w1", "w2", "w3"];
const D_INPUTS: [&str; 4] = ["d_x0", "d_x1", "d_x2", "d_x3"];

/// The shader's sizes.
fn sizes(op: &Linear, rows: usize, of_chunk: usize) -> [usize; 10] {
    let width = |k: usize| op.inputs.get(k).copied().unwrap_or(0);
    let [bias, silu, residual] = [op.bias, op.silu, op.residual].map(usize::from);
    [
        rows,
        op.outputs,
        width(0),
        width(1),
        width(2),
        width(3),
        bias,
        silu,
        residual,
        of_chunk,
    ]
}

pub(super) fn forward(launch: &Launch<'_>, op: &Linear, call: &Forward<'_>) {
    let (count, rows) = (op.inputs.len(), call.outputs[0].len / op.outputs);
    let products = [
        named(INPUTS, &call.inputs[..count]),
        named(WEIGHTS, &call.params[..count]),
    ]
    .concat();
    let rest = [
        named(["bias"], &call.params[count..]),
        named(["residual"], &call.inputs[count..]),
        named(["y", "pre"], call.outputs),
    ];
    let groups = rows.div_ceil(TILE) * op.outputs.div_ceil(TILE);
    launch.run(
        "forward",
        &sizes(op, rows, 0),
        &[products, rest.concat()].concat(),
        groups,
    );
}

pub(super) fn backward(launch: &Launch<'_>, op: &Linear, call: &Backward<'_>) -> Result<()> {
    let (count, n, rows) = (
        op.inputs.len(),
        op.outputs,
        call.d_outputs[0].len / op.outputs,
    );
    let width: usize = op.inputs.iter().sum();
    let height = width + usize::from(op.bias);
    let of_chunk = rows.div_ceil(CHUNKS).max(LANES);
    let chunks = rows.div_ceil(of_chunk);
    let partial = launch.gpu.buffer(chunks * height * n)?;
    let sizes = sizes(op, rows, of_chunk);
    let forward = [
        named(INPUTS, &call.inputs[..count]),
        named(WEIGHTS, &call.params[..count]),
    ]
    .concat();
    let pre = call.outputs.get(1).copied();
    let given = [
        ("pre", pre),
        ("d_y", Some(call.d_outputs[0])),
        ("partial", Some(&partial)),
    ]
    .to_vec();
    let taken = [
        named(D_INPUTS, &call.d_inputs[..count]),
        named(["d_residual"], &call.d_inputs[count..]),
    ]
    .concat();
    let bound = [forward, given, taken].concat();
    if op.residual {
        launch.run(
            "backward_residual",
            &sizes,
            &bound,
            (rows * n).div_ceil(LANES),
        );
    }
    launch.run(
        "backward",
        &sizes,
        &bound,
        rows.div_ceil(TILE) * width.div_ceil(TILE),
    );
    launch.run(
        "backward_weights",
        &sizes,
        &bound,
        chunks * height.div_ceil(TILE) * n.div_ceil(TILE),
    );
    let mut first = 0;
    for d_param in call.d_params {
        launch.sum(&partial, chunks, height * n, first, d_param);
        first += d_param.len;
    }
    Ok(())
}
