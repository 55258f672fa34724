//! What every command must say, and what a run may not end with.

use std::path::Path;

use mdsurrogate::forcefield::template_geometry_at;
use mdsurrogate::observe::{GeometryGuard, Journal, Observer, Record};
use mdsurrogate::structure::{ReadOptions, read};

use super::{command, edited, report, repository};

#[test]
fn every_command_says_what_was_left_out_and_what_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (file, said) in [
        (
            "glycan_on_asn.pdb",
            "A:NAG 101, whose C1 is bonded to A:ASN 1:ND2",
        ),
        ("zinc_four_cysteines.pdb", "E:ZN 1, bound to A:CYS 13:SG"),
    ] {
        let (relaxed, next) = (out(&format!("{file}.relaxed.pdb")), out(file));
        for (name, flags) in [
            ("check", &[][..]),
            ("energy", &[]),
            ("minimize", &["--steps", "1", "-o", &relaxed]),
            ("run", &["--dry-run", "--backend", "cpu"]),
            ("reference", &["--dry-run"]),
            ("finetune", &["--dry-run"]),
            ("predict", &["--backend", "cpu", "-o", &next]),
            (
                "predict",
                &["--backend", "cpu", "--overwrite", "--json", "-o", &next],
            ),
        ] {
            let found = command(name, &report(file), flags);
            assert_eq!(found.code, 0, "{name} {file}: {}", found.words);
            assert!(
                found.words.contains("left out: ") && found.words.contains(said),
                "{name} {file}: {}",
                found.words
            );
        }
    }
}

/// A row of the reports' table that no test names would not be missed.
#[test]
fn every_file_of_the_reports_is_in_a_test() {
    fn sources(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                *text += &std::fs::read_to_string(&path).unwrap();
            }
        }
    }
    let mut text = String::new();
    sources(&repository("tests"), &mut text);
    let mut unnamed = Vec::new();
    for entry in std::fs::read_dir(repository("tests/data/reports")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        // readers leave hidden files of offsets beside trajectories
        let is_own = path.is_file() && !name.starts_with('.') && name != "README.md";
        let is_named = text.contains(&format!("{name}\"")) || text.contains(&format!("\"{stem}\""));
        if is_own && !is_named {
            unnamed.push(name.to_owned());
        }
    }
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

/// All other limits may be excused by the start of a run; this one is not.
#[test]
fn guards_stop_at_a_bond_through_a_ring() {
    let options = ReadOptions::default();
    for file in ["ring_pierced.pdb", "reliability/p3_phe_CD_minimized.pdb"] {
        let structure = read(&report(file), &options).unwrap();
        let (topology, frame) = (&structure.topology, &structure.frame);
        let template = template_geometry_at(topology, &frame.positions).unwrap();
        let guard = || GeometryGuard::new(topology, &template, &frame.positions, Journal::silent());
        let stopped =
            |mut guard: GeometryGuard| guard.observe(frame, &mut Record::default()).unwrap_err();
        let error = stopped(guard());
        assert_eq!(error.exit_code(), 3);
        assert!(
            error
                .to_string()
                .contains("LYS 2:CG–CD runs through the ring of"),
            "{error}"
        );
        assert!(error.hint().contains("a model far from its training set"));
        // the force field has no training set
        let error = stopped(guard().of_physics());
        assert!(!error.hint().contains("model") && error.hint().contains("--dt"));
    }
    // rings that nothing runs through are none of a guard's
    let sound = read(&report("all_types_truth.pdb"), &options).unwrap();
    let start = &sound.frame.positions;
    let template = template_geometry_at(&sound.topology, start).unwrap();
    let mut guard = GeometryGuard::new(&sound.topology, &template, start, Journal::silent());
    guard.observe(&sound.frame, &mut Record::default()).unwrap();
}

/// Residues of one name and number that follow each other are not one residue with its atoms twice.
#[test]
fn residues_that_share_a_number_are_refused_by_name() {
    let one_number = edited("all_types_truth.pdb", |line| {
        let is_heavy = line.starts_with("ATOM") && line.get(76..78) != Some(" H");
        is_heavy.then(|| format!("{}   1{}", &line[..22], &line[26..]))
    });
    for name in ["check", "energy"] {
        let said = command(name, one_number.path(), &[]);
        assert_eq!(said.code, 2, "{}", said.words);
        assert!(
            said.words
                .contains("residues that follow each other share a number")
                && said.words.contains("try: give every residue a number"),
            "{}",
            said.words
        );
    }
}
