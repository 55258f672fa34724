//! Reference MD from Python.

use std::path::PathBuf;

use mdsurrogate::observe::{Console, Journal};
use mdsurrogate::session::{Dynamics, Output, ReferenceOptions, RunOptions, Session, Strides};
use mdsurrogate::simulate::Stop;
use mdsurrogate::units::Dimension;
use pyo3::prelude::*;

use crate::error::raise;
use crate::interrupt::interruptible;
use crate::options::{Quantity, Stride, completion, replicas};

/// Reference MD of a protein (ff14SB, OBC2): PREFIX.pdb, PREFIX.xtc, PREFIX.csv and the rest.
///
/// The same call goes on where one was interrupted.
#[pyfunction]
#[pyo3(signature = (
    protein, output, time, *, temperature=None, dt=None, hold_hydrogens=false, heat=None,
    traj_every=None, replicas=1, seed=1, threads=None, fix=false, his="hie", overwrite=false,
    fresh=false, quiet=false,
))]
#[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
pub fn reference(
    py: Python<'_>,
    protein: PathBuf,
    output: PathBuf,
    time: Stride,
    temperature: Option<Quantity>,
    dt: Option<Quantity>,
    hold_hydrogens: bool,
    heat: Option<Quantity>,
    traj_every: Option<Stride>,
    replicas: u64,
    seed: u64,
    threads: Option<usize>,
    fix: bool,
    his: &str,
    overwrite: bool,
    fresh: bool,
    quiet: bool,
) -> PyResult<()> {
    let typed = || {
        let mut dynamics = Dynamics::default();
        if let Some(temperature) = &temperature {
            dynamics.temperature = temperature.in_unit(Dimension::Temperature)?;
        }
        if let Some(dt) = &dt {
            dynamics.time_step = dt.in_unit(Dimension::Time)?;
        }
        let mut options = ReferenceOptions {
            completion: completion(fix, his, None, None)?,
            dynamics,
            hold_hydrogens,
            seed,
            replicas: self::replicas(replicas, None)?,
            threads,
            ..ReferenceOptions::default()
        };
        if let Some(heat) = &heat {
            options.heat = heat.in_unit(Dimension::Time)?;
        }
        let run = RunOptions {
            output: Output {
                prefix: Some(output),
                overwrite,
                fresh,
                ..Output::default()
            },
            strides: Strides {
                length: Some(time.span("time")?),
                trajectory: traj_every
                    .map(|every| every.span("traj_every"))
                    .transpose()?,
                ..Strides::default()
            },
            ..RunOptions::default()
        };
        Ok((options, run))
    };
    let (options, mut run) = typed().map_err(|error| raise(py, error))?;
    let stop = Stop::never();
    run.stop = stop.clone();
    interruptible(py, &stop, || {
        let journal = Journal::new(Console::suited(quiet), false, false);
        Session::reference(&protein, &options)?.run(&run, &journal)
    })
}
