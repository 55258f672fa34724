//! `mdsurrogate finetune` as a user meets it.

mod program;

use std::path::Path;

use program::{program, repository, words};

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn one_command_makes_a_model_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let akle = repository("data/structures/akle.pdb");
    let akle = akle.to_str().unwrap();
    let line = [
        "finetune",
        akle,
        "--time",
        "160ps",
        "--minutes",
        "0.02",
        "-o",
        "own",
    ];

    let said = words(&program(
        folder.path(),
        &[&line[..], &["--dry-run"]].concat(),
        0,
    ));
    assert!(
        said.contains("69 atoms") && said.contains("min in all"),
        "{said}"
    );
    assert!(is_empty(folder.path()), "--dry-run writes nothing");

    let output = program(folder.path(), &line, 0);
    assert!(
        words(&output).contains("-m own.safetensors"),
        "{}",
        words(&output)
    );
    let table = String::from_utf8(output.stdout).unwrap();
    for measure in [
        "Valid frames",
        "Torsions φ ψ χ, JSD",
        "Torsion decorrelation times",
    ] {
        assert!(table.contains(measure), "{measure} stands in\n{table}");
    }
    let info = program(folder.path(), &["model", "info", "own.safetensors"], 0);
    assert!(
        String::from_utf8_lossy(&info.stdout).contains("own_reference"),
        "it says what it was trained on"
    );
    program(
        folder.path(),
        &[
            "run",
            akle,
            "-m",
            "own.safetensors",
            "--steps",
            "2",
            "-o",
            "rollout",
            "-q",
        ],
        0,
    );
    assert!(folder.path().join("rollout.xtc").is_file());

    // the same command again finds its reference MD and goes on from there
    let reference = || {
        std::fs::metadata(folder.path().join("own_reference_r0.xtc"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let made = reference();
    program(folder.path(), &line, 0);
    assert_eq!(reference(), made);
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let akle = repository("data/structures/akle.pdb");
    let akle = akle.to_str().unwrap();
    for (line, what) in [
        (vec!["finetune", "missing.pdb"], "missing.pdb"),
        (vec!["finetune", akle, "--time", "10ps"], "--time"),
        (vec!["finetune", akle, "--minutes", "0"], "--minutes"),
        (vec!["finetune", akle, "--time", "2"], "has no unit"),
        (
            vec!["finetune", akle, "-m", "missing.safetensors"],
            "missing.safetensors",
        ),
    ] {
        let said = words(&program(folder.path(), &line, 2));
        assert!(said.contains(what), "{line:?}: {said}");
        assert!(is_empty(folder.path()), "{line:?} writes nothing");
    }
}
