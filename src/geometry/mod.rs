//! The geometry of frames: what steppers, observers and comparisons share.

pub mod fault;
pub(crate) mod neighbours;
pub mod noise;
pub mod superpose;
pub mod torsion;
pub mod validity;
pub mod velocities;
