//! The programs that read our files: MDAnalysis and mdtraj, in a Python environment that `make
//! test` creates.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The environment's Python: `MDSURROGATE_CLIENTS`, or where make puts it. None where it is
/// missing, with a line that says so; a failure under `MDSURROGATE_REQUIRE_CLIENTS=1`.
fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients/bin/python");
    let python = std::env::var_os("MDSURROGATE_CLIENTS").map_or(made, PathBuf::from);
    if python.is_file() {
        return Some(python);
    }
    let required =
        std::env::var_os("MDSURROGATE_REQUIRE_CLIENTS").is_some_and(|value| value == "1");
    assert!(
        !required,
        "MDSURROGATE_REQUIRE_CLIENTS=1, but there is no {}",
        python.display()
    );
    println!(
        "skipped: no Python with MDAnalysis and mdtraj at {} (`make test` installs one)",
        python.display()
    );
    None
}

/// What each client reads in a trajectory.
pub fn read_back(topology: &Path, trajectory: &Path) -> Option<serde_json::Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/read_back.py");
    let out = trajectory.with_extension("json");
    let output = Command::new(python()?)
        .arg(script)
        .arg(topology)
        .arg(trajectory)
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap())
}
