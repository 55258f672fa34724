//! Trajectories as other programs, killed runs and full disks leave them: what is read, said, left
//! out and refused. Inputs made after public reports lie in `tests/data/reports`; their siblings
//! are made here.

mod program;

use std::path::{Path, PathBuf};

use mdsurrogate::structure::{Cell, Frame, ReadOptions, Structure, read};
use mdsurrogate::trajectory::{Reader, Writer};
use nalgebra::Vector3;
use program::{program, repository, words};
use serde_json::Value;

fn report(name: &str) -> PathBuf {
    repository("tests/data/reports").join(name)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// What `compare` of two trajectories of `akle_run.pdb` says, its words and its measures.
struct Compared {
    words: String,
    measures: Vec<Value>,
}

impl Compared {
    fn measure(&self, name: &str) -> &Value {
        let found = self.measures.iter().find(|measure| measure["name"] == name);
        found.unwrap_or_else(|| panic!("no measure {name}"))
    }
    fn number(&self, name: &str, field: &str) -> f64 {
        let value = self.measure(name)[field].as_f64();
        value.unwrap_or_else(|| panic!("{name}: no {field}"))
    }
    fn verdicts(&self, verdict: &str) -> usize {
        let is = |measure: &&Value| measure["verdict"] == verdict;
        self.measures.iter().filter(is).count()
    }
}

fn compare_with(run: &Path, reference: &Path, flags: &[&str]) -> Compared {
    let folder = tempfile::tempdir().unwrap();
    let (run, reference) = (text(run), text(reference));
    let (run_top, reference_top) = (text(&report("akle_run.pdb")), text(&report("akle_ref.pdb")));
    let mut command = vec![
        "compare",
        &run,
        "--top",
        &run_top,
        "--reference",
        &reference,
    ];
    command.extend(["--reference-top", &reference_top, "-o", "rep", "--json"]);
    command.extend(flags);
    let output = program(folder.path(), &command, 0);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    Compared {
        words: words(&output),
        measures: found["measures"].as_array().unwrap().clone(),
    }
}

fn compare(run: &Path, reference: &Path) -> Compared {
    compare_with(run, reference, &[])
}

/// What `compare` says where it refuses.
fn refusal(run: &Path, reference: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (run, reference) = (text(run), text(reference));
    let top = text(&report("akle_run.pdb"));
    let command = ["compare", &run, "--top", &top, "--reference", &reference];
    words(&program(folder.path(), &command, 2))
}

fn structure() -> Structure {
    read(&report("akle_run.pdb"), &ReadOptions::default()).unwrap()
}

/// All frames of a trajectory.
fn frames(path: &Path) -> Vec<Frame> {
    let mut reader = Reader::open(path, None).unwrap();
    (0..reader.len())
        .map(|index| {
            let mut frame = Frame::default();
            reader.read_at(index, &mut frame).unwrap();
            frame
        })
        .collect()
}

/// Writes frames 160 ps apart with the times that they have.
fn write(path: &Path, frames: &[Frame]) {
    let mut writer = Writer::create(path, frames[0].positions.len(), 160.0).unwrap();
    frames.iter().for_each(|frame| writer.write(frame).unwrap());
    writer.finish().unwrap();
}

fn assert_equal(left: &Compared, right: &Compared, tolerance: f64) {
    for (a, b) in left.measures.iter().zip(&right.measures) {
        for field in ["value", "floor"] {
            match (a[field].as_f64(), b[field].as_f64()) {
                (Some(x), Some(y)) => assert!((x - y).abs() <= tolerance, "{a}\n{b}"),
                (x, y) => assert_eq!(x, y, "{a}\n{b}"),
            }
        }
    }
    assert_eq!(left.measures.len(), right.measures.len());
}

// frames that are no molecule

#[test]
fn a_tail_of_zeros_in_the_reference_swells_no_floor() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.xtc");
    write(&whole, &frames(&report("xtc_zero_tail.xtc"))[..70]);
    let (run, tail) = (report("xtc_frozen.xtc"), report("xtc_zero_tail.xtc"));
    let (found, clean) = (compare(&run, &tail), compare(&run, &whole));
    let line = "xtc_zero_tail.xtc: 51 of 121 frames are no molecule and left out: 70–120; frame 70: all atoms are at one point";
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
            x.fill(Vector3::new(9.0, 1.0, 2.0))
        }),
        ("half.xtc", "are at one point", &|x| {
            x[half..].fill(Vector3::zeros())
        }),
        ("torn.xtc", "Å long", &|x| {
            x[half..].iter_mut().for_each(|x| x.z += 25.0)
        }),
        ("huge.dcd", "Å from the origin", &|x| x[7].x = 1e30),
        ("lone.trr", "Å long", &|x| {
            x[1] = Vector3::new(0.0, 0.0, 400.0)
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

/// Trains three updates of a small model on a trajectory.
fn train(
    folder: &Path,
    trajectory: &Path,
    top: &Path,
    more: &str,
    code: i32,
) -> std::process::Output {
    let config = format!(
        "[[data.systems]]\nname = \"own\"\ntopology = {top:?}\ntrajectories = [{trajectory:?}]\n{more}\n[jump]\nlag = \"160ps\"\n\
         [model]\nlayers = 1\nscalars = 16\nvectors = 4\npair = 8\n[training]\nupdates = 3\n"
    );
    std::fs::write(folder.join("train.toml"), config).unwrap();
    let command = ["train", "train.toml", "-o", "t", "--overwrite", "--fresh"];
    program(folder, &command, code)
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

// times

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

// forms

#[test]
fn a_trajectory_cut_in_mid_frame_gives_its_whole_frames() {
    let folder = tempfile::tempdir().unwrap();
    let reference = report("akle_ref.xtc");
    let whole = folder.path().join("whole.xtc");
    write(&whole, &frames(&report("xtc_cut_mid_frame.xtc")));
    let found = compare(&report("xtc_cut_mid_frame.xtc"), &reference);
    let line = "xtc_cut_mid_frame.xtc: is cut short: the file ends in the middle of frame 120; its 120 whole frames are read";
    assert!(found.words.contains(line), "{}", found.words);
    assert_equal(&found, &compare(&whole, &reference), 1e-12);
    let top = report("akle_run.pdb");
    let said = words(&train(
        folder.path(),
        &report("xtc_cut_mid_frame.xtc"),
        &top,
        "",
        0,
    ));
    assert!(
        said.contains("is cut short") && said.contains("120 frames"),
        "{said}"
    );
}

/// Opens bytes as a file of this name.
fn open_bytes(name: &str, bytes: &[u8]) -> mdsurrogate::Result<Reader> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Reader::open(&path, None)
}

#[test]
fn a_file_that_ends_in_zeros_gives_its_whole_frames() {
    let whole = std::fs::read(report("akle_run.xtc")).unwrap();
    let zeros = vec![0; 5000];
    let reader = open_bytes("a.xtc", &[&whole[..], &zeros].concat()).unwrap();
    assert_eq!(reader.len(), 121);
    assert!(
        reader.notes()[0].contains("zeros behind frame 120"),
        "{:?}",
        reader.notes()
    );
    // a byte count that is damaged in mid-file is no cut
    let mut broken = whole.clone();
    let second = 2 + broken[4..]
        .windows(4)
        .position(|bytes| bytes == [0, 0, 7, 0xcb])
        .unwrap();
    let count_at = second + 2 + 88;
    broken[count_at..count_at + 4].copy_from_slice(&(1u32 << 30).to_be_bytes());
    let error = open_bytes("b.xtc", &broken).err().unwrap().to_string();
    assert!(error.contains("frame 1"), "{error}");
    // a DCD that had counted one frame more than came to the disk
    let dcd = std::fs::read(report("mdtraj_written.dcd")).unwrap();
    let mut counted = dcd.clone();
    counted[8..12].copy_from_slice(&101u32.to_le_bytes());
    let reader = open_bytes("c.dcd", &[&counted[..], &zeros[..300]].concat()).unwrap();
    assert_eq!(reader.len(), 100);
    assert!(
        reader.notes()[0].contains("cut short"),
        "{:?}",
        reader.notes()
    );
    let error = open_bytes("d.dcd", &[&dcd[..], &zeros[..40]].concat())
        .err()
        .unwrap();
    assert!(error.to_string().contains("no part of a frame"), "{error}");
}

#[test]
fn a_pdb_cut_in_its_last_model_gives_the_models_before() {
    let text = std::fs::read_to_string(report("mdtraj_models.pdb")).unwrap();
    let models = Reader::open(report("mdtraj_models.pdb"), None)
        .unwrap()
        .len();
    let last = text.rfind("MODEL").unwrap();
    let atoms: Vec<usize> = text[last..]
        .match_indices("\nATOM")
        .map(|(place, _)| last + place + 1)
        .collect();
    for end in [atoms[20], atoms[20] + 40, atoms[20] - 1] {
        let reader = open_bytes("cut.pdb", text[..end].as_bytes()).unwrap();
        assert_eq!(reader.len(), models - 1, "cut at {end}");
        assert!(
            reader.notes()[0].contains("cut short"),
            "{:?}",
            reader.notes()
        );
    }
    // a model in the middle that lacks atoms is no cut
    let short = [&text[..atoms[20]], "ENDMDL\n", &text[last..]].concat();
    assert!(open_bytes("short.pdb", short.as_bytes()).is_err());
}

#[test]
fn trr_frames_without_positions_are_passed_over() {
    let found = compare(
        &report("trr_velocities_between.trr"),
        &report("akle_ref.xtc"),
    );
    assert!(found.words.contains("15 frames"), "{}", found.words);
    assert!(
        found.words.contains("frames without positions"),
        "{}",
        found.words
    );
    let reader = Reader::open(report("trr_velocities_between.trr"), None).unwrap();
    assert_eq!(reader.len(), 15);
    let first = reader.number(0);
    assert_eq!(first, 0);
}

#[test]
fn formats_are_told_by_content() {
    let found = compare(&report("dcd_called_xtc.xtc"), &report("akle_ref.xtc"));
    assert!(
        found.words.contains("is DCD by content, not XTC"),
        "{}",
        found.words
    );
    for (name, called) in [
        ("akle_run.xtc", "frames"),
        ("trr_double.trr", "a.dcd"),
        ("mdtraj.nc", "a.trr"),
        ("mdtraj_models.pdb", "a.txt"),
        ("mdtraj_written.dcd", "a.pdb"),
    ] {
        let truth = Reader::open(report(name), None).unwrap();
        let other = open_bytes(called, &std::fs::read(report(name)).unwrap()).unwrap();
        assert_eq!(
            (truth.len(), truth.n_atoms()),
            (other.len(), other.n_atoms()),
            "{name}"
        );
    }
    for name in [
        "amber.mdcrd",
        "dump.lammpstrj",
        "frames.gro",
        "akle_run.xtc.gz",
        "empty.xtc",
    ] {
        let error = Reader::open(report(name), None).err().expect(name);
        assert!(
            error.exit_code() == 2 && !error.hint().is_empty(),
            "{name}: {error}"
        );
    }
    let error = Reader::open(report("nc_hdf5.nc"), None)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("HDF5"), "{error}");
}

#[test]
fn predict_and_train_read_what_compare_reads() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["solvated", "waters_first", "heavy_only"] {
        let (path, top) = (
            report(&format!("{name}.xtc")),
            report(&format!("{name}.pdb")),
        );
        let (path, top) = (text(&path), text(&top));
        let said = train(folder.path(), path.as_ref(), top.as_ref(), "", 0);
        assert!(
            words(&said).contains("32 heavy atoms"),
            "{name}: {}",
            words(&said)
        );
        let prefix = format!("p_{name}");
        let mut command = vec![
            "predict", &path, "--top", &top, "--lag", "160ps", "--every", "20",
        ];
        command.extend(["-o", &prefix, "--relax", "0"]);
        let output = program(folder.path(), &command, 0);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            out.contains("frames against the true ones"),
            "{name}: {out}{}",
            words(&output)
        );
    }
    // heavy atoms beside the structure that has hydrogens: trained on, but there is no frame to
    // predict from
    let (heavy, whole) = (
        text(&report("heavy_only.xtc")),
        text(&report("akle_run.pdb")),
    );
    let said = words(&train(folder.path(), heavy.as_ref(), whole.as_ref(), "", 0));
    assert!(said.contains("32 heavy atoms"), "{said}");
    let command = [
        "predict", &heavy, "--top", &whole, "--lag", "160ps", "-o", "q",
    ];
    let said = words(&program(folder.path(), &command, 2));
    assert!(said.contains("holds no hydrogens"), "{said}");
}

