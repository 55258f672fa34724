//! Structures: [`Topology`] (what never changes) and [`Frame`] (what does), read from PDB and
//! mmCIF.

pub mod align;
mod assemble;
mod atom_records;
mod build;
mod caps;
mod cif;
mod collector;
mod columns;
mod conformers;
mod contacts;
mod crowded;
mod declared;
#[cfg(feature = "chemfiles")]
mod foreign;
mod formal;
mod frame;
mod identify;
mod look;
mod models;
mod order;
mod pdb;
mod perceive;
mod pqr;
mod protein;
mod read;
mod records;
mod refuse;
mod report;
pub mod residues;
mod rings;
mod sanity;
mod sequence;
mod severed;
mod source;
mod stubs;
mod summary;
mod topology;
mod unresolved;
mod whole;
mod write;
mod write_cif;

pub use atom_records::AtomRecords;
pub use frame::{Cell, Frame, centroid};
pub use look::require_whole;
pub use protein::{ReadOptions, Structure};
pub use read::{read, read_models};
pub use report::{Break, ChainSummary, MissingAtoms, Report};
pub use rings::{Pierced, Rings};
pub use source::Format;
pub use topology::{Atom, Chain, Element, Residue, Topology};
pub use whole::{Lattice, Molecules};
pub(crate) use write::model_text;
pub use write::{Annotations, write_pdb, write_pdb_with};
pub use write_cif::{outgrows_pdb, write_cif};
