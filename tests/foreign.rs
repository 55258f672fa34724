//! Formats that chemfiles reads in a process of its own, against our own readers on the same frames
//! (`tests/data/foreign/make.py` says who wrote them); and what a build without it says of them.

mod program;

use program::{program, repository, words};

fn foreign(name: &str) -> std::path::PathBuf {
    repository("tests/data/foreign").join(name)
}

#[cfg(not(feature = "chemfiles"))]
#[test]
fn a_build_without_it_names_the_format_and_the_feature() {
    use mdsurrogate::trajectory::Reader;

    let here = std::path::Path::new(".");
    for (name, format) in [
        ("akle.gro", "GRO"),
        ("akle.lammpstrj", "LAMMPS"),
        ("akle.tng", "TNG"),
        ("akle.ncrst", "Amber Restart"),
        ("akle.xyz", "XYZ"),
        ("akle.arc", "Tinker"),
        ("akle.mol2", "MOL2"),
    ] {
        let error = Reader::open(foreign(name), None).err().unwrap();
        let said = format!("{error}\n{}", error.hint());
        assert!(
            said.contains(&format!("is {format}, which this build")),
            "{said}"
        );
        assert!(said.contains("--features chemfiles"), "{said}");
    }
    for (name, format) in [
        ("frames.gro", "GRO"),
        ("one.gro", "GRO"),
        ("dump.lammpstrj", "LAMMPS"),
    ] {
        let path = repository("tests/data/reports").join(name);
        let error = Reader::open(path, None).err().unwrap().to_string();
        assert!(
            error.contains(&format!("is {format}, which this build")),
            "{error}"
        );
    }
    for name in ["akle.gro", "akle.mol2", "akle.tng"] {
        let path = foreign(name).display().to_string();
        let said = words(&program(here, &["check", &path], 2));
        assert!(said.contains("--features chemfiles"), "{said}");
    }
    // what is in the file decides, not its name
    let folder = tempfile::tempdir().unwrap();
    let disguised = folder.path().join("akle.gro");
    std::fs::copy(repository("data/structures/akle.pdb"), &disguised).unwrap();
    program(here, &["check", &disguised.display().to_string()], 0);
}

#[cfg(feature = "chemfiles")]
mod with_chemfiles {
    use std::path::{Path, PathBuf};

    use mdsurrogate::foreign::use_program;
    use mdsurrogate::structure::{Frame, ReadOptions, read};
    use mdsurrogate::trajectory::Reader;
    use nalgebra::Vector3;

    use super::{foreign, program, repository, words};

    fn open(path: &Path) -> mdsurrogate::Result<Reader> {
        use_program(env!("CARGO_BIN_EXE_mdsurrogate"));
        Reader::open(path, None)
    }

    fn frames(path: &Path) -> Vec<Frame> {
        let mut reader = open(path).unwrap_or_else(|error| panic!("{error}"));
        (0..reader.len())
            .map(|index| {
                let mut frame = Frame::default();
                reader.read_at(index, &mut frame).unwrap();
                frame
            })
            .collect()
    }

    /// Largest difference of positions relative to the first atom's, Å: formats differ in where
    /// they put the origin of a cell.
    fn farthest(a: &Frame, b: &Frame) -> f64 {
        assert_eq!(a.positions.len(), b.positions.len());
        let from = |frame: &Frame, x: &Vector3<f64>| x - frame.positions[0];
        let pairs = a.positions.iter().zip(&b.positions);
        let apart = pairs.map(|(x, y)| (from(a, x) - from(b, y)).amax());
        apart.fold(0.0, f64::max)
    }

    #[test]
    fn positions_times_and_cells_are_those_of_our_own_reader() {
        let truth = frames(&repository("tests/data/compare/akle_a.xtc"));
        let triclinic = Some([40.0, 42.0, 45.0, 80.0, 95.0, 70.0]);
        let right = Some([40.0, 42.0, 45.0, 90.0, 90.0, 90.0]);
        for (name, first, count, time_step, cell, tolerance) in [
            ("akle.gro", 0, 5, Some(50.0), triclinic, 1e-4),
            ("akle.lammpstrj", 0, 5, None, right, 1e-4),
            ("real.lammpstrj", 0, 5, Some(50.0), right, 1e-4),
            ("akle.xyz", 0, 5, None, None, 1e-4),
            ("akle.tng", 0, 5, Some(50.0), right, 0.011),
            ("akle.ncrst", 3, 1, None, triclinic, 1e-4),
            ("akle.arc", 3, 1, None, None, 1e-4),
            ("akle.mol2", 3, 1, None, None, 1e-4),
        ] {
            let reader = open(&foreign(name)).unwrap();
            assert_eq!(
                (reader.len(), reader.n_atoms(), reader.time_step()),
                (count, 69, time_step),
                "{name}"
            );
            for (frame, index) in frames(&foreign(name)).iter().zip(first..) {
                let error = farthest(frame, &truth[index]);
                assert!(error <= tolerance, "{name} frame {index}: {error} Å");
                let edges = frame.cell.map(|found| {
                    let ([a, b, c], [alpha, beta, gamma]) = (found.lengths, found.angles);
                    [a, b, c, alpha, beta, gamma]
                });
                match (edges, cell) {
                    (Some(found), Some(cell)) => {
                        let apart = found.iter().zip(cell).map(|(a, b)| (a - b).abs());
                        assert!(apart.fold(0.0, f64::max) <= 2e-3, "{name}: {found:?}");
                    }
                    (found, cell) => assert_eq!(found, cell, "{name}"),
                }
            }
        }
        let unnamed = open(&foreign("akle.lammpstrj")).unwrap();
        let notes = unnamed.notes().join("\n");
        assert!(notes.contains("positions are taken as Å"), "{notes}");
    }

