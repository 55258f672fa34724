//! Which engine runs the network: the program's only choice between CPU and GPU.

use crate::Result;
#[cfg(feature = "gpu")]
use crate::engine::Gpu;
use crate::engine::{Cpu, Engine};

/// Where a network runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// The GPU where there is one that is hardware, else the CPU.
    #[default]
    Auto,
    /// The best GPU, a software one if need be (which is slower than the CPU engine).
    Gpu,
    /// The CPU. No GPU is looked for.
    Cpu,
}

/// A device for more than networks.
#[cfg(feature = "gpu")]
pub(super) type Device = Gpu;
/// There is none in a program without the GPU engine.
#[cfg(not(feature = "gpu"))]
pub(super) enum Device {}

/// The device that an engine runs on; none: the CPU.
pub(super) fn device_of<E: Engine + 'static>(engine: &E) -> Option<Device> {
    #[cfg(feature = "gpu")]
    return (engine as &dyn std::any::Any).downcast_ref().cloned();
    #[cfg(not(feature = "gpu"))]
    {
        let _ = engine;
        None
    }
}

/// What is to be done on the engine that was chosen, whichever it is.
pub trait OnEngine {
    /// What comes of it.
    type Output;

    /// Does it. `device` names a GPU; the CPU, whose bits are the same everywhere, has no name.
    ///
    /// # Errors
    /// Those of the work.
    fn on<E: Engine + 'static>(self, engine: E, device: Option<String>) -> Result<Self::Output>;
}

impl Backend {
    /// Opens the engine that was asked for and does `work` on it.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where a GPU was asked for and there is none, and those of the work.
    pub fn run<W: OnEngine>(self, work: W) -> Result<W::Output> {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = self.gpu()? {
            let device = gpu.device().to_owned();
            return work.on(gpu, Some(device));
        }
        #[cfg(not(feature = "gpu"))]
        self.without_gpu()?;
        work.on(Cpu::<f32>::new(), None)
    }

    /// The device that was asked for; none: the CPU.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where a GPU was asked for and there is none.
    pub(super) fn device(self) -> Result<Option<Device>> {
        #[cfg(feature = "gpu")]
        return self.gpu();
        #[cfg(not(feature = "gpu"))]
        self.without_gpu().map(|()| None)
    }

    #[cfg(not(feature = "gpu"))]
    fn without_gpu(self) -> Result<()> {
        if self != Backend::Gpu {
            return Ok(());
        }
        Err(crate::Error::Device {
            what: "this program was built without the GPU engine".into(),
            hint: "--backend cpu, or build it with the feature `gpu`".into(),
        })
    }

    #[cfg(feature = "gpu")]
    fn gpu(self) -> Result<Option<Gpu>> {
        match self {
            Backend::Cpu => Ok(None),
            Backend::Gpu => Gpu::best().map(Some),
            Backend::Auto => Ok(Gpu::hardware().ok()),
        }
    }
}

/// Lets this process use the GPU of this number among those that are as good as the best, from the
/// first again where there are fewer: for processes that share a machine.
pub fn choose_device(number: usize) {
    #[cfg(feature = "gpu")]
    crate::engine::gpu::choose(number);
    #[cfg(not(feature = "gpu"))]
    let _ = number;
}

/// The devices that [`Backend::Gpu`] chooses from, best first: one line each.
pub fn devices() -> Vec<String> {
    #[cfg(feature = "gpu")]
    return crate::engine::gpu::devices()
        .into_iter()
        .map(|device| {
            let mebibytes = device.largest >> 20;
            format!(
                "{} ({}; {}; arrays of up to {mebibytes} MiB)",
                device.name, device.kind, device.driver
            )
        })
        .collect();
    #[cfg(not(feature = "gpu"))]
    Vec::new()
}
