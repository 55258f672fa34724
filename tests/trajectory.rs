//! Reading trajectories that other programs wrote, and files that are cut short or broken.

use std::path::{Path, PathBuf};

use mdsurrogate::structure::Frame;
use mdsurrogate::trajectory::Reader;
use nalgebra::Vector3;

const SAMPLES: [&str; 5] = ["s.xtc", "s.dcd", "s.trr", "s.nc", "s.pdb"];

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/trajectories")
        .join(name)
}

/// The formulas of tests/data/trajectories/make.py.
fn position(atom: usize, frame: usize) -> Vector3<f64> {
    Vector3::from_fn(|axis, _| {
        10.0 * (1.3 * atom as f64 + 0.7 * axis as f64 + 0.1 * frame as f64).sin() + atom as f64
    })
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
fn every_format_gives_positions_cell_and_times() {
    for name in SAMPLES {
        let mut reader = Reader::open(sample(name), None).unwrap();
        assert_eq!((reader.len(), reader.n_atoms()), (5, 12), "{name}");
        let tolerance = match name {
            "s.xtc" => 0.0051,
            "s.pdb" => 0.00051,
            _ => 2e-6,
        };
        let mut frame = Frame::default();
        let mut index = 0;
        while reader.read(&mut frame).unwrap() {
            let error =
                largest((0..12).map(|atom| (frame.positions[atom] - position(atom, index)).amax()));
            assert!(error <= tolerance, "{name} frame {index}: {error}");
            let cell = frame.cell.expect(name);
            // MDAnalysis writes one CRYST1 record for all models of a PDB file
            let length = if name == "s.pdb" {
                40.0
            } else {
                40.0 + 0.1 * index as f64
            };
            let error = largest(
                cell.lengths
                    .iter()
                    .zip([length, 42.0, 45.0])
                    .chain(cell.angles.iter().zip([80.0, 95.0, 70.0]))
                    .map(|(x, y)| (x - y).abs()),
            );
            assert!(error <= 1e-4, "{name} frame {index}: {cell:?}");
            if name == "s.pdb" {
                assert!(frame.time.is_nan());
            } else {
                assert!(
                    (frame.time - (2.5 + 0.5 * index as f64)).abs() <= 1e-6,
                    "{name}: {}",
                    frame.time
                );
            }
            index += 1;
        }
        assert_eq!(index, 5);
        assert_eq!(
            reader.time_step(),
            if name == "s.pdb" { None } else { Some(0.5) },
            "{name}"
        );
    }
}

#[test]
fn velocities_are_in_angstrom_per_picosecond() {
    for name in ["s.trr", "s.nc"] {
        let mut frame = Frame::default();
        Reader::open(sample(name), None)
            .unwrap()
            .read_at(3, &mut frame)
            .unwrap();
        let velocities = frame.velocities.expect(name);
        let truth = |atom: usize| {
            Vector3::from_fn(|axis, _| (1.3 * atom as f64 + 0.7 * axis as f64 + 0.3).cos())
        };
        let error = largest((0..12).map(|atom| (velocities[atom] - truth(atom)).amax()));
        assert!(error <= 2e-6, "{name}: {error}");
    }
}

#[test]
fn any_frame_can_be_read_and_reading_goes_on_behind_it() {
    for name in SAMPLES {
        let mut reader = Reader::open(sample(name), None).unwrap();
        let mut frame = Frame::default();
        for index in [3, 0, 2] {
            reader.read_at(index, &mut frame).unwrap();
            assert!(
                (frame.positions[5] - position(5, index)).amax() <= 0.0051,
                "{name} frame {index}"
            );
        }
        assert!(reader.read(&mut frame).unwrap());
        assert!(
            (frame.positions[5] - position(5, 3)).amax() <= 0.0051,
            "{name}"
        );
        let error = reader.read_at(5, &mut frame).unwrap_err();
        assert!(
            error.exit_code() == 2 && error.to_string().contains("frame 5"),
            "{error}"
        );
    }
}

/// Writes `bytes` as `name` in a fresh folder and opens it.
fn open_bytes(name: &str, bytes: &[u8]) -> mdsurrogate::Result<Reader> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Reader::open(&path, None)
}