    #[test]
    fn frames_are_read_in_any_order() {
        let mut reader = open(&foreign("akle.tng")).unwrap();
        let all = frames(&foreign("akle.tng"));
        let mut frame = Frame::default();
        for index in [4, 0, 2, 2, 1] {
            reader.read_at(index, &mut frame).unwrap();
            assert_eq!(frame.positions, all[index].positions, "{index}");
        }
    }

    #[test]
    fn structures_have_the_atoms_and_bonds_of_the_pdb_file() {
        use_program(env!("CARGO_BIN_EXE_mdsurrogate"));
        let options = ReadOptions::default();
        let pdb = read(&repository("data/structures/akle.pdb"), &options).unwrap();
        for (name, format) in [
            ("akle.gro", "GRO"),
            ("akle.mol2", "MOL2"),
            ("akle.tng", "TNG"),
        ] {
            let found = read(&foreign(name), &options).unwrap();
            assert_eq!(found.report.format.to_string(), format);
            assert_eq!(found.topology.sequence(), "AKLE", "{name}");
            assert_eq!(found.topology.bonds, pdb.topology.bonds, "{name}");
            let names = |atom: usize| {
                let [a, b] = [&found.topology, &pdb.topology];
                assert_eq!(a.atoms[atom].name, b.atoms[atom].name, "{name}");
                assert_eq!(a.residue_of(atom).number, b.residue_of(atom).number);
            };
            (0..pdb.topology.len()).for_each(names);
        }
    }

    fn text(path: &Path) -> String {
        path.display().to_string()
    }