#[test]
fn predict_leaves_damaged_frames_out_and_takes_a_time_step() {
    let folder = tempfile::tempdir().unwrap();
    let top = text(&report("akle_run.pdb"));
    let path = text(&report("xtc_zero_frame.xtc"));
    let mut command = vec![
        "predict", &path, "--top", &top, "--lag", "160ps", "--every", "10",
    ];
    command.extend(["-o", "p", "--relax", "0", "--json"]);
    let output = program(folder.path(), &command, 0);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    // of frames 0, 10, … 120 frame 70 is damaged, and behind 120 there is no true frame
    assert_eq!(
        (&found["frames_left_out"], &found["frames_judged"]),
        (&1.into(), &11.into())
    );
    assert!(
        words(&output).contains("frame 70: all atoms are at one point"),
        "{}",
        words(&output)
    );
    let mut copy = Frame::default();
    let mut made = Reader::open(folder.path().join("p_next.xtc"), None).unwrap();
    assert_eq!(made.len(), 12);
    made.read_at(11, &mut copy).unwrap();

    let path = text(&report("mdtraj_written.dcd"));
    let mut command = vec![
        "predict", &path, "--top", &top, "--lag", "160ps", "--every", "50",
    ];
    command.extend(["-o", "q", "--relax", "0", "--time-step", "160ps", "--json"]);
    let found: Value = serde_json::from_slice(&program(folder.path(), &command, 0).stdout).unwrap();
    assert_eq!(found["frames_judged"], 2);
}

