//! What the user types for any command that runs a simulation.

use std::path::PathBuf;

use crate::simulate::OnGuard;

/// Trajectory formats that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum TrajFormat {
    /// GROMACS XTC: compressed, positions to 0.01 Å
    #[default]
    Xtc,
    /// CHARMM/NAMD DCD: positions as 32-bit numbers
    Dcd,
}

impl TrajFormat {
    /// The file's ending.
    pub fn ending(self) -> &'static str {
        match self {
            TrajFormat::Xtc => "xtc",
            TrajFormat::Dcd => "dcd",
        }
    }
}

/// Flags of every command that runs a simulation. Quantities carry units, strides are steps (`10`)
/// or times (`100ps`).
#[derive(Debug, Clone, clap::Args)]
pub struct JobArgs {
    /// Names of all output files start with this [default: the input's stem; STEM_run where
    /// PREFIX.pdb would be the input]
    #[arg(short, long, value_name = "PREFIX", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Steps to run, counted from the input [default: see the command]
    #[arg(long, value_name = "N", conflicts_with = "time")]
    pub steps: Option<u64>,
    /// Physical time to run instead of a number of steps: 100ps, 1ns
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// Format of the trajectory
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub traj_format: TrajFormat,
    /// Stride of the trajectory: steps (10) or a time (100ps) [default: every step of a jump, 1ps
    /// of dynamics]
    #[arg(long, value_name = "STRIDE", help_heading = "Output")]
    pub traj_every: Option<String>,
    /// Stride of the CSV log [default: that of the trajectory]
    #[arg(long, value_name = "STRIDE", help_heading = "Output")]
    pub log_every: Option<String>,
    /// Stride of checkpoints, where guards go back to and interrupted runs go on from [default: 100
    /// frames of the trajectory; every two minutes in any case, but of runs that roll back]
    #[arg(long, value_name = "STRIDE", help_heading = "Output")]
    pub checkpoint_every: Option<String>,
    /// What to do when a frame is not a molecule any more [default: redraw for jumps, abort for
    /// dynamics]
    #[arg(long, value_enum, help_heading = "Guards")]
    pub guard: Option<OnGuard>,
    /// Stride of the geometry guard [default: every step of a jump, 0.1ps of dynamics]
    #[arg(long, value_name = "STRIDE", help_heading = "Guards")]
    pub guard_every: Option<String>,
    /// Times that `--guard rollback` may go back before the run stops
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Guards")]
    pub max_rollbacks: u64,
    /// Seed of all random numbers: the same seed gives the same bits, on any number of threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Independent runs at once, in files PREFIX_r0.*, PREFIX_r1.*, …
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub replicas: u64,
    /// Only this one of the replicas (from 0), in files PREFIX_rN.*: for job arrays; its bits are
    /// those of a run of all
    #[arg(long, value_name = "N", conflicts_with = "replicas")]
    pub replica_index: Option<u64>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub threads: Option<u64>,
    /// Stop in good order after this many hours (exit code 75; the same command goes on)
    #[arg(long, value_name = "HOURS")]
    pub maxh: Option<f64>,
    /// Read further flags from a TOML file of the same names; those on the command line come first
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Allow output files that exist to be replaced
    #[arg(long, help_heading = "Output")]
    pub overwrite: bool,
    /// Start over, even where there is a checkpoint to go on from
    #[arg(long)]
    pub fresh: bool,
    /// Check everything, say what would be done, and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Print events to stdout, one JSON object a line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Say more on the console
    #[arg(short, long, conflicts_with = "quiet", help_heading = "Output")]
    pub verbose: bool,
    /// Say nothing on the console but errors
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}
