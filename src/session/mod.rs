//! Sessions: a structure, a model and typed options become a simulation, a training or a
//! validation.
//!
//! The command line, the examples and other languages are clients of this layer. It reads no
//! arguments and prints nothing: what there is to say goes to a [`Journal`] of the caller's, or
//! comes back as lines.
//!
//! Frames in memory, one jump after the other:
//!
//! ```
//! use mdsurrogate::session::{Backend, Jumps, Options, Session};
//!
//! let options = Options {
//!     backend: Backend::Cpu,
//!     jumps: Jumps {
//!         relax: Some(20),
//!         ..Jumps::default()
//!     },
//!     ..Options::default()
//! };
//! let mut session = Session::open("data/structures/akle.pdb".as_ref(), &options)?;
//! let start = session.structure().frame.clone();
//! let mut last = start.clone();
//! for frame in session.frames().take(2) {
//!     last = frame?;
//! }
//! assert_eq!((last.step, last.time), (2, 320.0)); // ps
//! let moved = (&last.positions[0] - &start.positions[0]).norm(); // Å
//! assert!(moved > 0.0 && moved < 20.0);
//! # Ok::<(), mdsurrogate::Error>(())
//! ```
//!
//! A run with files, observers and checkpoints is [`Session::run`]; reference MD is
//! [`Session::reference`]; [`train`], [`validate`] and [`finetune`] are the other commands.

pub mod analyze;
mod assemble;
mod backend;
mod checkpoints;
pub mod compare;
pub mod doctor;
mod dynamics;
mod equilibrate;
mod estimate;
mod familiar;
mod files;
pub mod finetune;
mod fluctuations;
mod forces;
mod frames;
mod jumps;
mod lines;
mod model;
mod plan;
mod protein;
mod reference;
mod run;
mod shared;
mod summary;
mod threads;
pub mod train;
pub mod validate;

pub use backend::{Backend, OnEngine, choose_device, devices};
pub use dynamics::Dynamics;
pub use files::{Files, Format, Lock, Output};
pub use forces::Forces;
pub use frames::Frames;
pub use jumps::{Cutoff, Fold, Jumps};
pub use lines::minutes;
pub use model::{ModelInfo, ModelSource, TOKENS};
pub use plan::{Plan, Span, Strides};
pub use protein::{Complete, Completion};
pub use reference::ReferenceOptions;
pub use run::{Preview, RunOptions};
pub use shared::share_out;
pub use threads::{MOST_THREADS, thread_pool};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::ThreadPool;
use serde_json::{Map, Value};

use crate::Result;
use crate::forcefield::{ForceField, TemplateGeometry, template_geometry_at};
use crate::observe::Journal;
use crate::simulate::{Clock, Stepper, Stop};
use crate::structure::{Frame, Structure};
use assemble::{Assembled, ByModel};

/// Time for which the input is equilibrated where nothing is said, ps.
const EQUILIBRATION: f64 = 10.0;
/// Steps of a run where nothing is said.
const DEFAULT_STEPS: u64 = 1000;

/// What a model makes of a protein, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The model.
    pub model: ModelSource,
    /// Where its network runs.
    pub backend: Backend,
    /// What is read of the file and built onto it.
    pub completion: Completion,
    /// Whether the input is taken as it is: no atoms are added (without all hydrogens there are no
    /// energies), and it is not equilibrated.
    pub as_is: bool,
    /// Time of dynamics, ps, that the input of a run of jumps is given behind a minimisation; jumps
    /// keep to the fold that it then has. 0: neither.
    pub equilibrate: f64,
    /// How jumps are made, by a model of jumps.
    pub jumps: Jumps,
    /// How forces are integrated, of a model of forces.
    pub dynamics: Dynamics,
    /// Seed of all random numbers: the same seed gives the same bits, on any number of threads.
    pub seed: u64,
    /// How many runs.
    pub replicas: Replicas,
    /// Threads; none: those of the pool that the caller is in.
    pub threads: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            model: ModelSource::default(),
            backend: Backend::default(),
            completion: Completion::default(),
            as_is: false,
            equilibrate: EQUILIBRATION,
            jumps: Jumps::default(),
            dynamics: Dynamics::default(),
            seed: 1,
            replicas: Replicas::default(),
            threads: None,
        }
    }
}

/// Independent runs, which differ by their random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replicas {
    /// So many at once.
    Together(u64),
    /// This one of them alone (from 0): its bits are those of a run of all.
    Only(u64),
    /// Consecutive ones of them, by one of the processes that share a run: their bits are those of
    /// a run of all.
    Part {
        /// The first, from 0.
        first: u64,
        /// How many.
        count: u64,
    },
}

