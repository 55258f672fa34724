//! Structures: [`Topology`] (what never changes) and [`Frame`] (what does), read from PDB and mmCIF.

pub mod align;
mod frame;
mod topology;

pub use frame::{Cell, Frame, centroid};
pub use topology::{Atom, Chain, Element, Residue, Topology};
