//! Memory of the device, pooled: a buffer that is dropped is the next one of its size.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::device::Device;
use crate::{Error, Result};

const USAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// Words behind every buffer of a guarded engine, and what they hold.
pub(super) const GUARD: usize = 64;
pub(super) const GUARD_WORD: u32 = 0x7fc0_beef; // a NaN: whoever reads it shows it

/// Numbers (f32) on the device.
pub struct Buffer {
    /// None where there are no numbers.
    pub(super) raw: Option<wgpu::Buffer>,
    pub(super) len: usize,
    pool: Arc<Pool>,
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({})", self.len)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(raw) = self.raw.take() {
            self.pool.put_back(raw);
        }
    }
}

/// What a new buffer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Anything: commands that follow fill it.
    Commands,
    /// The host writes it before all commands that are recorded and not yet submitted: they must
    /// not have used it.
    Host,
}

/// Free buffers by size, and the bytes of all.
#[derive(Debug, Default)]
pub(super) struct Pool {
    state: Mutex<State>,
    /// Whether buffers have guard words behind them, hold NaN at first, and are never used twice.
    guarded: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Each with the number of submissions when it became free.
    free: HashMap<u64, Vec<(wgpu::Buffer, u64)>>,
    submissions: u64,
    bytes: u64,
}

/// Bytes set aside for a buffer: one of eight sizes between powers of two, so that few sizes serve
/// batches of any length.
fn set_aside(bytes: u64) -> u64 {
    let step = (bytes.next_power_of_two() / 16).max(256);
    bytes.next_multiple_of(step)
}

impl Pool {
    pub fn new(guarded: bool) -> Pool {
        Pool {
            guarded,
            ..Pool::default()
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of device memory, used or kept for later.
    pub fn bytes(&self) -> u64 {
        self.state().bytes
    }

    /// To be called at every submission.
    pub fn submitted(&self) {
        self.state().submissions += 1;
    }

    /// Words that a kernel is given of a buffer of `len`.
    pub fn bound(&self, len: usize) -> usize {
        if self.guarded { len + GUARD } else { len }
    }

    pub fn guarded(&self) -> bool {
        self.guarded
    }

    /// A buffer of `len` numbers.
    ///
    /// # Errors
    /// [`Error::Device`] saying what was asked for, what is in use and what would fit.
    pub fn take(self: &Arc<Pool>, device: &Device, len: usize, purpose: For) -> Result<Buffer> {
        let buffer = |raw| Buffer {
            raw,
            len,
            pool: self.clone(),
        };
        if len == 0 {
            return Ok(buffer(None));
        }
        let bytes = set_aside(4 * self.bound(len) as u64);
        let most =
            (device.limits.max_storage_buffer_binding_size).min(device.limits.max_buffer_size);
        if bytes > most {
            let hint = format!(
                "fewer replicas or atoms: about a {}th of them would fit; or {}",
                bytes.div_ceil(most),
                super::device::WITHOUT
            );
            let what = format!(
                "{}: a buffer of {} was asked for, and {} is the most",
                device.name,
                mebibytes(4 * len as u64),
                mebibytes(most)
            );
            return Err(Error::Device { what, hint });
        }
        if self.guarded {
            let words: Vec<u32> = (0..bytes as usize / 4)
                .map(|at| {
                    if at < len {
                        f32::NAN.to_bits()
                    } else {
                        GUARD_WORD
                    }
                })
                .collect();
            return Ok(buffer(Some(device.buffer(
                bytes,
                USAGE,
                Some(bytemuck::cast_slice(&words)),
            )?)));
        }
        if let Some(raw) = self.reuse(bytes, purpose) {
            return Ok(buffer(Some(raw)));
        }
        let created = device.buffer(bytes, USAGE, None).or_else(|_| {
            // what is kept for later may make room, once the device is done with it
            self.empty();
            device.wait()?;
            device.buffer(bytes, USAGE, None)
        });
        let raw = created.map_err(|_| {
            let (asked, used) = (mebibytes(bytes), mebibytes(self.bytes()));
            let what = format!(
                "{}: out of memory: {asked} were asked for beside {used} in use",
                device.name
            );
            Error::Device {
                what,
                hint: format!(
                    "fewer replicas or atoms at once; or {}",
                    super::device::WITHOUT
                ),
            }
        })?;
        self.state().bytes += bytes;
        Ok(buffer(Some(raw)))
    }

    fn reuse(&self, bytes: u64, purpose: For) -> Option<wgpu::Buffer> {
        let mut state = self.state();
        let submissions = state.submissions;
        let free = state.free.get_mut(&bytes)?;
        let at = match purpose {
            For::Commands => free.len().checked_sub(1)?,
            For::Host => free.iter().position(|&(_, since)| since < submissions)?,
        };
        Some(free.swap_remove(at).0)
    }

    fn put_back(&self, raw: wgpu::Buffer) {
        if !self.guarded {
            let mut state = self.state();
            let since = state.submissions;
            state.free.entry(raw.size()).or_default().push((raw, since));
        }
    }

    fn empty(&self) {
        let mut state = self.state();
        let freed: u64 = state
            .free
            .drain()
            .map(|(bytes, list)| bytes * list.len() as u64)
            .sum();
        state.bytes -= freed;
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_set_aside_in_vain() {
        for bytes in (4..200_000u64).step_by(4) {
            let all = set_aside(bytes);
            assert!(
                all >= bytes && all.is_multiple_of(256) && all - bytes < (bytes / 8).max(256),
                "{bytes} {all}"
            );
        }
    }
}