#[test]
fn molecules_broken_over_the_cell_are_trained_on_whole() {
    let folder = tempfile::tempdir().unwrap();
    let cell = Cell {
        lengths: [14.0, 15.0, 16.0],
        angles: [90.0; 3],
    };
    let wrap = |x: &mut Vector3<f64>| {
        for axis in 0..3 {
            x[axis] -= cell.lengths[axis] * (x[axis] / cell.lengths[axis]).floor();
        }
    };
    let mut all = frames(&report("akle_run.xtc"));
    for frame in &mut all {
        frame.positions.iter_mut().for_each(wrap);
        frame.cell = Some(cell);
    }
    let path = folder.path().join("broken.xtc");
    write(&path, &all);
    let said = words(&train(folder.path(), &path, &report("akle_run.pdb"), "", 0));
    assert!(said.contains("were made whole"), "{said}");
}

#[test]
fn a_length_is_from_the_first_frame_to_the_last() {
    let found = compare(&report("akle_run.xtc"), &report("akle_ref.xtc"));
    assert!(
        found
            .words
            .contains("121 frames, 160 ps apart, 19.2 ns in all"),
        "{}",
        found.words
    );
}

/// Frames, atoms and time step (ps) of what is read without a word.
#[test]
fn what_was_read_right_is_read_right() {
    for (name, frames, atoms, step) in [
        ("xtc_magic_2023.xtc", 121, 69, Some(160.0)),
        ("xtc_precision_10.xtc", 121, 69, Some(160.0)),
        ("xtc_one_frame.xtc", 1, 69, None),
        ("trr_double.trr", 40, 69, Some(160.0)),
        ("trr_x_every_frame_no_box.trr", 40, 69, Some(160.0)),
        ("dcd_big_endian.dcd", 100, 69, Some(160.0)),
        ("dcd_fixed_atoms.dcd", 100, 69, Some(160.0)),
        ("dcd_four_d.dcd", 40, 69, Some(160.0)),
        ("dcd_count_zero.dcd", 100, 69, Some(160.0)),
        ("dcd_count_too_small.dcd", 100, 69, Some(160.0)),
        ("dcd_xplor.dcd", 100, 69, Some(160.0)),
        ("dcd_zero_cell.dcd", 100, 69, Some(160.0)),
        ("dcd_ninety_zero_cell.dcd", 100, 69, Some(160.0)),
        ("nc_no_time.nc", 60, 69, None),
        ("nc_time.nc", 60, 69, Some(160.0)),
        ("nc_double.nc", 40, 69, Some(160.0)),
        ("nc_scaled.nc", 60, 69, Some(160.0)),
        ("mdtraj.nc", 11, 69, Some(160.0)),
        ("gromacs_frames.pdb", 15, 69, None),
        ("mdtraj_models.pdb", 10, 69, None),
        ("heavy_only.xtc", 121, 32, Some(160.0)),
    ] {
        let reader = Reader::open(report(name), None).unwrap_or_else(|error| panic!("{error}"));
        let found = (reader.len(), reader.n_atoms(), reader.time_step());
        assert_eq!(found, (frames, atoms, step), "{name}");
        assert_eq!(reader.notes(), [] as [String; 0], "{name}");
    }
    let trailing = Reader::open(report("dcd_trailing_bytes.dcd"), None)
        .err()
        .unwrap();
    assert!(
        trailing.to_string().contains("no part of a frame"),
        "{trailing}"
    );
    let restart = Reader::open(report("nc_restart.nc"), None).err().unwrap();
    assert_eq!(restart.exit_code(), 2);
}
