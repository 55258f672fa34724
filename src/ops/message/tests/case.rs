//! A case of `message` with random numbers, and running it.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::numeric::Real;
use crate::ops::message::Message;
use crate::ops::{Backward, Batch, Edges, Forward, Kernel, RELATIONS};

pub(super) type Buffers = Vec<Vec<f64>>;

pub(super) struct Case {
    pub(super) op: Message,
    pub(super) batch: Batch,
    pub(super) inputs: Buffers,
    pub(super) params: Buffers,
}

pub(super) fn refs<T>(buffers: &[Vec<T>]) -> Vec<&[T]> {
    buffers.iter().map(Vec::as_slice).collect()
}

pub(super) fn muts<T>(buffers: &mut [Vec<T>]) -> Vec<&mut [T]> {
    buffers.iter_mut().map(Vec::as_mut_slice).collect()
}

pub(super) fn cast<T: Real>(buffers: &[Vec<f64>]) -> Vec<Vec<T>> {
    buffers
        .iter()
        .map(|buffer| buffer.iter().map(|&value| T::of(value)).collect())
        .collect()
}

impl Case {
    /// Systems of the given sizes; every token receives from up to `neighbours` random others of
    /// its system.
    pub(super) fn new(seed: u64, channels: usize, sizes: &[usize], neighbours: usize) -> Case {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let op = Message {
            channels,
            radial: 7,
            reach: 5.0,
        };
        let mut batch = Batch {
            offsets: vec![0],
            edges: Edges {
                start: vec![0],
                ..Edges::default()
            },
            ..Batch::default()
        };
        for &size in sizes {
            let first = *batch.offsets.last().unwrap();
            for token in first..first + size {
                // not symmetric, and now and then nobody
                let want = if rng.random_bool(0.1) {
                    0.0
                } else {
                    neighbours as f64 / (size.max(2) - 1) as f64
                };
                for sender in (first..first + size).filter(|&sender| sender != token) {
                    if rng.random_bool(want.min(1.0)) {
                        batch.edges.sender.push(sender as u32);
                        batch
                            .edges
                            .relation
                            .push(rng.random_range(0..RELATIONS as u8));
                        batch.edges.template.push(if rng.random_bool(0.4) {
                            rng.random_range(1.0..3.0)
                        } else {
                            0.0
                        });
                    }
                }
                batch.edges.start.push(batch.edges.sender.len() as u32);
            }
            batch.kinds.resize(first + size, [0; 3]);
            batch.offsets.push(first + size);
            batch.scale.push(rng.random_range(0.05..0.8));
        }
        let mut draw = |len: usize, size: f64| {
            (0..len)
                .map(|_| size * rng.random_range(-1.0..1.0))
                .collect::<Vec<f64>>()
        };
        let spread = [1.5, 1.5, 2.5, 2.5, 1.0];
        let signature = op.signature();
        let mut inputs: Buffers = signature
            .inputs
            .iter()
            .zip(spread)
            .map(|(shape, size)| draw(shape.len(&batch), size))
            .collect();
        // the condition lies near the candidate
        inputs[3] = inputs[2]
            .iter()
            .zip(draw(inputs[2].len(), 0.3))
            .map(|(y, step)| y + step)
            .collect();
        let params = signature
            .params
            .iter()
            .map(|param| draw(param.size[0] * param.size[1], 0.8))
            .collect();
        Case {
            op,
            batch,
            inputs,
            params,
        }
    }

    pub(super) fn forward<T: Real>(&self, inputs: &[Vec<f64>], params: &[Vec<f64>]) -> Vec<Vec<T>> {
        let (inputs, params) = (cast::<T>(inputs), cast::<T>(params));
        let shapes = self.op.signature().outputs;
        let mut outputs: Vec<Vec<T>> = shapes
            .iter()
            .map(|shape| vec![T::nan(); shape.len(&self.batch)])
            .collect();
        self.op.forward(Forward {
            batch: &self.batch,
            inputs: &refs(&inputs),
            params: &refs(&params),
            outputs: &mut muts(&mut outputs),
            over: &[],
        });
        outputs
    }

    /// Gradients of inputs and parameters, added to buffers of ones.
    pub(super) fn backward<T: Real>(&self, d_outputs: &[Vec<f64>]) -> (Vec<Vec<T>>, Vec<Vec<T>>) {
        let outputs = self.forward::<T>(&self.inputs, &self.params);
        let (inputs, params, d_outputs) = (
            cast::<T>(&self.inputs),
            cast::<T>(&self.params),
            cast::<T>(d_outputs),
        );
        let ones = |buffers: &[Vec<T>]| {
            buffers
                .iter()
                .map(|buffer| vec![T::one(); buffer.len()])
                .collect::<Vec<_>>()
        };
        let (mut d_inputs, mut d_params) = (ones(&inputs), ones(&params));
        self.op.backward(Backward {
            batch: &self.batch,
            inputs: &refs(&inputs),
            params: &refs(&params),
            outputs: &refs(&outputs),
            d_outputs: &refs(&d_outputs),
            d_inputs: &mut muts(&mut d_inputs),
            d_params: &mut muts(&mut d_params),
        });
        for value in d_inputs.iter_mut().chain(&mut d_params).flatten() {
            *value -= T::one();
        }
        (d_inputs, d_params)
    }

    /// One of the systems by itself.
    pub(super) fn system(&self, system: usize) -> Case {
        let range = self.batch.range(system);
        let edges = &self.batch.edges;
        let start = &edges.start[range.start..=range.end];
        let which = start[0] as usize..start[range.len()] as usize;
        let batch = Batch {
            offsets: vec![0, range.len()],
            kinds: self.batch.kinds[range.clone()].to_vec(),
            edges: Edges {
                start: start.iter().map(|first| first - start[0]).collect(),
                sender: edges.sender[which.clone()]
                    .iter()
                    .map(|sender| sender - range.start as u32)
                    .collect(),
                relation: edges.relation[which.clone()].to_vec(),
                template: edges.template[which].to_vec(),
            },
            scale: vec![self.batch.scale[system]],
            ..Batch::default()
        };
        let shapes = self.op.signature().inputs;
        let inputs = self
            .inputs
            .iter()
            .zip(shapes)
            .map(|(rows, shape)| cut(rows, shape.row(), &range))
            .collect();
        Case {
            op: self.op.clone(),
            batch,
            inputs,
            params: self.params.clone(),
        }
    }

    /// A random projection of the outputs.
    pub(super) fn projection(&self) -> Buffers {
        let mut rng = ChaCha8Rng::seed_from_u64(99);
        let shapes = self.op.signature().outputs;
        shapes
            .iter()
            .map(|shape| {
                (0..shape.len(&self.batch))
                    .map(|_| rng.random_range(-1.0..1.0))
                    .collect()
            })
            .collect()
    }
}

/// The rows of a range of tokens.
pub(super) fn cut(rows: &[f64], width: usize, tokens: &std::ops::Range<usize>) -> Vec<f64> {
    rows[tokens.start * width..tokens.end * width].to_vec()
}

/// Largest difference over largest value.
pub(super) fn error<T: Real>(found: &[Vec<T>], expected: &[Vec<f64>]) -> f64 {
    let mut worst = 0.0f64;
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len());
        let size = expected
            .iter()
            .fold(0.0, |size: f64, value| size.max(value.abs()));
        let difference = found
            .iter()
            .zip(expected)
            .map(|(found, expected)| (found.wide() - expected).abs() / size);
        // `max` would drop a NaN
        worst = difference.fold(
            worst,
            |worst, value| if value <= worst { worst } else { value },
        );
    }
    worst
}
