//! The long convolutions: double sums for short systems, Fourier transforms for the others, a length class at a time.

use super::super::buffers::Buffer;
use super::super::graph::{Class, LONGEST_DIRECT};
use super::super::shaders;
use super::{Backward, Forward, LANES, Launch, words};
use crate::Result;
use crate::fft::{Convolution, Mixing, Padding, Parts, Scale};

/// Most bytes of one work buffer: the channels go through in blocks of what fits.
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
    /// Circular, correlation, scale by the root: the shaders' way of saying it.
    fn modes(&self) -> [usize; 3] {
        let Convolution { padding, mixing, scale } = self.convolution;
        [padding == Padding::Circular, mixing == Mixing::Correlation, scale == Scale::InverseRoot].map(usize::from)
    }

    fn correlates(&self) -> bool {
        self.convolution.mixing == Mixing::Correlation
    }

    /// Sizes of the double sum.
    fn direct(&self) -> [usize; 5] {
        let [circular, correlation, root] = self.modes();
        [self.channels, circular, correlation, root, LONGEST_DIRECT]
    }
}

pub(super) fn forward(launch: &Launch<'_>, long: &Long, call: &Forward<'_>) -> Result<()> {
    let ([q, k], [out]) = (call.inputs, call.outputs) else { panic!("a convolution has two inputs and an output") };
    let bound = [("q", Some(*q)), ("k", Some(*k)), ("lambda", Some(call.params[0])), ("out", Some(*out))];
    launch.run("forward", &long.direct(), &bound, (launch.tokens() * long.channels).div_ceil(LANES));
    for class in &launch.batch.laid.classes {
        for block in Block::all(launch, long, class, call.params[0])? {
            let (work_q, work_k) = (block.work()?, block.work()?);
            block.spectrum(q, long.correlates(), false, &work_q);
            block.spectrum(k, false, false, &work_k);
            block.run("multiply", Pass::default(), &[("work", Some(&work_q)), ("work_k", Some(&work_k))], block.class.length / 2 + 1);
            block.back(&work_q, long.correlates(), false, out);
        }
    }
    Ok(())
}

pub(super) fn backward(launch: &Launch<'_>, long: &Long, call: &Backward<'_>) -> Result<()> {
    let ([q, k], [d_q, d_k]) = (call.inputs, call.d_inputs) else { panic!("a convolution has two inputs") };
    let (lambda, d_lambda, d_out) = (call.params[0], call.d_params[0], call.d_outputs[0]);
    let partial = launch.gpu.buffer(launch.tokens() * 5 * long.channels)?;
    let read = [("q", Some(*q)), ("k", Some(*k)), ("lambda", Some(lambda)), ("d_out", Some(d_out))];
    let written = [("d_q", Some(*d_q)), ("d_k", Some(*d_k)), ("partial", Some(&partial))];
    launch.run("backward", &long.direct(), &[&read[..], &written].concat(), (launch.tokens() * long.channels).div_ceil(LANES));
    let first = long.term.unwrap_or(0) * long.channels;
    launch.sum(&partial, launch.tokens(), 5 * long.channels, first, d_lambda);
    for class in &launch.batch.laid.classes {
        for block in Block::all(launch, long, class, lambda)? {
            let works = [block.work()?, block.work()?, block.work()?];
            block.spectrum(q, long.correlates(), false, &works[0]);
            block.spectrum(k, false, false, &works[1]);
            block.spectrum(d_out, long.correlates(), true, &works[2]);
            let frequencies = class.length / 2 + 1;
            let of_run = frequencies.div_ceil(RUNS).max(8);
            let runs = frequencies.div_ceil(of_run);
            let partial = launch.gpu.buffer(class.systems * runs * 5 * block.channels)?;
            let bound = [("work", Some(&works[0])), ("work_k", Some(&works[1])), ("work_d", Some(&works[2])), ("partial", Some(&partial))];
            block.run("d_multiply", Pass { of_run, runs, ..Pass::default() }, &bound, runs);
            block.back(&works[0], long.correlates(), true, d_q);
            block.back(&works[1], false, true, d_k);
            block.add_lambda(&partial, class.systems * runs, d_lambda);
        }
    }
    Ok(())
}

