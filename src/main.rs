//! Parse, call the library, print the error chain, exit with its code.

mod level;
mod memory;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    mdsurrogate::name_commit!();
    if let Err(code) = level::choose() {
        return code;
    }
    quiet_libraries();
    #[cfg(feature = "chemfiles")]
    if let Ok(program) = std::env::current_exe() {
        mdsurrogate::foreign::use_program(program);
    }
    match mdsurrogate::cli::main(std::env::args_os().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // whoever reads it may be gone
            let _ = writeln!(std::io::stderr(), "{}", mdsurrogate::cli::render(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Keeps Mesa's layer that sorts Vulkan devices out of processes without XDG_RUNTIME_DIR
/// (containers, cron, batch jobs), where all that it does is to write two lines of complaint to
/// stderr.
#[allow(unsafe_code, reason = "the environment is one of the process")]
fn quiet_libraries() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: the environment is changed before there is another thread to read it.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}
