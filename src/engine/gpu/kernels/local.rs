//! Ops that see one token at a time, and `heights`, which sees four.

use super::{Backward, CHUNKS, Forward, LANES, Launch, named};
use crate::Result;
use crate::ops::embed::Embed;
use crate::ops::gate::Gate;
use crate::ops::invariants::Invariants;
use crate::ops::norm::Norm;
use crate::ops::tuple::Tuple;
use crate::ops::update::Update;

const TABLES: [&str; 3] = ["name", "residue", "chain_place"];

pub(super) fn embed(launch: &Launch<'_>, op: &Embed, call: &Forward<'_>) {
    let bound = [
        named(["e"], call.inputs),
        named(TABLES, call.params),
        named(["f"], call.outputs),
    ]
    .concat();
    launch.run(
        "forward",
        &[op.channels],
        &bound,
        (launch.tokens() * op.channels).div_ceil(LANES),
    );
}

pub(super) fn d_embed(launch: &Launch<'_>, op: &Embed, call: &Backward<'_>) -> Result<()> {
    let (c, [names, residues, places]) = (op.channels, op.tables);
    let of_chunk = launch.tokens().div_ceil(CHUNKS).max(LANES);
    let (chunks, rows) = (
        launch.tokens().div_ceil(of_chunk),
        names + residues + places,
    );
    let partial = launch.gpu.buffer(chunks * rows * c)?;
    let mut bound = [
        named(["d_f"], call.d_outputs),
        named(["d_e"], call.d_inputs),
    ]
    .concat();
    bound.push(("partial", Some(&partial)));
    let sizes = [c, names, residues, places, of_chunk];
    launch.run("backward", &sizes, &bound, launch.batch.systems * c);
    launch.run("backward_tables", &sizes, &bound, chunks);
    for (table, first) in call.d_params.iter().zip([0, names, names + residues]) {
        launch.sum(&partial, chunks, rows * c, first * c, table);
    }
    Ok(())
}

pub(super) fn norm(launch: &Launch<'_>, op: &Norm, call: &Forward<'_>) {
    let bound = [named(["x"], call.inputs), named(["y"], call.outputs)].concat();
    launch.run("forward", &[op.channels], &bound, launch.tokens());
}

pub(super) fn d_norm(launch: &Launch<'_>, op: &Norm, call: &Backward<'_>) {
    let forward = [named(["x"], call.inputs), named(["y"], call.outputs)];
    let bound = [
        forward.concat(),
        named(["d_y"], call.d_outputs),
        named(["d_x"], call.d_inputs),
    ]
    .concat();
    launch.run("backward", &[op.channels], &bound, launch.tokens());
}

pub(super) fn heights(launch: &Launch<'_>, call: &Forward<'_>) {
    let bound = [
        named(["y"], call.inputs),
        named(["scalars", "vectors"], call.outputs),
    ]
    .concat();
    launch.run("forward", &[], &bound, launch.tokens().div_ceil(LANES));
}

pub(super) fn d_heights(launch: &Launch<'_>, call: &Backward<'_>) {
    let bound = [
        named(["y"], call.inputs),
        named(["d_scalars", "d_vectors"], call.d_outputs),
        named(["d_y"], call.d_inputs),
    ]
    .concat();
    launch.run("backward", &[], &bound, launch.tokens().div_ceil(LANES));
}

fn tuple_sizes(op: &Tuple) -> [usize; 5] {
    [
        op.channels,
        op.scalars.0,
        op.scalars.1,
        op.vectors.0,
        op.vectors.1,
    ]
}

pub(super) fn tuple(launch: &Launch<'_>, op: &Tuple, call: &Forward<'_>) {
    let bound = [
        named(["scalars", "vectors"], call.inputs),
        named(["z"], call.outputs),
    ]
    .concat();
    launch.run("forward", &tuple_sizes(op), &bound, launch.tokens());
}

pub(super) fn d_tuple(launch: &Launch<'_>, op: &Tuple, call: &Backward<'_>) {
    let forward = [
        named(["scalars", "vectors"], call.inputs),
        named(["z"], call.outputs),
    ];
    let bound = [
        forward.concat(),
        named(["d_z"], call.d_outputs),
        named(["d_scalars", "d_vectors"], call.d_inputs),
    ]
    .concat();
    launch.run("backward", &tuple_sizes(op), &bound, launch.tokens());
}

pub(super) fn gate(launch: &Launch<'_>, op: &Gate, call: &Forward<'_>) {
    let bound = [
        named(["u", "v", "g"], call.inputs),
        named(["scalars", "vectors"], call.outputs),
    ]
    .concat();
    launch.run(
        "forward",
        &[op.channels, op.gates.0, op.gates.1],
        &bound,
        (launch.tokens() * op.channels).div_ceil(LANES),
    );
}

pub(super) fn d_gate(launch: &Launch<'_>, op: &Gate, call: &Backward<'_>) {
    let gradients = [
        named(["d_scalars", "d_vectors"], call.d_outputs),
        named(["d_u", "d_v", "d_g"], call.d_inputs),
    ];
    let bound = [named(["u", "v", "g"], call.inputs), gradients.concat()].concat();
    launch.run(
        "backward",
        &[op.channels, op.gates.0, op.gates.1],
        &bound,
        (launch.tokens() * op.channels).div_ceil(LANES),
    );
}

pub(super) fn invariants(launch: &Launch<'_>, op: &Invariants, call: &Forward<'_>) {
    let bound = [named(["v"], call.inputs), named(["lengths"], call.outputs)].concat();
    launch.run(
        "forward",
        &[op.channels],
        &bound,
        (launch.tokens() * op.channels).div_ceil(LANES),
    );
}

pub(super) fn d_invariants(launch: &Launch<'_>, op: &Invariants, call: &Backward<'_>) {
    let bound = [
        named(["v"], call.inputs),
        named(["d_lengths"], call.d_outputs),
        named(["d_v"], call.d_inputs),
    ]
    .concat();
    launch.run(
        "backward",
        &[op.channels],
        &bound,
        (launch.tokens() * op.channels).div_ceil(LANES),
    );
}

pub(super) fn update(launch: &Launch<'_>, op: &Update, call: &Forward<'_>) {
    let bound = [
        named(["v", "u", "g"], call.inputs),
        named(["out"], call.outputs),
    ]
    .concat();
    launch.run("forward", &[op.channels], &bound, launch.tokens());
}

pub(super) fn d_update(launch: &Launch<'_>, op: &Update, call: &Backward<'_>) {
    let gradients = [
        named(["d_out"], call.d_outputs),
        named(["d_v", "d_u", "d_g"], call.d_inputs),
    ];
    let bound = [named(["v", "u", "g"], call.inputs), gradients.concat()].concat();
    launch.run("backward", &[op.channels], &bound, launch.tokens());
}
