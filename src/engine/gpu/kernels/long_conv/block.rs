//! Some of the channels of the systems of one length class, and the kernels that take them through
//! their transforms.

use std::ops::{Deref, Range};
use std::sync::{Arc, MutexGuard};

use super::super::{LANES, Launch};
use super::transforms;
use crate::Result;
use crate::engine::gpu::buffers::Buffer;
use crate::engine::gpu::fourier::{Routes, Space, State};
use crate::engine::gpu::graph::Class;
use crate::fft::vkfft::Shape;
use crate::fft::{Padding, Scale};
use crate::ops::long_conv::LongConv;

/// Lanes that share the frequencies of a system in the backward product, at most.
const RUNS: usize = 1024;

/// Most bytes of the work buffer: the channels go through in blocks of what fits.
const WORK: usize = 128 << 20;

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
pub(super) struct Block<'a> {
    launch: &'a Launch<'a>,
    long: &'a LongConv,
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
pub(super) fn blocks(long: &LongConv, class: &Class, signals: usize) -> Vec<Range<usize>> {
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
    pub fn new(
        launch: &'a Launch<'a>,
        long: &'a LongConv,
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
        let root = self.long.convolution.scale == Scale::InverseRoot;
        let sizes = [
            ("n", self.length.into()),
            ("channels", self.long.channels.into()),
            ("first_channel", self.channels.start.into()),
            ("block", self.channels.len().into()),
            ("list", self.class.list.into()),
            ("systems", self.class.systems.into()),
            ("length", pass.length.into()),
            ("radix", pass.radix.into()),
            ("inverse", pass.inverse.into()),
            ("folded", self.folded.into()),
            ("root", root.into()),
            ("signal", pass.signal.into()),
            ("reversed", pass.reversed.into()),
            ("gradient", pass.gradient.into()),
            ("frequencies", pass.of_run.into()),
            ("chunks", pass.runs.into()),
        ];
        let common = [("lambda", Some(self.lambda)), ("work", Some(&*self.work))];
        let groups = (rows * self.class.systems * self.channels.len()).div_ceil(LANES);
        let launch = self.launch.of(transforms(self.long, self.class.vkfft));
        launch.run(entry, &sizes, &[&common, bound].concat(), groups);
    }

    /// Tuples become a signal.
    pub fn pack(&self, signal: usize, tuples: &Buffer, reversed: bool, gradient: bool) {
        let pass = Pass {
            signal,
            reversed,
            gradient,
            ..Pass::default()
        };
        self.run("pack", pass, &[("tuples", Some(tuples))], self.length);
    }

    /// A signal becomes tuples: in place of what is in `out`, or (gradient) added to it.
    pub fn unpack(&self, signal: usize, out: &Buffer, reversed: bool, gradient: bool) {
        let pass = Pass {
            signal,
            reversed,
            gradient,
            ..Pass::default()
        };
        self.run("unpack", pass, &[("out", Some(out))], self.length);
    }

    /// Transforms the first signals.
    pub fn transform(&mut self, signals: usize, inverse: bool) -> Result<()> {
        if let Work::Shared(_, state) = &mut self.work {
            // a tuple is two complex numbers
            let columns = 2 * self.channels.len();
            let batches = signals * self.class.systems;
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

    /// The spectrum of the convolution takes the place of that of q.
    pub fn multiply(&self) {
        self.run("multiply", Pass::default(), &[], self.length / 2 + 1);
    }

    /// The spectra of the gradients take the place of those of q and k; adds that of λ.
    pub fn d_multiply(&self, d_lambda: &Buffer) -> Result<()> {
        let frequencies = self.length / 2 + 1;
        let of_run = frequencies.div_ceil(RUNS).max(8);
        let runs = frequencies.div_ceil(of_run);
        let all_runs = self.class.systems * runs;
        let partial = self.launch.gpu.buffer(all_runs * 5 * self.channels.len())?;
        let pass = Pass {
            of_run,
            runs,
            ..Pass::default()
        };
        self.run("d_multiply", pass, &[("partial", Some(&partial))], runs);
        self.add_lambda(&partial, all_runs, d_lambda);
        Ok(())
    }

    /// d_λ += Σ over the runs of frequencies: `partial` has five rows of this block's channels a
    /// run.
    fn add_lambda(&self, partial: &Buffer, runs: usize, d_lambda: &Buffer) {
        let all = self.long.channels;
        let own = self.channels.len();
        for (row, term) in self.long.terms.rows().enumerate() {
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
