//! `mdsurrogate` on many processes: started by `mpirun` or `srun`, `run` shares its replicas among
//! them and `train` its batches (docs/clusters.md).
//!
//! A program of its own, as that of other codes is: `mdsurrogate` is built and started where there
//! is no MPI, and those who have it need not choose.

mod processes;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use mdsurrogate::Error;
use mdsurrogate::ranks::Ranks;
use mpi::Threading;
use mpi::topology::Communicator;
use processes::Processes;

fn main() -> ExitCode {
    mdsurrogate::name_commit!();
    // whichever thread calls it, one at a time
    let Some((universe, _)) = mpi::initialize_with_threading(Threading::Serialized) else {
        let _ = writeln!(std::io::stderr(), "error: MPI is initialised already");
        return ExitCode::from(4);
    };
    let world = universe.world();
    let processes = Arc::new(Processes::new(&world));
    let rank = processes.rank();
    let Err(error) = mdsurrogate::cli::main_among(std::env::args_os().collect(), processes) else {
        return ExitCode::SUCCESS;
    };
    let interrupted = matches!(error, Error::Interrupted { .. });
    if rank == 0 || !interrupted {
        // whoever reads it may be gone
        let _ = writeln!(std::io::stderr(), "{}", mdsurrogate::cli::render(&error));
    }
    if !interrupted && world.size() > 1 {
        // the others would wait for this process
        world.abort(error.exit_code().into());
    }
    // behind MPI's own end, which `universe` brings when it goes
    ExitCode::from(error.exit_code())
}
