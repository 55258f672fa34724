//! `--backend`.

use crate::session;

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

impl From<Backend> for session::Backend {
    fn from(typed: Backend) -> Self {
        match typed {
            Backend::Auto => session::Backend::Auto,
            Backend::Gpu => session::Backend::Gpu,
            Backend::Cpu => session::Backend::Cpu,
        }
    }
}
