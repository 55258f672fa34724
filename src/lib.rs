//! `mdsurrogate`: a molecular dynamics surrogate integrator.
//!
//! A network with SE(3)-equivariant long convolutions (G-Hyena) predicts where the atoms of a
//! protein are one lag time later; [`simulate::Simulation`] applies it step after step while
//! [`observe`]rs write and watch. Twelve concepts carry the program: [`structure::Topology`],
//! [`structure::Frame`], [`ops::Op`], [`engine::Engine`], [`network::Network`],
//! [`network::Architecture`], [`task::Task`], [`simulate::Stepper`], [`observe::Observer`],
//! [`simulate::Simulation`], [`session::Session`] and [`Error`].
//!
//! A peptide, moved by the built-in model through three jumps of 20 ps:
//!
//! ```
//! use mdsurrogate::geometry::superpose::{pick, rmsd};
//! use mdsurrogate::session::{Options, Session};
//!
//! let mut session = Session::open("data/structures/akle.pdb".as_ref(), &Options::default())?;
//! let heavy = session.structure().topology.heavy_atoms();
//! let start = pick(&session.structure().frame.positions, &heavy);
//! for frame in session.frames().take(3) {
//!     let frame = frame?; // an error where it is no molecule any more
//!     let moved = rmsd(&pick(&frame.positions, &heavy), &start);
//!     println!("{} ps: {moved:.2} Å from the start", frame.time);
//!     assert!(moved > 0.1 && moved < 10.0);
//! }
//! # Ok::<(), mdsurrogate::Error>(())
//! ```
//!
//! Where to go from there: [`session`] for runs with files, checkpoints and a log,
//! [`simulate::Stepper`] and [`observe::Observer`] for what moves and watches frames of one's own,
//! [`structure::read()`] and [`trajectory::Reader`] for files, [`train`] for models, [`compare`]
//! for what they are worth.
//!
//! Units inside the library: Å, ps, Da, K, rad, kJ/mol (see [`units`]).

pub mod cli;
pub mod compare;
pub mod engine;
pub mod error;
pub mod fft;
pub mod files;
pub mod forcefield;
pub mod foreign;
pub mod geometry;
pub mod network;
pub mod numeric;
pub mod observe;
pub mod ops;
pub mod ranks;
pub mod session;
pub mod simulate;
pub mod structure;
pub mod task;
pub mod train;
pub mod trajectory;
pub mod units;
pub mod version;

pub use error::{Error, Result};
pub use version::version;
