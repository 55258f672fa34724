//! Structure files as they are met: what is read all the same, what is refused and how, and that
//! nothing panics.

mod models;
mod predicted;
mod refusals;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use mdsurrogate::structure::{ReadOptions, Structure, read};
use mdsurrogate::{Error, Result};

/// Reads `bytes` as a file of that name.
fn read_bytes(name: &str, bytes: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Structure> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path, options)
}

fn read_text(text: impl AsRef<[u8]>) -> Result<Structure> {
    read_bytes("x.pdb", text, &ReadOptions::default())
}

fn line(
    record: &str,
    serial: &str,
    name: &str,
    residue: &str,
    place: &str,
    [x, y, z]: [f64; 3],
    rest: &str,
) -> String {
    let name = if name.len() == 4 {
        name.to_owned()
    } else {
        format!(" {name}")
    };
    format!(
        "{record:<6}{serial:>5} {name:<4}{residue:<5}{place:<6}   {x:8.3}{y:8.3}{z:8.3}{rest}\n"
    )
}

/// Backbone of a residue whose N lies at 3.8 Å · `index`: bonded to its neighbours along x. `place`
/// is chain and number in 6 columns.
fn backbone(residue: &str, place: &str, index: usize) -> String {
    let x = 3.8 * index as f64;
    let atoms = [
        ("N", [x, 0.0, 0.0]),
        ("CA", [x + 1.2, 0.8, 0.0]),
        ("C", [x + 2.5, 0.2, 0.0]),
        ("O", [x + 2.6, -1.0, 0.3]),
    ];
    atoms
        .iter()
        .map(|(name, at)| line("ATOM", "1", name, &format!(" {residue}"), place, *at, ""))
        .collect()
}

fn error_of(result: Result<Structure>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(!error.hint().is_empty(), "{error}");
    error
}

#[track_caller]
fn refused(result: Result<Structure>, words: &[&str]) {
    let error = error_of(result);
    let text = format!("{error} | {}", error.hint());
    assert!(
        words.iter().all(|word| text.contains(word)),
        "{text} lacks one of {words:?}"
    );
}

#[test]
fn short_lines_without_elements_are_read() {
    let text = backbone("GLY", "A   1 ", 0) + &backbone("GLY", "A   2 ", 1);
    assert!(text.lines().all(|line| line.len() == 54));
    let structure = read_text(text).unwrap();
    assert_eq!((structure.report.atoms, structure.report.bonds), (8, 7));
    assert_eq!(structure.topology.atoms[1].element.symbol(), "C"); // CA is no calcium
}

#[test]
fn records_that_pdbtbx_refuses_are_passed_over() {
    let junk = "REMARK free text, no number; é and Å\nHEADER short\nSEQADV\nSSBOND\nTER\nJUNK\n\n\
                CRYST1 nonsense\n";
    let structure = read_text(format!(
        "{junk}{}MASTER 1\nEND\n",
        backbone("GLY", "A   1 ", 0)
    ))
    .unwrap();
    assert_eq!(
        (
            structure.report.atoms,
            structure.report.models,
            structure.frame.cell
        ),
        (4, 1, None)
    );
}

#[test]
fn names_of_other_programs_become_ours() {
    let side = |name: &str, y: f64| line("ATOM", "1", name, " ILE", "A   1 ", [1.2, y, 1.5], "");
    let text = backbone("ILE", "A   1 ", 0)
        + &side("CB", 1.0)
        + &side("CG1", 2.0)
        + &side("CG2", 3.0)
        + &side("CD", 4.0)
        + &line("ATOM", "1", "HN", " ILE", "A   1 ", [-0.5, -0.8, 0.0], "");
    let structure = read_text(text + &backbone("HSD", "A   2 ", 1)).unwrap();
    let names: Vec<&str> = structure.topology.atoms[7..9]
        .iter()
        .map(|atom| atom.name.as_str())
        .collect();
    assert_eq!(
        (names, structure.topology.residues[1].name.as_str()),
        (vec!["CD1", "H"], "HID")
    );
    // backbones, side chain and H, HID, peptide bond
    assert_eq!(structure.topology.bonds.len(), 3 + 5 + 3 + 1);
    assert_eq!(structure.report.renamed["ILE:CD → CD1"], 1);
}

#[test]
fn selenomethionine_is_read_as_methionine_with_a_warning() {
    let text = backbone("MSE", "A   1 ", 0).replace("ATOM  ", "HETATM");
    let text = text
        + &line(
            "HETATM",
            "9",
            "SE",
            " MSE",
            "A   1 ",
            [1.2, 3.0, 0.0],
            "  1.00  0.00          SE",
        );
    let structure = read_text(text).unwrap();
    let sulfur = structure.topology.atoms.last().unwrap();
    assert_eq!((sulfur.name.as_str(), sulfur.element.symbol()), ("SD", "S"));
    assert!((sulfur.mass - 32.07).abs() <= 0.02, "{}", sulfur.mass);
    assert!(
        structure.report.warnings[0].starts_with("A:MSE 1: "),
        "{:?}",
        structure.report.warnings
    );
}

