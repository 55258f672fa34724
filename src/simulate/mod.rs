//! Simulations: a [`Stepper`] applied again and again while observers watch.

pub mod checkpoint;
mod constraints;
mod dynamics;
mod equilibrate;
mod force;
#[cfg(feature = "gpu")]
pub mod gpu;
mod heat;
mod hydrogens;
mod interrupt;
mod jump;
mod learned;
mod next_frame;
mod relax;
mod settings;
mod simulation;

pub use constraints::Constraints;
pub use dynamics::Dynamics;
pub use equilibrate::{Equilibrated, Equilibration};
pub use force::{Force, Physical};
pub use heat::heat;
pub use hydrogens::Hydrogens;
pub use interrupt::Stop;
pub use jump::Jump;
pub use learned::{Learned, Riding, carried_masses};
pub use next_frame::NextFrame;
pub use relax::{Effort, Relaxation, Relaxed};
pub use settings::{Integrator, Settings};
pub use simulation::{MOST_DRAWS, OnGuard, Rules, Simulation};

use nalgebra::Vector3;
use serde_json::{Map, Value};

use crate::Result;
use crate::forcefield::ForceField;
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

/// A step and what corrects it.
pub struct Corrected<'a> {
    /// What makes the step.
    pub stepper: &'a mut dyn Stepper,
    /// What forces correct it.
    pub field: &'a ForceField,
    /// How often they are evaluated for a frame, as a rule.
    pub evaluations: u64,
}

/// The attempt whose random numbers draw `draw` of a step takes: those of no run's attempts.
fn redrawn(attempt: u64, draw: u64) -> u64 {
    attempt | (draw << 32)
}

/// Advances frames by one step.
///
/// A stepper is given all replicas of a run at once, since a network is fastest on a batch; a
/// single run is one replica. What a replica's new frame is depends on its old frame, the seed,
/// `frame.step` and its replica number only: never on how many replicas share the call, on the
/// number of threads, or on steps made before (so a resumed run continues bit by bit).
///
/// A walk of a hundred steps of 1 ps, whose mean square displacement is 3 Å² a step on average:
///
/// ```
/// use mdsurrogate::geometry::noise;
/// use mdsurrogate::observe::Journal;
/// use mdsurrogate::simulate::{Clock, Motion, Rules, Simulation, Stepper};
/// use mdsurrogate::structure::Frame;
/// use nalgebra::Vector3;
/// use serde_json::{Map, Value};
///
/// struct Walk(u64);
///
/// impl Stepper for Walk {
///     fn step(&mut self, replicas: &mut [Frame]) -> mdsurrogate::Result<()> {
///         for (replica, frame) in (0..).zip(replicas) {
///             let mut random = noise::generator(1, self.0, replica, frame.step);
///             let normal = noise::centred(&mut random, frame.positions.len());
///             frame.positions.iter_mut().zip(normal).for_each(|(x, n)| *x += n);
///             frame.step += 1;
///             frame.time += self.time_step();
///         }
///         Ok(())
///     }
///     fn clock(&self) -> Clock {
///         Clock::Jumps(1.0)
///     }
///     fn motion(&self) -> Option<Motion> {
///         None
///     }
///     fn identity(&self) -> Map<String, Value> {
///         Map::new()
///     }
///     fn describe(&self) -> String {
///         "a walk".into()
///     }
///     fn reseed(&mut self, attempt: u64) {
///         self.0 = attempt;
///     }
/// }
///
/// let start = vec![Frame::at_rest(vec![Vector3::zeros(); 1000])];
/// let rules = Rules::in_memory(100);
/// let mut run = Simulation::new(Box::new(Walk(0)), start, rules, Journal::silent());
/// run.run()?;
/// let end = &run.frames()[0];
/// let square = end.positions.iter().map(|x| x.norm_squared()).sum::<f64>() / 1000.0;
/// assert_eq!(end.time, 100.0);
/// assert!((square / 300.0 - 1.0).abs() <= 0.104); // four standard errors
/// # Ok::<(), mdsurrogate::Error>(())
/// ```
pub trait Stepper: Send {
    /// Replaces each frame by the one a step later: positions, velocities where the stepper has
    /// them, `step` + 1, `time`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the engine fails. Whether a frame is physical is for the
    /// observers to say.
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()>;
    /// Makes `steps` steps, between which nobody looks at the frames.
    ///
    /// # Errors
    /// Those of [`Stepper::step`].
    fn many_steps(&mut self, replicas: &mut [Frame], steps: u64) -> Result<()> {
        (0..steps).try_for_each(|_| self.step(replicas))
    }
    /// Whether many steps at once cost less than one after the other, so that a run makes as many
    /// as it can before somebody looks.
    fn advances_alone(&self) -> bool {
        false
    }
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
    /// From now on a step may end before its time with [`crate::Error::Interrupted`] when a signal
    /// asks `stop` for it; its frames are void then. For steppers whose steps take seconds.
    fn heed(&mut self, _stop: &Stop) {}
    /// Tells the positions that the run begins with, also one that is gone on with: what a stepper
    /// takes from them (a fold that is kept, hydrogens that ride) is theirs from then on.
    fn begin(&mut self, _start: &[Vector3<f64>]) {}
    /// Makes the step of one replica of the last call again, from the frame that it had before,
    /// with the random numbers of another draw (1, 2, …). Only for jumps.
    ///
    /// # Errors
    /// Those of [`Stepper::step`], and [`crate::Error::Usage`] where steps cannot be made again.
    fn redraw(&mut self, _replica: usize, _draw: u64, _frame: &mut Frame) -> Result<()> {
        Err(crate::Error::usage(
            "these steps cannot be drawn again",
            "--guard abort, rollback or warn",
        ))
    }
    /// What the last step of a replica left undone, in words; the frame is whole all the same.
    fn shortfall(&self, _replica: usize) -> Option<&str> {
        None
    }
    /// Steps of dynamics that corrected the last step of a replica; none where steps are not
    /// corrected.
    fn corrected(&self, _replica: usize) -> Option<u64> {
        None
    }
    /// What a step is made of, where it is another stepper's with a corrector behind it, for
    /// whoever wants to know how long it takes: a correction depends on what there is to correct,
    /// so that one step says little of others.
    fn apart(&mut self) -> Option<Corrected<'_>> {
        None
    }
    /// The network behind the steps, to be asked about its symmetry; none where there is no
    /// network.
    fn probe(&self) -> Option<&dyn Probe> {
        None
    }
}
