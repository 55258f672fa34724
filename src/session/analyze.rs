//! A run looked at by itself: from its files to numbers and a report.

use std::path::PathBuf;

use nalgebra::Vector3;

use crate::compare::analysis::open::{Run, open};
use crate::compare::analysis::{Analysis, analyze as look_at};
use crate::compare::beside::trajectories;
use crate::compare::gather::{Series, gather_every};
use crate::compare::report::{
    AnalysisReport, Report, Representatives, RunLog, Side, ensemble, load_viewer,
};
use crate::compare::row::Looker;
use crate::structure::ReadOptions;
use crate::units::{self, Dimension};
use crate::{Error, Result};

/// The start of a trajectory that is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Skip {
    /// Frames.
    Frames(usize),
    /// ps.
    Time(f64),
    /// Share of its frames.
    Share(f64),
}

impl Skip {
    /// Reads `100` (frames), `2ns` or `30%`.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let refuse = || {
            Error::usage(
                format!("`{text}` is no start of a trajectory"),
                "30%, 2ns, or a number of frames: 100",
            )
        };
        if let Ok(frames) = text.parse::<usize>() {
            return Ok(Skip::Frames(frames));
        }
        if let Some(percent) = text.strip_suffix('%') {
            let share = percent.trim().parse::<f64>().map_err(|_| refuse())? / 100.0;
            return if (0.0..1.0).contains(&share) {
                Ok(Skip::Share(share))
            } else {
                Err(refuse())
            };
        }
        units::parse(text, Dimension::Time)
            .map(Skip::Time)
            .map_err(|_| refuse())
    }

    /// As frames of a trajectory of so many, `time_step` ps apart where that is known.
    ///
    /// # Errors
    /// [`Error::Usage`] for a time where frames have none.
    pub fn frames(self, frames: usize, time_step: Option<f64>) -> Result<usize> {
        match self {
            Skip::Frames(skipped) => Ok(skipped),
            Skip::Share(share) => Ok((share * frames as f64).round() as usize),
            Skip::Time(time) => match time_step {
                Some(step) => Ok((time / step - 1e-6).ceil().max(0.0) as usize),
                None => Err(Error::usage(
                    "--skip is a time, and the frames are not a known time apart",
                    "--time-step as well, or --skip 30%",
                )),
            },
        }
    }
}

/// What is looked at, and how.
#[derive(Debug, Clone)]
pub struct AnalyzeOptions {
    /// Prefixes of runs, or trajectories: one, or replicas.
    pub run: Vec<PathBuf>,
    /// Structure with their atoms; none: the PDB file beside each.
    pub top: Option<PathBuf>,
    /// Which part of it.
    pub read: ReadOptions,
    /// Time between frames, ps, instead of what files say.
    pub time_step: Option<f64>,
    /// The start that is left out.
    pub skip: Skip,
    /// Every how many frames one is looked at.
    pub stride: usize,
    /// Lag time of slow components, ps, and the cutoff of clusters, Å.
    pub measures: crate::compare::analysis::Options,
    /// CSV log of the run; none: the one beside it, where there is one.
    pub log: Option<PathBuf>,
    /// Viewer (3Dmol-min.js) for the page.
    pub viewer: Option<PathBuf>,
    /// Memory for what is kept of the frames, bytes; longer trajectories are thinned.
    pub memory: usize,
}

impl Default for AnalyzeOptions {
    fn default() -> Self {
        AnalyzeOptions {
            run: Vec::new(),
            top: None,
            read: ReadOptions::default(),
            time_step: None,
            skip: Skip::Frames(0),
            stride: 1,
            measures: crate::compare::analysis::Options::default(),
            log: None,
            viewer: None,
            memory: 1 << 29,
        }
    }
}

