//! From the device to the host.

use super::buffers::{Buffer, GUARD, GUARD_WORD};
use super::{Gpu, Inner};
use crate::Result;

/// Longest wait for the message that a copy has arrived, after the device has said that its work is
/// done.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

impl Gpu {
    /// What `take` makes of the words of a buffer, once all that is recorded is done.
    pub(super) fn fetch<T>(&self, buffer: &Buffer, take: impl FnOnce(&[u32]) -> T) -> Result<T> {
        let Inner {
            recorder,
            pool,
            device,
            ..
        } = &*self.inner;
        let Some(raw) = &buffer.raw else {
            return Ok(take(&[]));
        };
        let bytes = 4 * pool.bound(buffer.len) as u64;
        let copy = device.buffer(
            bytes,
            wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            None,
        )?;
        recorder.copy(device, raw, &copy, bytes);
        recorder.submit(device, pool);
        let (send, mapped) = std::sync::mpsc::channel();
        copy.slice(..)
            .map_async(wgpu::MapMode::Read, move |result| {
                // the receiver is gone only where waiting has failed already
                send.send(result).ok();
            });
        device.wait()?;
        // another thread that waits for the device may have taken the message on and be about to
        // pass it
        let arrived = mapped
            .recv_timeout(PATIENCE)
            .map_err(|error| device.error(&error.to_string()))?;
        arrived.map_err(|error| device.error(&error.to_string()))?;
        let view = copy
            .slice(..)
            .get_mapped_range()
            .map_err(|error| device.error(&error.to_string()))?;
        let words: &[u32] = bytemuck::cast_slice(&view);
        if pool.guarded()
            && words[buffer.len..buffer.len + GUARD]
                .iter()
                .any(|&word| word != GUARD_WORD)
        {
            return Err(device.error("a kernel wrote past the end of a buffer"));
        }
        Ok(take(&words[..buffer.len]))
    }
}
