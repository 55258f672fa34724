//! The program as a user types it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs the program in a folder; it must end with this code.
pub fn program(folder: &Path, words: &[&str], code: i32) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_mdsurrogate"))
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{words:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// What it said.
pub fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
