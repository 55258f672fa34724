//! Runs that are given by the prefix of their files.

use std::path::PathBuf;

use mdsurrogate::compare::source::{Inputs, open};

use crate::data::{data, structure};

#[test]
fn a_prefix_stands_for_every_replica_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let put = |from: PathBuf, name: &str| {
        std::fs::copy(from, folder.path().join(name)).unwrap();
    };
    put(structure("akle"), "run.pdb");
    // as an array of jobs leaves them, of which one went wrong
    for replica in [
        "run_r0.xtc",
        "run_r2.part.xtc",
        "run_r11.xtc",
        "runs_r3.xtc",
    ] {
        put(data("akle_a.xtc"), replica);
    }
    let inputs = Inputs {
        run: vec![folder.path().join("run")],
        reference: vec![data("akle_b.xtc")],
        reference_top: Some(structure("akle")),
        ..Inputs::default()
    };
    let sides = open(&inputs).unwrap();
    let names: Vec<String> = (sides.run.iter().map(|source| &source.path))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["run_r0.xtc", "run_r2.part.xtc", "run_r11.xtc"]);
    let elsewhere = Inputs {
        run: vec![folder.path().join("walk")],
        ..inputs
    };
    let error = open(&elsewhere).unwrap_err().to_string();
    assert!(
        error.contains("walk is no trajectory and no prefix"),
        "{error}"
    );
}
