//! What comes out of the program is what came out before: trajectories, trainings, energies,
//! measures.
//!
//! `scripts/fingerprint.sh` makes the list that this is held against, and says when it may change.

#[allow(dead_code, reason = "each test uses a part of it")]
mod program;

use std::process::Command;

#[test]
fn nothing_that_comes_out_has_changed() {
    let script = program::repository("scripts/fingerprint.sh");
    let output = Command::new(script)
        .arg(env!("CARGO_BIN_EXE_mdsurrogate"))
        .output()
        .expect("sh runs");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    let found = String::from_utf8(output.stdout).unwrap();
    let path = program::repository("tests/data/fingerprint.txt");
    let expected = std::fs::read_to_string(path).unwrap();
    let machine = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    if machine(&found) != machine(&expected) {
        // the hashes of another machine's mathematics say nothing of the code: only that it runs
        eprintln!(
            "hashes not compared: {} here, {} there",
            machine(&found),
            machine(&expected)
        );
        assert_eq!(found.lines().count(), expected.lines().count());
        return;
    }
    let changed: Vec<&str> = found
        .lines()
        .filter(|line| !expected.lines().any(|old| old == *line))
        .collect();
    assert!(changed.is_empty(), "changed: {changed:#?}");
    assert_eq!(found.lines().count(), expected.lines().count());
}
