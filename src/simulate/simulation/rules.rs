//! How a run goes, and what it does about frames that are no molecules.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::simulate::{Clock, Stop};

/// What a run does when a guard finds a frame that is not physical.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum OnGuard {
    /// Stop there.
    #[default]
    Abort,
    /// Draw that replica's jump again, up to ten times in a row.
    Redraw,
    /// Go back to the last checkpoint with all replicas and take another path.
    Rollback,
    /// Say so and go on.
    Warn,
}

impl OnGuard {
    /// What is done where nothing else is said: a jump is drawn again, since one bad sample among
    /// thousands is no reason to end a run; dynamics, which has no other sample, stops.
    pub fn suited(clock: Clock) -> Self {
        match clock {
            Clock::Jumps(_) => OnGuard::Redraw,
            Clock::Dynamics(_) => OnGuard::Abort,
        }
    }
}

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Step to end at, counted from the input.
    pub steps: u64,
    /// What to do when a guard trips.
    pub on_guard: OnGuard,
    /// Times that a run may go back.
    pub max_rollbacks: u64,
    /// Steps from checkpoint to checkpoint.
    pub checkpoint_every: u64,
    /// Wall time after which a checkpoint is made even so. Not of runs that roll back: where they
    /// go back to may not depend on the clock.
    pub checkpoint_within: Option<Duration>,
    /// Number of the first replica.
    pub first_replica: u64,
    /// Checkpoints are written to `PREFIX.ckpt` of this prefix; none: they are kept in memory only.
    pub prefix: Option<PathBuf>,
    /// What must be the same for a checkpoint to be gone on from; see `Checkpoint::settings`.
    pub settings: Value,
    /// When to stop early.
    pub stop: Stop,
}

impl Rules {
    /// Rules of a run of `steps` steps that is kept in memory: no checkpoints on the disk, and it
    /// stops where a guard says that a frame is no molecule.
    pub fn in_memory(steps: u64) -> Self {
        Rules {
            steps,
            on_guard: OnGuard::Abort,
            max_rollbacks: 0,
            checkpoint_every: steps.max(1),
            checkpoint_within: None,
            first_replica: 0,
            prefix: None,
            settings: Value::Null,
            stop: Stop::never(),
        }
    }
}
