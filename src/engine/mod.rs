//! Where ops run: [`Cpu<f64>`](Cpu) is the oracle, `Cpu<f32>` the embedded default, `Gpu` the fast
//! path.

mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;

pub use cpu::Cpu;
#[cfg(feature = "gpu")]
pub use gpu::Gpu;

use crate::Result;
use crate::ops::chain::Chain;
use crate::ops::{Batch, Op};

/// One call of an op: which buffers it reads and writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The op.
    pub op: Op,
    /// Slots of its inputs.
    pub inputs: Vec<usize>,
    /// Indices of its parameters.
    pub params: Vec<usize>,
    /// Slots of its outputs.
    pub outputs: Vec<usize>,
}

/// What a training has come to, one number a parameter each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Learned {
    /// The parameters.
    pub values: Vec<f64>,
    /// Running mean of the gradient.
    pub mean: Vec<f64>,
    /// Running mean of the squared gradient.
    pub square: Vec<f64>,
    /// Running mean of the parameters.
    pub average: Vec<f64>,
}

/// The numbers of one update: AdamW's (see `train::AdamW`), clipping and averaging.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// The learning rate.
    pub learning_rate: f64,
    /// AdamW's β1.
    pub beta1: f64,
    /// AdamW's β2.
    pub beta2: f64,
    /// AdamW's ε.
    pub epsilon: f64,
    /// Share of the learning rate by which weight matrices shrink.
    pub weight_decay: f64,
    /// 1 − β1ⁿ after n updates, this one counted.
    pub bias1: f64,
    /// 1 − β2ⁿ.
    pub bias2: f64,
    /// Largest norm of the gradient.
    pub clip: f64,
    /// Share of the way that the average moves towards the parameters.
    pub moved: f64,
}

/// An optimiser where the parameters are.
pub trait Learner<B>: Send + Sync {
    /// Changes parameters by their gradients; returns the norm of these before clipping.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn update(&mut self, params: &[B], d_params: &[B], rates: &Rates) -> Result<f64>;
    /// What it has come to.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn learned(&self) -> Result<Learned>;
}

/// Where ops run. Buffers hold the engine's own scalar type; the host sees f64.
///
/// The conventions of [`crate::ops`] bind every engine: forward overwrites, backward adds.
pub trait Engine: Send + Sync {
    /// Memory of the engine.
    type Buffer: Send + Sync;
    /// A batch as the engine's kernels read it.
    type Batch<'a>;

    /// Name in logs: `cpu-f32`.
    fn name(&self) -> String;
    /// Tokens that one call of the network should have where there are many replicas: as many as
    /// the engine runs fast.
    fn group(&self) -> usize;
    /// Tokens that a training should run at once where it was asked for so many.
    fn micro_batch(&self, asked: usize) -> usize {
        asked
    }
    /// Whether the engine gains by running the calls of a chain as one.
    fn joins(&self, _chain: &Chain) -> bool {
        false
    }
    /// Tokens from which an evaluation that keeps nothing for backward goes in little memory (the
    /// network's lean program): such an engine runs chains by tiles, and writes outputs over inputs
    /// where ops allow it. None: never.
    fn lean_from(&self) -> Option<usize> {
        None
    }
    /// An optimiser of this engine for parameters of these lengths, which `decays` says to shrink
    /// or not; none: the host's.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn learner(
        &self,
        _lens: &[usize],
        _decays: &[bool],
        _state: &Learned,
    ) -> Result<Option<Box<dyn Learner<Self::Buffer>>>> {
        Ok(None)
    }
    /// Makes a batch ready for calls.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn prepare<'a>(&self, batch: &'a Batch) -> Result<Self::Batch<'a>>;
    /// A buffer of `len` zeros.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn zeros(&self, len: usize) -> Result<Self::Buffer>;
    /// A buffer of `len` numbers for a call to overwrite.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn scratch(&self, len: usize) -> Result<Self::Buffer> {
        self.zeros(len)
    }
    /// A buffer of `len` zeros in place of one that is no longer needed, whose memory may be used.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn zeros_in(&self, _old: Self::Buffer, len: usize) -> Result<Self::Buffer> {
        self.zeros(len)
    }
    /// Copies host values into a new buffer.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn upload(&self, values: &[f64]) -> Result<Self::Buffer>;
    /// Copies host values into new buffers of these lengths, one after the other: what an engine
    /// can do as one.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    ///
    /// # Panics
    /// Where there are fewer values than the lengths say.
    fn upload_parts(&self, values: &[f64], lens: &[usize]) -> Result<Vec<Self::Buffer>> {
        let mut rest = values;
        let mut part = |&len: &usize| {
            let (own, others) = rest.split_at(len);
            rest = others;
            self.upload(own)
        };
        lens.iter().map(&mut part).collect()
    }
    /// Buffers of zeros of these lengths.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn zeros_parts(&self, lens: &[usize]) -> Result<Vec<Self::Buffer>> {
        lens.iter().map(|&len| self.zeros(len)).collect()
    }
    /// Copies buffers to the host, waiting for the device once.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn download_all(&self, buffers: &[&Self::Buffer]) -> Result<Vec<Vec<f64>>> {
        buffers.iter().map(|buffer| self.download(buffer)).collect()
    }
    /// Copies a buffer to the host.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn download(&self, buffer: &Self::Buffer) -> Result<Vec<f64>>;
    /// Runs a call forward: `slots[call.outputs]` are overwritten.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn forward(
        &self,
        call: &Call,
        batch: &Self::Batch<'_>,
        params: &[Self::Buffer],
        slots: &mut [Self::Buffer],
    ) -> Result<()>;
    /// Runs a call backward: adds to `d_slots[call.inputs]` and `d_params[call.params]`.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) where the device or its memory fails.
    fn backward(
        &self,
        call: &Call,
        batch: &Self::Batch<'_>,
        params: &[Self::Buffer],
        slots: &[Self::Buffer],
        d_slots: &mut [Self::Buffer],
        d_params: &mut [Self::Buffer],
    ) -> Result<()>;
}
