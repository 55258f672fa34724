//! Training: from trajectories to a model.
//!
//! [`config`] says what the user wants, [`dataset`] holds trajectories and their [`pairs`], an
//! [`objective`] makes samples of them, and of [`strays`], with draws from [`random`], and the
//! [`trainer`] turns samples into updates of the parameters ([`optimizer`], [`schedule`]), from
//! random weights or from an [`initial`] model, with a [`checkpoint`] to continue from and a
//! [`report`] of how it goes.
//!
//! Two updates of a small EGNN on 20 ns of AKLE:
//!
//! ```
//! use mdsurrogate::engine::Cpu;
//! use mdsurrogate::train::config::Config;
//! use mdsurrogate::train::dataset::Dataset;
//! use mdsurrogate::train::trainer::Trainer;
//!
//! # fn main() -> mdsurrogate::Result<()> {
//! let text = r#"
//!     [[data.systems]]
//!     topology = "data/structures/akle.pdb"
//!     trajectories = ["tests/data/compare/akle_a.xtc"]
//!     [next-frame]
//!     lag = "50ps"
//!     [model]
//!     architecture = "egnn"
//!     scalars = 16
//!     pair = 8
//!     layers = 1
//!     [training]
//!     updates = 2
//! "#;
//! let config = Config::parse(text.to_owned(), "akle.toml".as_ref())?;
//! let dataset = Dataset::load(&config, "".as_ref())?;
//! let mut trainer = Trainer::new(config, dataset, Cpu::<f32>::new())?;
//! let first = trainer.update()?;
//! let second = trainer.update()?;
//! assert!(first.loss.is_finite() && second.loss < 2.0 * first.loss);
//! # Ok(())
//! # }
//! ```

mod batches;
pub mod checkpoint;
pub mod config;
mod course;
pub mod dataset;
pub mod initial;
mod load;
pub mod objective;
mod on_engine;
pub mod optimizer;
pub mod pairs;
pub mod random;
pub mod report;
mod run;
pub mod schedule;
mod shared;
pub mod strays;
pub mod trainer;

pub use run::Files;
