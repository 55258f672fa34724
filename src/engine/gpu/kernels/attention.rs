//! `attention`: a group has 64 tokens of one head; backward goes by query, then by key.

use super::{Backward, Forward, LANES, Launch, named};
use crate::Result;
use crate::ops::attention::Attention;

pub(super) fn forward(launch: &Launch<'_>, op: &Attention, call: &Forward<'_>) {
    let bound = [
        named(["scalars", "vectors"], call.inputs),
        named(["o_scalars", "o_vectors", "lse"], call.outputs),
    ]
    .concat();
    let groups = launch.tokens().div_ceil(LANES) * op.heads;
    launch.run("forward", &[op.heads], &bound, groups);
}

pub(super) fn backward(launch: &Launch<'_>, op: &Attention, call: &Backward<'_>) -> Result<()> {
    let along = launch.gpu.buffer(launch.tokens() * op.heads)?;
    let forward = [
        named(["scalars", "vectors"], call.inputs),
        named(["o_scalars", "o_vectors", "lse"], call.outputs),
    ];
    let gradients = [
        named(["d_o_scalars", "d_o_vectors"], call.d_outputs),
        named(["d_scalars", "d_vectors"], call.d_inputs),
        vec![("along", Some(&along))],
    ];
    let bound = [forward.concat(), gradients.concat()].concat();
    let groups = launch.tokens().div_ceil(LANES) * op.heads;
    launch.run("backward", &[op.heads], &bound, groups);
    launch.run("backward_keys", &[op.heads], &bound, groups);
    Ok(())
}