/// Some of the channels of the systems of one length class.
struct Block<'a> {
    launch: &'a Launch<'a>,
    long: &'a Long,
    class: &'a Class,
    lambda: &'a Buffer,
    roots: std::sync::Arc<Buffer>,
    first: usize,
    channels: usize,
}

/// What differs from one kernel to the next.
#[derive(Default)]
struct Pass {
    length: usize,
    radix: usize,
    inverse: bool,
    reversed: bool,
    gradient: bool,
    of_run: usize,
    runs: usize,
}

impl<'a> Block<'a> {
    /// The blocks of a class: as many channels at a time as a work buffer holds.
    fn all(launch: &'a Launch<'a>, long: &'a Long, class: &'a Class, lambda: &'a Buffer) -> Result<Vec<Block<'a>>> {
        let roots = launch.gpu.roots(class.length)?;
        let most = (WORK / (16 * class.length * class.systems)).clamp(1, long.channels);
        let block = |first: usize| {
            let channels = most.min(long.channels - first);
            Block { launch, long, class, lambda, roots: roots.clone(), first, channels }
        };
        Ok((0..long.channels).step_by(most).map(block).collect())
    }

    /// A work buffer: a vec4 a row and channel.
    fn work(&self) -> Result<Buffer> {
        self.launch.gpu.buffer(4 * self.class.length * self.class.systems * self.channels)
    }

    /// Records an entry with `rows` lanes a system and channel.
    fn run(&self, entry: &'static str, pass: Pass, bound: &[(&'static str, Option<&Buffer>)], rows: usize) {
        let Parts { scalar, vector } = self.long.parts;
        let source = shaders::transforms(scalar, vector, self.long.term.unwrap_or(5));
        let [circular, correlation, root] = self.long.modes();
        let systems = self.class.systems;
        let [inverse, reversed, gradient] = [pass.inverse, pass.reversed, pass.gradient].map(usize::from);
        let place = [self.class.length, self.long.channels, self.first, self.channels, self.class.list, systems];
        let rest = [pass.length, pass.radix, inverse, circular, correlation, root, reversed, gradient, pass.of_run, pass.runs];
        let sizes = words(&[&place[..], &rest].concat());
        let common = [("lambda", Some(self.lambda)), ("roots", Some(&*self.roots))];
        let groups = (rows * systems * self.channels).div_ceil(LANES);
        self.launch.gpu.dispatch(source, entry, self.launch.batch, &sizes, &[&common, bound].concat(), groups);
    }

    /// The spectrum of tuples in `work`.
    fn spectrum(&self, tuples: &Buffer, reversed: bool, gradient: bool, work: &Buffer) {
        let pass = Pass { reversed, gradient, ..Pass::default() };
        self.run("pack", pass, &[("tuples", Some(tuples)), ("work", Some(work))], self.class.length);
        for (length, radix) in passes(self.class.length) {
            let pass = Pass { length, radix, ..Pass::default() };
            self.run("transform", pass, &[("work", Some(work))], self.class.length / radix);
        }
    }

    /// The tuples of a spectrum, which is lost, to `out`: in place of what is there, or (gradient) added to it.
    fn back(&self, work: &Buffer, reversed: bool, gradient: bool, out: &Buffer) {
        for (length, radix) in passes(self.class.length).into_iter().rev() {
            let pass = Pass { length, radix, inverse: true, ..Pass::default() };
            self.run("transform", pass, &[("work", Some(work))], self.class.length / radix);
        }
        let pass = Pass { reversed, gradient, ..Pass::default() };
        self.run("unpack", pass, &[("work", Some(work)), ("out", Some(out))], self.class.length);
    }

    /// d_λ += Σ over the runs of frequencies: `partial` has five rows of this block's channels a run.
    fn add_lambda(&self, partial: &Buffer, runs: usize, d_lambda: &Buffer) {
        let (all, own) = (self.long.channels, self.channels);
        let terms = match self.long.term {
            Some(term) => term..term + 1,
            None => 0..5,
        };
        for (row, term) in terms.enumerate() {
            let start = row * all + self.first;
            self.launch.sum_part(partial, [runs, 5 * own, term * own], d_lambda, start..start + own);
        }
    }
}

/// Length and radix of the passes of a transform of length n, a power of two: eights, then what is left.
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
