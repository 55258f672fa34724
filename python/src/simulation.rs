//! A protein that a model advances, in memory or to files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use mdsurrogate::observe::{Console, Journal};
use mdsurrogate::session::{
    Format, Jumps, Options, Output, RunOptions, Session, Strides, thread_pool,
};
use mdsurrogate::simulate::{self, Clock, Stop};
use mdsurrogate::structure as house;
use mdsurrogate::units::Dimension;
use mdsurrogate::{Error, Result};
use nalgebra::Vector3;
use numpy::PyArray3;
use pyo3::prelude::*;
use rayon::ThreadPool;

use crate::arrays;
use crate::error::raise;
use crate::interrupt::interruptible;
use crate::model::{Given, source};
use crate::options::{self, Quantity, Stride, named};
use crate::structure::Structure;

/// What is simulated.
enum Protein {
    File(PathBuf),
    Memory(Box<house::Structure>),
}

/// What advances: nothing before the first step, whose session waits.
enum State {
    Ready(Box<Session>),
    Running(Box<simulate::Simulation>),
    /// The input could not be equilibrated.
    Lost,
}

/// A protein and the model that advances it, one or several replicas at once.
#[pyclass(module = "mdsurrogate", frozen, subclass)]
pub struct Simulation {
    protein: Protein,
    options: Options,
    on_guard: Option<simulate::OnGuard>,
    structure: Structure,
    /// What there is to know of model and protein; warnings begin with ``warning:``.
    #[pyo3(get)]
    words: Vec<String>,
    /// Physical time of a step, ps.
    #[pyo3(get)]
    time_step: f64,
    pool: Option<Arc<ThreadPool>>,
    stop: Stop,
    state: Mutex<State>,
}

impl Simulation {
    fn open(protein: &Protein, options: &Options) -> Result<Session> {
        match protein {
            Protein::File(file) => Session::open(file, options),
            Protein::Memory(structure) => Session::of(house::Structure::clone(structure), options),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|held| held.into_inner())
    }

    /// Runs to this step more, the input equilibrated first.
    fn run_on(&self, steps: u64) -> Result<()> {
        let mut state = self.state();
        if let State::Ready(_) = &*state {
            let State::Ready(session) = std::mem::replace(&mut *state, State::Lost) else {
                unreachable!("looked at above");
            };
            let begun = session.in_memory(self.on_guard, &Journal::silent(), &self.stop)?;
            *state = State::Running(Box::new(begun));
        }
        match &mut *state {
            State::Running(simulation) => simulation.run_to(simulation.step() + steps),
            _ => Err(Error::usage(
                "the simulation ended while its input was equilibrated",
                "make another Simulation",
            )),
        }
    }
}

#[pymethods]
impl Simulation {
    /// Opens a protein (a file, or a Structure) and a model (a file, or a Model; without: the
    /// built-in one).
    #[new]
    #[pyo3(signature = (
        protein, model=None, *, backend="auto", replicas=1, replica=None, seed=1, threads=None,
        lag=None, relax=None, cutoff=None, levels=None, method=None, fold="auto",
        fold_strength=None, stir=None,
        equilibrate=None, ensemble=None, temperature=None, friction=None, relaxation=None,
        dt=None, as_is=false, fix=false, his="hie", guard=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
    fn new(
        py: Python<'_>,
        protein: Bound<'_, PyAny>,
        model: Option<Given<'_>>,
        backend: &str,
        replicas: u64,
        replica: Option<u64>,
        seed: u64,
        threads: Option<usize>,
        lag: Option<Quantity>,
        relax: Option<usize>,
        cutoff: Option<Quantity>,
        levels: Option<usize>,
        method: Option<&str>,
        fold: &str,
        fold_strength: Option<f64>,
        stir: Option<f64>,
        equilibrate: Option<Quantity>,
        ensemble: Option<&str>,
        temperature: Option<Quantity>,
        friction: Option<Quantity>,
        relaxation: Option<Quantity>,
        dt: Option<Quantity>,
        as_is: bool,
        fix: bool,
        his: &str,
        guard: Option<&str>,
    ) -> PyResult<Self> {
        let protein = match protein.cast::<Structure>() {
            Ok(structure) => Protein::Memory(Box::new(structure.get().structure.clone())),
            Err(_) => Protein::File(protein.extract()?),
        };
        let model = source(model);
        let dynamics = options::dynamics(ensemble, temperature, friction, relaxation, dt)
            .map_err(|error| raise(py, error))?;
        let typed = || {
            let default = Options::default();
            let jumps = Jumps {
                lag: lag.map(|lag| lag.in_unit(Dimension::Time)).transpose()?,
                relax,
                cutoff: options::cutoff(cutoff)?,
                levels,
                method: options::method(method)?,
                fold: fold.parse()?,
                fold_strength,
                stir,
                ..Jumps::default()
            };
            let equilibrate = equilibrate
                .map(|time| time.in_unit(Dimension::Time))
                .transpose()?;
            Ok(Options {
                model,
                backend: options::backend(backend)?,
                completion: options::completion(fix, his, None, None)?,
                as_is,
                equilibrate: equilibrate.unwrap_or(default.equilibrate),
                jumps,
                dynamics: dynamics.unwrap_or(default.dynamics),
                seed,
                replicas: options::replicas(replicas, replica)?,
                ..default
            })
        };
        let opened = py.detach(|| {
            let (options, on_guard) = (typed()?, options::guard(guard)?);
            let pool = threads.map(thread_pool).transpose()?.map(Arc::new);
            let session = Self::open(&protein, &options)?;
            if dynamics.is_some() && matches!(session.stepper().clock(), Clock::Jumps(_)) {
                return Err(Error::usage(
                    "this model makes jumps, which no dynamics takes part in",
                    "leave out ensemble, temperature, friction, relaxation and dt",
                ));
            }
            Ok((options, on_guard, pool, session))
        });
        let (options, on_guard, pool, session) = opened.map_err(|error| raise(py, error))?;
        Ok(Simulation {
            protein,
            options,
            on_guard,
            structure: Structure::new(session.structure().clone()),
            words: session.words().to_vec(),
            time_step: session.stepper().time_step(),
            pool,
            stop: Stop::never(),
            state: Mutex::new(State::Ready(Box::new(session))),
        })
    }

