//! VkFFT (D. Tolmachev, IEEE Access 11, 2023) on wgpu's own device, buffers and command buffers:
//! complex transforms along one axis.
//!
//! An array of `batches` × `length` × `columns` complex numbers (f32 pairs, the last index fastest)
//! is transformed in place along `length`, so that no array is ever transposed: VkFFT takes
//! `columns` for a first dimension that it leaves alone. Forward e^(−2πi jk/n), inverse e^(+2πi
//! jk/n), neither normalised, spectra in natural order.
//!
//! This is the crate's only file with unsafe code: VkFFT is C, and wgpu hands out its Vulkan
//! objects on trust alone.

#![allow(unsafe_code, reason = "C, and wgpu's own Vulkan objects")]

mod sys {
    #![allow(
        dead_code,
        missing_docs,
        non_camel_case_types,
        non_snake_case,
        non_upper_case_globals,
        unsafe_op_in_unsafe_fn,
        clippy::all,
        reason = "bindgen writes it, after C"
    )]
    include!(concat!(env!("OUT_DIR"), "/vkfft.rs"));
}

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ash::vk::{self, Handle};
use wgpu::hal::api::Vulkan;

/// What is transformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Transforms side by side.
    pub columns: usize,
    /// Length of each: a product of small primes is fast.
    pub length: usize,
    /// Arrays of `length` × `columns` behind one another.
    pub batches: usize,
    /// The inverse transform.
    pub inverse: bool,
}

impl Shape {
    /// Bytes of the whole array.
    pub fn bytes(&self) -> u64 {
        8 * (self.columns * self.length * self.batches) as u64
    }
}

/// A device that VkFFT can use.
pub struct Context {
    physical: vk::PhysicalDevice,
    queue: vk::Queue,
    /// For what VkFFT submits while it makes a plan.
    pool: vk::CommandPool,
    fence: vk::Fence,
    raw: ash::Device,
    // the Vulkan device lives as long as this, and everything above dies before it
    device: wgpu::Device,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context")
    }
}

/// What must happen once in a process: VkFFT's compiler starts, and its pointers to Vulkan's
/// functions are set.
fn started(entry: &ash::Entry, instance: &ash::Instance) -> bool {
    // the entry keeps the Vulkan library in memory, and with it the functions that VkFFT was given
    static STARTED: OnceLock<Option<ash::Entry>> = OnceLock::new();
    let start = || {
        // SAFETY: the signature is that of Vulkan's lookup in C: both crates have its types from
        // the same registry, and a null pointer for a missing function is an Option's None in both.
        let lookup: sys::PFN_vkGetInstanceProcAddr =
            unsafe { std::mem::transmute(entry.static_fn().get_instance_proc_addr) };
        // SAFETY: the instance lives through the call. Nobody else is in VkFFT: OnceLock lets one
        // thread in, and no context exists yet.
        let missing =
            unsafe { sys::load_vulkan(lookup, instance.handle().as_raw() as sys::VkInstance) };
        // SAFETY: called once in the process, as glslang demands; nothing else in this program uses
        // glslang.
        let compiler = unsafe { sys::glslang_initialize_process() };
        (missing == 0 && compiler != 0).then(|| entry.clone())
    };
    STARTED.get_or_init(start).is_some()
}

impl Context {
    /// VkFFT on this device; none where it is no Vulkan device.
    pub fn open(device: &wgpu::Device) -> Option<Arc<Context>> {
        // SAFETY: nothing that the guard shows is destroyed by hand; the queue is used under the
        // conditions of `Plan::new`.
        let hal = unsafe { device.as_hal::<Vulkan>() }?;
        let shared = hal.shared_instance();
        if !started(shared.entry(), shared.raw_instance()) {
            return None;
        }
        let raw = hal.raw_device().clone();
        let description =
            vk::CommandPoolCreateInfo::default().queue_family_index(hal.queue_family_index());
        // SAFETY: the family is that of the device's queue.
        let pool = unsafe { raw.create_command_pool(&description, None) }.ok()?;
        // SAFETY: the device is open.
        let Ok(fence) = (unsafe { raw.create_fence(&vk::FenceCreateInfo::default(), None) }) else {
            // SAFETY: made above, used by nobody.
            unsafe { raw.destroy_command_pool(pool, None) };
            return None;
        };
        let physical = hal.raw_physical_device();
        let queue = hal.raw_queue();
        drop(hal);
        Some(Arc::new(Context {
            physical,
            queue,
            pool,
            fence,
            raw,
            device: device.clone(),
        }))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: made by `open` on this device, which is still there. Plans hold the context, so
        // none is left that would use them, and VkFFT waits for all that it submits.
        unsafe {
            self.raw.destroy_fence(self.fence, None);
            self.raw.destroy_command_pool(self.pool, None);
        }
    }
}

