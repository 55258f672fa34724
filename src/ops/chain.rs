//! `chain`: ops that see one token at a time, one after another as one op: an engine that runs them
//! so can leave what goes from one to the next where it is near.
//!
//! Nothing of it is kept for backward, which runs the steps anew. On the CPU forward goes by tiles
//! of tokens (`chain/tiles.rs`).

mod tiles;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use super::gate::Gate;
use super::invariants::Invariants;
use super::linear::Linear;
use super::norm::Norm;
use super::readout::Readout;
use super::tuple::Tuple;
use super::update::Update;
use super::{Backward, Forward, Kernel, Op, ParamShape, Rows, Shape, Signature};
use crate::numeric::Real;

/// An op of a chain: which rows it reads and writes, by their numbers in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The op.
    pub op: Op,
    /// Rows that it reads.
    pub inputs: Vec<usize>,
    /// Its parameters among those of the chain.
    pub params: Range<usize>,
    /// Rows that it writes.
    pub outputs: Vec<usize>,
}

/// Token-wise ops as one. Inputs: the first `inputs` of `rows`. Parameters: those of the steps, one
/// after the other. Outputs: the rows `outputs`.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Shapes of all rows: the inputs, then what the steps write, in their order.
    pub rows: Vec<Shape>,
    /// Number of inputs.
    pub inputs: usize,
    /// The ops, in order. Every row is written once.
    pub steps: Vec<Step>,
    /// Rows that are handed out.
    pub outputs: Vec<usize>,
    /// A number that tells chains apart.
    pub key: u64,
}

impl Chain {
    /// Whether an op can be a step: it sees one token, or one system, at a time. A readout sees the
    /// mean over the system too, and can only be the last to touch its rows.
    pub fn takes(op: &Op) -> bool {
        matches!(
            op,
            Op::Linear(_) | Op::Norm(_) | Op::Tuple(_) | Op::Gate(_) | Op::Readout(_)
        ) || is_of_vectors(op)
    }

    /// Whether its rows are all of tokens, or all of systems.
    pub fn is_uniform(&self) -> bool {
        self.rows.iter().all(|shape| shape.rows == self.of())
    }

    /// What its rows are of.
    pub fn of(&self) -> Rows {
        self.rows.first().map_or(Rows::Tokens, |shape| shape.rows)
    }

    /// A chain of these ops, each with the rows that it reads: those of the chain's inputs come
    /// first, then what the ops write. `outputs` are the rows that are handed out.
    ///
    /// # Panics
    /// Where an op is given rows of another shape than it takes.
    pub fn new(inputs: Vec<Shape>, ops: Vec<(Op, Vec<usize>)>, outputs: Vec<usize>) -> Chain {
        let mut chain = Chain {
            inputs: inputs.len(),
            rows: inputs,
            steps: Vec::new(),
            outputs,
            key: 0,
        };
        let mut params = 0;
        for (op, inputs) in ops {
            let signature = op.signature();
            let shapes: Vec<Shape> = inputs.iter().map(|&row| chain.rows[row]).collect();
            assert_eq!(shapes, signature.inputs, "rows of {}", op.name());
            let first = chain.rows.len();
            chain.rows.extend(&signature.outputs);
            let end = params + signature.params.len();
            chain.steps.push(Step {
                op,
                inputs,
                params: params..end,
                outputs: (first..chain.rows.len()).collect(),
            });
            params = end;
        }
        let mut hasher = DefaultHasher::new();
        format!("{chain:?}").hash(&mut hasher);
        chain.key = hasher.finish();
        chain
    }

    /// Parameters of all steps.
    pub fn params(&self) -> Vec<ParamShape> {
        let own = self.steps.iter().map(|step| step.op.signature().params);
        own.flatten().collect()
    }

