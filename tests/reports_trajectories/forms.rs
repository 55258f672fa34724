//! Files that are cut, padded, named for another format, or of other atoms than their structure.

use mdsurrogate::structure::{Cell, Frame};
use mdsurrogate::trajectory::Reader;
use nalgebra::Vector3;
use serde_json::Value;

use crate::program::{program, words};
use crate::{assert_equal, compare, frames, report, text, train, write};

#[test]
fn a_trajectory_cut_in_mid_frame_gives_its_whole_frames() {
    let folder = tempfile::tempdir().unwrap();
    let reference = report("akle_ref.xtc");
    let whole = folder.path().join("whole.xtc");
    write(&whole, &frames(&report("xtc_cut_mid_frame.xtc")));
    let found = compare(&report("xtc_cut_mid_frame.xtc"), &reference);
    let line = "xtc_cut_mid_frame.xtc: is cut short: the file ends in the middle of frame 120; its \
                120 whole frames are read";
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
pub(super) fn open_bytes(name: &str, bytes: &[u8]) -> mdsurrogate::Result<Reader> {
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
        let reader = open_bytes("cut.pdb", &text.as_bytes()[..end]).unwrap();
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
fn every_model_has_the_cell_that_stands_before_it() {
    let model = |number: usize, cell: &str| {
        format!(
            "{cell}MODEL     {number:4}\n\
             ATOM      1  CA  ALA A   1      11.104   6.134  -6.504  1.00  0.00\nENDMDL\n"
        )
    };
    let cell = |edge: f64| format!("CRYST1{edge:9.3}{edge:9.3}{edge:9.3}  90.00  90.00  90.00\n");
    let text = [
        model(1, &cell(30.0)),
        model(2, &cell(29.5)),
        model(3, ""),
        model(4, &cell(29.0)),
    ];
    let mut reader = open_bytes("npt.pdb", text.concat().as_bytes()).unwrap();
    let mut frame = Frame::default();
    for (index, edge) in [30.0, 29.5, 29.5, 29.0].into_iter().enumerate() {
        reader.read_at(index, &mut frame).unwrap();
        let lengths = frame.cell.unwrap().lengths;
        assert!(
            lengths.iter().all(|length| (length - edge).abs() <= 1e-9),
            "{lengths:?}"
        );
    }
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
    for name in ["amber.mdcrd", "akle_run.xtc.gz", "empty.xtc"] {
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
        // 60 by mdtraj and MDAnalysis too: the file has positions every frame and no box
        ("trr_x_every_frame_no_box.trr", 60, 69, Some(160.0)),
        ("dcd_big_endian.dcd", 100, 69, Some(160.0)),
        ("dcd_fixed_atoms.dcd", 40, 69, Some(160.0)),
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
        ("mdtraj.nc", 10, 69, Some(160.0)),
        // its titles say t= 0.00000 and so on
        ("gromacs_frames.pdb", 15, 69, Some(160.0)),
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
