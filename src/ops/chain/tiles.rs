//! `chain`, forward: tile by tile of tokens, so that what goes from step to step stays in the cache
//! and takes no memory of the whole batch. Every step sees one row at a time, so that the bits do
//! not depend on how rows are cut.

use rayon::prelude::*;

use super::{Chain, Step};
use crate::numeric::Real;
use crate::ops::{Forward, Kernel, Op, Rows};

/// Rows of a tile: what the steps hand each other of so many lies in the second cache. Products
/// take six rows at a time.
pub(super) const TILE: usize = 48;

/// Rows of a parallel task.
const TASK: usize = 4 * TILE;

/// Chains of at most this many rows run on the calling thread.
const SERIAL: usize = 256;

/// Where the rows of a tile lie: in one buffer several that are not needed at the same time.
struct Layout {
    /// Buffer of every row that a step writes.
    buffer: Vec<usize>,
    /// Numbers of a token in each buffer.
    widths: Vec<usize>,
}

impl Layout {
    fn new(chain: &Chain) -> Layout {
        let mut last = vec![0; chain.rows.len()];
        for (at, step) in chain.steps.iter().enumerate() {
            let touched = step.inputs.iter().chain(&step.outputs);
            touched.for_each(|&row| last[row] = at);
        }
        chain.outputs.iter().for_each(|&row| last[row] = usize::MAX);
        let mut layout = Layout {
            buffer: vec![0; chain.rows.len()],
            widths: Vec::new(),
        };
        let mut free: Vec<usize> = Vec::new();
        for (at, step) in chain.steps.iter().enumerate() {
            for &row in &step.outputs {
                let width = chain.rows[row].row();
                let found = free.iter().position(|&own| layout.widths[own] == width);
                layout.buffer[row] = match found {
                    Some(found) => free.swap_remove(found),
                    None => {
                        layout.widths.push(width);
                        layout.widths.len() - 1
                    }
                };
            }
            let touched = step.inputs.iter().chain(&step.outputs);
            for &row in touched.filter(|&&row| row >= chain.inputs && last[row] == at) {
                if !free.contains(&layout.buffer[row]) {
                    free.push(layout.buffer[row]);
                }
            }
        }
        layout
    }

    fn buffers<T: Real>(&self, rows: usize) -> Vec<Vec<T>> {
        let rows = rows.min(TILE);
        let buffer = |&width: &usize| vec![T::zero(); width * rows];
        self.widths.iter().map(buffer).collect()
    }
}

/// What all tiles of a call read.
struct Reads<'r, 'a, T> {
    chain: &'r Chain,
    layout: &'r Layout,
    call: &'r Forward<'a, T>,
}

impl Chain {
    /// Whether the steps can be run on some rows without the others: all but the mean of a readout.
    fn is_by_rows(&self) -> bool {
        let fits =
            |step: &Step| step.inputs[0] < self.inputs && self.outputs.contains(&step.outputs[0]);
        let mut readouts = self.steps.iter().filter(|step| is_readout(&step.op));
        self.is_uniform() && readouts.all(fits)
    }

    /// Whether an output may be written over an input: row by row, of the same shape. A readout
    /// adds its first input at the very end.
    pub(super) fn can_write_over(&self, input: usize, output: usize) -> bool {
        let late = |step: &Step| is_readout(&step.op) && step.inputs[0] == input;
        self.is_by_rows()
            && self.rows[input] == self.rows[self.outputs[output]]
            && !self.steps.iter().any(late)
    }

    /// Runs the steps tile by tile; hands the call back where that cannot be.
    pub(super) fn by_tiles<'a, T: Real>(&self, mut call: Forward<'a, T>) -> Option<Forward<'a, T>> {
        if !self.is_by_rows() {
            return Some(call);
        }
        let rows = match self.of() {
            Rows::Tokens => call.batch.tokens(),
            Rows::Systems => call.batch.systems(),
        };
        let outputs = std::mem::take(&mut call.outputs);
        let layout = Layout::new(self);
        let reads = Reads {
            chain: self,
            layout: &layout,
            call: &call,
        };
        let mut rest: Vec<&mut [T]> = outputs.iter_mut().map(|out| &mut **out).collect();
        if rows <= SERIAL {
            reads.task(&mut layout.buffers(rows), 0, rest);
        } else {
            let tasks = (0..rows).step_by(TASK).map(|first| {
                let own = self.cut(&mut rest, TASK.min(rows - first));
                (first, own)
            });
            let tasks: Vec<(usize, Vec<&mut [T]>)> = tasks.collect();
            tasks.into_par_iter().for_each_init(
                || layout.buffers(rows),
                |buffers, (first, own)| reads.task(buffers, first, own),
            );
        }
        for step in &self.steps {
            if let Op::Readout(readout) = &step.op {
                let at = self.outputs.iter().position(|row| *row == step.outputs[0]);
                let out = &mut *outputs[at.expect("a readout is handed out")];
                readout.finish(call.batch, call.inputs[step.inputs[0]], out);
            }
        }
        None
    }

    /// The next `count` rows of every output.
    fn cut<'a, T>(&self, rest: &mut [&'a mut [T]], count: usize) -> Vec<&'a mut [T]> {
        let own = rest.iter_mut().zip(&self.outputs).map(|(rest, &row)| {
            rest.split_off_mut(..count * self.rows[row].row())
                .expect("the rows of a piece")
        });
        own.collect()
    }
}