    /// Runs the steps; what is not handed out goes into `inner`, by its number.
    fn run<'a, 'c: 'a, T: Real>(
        &self,
        call: Forward<'c, T>,
        inner: Vec<&'a mut [T]>,
    ) -> Vec<&'a [T]> {
        let mut free: Vec<Option<&'a mut [T]>> = inner.into_iter().map(Some).collect();
        for (&row, out) in self.outputs.iter().zip(call.outputs.iter_mut()) {
            free[row] = Some(&mut **out);
        }
        let mut known: Vec<&'a [T]> = vec![&[]; self.rows.len()];
        known[..self.inputs].copy_from_slice(call.inputs);
        for step in &self.steps {
            let own = step.outputs.iter();
            let mut outputs: Vec<&'a mut [T]> = own.filter_map(|&row| free[row].take()).collect();
            let inputs = of_rows(&known, &step.inputs);
            let mut lent: Vec<&mut [T]> = outputs.iter_mut().map(|out| &mut **out).collect();
            step.op.forward(Forward {
                batch: call.batch,
                inputs: &inputs,
                params: &call.params[step.params.clone()],
                outputs: &mut lent,
                over: &[],
            });
            for (&row, out) in step.outputs.iter().zip(outputs) {
                known[row] = out;
            }
        }
        known
    }
}

/// The numbers of these rows.
fn of_rows<'a, T>(known: &[&'a [T]], rows: &[usize]) -> Vec<&'a [T]> {
    rows.iter().map(|&row| known[row]).collect()
}

/// Lengths and updates of vectors: those of tensors are written for no chain, since no network that
/// is run for its speed has any.
fn is_of_vectors(op: &Op) -> bool {
    match op {
        Op::Invariants(op) => op.components == 3,
        Op::Update(op) => op.components == 3,
        _ => false,
    }
}

/// Token-wise layers as a block of a network has them, from its convolution to its readout.
fn block() -> Chain {
    let (c, k) = (6, 4);
    let inputs = vec![
        Shape::tuples(k),
        Shape::tuples(k),
        Shape::scalars(9),
        Shape::scalars(c),
        Shape::vectors(k),
        Shape::vectors(3),
        Shape::vectors(1),
    ];
    let gate = Gate {
        channels: k,
        gates: (9, 5),
    };
    let mixed = Linear::scalars(&[k], c).unbiased().residual();
    let turned = Linear::vectors(&[k, 3], k).residual();
    let hidden = Linear::scalars(&[c, k], 8).silu();
    let weights = Linear::scalars(&[c], k + 3);
    let ops: Vec<(Op, Vec<usize>)> = vec![
        (gate.into(), vec![0, 1, 2]),                              // 7, 8
        (mixed.into(), vec![7, 3]),                                // 9
        (turned.into(), vec![8, 5, 4]),                            // 10
        (Norm { channels: c }.into(), vec![9]),                    // 11
        (Invariants::of_vectors(k).into(), vec![10]),              // 12
        (hidden.into(), vec![11, 12]),                             // 13, 14
        (Linear::scalars(&[8], c).residual().into(), vec![13, 9]), // 15
        (Linear::scalars(&[8], k).into(), vec![13]),               // 16
        (Linear::vectors(&[k], k).into(), vec![10]),               // 17
        (Update::of_vectors(k).into(), vec![10, 17, 16]),          // 18
        (weights.into(), vec![15]),                                // 19
        (
            Readout {
                vectors: vec![k, 3],
            }
            .into(),
            vec![6, 19, 18, 5],
        ), // 20
    ];
    Chain::new(inputs, ops, vec![15, 18, 20])
}

/// Heads of a long convolution, of widths that no four divide.
fn heads() -> Chain {
    let (c, k) = (5, 3);
    let inputs = vec![
        Shape::scalars(c),
        Shape::scalars(7),
        Shape::vectors(k),
        Shape::vectors(2),
    ];
    let tuple = |index: usize| {
        Op::from(Tuple {
            channels: k,
            scalars: (2 * k, index * k),
            vectors: (2 * k, index * k),
        })
    };
    let scalars = Linear::scalars(&[c, 7], 2 * k).silu();
    let vectors = Linear::vectors(&[k, 2], 2 * k);
    let ops: Vec<(Op, Vec<usize>)> = vec![
        (scalars.into(), vec![0, 1]), // 4, 5
        (vectors.into(), vec![2, 3]), // 6
        (tuple(0), vec![4, 6]),       // 7
        (tuple(1), vec![4, 6]),       // 8
    ];
    Chain::new(inputs, ops, vec![7, 4, 8])
}

