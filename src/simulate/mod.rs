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

use serde_json::{Map, Value};

use crate::Result;
use crate::observe::Probe;
use crate::structure::Frame;

/// Temperature where nothing says another, K.
pub const ROOM_TEMPERATURE: f64 = 300.0;

/// How the time of a stepper goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clock {
    /// It integrates equations of motion, in steps of this many ps: frames one step apart are all
    /// but the same.
    Dynamics(f64),
    /// Every step is a jump over this many ps: frames one step apart are other conformations.
    Jumps(f64),
}

impl Clock {
    /// Physical time that a step spans, ps.
    pub fn time_step(self) -> f64 {
        match self {
            Clock::Dynamics(time) | Clock::Jumps(time) => time,
        }
    }
}

/// What the velocities of a stepper's frames are the velocities of.
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    /// Masses of all atoms, Da, as the kinetic energy counts them (0 for one that rides).
    pub masses: Vec<f64>,
    /// Degrees of freedom of the kinetic energy.
    pub freedom: usize,
}

/// Advances frames by one step.
///
/// A stepper is given all replicas of a run at once, since a network is fastest on a batch; a
/// single run is one replica. What a replica's new frame is depends on its old frame, the seed,
/// `frame.step` and its replica number only: never on how many replicas share the call, on the
/// number of threads, or on steps made before (so a resumed run continues bit by bit).
pub trait Stepper: Send {
    /// Replaces each frame by the one a step later: positions, velocities where the stepper has
    /// them, `step` + 1, `time`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails. Whether a frame is physical is for the
    /// observers to say.
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()>;
    /// How its time goes.
    fn clock(&self) -> Clock;
    /// Physical time that a step spans, ps.
    fn time_step(&self) -> f64 {
        self.clock().time_step()
    }
    /// What its frames' velocities belong to; none where frames have no velocities.
    fn motion(&self) -> Option<Motion>;
    /// What must be equal for a run to be gone on from its checkpoint, by name. It stands in
    /// checkpoints: a name or the writing of a value that changes makes those of before useless.
    /// Seeds and replica numbers, which every run has, are not among it.
    fn identity(&self) -> Map<String, Value>;
    /// One line for the log: what makes the steps.
    fn describe(&self) -> String;
    /// Changes the random numbers of all later steps, so that a rolled-back run takes another path.
    fn reseed(&mut self, attempt: u64);
    /// From now on a step may end before its time with [`crate::Error::Interrupted`] when `stop` has
    /// a reason; its frames are void then. For steppers whose steps take seconds.
    fn heed(&mut self, _stop: &Stop) {}
    /// The network behind the steps, to be asked about its symmetry; none where there is no
    /// network.
    fn probe(&self) -> Option<&dyn Probe> {
        None
    }
}
