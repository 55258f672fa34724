//! What the program prints. Whoever reads it may stop reading (`| head`, a closed terminal, a full
//! disk): that never is a panic. A pipe that is closed ends the output quietly; a stdout that
//! cannot be written for another reason is an error of the command, when it has done its work.
//! Characters of files that a terminal would obey are not passed on.
//!
//! The macros are used in place of the standard library's of the same names, which panic.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};
use std::sync::Mutex;

use crate::error::printable;
use crate::{Error, Result};

/// The first error that stdout met.
static FAILED: Mutex<Option<std::io::Error>> = Mutex::new(None);

/// Writes to stdout.
pub fn out(words: Arguments<'_>) {
    let mut failed = FAILED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if failed.is_none() {
        let words = words.to_string();
        *failed = std::io::stdout()
            .write_all(printable(&words).as_bytes())
            .err();
    }
}

/// Writes to stderr.
pub fn err(words: Arguments<'_>) {
    let words = words.to_string();
    let _ = std::io::stderr().write_all(printable(&words).as_bytes());
}

/// Whether all that was printed could be.
///
/// # Errors
/// [`Error::Output`] where stdout could not be written, but for a pipe that was closed.
pub fn finish() -> Result<()> {
    let mut failed = FAILED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let flushed = std::io::stdout().flush().err();
    match failed.take().or(flushed) {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::output(
            "stdout",
            format!("cannot be written: {error}"),
            "free disk space, or send it elsewhere",
        )),
        _ => Ok(()),
    }
}

macro_rules! print {
    ($($words:tt)*) => { $crate::cli::console::out(format_args!($($words)*)) };
}
macro_rules! println {
    () => { $crate::cli::console::out(format_args!("\n")) };
    ($($words:tt)*) => {
        $crate::cli::console::out(format_args!("{}\n", format_args!($($words)*)))
    };
}
macro_rules! eprint {
    ($($words:tt)*) => { $crate::cli::console::err(format_args!($($words)*)) };
}
macro_rules! eprintln {
    ($($words:tt)*) => {
        $crate::cli::console::err(format_args!("{}\n", format_args!($($words)*)))
    };
}
pub(crate) use {eprint, eprintln, print, println};