/// A run that was looked at.
#[derive(Debug)]
pub struct Analyzed {
    /// The numbers.
    pub analysis: Analysis,
    /// What was looked at.
    pub looker: Looker,
    /// What was read.
    pub side: Side,
    /// What a user should know. One line each.
    pub notes: Vec<String>,
    representatives: Representatives,
    log: Option<RunLog>,
    viewer: Option<String>,
    ensemble: Vec<Vec<Vector3<f64>>>,
}

impl AnalyzeOptions {
    /// Finds and opens the files.
    ///
    /// # Errors
    /// [`Error::Usage`] for words that are no run, or fewer than two frames; [`Error::Input`] for
    /// files that cannot be read.
    pub fn open(&self) -> Result<Run> {
        let paths = trajectories(&self.run)?;
        let mut run = open(&paths, self.top.as_ref(), &self.read)?;
        if let Some(time_step) = self.time_step {
            run.set_time_step(time_step);
        }
        run.skip(|frames, time_step| self.skip.frames(frames, time_step))?;
        let frames: usize = run.sources.iter().map(|source| source.looked_at()).sum();
        if frames < 2 {
            return Err(Error::usage(
                format!(
                    "{} holds {frames} frame: there is nothing over time",
                    paths[0].display()
                ),
                "give a trajectory; `mdsurrogate check` looks at a single structure",
            ));
        }
        Ok(run)
    }
}

/// Reads a run and computes everything. `tick` is told how many frames were passed.
///
/// # Errors
/// What reading reports.
pub fn analyze(
    options: &AnalyzeOptions,
    run: &Run,
    tick: &(dyn Fn(usize) + Sync),
) -> Result<Analyzed> {
    let looker = run.looker();
    let series = gather_every(options.stride, &run.sources, &looker, options.memory, tick)?;
    few_frames(&series, run)?;
    let analysis = look_at(&series, &looker, options.measures);
    let representatives = Representatives::of(run, &series, &looker, &analysis)?;
    let mut notes = run.notes.clone();
    notes.extend(analysis.notes.iter().cloned());
    let log = RunLog::of_run(options.log.as_deref(), &run.sources[0].path, &mut notes)?;
    let viewer = options.viewer.as_deref().map(load_viewer).transpose()?;
    let ensemble = match viewer {
        Some(_) => ensemble(&run.sources, &looker)?,
        None => Vec::new(),
    };
    let mut side = Side::new(&run.sources, &series, &analysis.sampling);
    side.asked = options.stride;
    Ok(Analyzed {
        analysis,
        looker,
        side,
        notes,
        representatives,
        log,
        viewer,
        ensemble,
    })
}

/// Refuses a run of which damage has left fewer than two frames.
fn few_frames(series: &Series, run: &Run) -> Result<()> {
    match series.rows.len() {
        0 | 1 => Err(Error::usage(
            format!(
                "of the frames of {} no two are left to look at",
                run.sources[0].path.display()
            ),
            "a smaller --stride, or another trajectory",
        )),
        _ => Ok(()),
    }
}

impl Analyzed {
    /// Its report, made by a command.
    pub fn report(&self, command: String) -> AnalysisReport<'_> {
        AnalysisReport {
            run: self.side.clone(),
            notes: self.notes.clone(),
            analysis: &self.analysis,
            looker: &self.looker,
            representatives: self.representatives.clone(),
            log: self.log.clone(),
            command,
            date: Report::now(),
            viewer: self.viewer.clone(),
            ensemble: self.ensemble.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_frames_times_or_shares() {
        let frames = |text: &str| Skip::parse(text).unwrap().frames(1000, Some(20.0)).unwrap();
        assert_eq!(
            ["0", "17", "30%", "2ns", "30ps"].map(frames),
            [0, 17, 300, 100, 2]
        );
        for text in ["-1", "100%", "1.5", "x", "", "3 apples"] {
            let error = Skip::parse(text).unwrap_err();
            assert!(error.hint().contains("30%"), "{text}: {error}");
        }
        let error = Skip::Time(5.0).frames(10, None).unwrap_err();
        assert!(error.hint().contains("--time-step"), "{error}");
    }
}