#[test]
fn the_alternative_of_highest_occupancy_is_read_unless_another_is_asked_for() {
    let alternative = |altloc: &str, x: f64, occupancy: &str| {
        line(
            "ATOM",
            "1",
            "CB",
            &format!("{altloc}ALA"),
            "A   1 ",
            [x, 1.4, 1.3],
            occupancy,
        )
    };
    for (a, b, expected) in [
        ("  0.40", "  0.60", 1.5),
        ("  0.50", "  0.50", 0.9),
        ("  0.60", "  0.40", 0.9),
    ] {
        let text =
            backbone("ALA", "A   1 ", 0) + &alternative("A", 0.9, a) + &alternative("B", 1.5, b);
        let found = |altloc| {
            let structure = read_bytes(
                "x.pdb",
                &text,
                &ReadOptions {
                    altloc,
                    ..ReadOptions::default()
                },
            )
            .unwrap();
            assert_eq!(
                (structure.report.atoms, structure.report.alternatives),
                (5, 1)
            );
            structure.frame.positions[4].x
        };
        assert_eq!(
            [found(None), found(Some('A')), found(Some('B'))],
            [expected, 0.9, 1.5]
        );
    }
    let text =
        backbone("ALA", "A   1 ", 0) + &alternative("A", 0.9, "") + &alternative("B", 1.5, "");
    let options = ReadOptions {
        altloc: Some('C'),
        ..ReadOptions::default()
    };
    refused(
        read_bytes("x.pdb", text, &options),
        &["no alternative location `C`", "--altloc with one of A, B"],
    );
}

#[test]
fn insertion_codes_tell_residues_apart() {
    let text = backbone("GLY", "A  27 ", 0)
        + &backbone("GLY", "A  27A", 1)
        + &backbone("GLY", "A  27B", 2);
    let topology = read_text(text).unwrap().topology;
    assert_eq!(
        (0..3)
            .map(|residue| topology.residue_label(residue))
            .collect::<Vec<_>>(),
        ["A:GLY 27", "A:GLY 27A", "A:GLY 27B"]
    );
    assert_eq!(topology.bonds.len(), 3 * 3 + 2);
}

#[test]
fn blank_chains_that_number_anew_are_molecules_of_their_own() {
    let far = 100;
    for end in ["", "TER\n"] {
        let text = backbone("GLY", "    1 ", 0)
            + &backbone("GLY", "    2 ", 1)
            + end
            + &backbone("GLY", "    1 ", far)
            + &backbone("GLY", "    2 ", far + 1);
        let structure = read_text(text).unwrap();
        assert_eq!(
            (
                structure.topology.chains.len(),
                structure.topology.bonds.len()
            ),
            (2, 14),
            "{end:?}"
        );
        assert_eq!(
            (
                structure.topology.residue_label(0),
                structure.report.breaks.len()
            ),
            ("GLY 1".into(), 0)
        );
    }
}

#[test]
fn chain_breaks_are_reported_with_their_length() {
    let structure =
        read_text(backbone("GLY", "A   1 ", 0) + &backbone("GLY", "A   9 ", 2)).unwrap();
    let found = &structure.report.breaks[0];
    assert_eq!(
        (found.before.as_str(), found.after.as_str()),
        ("A:GLY 1", "A:GLY 9")
    );
    let distance = found.distance.unwrap();
    assert!(
        (distance - (7.6_f64 - 2.5).hypot(0.2)).abs() <= 1e-9,
        "{distance}"
    );
    assert!(
        structure
            .report
            .warnings
            .iter()
            .any(|warning| warning.contains("A:GLY 1 and A:GLY 9: C–N 5.10 Å")),
        "{:?}",
        structure.report.warnings
    );
}

#[test]
fn atoms_repeated_exactly_are_read_once() {
    let text = backbone("GLY", "A   1 ", 0).repeat(2) + &backbone("GLY", "A   2 ", 1);
    let report = read_text(text).unwrap().report;
    assert_eq!(
        (report.atoms, report.residues, report.repeated_atoms),
        (8, 2, 4)
    );
}

#[test]
fn overflowing_numbers_are_read() {
    let mut text = String::new();
    for (index, (serial, number)) in [("99999", "9999 "), ("A0000", "A000 "), ("*****", "10001")]
        .into_iter()
        .enumerate()
    {
        text += &backbone("GLY", &format!("A{number}"), index)
            .replace("ATOM      1", &format!("ATOM  {serial}"));
    }
    let structure = read_text(text).unwrap();
    let numbers: Vec<isize> = structure
        .topology
        .residues
        .iter()
        .map(|residue| residue.number)
        .collect();
    assert_eq!(
        (numbers, structure.topology.bonds.len()),
        (vec![9999, 10_000, 10_001], 11)
    );
    assert_eq!(structure.topology.atoms[4].serial, 100_000);
}

#[test]
fn ligands_ions_and_free_amino_acids_are_left_out() {
    let text = backbone("GLY", "A   1 ", 0)
        + "TER\n"
        + &line("HETATM", "5", "CA", "  CA", "A 101 ", [30.0, 0.0, 0.0], "")
        + &line("HETATM", "6", "C1", " NAG", "A 102 ", [40.0, 0.0, 0.0], "")
        + &backbone("GLU", "A 103 ", 13).replace("ATOM  ", "HETATM")
        + &line("HETATM", "9", "O", " HOH", "A 201 ", [60.0, 0.0, 0.0], "")
        + &line("ATOM", "9", "OH2", " TIP3", "W   1 ", [70.0, 0.0, 0.0], "")
        + &line("ATOM", "9", "H1", " TIP3", "W   1 ", [71.0, 0.0, 0.0], "");
    let report = read_text(text).unwrap().report;
    assert_eq!(
        (report.atoms, report.left_out_line().unwrap()),
        (4, "left out: 2 waters, 1 CA, 1 GLU, 1 NAG".into())
    );
}

#[test]
fn gzip_is_told_by_content_not_by_name() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed
        .write_all(backbone("GLY", "A   1 ", 0).as_bytes())
        .unwrap();
    let structure = read_bytes("x.txt", packed.finish().unwrap(), &ReadOptions::default()).unwrap();
    assert!(structure.report.compressed);
    assert_eq!(structure.report.atoms, 4);
}
