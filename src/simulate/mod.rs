//! Simulations: a [`Stepper`] applied again and again while observers watch.

pub mod checkpoint;
mod constraints;
mod dynamics;
mod force;
mod heat;
mod hydrogens;
mod interrupt;
mod jump;
mod learned;
mod relax;
mod sampler;
mod simulation;

pub use constraints::Constraints;
pub use dynamics::{Dynamics, Integrator, Settings};
pub use force::{Force, Physical};
pub use heat::heat;
pub use hydrogens::Hydrogens;
pub use interrupt::Stop;
pub use jump::Jump;
pub use learned::{Learned, Riding};
pub use relax::{Relaxation, Relaxed};
pub use sampler::{Method, Sampler};
pub use simulation::{OnGuard, Rules, Simulation};

use crate::Result;
use crate::observe::Probe;
use crate::structure::Frame;

/// Temperature where nothing says another, K.
pub const ROOM_TEMPERATURE: f64 = 300.0;

/// Advances frames by one step.
///
/// A stepper is given all replicas of a run at once, since a network is fastest on a batch; a
/// single run is one replica. What a replica's new frame is depends on its old frame, the seed,
/// `frame.step` and its replica number only: never on how many replicas share the call, on the
/// number of threads, or on steps made before (so a resumed run continues bit by bit).
pub trait Stepper {
    /// Replaces each frame by the one a step later: positions, velocities where the stepper has
    /// them, `step` + 1, `time`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails. Whether a frame is physical is for the
    /// observers to say.
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()>;
    /// Physical time that a step spans, ps.
    fn time_step(&self) -> f64;
    /// One line for the log: what makes the steps.
    fn describe(&self) -> String;
    /// Changes the random numbers of all later steps, so that a rolled-back run takes another path.
    fn reseed(&mut self, attempt: u64);
    /// The network behind the steps, to be asked about its symmetry; none where there is no
    /// network.
    fn probe(&self) -> Option<&dyn Probe> {
        None
    }
}
