//! What the engine asks of the host and the device: counted always, since it costs nothing beside
//! what it counts.

use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What an engine has asked for since it was opened; the difference of two is what came between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Kernels started.
    pub dispatches: u64,
    /// Runs of kernels without anything between them (compute passes).
    pub passes: u64,
    /// Buffers filled with zeros, and copies.
    pub copies: u64,
    /// Sets of buffers made for kernels (bind groups).
    pub bind_groups: u64,
    /// Buffers made.
    pub buffers: u64,
    /// Bytes of the buffers that kernels were given; a buffer counts for each kernel.
    pub bound: u64,
    /// Hand-overs to the device.
    pub submissions: u64,
    /// Results that the host waited for.
    pub read_backs: u64,
    /// Nanoseconds of that waiting; all other time of a call is the host's own.
    pub waited: u64,
}

impl Counts {
    /// Time that the host waited for the device.
    pub fn waiting(&self) -> Duration {
        Duration::from_nanos(self.waited)
    }
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, before: Counts) -> Counts {
        Counts {
            dispatches: self.dispatches - before.dispatches,
            passes: self.passes - before.passes,
            copies: self.copies - before.copies,
            bind_groups: self.bind_groups - before.bind_groups,
            buffers: self.buffers - before.buffers,
            bound: self.bound - before.bound,
            submissions: self.submissions - before.submissions,
            read_backs: self.read_backs - before.read_backs,
            waited: self.waited - before.waited,
        }
    }
}

/// The same, being counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub dispatches: AtomicU64,
    pub passes: AtomicU64,
    pub copies: AtomicU64,
    pub bind_groups: AtomicU64,
    pub buffers: AtomicU64,
    pub bound: AtomicU64,
    pub submissions: AtomicU64,
    pub read_backs: AtomicU64,
    pub waited: AtomicU64,
}

impl Counters {
    pub fn now(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            dispatches: read(&self.dispatches),
            passes: read(&self.passes),
            copies: read(&self.copies),
            bind_groups: read(&self.bind_groups),
            buffers: read(&self.buffers),
            bound: read(&self.bound),
            submissions: read(&self.submissions),
            read_backs: read(&self.read_backs),
            waited: read(&self.waited),
        }
    }
}

/// One more, or so many.
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
