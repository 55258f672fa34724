//! ff14SB + OBC2: energy and forces of a protein, for monitors and reference MD, and the template
//! geometry of the network.

mod bonded;
mod born;
mod build;
mod charges;
mod choice;
mod curvature;
mod energy;
mod factor;
mod forms;
mod geometry;
#[cfg(feature = "gpu")]
pub mod gpu;
mod internal;
mod lanes;
mod minimize;
mod near;
mod nonbonded;
mod pairs;
mod parameters;
mod place;
mod plan;
mod prepare;
mod rotamers;
mod strain;

#[cfg(test)]
mod structures;
mod system;
#[cfg(test)]
mod testing;
mod tiles;
mod vector;

pub use energy::{Energies, ForceField, Precision, SHORTEST_CUTOFF};
pub use geometry::{template_geometry, template_geometry_at};
pub use minimize::{Minimized, Minimizer};
pub use plan::{Histidine, Plan, PrepareOptions};
pub use prepare::{Prepared, prepare};
pub use strain::{Strain, require_finite, strains};
pub use system::{
    Angle, Bond, COULOMB, COULOMB_OBC, Exception, OBC_OFFSET, SCALE_COULOMB_14, SCALE_LJ_14,
    System, Torsion,
};

/// Rigid geometry of a molecule's heavy atoms, from force-field equilibrium values and residue
/// templates alone.
///
/// Atom indices are those of the topology that it was made for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TemplateGeometry {
    /// Rigid pairs (i < j) with their distance, Å: all 1-2 and 1-3 pairs, and the 1-4 pairs across
    /// a bond that does not turn.
    pub pairs: Vec<(usize, usize, f64)>,
    /// Three-neighbour centres (centre, then its heavy neighbours in ascending order) with template
    /// height, Å, and area, Å²: the definitions of [`crate::ops::heights`].
    pub centres: Vec<([usize; 4], f64, f64)>,
}