    fn __repr__(&self) -> String {
        format!(
            "<mdsurrogate.Simulation: {} replicas of {} atoms, {} ps a step>",
            self.replicas(),
            self.structure.structure.topology.len(),
            self.time_step
        )
    }

    /// The protein with all its atoms.
    #[getter]
    fn structure(&self) -> Structure {
        self.structure.clone()
    }

    /// Number of replicas.
    #[getter]
    fn replicas(&self) -> u64 {
        self.options.replicas.count()
    }

    /// Steps that were made in memory.
    #[getter]
    fn step(&self) -> u64 {
        match &*self.state() {
            State::Running(simulation) => simulation.step(),
            _ => 0,
        }
    }

    /// Physical time of the frames in memory, ps.
    #[getter]
    fn time(&self) -> f64 {
        match &*self.state() {
            State::Running(simulation) => simulation.frames()[0].time,
            _ => 0.0,
        }
    }

    /// Positions of all replicas, Å: replicas × atoms × 3. A copy: changing it changes nothing.
    #[getter]
    fn positions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let state = self.state();
        let replicas: Vec<&[Vector3<f64>]> = match &*state {
            State::Running(simulation) => {
                let frames = simulation.frames().iter();
                frames.map(|frame| frame.positions.as_slice()).collect()
            }
            _ => {
                let input = self.structure.structure.frame.positions.as_slice();
                vec![input; self.replicas() as usize]
            }
        };
        arrays::of_replicas(py, &replicas)
    }

    /// Makes steps in memory; before the first, the input is equilibrated as the command does.
    #[pyo3(signature = (steps=1))]
    fn advance(&self, py: Python<'_>, steps: u64) -> PyResult<()> {
        interruptible(py, &self.stop, || match &self.pool {
            Some(pool) => pool.install(|| self.run_on(steps)),
            None => self.run_on(steps),
        })
    }

    /// Runs from the input to files: those of ``mdsurrogate run -o OUTPUT``, to the bit.
    ///
    /// ``steps`` is a number of steps or a time (``"10ns"``); options are ``traj_every``,
    /// ``log_every``, ``traj_format`` (xtc, dcd), ``overwrite``, ``fresh`` and ``quiet``. Where a
    /// call was interrupted, the same call goes on. What is in memory is not touched.
    #[pyo3(signature = (
        output, steps, *, traj_every=None, log_every=None, traj_format="xtc", overwrite=false,
        fresh=false, quiet=false,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
    fn run(
        &self,
        py: Python<'_>,
        output: PathBuf,
        steps: Stride,
        traj_every: Option<Stride>,
        log_every: Option<Stride>,
        traj_format: &str,
        overwrite: bool,
        fresh: bool,
        quiet: bool,
    ) -> PyResult<()> {
        let stop = Stop::never();
        let typed = || {
            let formats = [
                ("xtc", Format::Xtc),
                ("dcd", Format::Dcd),
                ("pdb", Format::Pdb),
            ];
            let span =
                |name: &str, typed: Option<Stride>| typed.map(|typed| typed.span(name)).transpose();
            Ok(RunOptions {
                output: Output {
                    prefix: Some(output),
                    format: named("traj_format", traj_format, &formats)?,
                    overwrite,
                    fresh,
                    ..Output::default()
                },
                strides: Strides {
                    length: Some(steps.span("steps")?),
                    trajectory: span("traj_every", traj_every)?,
                    log: span("log_every", log_every)?,
                    ..Strides::default()
                },
                on_guard: self.on_guard,
                stop: stop.clone(),
                ..RunOptions::default()
            })
        };
        let run = typed().map_err(|error| raise(py, error))?;
        interruptible(py, &stop, || {
            let work = || {
                let journal = Journal::new(Console::suited(quiet), false, false);
                Self::open(&self.protein, &self.options)?.run(&run, &journal)
            };
            match &self.pool {
                Some(pool) => pool.install(work),
                None => work(),
            }
        })
    }
}

/// The GPUs that `backend="gpu"` chooses from, best first.
#[pyfunction]
pub fn devices() -> Vec<String> {
    mdsurrogate::session::devices()
}
