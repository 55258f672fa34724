//! Measures of trajectories, each with its source: compared with reference MD and set beside the
//! floor, or of a run alone, with how far it has converged; and the page of both.
//!
//! The measures are plain functions of a [`crate::structure::Topology`] and of positions (Å): the
//! trainer's validation and the observers of a run use them too.

pub mod analysis;
pub mod beside;
pub mod blocks;
pub mod contacts;
pub mod definition;
pub mod effort;
pub mod floor;
pub mod fluctuation;
pub mod gather;
pub mod histogram;
pub mod hydrogen_bonds;
pub mod matching;
pub mod measures;
pub mod memory;
pub mod paired;
pub mod relaxation;
pub mod report;
pub mod resample;
pub mod rollout;
pub mod row;
pub mod sampling;
pub mod sasa;
pub mod secondary;
pub mod smooth;
pub mod source;
pub mod states;
pub mod statistics;
pub mod tica;
pub mod transport;
pub mod verdict;
pub mod wells;