impl Default for Replicas {
    fn default() -> Self {
        Replicas::Together(1)
    }
}

impl Replicas {
    /// Number of the first.
    pub fn first(self) -> u64 {
        match self {
            Replicas::Together(_) => 0,
            Replicas::Only(replica) => replica,
            Replicas::Part { first, .. } => first,
        }
    }

    /// How many there are.
    pub fn count(self) -> u64 {
        match self {
            Replicas::Together(count) => count,
            Replicas::Only(_) => 1,
            Replicas::Part { count, .. } => count,
        }
    }
}

/// Makes the frames at step 0 out of the input's, one a replica, unless it is to stop.
type Start = Box<dyn FnOnce(Vec<Frame>, &Journal, &Stop) -> Result<Vec<Frame>> + Send>;

/// A protein and what advances it, ready to be run.
pub struct Session {
    /// Name of what it does, which stands in checkpoints.
    command: &'static str,
    /// The file of the protein.
    input: PathBuf,
    structure: Structure,
    /// Template geometry that frames are held against.
    geometry: TemplateGeometry,
    stepper: Box<dyn Stepper>,
    /// What a checkpoint must agree on beyond what the stepper says.
    identity: Map<String, Value>,
    /// What the user is to know.
    words: Vec<String>,
    /// Temperature of what makes the steps, K.
    temperature: f64,
    seed: u64,
    replicas: Replicas,
    default_steps: u64,
    /// The force field that makes the steps, which the energy monitor then asks too; none: all
    /// pairs in f64.
    field: Option<ForceField>,
    /// Whether its forces are written, with positions and velocities, to a TRR file.
    forces: bool,
    /// What makes the first frames; none: the input is the first frame.
    start: Option<Start>,
    /// Whether it makes one frame for all replicas, which the stepper takes for the input.
    begins_there: bool,
    /// Steps of the size of one of the run's that `start` makes.
    start_steps: u64,
    /// Evaluations of one frame's forces that `start` makes beside these.
    start_forces: u64,
    pool: Option<Arc<ThreadPool>>,
}

impl Session {
    /// A protein and the model that advances it.
    ///
    /// # Errors
    /// Those of reading the protein and the model and of opening the engine;
    /// [`crate::Error::Usage`] for options that the model cannot take.
    pub fn open(protein: &Path, options: &Options) -> Result<Self> {
        let Complete { structure, notes } = options
            .completion
            .load_as_far_as_known(protein, options.as_is)?;
        let mut session = Self::of(structure, options)?;
        session.input = protein.to_owned();
        session.words.extend(notes);
        if matches!(session.stepper.clock(), Clock::Jumps(_)) && !options.as_is {
            let cutoff = options.jumps.cutoff.of(session.structure.topology.len());
            session.equilibrate_first(options.equilibrate, cutoff);
        }
        Ok(session)
    }

    /// A structure that is in memory, as it is, and the model that advances it.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn of(structure: Structure, options: &Options) -> Result<Self> {
        let pool = options.threads.map(thread_pool).transpose()?.map(Arc::new);
        let geometry = template_geometry_at(&structure.topology, &structure.frame.positions)?;
        let Assembled {
            stepper,
            identity,
            words,
            temperature,
        } = options.backend.run(ByModel {
            options,
            structure: &structure,
            geometry: &geometry,
        })?;
        Ok(Session {
            command: "run",
            input: structure.report.file.clone(),
            structure,
            geometry,
            stepper,
            identity,
            words,
            temperature,
            seed: options.seed,
            replicas: options.replicas,
            default_steps: DEFAULT_STEPS,
            field: None,
            forces: false,
            start: None,
            begins_there: false,
            start_steps: 0,
            start_forces: 0,
            pool,
        })
    }

    /// The protein, complete.
    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    /// What advances it.
    pub fn stepper(&self) -> &dyn Stepper {
        self.stepper.as_ref()
    }

    /// What there is to know of model and protein, line by line; warnings begin with `warning:`.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Advances frames of the protein, one a replica, by one step.
    ///
    /// # Errors
    /// Those of [`Stepper::step`].
    pub fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        let stepper = &mut self.stepper;
        threads::within(self.pool.as_deref(), || stepper.step(replicas))
    }

    /// Frames in memory, from the protein as it is, step after step without end. A frame that is
    /// no molecule any more is an error, and the last.
    pub fn frames(&mut self) -> Frames<'_> {
        Frames::new(self)
    }
}
