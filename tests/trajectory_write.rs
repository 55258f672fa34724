//! Writing trajectories: what other programs read in them, going on behind a checkpoint, full
//! disks.

mod clients;

use std::path::Path;

use mdsurrogate::structure::{Cell, Frame};
use mdsurrogate::trajectory::{Extent, Reader, Writer};
use nalgebra::Vector3;

const ATOMS: usize = 12;
const CELL: Cell = Cell {
    lengths: [40.0, 42.0, 45.0],
    angles: [80.0, 95.0, 70.0],
};

/// A frame whose positions are formulas of `index`, 0.4 ps apart.
fn frame(index: usize, cell: Option<Cell>) -> Frame {
    let position = |atom: usize| {
        Vector3::from_fn(|axis, _| {
            12.0 * (1.1 * atom as f64 + 0.9 * axis as f64 + 0.2 * index as f64).sin()
        })
    };
    Frame {
        step: 20 * index as u64,
        time: 0.4 * index as f64,
        positions: (0..ATOMS).map(position).collect(),
        velocities: Some((0..ATOMS).map(|atom| position(atom + 7)).collect()),
        cell: cell.map(|cell| Cell {
            lengths: cell.lengths.map(|length| length + 0.1 * index as f64),
            ..cell
        }),
        ..Frame::default()
    }
}

fn write(path: &Path, frames: std::ops::Range<usize>, cell: Option<Cell>) -> Extent {
    let mut writer = Writer::create(path, ATOMS, 0.4).unwrap();
    frames.for_each(|index| writer.write(&frame(index, cell)).unwrap());
    writer.finish().unwrap();
    writer.extent()
}

fn tolerance(path: &Path) -> f64 {
    // XTC: half of its 0.01 Å; DCD and TRR: f32 of 12 Å; the clients' own nm and f32 on top
    if path.extension().unwrap() == "xtc" {
        0.00501
    } else {
        2e-6
    }
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |largest: f64, value| {
        if value.is_nan() {
            f64::NAN
        } else {
            largest.max(value)
        }
    })
}

#[test]
fn what_is_written_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    for (name, cell) in [
        ("a.xtc", None),
        ("b.xtc", Some(CELL)),
        ("a.dcd", None),
        ("b.dcd", Some(CELL)),
        ("a.trr", None),
        ("b.trr", Some(CELL)),
    ] {
        let path = folder.path().join(name);
        write(&path, 0..7, cell);
        assert!(
            !folder.path().join(name.replace('.', ".part.")).exists(),
            "{name}"
        );
        let mut reader = Reader::open(&path, None).unwrap();
        assert_eq!((reader.len(), reader.time_step()), (7, Some(0.4)), "{name}");
        let mut got = Frame::default();
        for index in 0..7 {
            assert!(reader.read(&mut got).unwrap());
            let truth = frame(index, cell);
            let error = largest(
                got.positions
                    .iter()
                    .zip(&truth.positions)
                    .map(|(a, b)| (a - b).amax()),
            );
            assert!(error <= tolerance(&path), "{name}: {error}");
            assert!(
                (got.time - truth.time).abs() <= 1e-6,
                "{name}: {}",
                got.time
            );
            assert_eq!(got.cell.is_some(), cell.is_some(), "{name}");
            if let (Some(got), Some(truth)) = (got.cell, truth.cell) {
                let error = largest(
                    got.lengths
                        .iter()
                        .chain(&got.angles)
                        .zip(truth.lengths.iter().chain(&truth.angles))
                        .map(|(a, b)| (a - b).abs()),
                );
                assert!(error <= 1e-4, "{name}: {got:?}");
            }
        }
    }
}

#[test]
fn mdanalysis_and_mdtraj_read_the_same_times_cells_and_positions() {
    let folder = tempfile::tempdir().unwrap();
    let topology = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/trajectories/s.pdb");
    for (name, cell) in [
        ("a.xtc", None),
        ("b.xtc", Some(CELL)),
        ("a.dcd", None),
        ("b.dcd", Some(CELL)),
        ("a.trr", None),
        ("b.trr", Some(CELL)),
    ] {
        let path = folder.path().join(name);
        write(&path, 0..5, cell);
        let Some(read) = clients::read_back(&topology, &path) else {
            return;
        };
        for client in ["MDAnalysis", "mdtraj"] {
            let read = &read[client];
            let at = |key: &str, index: usize| read[key].as_array().unwrap()[index].clone();
            assert_eq!(
                read["positions"].as_array().unwrap().len(),
                5,
                "{client} {name}"
            );
            for index in 0..5 {
                let truth = frame(index, cell);
                let positions: Vec<[f64; 3]> =
                    serde_json::from_value(at("positions", index)).unwrap();
                let error = largest(
                    positions
                        .iter()
                        .zip(&truth.positions)
                        .map(|(a, b)| (Vector3::from(*a) - b).amax()),
                );
                assert!(error <= tolerance(&path) + 5e-6, "{client} {name}: {error}");
                if let Some(time) = at("times", index).as_f64() {
                    assert!((time - truth.time).abs() <= 1e-6, "{client} {name}: {time}");
                } else {
                    assert_eq!(
                        (client, path.extension().unwrap().to_str()),
                        ("mdtraj", Some("dcd"))
                    );
                }
                let got: Option<Vec<f64>> = serde_json::from_value(at("cells", index)).unwrap();
                assert_eq!(got.is_some(), cell.is_some(), "{client} {name}: {got:?}");
                if let (Some(got), Some(truth)) = (got, truth.cell) {
                    let error = largest(
                        got.iter()
                            .zip(truth.lengths.iter().chain(&truth.angles))
                            .map(|(a, b)| (a - b).abs()),
                    );
                    assert!(error <= 2e-4, "{client} {name}: {got:?}");
                }
            }
        }
        let step = read["MDAnalysis"]["dt"].as_f64().unwrap();
        assert!((step - 0.4).abs() <= 1e-6, "{name}: {step}");
    }
}

