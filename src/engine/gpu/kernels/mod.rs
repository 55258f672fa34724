//! The host side of the shaders: which entries an op runs, on which buffers, in how many groups.

mod attention;
mod convolution;
mod linear;
mod local;
mod message;
mod readout;

use super::buffers::Buffer;
use super::recorder::Bound;
use super::shaders::{SUMS, Source};
use super::{Gpu, Prepared};
use crate::Result;
use crate::fft::Parts;
use crate::ops::Op;

/// Lanes of a group, in all shaders.
const LANES: usize = 64;

/// Most chunks that a sum over tokens is cut into: by their number alone, whatever the device.
const CHUNKS: usize = 64;

/// Where an op's kernels run.
pub(super) struct Launch<'a> {
    pub gpu: &'a Gpu,
    pub batch: &'a Prepared,
    pub source: Source,
}

/// Buffers of a call forward, in the order of the op's signature.
pub(super) struct Forward<'a> {
    pub inputs: &'a [&'a Buffer],
    pub params: &'a [&'a Buffer],
    pub outputs: &'a [&'a Buffer],
}

/// Buffers of a call backward, in the order of the op's signature; gradients of inputs and
/// parameters are added to.
pub(super) struct Backward<'a> {
    pub inputs: &'a [&'a Buffer],
    pub params: &'a [&'a Buffer],
    pub outputs: &'a [&'a Buffer],
    pub d_outputs: &'a [&'a Buffer],
    pub d_inputs: &'a [&'a Buffer],
    pub d_params: &'a [&'a Buffer],
}

impl Launch<'_> {
    /// Records an entry of the op's shader.
    fn run(&self, entry: &'static str, sizes: &[usize], bound: &[Bound<'_>], groups: usize) {
        self.run_words(entry, &words(sizes), bound, groups);
    }

    /// The same with sizes of which some are floats.
    fn run_words(&self, entry: &'static str, sizes: &[u32], bound: &[Bound<'_>], groups: usize) {
        self.gpu
            .dispatch(self.source, entry, self.batch, sizes, bound, groups);
    }

    /// total += Σ over `chunks` of rows of `stride` numbers in `partial`, of the part that begins
    /// at `offset`.
    fn sum(&self, partial: &Buffer, chunks: usize, stride: usize, offset: usize, total: &Buffer) {
        self.sum_part(partial, [chunks, stride, offset], total, 0..total.len);
    }

    /// The same for a range of the total.
    fn sum_part(
        &self,
        partial: &Buffer,
        [chunks, stride, offset]: [usize; 3],
        total: &Buffer,
        range: std::ops::Range<usize>,
    ) {
        let bound: [Bound<'_>; 2] = [("partial", Some(partial)), ("total", Some(total))];
        let sizes = words(&[range.len(), chunks, stride, offset, range.start]);
        self.gpu
            .dispatch(SUMS, "sum", self.batch, &sizes, &bound, range.len());
    }

    fn tokens(&self) -> usize {
        self.batch.tokens
    }
}

fn words(sizes: &[usize]) -> Vec<u32> {
    sizes.iter().map(|&size| size as u32).collect()
}

/// Each with its name, as far as there are any.
fn named<'a, const N: usize>(names: [&'static str; N], buffers: &[&'a Buffer]) -> Vec<Bound<'a>> {
    names
        .into_iter()
        .enumerate()
        .map(|(index, name)| (name, buffers.get(index).copied()))
        .collect()
}

/// Overwrites the outputs.
pub(super) fn forward(launch: &Launch<'_>, op: &Op, call: &Forward<'_>) -> Result<()> {
    match op {
        Op::Embed(op) => local::embed(launch, op, call),
        Op::Linear(op) => linear::forward(launch, op, call),
        Op::Norm(op) => local::norm(launch, op, call),
        Op::Heights(_) => local::heights(launch, call),
        Op::Message(op) => message::forward(launch, op, call),
        Op::Tuple(op) => local::tuple(launch, op, call),
        Op::ScalarConv(op) => {
            convolution::forward(launch, &scalar(op.channels, op.convolution), call)?
        }
        Op::VectorConv(op) => {
            convolution::forward(launch, &vector(op.channels, op.convolution), call)?
        }
        Op::GeometricConv(op) => {
            convolution::forward(launch, &geometric(op.channels, op.convolution), call)?
        }
        Op::Gate(op) => local::gate(launch, op, call),
        Op::Invariants(op) => local::invariants(launch, op, call),
        Op::Update(op) => local::update(launch, op, call),
        Op::Readout(op) => readout::forward(launch, op, call)?,
        Op::Pool(_) => readout::pool(launch, call),
        Op::Attention(op) => attention::forward(launch, op, call),
    }
    Ok(())
}

/// Adds the gradients.
pub(super) fn backward(launch: &Launch<'_>, op: &Op, call: &Backward<'_>) -> Result<()> {
    match op {
        Op::Embed(op) => local::d_embed(launch, op, call)?,
        Op::Linear(op) => linear::backward(launch, op, call)?,
        Op::Norm(op) => local::d_norm(launch, op, call),
        Op::Heights(_) => local::d_heights(launch, call),
        Op::Message(message) => message::backward(launch, op, message, call)?,
        Op::Tuple(op) => local::d_tuple(launch, op, call),
        Op::ScalarConv(op) => {
            convolution::backward(launch, &scalar(op.channels, op.convolution), call)?
        }
        Op::VectorConv(op) => {
            convolution::backward(launch, &vector(op.channels, op.convolution), call)?
        }
        Op::GeometricConv(op) => {
            convolution::backward(launch, &geometric(op.channels, op.convolution), call)?
        }
        Op::Gate(op) => local::d_gate(launch, op, call),
        Op::Invariants(op) => local::d_invariants(launch, op, call),
        Op::Update(op) => local::d_update(launch, op, call),
        Op::Readout(op) => readout::backward(launch, op, call)?,
        Op::Pool(_) => readout::d_pool(launch, call),
        Op::Attention(op) => attention::backward(launch, op, call)?,
    }
    Ok(())
}

fn geometric(channels: usize, convolution: crate::fft::Convolution) -> convolution::Long {
    convolution::Long {
        channels,
        convolution,
        parts: Parts {
            scalar: true,
            vector: true,
        },
        term: None,
    }
}

fn scalar(channels: usize, convolution: crate::fft::Convolution) -> convolution::Long {
    convolution::Long {
        channels,
        convolution,
        parts: Parts {
            scalar: true,
            vector: false,
        },
        term: Some(0),
    }
}

fn vector(channels: usize, convolution: crate::fft::Convolution) -> convolution::Long {
    convolution::Long {
        channels,
        convolution,
        parts: Parts {
            scalar: false,
            vector: true,
        },
        term: Some(4),
    }
}
