//! The force field on a GPU: many systems at once, in f32, every sum in a fixed order.
//!
//! An evaluation is four dispatches whatever the number of systems: bonded terms gathered by atom,
//! and three sweeps over all pairs (Born integrals, pair forces, the forces that Born radii
//! transmit), each ordered pair computed by the atom that feels it, so that nothing is added to by
//! two lanes. A fifth finds boxes around groups of atoms where there is a cutoff; tiles whose boxes
//! are farther apart are passed over. What a system's atoms feel does not depend on which systems
//! are beside it.

mod field;
mod layout;
mod masks;
mod sources;
mod terms;
#[cfg(test)]
mod tests;

pub use field::{Evaluated, GpuForceField};
pub(crate) use sources::SPLIT;
