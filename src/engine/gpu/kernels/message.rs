//! `message`: forward by receiver, backward by receiver and by sender.

use super::{Backward, Forward, Launch, Shader, edges, named};
use crate::Result;
use crate::engine::gpu::shaders::{Source, Variant, variant};
use crate::engine::gpu::values::{Named, Value};
use crate::ops::RELATIONS;
use crate::ops::message::{DENSE, DEVIATION, HALF, Message, NEAR, ROUND, SOFT, SUM, WIDTHS};

const INPUTS: [&str; 5] = ["a", "b", "y", "x", "n"];
const PARAMS: [&str; 6] = [
    "relation",
    "radial",
    "radial_condition",
    "dense",
    "weight",
    "bias",
];

fn sizes(op: &Message, tokens_of_chunk: usize) -> [Named; 3] {
    edges::sizes(op.radial, op.reach, tokens_of_chunk)
}

/// What is compiled into the shader; `sending`: backward by sender.
fn side(op: &Message, sending: bool) -> Variant {
    // four arrays of a block's channels in 16 KiB of shared memory, which every device has
    let edges = if op.channels > 32 { 8 } else { 16 };
    variant([
        ("CHANNELS", op.channels.into()),
        ("EDGES", Value::Count(edges)),
        ("SENDING", sending.into()),
    ])
}

/// The kernels that go by sender.
fn by_sender(op: &Message, own: Source) -> Source {
    Source {
        variant: side(op, true),
        ..own
    }
}

impl Shader for Message {
    const SHARED: &'static str = concat!(
        include_str!("../../../../shaders/shared/pair.wgsl"),
        include_str!("../../../../shaders/shared/layers.wgsl"),
        include_str!("../../../../shaders/shared/edge.wgsl"),
    );
    const CONSTANTS: &'static [Named] = &[
        ("RELATIONS", Value::count(RELATIONS)),
        ("DENSE", Value::count(DENSE)),
        ("SUM", Value::number(SUM)),
        ("HALF", Value::number(HALF)),
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
            named(["agg", "vectors"], call.outputs),
        ]
        .concat();
        launch.run("forward", &sizes(self, 1), &bound, launch.tokens());
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let height = RELATIONS + 2 * self.radial + DENSE + self.channels + 1;
        let both = [
            named(INPUTS, call.inputs),
            named(PARAMS, call.params),
            named(["d_agg", "d_vectors"], call.d_outputs),
            named(["d_y", "d_x", "d_n"], &call.d_inputs[2..]),
        ]
        .concat();
        let sending = by_sender(self, launch.source);
        let sizes = |of_chunk| sizes(self, of_chunk);
        edges::backward(launch, call, &both, sending, sizes, height * self.channels)
    }

    #[cfg(test)]
    fn others(&self, own: Source) -> Vec<Source> {
        vec![by_sender(self, own)]
    }
}
