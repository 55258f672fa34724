//! `message`: forward by receiver, backward by receiver and by sender.

use super::super::shaders;
use super::{Backward, CHUNKS, Forward, Launch, named};
use crate::Result;
use crate::ops::message::{DENSE, Message};
use crate::ops::{Op, RELATIONS};

const INPUTS: [&str; 5] = ["a", "b", "y", "x", "n"];
const PARAMS: [&str; 6] = [
    "relation",
    "radial",
    "radial_condition",
    "dense",
    "weight",
    "bias",
];

fn sizes(op: &Message, of_chunk: usize) -> [u32; 3] {
    [
        op.radial as u32,
        (op.reach as f32).to_bits(),
        of_chunk as u32,
    ]
}

pub(super) fn forward(launch: &Launch<'_>, op: &Message, call: &Forward<'_>) {
    let bound = [
        named(INPUTS, call.inputs),
        named(PARAMS, call.params),
        named(["agg", "vectors"], call.outputs),
    ]
    .concat();
    launch.run_words("forward", &sizes(op, 1), &bound, launch.tokens());
}

pub(super) fn backward(
    launch: &Launch<'_>,
    op: &Op,
    message: &Message,
    call: &Backward<'_>,
) -> Result<()> {
    let height = RELATIONS + 2 * message.radial + DENSE + message.channels + 1;
    // more chunks than elsewhere: one is a long way for a group
    let of_chunk = launch.tokens().div_ceil(4 * CHUNKS).max(1);
    let chunks = launch.tokens().div_ceil(of_chunk);
    let partial = launch.gpu.buffer(chunks * height * message.channels)?;
    let read = [
        named(INPUTS, call.inputs),
        named(PARAMS, call.params),
        named(["d_agg", "d_vectors"], call.d_outputs),
    ]
    .concat();
    let [d_a, d_b, d_y, d_x, d_n] = call.d_inputs else {
        panic!("message takes 5 inputs, not {}", call.d_inputs.len())
    };
    let positions = [
        ("d_y", Some(*d_y)),
        ("d_x", Some(*d_x)),
        ("d_n", Some(*d_n)),
        ("partial", Some(&partial)),
    ]
    .to_vec();
    let by_receiver = [read.clone(), positions.clone(), vec![("d_own", Some(*d_a))]].concat();
    launch.run_words("backward", &sizes(message, of_chunk), &by_receiver, chunks);
    let by_sender = [read, positions, vec![("d_own", Some(*d_b))]].concat();
    let sending = Launch {
        source: shaders::source(op, true),
        ..*launch
    };
    sending.run_words("backward", &sizes(message, 1), &by_sender, launch.tokens());
    let mut first = 0;
    for d_param in call.d_params {
        launch.sum(&partial, chunks, height * message.channels, first, d_param);
        first += d_param.len;
    }
    Ok(())
}
