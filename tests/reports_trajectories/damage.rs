//! Frames that are no molecule.

use std::path::Path;

use mdsurrogate::structure::{ReadOptions, Structure, read};
use nalgebra::Vector3;

use crate::program::{program, repository, words};
use crate::{compare, frames, refusal, report, text, train, write};
use mdsurrogate::structure::Frame;

fn structure() -> Structure {
    read(&report("akle_run.pdb"), &ReadOptions::default()).unwrap()
}

#[test]
fn a_tail_of_zeros_in_the_reference_swells_no_floor() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.xtc");
    write(&whole, &frames(&report("xtc_zero_tail.xtc"))[..70]);
    let (run, tail) = (report("xtc_frozen.xtc"), report("xtc_zero_tail.xtc"));
    let (found, clean) = (compare(&run, &tail), compare(&run, &whole));
    let line = "xtc_zero_tail.xtc: 51 of 121 frames are no molecule and left out: 70–120; frame \
                70: all atoms are at one point";
    assert!(found.words.contains(line), "{}", found.words);
    // a frozen run is outside of a clean reference by most measures, and so it is of this one
    assert_eq!(found.verdicts("outside"), clean.verdicts("outside"));
    assert!(found.verdicts("outside") >= 10, "{}", found.words);
    for name in ["radius_of_gyration", "torsion_jsd", "rmsd"] {
        for field in ["value", "floor"] {
            let (a, b) = (found.number(name, field), clean.number(name, field));
            assert!((a - b).abs() <= 1e-9, "{name} {field}: {a} {b}");
        }
    }
    let valid = found.number("valid_fraction", "reference");
    let truth = clean.number("valid_fraction", "reference") * 70.0 / 121.0;
    assert!((valid - truth).abs() <= 1e-9, "{valid} {truth}");
}

#[test]
fn a_frame_of_zeros_in_a_run_is_named_and_left_out() {
    let reference = report("akle_ref.xtc");
    let found = compare(&report("xtc_zero_frame.xtc"), &reference);
    let clean = compare(&report("akle_run.xtc"), &reference);
    let line = "xtc_zero_frame.xtc: 1 of 121 frames is no molecule and left out: 70; frame 70";
    assert!(found.words.contains(line), "{}", found.words);
    for (name, slack) in [
        ("radius_of_gyration", 0.01),
        ("torsion_jsd", 0.002),
        ("rmsd", 0.01),
    ] {
        let (a, b) = (found.number(name, "value"), clean.number(name, "value"));
        assert!((a - b).abs() <= slack, "{name}: {a} {b}");
    }
    let truth = clean.number("valid_fraction", "run") * 120.0 / 121.0;
    let valid = found.number("valid_fraction", "run");
    assert!((valid - truth).abs() <= 0.01, "{valid} {truth}");
    let times = ["decorrelation"].map(|name| found.number(name, "value"));
    assert!(times[0].is_finite());
}

/// Makes of the frames of a run a file with this damage at frame 30.
fn damaged(path: &Path, damage: impl Fn(&mut Vec<Vector3<f64>>)) {
    let mut all = frames(&report("akle_run.xtc"));
    damage(&mut all[30].positions);
    write(path, &all);
}

#[test]
fn every_kind_of_damage_is_left_out_of_comparisons_and_refused_in_training() {
    let folder = tempfile::tempdir().unwrap();
    let half = structure().topology.len() / 2;
    type Damage<'a> = (&'a str, &'a str, &'a dyn Fn(&mut Vec<Vector3<f64>>));
    let kinds: [Damage; 5] = [
        ("point.dcd", "all atoms are at one point", &|x| {
            x.fill(Vector3::new(9.0, 1.0, 2.0));
        }),
        ("half.xtc", "are at one point", &|x| {
            x[half..].fill(Vector3::zeros());
        }),
        ("torn.xtc", "Å long", &|x| {
            x[half..].iter_mut().for_each(|x| x.z += 25.0);
        }),
        ("huge.dcd", "Å from the origin", &|x| x[7].x = 1e30),
        ("lone.trr", "Å long", &|x| {
            x[0] = Vector3::new(0.0, 0.0, 400.0);
        }),
    ];
    for (name, what, damage) in kinds {
        let path = folder.path().join(name);
        damaged(&path, damage);
        let found = compare(&path, &report("akle_ref.xtc"));
        let line = format!("{name}: 1 of 121 frames is no molecule and left out: 30; frame 30: ");
        assert!(
            found.words.contains(&line) && found.words.contains(what),
            "{}",
            found.words
        );
        let said = words(&train(folder.path(), &path, &report("akle_run.pdb"), "", 2));
        assert!(
            said.contains("frame 30") && said.contains(what),
            "{name}: {said}"
        );
    }
}

