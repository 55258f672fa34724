//! `near_attention`: forward by receiver, backward by receiver and by sender.

use super::{Backward, CHUNKS, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::shaders::{Source, Variant, variant};
use crate::engine::gpu::values::{Named, Value};
use crate::ops::RELATIONS;
use crate::ops::message::{DENSE, DEVIATION, NEAR, ROUND, SOFT, WIDTHS};
use crate::ops::near_attention::NearAttention;

const INPUTS: [&str; 8] = ["a", "b", "y", "x", "n", "s", "v", "t"];
const PARAMS: [&str; 7] = [
    "relation",
    "radial",
    "radial_condition",
    "dense",
    "weight",
    "bias",
    "score",
];

fn sizes(op: &NearAttention, tokens_of_chunk: usize) -> [Named; 3] {
    [
        ("splines", op.radial.into()),
        ("reach", op.reach.into()),
        ("tokens_of_chunk", tokens_of_chunk.into()),
    ]
}

/// What is compiled into the shader; `sending`: backward by sender.
fn side(op: &NearAttention, sending: bool) -> Variant {
    // ten arrays of a block's channels in 16 KiB of shared memory, which every device has
    let edges = if op.channels > 32 { 4 } else { 8 };
    variant([
        ("CHANNELS", op.channels.into()),
        ("HEADS", op.heads.into()),
        ("EDGES", Value::Count(edges)),
        ("TENSORS", op.tensors.into()),
        ("SENDING", sending.into()),
    ])
}

/// The kernels that go by sender.
fn by_sender(op: &NearAttention, own: Source) -> Source {
    Source {
        variant: side(op, true),
        ..own
    }
}

impl Shader for NearAttention {
    const SHARED: &'static str = concat!(
        include_str!("../../../../shaders/shared/pair.wgsl"),
        include_str!("../../../../shaders/shared/layers.wgsl"),
        include_str!("../../../../shaders/shared/edge.wgsl"),
        include_str!("../../../../shaders/shared/rank2.wgsl"),
        include_str!("../../../../shaders/shared/values.wgsl"),
    );
    const CONSTANTS: &'static [Named] = &[
        ("RELATIONS", Value::count(RELATIONS)),
        ("DENSE", Value::count(DENSE)),
        ("SOFT", Value::number(SOFT)),
        ("ROUND", Value::number(ROUND)),
        ("NEAR", Value::number(NEAR)),
        ("WIDTH_STIFF", Value::number(WIDTHS[0])),
        ("WIDTH_LOOSE", Value::number(WIDTHS[1])),
        ("WIDTH_ANY", Value::number(WIDTHS[2])),
        ("DEVIATION", Value::number(DEVIATION)),
    ];

    fn variant(&self) -> Variant {
        side(self, false)
    }

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [
            named(INPUTS, call.inputs),
            named(PARAMS, call.params),
            named(["o_scalars", "o_vectors", "o_tensors", "lse"], call.outputs),
        ]
        .concat();
        launch.run("forward", &sizes(self, 1), &bound, launch.tokens());
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let height = RELATIONS + 2 * self.radial + DENSE + self.channels + 4;
        // more chunks than elsewhere: one is a long way for a group
        let of_chunk = launch.tokens().div_ceil(4 * CHUNKS).max(1);
        let chunks = launch.tokens().div_ceil(of_chunk);
        let partial = launch.gpu.buffer(chunks * height * self.channels)?;
        let along = launch.gpu.buffer(launch.tokens() * self.heads)?;
        let [d_a, d_b, others @ ..] = call.d_inputs else {
            panic!(
                "near_attention takes more inputs than {}",
                call.d_inputs.len()
            )
        };
        let both = [
            named(INPUTS, call.inputs),
            named(PARAMS, call.params),
            named(["o_scalars", "o_vectors", "o_tensors", "lse"], call.outputs),
            named(["d_scalars", "d_vectors", "d_tensors"], call.d_outputs),
            named(["d_y", "d_x", "d_n", "d_s", "d_v", "d_t"], others),
            vec![("partial", Some(&partial)), ("along", Some(&along))],
        ]
        .concat();
        let heads = (launch.tokens() * self.heads).div_ceil(LANES);
        launch.run("pull", &sizes(self, 1), &both, heads);
        let receiving = [&both[..], &[("d_own", Some(*d_a))]].concat();
        launch.run("backward", &sizes(self, of_chunk), &receiving, chunks);
        let sending = [&both[..], &[("d_own", Some(*d_b))]].concat();
        launch.of(by_sender(self, launch.source)).run(
            "backward",
            &sizes(self, 1),
            &sending,
            launch.tokens(),
        );
        let mut first = 0;
        for d_param in call.d_params {
            launch.sum(&partial, chunks, height * self.channels, first, d_param);
            first += d_param.len;
        }
        Ok(())
    }

    #[cfg(test)]
    fn others(&self, own: Source) -> Vec<Source> {
        vec![by_sender(self, own)]
    }
}
