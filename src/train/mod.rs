//! Training: from trajectories to a model.
//!
//! [`config`] says what the user wants, [`dataset`] holds trajectories and their [`pairs`], an
//! [`objective`] makes samples of them, and of [`strays`], with draws from [`random`], and the
//! [`trainer`] turns samples into updates of the parameters ([`optimizer`], [`schedule`]), from
//! random weights or from an [`initial`] model, with a [`checkpoint`] to continue from and a
//! [`report`] of how it goes.

mod batches;
pub mod checkpoint;
pub mod config;
mod course;
pub mod dataset;
pub mod initial;
mod load;
pub mod objective;
pub mod optimizer;
pub mod pairs;
pub mod random;
pub mod report;
mod run;
pub mod schedule;
pub mod strays;
pub mod trainer;

pub use run::Files;