/// What VkFFT keeps pointers to.
struct Targets {
    physical: sys::VkPhysicalDevice,
    device: sys::VkDevice,
    queue: sys::VkQueue,
    pool: sys::VkCommandPool,
    fence: sys::VkFence,
    work: sys::VkBuffer,
    work_bytes: u64,
    temp: sys::VkBuffer,
    temp_bytes: u64,
}

/// VkFFT's objects of one plan, on the heap where they stay.
struct Application {
    app: *mut sys::VkFFTApplication,
    targets: *mut Targets,
}

// SAFETY: both pointers own what they point to, and nothing in it is bound to a thread.
unsafe impl Send for Application {}

impl Drop for Application {
    fn drop(&mut self) {
        // SAFETY: `Plan::new` has initialised the application; it is deleted once, before what it
        // points to, and the device is still there since the plan holds it. Both boxes come from
        // Box::into_raw.
        unsafe {
            sys::deleteVkFFT(self.app);
            drop(Box::from_raw(self.app));
            drop(Box::from_raw(self.targets));
        }
    }
}

/// The transform of one shape in one buffer.
///
/// It is bound to that buffer for good: VkFFT has one descriptor set a stage, and changing it
/// changes what is recorded already.
pub struct Plan {
    // first, so that it dies before what it uses
    application: Mutex<Application>,
    _buffers: [wgpu::Buffer; 2],
    context: Arc<Context>,
    shape: Shape,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plan({:?})", self.shape)
    }
}

fn buffer_handle(buffer: &wgpu::Buffer) -> Result<sys::VkBuffer, String> {
    // SAFETY: the handle is destroyed by wgpu alone; the plan holds the buffer.
    let hal = unsafe { buffer.as_hal::<Vulkan>() }.ok_or("the buffer is not Vulkan's")?;
    // SAFETY: as above.
    Ok(unsafe { hal.raw_handle() }.as_raw() as sys::VkBuffer)
}

impl Plan {
    /// Compiles the transform of `work`'s first `shape.bytes()` bytes; lengths that do not fit
    /// shared memory pass through as many of `temp`.
    ///
    /// VkFFT submits to the device's queue meanwhile: nobody else may.
    ///
    /// # Errors
    /// VkFFT's error number, or buffers of other devices or too small.
    pub fn new(
        context: &Arc<Context>,
        shape: Shape,
        work: &wgpu::Buffer,
        temp: &wgpu::Buffer,
    ) -> Result<Plan, String> {
        if work.size().min(temp.size()) < shape.bytes() {
            return Err(format!(
                "{shape:?} needs buffers of {} bytes",
                shape.bytes()
            ));
        }
        let targets = Box::into_raw(Box::new(Targets {
            physical: context.physical.as_raw() as sys::VkPhysicalDevice,
            device: context.raw.handle().as_raw() as sys::VkDevice,
            queue: context.queue.as_raw() as sys::VkQueue,
            pool: context.pool.as_raw() as sys::VkCommandPool,
            fence: context.fence.as_raw() as sys::VkFence,
            work: buffer_handle(work)?,
            work_bytes: shape.bytes(),
            temp: buffer_handle(temp)?,
            temp_bytes: shape.bytes(),
        }));
        // SAFETY: C structures of numbers and pointers, for which VkFFT asks to be all zero at
        // first.
        let (app, mut configuration) = unsafe {
            (
                Box::into_raw(Box::new(std::mem::zeroed::<sys::VkFFTApplication>())),
                std::mem::zeroed::<sys::VkFFTConfiguration>(),
            )
        };
        configuration.FFTdim = 2;
        configuration.size[..2].copy_from_slice(&[shape.columns as u64, shape.length as u64]);
        configuration.omitDimension[0] = 1;
        configuration.numberBatches = shape.batches as u64;
        (
            configuration.makeForwardPlanOnly,
            configuration.makeInversePlanOnly,
        ) = (u64::from(!shape.inverse), u64::from(shape.inverse));
        // tabulated roots of unity: 1.6 to 2.8e-7 from f64, computed ones are 2.6 to 5.4e-7 off
        configuration.useLUT = 1;
        configuration.userTempBuffer = 1;
        configuration.isCompilerInitialized = 1;
        // this program never leaves the C locale, and changing it would be felt by other threads
        configuration.disableSetLocale = 1;
        // SAFETY: `targets` was allocated above and is freed after the application.
        unsafe {
            configuration.physicalDevice = &raw mut (*targets).physical;
            configuration.device = &raw mut (*targets).device;
            configuration.queue = &raw mut (*targets).queue;
            configuration.commandPool = &raw mut (*targets).pool;
            configuration.fence = &raw mut (*targets).fence;
            configuration.buffer = &raw mut (*targets).work;
            configuration.bufferSize = &raw mut (*targets).work_bytes;
            configuration.tempBuffer = &raw mut (*targets).temp;
            configuration.tempBufferSize = &raw mut (*targets).temp_bytes;
        }
        // SAFETY: the application is zeroed and every handle is of the open device; the caller
        // keeps others from the queue.
        let result = unsafe { sys::initializeVkFFT(app, configuration) };
        if result != sys::VkFFTResult_VKFFT_SUCCESS {
            // SAFETY: VkFFT has deleted what it had made; both come from Box::into_raw.
            unsafe {
                drop(Box::from_raw(app));
                drop(Box::from_raw(targets));
            }
            return Err(format!("VkFFT's error {result} for {shape:?}"));
        }
        let application = Mutex::new(Application { app, targets });
        Ok(Plan {
            application,
            _buffers: [work.clone(), temp.clone()],
            context: context.clone(),
            shape,
        })
    }

