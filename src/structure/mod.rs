//! Structures: [`Topology`] (what never changes) and [`Frame`] (what does), read from PDB and mmCIF.

pub mod align;
mod frame;
mod links;
pub mod residues;
mod topology;

pub use frame::{Cell, Frame, centroid};
pub use links::{ChainBreak, Links, link};
pub use topology::{Atom, Chain, Element, Residue, Topology};
