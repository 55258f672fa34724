//! The long convolutions: double sums for short systems, Fourier transforms for the others, a
//! length class at a time.

use std::ops::{Deref, Range};
use std::sync::{Arc, MutexGuard};

use super::super::buffers::Buffer;
use super::super::fourier::{Routes, Space, State};
use super::super::graph::Class;
use super::super::shaders;
use super::{Backward, Forward, LANES, Launch, words};
use crate::Result;
use crate::fft::vkfft::Shape;
use crate::fft::{Convolution, Mixing, Padding, Parts, Scale};

/// Most bytes of the work buffer: the channels go through in blocks of what fits.
const WORK: usize = 128 << 20;

/// Lanes that share the frequencies of a system in the backward product, at most.
const RUNS: usize = 1024;

/// A long convolution, or a part of it.
pub(super) struct Long {
    pub channels: usize,
    pub convolution: Convolution,
    pub parts: Parts,
    /// Which of the five terms its λ is; none: all.
    pub term: Option<usize>,
}

impl Long {
    fn correlates(&self) -> bool {
        self.convolution.mixing == Mixing::Correlation
    }

    /// Sizes of the double sum: modes as the shader says them, and the longest system that is its
    /// own.
    fn direct(&self, launch: &Launch<'_>) -> [usize; 5] {
        let Convolution {
            padding,
            mixing,
            scale,
        } = self.convolution;
        let modes = [
            padding == Padding::Circular,
            mixing == Mixing::Correlation,
            scale == Scale::InverseRoot,
        ];
        let [circular, correlation, root] = modes.map(usize::from);
        [
            self.channels,
            circular,
            correlation,
            root,
            launch.gpu.inner.fourier.routes.direct,
        ]
    }
}

pub(super) fn forward(launch: &Launch<'_>, long: &Long, call: &Forward<'_>) -> Result<()> {
    let ([q, k], [out]) = (call.inputs, call.outputs) else {
        panic!("a convolution has two inputs and an output")
    };
    let bound = [
        ("q", Some(*q)),
        ("k", Some(*k)),
        ("lambda", Some(call.params[0])),
        ("out", Some(*out)),
    ];
    launch.run(
        "forward",
        &long.direct(launch),
        &bound,
        (launch.tokens() * long.channels).div_ceil(LANES),
    );
    for class in &launch.batch.laid.classes {
        for channels in blocks(long, class, 2) {
            let mut block = Block::new(launch, long, class, call.params[0], (channels, 2))?;
            block.pack(0, q, long.correlates(), false);
            block.pack(1, k, false, false);
            block.transform(2, false)?;
            block.run("multiply", Pass::default(), &[], block.length / 2 + 1);
            block.transform(1, true)?;
            block.unpack(0, out, long.correlates(), false);
        }
    }
    Ok(())
}

pub(super) fn backward(launch: &Launch<'_>, long: &Long, call: &Backward<'_>) -> Result<()> {
    let ([q, k], [d_q, d_k]) = (call.inputs, call.d_inputs) else {
        panic!("a convolution has two inputs")
    };
    let (lambda, d_lambda, d_out) = (call.params[0], call.d_params[0], call.d_outputs[0]);
    let partial = launch.gpu.buffer(launch.tokens() * 5 * long.channels)?;
    let read = [
        ("q", Some(*q)),
        ("k", Some(*k)),
        ("lambda", Some(lambda)),
        ("d_out", Some(d_out)),
    ];
    let written = [
        ("d_q", Some(*d_q)),
        ("d_k", Some(*d_k)),
        ("partial", Some(&partial)),
    ];
    launch.run(
        "backward",
        &long.direct(launch),
        &[&read[..], &written].concat(),
        (launch.tokens() * long.channels).div_ceil(LANES),
    );
    let first = long.term.unwrap_or(0) * long.channels;
    launch.sum(
        &partial,
        launch.tokens(),
        5 * long.channels,
        first,
        d_lambda,
    );
    for class in &launch.batch.laid.classes {
        for channels in blocks(long, class, 3) {
            let mut block = Block::new(launch, long, class, lambda, (channels, 3))?;
            block.pack(0, q, long.correlates(), false);
            block.pack(1, k, false, false);
            block.pack(2, d_out, long.correlates(), true);
            block.transform(3, false)?;
            let frequencies = block.length / 2 + 1;
            let of_run = frequencies.div_ceil(RUNS).max(8);
            let runs = frequencies.div_ceil(of_run);
            let partial = launch
                .gpu
                .buffer(class.systems * runs * 5 * block.channels.len())?;
            block.run(
                "d_multiply",
                Pass {
                    of_run,
                    runs,
                    ..Pass::default()
                },
                &[("partial", Some(&partial))],
                runs,
            );
            block.transform(2, true)?;
            block.unpack(0, d_q, long.correlates(), true);
            block.unpack(1, d_k, false, true);
            block.add_lambda(&partial, class.systems * runs, d_lambda);
        }
    }
    Ok(())
}