    /// Commands that transform the buffer, with the barriers to what comes before and after. The
    /// plan must live until the device is done.
    ///
    /// # Errors
    /// VkFFT's error number.
    pub fn record(&self) -> Result<wgpu::CommandBuffer, String> {
        let mut encoder =
            self.context
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor {
                    label: Some("VkFFT"),
                });
        let append = |hal: Option<&mut wgpu::hal::vulkan::CommandEncoder>| {
            // SAFETY: the command buffer is recorded to alone, and ended by wgpu.
            let commands = unsafe { hal.ok_or("the encoder is not Vulkan's")?.raw_handle() };
            self.barrier(commands);
            let mut handle = commands.as_raw() as sys::VkCommandBuffer;
            // SAFETY: a C structure of numbers and pointers; null: as when the plan was made.
            let mut launch: sys::VkFFTLaunchParams = unsafe { std::mem::zeroed() };
            launch.commandBuffer = &raw mut handle;
            let application = self
                .application
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // SAFETY: the application is initialised and locked, the command buffer is being
            // recorded, `handle` lives through the call, after which VkFFT does not look at it
            // again.
            let result = unsafe {
                sys::VkFFTAppend(
                    application.app,
                    if self.shape.inverse { 1 } else { -1 },
                    &raw mut launch,
                )
            };
            self.barrier(commands);
            if result == sys::VkFFTResult_VKFFT_SUCCESS {
                Ok(())
            } else {
                Err(format!("VkFFT's error {result} for {:?}", self.shape))
            }
        };
        // SAFETY: nothing else is recorded with this encoder, in wgpu's way or another; the raw
        // handle is neither ended nor destroyed.
        unsafe { encoder.as_hal_mut::<Vulkan, _, Result<(), String>>(append) }?;
        Ok(encoder.finish())
    }

    /// All that compute shaders and copies wrote before is seen by those after.
    fn barrier(&self, commands: vk::CommandBuffer) {
        let stages = vk::PipelineStageFlags::COMPUTE_SHADER | vk::PipelineStageFlags::TRANSFER;
        let written = vk::AccessFlags::SHADER_WRITE | vk::AccessFlags::TRANSFER_WRITE;
        let used = written | vk::AccessFlags::SHADER_READ | vk::AccessFlags::TRANSFER_READ;
        let barrier = vk::MemoryBarrier::default()
            .src_access_mask(written)
            .dst_access_mask(used);
        // SAFETY: the command buffer is being recorded, outside of any render pass.
        unsafe {
            self.context.raw.cmd_pipeline_barrier(
                commands,
                stages,
                stages,
                vk::DependencyFlags::empty(),
                &[barrier],
                &[],
                &[],
            );
        };
    }
}