#[test]
fn training_refuses_a_frame_of_zeros_and_counts_them() {
    let folder = tempfile::tempdir().unwrap();
    let top = report("akle_run.pdb");
    let one = words(&train(
        folder.path(),
        &report("xtc_zero_frame.xtc"),
        &top,
        "",
        2,
    ));
    assert!(
        one.contains("xtc_zero_frame.xtc, frame 70: all atoms are at one point"),
        "{one}"
    );
    let tail = words(&train(
        folder.path(),
        &report("xtc_zero_tail.xtc"),
        &top,
        "",
        2,
    ));
    assert!(tail.contains("51 of 121 frames are no molecule"), "{tail}");
}

#[test]
fn coordinates_that_overflowed_are_no_panic() {
    let run = report("reliability/compare-panic-tiny-precision.xtc");
    let (top, good) = (
        report("reliability/akle-top.pdb"),
        report("reliability/akle-good.xtc"),
    );
    let folder = tempfile::tempdir().unwrap();
    let command = [
        "compare",
        &text(&run),
        "--top",
        &text(&top),
        "--reference",
        &text(&good),
    ];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mdsurrogate"))
        .args(command)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = words(&output);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{said}");
    assert!(
        said.contains("compare-panic-tiny-precision.xtc") && said.contains("frame "),
        "{said}"
    );
    assert!(
        said.contains("Å from the origin") || said.contains("Å long"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_mostly_no_molecule_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mostly.xtc");
    let mut all = frames(&report("akle_run.xtc"));
    let torn = |frame: &mut Frame| frame.positions[40..].iter_mut().for_each(|x| x.y -= 50.0);
    all[20..].iter_mut().for_each(torn);
    write(&path, &all);
    let said = refusal(&path, &report("akle_ref.xtc"));
    assert!(
        said.contains("frame 20") && said.contains("101 of 121 frames"),
        "{said}"
    );
    let said = refusal(&report("dcd_nan_frame.dcd"), &report("akle_ref.xtc"));
    assert!(
        said.contains("frame ") && said.contains("not numbers"),
        "{said}"
    );
    let said = refusal(&report("dcd_nanometres.dcd"), &report("akle_ref.xtc"));
    assert!(said.contains("not in Å"), "{said}");
}

#[test]
fn the_trainings_of_the_reports_say_what_they_read() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("t");
    let prefix = prefix.to_str().unwrap();
    for (file, code, part) in [
        (
            "train_ok.toml",
            0,
            "107 pairs for training, 11 for validation",
        ),
        // the restart's eleven frames are left out: the same pairs
        (
            "train_overlap.toml",
            0,
            "the earlier copies are left out, frames 50–60",
        ),
        (
            "train_overlap.toml",
            0,
            "107 pairs for training, 11 for validation",
        ),
        (
            "train_vmd_dcd_dt.toml",
            0,
            "a time step of 1, which VMD and mdtraj write for none",
        ),
        (
            "train_zero_frame.toml",
            2,
            "frame 70: all atoms are at one point",
        ),
    ] {
        let command = ["train", file, "-o", prefix, "--overwrite", "--fresh"];
        let said = words(&program(&repository("tests/data/reports"), &command, code));
        assert!(said.contains(part), "{file}: {said}");
    }
}
