//! The GPU engine: every op in WGSL through wgpu (Vulkan, Metal, Direct3D 12), numbers in f32.
//!
//! Calls are recorded and submitted together when the host asks for a buffer: one submission an
//! evaluation of the network. A batch goes to the device once and serves all calls until another
//! one comes; of the same batch only the scales do. Every sum has a fixed order, so that a result's
//! bits depend on the device and the input alone.

mod buffers;
mod counts;
mod device;
mod engine;
mod fourier;
mod graph;
mod kernels;
mod learner;
mod open;
mod pipelines;
mod read;
mod recorder;
mod sequence;
mod shaders;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub use buffers::Buffer;
pub use counts::Counts;
pub use device::{Listed, choose, devices};
pub use fourier::{LONGEST_DIRECT, Transforms};
pub(crate) use recorder::Bound;
pub(crate) use sequence::Dispatch;
pub(crate) use shaders::{LANES, Source, Variant, variant};
pub(crate) use values::{Named, Value};

use crate::ops::Batch;
use crate::ops::chain::Chain;
use crate::{Error, Result};
use buffers::{For, Pool};
use device::Device;
use fourier::Fourier;
use graph::{Class, MOST_TOKENS, Words};
use pipelines::Pipelines;
use recorder::Recorder;

/// Buffers that a kernel of a joined call may bind on any device of today's.
const BINDINGS: usize = 31;

/// Whether the engine runs these calls as one, on any device: on one that allows more, it may join
/// more.
pub fn joins(chain: &Chain) -> bool {
    kernels::fits(chain, BINDINGS)
}

/// Tokens in one call of the network: enough to keep a large device busy.
const GROUP: usize = 65_536;

/// Tokens of a training that are worked on at once: some 250 MB of activations and gradients of the
/// working network.
const MICRO_BATCH: usize = 16_384;

/// The GPU engine on one device. Clones share it.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
}

struct Inner {
    // before the device, which must outlive what is on it
    recorder: Recorder,
    fourier: Fourier,
    pipelines: Pipelines,
    /// The last batch that was prepared, and its words.
    last: Mutex<Option<(Batch, Arc<Laid>)>>,
    /// Roots of unity by transform length.
    roots: Mutex<HashMap<usize, Arc<Buffer>>>,
    /// Tokens that a group of a chain has, where that is not left to the engine.
    tile: Option<usize>,
    /// Whether calls of a network are joined.
    joins: bool,
    /// What results are read from, free.
    readers: Mutex<Vec<wgpu::Buffer>>,
    pool: Arc<Pool>,
    device: Device,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // what VkFFT uses must outlive the device's work; nobody is left to be told of an error
        self.device.wait().ok();
    }
}

/// The words of a batch on the device.
struct Laid {
    words: Buffer,
    classes: Vec<Class>,
    /// Whether there are double sums.
    direct: bool,
}

/// A batch on the device.
pub struct Prepared {
    laid: Arc<Laid>,
    scales: Buffer,
    tokens: usize,
    systems: usize,
    /// Tokens of the longest system.
    longest: usize,
}

impl Gpu {
    /// Name of the device.
    pub fn device(&self) -> &str {
        &self.inner.device.name
    }

    /// Bytes of device memory that the engine holds, in use or kept for later.
    pub fn bytes(&self) -> u64 {
        self.inner.pool.bytes()
    }

    /// What has been asked of the device so far.
    pub fn counts(&self) -> Counts {
        self.inner.device.counters.now()
    }

    /// A buffer that commands fill.
    fn buffer(&self, len: usize) -> Result<Buffer> {
        self.inner.pool.take(&self.inner.device, len, For::Commands)
    }

    /// Records that a buffer is copied into a longer one, from number `first` on.
    fn copy(&self, from: &Buffer, to: &Buffer, first: usize) {
        let Inner {
            recorder, device, ..
        } = &*self.inner;
        recorder.settle(device, from);
        if let (Some(raw), Some(into)) = (from.raw(), to.raw()) {
            let bytes = from.start()..from.start() + 4 * from.len as u64;
            let place = to.start() + 4 * first as u64;
            recorder.copy(device, (raw, bytes), (into, place));
        }
    }

    /// A buffer with these words.
    fn words(&self, words: &[u32]) -> Result<Buffer> {
        let buffer = self
            .inner
            .pool
            .take(&self.inner.device, words.len(), For::Host)?;
        if let Some(raw) = buffer.raw() {
            self.inner
                .device
                .queue
                .write_buffer(raw, 0, bytemuck::cast_slice(words));
        }
        Ok(buffer)
    }

    /// (cos, −sin) of 2π·k/n for all k, n a power of two.
    fn roots(&self, n: usize) -> Result<Arc<Buffer>> {
        let mut all = self
            .inner
            .roots
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(roots) = all.get(&n) {
            return Ok(roots.clone());
        }
        let roots = Arc::new(self.words(&fourier::roots(n))?);
        all.insert(n, roots.clone());
        Ok(roots)
    }

    /// The words of a batch, those of the last one where nothing but scales has changed.
    fn lay(&self, batch: &Batch) -> Result<Arc<Laid>> {
        if batch.tokens() >= MOST_TOKENS {
            let what = format!(
                "{} tokens were asked for at once, and the GPU engine numbers {}",
                batch.tokens(),
                MOST_TOKENS - 1
            );
            return Err(Error::Device {
                what,
                hint: "fewer replicas at once".into(),
            });
        }
        let mut last = self
            .inner
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let same = |other: &Batch| {
            (&other.offsets, &other.kinds, &other.edges, &other.centres)
                == (&batch.offsets, &batch.kinds, &batch.edges, &batch.centres)
        };
        if let Some((_, laid)) = last.as_ref().filter(|(other, _)| same(other)) {
            return Ok(laid.clone());
        }
        let Words {
            words,
            classes,
            direct,
        } = Words::new(batch, self.inner.fourier.routes);
        let laid = Arc::new(Laid {
            words: self.words(&words)?,
            classes,
            direct,
        });
        *last = Some((batch.clone(), laid.clone()));
        Ok(laid)
    }

    /// Records a kernel of `source`; sizes and buffers by their names in the shader.
    fn dispatch(
        &self,
        source: Source,
        entry: &'static str,
        batch: &Prepared,
        sizes: &[Named],
        bound: &[Bound<'_>],
        groups: usize,
    ) {
        let Inner {
            recorder,
            pipelines,
            pool,
            device,
            ..
        } = &*self.inner;
        let pipeline = pipelines.get(device, source, entry);
        let common: [Bound<'_>; 2] = [
            ("graph", Some(&batch.laid.words)),
            ("scales", Some(&batch.scales)),
        ];
        recorder.dispatch(
            device,
            pool,
            &pipeline,
            sizes,
            &[&common, bound].concat(),
            groups,
        );
    }
}
