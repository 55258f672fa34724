//! Kernels of other rooms: dispatches that are bound once and recorded as often as they are asked
//! for, many in one pass.
//!
//! What does not change from one step of dynamics to the next (buffers, sizes, groups) is handed
//! to the driver once; a step then costs the host one call a dispatch, and no memory.

use super::Gpu;
use super::buffers::{Buffer, For};
use super::recorder::{Bound, in_rows};
use super::shaders::Source;
use super::values::Named;
use crate::Result;
use crate::engine::Engine;

/// A kernel with all that it is given.
///
/// It does not keep the buffers that it binds from being used for something else: whoever makes it
/// holds them as long.
pub(crate) struct Dispatch {
    pipeline: std::sync::Arc<super::pipelines::Pipeline>,
    group: wgpu::BindGroup,
    groups: [u32; 2],
}

impl Gpu {
    /// A buffer of `len` words, all zero.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    pub(crate) fn cleared(&self, len: usize) -> Result<Buffer> {
        let buffer = self.zeros(len)?;
        self.inner.recorder.settle(&self.inner.device, &buffer);
        Ok(buffer)
    }

    /// A buffer with these words.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    pub(crate) fn holding(&self, words: &[u32]) -> Result<Buffer> {
        let pool = &self.inner.pool;
        let buffer = pool.take(&self.inner.device, words.len(), For::Host)?;
        self.overwrite(&buffer, 0, words);
        Ok(buffer)
    }

    /// Overwrites the words of a buffer from word `at` on; what is recorded before sees the old
    /// ones.
    ///
    /// # Panics
    /// Where the words reach beyond the buffer.
    pub(crate) fn overwrite(&self, buffer: &Buffer, at: usize, words: &[u32]) {
        assert!(at + words.len() <= buffer.len, "words beyond the buffer");
        let Some(raw) = buffer.raw() else { return };
        let Self { inner } = self;
        inner.recorder.settle(&inner.device, buffer);
        inner.recorder.submit(&inner.device, &inner.pool);
        let bytes = bytemuck::cast_slice(words);
        let place = buffer.start() + 4 * at as u64;
        inner.device.queue.write_buffer(raw, place, bytes);
    }

    /// The words of a buffer, once all that is recorded is done.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    pub(crate) fn fetched(&self, buffer: &Buffer) -> Result<Vec<u32>> {
        let mut all = self.read(&[buffer], <[u32]>::to_vec)?;
        Ok(all.pop().unwrap_or_default())
    }

    /// Binds a kernel: `sizes` and buffers by their names in the shader, run in `groups` groups.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    ///
    /// # Panics
    /// Where a buffer or a size that the entry uses is not named: a bug of the kernel's host side.
    pub(crate) fn bind(
        &self,
        (source, entry): (Source, &'static str),
        sizes: &[Named],
        bound: &[Bound<'_>],
        groups: usize,
    ) -> Result<Dispatch> {
        let inner = &*self.inner;
        let pipeline = inner.pipelines.get(&inner.device, source, entry);
        let mut block = Vec::new();
        pipeline.sizes(sizes, &mut block);
        block.resize(256, 0);
        let usage = wgpu::BufferUsages::UNIFORM;
        let uniform = (inner.device).buffer(block.len() as u64, usage, Some(&block))?;
        for buffer in bound.iter().filter_map(|(_, buffer)| *buffer) {
            inner.recorder.settle(&inner.device, buffer);
        }
        let group = (inner.recorder).bind(&inner.device, &inner.pool, &pipeline, bound, &uniform);
        Ok(Dispatch {
            pipeline,
            group,
            groups: in_rows(groups),
        })
    }

    /// Records all of `dispatches`, in their order, `times` times, in one pass.
    pub(crate) fn repeat(&self, dispatches: &[&Dispatch], times: usize) {
        let inner = &*self.inner;
        inner.recorder.pass(&inner.device, |pass| {
            for dispatch in (0..times).flat_map(|_| dispatches) {
                let [columns, rows] = dispatch.groups;
                if columns > 0 {
                    pass.set_pipeline(&dispatch.pipeline.raw);
                    let offsets = &[0][..usize::from(dispatch.pipeline.has_sizes())];
                    pass.set_bind_group(0, &dispatch.group, offsets);
                    pass.dispatch_workgroups(columns, rows, 1);
                }
            }
        });
    }

    /// Submits what is recorded, without waiting for it.
    pub(crate) fn send(&self) {
        self.inner
            .recorder
            .submit(&self.inner.device, &self.inner.pool);
    }
}
