//! `near_attention`: forward by receiver, backward by receiver and by sender.

use super::{Backward, Forward, LANES, Launch, Shader, edges, named};
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
    edges::sizes(op.radial, op.reach, tokens_of_chunk)
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
        let along = launch.gpu.buffer(launch.tokens() * self.heads)?;
        let others = &call.d_inputs[2..];
        let both = [
            named(INPUTS, call.inputs),
            named(PARAMS, call.params),
            named(["o_scalars", "o_vectors", "o_tensors", "lse"], call.outputs),
            named(["d_scalars", "d_vectors", "d_tensors"], call.d_outputs),
            named(["d_y", "d_x", "d_n", "d_s", "d_v", "d_t"], others),
            vec![("along", Some(&along))],
        ]
        .concat();
        let heads = (launch.tokens() * self.heads).div_ceil(LANES);
        launch.run("pull", &sizes(self, 1), &both, heads);
        let sending = by_sender(self, launch.source);
        let sizes = |of_chunk| sizes(self, of_chunk);
        edges::backward(launch, call, &both, sending, sizes, height * self.channels)
    }

    #[cfg(test)]
    fn others(&self, own: Source) -> Vec<Source> {
        vec![by_sender(self, own)]
    }
}
