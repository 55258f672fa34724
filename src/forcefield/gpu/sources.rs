//! The shaders of the force field, and the constants that they share with the CPU's kernels.

use super::super::pairs::{DIELECTRIC, PROBE, SURFACE};
use super::super::{COULOMB, COULOMB_OBC, OBC_OFFSET};
use crate::engine::gpu::{LANES, Named, Source, Value, Variant};

/// Lanes that share the pairs of an atom: few systems would leave most of a device idle with one.
pub(crate) const SPLIT: usize = 4;
/// Atoms of a group of lanes.
pub(super) const ATOMS: usize = LANES / SPLIT;

const CONSTANTS: &[Named] = &[
    ("SPLIT", Value::count(SPLIT)),
    ("ATOMS", Value::count(ATOMS)),
    ("OFFSET", Value::number(OBC_OFFSET)),
    ("COULOMB", Value::number(COULOMB)),
    ("SOLVATION", Value::number(COULOMB_OBC * DIELECTRIC)),
    ("SURFACE", Value::number(SURFACE)),
    ("PROBE", Value::number(PROBE)),
];

macro_rules! text {
    ($name:literal) => {
        include_str!(concat!("../../../shaders/forcefield/", $name, ".wgsl"))
    };
}

const SYSTEMS: &str = concat!(text!("sizes"), text!("systems"));
const SWEEP: &str = concat!(text!("sizes"), text!("systems"), text!("sweep"));
const BORN: &str = concat!(
    text!("sizes"),
    text!("systems"),
    text!("sweep"),
    include_str!("../../../shaders/shared/ln.wgsl"),
    text!("born")
);

/// A shader and its entry.
pub(super) type Kernel = (Source, &'static str);

/// What is fixed in the text of all shaders of a force field.
pub(super) fn variant(has_cutoff: bool, periods: usize) -> Variant {
    crate::engine::gpu::variant([("CUT", has_cutoff.into()), ("PERIODS", periods.into())])
}

/// Those of an evaluation, in their order.
pub(super) fn evaluation(variant: Variant) -> [Kernel; 5] {
    let kernel = |name, shared, text, entry| {
        let source = Source {
            name,
            shared,
            text,
            generated: "",
            constants: CONSTANTS,
            variant,
        };
        (source, entry)
    };
    [
        kernel("boxes", SYSTEMS, text!("boxes"), "find"),
        kernel("bonded", SYSTEMS, text!("bonded"), "bonded"),
        kernel("born_integrals", BORN, text!("born_integrals"), "sweep"),
        kernel("pairs", SWEEP, text!("pairs"), "sweep"),
        kernel("born_forces", BORN, text!("born_forces"), "sweep"),
    ]
}

/// Adds up the energies of each system.
pub(super) fn totals(variant: Variant) -> Kernel {
    let source = Source {
        name: "totals",
        shared: SYSTEMS,
        text: text!("totals"),
        generated: "",
        constants: CONSTANTS,
        variant,
    };
    (source, "add_up")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naga_accepts_every_shader() {
        for has_cutoff in [false, true] {
            let variant = variant(has_cutoff, 4);
            for (source, _) in evaluation(variant).into_iter().chain([totals(variant)]) {
                source.module();
            }
        }
    }
}
