//! The GPU engine: every op in WGSL through wgpu (Vulkan, Metal, Direct3D 12), numbers in f32.
//!
//! Calls are recorded and submitted together when the host asks for a buffer: one submission an
//! evaluation of the network. A batch goes to the device once and serves all calls until another
//! one comes; of the same batch only the scales do. Every sum has a fixed order, so that a result's
//! bits depend on the device and the input alone.

mod buffers;
mod device;
mod fetch;
mod fourier;
mod graph;
mod kernels;
mod pipelines;
mod recorder;
mod sequence;
mod shaders;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub use buffers::Buffer;
pub use device::{Listed, devices};
pub use fourier::{LONGEST_DIRECT, Transforms};
pub(crate) use recorder::Bound;
pub(crate) use sequence::Dispatch;
pub(crate) use shaders::{LANES, Source, Variant, variant};
pub(crate) use values::{Named, Value};

use super::{Call, Engine};
use crate::ops::Batch;
use crate::{Error, Result};
use buffers::{For, Pool};
use device::Device;
use fourier::Fourier;
use graph::{Class, MOST_TOKENS, Words};
use pipelines::Pipelines;
use recorder::Recorder;

/// Tokens in one call of the network: enough to keep a large device busy.
const GROUP: usize = 65_536;

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
}

/// A batch on the device.
pub struct Prepared {
    laid: Arc<Laid>,
    scales: Buffer,
    tokens: usize,
    systems: usize,
}

impl Gpu {
    /// The best device that is hardware.
    ///
    /// # Errors
    /// [`Error::Device`] where there is none, or it cannot be opened.
    pub fn hardware() -> Result<Gpu> {
        Gpu::open(false, false, Transforms::Fastest)
    }

    /// The best device, a software one where there is no other.
    ///
    /// # Errors
    /// [`Error::Device`] where there is none, or it cannot be opened.
    pub fn best() -> Result<Gpu> {
        Gpu::open(true, false, Transforms::Fastest)
    }

    /// As [`Gpu::best`], with long convolutions computed in one way, whatever their length; to
    /// compare.
    ///
    /// # Errors
    /// [`Error::Device`] where there is no device, it cannot be opened, or it cannot do that.
    pub fn with(transforms: Transforms) -> Result<Gpu> {
        Gpu::open(true, false, transforms)
    }

    /// As [`Gpu::best`], for tests: buffers hold NaN until they are written and have guard words
    /// behind them, which [`Engine::download`] checks; none is used twice.
    ///
    /// # Errors
    /// [`Error::Device`] where there is none, or it cannot be opened.
    pub fn guarded(transforms: Transforms) -> Result<Gpu> {
        Gpu::open(true, true, transforms)
    }

    fn open(software: bool, guarded: bool, transforms: Transforms) -> Result<Gpu> {
        let device = Device::open(software)?;
        let fourier = Fourier::new(&device, transforms)?;
        let (pool, recorder) = (Arc::new(Pool::new(guarded)), Recorder::new(&device)?);
        let (pipelines, last, roots) = (Pipelines::default(), Mutex::default(), Mutex::default());
        let inner = Inner {
            recorder,
            fourier,
            pipelines,
            last,
            roots,
            pool,
            device,
        };
        Ok(Gpu {
            inner: Arc::new(inner),
        })
    }

    /// Name of the device.
    pub fn device(&self) -> &str {
        &self.inner.device.name
    }

    /// Bytes of device memory that the engine holds, in use or kept for later.
    pub fn bytes(&self) -> u64 {
        self.inner.pool.bytes()
    }

    /// A buffer that commands fill.
    fn buffer(&self, len: usize) -> Result<Buffer> {
        self.inner.pool.take(&self.inner.device, len, For::Commands)
    }

    /// A buffer with these words.
    fn words(&self, words: &[u32]) -> Result<Buffer> {
        let buffer = self
            .inner
            .pool
            .take(&self.inner.device, words.len(), For::Host)?;
        if let Some(raw) = &buffer.raw {
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
        let Words { words, classes } = Words::new(batch, self.inner.fourier.routes);
        let laid = Arc::new(Laid {
            words: self.words(&words)?,
            classes,
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

impl Engine for Gpu {
    type Buffer = Buffer;
    type Batch<'a> = Prepared;

    fn name(&self) -> String {
        format!("gpu-f32 ({})", self.inner.device.name)
    }

    fn group(&self) -> usize {
        GROUP
    }

    fn prepare(&self, batch: &Batch) -> Result<Prepared> {
        let scales: Vec<u32> = batch
            .scale
            .iter()
            .map(|&scale| (scale as f32).to_bits())
            .collect();
        Ok(Prepared {
            laid: self.lay(batch)?,
            scales: self.words(&scales)?,
            tokens: batch.tokens(),
            systems: batch.systems(),
        })
    }

    fn zeros(&self, len: usize) -> Result<Buffer> {
        let buffer = self.buffer(len)?;
        self.inner.recorder.clear(&self.inner.device, &buffer);
        Ok(buffer)
    }

    fn scratch(&self, len: usize) -> Result<Buffer> {
        self.buffer(len)
    }

    fn upload(&self, values: &[f64]) -> Result<Buffer> {
        self.words(
            &values
                .iter()
                .map(|&value| (value as f32).to_bits())
                .collect::<Vec<_>>(),
        )
    }

    fn download(&self, buffer: &Buffer) -> Result<Vec<f64>> {
        let wide = |word: &u32| f32::from_bits(*word).into();
        self.fetch(buffer, |words| words.iter().map(wide).collect())
    }

    fn forward(
        &self,
        call: &Call,
        batch: &Prepared,
        params: &[Buffer],
        slots: &mut [Buffer],
    ) -> Result<()> {
        let launch = kernels::Launch {
            gpu: self,
            batch,
            source: kernels::source(&call.op),
        };
        let (inputs, outputs) = (pick(slots, &call.inputs), pick(slots, &call.outputs));
        kernels::forward(
            &launch,
            &call.op,
            &kernels::Forward {
                inputs: &inputs,
                params: &pick(params, &call.params),
                outputs: &outputs,
            },
        )
    }

    fn backward(
        &self,
        call: &Call,
        batch: &Prepared,
        params: &[Buffer],
        slots: &[Buffer],
        d_slots: &mut [Buffer],
        d_params: &mut [Buffer],
    ) -> Result<()> {
        let launch = kernels::Launch {
            gpu: self,
            batch,
            source: kernels::source(&call.op),
        };
        let buffers = kernels::Backward {
            inputs: &pick(slots, &call.inputs),
            params: &pick(params, &call.params),
            outputs: &pick(slots, &call.outputs),
            d_outputs: &pick(d_slots, &call.outputs),
            d_inputs: &pick(d_slots, &call.inputs),
            d_params: &pick(d_params, &call.params),
        };
        kernels::backward(&launch, &call.op, &buffers)
    }
}

fn pick<'a>(buffers: &'a [Buffer], indices: &[usize]) -> Vec<&'a Buffer> {
    indices.iter().map(|&index| &buffers[index]).collect()
}
