//! Times that were never set, that go back, that start over.

use std::path::Path;

use mdsurrogate::trajectory::Reader;

use crate::program::{program, words};
use crate::{assert_equal, compare, compare_with, frames, report, train, write};

#[test]
fn times_that_were_never_set_are_unknown_and_flags_give_them() {
    let (run, reference) = (report("vmd_like_every4.dcd"), report("mdtraj_written.dcd"));
    let without = compare(&run, &reference);
    for word in [
        "vmd_like_every4.dcd: holds no times",
        "mdtraj_written.dcd: holds no times",
        "--time-step gives it",
    ] {
        assert!(without.words.contains(word), "{word}: {}", without.words);
    }
    assert!(!without.words.contains("ps apart"), "{}", without.words);
    let given = ["--time-step", "640ps", "--reference-time-step", "160ps"];
    let with = compare_with(&run, &reference, &given);
    assert!(with.words.contains("640 ps apart") && with.words.contains("160 ps apart"));
    // by mdtraj's torsions: 355 ps in the run, 320 ps in the reference
    let value = with.number("decorrelation", "value");
    assert!((value - 0.18).abs() <= 0.02, "{value}");
}

#[test]
fn one_flag_gives_the_times_of_both_sides() {
    let (run, reference) = (report("dcd_delta_zero.dcd"), report("mdtraj_written.dcd"));
    let given = compare_with(&run, &reference, &["--time-step", "160ps"]);
    assert_eq!(
        given.words.matches("160 ps apart").count(),
        2,
        "{}",
        given.words
    );
    // a reference that has its times keeps them
    let given = compare_with(&run, &report("akle_ref.xtc"), &["--time-step", "80ps"]);
    assert!(given.words.contains(" 80.0 ps apart") && given.words.contains("160 ps apart"));
    let folder = tempfile::tempdir().unwrap();
    let command = [
        "compare",
        "a.xtc",
        "--reference",
        "b.xtc",
        "--time-step",
        "0ps",
    ];
    let said = words(&program(folder.path(), &command, 2));
    assert!(said.contains("--time-step 0"), "{said}");
}

#[test]
fn what_a_restart_wrote_again_is_left_out() {
    let reference = report("akle_ref.xtc");
    let found = compare(&report("xtc_overlap_restart.xtc"), &reference);
    let line = "xtc_overlap_restart.xtc: times go back at frame 61, from 9600 to 8000 ps";
    assert!(found.words.contains(line), "{}", found.words);
    assert!(
        found
            .words
            .contains("121 frames, 160 ps apart, 19.2 ns in all"),
        "{}",
        found.words
    );
    assert_equal(&found, &compare(&report("akle_run.xtc"), &reference), 1e-12);

    let folder = tempfile::tempdir().unwrap();
    let top = report("akle_run.pdb");
    let path = report("xtc_overlap_restart.xtc");
    let said = words(&train(folder.path(), &path, &top, "", 0));
    assert!(
        said.contains("frame 61") && said.contains("121 frames"),
        "{said}"
    );
}

#[test]
fn a_restart_in_a_file_without_times_is_found_by_its_frames() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("restart.dcd");
    write(&path, &frames(&report("xtc_overlap_restart.xtc")));
    let mut all = frames(&report("akle_run.xtc"));
    all.splice(61..61, all[50..61].to_vec());
    write(&path, &all);
    unset_dcd_times(&path);
    let found = compare_with(&path, &report("akle_ref.xtc"), &["--time-step", "160ps"]);
    assert!(
        found.words.contains("frames 50–60 stand in it again"),
        "{}",
        found.words
    );
    assert_equal(
        &found,
        &compare(&report("akle_run.xtc"), &report("akle_ref.xtc")),
        1e-5,
    );
    let top = report("akle_run.pdb");
    let said = words(&train(
        folder.path(),
        &path,
        &top,
        "time_step = \"160ps\"",
        0,
    ));
    assert!(said.contains("frames 50–60"), "{said}");

    // frames written twice each, and a frozen run, are said and kept
    let twice = compare(&report("xtc_frames_repeated.xtc"), &report("akle_ref.xtc"));
    assert!(
        twice
            .words
            .contains("60 of 121 frames repeat an earlier one"),
        "{}",
        twice.words
    );
    let frozen = compare(&report("xtc_frozen.xtc"), &report("akle_ref.xtc"));
    assert!(
        frozen.words.contains("repeat an earlier one"),
        "{}",
        frozen.words
    );
}

