//! Which engine runs the network: the program's only choice between CPU and GPU.

use crate::Result;
#[cfg(feature = "gpu")]
use crate::engine::Gpu;

/// Where the network runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Backend {
    /// The GPU where there is one that is hardware, else the CPU
    #[default]
    Auto,
    /// The best GPU, a software one if need be (which is slower than the CPU engine)
    Gpu,
    /// The CPU
    Cpu,
}

/// An engine that was chosen.
pub enum Chosen {
    /// The CPU's.
    Cpu,
    /// The GPU's.
    #[cfg(feature = "gpu")]
    Gpu(Gpu),
}

impl Backend {
    /// Opens what was asked for.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where a GPU was asked for and there is none.
    #[cfg(feature = "gpu")]
    pub fn choose(self) -> Result<Chosen> {
        match self {
            Backend::Cpu => Ok(Chosen::Cpu),
            Backend::Gpu => Gpu::best().map(Chosen::Gpu),
            Backend::Auto => Ok(Gpu::hardware().map_or(Chosen::Cpu, Chosen::Gpu)),
        }
    }

    /// The CPU's, which is the only one in this program.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where a GPU was asked for.
    #[cfg(not(feature = "gpu"))]
    pub fn choose(self) -> Result<Chosen> {
        match self {
            Backend::Cpu | Backend::Auto => Ok(Chosen::Cpu),
            Backend::Gpu => Err(crate::Error::Device {
                what: "this program was built without the GPU engine".into(),
                hint: "--backend cpu, or build it with the feature `gpu`".into(),
            }),
        }
    }
}

/// Prints the devices that --backend gpu chooses from, best first.
pub fn list_devices() {
    #[cfg(feature = "gpu")]
    for device in crate::engine::gpu::devices() {
        println!("{} ({}; {})", device.name, device.kind, device.driver);
    }
    println!("CPU ({} threads)", rayon::current_num_threads());
}
