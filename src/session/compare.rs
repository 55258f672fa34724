//! A run against reference MD: from files to measures and a report.

use std::path::PathBuf;

use nalgebra::Vector3;

use crate::compare::gather::gather;
use crate::compare::measures::{Findings, Options, measure};
use crate::compare::paired::next_frame;
use crate::compare::report::{Report, RunLog, Side, ensemble, load_viewer};
use crate::compare::row::Looker;
use crate::compare::source::{Inputs, Sides, Source, open};
use crate::{Error, Result};

/// What is compared, and how.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// Files of both sides.
    pub inputs: Inputs,
    /// Time between frames of the run, ps, instead of what its files say; also of reference files
    /// that hold no times.
    pub time_step: Option<f64>,
    /// The same of the reference.
    pub reference_time_step: Option<f64>,
    /// Lag time of slow components and transitions, ps.
    pub lag: Option<f64>,
    /// Whether frames of the run predict the reference's frames of the same time.
    pub paired: bool,
    /// CSV log of the run; none: the one beside it, where there is one.
    pub log: Option<PathBuf>,
    /// Viewer (3Dmol-min.js) for the page.
    pub viewer: Option<PathBuf>,
    /// Memory for what is kept of the frames of a side, bytes; longer trajectories are thinned.
    pub memory: usize,
}

impl Default for CompareOptions {
    fn default() -> Self {
        CompareOptions {
            inputs: Inputs::default(),
            time_step: None,
            reference_time_step: None,
            lag: None,
            paired: false,
            log: None,
            viewer: None,
            memory: 1 << 29,
        }
    }
}

impl CompareOptions {
    /// Opens both sides and matches their atoms.
    ///
    /// # Errors
    /// Those of [`open`]; [`Error::Usage`] for a side of one frame.
    pub fn open(&self) -> Result<Sides> {
        let mut sides = open(&self.inputs)?;
        sides.set_time_steps(self.time_step, self.reference_time_step);
        enough_frames(&sides.run)?;
        enough_frames(&sides.reference)?;
        Ok(sides)
    }
}

/// One frame has no distribution.
fn enough_frames(sources: &[Source]) -> Result<()> {
    let frames: usize = sources.iter().map(|source| source.frames).sum();
    if frames > 1 {
        return Ok(());
    }
    let what = format!(
        "{} holds {frames} frame: there is no distribution to compare",
        sources[0].path.display()
    );
    let hint = "give trajectories, of hundreds of frames if you can; `predict --truth` compares \
                single frames";
    Err(Error::usage(what, hint))
}

/// Both sides, measured.
#[derive(Debug)]
pub struct Compared {
    /// The measures.
    pub findings: Findings,
    /// What was compared.
    pub looker: Looker,
    /// The run.
    pub run: Side,
    /// The reference.
    pub reference: Side,
    /// What a user should know, that of opening first. One line each.
    pub notes: Vec<String>,
    log: Option<RunLog>,
    viewer: Option<String>,
    ensembles: [Vec<Vec<Vector3<f64>>>; 2],
}

/// Reads both sides and computes everything. `tick` is told how many frames were passed.
///
/// # Errors
/// What reading reports.
pub fn compare(
    options: &CompareOptions,
    sides: &Sides,
    tick: &(dyn Fn(usize) + Sync),
) -> Result<Compared> {
    let looker = Looker::new(&sides.topology, &sides.start);
    let run = gather(&sides.run, &looker, options.memory, tick)?;
    let reference = gather(&sides.reference, &looker, options.memory, tick)?;
    let mut findings = measure(&run, &reference, &looker, Options { lag: options.lag });
    if options.paired {
        let predicted = next_frame(&sides.run, &sides.reference, &sides.topology)?;
        findings.measures.insert(0, predicted);
    }
    let viewer = options.viewer.as_deref().map(load_viewer).transpose()?;
    let ensembles = match viewer {
        Some(_) => [
            ensemble(&sides.run, &looker)?,
            ensemble(&sides.reference, &looker)?,
        ],
        None => Default::default(),
    };
    let mut notes = [&sides.notes[..], &findings.notes].concat();
    Ok(Compared {
        run: Side::new(&sides.run, &run, &findings.sampling[0]),
        reference: Side::new(&sides.reference, &reference, &findings.sampling[1]),
        log: RunLog::of_run(options.log.as_deref(), &sides.run[0].path, &mut notes)?,
        findings,
        looker,
        notes,
        viewer,
        ensembles,
    })
}

impl Compared {
    /// Its report, made by a command.
    pub fn report(&self, command: String) -> Report<'_> {
        Report {
            run: self.run.clone(),
            reference: self.reference.clone(),
            notes: self.notes.clone(),
            findings: &self.findings,
            looker: &self.looker,
            log: self.log.clone(),
            command,
            date: Report::now(),
            viewer: self.viewer.clone(),
            ensembles: self.ensembles.clone(),
        }
    }
}
