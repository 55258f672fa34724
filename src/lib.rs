//! `mdsurrogate`: a molecular dynamics surrogate integrator.
//!
//! A network with SE(3)-equivariant long convolutions (G-Hyena) predicts where the atoms of a
//! protein are one lag time later; [`simulate::Simulation`] applies it step after step while
//! [`observe`]rs write and watch. Nine concepts carry the program: [`structure::Topology`],
//! [`structure::Frame`], [`ops::Op`], [`engine::Engine`], [`network::Network`],
//! [`simulate::Stepper`], [`observe::Observer`], [`simulate::Simulation`] and [`Error`].
//!
//! Units inside the library: Å, ps, Da, K, rad, kJ/mol (see [`units`]).
#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod cli;
pub mod compare;
pub mod engine;
pub mod error;
pub mod fft;
pub mod files;
pub mod forcefield;
pub mod geometry;
pub mod network;
pub mod numeric;
pub mod observe;
pub mod ops;
pub mod session;
pub mod simulate;
pub mod structure;
pub mod task;
pub mod train;
pub mod trajectory;
pub mod units;

pub use error::{Error, Result};