    #[test]
    fn commands_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let top = text(&repository("data/structures/akle.pdb"));
        let [ours, tng, gro] =
            ["akle.xtc", "akle.tng", "akle.gro"].map(|name| text(&foreign(name)));
        let run = |line: &[&str]| program(folder.path(), line, 0);
        let said = |line: &[&str]| {
            let output = run(line);
            serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
        };
        // the same frames: the same measures, whichever format they come from
        let compare = |path: &str, out: &str| {
            said(&[
                "compare",
                path,
                "--top",
                &top,
                "--reference",
                &ours,
                "-o",
                out,
                "--json",
            ])
        };
        let (a, b) = (compare(&ours, "a"), compare(&gro, "b"));
        let value = |report: &serde_json::Value, index: usize| {
            report["metrics"]["measures"][index]["value"].as_f64()
        };
        let count = a["metrics"]["measures"].as_array().unwrap().len();
        assert!(count >= 10, "{a}");
        for index in 0..count {
            match (value(&a, index), value(&b, index)) {
                (Some(a), Some(b)) => assert!((a - b).abs() <= 1e-3, "{index}: {a} {b}"),
                (a, b) => assert_eq!(a, b, "{index}"),
            }
        }
        run(&["analyze", &tng, "--top", &top, "-o", "analyzed", "-q"]);
        let flags = ["--lag", "20ps", "--relax", "0", "--json"];
        run(&[&["predict", &tng, "--top", &top, "-o", "p"][..], &flags].concat());
        run(&[&["predict", &gro, "-o", "q"][..], &flags].concat());
        let files = format!("folder = \"/\"\n[[data.systems]]\ntopology = \"{top}\"");
        let model = "layers = 1\nscalars = 16\nvectors = 4\npair = 8";
        let config = format!(
            "[data]\n{files}\ntrajectories = [\"{tng}\"]\n[jump]\nlag = \"50ps\"\n\
             [model]\n{model}\n[training]\nupdates = 1\n"
        );
        std::fs::write(folder.path().join("train.toml"), config).unwrap();
        run(&["train", "train.toml", "-o", "t"]);
        assert!(folder.path().join("t.safetensors").is_file());
    }

    fn copy_of(folder: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
        let mut bytes = std::fs::read(foreign(name)).unwrap();
        change(&mut bytes);
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn damaged_files_are_errors_or_give_their_whole_frames() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| {
            let error = open(path)
                .err()
                .unwrap_or_else(|| panic!("{path:?} was read"));
            assert_eq!(error.exit_code(), 2, "{error}");
            assert!(error.hint().contains("convert"), "{}", error.hint());
            error.to_string()
        };
        // an atom number that LAMMPS never writes takes the library beyond its array
        let wild = copy_of(folder.path(), "real.lammpstrj", |bytes| {
            let text = String::from_utf8(std::mem::take(bytes)).unwrap();
            *bytes = text.replacen("\n69 ", "\n999999999999 ", 2).into_bytes();
        });
        let words = refused(&wild);
        assert!(
            words.contains("real.lammpstrj, frame 0: chemfiles"),
            "{words}"
        );
        assert!(words.contains("crashed: signal"), "{words}");
        // bounds of a tilted box are not its edges: chemfiles takes them for that
        let words = refused(&foreign("triclinic.lammpstrj"));
        assert!(
            words.contains("triclinic.lammpstrj, frame 0: has a triclinic"),
            "{words}"
        );
        // a copy that stopped in the middle of a frame: the library cannot count the others
        let cut = copy_of(folder.path(), "akle.gro", |bytes| {
            bytes.truncate(bytes.len() - 400);
        });
        let words = refused(&cut);
        assert!(words.contains("akle.gro: not enough lines"), "{words}");
        // a last frame that is there, and nonsense
        let last = copy_of(folder.path(), "akle.xyz", |bytes| {
            let place = bytes.len() - 8;
            bytes[place..place + 4].copy_from_slice(b"what");
        });
        let reader = open(&last).unwrap();
        let notes = reader.notes().join("\n");
        assert!(
            reader.len() == 4 && notes.contains("frame 4, the last"),
            "{notes}"
        );
        // every cut of the binary format: an error or frames that are there, never the end of us
        let whole = std::fs::read(foreign("akle.tng")).unwrap();
        for length in [1, 100, whole.len() / 2, whole.len() - 10] {
            let path = copy_of(folder.path(), "akle.tng", |bytes| bytes.truncate(length));
            if let Ok(mut reader) = open(&path) {
                let mut frame = Frame::default();
                while let Ok(true) = reader.read(&mut frame) {
                    assert_eq!(frame.positions.len(), reader.n_atoms());
                }
            }
        }
    }

    /// Sends a signal to the helper that has `path` open, found by what was typed for it.
    #[cfg(target_os = "linux")]
    fn kill_helper(path: &Path) {
        let is_helper = |line: &[u8]| {
            let line = String::from_utf8_lossy(line);
            line.contains("read-foreign") && line.contains(path.to_str().unwrap())
        };
        let mut killed = 0;
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            if std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| is_helper(&line)) {
                let process = entry.file_name().into_string().unwrap();
                let status = std::process::Command::new("kill")
                    .args(["-9", &process])
                    .status();
                assert!(status.unwrap().success());
                killed += 1;
            }
        }
        assert_eq!(killed, 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_helper_that_is_killed_in_the_middle_is_an_error_of_the_frame() {
        let folder = tempfile::tempdir().unwrap();
        let path = copy_of(folder.path(), "akle.tng", |_| {});
        let mut reader = open(&path).unwrap();
        let mut frame = Frame::default();
        assert!(reader.read(&mut frame).unwrap());
        kill_helper(&path);
        let error = reader.read(&mut frame).unwrap_err();
        let words = error.to_string();
        assert_eq!(error.exit_code(), 2);
        assert!(
            words.starts_with(&format!("{}, frame 1: ", text(&path))),
            "{words}"
        );
        assert!(
            words.contains("crashed") && words.contains("signal 9"),
            "{words}"
        );
        assert!(error.hint().contains("convert"), "{}", error.hint());
    }

    #[test]
    fn what_cannot_be_a_structure_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: &Path| words(&program(folder.path(), &["check", &text(path)], 2));
        let said = check(&foreign("akle.xyz"));
        assert!(said.contains("does not name residues"), "{said}");
        // two molecules that are numbered alike
        let twice = copy_of(folder.path(), "akle.gro", |bytes| {
            let text = String::from_utf8(std::mem::take(bytes)).unwrap();
            let frame: Vec<&str> = text.lines().take(72).collect();
            let atoms = frame[2..71].join("\n");
            *bytes = format!("two\n  138\n{atoms}\n{atoms}\n{}\n", frame[71]).into_bytes();
        });
        let said = check(&twice);
        assert!(
            said.contains("residue number 1 stands in several places"),
            "{said}"
        );
        assert!(said.contains("editconf"), "{said}");
    }
}
