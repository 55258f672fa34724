//! `mdsurrogate run`: step a trajectory of a protein with a trained network.

use std::path::{Path, PathBuf};

use super::backend::Backend;
use super::config::with_file;
use super::console::println;
use super::job::JobArgs;
use super::motion::Motion;
use super::protein::Completion;
use super::sampling::Sampling;
use super::{start_threads, start_threads_among};
use crate::ranks::Ranks;
use crate::session::{ModelSource, Options, Replicas, Session, Span, devices, share_out};
use crate::simulate::Stop;
use crate::task::Task;
use crate::{Error, Result};

/// Step a trajectory of a protein with a trained network
///
/// `mdsurrogate run protein.pdb` makes 1000 steps with the model that is built in. A model of jumps
/// takes those of --relax, --levels, …; a model of forces is integrated as --ensemble, --dt, … say.
/// Stopped by Ctrl-C or --maxh, the same command goes on.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct Args {
    /// Protein structure: PDB or mmCIF, plain or gzipped
    #[arg(required_unless_present_any = ["config", "list_devices"])]
    pub protein: Option<PathBuf>,
    /// Model file [default: the one that is built in]
    #[arg(short, long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t)]
    pub backend: Backend,
    /// List the devices that --backend chooses from, and stop
    #[arg(long)]
    pub list_devices: bool,
    /// Stride at which the network's rotation and translation symmetry is measured on the live
    /// frame; 0: never
    #[arg(
        long,
        value_name = "STRIDE",
        default_value = "100",
        help_heading = "Guards"
    )]
    pub check_equivariance_every: String,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub completion: Completion,
    /// Take the input as it is: add no atoms (without all hydrogens there are no energies), do not
    /// equilibrate it
    #[arg(long, conflicts_with_all = ["fix", "equilibrate"])]
    pub as_is: bool,
    /// Before the first jump, minimise the input and give it this time of dynamics in the force
    /// field at the model's temperature; jumps keep to the fold that it then has. 0ps: neither
    #[arg(long, value_name = "TIME", default_value = "10ps", value_parser = super::time)]
    pub equilibrate: f64,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub sampling: Sampling,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub motion: Motion,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub job: JobArgs,
}

/// Runs the simulation, or this process's share of its replicas.
///
/// # Errors
/// Those of reading the protein and the model, of [`Session::run`] and of [`share_out`].
pub fn run(args: Args, ranks: &dyn Ranks) -> Result<()> {
    if args.list_devices {
        start_threads(None)?;
        devices().iter().for_each(|device| println!("{device}"));
        println!("CPU ({} threads)", rayon::current_num_threads());
        return Ok(());
    }
    let mut args = match &args.job.config {
        Some(file) => with_file("run", file, super::typed()[2..].to_vec())?,
        None => args,
    };
    let hint = "mdsurrogate run protein.pdb";
    let input = args.protein.take();
    let input = input.ok_or_else(|| Error::usage("there is no protein to run", hint))?;
    // before anything takes time
    Stop::on_signals();
    start_threads_among(ranks, args.job.threads)?;
    if ranks.count() == 1 {
        return carry_out(&args, &input, args.job.replicas());
    }
    let Replicas::Together(replicas) = args.job.replicas() else {
        let what = "--replica-index is for one process";
        return Err(Error::usage(what, "--replicas, which the processes share"));
    };
    if ranks.rank() > 0 {
        args.job.keep_silent();
    }
    if args.job.dry_run {
        return match ranks.rank() {
            0 => carry_out(&args, &input, Replicas::Together(replicas)),
            _ => Ok(()),
        };
    }
    let output = args.job.run_options(None)?.output;
    share_out(ranks, replicas, &output, &input, |own| {
        carry_out(&args, &input, own)
    })
}

/// Runs so many of the replicas.
fn carry_out(args: &Args, input: &Path, replicas: Replicas) -> Result<()> {
    let equivariance = match args.check_equivariance_every.as_str() {
        "0" => None,
        text => Some(Span::parse("--check-equivariance-every", text)?),
    };
    let run = args.job.run_options(equivariance)?;
    let options = Options {
        model: args.model.clone().into(),
        backend: args.backend.into(),
        completion: (&args.completion).into(),
        as_is: args.as_is,
        equilibrate: args.equilibrate,
        jumps: (&args.sampling).into(),
        dynamics: (&args.motion).into(),
        seed: args.job.seed,
        replicas,
        threads: None,
    };
    refuse_flags_of_others(&options.model, args)?;
    let session = Session::open(input, &options)?;
    args.job.carry_out(session, &run)
}

/// Refuses a flag that is for models of another kind than this one.
fn refuse_flags_of_others(model: &ModelSource, args: &Args) -> Result<()> {
    let (jumps, dynamics) = (args.sampling.changed(), args.motion.changed());
    if jumps.is_none() && dynamics.is_none() {
        return Ok(());
    }
    let (is, flags) = match model.examine()?.task {
        Task::Jump(_) => ("jumps", [(dynamics, "forces"), (None, "")]),
        Task::NextFrame(_) => ("next frames", [(dynamics, "forces"), (jumps, "jumps")]),
        Task::Force(_) => ("forces", [(jumps, "jumps"), (None, "")]),
    };
    for (flag, wanted) in flags {
        if let Some(flag) = flag {
            return Err(Error::usage(
                format!("{flag} is for models of {wanted}, this one is of {is}"),
                format!("leave {flag} out"),
            ));
        }
    }
    Ok(())
}
