//! The shaders of dynamics.

use crate::engine::gpu::{Named, Source, Value, Variant};
use crate::forcefield::gpu::SPLIT;
use crate::units::KINETIC;

const CONSTANTS: &[Named] = &[
    ("SPLIT", Value::count(SPLIT)),
    ("KINETIC", Value::number(KINETIC)),
];

/// Steps of dynamics but for the force: its entries are `depart`, `arrive` and `hold`.
pub(super) const STEP: Source = Source {
    name: "step",
    shared: concat!(
        include_str!("../../../shaders/forcefield/systems.wgsl"),
        include_str!("../../../shaders/shared/ln.wgsl"),
        include_str!("../../../shaders/dynamics/noise.wgsl")
    ),
    text: include_str!("../../../shaders/dynamics/step.wgsl"),
    generated: "",
    constants: CONSTANTS,
    variant: NONE,
};

const NONE: Variant = [None; 5];

const fn over_systems(name: &'static str, text: &'static str) -> Source {
    Source {
        name,
        shared: include_str!("../../../shaders/forcefield/systems.wgsl"),
        text,
        generated: "",
        constants: CONSTANTS,
        variant: NONE,
    }
}

/// A step of minimisation: its entry is `descend`.
pub(super) const DESCEND: Source = over_systems(
    "descend",
    include_str!("../../../shaders/dynamics/descend.wgsl"),
);

/// Which systems of a correction have settled: its entry is `settle`.
pub(super) const SETTLE: Source = over_systems(
    "settle",
    include_str!("../../../shaders/dynamics/settle.wgsl"),
);

#[cfg(test)]
mod tests {
    #[test]
    fn naga_accepts_every_shader() {
        for source in [super::STEP, super::DESCEND, super::SETTLE] {
            source.module();
        }
    }
}
