//! Structures: [`Topology`] (what never changes) and [`Frame`] (what does), read from PDB and
//! mmCIF.

pub mod align;
mod assemble;
mod cif;
mod frame;
mod links;
mod models;
mod pdb;
mod read;
mod report;
pub mod residues;
mod source;
mod topology;
mod whole;
mod write;

pub use frame::{Cell, Frame, centroid};
pub use links::{ChainBreak, Links, link};
pub use read::{ReadOptions, Structure, read, read_models};
pub use report::{Break, ChainSummary, MissingAtoms, Report};
pub use source::Format;
pub use topology::{Atom, Chain, Element, Residue, Topology};
pub use whole::{Lattice, Molecules};
pub use write::write_pdb;