/// What a block of channels is transformed in.
enum Work<'a> {
    /// Its own, by the passes in WGSL.
    Own(Buffer),
    /// That of all of VkFFT's plans, which nobody else may use until the block is recorded.
    Shared(Arc<Space>, MutexGuard<'a, State>),
}

impl Deref for Work<'_> {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        match self {
            Work::Own(buffer) => buffer,
            Work::Shared(space, _) => &space.work,
        }
    }
}

/// Some of the channels of the systems of one length class.
struct Block<'a> {
    launch: &'a Launch<'a>,
    long: &'a Long,
    class: &'a Class,
    lambda: &'a Buffer,
    work: Work<'a>,
    /// Transform length.
    length: usize,
    /// Whether a ring is computed as a chain.
    folded: bool,
    channels: Range<usize>,
}

/// What differs from one kernel to the next.
#[derive(Default)]
struct Pass {
    length: usize,
    radix: usize,
    inverse: bool,
    signal: usize,
    reversed: bool,
    gradient: bool,
    of_run: usize,
    runs: usize,
}

/// The channels of blocks that go through one after another: as many at a time as the work buffer
/// holds of so many signals.
fn blocks(long: &Long, class: &Class, signals: usize) -> Vec<Range<usize>> {
    let of_channel = 16 * signals * class.length * class.systems;
    let blocks = long
        .channels
        .div_ceil((WORK / of_channel).clamp(1, long.channels));
    let of_block = long.channels.div_ceil(blocks);
    (0..long.channels)
        .step_by(of_block)
        .map(|first| first..long.channels.min(first + of_block))
        .collect()
}

