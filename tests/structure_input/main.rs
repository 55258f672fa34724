//! Structure files as they are met: what is read all the same, what is refused and how, and that
//! nothing panics.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use mdsurrogate::structure::{ReadOptions, Structure, read, read_models};
use mdsurrogate::{Error, Result};
use rand::{RngExt, SeedableRng};

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
    let junk = "REMARK free text, no number; é and Å\nHEADER short\nSEQADV\nSSBOND\nTER\nJUNK\n\nCRYST1 nonsense\n";
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
    assert_eq!(structure.topology.bonds.len(), 3 + 5 + 3 + 1); // backbones, side chain and H, HID, peptide bond
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
fn a_model_can_be_chosen_and_must_exist() {
    let model = |number: usize, index| {
        format!(
            "MODEL     {number:>4}\n{}TER\nENDMDL\n",
            backbone("GLY", "A   1 ", index)
        )
    };
    let text = model(3, 0) + &model(5, 1) + "END\n";
    let chosen = |model_number| {
        read_bytes(
            "x.pdb",
            &text,
            &ReadOptions {
                model_number,
                ..ReadOptions::default()
            },
        )
    };
    let first = chosen(None).unwrap();
    assert_eq!((first.report.model, first.report.models), (3, 2));
    assert!(
        first.report.warnings[0].contains("2 models"),
        "{:?}",
        first.report.warnings
    );
    assert_eq!(chosen(Some(5)).unwrap().frame.positions[0].x, 3.8);
    refused(
        chosen(Some(4)),
        &["no model 4", "--model-number 3", "2 models, 3 to 5"],
    );
    let differing =
        text.clone() + &format!("MODEL        7\n{}ENDMDL\n", backbone("ALA", "A   1 ", 0));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.pdb"), differing).unwrap();
    let error = read_models(&folder.path().join("x.pdb"), &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("frame 2: model 7 differs from model 3: A:ALA 1:N instead of A:GLY 1:N"),
        "{error}"
    );
}

#[test]
fn mmcif_values_may_be_quoted_missing_or_uncertain() {
    let header = "data_x\n_cell.length_a 10.5(2)\n_cell.length_b 20\n_cell.length_c 30\n_cell.angle_alpha 90\n_cell.angle_beta 91.5\n_cell.angle_gamma 90\n\
        loop_\n_other.id\n_other.text\n1 'it's'\n2\n;a\ntext\n;\nloop_\n_atom_site.label_atom_id\n_atom_site.label_comp_id\n_atom_site.auth_asym_id\n\
        _atom_site.label_asym_id\n_atom_site.auth_seq_id\n_atom_site.pdbx_PDB_ins_code\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n";
    let rows = "N GLY 1 A 7 ? 0.5 0 -1e0\n\"CA\" 'GLY' '1' A 7 ? 2.0(3) 0 0\nC GLY 1 A 7 .\n 3 1 0 O GLY 1 A 7 ? 4 1 0\n";
    let structure =
        read_bytes("x.cif", format!("{header}{rows}"), &ReadOptions::default()).unwrap();
    assert_eq!(
        (
            structure.topology.residue_label(0),
            structure.topology.bonds.len()
        ),
        ("1:GLY 7".into(), 3)
    );
    assert_eq!(structure.frame.positions[0].z, -1.0);
    assert_eq!(
        structure.report.cell,
        Some([10.5, 20.0, 30.0, 90.0, 91.5, 90.0])
    );
    refused(
        read_bytes(
            "x.cif",
            format!("{header}{rows}N GLY 1 A"),
            &ReadOptions::default(),
        ),
        &["x.cif:30: ", "4 of 9 values"],
    );
    refused(
        read_bytes(
            "x.cif",
            header.to_owned() + &rows.replace("4 1 0", "4 ? 0"),
            &ReadOptions::default(),
        ),
        &["x.cif:29, 1:GLY 7:O", "y is `?`"],
    );
    refused(
        read_bytes(
            "x.cif",
            header.replace("Cartn_z", "other_z") + rows,
            &ReadOptions::default(),
        ),
        &["no column _atom_site.cartn_z"],
    );
}

#[test]
fn bad_files_are_refused_by_name_with_the_next_thing_to_try() {
    let folder = tempfile::tempdir().unwrap();
    let none = ReadOptions::default();
    refused(
        read(&folder.path().join("none.pdb"), &none),
        &["none.pdb", "cannot be read"],
    );
    refused(read(folder.path(), &none), &["cannot be read"]);
    refused(read_text(""), &["x.pdb: is empty", "again"]);
    refused(read_text(" \n\n"), &["is empty"]);
    refused(
        read_text("Dear reader,\nthis is a letter.\n"),
        &["holds no atoms", "PDB or mmCIF"],
    );
    refused(read_text([0, 1, 2, 3]), &["is not a text file"]);
    refused(read_text("data_x\n_entry.id x\n"), &["holds no atoms"]);
    let whole =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/1ubi.pdb.gz"))
            .unwrap();
    refused(
        read_bytes("x.pdb.gz", &whole[..whole.len() / 2], &none),
        &["x.pdb.gz: is cut short", "again"],
    );
    let mut damaged = whole;
    damaged[5000..5010].fill(0xff);
    refused(read_bytes("x.pdb.gz", damaged, &none), &["gzip"]);
}