/// What is read by several steps and handed out too, at the width of the working network.
fn branches() -> Chain {
    let side = || Op::from(Linear::scalars(&[64], 4).unbiased());
    let ops: Vec<(Op, Vec<usize>)> = vec![
        (
            Linear::scalars(&[2], 64).residual().silu().into(),
            vec![0, 1],
        ), // 2, 3
        (Norm { channels: 64 }.into(), vec![2]), // 4
        (side(), vec![4]),                       // 5
        (side(), vec![4]),                       // 6
    ];
    let inputs = vec![Shape::scalars(2), Shape::scalars(64)];
    Chain::new(inputs, ops, vec![2, 4, 5, 6])
}

/// What a system is told.
fn told() -> Chain {
    let first = Linear::scalars(&[3], 8).per_system().silu();
    let second = Linear::scalars(&[8], 6).per_system();
    let ops: Vec<(Op, Vec<usize>)> = vec![(first.into(), vec![0]), (second.into(), vec![1])];
    Chain::new(vec![Shape::per_system(3)], ops, vec![3])
}

impl Kernel for Chain {
    fn examples() -> Vec<Self> {
        vec![block(), heads(), branches(), told()]
    }

    fn signature(&self) -> Signature {
        Signature {
            inputs: self.rows[..self.inputs].to_vec(),
            params: self.params(),
            outputs: self.outputs.iter().map(|&row| self.rows[row]).collect(),
        }
    }

    fn over(&self, input: usize, output: usize) -> bool {
        self.can_write_over(input, output)
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        if let Some(call) = self.by_tiles(call) {
            self.whole(call);
        }
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let mut inner = self.inner(call.batch, true);
        let again = Forward {
            batch: call.batch,
            inputs: call.inputs,
            params: call.params,
            outputs: &mut [],
            over: &[],
        };
        let known = self.run(again, inner.iter_mut().map(Vec::as_mut_slice).collect());
        let lens = self.rows.iter().map(|shape| shape.len(call.batch));
        // gradients of what the steps write; those of the inputs are added to in place
        let own = lens
            .enumerate()
            .map(|(row, len)| vec![T::zero(); if row < self.inputs { 0 } else { len }]);
        let mut d_rows: Vec<Vec<T>> = own.collect();
        for (&row, d_out) in self.outputs.iter().zip(call.d_outputs) {
            d_rows[row].copy_from_slice(d_out);
        }
        for step in self.steps.iter().rev() {
            let mut taken: Vec<Vec<T>> = step
                .inputs
                .iter()
                .map(|&row| std::mem::take(&mut d_rows[row]))
                .collect();
            let d_outputs: Vec<&[T]> = step.outputs.iter().map(|&row| &d_rows[row][..]).collect();
            let mut given: Vec<Option<&mut [T]>> = call
                .d_inputs
                .iter_mut()
                .map(|d_input| Some(&mut **d_input))
                .collect();
            let mut d_inputs: Vec<&mut [T]> = Vec::new();
            for (&row, own) in step.inputs.iter().zip(&mut taken) {
                match row < self.inputs {
                    true => d_inputs.extend(given[row].take()),
                    false => d_inputs.push(own),
                }
            }
            let own = call.d_params[step.params.clone()].iter_mut();
            let mut d_params: Vec<&mut [T]> = own.map(|d_param| &mut **d_param).collect();
            step.op.backward(Backward {
                batch: call.batch,
                inputs: &of_rows(&known, &step.inputs),
                params: &call.params[step.params.clone()],
                outputs: &of_rows(&known, &step.outputs),
                d_outputs: &d_outputs,
                d_inputs: &mut d_inputs,
                d_params: &mut d_params,
            });
            for (&row, own) in step.inputs.iter().zip(taken) {
                d_rows[row] = own;
            }
        }
    }
}

impl Chain {
    /// Runs every step on all rows before the next.
    fn whole<T: Real>(&self, call: Forward<'_, T>) {
        let mut inner = self.inner(call.batch, false);
        self.run(call, inner.iter_mut().map(Vec::as_mut_slice).collect());
    }

    /// Room for what the steps write, for what is handed out only where `all` is wanted; nothing
    /// for the other rows.
    fn inner<T: Real>(&self, batch: &super::Batch, all: bool) -> Vec<Vec<T>> {
        let room = |(row, shape): (usize, &Shape)| {
            let inside = row >= self.inputs && (all || !self.outputs.contains(&row));
            vec![T::zero(); if inside { shape.len(batch) } else { 0 }]
        };
        self.rows.iter().enumerate().map(room).collect()
    }
}
