//! Choosing and opening a device, and what went wrong with it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::counts::{Counters, add};
use crate::{Error, Result};

/// Storage buffers that the largest kernel binds (`message`, backward).
const STORAGE_BUFFERS: u32 = 22;

/// What to try where the GPU cannot serve.
pub(super) const WITHOUT: &str = "--backend cpu, which needs no device";

/// A device as the user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Name, as the driver gives it.
    pub name: String,
    /// `discrete`, `integrated`, `virtual`, `other` or `software`.
    pub kind: &'static str,
    /// Programming interface and driver.
    pub driver: String,
    /// Bytes of the largest array that a kernel can be given: drivers tell this, not what is free.
    pub largest: u64,
}

/// An opened device.
pub(super) struct Device {
    pub raw: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    pub name: String,
    /// Whether it is no hardware.
    pub software: bool,
    pub counters: Counters,
    /// First thing that went wrong and was not the answer to a call.
    failure: Arc<Mutex<Option<String>>>,
}

/// All devices, best first: discrete, integrated, virtual, other, software; in the order of the
/// drivers otherwise.
fn adapters() -> Vec<wgpu::Adapter> {
    let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    let description = wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    };
    let mut adapters =
        pollster::block_on(wgpu::Instance::new(description).enumerate_adapters(backends));
    adapters.sort_by_key(|adapter| kind(&adapter.get_info()).0);
    adapters
}

fn kind(info: &wgpu::AdapterInfo) -> (u8, &'static str) {
    match info.device_type {
        wgpu::DeviceType::DiscreteGpu => (0, "discrete"),
        wgpu::DeviceType::IntegratedGpu => (1, "integrated"),
        wgpu::DeviceType::VirtualGpu => (2, "virtual"),
        wgpu::DeviceType::Other => (3, "other"),
        wgpu::DeviceType::Cpu => (4, "software"),
    }
}

/// Bytes of the largest buffer that a kernel can be given.
pub(super) fn largest(limits: &wgpu::Limits) -> u64 {
    (limits.max_storage_buffer_binding_size).min(limits.max_buffer_size)
}

/// All devices that can be asked for, best first.
pub fn devices() -> Vec<Listed> {
    let listed = |adapter: &wgpu::Adapter| {
        let info = adapter.get_info();
        let driver = format!("{:?}, {} {}", info.backend, info.driver, info.driver_info);
        Listed {
            kind: kind(&info).1,
            driver: driver.trim().to_owned(),
            largest: largest(&adapter.limits()),
            name: info.name,
        }
    };
    adapters().iter().map(listed).collect()
}

/// Which of the devices that are as good as the best one this process opens.
static WHICH: AtomicUsize = AtomicUsize::new(0);

/// Lets this process open the device of this number among those that are as good as the best, from
/// the first again where there are fewer: for processes that share a machine.
pub fn choose(number: usize) {
    WHICH.store(number, Ordering::Relaxed);
}

/// The adapter to open; none where none will do.
fn chosen(adapters: &[wgpu::Adapter], software: bool) -> Option<&wgpu::Adapter> {
    let kind_of = |adapter: &wgpu::Adapter| kind(&adapter.get_info());
    let best = adapters.iter().map(kind_of).next()?;
    let alike: Vec<_> = adapters
        .iter()
        .filter(|adapter| kind_of(adapter) == best)
        .collect();
    let will_do = software || best.1 != "software";
    will_do.then(|| alike[WHICH.load(Ordering::Relaxed) % alike.len()])
}

impl Device {
    /// The best device; `software`: one that is no hardware will do.
    pub fn open(software: bool) -> Result<Device> {
        let adapters = adapters();
        let Some(adapter) = chosen(&adapters, software) else {
            let what = if adapters.is_empty() {
                "no GPU was found"
            } else {
                "no GPU was found but software ones"
            };
            let hint = format!(
                "a driver for Vulkan, Metal or Direct3D 12 \
                 (mdsurrogate run --list-devices), or {WITHOUT}"
            );
            return Err(Error::Device {
                what: what.into(),
                hint,
            });
        };
        let info = adapter.get_info();
        let (software, name) = (kind(&info).1 == "software", info.name);
        let limits = adapter.limits();
        if limits.max_storage_buffers_per_shader_stage < STORAGE_BUFFERS {
            let bound = limits.max_storage_buffers_per_shader_stage;
            let what = format!(
                "{name} binds {bound} buffers to a kernel, and {STORAGE_BUFFERS} are needed"
            );
            return Err(Error::Device {
                what,
                hint: WITHOUT.into(),
            });
        }
        let description = wgpu::DeviceDescriptor {
            label: Some("mdsurrogate"),
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..wgpu::DeviceDescriptor::default()
        };
        let (raw, queue) =
            pollster::block_on(adapter.request_device(&description)).map_err(|error| {
                Error::Device {
                    what: format!("{name} cannot be opened: {error}"),
                    hint: WITHOUT.into(),
                }
            })?;
        let failure: Arc<Mutex<Option<String>>> = Arc::default();
        let note = {
            let failure = failure.clone();
            move |what: String| {
                failure
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(what);
            }
        };
        let lost = note.clone();
        raw.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(error.to_string())));
        raw.set_device_lost_callback(move |reason, words| {
            // dropping the device is a way of losing it too
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost(format!("the device was lost: {words}"));
            }
        });
        Ok(Device {
            raw,
            queue,
            software,
            limits,
            name,
            counters: Counters::default(),
            failure,
        })
    }

    /// Fails where anything has gone wrong.
    pub fn check(&self) -> Result<()> {
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(what) => Err(self.error(what)),
        }
    }

    /// Something went wrong on this device.
    pub fn error(&self, what: &str) -> Error {
        Error::Device {
            what: format!("{}: {what}", self.name),
            hint: WITHOUT.into(),
        }
    }

    /// A buffer of this many bytes, whose contents are zeros or `contents`.
    pub fn buffer(
        &self,
        bytes: u64,
        usage: wgpu::BufferUsages,
        contents: Option<&[u8]>,
    ) -> Result<wgpu::Buffer> {
        add(&self.counters.buffers, 1);
        let scope = self.raw.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let description = wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage,
            mapped_at_creation: contents.is_some(),
        };
        let buffer = self.raw.create_buffer(&description);
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(self.error(&error.to_string()));
        }
        if let Some(contents) = contents {
            let mapped = buffer.slice(..contents.len() as u64).get_mapped_range_mut();
            mapped
                .map_err(|error| self.error(&error.to_string()))?
                .copy_from_slice(contents);
            buffer.unmap();
        }
        Ok(buffer)
    }

    /// Waits for all that was submitted.
    pub fn wait(&self) -> Result<()> {
        let start = std::time::Instant::now();
        let done = self.raw.poll(wgpu::PollType::wait_indefinitely());
        add(&self.counters.waited, start.elapsed().as_nanos() as u64);
        done.map_err(|error| self.error(&error.to_string()))?;
        self.check()
    }
}
