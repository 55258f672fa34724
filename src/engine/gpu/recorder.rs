//! Commands on their way to the device: recorded call by call, submitted when the host wants a
//! result.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::buffers::{Buffer, Pool};
use super::counts::add;
use super::device::Device;
use super::pipelines::{Binding, Pipeline};
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
    /// The run of kernels that is being recorded: before the encoder, which it belongs to.
    pass: Option<wgpu::ComputePass<'static>>,
    /// The pipeline that it is set to.
    set: Option<u64>,
    /// The pipeline and memory of the call that is being recorded.
    key: Vec<u64>,
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
        let mut guard = self.state();
        let state = &mut *guard;
        for buffer in bound.iter().filter_map(|(_, buffer)| *buffer) {
            blank(device, state, buffer);
        }
        if state.sizes.len() as u64 >= SIZES * CALLS {
            self.submit_state(device, pool, state);
        }
        let offset = state.sizes.len();
        pipeline.sizes(sizes, &mut state.sizes);
        state.sizes.resize(offset + SIZES as usize, 0);
        self.key(pipeline, bound, &mut state.key);
        let make = || self.bind(device, pool, pipeline, bound, &self.sizes);
        let group = pool.group(&state.key, make);
        let bytes = bound.iter().filter_map(|(_, buffer)| buffer.as_ref());
        let bytes = bytes.map(|buffer| 4 * buffer.len as u64).sum();
        add(&device.counters.bound, bytes);
        add(&device.counters.dispatches, 1);
        let offsets = [offset as u32];
        let offsets = &offsets[..usize::from(pipeline.has_sizes())];
        let set = state.set;
        let pass = pass(device, state);
        if set != Some(pipeline.id) {
            pass.set_pipeline(&pipeline.raw);
        }
        pass.set_bind_group(0, &group, offsets);
        let [columns, rows] = in_rows(groups);
        pass.dispatch_workgroups(columns, rows, 1);
        state.set = Some(pipeline.id);
    }

    /// What tells one set of buffers from another.
    fn key(&self, pipeline: &Pipeline, bound: &[Bound<'_>], key: &mut Vec<u64>) {
        key.clear();
        key.push(pipeline.id);
        for binding in pipeline.bindings.iter().filter(|binding| !binding.uniform) {
            match found(binding, bound).and_then(|buffer| Some((buffer.memory()?, buffer))) {
                Some((memory, buffer)) => {
                    key.extend([memory.id, buffer.start(), buffer.len as u64]);
                }
                None => key.push(0),
            }
        }
    }

    /// Records dispatches that `work` makes, in the pass that goes on.
    pub fn pass(&self, device: &Device, work: impl FnOnce(&mut wgpu::ComputePass<'_>)) {
        let mut state = self.state();
        work(pass(device, &mut state));
        state.set = None;
    }

    /// The buffers that an entry uses, and the one of its sizes, whose place a dispatch names.
    pub fn bind(
        &self,
        device: &Device,
        pool: &Pool,
        pipeline: &Pipeline,
        bound: &[Bound<'_>],
        sizes: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        let resource = |buffer, offset, bytes| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: Some(bytes),
            })
        };
        let entry = |binding: &Binding| {
            let block = SIZES.try_into().expect("not zero");
            if binding.uniform {
                return wgpu::BindGroupEntry {
                    binding: binding.index,
                    resource: resource(sizes, 0, block),
                };
            }
            let buffer = found(binding, bound);
            let resource = match buffer.and_then(|buffer| Some((buffer.raw()?, buffer))) {
                Some((raw, buffer)) => {
                    let bytes = (4 * pool.bound(buffer.len) as u64)
                        .next_multiple_of(16)
                        .try_into()
                        .expect("not empty");
                    resource(raw, buffer.start(), bytes)
                }
                None => resource(&self.stand_ins[usize::from(!binding.read_only)], 0, block),
            };
            wgpu::BindGroupEntry {
                binding: binding.index,
                resource,
            }
        };
        let entries: Vec<_> = pipeline.bindings.iter().map(entry).collect();
        add(&device.counters.bind_groups, 1);
        device.raw.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.layout,
            entries: &entries,
        })
    }

    /// Records the zeros of a buffer, where they are still to be written.
    pub fn settle(&self, device: &Device, buffer: &Buffer) {
        blank(device, &mut self.state(), buffer);
    }

    /// Records that bytes of a buffer are copied to a place in another.
    pub fn copy(
        &self,
        device: &Device,
        (from, bytes): (&wgpu::Buffer, std::ops::Range<u64>),
        (to, place): (&wgpu::Buffer, u64),
    ) {
        add(&device.counters.copies, 1);
        let count = bytes.end - bytes.start;
        let mut state = self.state();
        encoder(device, &mut state).copy_buffer_to_buffer(from, bytes.start, to, place, count);
    }

    /// Commands of another recording come next; what they use is kept until the device is done with
    /// them.
    pub fn insert(&self, commands: wgpu::CommandBuffer, uses: Arc<dyn Any + Send + Sync>) {
        let mut state = self.state();
        let before = finished(&mut state);
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
        add(&device.counters.submissions, 1);
        let last = finished(state);
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

/// The buffer that a call binds here; none: a stand-in.
///
/// # Panics
/// Where the call does not name it: a bug of the kernel's host side.
fn found<'a>(binding: &Binding, bound: &[Bound<'a>]) -> Option<&'a Buffer> {
    let found = bound.iter().find(|(name, _)| *name == binding.name);
    let (_, buffer) = found.unwrap_or_else(|| panic!("no buffer for {}", binding.name));
    *buffer
}

/// Fills a buffer with the zeros that it stands for.
fn blank(device: &Device, state: &mut State, buffer: &Buffer) {
    if let (true, Some(raw)) = (buffer.take_blank(), buffer.raw()) {
        add(&device.counters.copies, 1);
        let bytes = Some(4 * buffer.len as u64);
        encoder(device, state).clear_buffer(raw, buffer.start(), bytes);
    }
}

/// The commands recorded so far.
fn finished(state: &mut State) -> Option<wgpu::CommandBuffer> {
    (state.pass, state.set) = (None, None);
    state.encoder.take().map(wgpu::CommandEncoder::finish)
}

/// For commands that are no kernels.
fn encoder<'a>(device: &Device, state: &'a mut State) -> &'a mut wgpu::CommandEncoder {
    (state.pass, state.set) = (None, None);
    open(device, &mut state.encoder)
}

fn open<'a>(
    device: &Device,
    encoder: &'a mut Option<wgpu::CommandEncoder>,
) -> &'a mut wgpu::CommandEncoder {
    let description = wgpu::CommandEncoderDescriptor::default();
    encoder.get_or_insert_with(|| device.raw.create_command_encoder(&description))
}

/// The run of kernels, which goes on as long as nothing else comes: wgpu sees to it that a kernel
/// finds what those before it wrote.
fn pass<'a>(device: &Device, state: &'a mut State) -> &'a mut wgpu::ComputePass<'static> {
    let encoder = &mut state.encoder;
    state.pass.get_or_insert_with(|| {
        add(&device.counters.passes, 1);
        let description = wgpu::ComputePassDescriptor::default();
        let pass = open(device, encoder).begin_compute_pass(&description);
        pass.forget_lifetime()
    })
}