impl<'a> Block<'a> {
    fn new(
        launch: &'a Launch<'a>,
        long: &'a Long,
        class: &'a Class,
        lambda: &'a Buffer,
        (channels, signals): (Range<usize>, usize),
    ) -> Result<Block<'a>> {
        let circular = long.convolution.padding == Padding::Circular;
        let ring = class
            .tokens
            .filter(|&tokens| circular && Routes::is_ring(tokens, class.vkfft));
        let length = ring.unwrap_or(class.length);
        let numbers = 4 * signals * length * class.systems * channels.len();
        let work = if class.vkfft {
            let mut state = launch.gpu.inner.fourier.state();
            Work::Shared(state.space(launch.gpu, numbers)?, state)
        } else {
            Work::Own(launch.gpu.buffer(numbers)?)
        };
        Ok(Block {
            launch,
            long,
            class,
            lambda,
            work,
            length,
            folded: circular && ring.is_none(),
            channels,
        })
    }

    /// Records an entry with `rows` lanes a system and channel.
    fn run(
        &self,
        entry: &'static str,
        pass: Pass,
        bound: &[(&'static str, Option<&Buffer>)],
        rows: usize,
    ) {
        let Parts { scalar, vector } = self.long.parts;
        let source = shaders::transforms(
            scalar,
            vector,
            self.long.term.unwrap_or(5),
            self.class.vkfft,
        );
        let systems = self.class.systems;
        let root = self.long.convolution.scale == Scale::InverseRoot;
        let [inverse, folded, root, reversed, gradient] = [
            pass.inverse,
            self.folded,
            root,
            pass.reversed,
            pass.gradient,
        ]
        .map(usize::from);
        let place = [
            self.length,
            self.long.channels,
            self.channels.start,
            self.channels.len(),
            self.class.list,
            systems,
        ];
        let rest = [
            pass.length,
            pass.radix,
            inverse,
            folded,
            root,
            pass.signal,
            reversed,
            gradient,
            pass.of_run,
            pass.runs,
        ];
        let sizes = words(&[&place[..], &rest].concat());
        let common = [("lambda", Some(self.lambda)), ("work", Some(&*self.work))];
        let groups = (rows * systems * self.channels.len()).div_ceil(LANES);
        self.launch.gpu.dispatch(
            source,
            entry,
            self.launch.batch,
            &sizes,
            &[&common, bound].concat(),
            groups,
        );
    }

    /// Tuples become a signal.
    fn pack(&self, signal: usize, tuples: &Buffer, reversed: bool, gradient: bool) {
        let pass = Pass {
            signal,
            reversed,
            gradient,
            ..Pass::default()
        };
        self.run("pack", pass, &[("tuples", Some(tuples))], self.length);
    }

    /// A signal becomes tuples: in place of what is in `out`, or (gradient) added to it.
    fn unpack(&self, signal: usize, out: &Buffer, reversed: bool, gradient: bool) {
        let pass = Pass {
            signal,
            reversed,
            gradient,
            ..Pass::default()
        };
        self.run("unpack", pass, &[("out", Some(out))], self.length);
    }

    /// Transforms the first signals.
    fn transform(&mut self, signals: usize, inverse: bool) -> Result<()> {
        if let Work::Shared(_, state) = &mut self.work {
            // a tuple is two complex numbers
            let (columns, batches) = (2 * self.channels.len(), signals * self.class.systems);
            return state.transform(
                self.launch.gpu,
                Shape {
                    columns,
                    length: self.length,
                    batches,
                    inverse,
                },
            );
        }
        let roots = self.launch.gpu.roots(self.length)?;
        let mut passes = passes(self.length);
        if inverse {
            passes.reverse();
        }
        for (length, radix) in passes {
            let pass = Pass {
                length,
                radix,
                inverse,
                signal: signals,
                ..Pass::default()
            };
            self.run(
                "transform",
                pass,
                &[("roots", Some(&*roots))],
                signals * (self.length / radix),
            );
        }
        Ok(())
    }

    /// d_λ += Σ over the runs of frequencies: `partial` has five rows of this block's channels a
    /// run.
    fn add_lambda(&self, partial: &Buffer, runs: usize, d_lambda: &Buffer) {
        let (all, own) = (self.long.channels, self.channels.len());
        let terms = match self.long.term {
            Some(term) => term..term + 1,
            None => 0..5,
        };
        for (row, term) in terms.enumerate() {
            let start = row * all + self.channels.start;
            self.launch.sum_part(
                partial,
                [runs, 5 * own, term * own],
                d_lambda,
                start..start + own,
            );
        }
    }
}

/// Length and radix of the passes of a transform of length n, a power of two: eights, then what is
/// left.
fn passes(n: usize) -> Vec<(usize, usize)> {
    let mut passes = Vec::new();
    let mut length = n;
    while length > 1 {
        let radix = length.min(8);
        passes.push((length, radix));
        length /= radix;
    }
    passes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_take_a_length_apart() {
        assert_eq!(passes(1), []);
        assert_eq!(passes(32), [(32, 8), (4, 4)]);
        assert_eq!(passes(1024), [(1024, 8), (128, 8), (16, 8), (2, 2)]);
    }
}