#[test]
fn velocities_and_forces_of_a_trr_reach_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let topology = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/trajectories/s.pdb");
    let path = folder.path().join("forces.trr");
    let forces = |index: usize| {
        frame(index + 3, None)
            .positions
            .iter()
            .map(|x| x * 7.0)
            .collect::<Vec<_>>()
    };
    let mut writer = Writer::create(&path, ATOMS, 0.4).unwrap();
    (0..3).for_each(|index| {
        writer
            .write_with_forces(&frame(index, None), Some(&forces(index)))
            .unwrap();
    });
    assert!(
        writer
            .write_with_forces(&frame(3, None), Some(&[]))
            .is_err()
    );
    writer.finish().unwrap();
    let mut reader = Reader::open(&path, None).unwrap();
    let mut got = Frame::default();
    assert!(reader.read(&mut got).unwrap());
    let own: Vec<[f64; 3]> = got
        .velocities
        .unwrap()
        .iter()
        .map(|v| (*v).into())
        .collect();
    let truth = |vectors: &[Vector3<f64>], found: &[[f64; 3]], name: &str| {
        assert_eq!(vectors.len(), found.len(), "{name}");
        let error = largest(
            found
                .iter()
                .zip(vectors)
                .map(|(a, b)| (Vector3::from(*a) - b).amax()),
        );
        assert!(error <= 1e-5, "{name}: {error}");
    };
    truth(&frame(0, None).velocities.unwrap(), &own, "our reader");
    let Some(read) = clients::read_back(&topology, &path) else {
        return;
    };
    for index in 0..3 {
        let of = |name: &str| -> Vec<[f64; 3]> {
            serde_json::from_value(read["MDAnalysis"][name][index].clone()).unwrap()
        };
        truth(
            &frame(index, None).velocities.unwrap(),
            &of("velocities"),
            "velocities",
        );
        truth(&forces(index), &of("forces"), "forces");
    }
}

#[test]
fn a_resumed_file_is_the_file_of_a_run_that_was_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for (name, ending) in [("x", "xtc"), ("y", "dcd"), ("z", "trr")] {
        let whole = folder.path().join(format!("whole.{ending}"));
        write(&whole, 0..6, Some(CELL));
        let path = folder.path().join(format!("{name}.{ending}"));
        let part = folder.path().join(format!("{name}.part.{ending}"));
        // stopped behind frame 4 and its checkpoint behind frame 3, once by a crash and once in
        // order
        for crash in [true, false] {
            let mut writer = Writer::create(&path, ATOMS, 0.4).unwrap();
            (0..3).for_each(|index| writer.write(&frame(index, Some(CELL))).unwrap());
            let extent = writer.extent();
            writer.write(&frame(9, Some(CELL))).unwrap();
            if crash {
                drop(writer);
                let mut bytes = std::fs::read(&part).unwrap();
                bytes.extend(b"half a frame");
                std::fs::write(&part, bytes).unwrap();
            } else {
                writer.finish().unwrap();
            }
            assert_eq!(part.exists(), crash);
            let mut writer = Writer::resume(&path, ATOMS, 0.4, extent).unwrap();
            (3..6).for_each(|index| writer.write(&frame(index, Some(CELL))).unwrap());
            writer.finish().unwrap();
            assert_eq!(
                std::fs::read(&path).unwrap(),
                std::fs::read(&whole).unwrap(),
                "{ending}, crash: {crash}"
            );
            assert!(!part.exists());
            std::fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn a_resumed_file_that_is_gone_or_too_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xtc");
    let extent = write(&path, 0..3, None);
    let longer = Extent {
        bytes: extent.bytes + 1,
        ..extent
    };
    let error = Writer::resume(&path, ATOMS, 0.4, longer).unwrap_err();
    assert!(
        error.exit_code() == 2 && error.to_string().contains("the checkpoint goes on behind"),
        "{error}"
    );
    let error = Writer::resume(folder.path().join("b.xtc"), ATOMS, 0.4, extent).unwrap_err();
    assert!(error.to_string().contains("is gone"), "{error}");
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["full.xtc", "full.dcd", "full.trr"] {
        let path = folder.path().join(name);
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut writer = Writer::create(&path, ATOMS, 0.4).unwrap();
        let error = writer.write(&frame(0, None)).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error.to_string().contains(name) && error.to_string().contains("No space left"),
            "{error}"
        );
    }
}

#[test]
fn frames_that_cannot_be_stored_are_refused_and_leave_the_file_whole() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.xtc", "a.dcd", "a.trr"] {
        let path = folder.path().join(name);
        let mut writer = Writer::create(&path, ATOMS, 0.4).unwrap();
        writer.write(&frame(0, None)).unwrap();
        let mut bad = frame(1, None);
        bad.positions[4].y = f64::NAN;
        assert!(
            writer
                .write(&bad)
                .unwrap_err()
                .to_string()
                .contains("atom 5")
        );
        assert!(
            writer
                .write(&Frame::at_rest(vec![Vector3::zeros(); 3]))
                .unwrap_err()
                .to_string()
                .contains("3 atoms")
        );
        writer.finish().unwrap();
        assert_eq!(Reader::open(&path, None).unwrap().len(), 1);
    }
    let error = Writer::create(folder.path().join("a.nc"), ATOMS, 0.4).unwrap_err();
    assert!(error.hint().contains(".xtc, .dcd, .trr or .pdb"));
}
