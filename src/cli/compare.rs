//! `mdsurrogate compare`: a trajectory against reference MD, beside the floor: one page.

use std::path::PathBuf;

use super::console::print;
use super::report::{print_json, progress, refuse_no_lag, say};
use crate::Result;
use crate::compare::report::{refuse_existing_report, table, viewer_beside};
use crate::compare::source::{Inputs, Source};
use crate::session::{self, compare::CompareOptions};

/// Compare trajectories with reference MD: one page, beside the floor
///
/// Atoms are matched by chain, residue and name; hydrogens, water and whatever one side lacks are
/// left out. Every number stands beside the floor: what MD as long as the run, with as many frames,
/// would give. Reads XTC, DCD, TRR, Amber NetCDF and multi-model PDB, in any mixture. Writes
/// index.html, metrics.json, metrics.csv, torsions.csv and the figures as SVG and CSV.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run by the PREFIX of its files, or its trajectories: one, or replicas
    #[arg(required = true, value_name = "RUN")]
    pub run: Vec<PathBuf>,
    /// Structure with the run's atoms [default: the .pdb of the same name beside it]
    #[arg(long, value_name = "FILE")]
    pub top: Option<PathBuf>,
    /// Reference: likewise a PREFIX, or trajectories
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

/// Compares and writes the report.
///
/// # Errors
/// What opening, matching, reading and writing refuse.
pub fn run(args: Args) -> Result<()> {
    refuse_existing_report(&args.output, args.overwrite)?;
    refuse_no_lag(args.lag)?;
    super::positive("--time-step", args.time_step)?;
    super::positive("--reference-time-step", args.reference_time_step)?;
    super::start_threads(args.threads)?;
    let options = CompareOptions {
        inputs: Inputs {
            run: args.run.clone(),
            reference: args.reference.clone(),
            run_top: args.top.clone(),
            reference_top: args.reference_top.clone(),
            run_is_start: false,
        },
        time_step: args.time_step,
        reference_time_step: args.reference_time_step,
        lag: args.lag,
        paired: args.paired,
        log: args.log.clone(),
        viewer: args.viewer.clone().or_else(viewer_beside),
        memory: (args.memory as usize) << 19,
    };
    let sides = options.open()?;
    say(args.quiet, &sides.notes);
    let frames = sides.run.iter().chain(&sides.reference);
    let bar = progress(args.quiet, frames.map(Source::looked_at).sum());
    let compared = session::compare::compare(&options, &sides, &|count| bar.inc(count as u64));
    bar.finish_and_clear();
    let compared = compared?;
    say(args.quiet, &compared.notes[sides.notes.len()..]);
    let report = compared.report(super::typed_text().join(" "));
    let described = [
        format!("run: {}", report.run.describe()),
        format!("reference: {}", report.reference.describe()),
    ];
    say(args.quiet, &described);
    let files = report.write(&args.output)?;
    if args.json {
        print_json(&report.metrics(), &files);
    } else {
        print!("{}", table(&compared.findings.measures));
        say(args.quiet, &Vec::from_iter(report.gain()));
        say(
            args.quiet,
            &[report.sentence(), format!("report: {}", files[0].display())],
        );
    }
    Ok(())
}
