//! Buffers of an evaluation that are not in use.

use crate::Result;
use crate::engine::Engine;

/// Buffers for the next call that needs one as long. They stay as long as all buffers together
/// take no more than is in use at once anyway.
pub(super) struct Pool<B> {
    free: Vec<(usize, B)>,
    /// Numbers in all buffers, in use or not.
    held: usize,
    /// What they may be while any is not in use.
    most: usize,
}

impl<B> Pool<B> {
    /// No buffer yet, where so many numbers are in use.
    pub fn new(used: usize, most: usize) -> Self {
        Pool {
            free: Vec::new(),
            held: used,
            most,
        }
    }

    /// A buffer for a call to overwrite.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn take<E: Engine<Buffer = B>>(&mut self, engine: &E, len: usize) -> Result<B> {
        if let Some(at) = self.free.iter().position(|(size, _)| *size == len) {
            return Ok(self.free.swap_remove(at).1);
        }
        while self.held + len > self.most && !self.free.is_empty() {
            self.held -= self.free.remove(0).0;
        }
        self.held += len;
        engine.scratch(len)
    }

    /// Takes back a buffer of this length.
    pub fn give(&mut self, len: usize, buffer: B) {
        self.free.push((len, buffer));
    }
}
