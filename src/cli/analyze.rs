//! `mdsurrogate analyze`: a run by itself, without a reference: one page.

use std::path::PathBuf;

use super::console::{print, println};
use super::report::{print_json, progress, refuse_no_lag, say};
use super::selection::Selection;
use crate::compare::analysis::convergence::Settling;
use crate::compare::analysis::quantities::Quantity;
use crate::compare::analysis::{Analysis, Options};
use crate::compare::report::{aligned, number, refuse_existing_analysis, viewer_beside};
use crate::session::analyze::{AnalyzeOptions, Skip, analyze};
use crate::{Error, Result};

/// Look at a run by itself, without a reference: one page
///
/// RMSD, RMSF, secondary structure, contacts and hydrogen bonds, radius of gyration, clusters,
/// largest and slowest motions, and whether the run still drifts. Reads the files of a run by their
/// prefix, replicas and runs that go on included, and XTC, DCD, TRR, Amber NetCDF and multi-model
/// PDB files of any program. Writes index.html, metrics.json, lists as CSV, the figures as SVG and
/// CSV, rmsf.pdb (RMSF as temperature factors) and clusters.pdb (a model a cluster).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runs by the PREFIX of their files, or trajectories: one, or replicas
    #[arg(required = true, value_name = "RUN")]
    pub run: Vec<PathBuf>,
    /// Structure with the atoms of the trajectories [default: the .pdb of the same name beside it]
    #[arg(long, visible_alias = "topology", value_name = "FILE")]
    pub top: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub selection: Selection,
    /// Start of each trajectory to leave out: 30%, 2ns, or a number of frames
    #[arg(long, value_name = "SPAN", default_value = "0", value_parser = Skip::parse)]
    pub skip: Skip,
    /// Look at every N-th frame
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub stride: u64,
    /// Time between frames, instead of what the files say
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub time_step: Option<f64>,
    /// Folder of the report
    #[arg(short, long, value_name = "DIR", default_value = "analysis")]
    pub output: PathBuf,
    /// Lag time of slow components [default: 100ps, or a twentieth of the longest trajectory]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub lag: Option<f64>,
    /// Largest RMSD between a frame and the middle of its cluster [default: 2A on Cα, 1A on all
    /// heavy atoms of fewer than ten residues]
    #[arg(long, value_name = "LENGTH", value_parser = super::length)]
    pub cutoff: Option<f64>,
    /// CSV log of the run, which is shown too [default: the .csv of the same name beside it]
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
    #[arg(long, value_name = "N", value_parser = super::threads())]
    pub threads: Option<u64>,
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

/// Looks at a run and writes the report.
///
/// # Errors
/// What opening, reading and writing refuse.
pub fn run(args: Args) -> Result<()> {
    refuse_existing_analysis(&args.output, args.overwrite)?;
    refuse_no_lag(args.lag)?;
    if args.cutoff.is_some_and(|cutoff| cutoff <= 0.0) {
        return Err(Error::usage(
            "--cutoff 0: no two frames are the same",
            "--cutoff 2A, or leave it out",
        ));
    }
    super::positive("--time-step", args.time_step)?;
    super::start_threads(args.threads)?;
    let options = options(&args);
    let run = options.open()?;
    let frames = run.sources.iter().map(|source| source.looked_at()).sum();
    let bar = progress(args.quiet, frames);
    let analyzed = analyze(&options, &run, &|count| bar.inc(count as u64));
    bar.finish_and_clear();
    let analyzed = analyzed?;
    say(args.quiet, &analyzed.notes);
    say(args.quiet, &[analyzed.side.describe()]);
    let report = analyzed.report(super::typed_text().join(" "));
    let files = report.write(&args.output)?;
    if args.json {
        print_json(&report.metrics(), &files);
    } else {
        print!("{}", table(&analyzed.analysis));
        println!("{}", analyzed.analysis.sentence());
        say(args.quiet, &[format!("report: {}", files[0].display())]);
    }
    Ok(())
}

fn options(args: &Args) -> AnalyzeOptions {
    AnalyzeOptions {
        run: args.run.clone(),
        top: args.top.clone(),
        read: args.selection.clone().into(),
        time_step: args.time_step,
        skip: args.skip,
        stride: args.stride as usize,
        measures: Options {
            lag: args.lag,
            cutoff: args.cutoff,
        },
        log: args.log.clone(),
        viewer: args.viewer.clone().or_else(viewer_beside),
        memory: (args.memory as usize) << 19,
    }
}

/// A line a quantity.
fn table(analysis: &Analysis) -> String {
    let heads = [
        "quantity",
        "mean",
        "±",
        "deviation",
        "samples",
        "first half",
        "second half",
    ];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    let each = analysis
        .quantities
        .iter()
        .zip(&analysis.convergence.quantities);
    lines.extend(each.map(line));
    aligned(&lines)
}

fn line((quantity, known): (&Quantity, &Settling)) -> Vec<String> {
    let meaning = quantity.meaning;
    let title = match meaning.unit {
        "" => meaning.label.to_owned(),
        unit => format!("{}, {unit}", meaning.label),
    };
    vec![
        title,
        number(Some(known.mean)),
        number(known.estimate.map(|found| found.error)),
        number(Some(known.deviation)),
        number(known.estimate.map(|found| found.samples)),
        number(known.halves.map(|halves| halves.first)),
        number(known.halves.map(|halves| halves.second)),
    ]
}
