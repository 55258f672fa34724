//! Frames in memory.

use super::Session;
use crate::Result;
use crate::observe::{GeometryGuard, Journal, Observer, Record};
use crate::structure::Frame;

/// The frames of a session, step after step; see [`Session::frames`].
pub struct Frames<'a> {
    session: &'a mut Session,
    guard: GeometryGuard,
    /// The last frame; none behind an error.
    frame: Option<Frame>,
}

impl<'a> Frames<'a> {
    pub(super) fn new(session: &'a mut Session) -> Self {
        let (structure, geometry) = (&session.structure, &session.geometry);
        let (topology, frame) = (&structure.topology, &structure.frame);
        let guard = GeometryGuard::new(topology, geometry, &frame.positions, Journal::silent());
        let frame = Some(frame.clone());
        Frames {
            session,
            guard,
            frame,
        }
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut frames = [self.frame.take()?];
        let seen = self
            .session
            .step(&mut frames)
            .and_then(|()| self.guard.observe(&frames[0], &mut Record::default()));
        let [frame] = frames;
        Some(seen.map(|()| self.frame.insert(frame).clone()))
    }
}
