//! In place of VkFFT where the program is built without it: no device has any.

use std::convert::Infallible;
use std::sync::Arc;

/// What is transformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Transforms side by side.
    pub columns: usize,
    /// Length of each.
    pub length: usize,
    /// Arrays of `length` × `columns` behind one another.
    pub batches: usize,
    /// The inverse transform.
    pub inverse: bool,
}

/// There is none.
#[derive(Debug)]
pub struct Context(Infallible);

/// There is none.
#[derive(Debug)]
pub struct Plan(Infallible);

impl Context {
    /// None.
    pub fn open(_device: &wgpu::Device) -> Option<Arc<Context>> {
        None
    }
}

impl Plan {
    /// Never called.
    pub fn new(
        context: &Arc<Context>,
        _shape: Shape,
        _work: &wgpu::Buffer,
        _temp: &wgpu::Buffer,
    ) -> Result<Plan, String> {
        match context.0 {}
    }

    /// Never called.
    pub fn record(&self) -> Result<wgpu::CommandBuffer, String> {
        match self.0 {}
    }
}
