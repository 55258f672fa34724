//! Where ops run: [`Cpu<f64>`](Cpu) is the oracle, `Cpu<f32>` the embedded default, `Gpu` the fast
//! path.

mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;

pub use cpu::Cpu;
#[cfg(feature = "gpu")]
pub use gpu::Gpu;

use crate::Result;
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
