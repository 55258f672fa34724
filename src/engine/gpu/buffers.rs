//! Memory of the device, pooled: a buffer that is dropped is the next one of its size.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::device::Device;
use crate::{Error, Result};

const USAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// Words behind every buffer of a guarded engine, and what they hold.
pub(super) const GUARD: usize = 64;
pub(super) const GUARD_WORD: u32 = 0x7fc0_beef; // a NaN: whoever reads it shows it

/// Numbers of one part begin at a multiple of so many: what every device can bind at.
const PART: usize = 64;

/// Numbers (f32) on the device.
pub struct Buffer {
    /// None where there are no numbers.
    memory: Option<Arc<Memory>>,
    /// The first number's place in the memory.
    first: usize,
    pub(super) len: usize,
    /// Whether it stands for zeros that nothing has written yet: a kernel that overwrites it can
    /// spare them.
    blank: AtomicBool,
}

/// What buffers lie in: one, or several parts of it.
pub(super) struct Memory {
    pub raw: wgpu::Buffer,
    /// Its number: the same as long as the memory is kept, in use or not.
    pub id: u64,
    pool: Arc<Pool>,
}

impl Buffer {
    /// The memory that it lies in; none where there are no numbers.
    pub(super) fn memory(&self) -> Option<&Memory> {
        self.memory.as_deref()
    }

    /// wgpu's buffer; the numbers begin at [`Buffer::start`].
    pub(super) fn raw(&self) -> Option<&wgpu::Buffer> {
        self.memory().map(|memory| &memory.raw)
    }

    /// From now on the buffer stands for zeros.
    pub(super) fn blanked(self) -> Buffer {
        self.blank.store(self.len > 0, Ordering::Relaxed);
        self
    }

    /// Whether zeros are still to be written, which the caller now sees to.
    pub(super) fn take_blank(&self) -> bool {
        self.blank.load(Ordering::Relaxed) && self.blank.swap(false, Ordering::Relaxed)
    }

    /// All of the memory that it lies in.
    pub(super) fn whole(&self) -> Buffer {
        Buffer {
            memory: self.memory.clone(),
            first: 0,
            len: self.raw().map_or(0, |raw| raw.size() as usize / 4),
            blank: AtomicBool::new(false),
        }
    }

    /// So many numbers of its memory from its first on: itself and what lies behind it.
    pub(super) fn part_of_memory(&self, len: usize) -> Buffer {
        Buffer {
            memory: self.memory.clone(),
            first: self.first,
            len,
            blank: AtomicBool::new(false),
        }
    }

    /// Bytes of the memory before the first number.
    pub(super) fn start(&self) -> u64 {
        4 * self.first as u64
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({})", self.len)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.pool.put_back(self.raw.clone(), self.id);
    }
}

/// Where parts of these lengths begin in one memory, and the length of all.
pub(super) fn layout(lens: &[usize]) -> (Vec<usize>, usize) {
    let mut end = 0;
    let starts = lens.iter().map(|len| {
        let start = end;
        end += len.next_multiple_of(PART);
        start
    });
    (starts.collect(), end)
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
    /// By size.
    free: HashMap<u64, Vec<Free>>,
    /// What kernels were given before, by the numbers of pipeline and memory.
    groups: HashMap<Box<[u64]>, wgpu::BindGroup>,
    submissions: u64,
    bytes: u64,
    /// Memories made.
    made: u64,
}

#[derive(Debug)]
struct Free {
    raw: wgpu::Buffer,
    id: u64,
    /// Submissions when it became free.
    since: u64,
}

/// Most sets of buffers that are kept: one for each kernel of an evaluation and batch shape.
const GROUPS: usize = 8192;

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
        let buffer = |(raw, id)| Buffer {
            memory: Some(Arc::new(Memory {
                raw,
                id,
                pool: self.clone(),
            })),
            first: 0,
            len,
            blank: AtomicBool::new(false),
        };
        if len == 0 {
            return Ok(Buffer {
                memory: None,
                first: 0,
                len,
                blank: AtomicBool::new(false),
            });
        }
        let bytes = set_aside(4 * self.bound(len) as u64);
        let most = super::device::largest(&device.limits);
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
            let raw = device.buffer(bytes, USAGE, Some(bytemuck::cast_slice(&words)))?;
            return Ok(buffer((raw, self.number())));
        }
        if let Some(free) = self.reuse(bytes, purpose) {
            return Ok(buffer((free.raw, free.id)));
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
        Ok(buffer((raw, self.number())))
    }

    /// A number for a new memory.
    fn number(&self) -> u64 {
        let mut state = self.state();
        state.made += 1;
        state.made
    }

    /// Parts of a buffer that is as long as [`layout`] says; where that is guarded, none can be.
    pub fn parts(whole: &Buffer, lens: &[usize]) -> Vec<Buffer> {
        let (starts, _) = layout(lens);
        let part = |(first, &len): (usize, &usize)| Buffer {
            memory: whole.memory.clone().filter(|_| len > 0),
            first,
            len,
            blank: AtomicBool::new(false),
        };
        starts.into_iter().zip(lens).map(part).collect()
    }

    /// The set of buffers with this key, made where it is not known. Where buffers are used once,
    /// so are their sets.
    pub fn group(&self, key: &[u64], make: impl FnOnce() -> wgpu::BindGroup) -> wgpu::BindGroup {
        if self.guarded {
            return make();
        }
        let mut state = self.state();
        if let Some(group) = state.groups.get(key) {
            return group.clone();
        }
        if state.groups.len() >= GROUPS {
            state.groups.clear();
        }
        let group = make();
        state.groups.insert(key.into(), group.clone());
        group
    }

    fn reuse(&self, bytes: u64, purpose: For) -> Option<Free> {
        let mut state = self.state();
        let submissions = state.submissions;
        let free = state.free.get_mut(&bytes)?;
        // always the same one of those that are free, so that one evaluation after another finds
        // the sets of buffers that the first one made
        let fits = |free: &Free| purpose == For::Commands || free.since < submissions;
        let suited = free.iter().enumerate().filter(|(_, free)| fits(free));
        let (at, _) = suited.min_by_key(|(_, free)| free.id)?;
        Some(free.swap_remove(at))
    }

    fn put_back(&self, raw: wgpu::Buffer, id: u64) {
        if !self.guarded {
            let mut state = self.state();
            let since = state.submissions;
            let free = state.free.entry(raw.size()).or_default();
            free.push(Free { raw, id, since });
        }
    }

    fn empty(&self) {
        let mut state = self.state();
        state.groups.clear();
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
    fn parts_begin_where_they_can_be_bound() {
        assert_eq!(layout(&[3, 0, 64, 65]), (vec![0, 64, 64, 128], 256));
        assert_eq!(layout(&[]), (vec![], 0));
    }

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
