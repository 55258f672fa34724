//! `mdsurrogate compare`: a trajectory against reference MD, beside the floor: one page.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::console::{eprintln, print, println};
use crate::compare::beside::beside;
use crate::compare::gather::{Series, gather};
use crate::compare::measures::{Options, measure};
use crate::compare::paired::next_frame;
use crate::compare::report::{
    Report, RunLog, Side, ensemble, load_viewer, refuse_existing_report, table,
};
use crate::compare::row::Looker;
use crate::compare::source::{Inputs, Source, open};
use crate::{Error, Result};

/// Compare trajectories with reference MD: one page, beside the floor
///
/// Atoms are matched by chain, residue and name; hydrogens, water and whatever one side lacks are
/// left out. Every number stands beside the floor: what MD as long as the run, with as many frames,
/// would give. Reads XTC, DCD, TRR, Amber NetCDF and multi-model PDB, in any mixture. Writes
/// index.html, metrics.json, metrics.csv, torsions.csv and the figures as SVG and CSV.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Trajectories of the run: one, or replicas
    #[arg(required = true, value_name = "RUN")]
    pub run: Vec<PathBuf>,
    /// Structure with the run's atoms [default: the .pdb of the same name beside it]
    #[arg(long, value_name = "FILE")]
    pub top: Option<PathBuf>,
    /// Reference trajectories: one, or replicas
    #[arg(long, required = true, num_args = 1.., value_name = "REF")]
    pub reference: Vec<PathBuf>,
    /// Structure with the reference's atoms [default: that of --top]
    #[arg(long, value_name = "FILE")]
    pub reference_top: Option<PathBuf>,
    /// Time between frames of the run, instead of what its files say; also of reference files that
    /// hold no times
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub time_step: Option<f64>,
    /// Time between frames of the reference, instead of what its files say
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub reference_time_step: Option<f64>,
    /// Folder of the report
    #[arg(short, long, value_name = "DIR", default_value = "report")]
    pub output: PathBuf,
    /// Lag time of slow components and transitions [default: 100ps, or a twentieth of the shortest
    /// trajectory]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub lag: Option<f64>,
    /// The run's frames predict the reference's frames of the same time: report the error beside
    /// that of a copy
    #[arg(long)]
    pub paired: bool,
    /// CSV log of the run, whose drift and equivariance error are shown [default: the .csv of the
    /// same name beside it]
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Viewer for a view in three dimensions on the page: 3Dmol-min.js of the npm package 3dmol
    /// [default: the 3Dmol-min.js beside the program, where `make viewer` puts it]
    #[arg(long, value_name = "FILE")]
    pub viewer: Option<PathBuf>,
    /// Memory for what is kept of the frames, MiB; longer trajectories are thinned
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 1024,
        value_parser = clap::value_parser!(u64).range(16..)
    )]
    pub memory: u64,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Allow a report that exists to be replaced
    #[arg(long)]
    pub overwrite: bool,
    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,
    /// Say nothing but results and errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Compares and writes the report.
///
/// # Errors
/// What opening, matching, reading and writing refuse.
pub fn run(args: Args) -> Result<()> {
    refuse_existing_report(&args.output, args.overwrite)?;
    if args.lag.is_some_and(|lag| lag <= 0.0) {
        return Err(Error::usage(
            "--lag 0: slow motions need two frames that are a time apart",
            "--lag 100ps, or leave it out",
        ));
    }
    super::positive("--time-step", args.time_step)?;
    super::positive("--reference-time-step", args.reference_time_step)?;
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.unwrap_or(0))
        .build();
    let threads = threads
        .map_err(|error| Error::usage(format!("--threads: {error}"), "use fewer threads"))?;
    threads.install(|| compare(&args))
}

