//! Opening the engine, as it is used and as tests and benches want it.

use std::sync::{Arc, Mutex};

use super::buffers::Pool;
use super::device::Device;
use super::fourier::{Fourier, Transforms};
use super::pipelines::Pipelines;
use super::recorder::Recorder;
use super::{Gpu, Inner};
use crate::Result;
#[cfg(doc)]
use crate::{Error, engine::Engine};

/// How an engine is opened.
struct Options {
    /// Whether a device that is no hardware will do.
    software: bool,
    /// Whether buffers are guarded.
    guarded: bool,
    transforms: Transforms,
    /// Tokens of a group of a chain, where that is not left to the engine.
    tile: Option<usize>,
    /// Whether calls of a network are joined; none: where the device is hardware.
    joins: Option<bool>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            software: true,
            guarded: false,
            transforms: Transforms::Fastest,
            tile: None,
            joins: None,
        }
    }
}

impl Gpu {
    /// The best device that is hardware.
    ///
    /// # Errors
    /// [`Error::Device`] where there is none, or it cannot be opened.
    pub fn hardware() -> Result<Gpu> {
        Gpu::open(&Options {
            software: false,
            ..Options::default()
        })
    }

    /// The best device, a software one where there is no other.
    ///
    /// # Errors
    /// [`Error::Device`] where there is none, or it cannot be opened.
    pub fn best() -> Result<Gpu> {
        Gpu::open(&Options::default())
    }

    /// As [`Gpu::best`], with long convolutions computed in one way, whatever their length; to
    /// compare.
    ///
    /// # Errors
    /// [`Error::Device`] where there is no device, it cannot be opened, or it cannot do that.
    pub fn with(transforms: Transforms) -> Result<Gpu> {
        Gpu::open(&Options {
            transforms,
            ..Options::default()
        })
    }

    /// As [`Gpu::best`], for tests: buffers hold NaN until they are written and have guard words
    /// behind them, which [`Engine::download`] checks; none is used twice.
    ///
    /// # Errors
    /// [`Error::Device`] where there is none, or it cannot be opened.
    pub fn guarded(transforms: Transforms) -> Result<Gpu> {
        Gpu::open(&Options {
            guarded: true,
            transforms,
            ..Options::default()
        })
    }

    /// As [`Gpu::guarded`], with chains that give a group of lanes so many tokens (4, 8 or 16),
    /// where that fits.
    ///
    /// # Errors
    /// [`Error::Device`] where there is none, or it cannot be opened.
    pub fn guarded_tiles(tokens: usize) -> Result<Gpu> {
        Gpu::open(&Options {
            guarded: true,
            tile: Some(tokens),
            ..Options::default()
        })
    }

    /// As [`Gpu::best`], with token-wise calls of a network joined or with kernels of its own for
    /// every call, whatever the device; to compare. Left to the engine, they are joined where the
    /// device is hardware: a software one gains little by it, and compiles the long kernels of one
    /// network for a minute and more.
    ///
    /// # Errors
    /// [`Error::Device`] where there is none, or it cannot be opened.
    pub fn joined(joins: bool) -> Result<Gpu> {
        Gpu::open(&Options {
            joins: Some(joins),
            ..Options::default()
        })
    }

    fn open(options: &Options) -> Result<Gpu> {
        let device = Device::open(options.software)?;
        let inner = Inner {
            recorder: Recorder::new(&device)?,
            fourier: Fourier::new(&device, options.transforms)?,
            pipelines: Pipelines::default(),
            last: Mutex::default(),
            roots: Mutex::default(),
            tile: options.tile,
            joins: options.joins.unwrap_or(!device.software),
            readers: Mutex::default(),
            pool: Arc::new(Pool::new(options.guarded)),
            device,
        };
        Ok(Gpu {
            inner: Arc::new(inner),
        })
    }
}