#[test]
fn a_file_cut_anywhere_gives_its_whole_frames_or_names_the_first() {
    for name in ["s.xtc", "s.dcd", "s.trr", "s.nc"] {
        let whole = std::fs::read(sample(name)).unwrap();
        let (mut silent, mut most) = (0, 0);
        for length in (0..whole.len()).step_by(7) {
            match open_bytes(name, &whole[..length]) {
                Ok(reader) => {
                    let (frames, notes) = (reader.len(), reader.notes());
                    assert!(
                        frames >= most,
                        "{name} cut to {length}: {frames} after {most}"
                    );
                    most = frames;
                    match notes {
                        // at a frame's end the shorter file is a whole one
                        [] => silent += 1,
                        [note] => {
                            let place = format!("in the middle of frame {frames};");
                            assert!(note.contains(&place), "{name} cut to {length}: {note}");
                        }
                        more => panic!("{name} cut to {length}: {more:?}"),
                    }
                    let padded = name == "s.nc" && length + 3 >= whole.len();
                    assert!(frames < 5 || padded, "{name} cut to {length}");
                }
                Err(error) => {
                    assert_eq!((error.exit_code(), most), (2, 0), "{name} cut to {length}");
                    assert!(error.to_string().contains(name), "{error}");
                    let in_frame = error.to_string().contains("frame 0");
                    assert!(
                        in_frame || length < whole.len() / 3 + 400,
                        "{name} cut to {length}: {error}"
                    );
                }
            }
        }
        assert_eq!(most, if name == "s.nc" { 5 } else { 4 }, "{name}");
        assert!(silent <= 5, "{name}: {silent} cuts went unsaid");
    }
}

#[test]
fn broken_bytes_never_panic_and_bad_headers_are_refused() {
    for name in ["s.xtc", "s.dcd", "s.trr", "s.nc"] {
        let whole = std::fs::read(sample(name)).unwrap();
        for place in (0..whole.len()).step_by(3) {
            let mut bytes = whole.clone();
            bytes[place] ^= 0xff;
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let Ok(mut reader) = Reader::open(&path, None) else {
                continue;
            };
            let mut frame = Frame::default();
            while reader.read(&mut frame).unwrap_or(false) {}
        }
        let mut bytes = whole.clone();
        bytes[..12].fill(0x41);
        let error = open_bytes(name, &bytes).err().expect(name);
        assert!(error.to_string().contains("is no"), "{error}");
    }
}