fn is_readout(op: &Op) -> bool {
    matches!(op, Op::Readout(_))
}

impl<T: Real> Reads<'_, '_, T> {
    /// Runs the rows from `first` that belong to `outputs`.
    fn task(&self, buffers: &mut [Vec<T>], first: usize, mut outputs: Vec<&mut [T]>) {
        let width = |&row: &usize| self.chain.rows[row].row();
        let widths: Vec<usize> = self.chain.outputs.iter().map(width).collect();
        let some = widths.iter().position(|&width| width > 0);
        let rows = some.map_or(0, |some| outputs[some].len() / widths[some]);
        for begin in (0..rows).step_by(TILE) {
            let count = TILE.min(rows - begin);
            let mut own = self.chain.cut(&mut outputs, count);
            self.tile(buffers, first + begin, count, &mut own);
        }
    }

    /// Runs one tile of `count` rows from `first`.
    fn tile(&self, buffers: &mut [Vec<T>], first: usize, count: usize, outputs: &mut [&mut [T]]) {
        let Reads {
            chain,
            layout,
            call,
        } = self;
        for step in &chain.steps {
            let own = step.outputs.iter();
            let mut taken: Vec<Vec<T>> = own
                .clone()
                .map(|&row| std::mem::take(&mut buffers[layout.buffer[row]]))
                .collect();
            let input = |&row: &usize| -> &[T] {
                let width = chain.rows[row].row();
                if row >= chain.inputs {
                    return &buffers[layout.buffer[row]][..count * width];
                }
                match call.over.iter().find(|(input, _)| *input == row) {
                    Some(&(_, output)) => &*outputs[output],
                    None => &call.inputs[row][first * width..(first + count) * width],
                }
            };
            let inputs: Vec<&[T]> = step.inputs.iter().map(input).collect();
            let mut written: Vec<&mut [T]> = taken
                .iter_mut()
                .zip(own.clone())
                .map(|(buffer, &row)| &mut buffer[..count * chain.rows[row].row()])
                .collect();
            let part = Forward {
                batch: call.batch,
                inputs: &inputs,
                params: &call.params[step.params.clone()],
                outputs: &mut written,
                over: &[],
            };
            match &step.op {
                Op::Readout(readout) => readout.sums(part.inputs, &mut *part.outputs[0]),
                op => op.forward(part),
            }
            for (&row, buffer) in own.zip(taken) {
                buffers[layout.buffer[row]] = buffer;
            }
        }
        for (&row, out) in chain.outputs.iter().zip(outputs) {
            out.copy_from_slice(&buffers[layout.buffer[row]][..out.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Batch, Shape};

    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        let number = |at: usize| ((at * 7 + seed * 13) % 1009) as f32 / 500.0 - 1.0;
        (0..len).map(number).collect()
    }

    fn batch(tokens: usize) -> Batch {
        Batch {
            offsets: vec![0, tokens / 3, tokens],
            kinds: vec![[0; 3]; tokens],
            scale: vec![0.5, 2.0],
            ..Batch::default()
        }
    }

    /// The outputs of a chain, by tiles or whole, with the first input that can be written over in
    /// its output where `over`.
    fn run(chain: &Chain, batch: &Batch, tiles: bool, over: bool) -> Vec<Vec<f32>> {
        let signature = chain.signature();
        let draw = |(seed, shape): (usize, &Shape)| numbers(shape.len(batch), seed);
        let inputs: Vec<Vec<f32>> = signature.inputs.iter().enumerate().map(draw).collect();
        let params = signature.params.iter().enumerate();
        let params: Vec<Vec<f32>> = params
            .map(|(seed, param)| numbers(param.size[0] * param.size[1], 50 + seed))
            .collect();
        let empty = |shape: &Shape| vec![f32::NAN; shape.len(batch)];
        let mut outputs: Vec<Vec<f32>> = signature.outputs.iter().map(empty).collect();
        let mut pairs = Vec::new();
        let mut read: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        for (output, values) in outputs.iter_mut().enumerate() {
            let free = |input: &usize| !pairs.iter().any(|(other, _)| other == input);
            let can = |input: &usize| chain.can_write_over(*input, output);
            if let Some(input) = (0..chain.inputs).filter(free).find(can).filter(|_| over) {
                values.copy_from_slice(&inputs[input]);
                read[input] = &[];
                pairs.push((input, output));
            }
        }
        assert_eq!(over, !pairs.is_empty());
        let params: Vec<&[f32]> = params.iter().map(Vec::as_slice).collect();
        let mut written: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let call = Forward {
            batch,
            inputs: &read,
            params: &params,
            outputs: &mut written,
            over: &pairs,
        };
        if tiles {
            assert!(chain.by_tiles(call).is_none());
        } else {
            chain.whole(call);
        }
        outputs
    }

    #[test]
    fn tiles_give_the_bits_of_the_whole() {
        let chains = Chain::examples();
        for chain in &chains[..3] {
            for tokens in [5, TILE, 3 * TILE + 5, 5 * TASK + TILE + 1] {
                let batch = batch(tokens);
                let expected = run(chain, &batch, false, false);
                assert!(expected.iter().flatten().all(|x| x.is_finite()));
                assert_eq!(run(chain, &batch, true, false), expected, "{tokens}");
            }
        }
        let batch = batch(3 * TASK);
        let over = run(&chains[0], &batch, true, true);
        assert_eq!(over, run(&chains[0], &batch, false, false));
    }
}
