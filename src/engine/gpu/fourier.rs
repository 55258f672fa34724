//! Who transforms the long convolutions: which kernels serve which length, VkFFT's plans, and the
//! memory that those work in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Gpu;
use super::buffers::Buffer;
use super::device::{Device, WITHOUT};
use crate::fft::smooth_length;
use crate::fft::vkfft::{Context, Plan, Shape};
use crate::{Error, Result};

/// What computes long convolutions on the GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transforms {
    /// Whatever was faster: double sums, transforms in WGSL, VkFFT where there is one.
    #[default]
    Fastest,
    /// Transforms in WGSL, for every length.
    Wgsl,
    /// VkFFT, for every length.
    VkFft,
    /// Double sums, for every length.
    Direct,
}

/// Longest system, in tokens, whose convolutions are double sums.
pub const LONGEST_DIRECT: usize = 1000;

/// Shortest system, in tokens, that VkFFT transforms: on a card (H200) the sum was faster up to 602
/// tokens, as fast at 1,024, slower at 1,231, and the transforms in WGSL nowhere.
const SHORTEST_VKFFT: usize = LONGEST_DIRECT + 1;

/// Plans that are kept: each has tables on the device, and a batch of many lengths needs many.
const PLANS: usize = 64;

/// Which systems go which way, by their tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Routes {
    /// Longest one whose convolutions are double sums.
    pub direct: usize,
    /// Shortest one that VkFFT transforms.
    pub vkfft: usize,
}

/// (cos, −sin) of 2π·k/n for all k, as bits of f32.
pub(super) fn roots(n: usize) -> Vec<u32> {
    let root = |k: usize| (std::f64::consts::TAU * k as f64 / n as f64).sin_cos();
    let bits = |(sin, cos): (f64, f64)| [(cos as f32).to_bits(), (-sin as f32).to_bits()];
    (0..n).map(root).flat_map(bits).collect()
}

impl Routes {
    /// Transform length of a chain of N tokens, at least 2N − 1: 2,3,5,7-smooth for VkFFT, a power
    /// of two in WGSL.
    pub fn chain(tokens: usize, vkfft: bool) -> usize {
        let least = (2 * tokens - 1).max(2);
        if vkfft {
            smooth_length(least)
        } else {
            least.next_power_of_two()
        }
    }

    /// Whether a ring of N tokens can be transformed at its own length.
    pub fn is_ring(tokens: usize, vkfft: bool) -> bool {
        tokens > 1
            && if vkfft {
                smooth_length(tokens) == tokens
            } else {
                tokens.is_power_of_two()
            }
    }
}

/// The buffers that all of VkFFT's plans work in, one after another: a plan is bound to its buffers
/// for good.
#[derive(Debug)]
pub(super) struct Space {
    pub work: Buffer,
    temp: Buffer,
}

/// A plan and the memory that it is bound to.
#[derive(Debug)]
struct Planned {
    // before the memory
    plan: Plan,
    _space: Arc<Space>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    plans: HashMap<Shape, Arc<Planned>>,
    space: Option<Arc<Space>>,
}

/// VkFFT on the engine's device, where there is one.
#[derive(Debug)]
pub(super) struct Fourier {
    pub routes: Routes,
    state: Mutex<State>,
    context: Option<Arc<Context>>,
}

impl Fourier {
    /// # Errors
    /// [`Error::Device`] where VkFFT was asked for and cannot be had.
    pub fn new(device: &Device, transforms: Transforms) -> Result<Fourier> {
        let context = if matches!(transforms, Transforms::Wgsl | Transforms::Direct) {
            None
        } else {
            Context::open(&device.raw)
        };
        let routes = match (transforms, &context) {
            (Transforms::Fastest, None) => Routes {
                direct: LONGEST_DIRECT,
                vkfft: usize::MAX,
            },
            (Transforms::Fastest, Some(_)) => Routes {
                direct: LONGEST_DIRECT,
                vkfft: SHORTEST_VKFFT,
            },
            (Transforms::Direct, _) => Routes {
                direct: usize::MAX,
                vkfft: usize::MAX,
            },
            (Transforms::Wgsl, _) => Routes {
                direct: 0,
                vkfft: usize::MAX,
            },
            (Transforms::VkFft, Some(_)) => Routes {
                direct: 0,
                vkfft: 0,
            },
            (Transforms::VkFft, None) => {
                let what = format!(
                    "{}: VkFFT needs a Vulkan device on Linux and a program that is built with \
                     the feature `vkfft`",
                    device.name
                );
                return Err(Error::Device {
                    what,
                    hint: format!("the engine's own transforms, or {WITHOUT}"),
                });
            }
        };
        Ok(Fourier {
            routes,
            state: Mutex::default(),
            context,
        })
    }

    /// The plans and their memory. To be held until all is recorded that uses the memory: it is the
    /// same for everyone.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Memory of at least `len` numbers.
    ///
    /// # Errors
    /// [`Error::Device`] where it does not fit.
    pub fn space(&mut self, gpu: &Gpu, len: usize) -> Result<Arc<Space>> {
        if let Some(space) = self.space.as_ref().filter(|space| space.work.len >= len) {
            return Ok(space.clone());
        }
        // what is recorded keeps its own; the rest goes before the new one comes
        (self.plans, self.space) = Default::default();
        let space = Arc::new(Space {
            work: gpu.buffer(len)?,
            temp: gpu.buffer(len)?,
        });
        self.space = Some(space.clone());
        Ok(space)
    }

    /// Records a transform of the memory.
    ///
    /// # Errors
    /// [`Error::Device`] with VkFFT's error.
    ///
    /// # Panics
    /// Before there is memory.
    pub fn transform(&mut self, gpu: &Gpu, shape: Shape) -> Result<()> {
        let planned = self.planned(gpu, shape)?;
        let commands = planned
            .plan
            .record()
            .map_err(|what| gpu.inner.device.error(&what))?;
        gpu.inner.recorder.insert(commands, planned);
        Ok(())
    }

    fn planned(&mut self, gpu: &Gpu, shape: Shape) -> Result<Arc<Planned>> {
        let super::Inner {
            recorder,
            device,
            fourier,
            ..
        } = &*gpu.inner;
        if let Some(planned) = self.plans.get(&shape) {
            return Ok(planned.clone());
        }
        if self.plans.len() >= PLANS {
            self.plans.clear();
        }
        let space = self.space.clone().expect("memory comes first");
        let [work, temp] =
            [&space.work, &space.temp].map(|buffer| buffer.raw().expect("not empty"));
        let context = fourier
            .context
            .as_ref()
            .expect("lengths are VkFFT's where there is one");
        let plan = recorder
            .alone(|| Plan::new(context, shape, work, temp))
            .map_err(|what| device.error(&what))?;
        let planned = Arc::new(Planned {
            plan,
            _space: space,
        });
        self.plans.insert(shape, planned.clone());
        Ok(planned)
    }
}
