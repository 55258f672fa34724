//! The CPU engine: ops on host memory, in parallel over tokens and systems through rayon.

use std::marker::PhantomData;

use super::{Call, Engine};
use crate::Result;
use crate::numeric::Real;
use crate::ops::{Backward, Batch, Forward, Kernel};

/// The CPU engine with scalars `T`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu<T>(PhantomData<T>);

impl<T> Cpu<T> {
    /// The engine; it holds no state.
    pub const fn new() -> Self {
        Cpu(PhantomData)
    }
}

/// Takes the buffers at `indices` out, so that they can be written while others are read.
fn take<T>(buffers: &mut [Vec<T>], indices: &[usize]) -> Vec<Vec<T>> {
    indices
        .iter()
        .map(|&index| std::mem::take(&mut buffers[index]))
        .collect()
}

fn put_back<T>(buffers: &mut [Vec<T>], indices: &[usize], taken: Vec<Vec<T>>) {
    for (&index, buffer) in indices.iter().zip(taken) {
        buffers[index] = buffer;
    }
}

fn read<'a, T>(buffers: &'a [Vec<T>], indices: &[usize]) -> Vec<&'a [T]> {
    indices
        .iter()
        .map(|&index| buffers[index].as_slice())
        .collect()
}

/// Inputs in whose place outputs go.
fn over(call: &Call) -> Vec<(usize, usize)> {
    let place = |(output, slot): (usize, &usize)| {
        let input = call.inputs.iter().position(|input| input == slot)?;
        Some((input, output))
    };
    call.outputs.iter().enumerate().filter_map(place).collect()
}

fn write<T>(buffers: &mut [Vec<T>]) -> Vec<&mut [T]> {
    buffers.iter_mut().map(Vec::as_mut_slice).collect()
}

/// The engine at one scalar type: not generic, so that the kernels are compiled once, in this
/// library, for all its users.
macro_rules! engine {
    ($t:ident) => {
        impl Engine for Cpu<$t> {
            type Buffer = Vec<$t>;
            type Batch<'a> = &'a Batch;

            fn name(&self) -> String {
                format!("cpu-{}", <$t as Real>::NAME)
            }

            /// The activations of as many tokens stay in cache.
            fn group(&self) -> usize {
                160
            }

            /// What is computed twice costs shorter ones more than what stays in the cache saves.
            fn lean_from(&self) -> Option<usize> {
                Some(2048)
            }

            fn prepare<'a>(&self, batch: &'a Batch) -> Result<&'a Batch> {
                Ok(batch)
            }

            fn zeros(&self, len: usize) -> Result<Vec<$t>> {
                Ok(vec![0.0; len])
            }

            fn zeros_in(&self, mut old: Vec<$t>, len: usize) -> Result<Vec<$t>> {
                old.clear();
                old.resize(len, 0.0);
                Ok(old)
            }

            fn upload(&self, values: &[f64]) -> Result<Vec<$t>> {
                Ok(values
                    .iter()
                    .map(|&value| <$t as Real>::of(value))
                    .collect())
            }

            fn download(&self, buffer: &Vec<$t>) -> Result<Vec<f64>> {
                Ok(buffer.iter().map(|value| value.wide()).collect())
            }

            fn forward(
                &self,
                call: &Call,
                batch: &&Batch,
                params: &[Vec<$t>],
                slots: &mut [Vec<$t>],
            ) -> Result<()> {
                let mut outputs = take(slots, &call.outputs);
                call.op.forward(Forward {
                    batch,
                    inputs: &read(slots, &call.inputs),
                    params: &read(params, &call.params),
                    outputs: &mut write(&mut outputs),
                    over: &over(call),
                });
                put_back(slots, &call.outputs, outputs);
                Ok(())
            }

            fn backward(
                &self,
                call: &Call,
                batch: &&Batch,
                params: &[Vec<$t>],
                slots: &[Vec<$t>],
                d_slots: &mut [Vec<$t>],
                d_params: &mut [Vec<$t>],
            ) -> Result<()> {
                let mut d_inputs = take(d_slots, &call.inputs);
                let mut d_weights = take(d_params, &call.params);
                call.op.backward(Backward {
                    batch,
                    inputs: &read(slots, &call.inputs),
                    params: &read(params, &call.params),
                    outputs: &read(slots, &call.outputs),
                    d_outputs: &read(d_slots, &call.outputs),
                    d_inputs: &mut write(&mut d_inputs),
                    d_params: &mut write(&mut d_weights),
                });
                put_back(d_slots, &call.inputs, d_inputs);
                put_back(d_params, &call.params, d_weights);
                Ok(())
            }
        }
    };
}
engine!(f32);
engine!(f64);
