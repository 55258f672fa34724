//! `long_conv`: double sums for short systems, Fourier transforms for the others, a length class at
//! a time.

mod block;

use super::{Backward, Forward, LANES, Launch, Shader};
use crate::Result;
use crate::engine::gpu::shaders::{Source, Variant, variant};
use crate::engine::gpu::values::Named;
use crate::fft::{Mixing, Padding, Scale};
use crate::ops::long_conv::LongConv;
use block::{Block, blocks};

fn correlates(op: &LongConv) -> bool {
    op.convolution.mixing == Mixing::Correlation
}

/// Sizes of the double sum, of which `longest` is the longest system that is its own.
fn direct(op: &LongConv, launch: &Launch<'_>) -> [Named; 5] {
    let circular = op.convolution.padding == Padding::Circular;
    let root = op.convolution.scale == Scale::InverseRoot;
    [
        ("channels", op.channels.into()),
        ("circular", circular.into()),
        ("correlation", correlates(op).into()),
        ("root", root.into()),
        ("longest", launch.gpu.inner.fourier.routes.direct.into()),
    ]
}

/// The terms that are compiled in.
fn terms(op: &LongConv) -> [Named; 4] {
    [
        ("SCALAR", op.terms.scalars().into()),
        ("VECTOR", op.terms.vectors().into()),
        ("FIRST_TERM", op.terms.rows().start.into()),
        ("TERMS", op.terms.rows().len().into()),
    ]
}

/// The transforms and what goes on between them; `natural`: around another's transforms, which
/// leave spectra in natural order.
fn transforms(op: &LongConv, natural: bool) -> Source {
    let [scalar, vector, first, count] = terms(op);
    Source {
        name: "transform",
        shared: "",
        text: include_str!("../../../../shaders/shared/transform.wgsl"),
        generated: "",
        constants: &[],
        variant: variant([scalar, vector, first, count, ("NATURAL", natural.into())]),
    }
}

impl Shader for LongConv {
    fn variant(&self) -> Variant {
        variant(terms(self))
    }

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let ([q, k], [out]) = (call.inputs, call.outputs) else {
            panic!("a convolution has two inputs and an output")
        };
        let bound = [
            ("q", Some(*q)),
            ("k", Some(*k)),
            ("lambda", Some(call.params[0])),
            ("out", Some(*out)),
        ];
        if launch.batch.laid.direct {
            let groups = (launch.tokens() * self.channels).div_ceil(LANES);
            launch.run("forward", &direct(self, launch), &bound, groups);
        }
        for class in &launch.batch.laid.classes {
            for channels in blocks(self, class, 2) {
                let mut block = Block::new(launch, self, class, call.params[0], (channels, 2))?;
                block.pack(0, q, correlates(self), false);
                block.pack(1, k, false, false);
                block.transform(2, false)?;
                block.multiply();
                block.transform(1, true)?;
                block.unpack(0, out, correlates(self), false);
            }
        }
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let ([q, k], [d_q, d_k]) = (call.inputs, call.d_inputs) else {
            panic!("a convolution has two inputs")
        };
        let lambda = call.params[0];
        let d_lambda = call.d_params[0];
        let d_out = call.d_outputs[0];
        if launch.batch.laid.direct {
            self.d_direct(launch, call)?;
        }
        for class in &launch.batch.laid.classes {
            for channels in blocks(self, class, 3) {
                let mut block = Block::new(launch, self, class, lambda, (channels, 3))?;
                block.pack(0, q, correlates(self), false);
                block.pack(1, k, false, false);
                block.pack(2, d_out, correlates(self), true);
                block.transform(3, false)?;
                block.d_multiply(d_lambda)?;
                block.transform(2, true)?;
                block.unpack(0, d_q, correlates(self), true);
                block.unpack(1, d_k, false, true);
            }
        }
        Ok(())
    }

    #[cfg(test)]
    fn others(&self, _own: Source) -> Vec<Source> {
        vec![transforms(self, false), transforms(self, true)]
    }
}

impl LongConv {
    /// The gradients of the double sums.
    fn d_direct(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let partial = launch.gpu.buffer(launch.tokens() * 5 * self.channels)?;
        let bound = [
            ("q", Some(call.inputs[0])),
            ("k", Some(call.inputs[1])),
            ("lambda", Some(call.params[0])),
            ("d_out", Some(call.d_outputs[0])),
            ("d_q", Some(call.d_inputs[0])),
            ("d_k", Some(call.d_inputs[1])),
            ("partial", Some(&partial)),
        ];
        let groups = (launch.tokens() * self.channels).div_ceil(LANES);
        launch.run("backward", &direct(self, launch), &bound, groups);
        let first = self.terms.rows().start * self.channels;
        let stride = 5 * self.channels;
        launch.sum(&partial, launch.tokens(), stride, first, call.d_params[0]);
        Ok(())
    }
}
