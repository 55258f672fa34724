//! Results on their way to the host: all that are asked for at once in one copy.

use std::sync::PoisonError;
use std::time::Duration;

use super::buffers::{Buffer, GUARD, GUARD_WORD};
use super::counts::add;
use super::device::Device;
use super::{Gpu, Inner};
use crate::Result;

/// Longest wait for the message that a copy has arrived, after the device has said that its work is
/// done.
const PATIENCE: Duration = Duration::from_secs(60);

/// Copies that are kept for the next results.
const READERS: usize = 8;

/// Bytes of one buffer between which and the next there is little enough to be copied too.
const GAP: u64 = 256;

/// Bytes of a memory that are copied in one go.
struct Piece<'a> {
    raw: &'a wgpu::Buffer,
    id: u64,
    from: u64,
    end: u64,
    /// Where they begin in the copy.
    place: u64,
}

/// What is to be copied for these buffers, and the first byte of each in the copy.
fn pieces<'a>(
    buffers: &[&'a Buffer],
    bound: impl Fn(usize) -> usize,
) -> (Vec<Piece<'a>>, Vec<u64>) {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    let mut places = Vec::with_capacity(buffers.len());
    let mut filled = 0;
    for buffer in buffers {
        let Some(memory) = buffer.memory() else {
            places.push(0);
            continue;
        };
        let (from, end) = (
            buffer.start(),
            buffer.start() + 4 * bound(buffer.len) as u64,
        );
        let joins = |last: &&mut Piece<'_>| {
            last.id == memory.id && last.end <= from && from <= last.end + GAP
        };
        if let Some(last) = pieces.last_mut().filter(joins) {
            filled += end - last.end;
            last.end = end;
            places.push(last.place + from - last.from);
            continue;
        }
        places.push(filled);
        pieces.push(Piece {
            raw: &memory.raw,
            id: memory.id,
            from,
            end,
            place: filled,
        });
        filled += end - from;
    }
    (pieces, places)
}

/// Waits until what was submitted is done and this can be read.
fn arrived(device: &Device, part: wgpu::BufferSlice<'_>) -> Result<()> {
    let (send, mapped) = std::sync::mpsc::channel();
    part.map_async(wgpu::MapMode::Read, move |result| {
        // the receiver is gone only where waiting has failed already
        send.send(result).ok();
    });
    device.wait()?;
    // another thread that waits for the device may have taken the message on and be about to pass
    // it
    let arrived = mapped
        .recv_timeout(PATIENCE)
        .map_err(|error| device.error(&error.to_string()))?;
    arrived.map_err(|error| device.error(&error.to_string()))
}

impl Gpu {
    /// What `take` makes of the words of each of these buffers, once all that is recorded has run.
    pub(super) fn read<T>(
        &self,
        buffers: &[&Buffer],
        take: impl Fn(&[u32]) -> T,
    ) -> Result<Vec<T>> {
        let Inner {
            recorder,
            pool,
            device,
            ..
        } = &*self.inner;
        for buffer in buffers {
            recorder.settle(device, buffer);
        }
        let (pieces, places) = pieces(buffers, |len| pool.bound(len));
        let Some(last) = pieces.last() else {
            return Ok(buffers.iter().map(|_| take(&[])).collect());
        };
        let bytes = last.place + last.end - last.from;
        let copy = self.reader(bytes)?;
        add(&device.counters.read_backs, 1);
        for piece in &pieces {
            recorder.copy(
                device,
                (piece.raw, piece.from..piece.end),
                (&copy, piece.place),
            );
        }
        recorder.submit(device, pool);
        arrived(device, copy.slice(..bytes))?;
        let view = copy
            .slice(..bytes)
            .get_mapped_range()
            .map_err(|error| device.error(&error.to_string()))?;
        let words: &[u32] = bytemuck::cast_slice(&view);
        let mut all = Vec::with_capacity(buffers.len());
        for (buffer, place) in buffers.iter().zip(places) {
            let first = place as usize / 4;
            let end = first + buffer.len;
            let guards = if pool.guarded() && buffer.len > 0 {
                GUARD
            } else {
                0
            };
            if words[end..end + guards]
                .iter()
                .any(|&word| word != GUARD_WORD)
            {
                return Err(device.error("a kernel wrote past the end of a buffer"));
            }
            all.push(take(&words[first..end]));
        }
        drop(view);
        copy.unmap();
        self.keep(copy);
        Ok(all)
    }

    /// What so many bytes can be read from.
    fn reader(&self, bytes: u64) -> Result<wgpu::Buffer> {
        let mut free = self
            .inner
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let fits = |copy: &wgpu::Buffer| copy.size() >= bytes && copy.size() / 4 <= bytes.max(1024);
        if let Some(at) = free.iter().position(fits) {
            return Ok(free.swap_remove(at));
        }
        drop(free);
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let bytes = bytes.next_power_of_two().max(1024);
        self.inner.device.buffer(bytes, usage, None)
    }

    fn keep(&self, copy: wgpu::Buffer) {
        let mut free = self
            .inner
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if free.len() >= READERS {
            free.remove(0);
        }
        free.push(copy);
    }
}