/// Sets the time step in a DCD header to what VMD writes.
fn unset_dcd_times(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[44..48].copy_from_slice(&1f32.to_le_bytes());
    std::fs::write(path, bytes).unwrap();
}

/// A file of MDAnalysis, whose stride is 1, with another time step and stride in its header.
fn dcd_with(delta: f32, stride: i32) -> Reader {
    let path = super::repository("tests/data/trajectories/s.dcd");
    let mut bytes = std::fs::read(path).unwrap();
    bytes[16..20].copy_from_slice(&stride.to_le_bytes());
    bytes[44..48].copy_from_slice(&delta.to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.dcd"), bytes).unwrap();
    Reader::open(folder.path().join("s.dcd"), None).unwrap()
}

#[test]
fn time_steps_of_dcd_that_no_dynamics_takes_are_none() {
    // LAMMPS and ACEMD write fs, others ps or 0.001 for none; a frame is no 0.05 fs
    for (delta, stride) in [(4.0, 25_000), (2.0, 1000), (0.002, 500), (0.001, 1)] {
        let reader = dcd_with(delta, stride);
        assert_eq!(reader.time_step(), None, "{delta} {stride}");
        let said = reader.notes().join("\n");
        let words = format!("a time step of {delta}, ");
        assert!(
            said.contains(&words) && said.contains("no dynamics takes"),
            "{said}"
        );
    }
    // 2 fs every 1000 steps; 100 ps in one step, as MDAnalysis writes what it knows of frames
    for (delta, stride, step) in [(0.040_909_65, 1000, 2.0), (2045.4829, 1, 100.0)] {
        let reader = dcd_with(delta, stride);
        let found = reader.time_step().unwrap();
        assert!((found - step).abs() <= 1e-4 * step, "{found}");
        assert_eq!(reader.notes(), [] as [String; 0]);
    }
}

#[test]
fn a_dcd_whose_titles_are_longer_than_it_says_is_read() {
    let path = super::repository("tests/data/trajectories/s.dcd");
    let mut bytes = std::fs::read(path).unwrap();
    let length = u32::from_le_bytes(bytes[92..96].try_into().unwrap()) as usize;
    assert_eq!(length, 244); // three titles
    for place in [92, 96 + length] {
        bytes[place..place + 4].copy_from_slice(&164u32.to_le_bytes());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.dcd");
    std::fs::write(&path, bytes).unwrap();
    let reader = Reader::open(&path, None).unwrap();
    assert_eq!((reader.len(), reader.n_atoms()), (5, 12));
}

#[test]
fn times_that_cannot_be_trusted_are_said_and_no_frame_is_lost() {
    for (name, frames, word) in [
        (
            "xtc_time_starts_over.xtc",
            121,
            "times do not grow at frame 60",
        ),
        ("xtc_all_times_zero.xtc", 121, "times not known"),
        ("xtc_mixed_dt.xtc", 76, "not evenly spaced"),
    ] {
        let found = compare(&report(name), &report("akle_ref.xtc"));
        assert!(found.words.contains(word), "{name}: {}", found.words);
        assert!(
            found.words.contains(&format!("{frames} frames")),
            "{name}: {}",
            found.words
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backward.xtc");
    let mut all = frames(&report("akle_run.xtc"));
    all.reverse();
    write(&path, &all);
    let found = compare(&path, &report("akle_ref.xtc"));
    assert!(found.words.contains("times decrease"), "{}", found.words);
    for (name, first) in [
        ("xtc_negative_time.xtc", -1000.0),
        ("xtc_late_times.xtc", 2e7),
    ] {
        let reader = Reader::open(report(name), None).unwrap();
        assert_eq!(
            (reader.len(), reader.time_step()),
            (121, Some(160.0)),
            "{name}"
        );
        assert_eq!(reader.times().unwrap()[0], first);
    }
}
