//! Commands on their way to the device: recorded call by call, submitted when the host wants a
//! result.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::buffers::{Buffer, Pool};
use super::device::Device;
use super::pipelines::Pipeline;
use super::values::Named;
use crate::Result;

/// Bytes from one call's sizes to the next one's: what every device can bind at.
const SIZES: u64 = 256;

/// Calls between two submissions.
const CALLS: u64 = 2048;

/// Groups in one dimension of a dispatch.
const ROW: usize = 65_535;

/// Commands that are not submitted yet.
pub(super) struct Recorder {
    state: Mutex<State>,
    /// The sizes of all calls, written at submission.
    sizes: wgpu::Buffer,
    /// Stand-ins for buffers that an entry declares and a call lacks: read, written.
    stand_ins: [wgpu::Buffer; 2],
}

#[derive(Default)]
struct State {
    /// What comes before the encoder's commands.
    before: Vec<wgpu::CommandBuffer>,
    /// What the device uses without wgpu's knowledge: to be kept until it is done.
    kept: Vec<Arc<dyn Any + Send + Sync>>,
    encoder: Option<wgpu::CommandEncoder>,
    sizes: Vec<u8>,
}

/// A buffer that a call binds by its name in the shader.
pub(crate) type Bound<'a> = (&'static str, Option<&'a Buffer>);

impl Recorder {
    pub fn new(device: &Device) -> Result<Recorder> {
        let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let stand_in = || device.buffer(SIZES, wgpu::BufferUsages::STORAGE, None);
        Ok(Recorder {
            state: Mutex::default(),
            sizes: device.buffer(SIZES * CALLS, uniform, None)?,
            stand_ins: [stand_in()?, stand_in()?],
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a dispatch of `groups` groups.
    ///
    /// # Panics
    /// Where the call does not name a buffer or a size that the entry uses, or names a size that it
    /// does not have: a bug of the kernel's host side.
    pub fn dispatch(
        &self,
        device: &Device,
        pool: &Pool,
        pipeline: &Pipeline,
        sizes: &[Named],
        bound: &[Bound<'_>],
        groups: usize,
    ) {
        if groups == 0 {
            return;
        }
        let mut state = self.state();
        if state.sizes.len() as u64 >= SIZES * CALLS {
            self.submit_state(device, pool, &mut state);
        }
        let offset = state.sizes.len() as u64;
        let block = pipeline.sizes(sizes);
        state.sizes.extend_from_slice(bytemuck::cast_slice(&block));
        state.sizes.resize((offset + SIZES) as usize, 0);
        let group = self.bind(device, pool, pipeline, bound, (&self.sizes, offset));
        let mut pass =
            encoder(device, &mut state).begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline.raw);
        pass.set_bind_group(0, &group, &[]);
        let [columns, rows] = in_rows(groups);
        pass.dispatch_workgroups(columns, rows, 1);
    }

    /// Records a pass of dispatches that `work` makes.
    pub fn pass(&self, device: &Device, work: impl FnOnce(&mut wgpu::ComputePass<'_>)) {
        let mut state = self.state();
        let encoder = encoder(device, &mut state);
        work(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
    }

    /// The buffers that an entry uses, and its sizes in a buffer from an offset on.
    pub fn bind(
        &self,
        device: &Device,
        pool: &Pool,
        pipeline: &Pipeline,
        bound: &[Bound<'_>],
        (sizes, offset): (&wgpu::Buffer, u64),
    ) -> wgpu::BindGroup {
        let resource = |buffer, offset, bytes| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: Some(bytes),
            })
        };
        let entry = |binding: &super::pipelines::Binding| {
            let block = SIZES.try_into().expect("not zero");
            if binding.uniform {
                return wgpu::BindGroupEntry {
                    binding: binding.index,
                    resource: resource(sizes, offset, block),
                };
            }
            let found = bound.iter().find(|(name, _)| *name == binding.name);
            let (_, buffer) = found.unwrap_or_else(|| panic!("no buffer for {}", binding.name));
            let resource = match buffer.and_then(|buffer| Some((buffer.raw.as_ref()?, buffer.len)))
            {
                Some((raw, len)) => {
                    let bytes = (4 * pool.bound(len) as u64)
                        .next_multiple_of(16)
                        .try_into()
                        .expect("not empty");
                    resource(raw, 0, bytes)
                }
                None => resource(&self.stand_ins[usize::from(!binding.read_only)], 0, block),
            };
            wgpu::BindGroupEntry {
                binding: binding.index,
                resource,
            }
        };
        let entries: Vec<_> = pipeline.bindings.iter().map(entry).collect();
        device.raw.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.layout,
            entries: &entries,
        })
    }

    /// Records that a buffer is filled with zeros.
    pub fn clear(&self, device: &Device, buffer: &Buffer) {
        if let Some(raw) = &buffer.raw {
            encoder(device, &mut self.state()).clear_buffer(raw, 0, Some(4 * buffer.len as u64));
        }
    }

    /// Records that the first bytes of a buffer are copied.
    pub fn copy(&self, device: &Device, from: &wgpu::Buffer, to: &wgpu::Buffer, bytes: u64) {
        encoder(device, &mut self.state()).copy_buffer_to_buffer(from, 0, to, 0, bytes);
    }

    /// Commands of another recording come next; what they use is kept until the device is done with
    /// them.
    pub fn insert(&self, commands: wgpu::CommandBuffer, uses: Arc<dyn Any + Send + Sync>) {
        let mut state = self.state();
        let before = state.encoder.take().map(wgpu::CommandEncoder::finish);
        state.before.extend(before.into_iter().chain([commands]));
        state.kept.push(uses);
    }

    /// Runs `work` while nothing is submitted.
    pub fn alone<T>(&self, work: impl FnOnce() -> T) -> T {
        let _state = self.state();
        work()
    }

    /// Submits what is recorded.
    pub fn submit(&self, device: &Device, pool: &Pool) {
        self.submit_state(device, pool, &mut self.state());
    }

    fn submit_state(&self, device: &Device, pool: &Pool, state: &mut State) {
        if !state.sizes.is_empty() {
            device.queue.write_buffer(&self.sizes, 0, &state.sizes);
            state.sizes.clear();
        }
        let last = state.encoder.take().map(wgpu::CommandEncoder::finish);
        device.queue.submit(state.before.drain(..).chain(last));
        let kept = std::mem::take(&mut state.kept);
        if !kept.is_empty() {
            device.queue.on_submitted_work_done(move || drop(kept));
        }
        pool.submitted();
    }
}

/// Groups of a dispatch in two dimensions, columns and rows.
pub(super) fn in_rows(groups: usize) -> [u32; 2] {
    let rows = groups.div_ceil(ROW).max(1);
    [groups.div_ceil(rows) as u32, rows as u32]
}

fn encoder<'a>(device: &Device, state: &'a mut State) -> &'a mut wgpu::CommandEncoder {
    state.encoder.get_or_insert_with(|| {
        device
            .raw
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    })
}
