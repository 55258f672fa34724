//! What `message` and `near_attention` have in common: backward in two passes over the edges.

use super::{Backward, Bound, CHUNKS, Launch};
use crate::Result;
use crate::engine::gpu::shaders::Source;
use crate::engine::gpu::values::Named;

/// Sizes of a shader that goes over edges, in chunks of so many tokens.
pub(super) fn sizes(radial: usize, reach: f64, tokens_of_chunk: usize) -> [Named; 3] {
    [
        ("splines", radial.into()),
        ("reach", reach.into()),
        ("tokens_of_chunk", tokens_of_chunk.into()),
    ]
}

/// Records the way back by receiver, which also sums the gradients of the parameters, numbers of
/// all of them in `params`, chunk by chunk; then that by sender, whose shader is `sending`. `both`
/// is bound to either; the first two inputs are those of a receiver and of a sender.
///
/// # Errors
/// [`crate::Error::Device`] where the device has no memory.
pub(super) fn backward(
    launch: &Launch<'_>,
    call: &Backward<'_>,
    both: &[Bound<'_>],
    sending: Source,
    sizes: impl Fn(usize) -> [Named; 3],
    params: usize,
) -> Result<()> {
    // more chunks than elsewhere: one is a long way for a group
    let of_chunk = launch.tokens().div_ceil(4 * CHUNKS).max(1);
    let chunks = launch.tokens().div_ceil(of_chunk);
    let partial = launch.gpu.buffer(chunks * params)?;
    let bound = |own| [both, &[("partial", Some(&partial)), ("d_own", Some(own))]].concat();
    let receiver = bound(call.d_inputs[0]);
    launch.run("backward", &sizes(of_chunk), &receiver, chunks);
    let sender = bound(call.d_inputs[1]);
    launch
        .of(sending)
        .run("backward", &sizes(1), &sender, launch.tokens());
    let mut first = 0;
    for d_param in call.d_params {
        launch.sum(&partial, chunks, params, first, d_param);
        first += d_param.len;
    }
    Ok(())
}
