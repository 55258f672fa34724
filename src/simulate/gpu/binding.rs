//! The kernels of a step of dynamics, by its settings.

use super::sources::STEP;
use crate::engine::Gpu;
use crate::engine::gpu::{Bound, Dispatch, Named};
use crate::forcefield::gpu::GpuForceField;
use crate::geometry::velocities::thermal_speed;
use crate::simulate::{Integrator, Settings};
use crate::units::ACCELERATION;
use crate::{Error, Result};

/// The kernels of a step by these settings.
pub(super) fn bind(
    gpu: &Gpu,
    field: &GpuForceField,
    own: &[Bound<'_>],
    settings: Settings,
) -> Result<[Dispatch; 2]> {
    let Settings {
        integrator,
        time_step,
        temperature,
        seed,
        ..
    } = settings;
    let friction = match integrator {
        Integrator::VelocityVerlet => None,
        Integrator::Langevin { friction } => Some(friction),
        Integrator::Csvr { .. } => {
            let what = "CSVR, one factor on all velocities, is made on the CPU alone";
            return Err(Error::usage(what, "--backend cpu, or another thermostat"));
        }
    };
    let keep = friction.map_or(1.0, |friction| (-friction * time_step).exp());
    let renew = (1.0 - keep * keep).sqrt() * thermal_speed(1.0, temperature);
    let words = |word: u64| crate::engine::gpu::Value::Count(word as u32);
    let sizes: [Named; 9] = [
        ("systems", field.len().into()),
        ("is_langevin", usize::from(friction.is_some()).into()),
        ("stop_centre", usize::from(settings.stop_centre).into()),
        ("seed_low", words(seed & 0xffff_ffff)),
        ("seed_high", words(seed >> 32)),
        ("kick", (0.5 * time_step * ACCELERATION).into()),
        ("time", time_step.into()),
        ("keep", keep.into()),
        ("renew", renew.into()),
    ];
    let bound = [&field.bound()[..], own].concat();
    let bind = |entry| gpu.bind((STEP, entry), &sizes, &bound, field.len());
    Ok([bind("depart")?, bind("arrive")?])
}
