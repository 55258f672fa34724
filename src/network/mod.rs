//! Networks: programs of ops with their weights on an engine, forward and backward, and the files
//! that they are kept in.
//!
//! A network is a list of calls over numbered buffers ([`Program`]) and knows neither what it is
//! made of nor what it is for: an [`Architecture`] writes the program, a task
//! ([`crate::task`]) fills the buffers that it is [`Given`] and says what the answer means.

pub mod arch;
mod file;
mod fuse;
mod inputs;
mod lean;
mod nearest;
#[allow(
    clippy::module_inception,
    reason = "the type that the room is named after"
)]
mod network;
mod pool;
mod program;
mod provenance;
mod rotation;
mod tokens;
mod vocabulary;

pub use arch::{
    Architecture, Attention, Egnn, Equiformer, FastEgnn, GHyena, Hyena, LongRange, Transformer,
};
pub use file::{File, Header, SCHEMA, SHIPPED, VocabularyName};
pub use inputs::{Inputs, PLACE, vectors};
pub use network::{Activations, Gradients, Network};
pub use program::{Answer, Builder, Given, Interface, Program, Slot, TOLD};
pub use provenance::{DataFile, Provenance, Usual, Validated};
pub use tokens::Tokens;
pub use vocabulary::{PROTEIN, Vocabulary};