fn compare(args: &Args) -> Result<()> {
    let inputs = Inputs {
        run: args.run.clone(),
        reference: args.reference.clone(),
        run_top: args.top.clone(),
        reference_top: args.reference_top.clone(),
    };
    let mut sides = open(&inputs)?;
    sides.set_time_steps(args.time_step, args.reference_time_step);
    say(args, &sides.notes);
    let looker = Looker::new(&sides.topology, &sides.start);
    enough_frames(&sides.run)?;
    enough_frames(&sides.reference)?;
    let (run, reference) = (
        read(args, "run", &sides.run, &looker)?,
        read(args, "reference", &sides.reference, &looker)?,
    );
    let waiting = spinner(args);
    let mut findings = measure(&run, &reference, &looker, Options { lag: args.lag });
    if args.paired {
        findings.measures.insert(
            0,
            next_frame(&sides.run, &sides.reference, &sides.topology)?,
        );
    }
    waiting.finish_and_clear();
    say(args, &findings.notes);
    let viewer = viewer_of(args)?;
    let ensembles = match viewer {
        Some(_) => [
            ensemble(&sides.run, &looker)?,
            ensemble(&sides.reference, &looker)?,
        ],
        None => Default::default(),
    };
    let report = Report {
        run: Side::new(&sides.run, &run, &findings.sampling[0]),
        reference: Side::new(&sides.reference, &reference, &findings.sampling[1]),
        notes: [sides.notes, findings.notes.clone()].concat(),
        findings: &findings,
        looker: &looker,
        log: log_of(args)?,
        command: super::typed_text().join(" "),
        date: Report::now(),
        viewer,
        ensembles,
    };
    say(
        args,
        &[
            format!("run: {}", report.run.describe()),
            format!("reference: {}", report.reference.describe()),
        ],
    );
    let files = report.write(&args.output)?;
    if args.json {
        let files: Vec<String> = files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        println!("{}", json!({ "metrics": report.metrics(), "files": files }));
    } else {
        print!("{}", table(&findings.measures));
        say(args, &Vec::from_iter(report.gain()));
        say(
            args,
            &[report.sentence(), format!("report: {}", files[0].display())],
        );
    }
    Ok(())
}

fn say(args: &Args, lines: &[String]) {
    if !args.quiet {
        lines.iter().for_each(|line| eprintln!("{line}"));
    }
}

/// One frame has no distribution.
fn enough_frames(sources: &[Source]) -> Result<()> {
    let frames: usize = sources.iter().map(|source| source.frames).sum();
    match frames {
        0 | 1 => {
            let what = format!(
                "{} holds {frames} frame: there is no distribution to compare",
                sources[0].path.display()
            );
            Err(Error::usage(
                what,
                "give trajectories, of hundreds of frames if you can; `predict --truth` compares \
                 single frames",
            ))
        }
        _ => Ok(()),
    }
}

fn read(args: &Args, name: &str, sources: &[Source], looker: &Looker) -> Result<Series> {
    let frames: usize = sources.iter().map(|source| source.frames).sum();
    let bar = if args.quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(frames as u64)
    };
    let style = ProgressStyle::with_template("{msg:>10} {wide_bar} {pos}/{len} frames, {eta} left")
        .expect("the template is right");
    bar.set_style(style);
    bar.set_message(name.to_owned());
    let series = gather(sources, looker, (args.memory as usize) << 19, &|count| {
        bar.inc(count as u64);
    });
    bar.finish_and_clear();
    series
}

fn spinner(args: &Args) -> ProgressBar {
    let bar = if args.quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new_spinner()
    };
    bar.set_message("measuring");
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// The run's log: the one given, else the one beside the first trajectory, where there is one that
/// can be read.
fn log_of(args: &Args) -> Result<Option<RunLog>> {
    match (&args.log, beside(&args.run[0], "csv")) {
        (Some(path), _) => RunLog::read(path).map(Some),
        (None, Some(path)) => Ok(RunLog::read(&path)
            .map_err(|error| say(args, &[format!("not shown: {error}")]))
            .ok()),
        (None, None) => Ok(None),
    }
}

/// The viewer given, else the one beside the program, where there is one.
fn viewer_of(args: &Args) -> Result<Option<String>> {
    let installed = || {
        let path = std::env::current_exe().ok()?.with_file_name("3Dmol-min.js");
        path.is_file().then_some(path)
    };
    args.viewer
        .clone()
        .or_else(installed)
        .map(|path| load_viewer(&path))
        .transpose()
}
