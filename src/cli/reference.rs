//! `mdsurrogate reference PROTEIN`: molecular dynamics in the physical force field.

use super::backend::Backend;
use super::config::with_file;
use super::job::JobArgs;
use super::motion::Motion;
use super::protein::{Field, Protein};
use super::start_threads;
use crate::Result;
use crate::session::{ReferenceOptions, Session};
use crate::simulate::Stop;

/// Run reference MD of a protein: ff14SB with OBC2 implicit water
///
/// The protein is completed, minimised and heated; frame 0 is the state after that. Stopped by
/// Ctrl-C or --maxh, the same command goes on.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub protein: Protein,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub field: Field,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub motion: Motion,
    /// Where forces are computed and integrated; a GPU in f32, all replicas at once
    #[arg(long, value_enum, default_value = "cpu")]
    pub backend: Backend,
    /// Mass of hydrogens, Da, taken from the heavy atoms that carry them; 1: their own
    #[arg(
        long,
        value_name = "MASS",
        default_value_t = 3.0,
        help_heading = "Dynamics"
    )]
    pub hydrogen_mass: f64,
    /// Hold the bonds of hydrogens at their lengths
    #[arg(long, help_heading = "Dynamics")]
    pub hold_hydrogens: bool,
    /// Time of heating to the temperature before frame 0; 0ps: none
    #[arg(
        long,
        value_name = "TIME",
        default_value = "20ps",
        value_parser = super::time,
        help_heading = "Dynamics"
    )]
    pub heat: f64,
    /// Also write PREFIX.trr: positions, velocities and forces of every frame of the trajectory
    #[arg(long, help_heading = "Output")]
    pub forces: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub job: JobArgs,
}

/// Runs the dynamics.
///
/// # Errors
/// Those of [`Session::reference`] and [`Session::run`].
pub fn run(args: Args) -> Result<()> {
    let args = match &args.job.config {
        Some(file) => with_file("reference", file, super::typed()[2..].to_vec())?,
        None => args,
    };
    // before anything takes time
    Stop::on_signals();
    start_threads(args.job.threads)?;
    let run = args.job.run_options(None)?;
    let options = ReferenceOptions {
        completion: (&args.protein.completion).into(),
        backend: args.backend.into(),
        dynamics: (&args.motion).into(),
        precision: args.field.precision,
        cutoff: args.field.cutoff,
        hydrogen_mass: args.hydrogen_mass,
        hold_hydrogens: args.hold_hydrogens,
        heat: args.heat,
        forces: args.forces,
        seed: args.job.seed,
        replicas: args.job.replicas(),
        threads: None,
    };
    let session = Session::reference(&args.protein.file, &options)?;
    args.job.carry_out(session, &run)
}
