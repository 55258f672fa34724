//! Dynamics on a GPU: positions, velocities and forces stay there from step to step; the host
//! reads frames now and then.

mod binding;
mod clusters;
mod corrector;
mod descent;
mod dynamics;
mod sources;
mod stepper;
#[cfg(test)]
mod tests;

pub(super) use corrector::{Corrected, GpuCorrector, How};
pub use descent::{Descended, Descent, Goal};
pub use dynamics::{GpuDynamics, Moved};
pub use stepper::heat;
