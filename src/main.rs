//! Parse, call the library, print the error chain, exit with its code.
use std::process::ExitCode;

fn main() -> ExitCode {
    match mdsurrogate::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", mdsurrogate::cli::render(&error));
            ExitCode::from(error.exit_code())
        }
    }
}