#[test]
fn bad_atoms_are_refused_by_line_and_name() {
    let good = backbone("GLY", "A   1 ", 0);
    let next = |text: &str| read_text(format!("REMARK\n{good}{text}"));
    let atom = line("ATOM", "5", "N", " GLY", "A   2 ", [3.8, 0.0, 0.0], "");
    refused(
        next(&atom.replace("   3.800", "     nan")),
        &["x.pdb:6, A:GLY 2:N: x is NaN"],
    );
    refused(
        next(&atom.replace("   3.800", "     inf")),
        &["x.pdb:6, A:GLY 2:N: x is inf, out of range"],
    );
    refused(
        next(&atom.replace("   3.800", "********")),
        &["x.pdb:6, A:GLY 2:N: x is `********`", "columns"],
    );
    refused(
        next(&atom.replace("   3.800", "   3.8x0")),
        &["x is `3.8x0`, not a number"],
    );
    refused(
        next(&atom[..50]),
        &["x.pdb:6: ", "ends at column 50", "cut short"],
    );
    refused(
        next(&atom.replace("A   2 ", "A     ")),
        &["x.pdb:6: ", "no residue number"],
    );
    refused(
        next(&atom.replace(" N  ", "    ")),
        &["x.pdb:6: ", "without a name"],
    );
    let twin = line("ATOM", "5", "N", " GLY", "A   2 ", [2.5, 0.25, 0.05], "");
    refused(
        next(&twin),
        &[
            "x.pdb:6, A:GLY 2:N: lies 0.071 Å from A:GLY 1:C (line 4)",
            "delete one",
        ],
    );
}

#[test]
fn what_is_no_protein_is_refused() {
    let sep = backbone("GLY", "A   1 ", 0)
        + &backbone("SEP", "A   2 ", 1)
        + &backbone("GLY", "A   3 ", 2);
    refused(
        read_text(&sep),
        &[
            "x.pdb:",
            "A:SEP 2: the chain holds SEP, a residue without template",
            "rename the residue to SER",
        ],
    );
    refused(
        read_text(sep.replace("SEP", "ZZZ")),
        &["A:ZZZ 2", "--chains"],
    );
    refused(
        read_text(line("ATOM", "1", "P", "  DA", "A   1 ", [0.0; 3], "")),
        &["holds no protein (left out: 1 DA)"],
    );
    refused(
        read_text(line("HETATM", "1", "O", " HOH", "A   1 ", [0.0; 3], "")),
        &["holds no protein (left out: 1 water)"],
    );
    let only = |chain: &str| ReadOptions {
        chains: Some(vec![chain.into()]),
        ..ReadOptions::default()
    };
    refused(
        read_bytes("x.pdb", backbone("GLY", "A   1 ", 0), &only("B")),
        &["no chain `B`", "--chains with some of A"],
    );
    // a chain left out may hold what it likes
    let other = backbone("GLY", "B   1 ", 20);
    assert_eq!(
        read_bytes("x.pdb", sep + &other, &only("B"))
            .unwrap()
            .report
            .atoms,
        4
    );
}

/// Plain bytes of a small real file of each kind.
fn real_files() -> Vec<(&'static str, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/structures");
    let unpacked = |name: &str| {
        let mut bytes = Vec::new();
        std::io::copy(
            &mut GzDecoder::new(std::fs::File::open(folder.join(name)).unwrap()),
            &mut bytes,
        )
        .unwrap();
        bytes
    };
    vec![
        ("x.pdb", unpacked("2xdgA.pdb.gz")),
        ("x.cif", unpacked("1yjp.cif.gz")),
    ]
}

/// Either a structure, or an error that says what to do.
fn survives(name: &str, bytes: &[u8]) -> bool {
    match read_bytes(name, bytes, &ReadOptions::default()) {
        Ok(structure) => {
            assert!(
                structure
                    .frame
                    .positions
                    .iter()
                    .all(|position| position.iter().all(|value| value.is_finite()))
            );
            true
        }
        Err(error) => {
            error_of(Err(error));
            false
        }
    }
}

#[test]
fn cut_files_never_panic() {
    for (name, bytes) in real_files() {
        let whole = survives(name, &bytes);
        let cuts = (0..bytes.len()).step_by(97);
        let accepted = cuts
            .map(|length| survives(name, &bytes[..length]))
            .filter(|accepted| *accepted)
            .count();
        assert!(
            whole && accepted > 0 && accepted < bytes.len() / 97,
            "{name}: {accepted}"
        );
    }
}

#[test]
fn mutated_files_never_panic() {
    const SIGNS: &[u8] = b"\n\r \t'\";#_.?-0*";
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    for (name, bytes) in real_files() {
        for round in 0..400 {
            let mut mutated = bytes.clone();
            for _ in 0..1 << (round % 8) {
                let at = rng.random_range(0..mutated.len());
                match rng.random_range(0..4) {
                    0 => mutated[at] = rng.random(),
                    1 => mutated[at] = SIGNS[rng.random_range(0..SIGNS.len())],
                    2 => drop(mutated.drain(at..(at + rng.random_range(1..40)).min(mutated.len()))),
                    _ => mutated.insert(at, rng.random()),
                }
            }
            survives(name, &mutated);
        }
    }
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
