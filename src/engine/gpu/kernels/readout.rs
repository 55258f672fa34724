//! `readout` and `pool`: sums over systems.

use super::{Backward, Forward, LANES, Launch, named};
use crate::Result;
use crate::ops::readout::Readout;

const VECTORS: [&str; 4] = ["v0", "v1", "v2", "v3"];
const D_VECTORS: [&str; 4] = ["d_v0", "d_v1", "d_v2", "d_v3"];

/// The shader's sizes.
fn sizes(op: &Readout) -> [usize; 4] {
    assert!(
        op.vectors.len() <= VECTORS.len(),
        "readout of more than {} vector inputs",
        VECTORS.len()
    );
    std::array::from_fn(|k| op.vectors.get(k).copied().unwrap_or(0))
}

pub(super) fn forward(launch: &Launch<'_>, op: &Readout, call: &Forward<'_>) -> Result<()> {
    let mean = launch.gpu.buffer(3 * launch.batch.systems)?;
    let inputs = [
        named(["y", "w"], &call.inputs[..2]),
        named(VECTORS, &call.inputs[2..]),
    ]
    .concat();
    let bound = [
        inputs,
        named(["out"], call.outputs),
        vec![("mean", Some(&mean))],
    ]
    .concat();
    launch.run("forward", &sizes(op), &bound, launch.tokens());
    let averaged = [("rows", Some(call.outputs[0])), ("mean", Some(&mean))];
    launch.run("average", &sizes(op), &averaged, 3 * launch.batch.systems);
    launch.run(
        "centre",
        &sizes(op),
        &bound,
        (3 * launch.tokens()).div_ceil(LANES),
    );
    Ok(())
}

pub(super) fn backward(launch: &Launch<'_>, op: &Readout, call: &Backward<'_>) -> Result<()> {
    let mean = launch.gpu.buffer(3 * launch.batch.systems)?;
    let averaged = [("rows", Some(call.d_outputs[0])), ("mean", Some(&mean))];
    launch.run("average", &sizes(op), &averaged, 3 * launch.batch.systems);
    let inputs = [
        named(["y", "w"], &call.inputs[..2]),
        named(VECTORS, &call.inputs[2..]),
    ]
    .concat();
    let gradients = [
        named(["d_out"], call.d_outputs),
        named(["d_y", "d_w"], &call.d_inputs[..2]),
    ]
    .concat();
    let rest = [
        named(D_VECTORS, &call.d_inputs[2..]),
        vec![("mean", Some(&mean))],
    ]
    .concat();
    let weights: usize = op.vectors.iter().sum();
    launch.run(
        "backward",
        &sizes(op),
        &[inputs, gradients, rest].concat(),
        (launch.tokens() * weights).div_ceil(LANES),
    );
    Ok(())
}

pub(super) fn pool(launch: &Launch<'_>, call: &Forward<'_>) {
    let bound = [named(["x"], call.inputs), named(["total"], call.outputs)].concat();
    launch.run("forward", &[], &bound, launch.batch.systems);
}

pub(super) fn d_pool(launch: &Launch<'_>, call: &Backward<'_>) {
    let bound = [
        named(["d_total"], call.d_outputs),
        named(["d_x"], call.d_inputs),
    ]
    .concat();
    launch.run("backward", &[], &bound, launch.tokens().div_ceil(LANES));
}