#[test]
fn a_pdb_with_waters_gives_the_protein_that_a_topology_has() {
    let structure = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
    let atoms = std::fs::read_to_string(&structure).unwrap();
    let atoms: Vec<&str> = atoms
        .lines()
        .filter(|line| line.starts_with("ATOM"))
        .collect();
    let water = "HETATM  100  O   HOH A 101      60.000  61.000  62.000  1.00  0.00           O  ";
    let text: String = (1..=3)
        .map(|model| {
            format!(
                "MODEL     {model:>4}\n{}\nTER\n{water}\nENDMDL\n",
                atoms.join("\n")
            )
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wet.pdb");
    std::fs::write(&path, text).unwrap();
    let topology = mdsurrogate::structure::read(&structure, &Default::default())
        .unwrap()
        .topology;
    let shape = |topology| {
        Reader::open(&path, topology)
            .map(|reader| (reader.len(), reader.n_atoms()))
            .unwrap()
    };
    assert_eq!(
        (shape(None), shape(Some(&topology))),
        ((3, topology.len() + 1), (3, topology.len()))
    );
}

#[test]
fn what_is_no_trajectory_is_refused_with_a_reason() {
    let reason = |result: mdsurrogate::Result<Reader>| result.err().unwrap().to_string();
    assert!(reason(Reader::open("missing.xtc", None)).contains("missing.xtc: cannot be read"));
    assert!(reason(Reader::open("x.psf", None)).contains("is no trajectory that can be read"));
    assert!(reason(open_bytes("empty.xtc", b"")).contains("is empty"));
    assert!(
        reason(open_bytes("text.dcd", b"this is not a DCD file"))
            .contains("does not start with CORD")
    );
    assert!(reason(open_bytes("text.pdb", b"hello\n")).contains("holds no frames"));
    let topology = mdsurrogate::structure::Topology::default();
    assert!(
        reason(Reader::open(sample("s.xtc"), Some(&topology)))
            .contains("holds 12 atoms, the topology 0")
    );
}

#[test]
fn coordinates_that_are_not_numbers_are_refused() {
    let mut bytes = std::fs::read(sample("s.dcd")).unwrap();
    let length = bytes.len();
    bytes[length - 8..length - 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nan.dcd");
    std::fs::write(&path, &bytes).unwrap();
    let mut reader = Reader::open(&path, None).unwrap();
    let error = reader
        .read_at(4, &mut Frame::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("frame 4") && error.contains("atom 12"),
        "{error}"
    );
}

/// Trajectories from CHARMM, NAMD, ProDy and Amber: frames, atoms, first and last time and step
/// (ps), first edge and γ of the first cell, first atom of the first frame, last atom of the last
/// (computed with MDAnalysis 2.11).
type Known = (
    &'static str,
    usize,
    usize,
    Option<[f64; 3]>,
    Option<[f64; 2]>,
    [f64; 3],
    [f64; 3],
);
const KNOWN: [Known; 6] = [
    (
        "adk_dims.dcd",
        98,
        3341,
        Some([1.0, 98.0, 1.0]),
        None,
        [11.736, 8.501, -10.445],
        [12.377, 14.945, -6.561],
    ),
    (
        "adk_dims.xtc",
        98,
        3341,
        Some([1.0, 98.0, 1.0]),
        None,
        [11.74, 8.5, -10.45],
        [12.38, 14.95, -6.56],
    ),
    (
        "adk_tmd_namd.dcd",
        100,
        3341,
        Some([0.01, 1.0, 0.01]),
        None,
        [26.906, 54.248, 40.639],
        [17.136, 54.315, 44.77],
    ),
    (
        "2k39_insty.dcd",
        15,
        1231,
        None, // a time step of 1, which its writer did not set
        None,
        [14.336, 31.055, 15.992],
        [50.129, 17.372, 30.575],
    ),
    (
        "tip125_tric_C36.dcd",
        10,
        375,
        Some([1.0, 10.0, 1.0]),
        Some([35.446, 44.407]),
        [-5.217, 4.188, -1.979],
        [8.339, -4.616, 1.177],
    ),
    (
        "tz2_truncoct.nc",
        10,
        5827,
        None,
        Some([42.439, 109.471]),
        [0.078, 3.174, -8.844],
        [2.482, -3.306, 8.453],
    ),
];

#[test]
fn trajectories_of_other_programs_read_as_mdanalysis_reads_them() {
    let folder = Path::new("tests/data/others").to_owned();
    let folder = std::env::var_os("MDSURROGATE_TRAJECTORIES").map_or(folder, PathBuf::from);
    if !folder.is_dir() {
        println!(
            "skipped: no folder of other programs' trajectories (set MDSURROGATE_TRAJECTORIES)"
        );
        return;
    }
    for (name, frames, atoms, times, cell, first, last) in KNOWN {
        let mut reader = Reader::open(folder.join(name), None).unwrap();
        assert_eq!((reader.len(), reader.n_atoms()), (frames, atoms), "{name}");
        let mut frame = Frame::default();
        reader.read(&mut frame).unwrap();
        assert!(
            (frame.positions[0] - Vector3::from(first)).amax() <= 0.0055,
            "{name}: {}",
            frame.positions[0]
        );
        assert_eq!(
            frame.cell.is_some(),
            cell.is_some(),
            "{name}: {:?}",
            frame.cell
        );
        if let (Some(got), Some([edge, angle])) = (frame.cell, cell) {
            assert!(
                (got.lengths[0] - edge).abs() <= 1e-3 && (got.angles[2] - angle).abs() <= 1e-3,
                "{name}: {got:?}"
            );
        }
        let start = frame.time;
        reader.read_at(frames - 1, &mut frame).unwrap();
        assert!(
            (frame.positions[atoms - 1] - Vector3::from(last)).amax() <= 0.0055,
            "{name}: {}",
            frame.positions[atoms - 1]
        );
        assert_eq!(reader.time_step(), times.map(|[_, _, step]| step), "{name}");
        if let Some([first, last, _]) = times {
            assert!(
                (start - first).abs() <= 1e-6 && (frame.time - last).abs() <= 1e-5,
                "{name}: {start} {}",
                frame.time
            );
        }
    }
}
