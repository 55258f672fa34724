//! Structure files made after public reports (tests/data/reports): what every command must say of
//! them, take or refuse, and with which energy. Each stands for its kind; siblings are made by
//! editing them.

mod bonds;
mod commands;
mod dialects;
mod formal;
mod geometry;
mod records;
mod siblings;
mod states;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What a command did.
struct Said {
    code: i32,
    /// stdout and stderr.
    words: String,
    /// Total energy, kJ/mol, of `energy`.
    total: Option<f64>,
}

fn command(name: &str, file: &Path, more: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_mdsurrogate"))
        .arg(name)
        .arg(file)
        .args(more)
        .output()
        .unwrap();
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let json: Option<Value> = serde_json::from_str(&stdout).ok();
    let total = json.and_then(|json| json["energy_kj_mol"]["total"].as_f64());
    Said {
        code: output.status.code().unwrap_or(-1),
        words: stdout + &stderr,
        total,
    }
}

/// `check` and `energy` of a file: both must end with `code` and say all of `says`; the energy must
/// be `total` within 0.01 kJ/mol where one is given.
#[track_caller]
fn case(file: &Path, more: &[&str], code: i32, says: &[&str], total: Option<f64>) -> f64 {
    let check = command("check", file, more);
    let in_f64 = [more, &["--json", "--precision", "f64"]].concat();
    let energy = command("energy", file, &in_f64);
    for (name, said) in [("check", &check), ("energy", &energy)] {
        assert_eq!(said.code, code, "{name} {}: {}", file.display(), said.words);
        for text in says {
            assert!(
                said.words.contains(text),
                "{name} {} does not say `{text}`: {}",
                file.display(),
                said.words
            );
        }
    }
    if code != 0 {
        return f64::NAN;
    }
    let found = energy.total.unwrap_or(f64::NAN);
    if let Some(total) = total {
        assert!((found - total).abs() <= 0.01, "{}: {found}", file.display());
    }
    found
}

fn report(name: &str) -> PathBuf {
    repository(&format!("tests/data/reports/{name}"))
}

/// A copy of a report's file, changed line by line; `None` leaves a line out.
struct Edited(tempfile::TempDir, PathBuf);

fn edited(name: &str, change: impl Fn(&str) -> Option<String>) -> Edited {
    let text = std::fs::read_to_string(report(name)).unwrap();
    let lines: Vec<String> = text.lines().filter_map(change).collect();
    let folder = tempfile::tempdir().unwrap();
    let file_name = Path::new(name).file_name().unwrap();
    let path = folder.path().join(file_name);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    Edited(folder, path)
}

impl Edited {
    fn path(&self) -> &Path {
        assert!(self.0.path().exists());
        &self.1
    }
}

/// x, y, z of an atom record.
fn position(line: &str) -> [f64; 3] {
    [30, 38, 46].map(|start| line[start..start + 8].trim().parse().unwrap())
}

fn with_position(line: &str, [x, y, z]: [f64; 3]) -> String {
    format!("{}{x:8.3}{y:8.3}{z:8.3}{}", &line[..30], &line[54..])
}

/// Every coordinate times a factor.
fn scaled(name: &str, factor: f64) -> Edited {
    edited(name, |line| {
        let is_atom = line.starts_with("ATOM") || line.starts_with("HETATM");
        Some(if is_atom {
            with_position(line, position(line).map(|value| value * factor))
        } else {
            line.to_owned()
        })
    })
}

/// Seconds that this process has used.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().map(|rest| {
        let fields: Vec<f64> = rest
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        fields
            .get(10)
            .zip(fields.get(11))
            .map_or(0.0, |(user, system)| user + system)
    });
    ticks.unwrap_or(0.0) / 100.0
}

#[test]
fn dialects_of_text_are_read_or_named() {
    let check = |name: &str, code: i32, says: &[&str]| {
        let said = command("check", &report(name), &[]);
        assert_eq!(said.code, code, "{name}: {}", said.words);
        for text in says {
            assert!(
                said.words.contains(text),
                "{name}: no `{text}`: {}",
                said.words
            );
        }
    };
    check(
        "ligand.pdbqt",
        0,
        &["model 1 of 1", "4 residues", "32 atoms"],
    );
    check("chain_two_chars.pdb", 0, &["chain AB: 20 residues"]);
    check("tabs.pdb", 2, &["tabs.pdb:1", "hold tabs"]);
    check(
        "pdb2pqr_free.pqr",
        0,
        &["PQR file", "20 residues", "304 atoms"],
    );
    check(
        "hydrogens_after_ter.pdb",
        0,
        &["150 hydrogens", "20 residues", "304 atoms"],
    );
    check(
        "models_interleaved.cif",
        0,
        &["model 1 of 2", "2 models in the file"],
    );
    check(
        "cat_two_chains.pdb",
        0,
        &["not read: ", "chain B", "END", "model 1 of 1"],
    );
    let old = command("check", &report("all_types_pdb2.pdb"), &[]);
    let renamed = old
        .words
        .lines()
        .find(|line| line.starts_with("renamed"))
        .unwrap();
    assert!(old.code == 0 && renamed.len() <= 40, "{renamed}");
    // UTF-16, as Windows programs write text
    let folder = tempfile::tempdir().unwrap();
    let wide = folder.path().join("wide.pdb");
    let text = std::fs::read_to_string(report("two_residues.pdb")).unwrap();
    let bytes = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes);
    std::fs::write(&wide, bytes.collect::<Vec<u8>>()).unwrap();
    assert!(command("check", &wide, &[]).words.contains("2 residues"));
}

/// Right before, to stay right.
#[test]
fn what_was_right_stays_right() {
    for file in [
        "hydrogens_at_end.pdb",
        "polar_hydrogens.pdb",
        "all_hetatm.pdb",
        "amide_end.pdb",
        "gemmi_mse.cif",
        "gemmi_atoms_only.cif",
        "pymol_no_auth_seq.cif",
        "no_occupancy.cif",
        "label_asym_dot.cif",
        "two_blocks.cif",
        "text_fields.cif",
        "assembly_chain_names.cif",
        "names_left_justified.pdb",
        "insertion_numbers_interleave.pdb",
        "negative_numbers.pdb",
        "lower_case.pdb",
        "bom_crlf.pdb",
        "segid_b_stars.pdb",
        "methyl_names_swapped.pdb",
        "protein_dna.pdb",
    ] {
        let said = command("check", &report(file), &[]);
        assert_eq!(said.code, 0, "{file}: {}", said.words);
        assert!(
            !said.words.contains("put in the order"),
            "{file}: {}",
            said.words
        );
    }
    case(&report("neutron_hd.pdb"), &[], 0, &[], Some(-1657.769));
    case(
        &report("hydrogens_numbered.pdb"),
        &[],
        0,
        &["left out that no template knows"],
        None,
    );
    for (file, says) in [
        ("phosphoserine.pdb", "SER"),
        ("hydroxy_cysteine.pdb", "CYS"),
        ("selenocysteine.pdb", "CYS"),
        ("carboxylysine.pdb", "LYS"),
        ("pyroglutamate_first.pdb", "GLU"),
        ("unknown_residue.pdb", "UNK"),
        ("norleucine.pdb", "NLE"),
        ("asx_ambiguous.pdb", "ASX"),
        ("waters_only.pdb", "no protein"),
        ("caps_only.pdb", "no protein"),
        ("wide_coordinates.pdb", "columns"),
        ("akle.pdb.bz2", "not a text file"),
        ("akle.pdb.xz", "not a text file"),
        ("akle.zip", "not a text file"),
        ("fake.bcif", "not a text file"),
        ("not_found.pdb", "no atoms"),
        ("sequence.pdb", "no atoms"),
    ] {
        let said = command("check", &report(file), &[]);
        assert_eq!(said.code, 2, "{file}: {}", said.words);
        assert!(said.words.contains(says), "{file}: {}", said.words);
    }
    let truth = case(&report("all_types_truth.pdb"), &[], 0, &[], None);
    for file in ["all_types_charmm.pdb", "all_types_pdb2.pdb"] {
        case(&report(file), &[], 0, &[], Some(truth));
    }
}

/// Linear in the number of records: it took 21 s for 8 MB. Processor time, as machines are busy.
#[test]
fn a_ter_after_every_atom_costs_no_more_than_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ter.pdb");
    let lines: String = (0..40_000)
        .map(|index| {
            let (x, y, z) = (index % 50, index / 50 % 50, index / 2500);
            let [x, y, z] = [x, y, z].map(|value| 5.0 * f64::from(value));
            format!(
                "ATOM  {index:>5}  CA  ALA A{:>4}    {x:8.3}{y:8.3}{z:8.3}\nTER\n",
                index % 10_000
            )
        })
        .collect();
    std::fs::write(&path, lines).unwrap();
    let options = mdsurrogate::structure::ReadOptions::default();
    let start = processor_time();
    let read = mdsurrogate::structure::read(&path, &options).unwrap();
    assert_eq!(read.topology.len(), 40_000);
    assert!(
        processor_time() - start <= 20.0,
        "{}",
        processor_time() - start
    );
}

#[test]
fn packed_text_has_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blanks.pdb.gz");
    let file = std::fs::File::create(&path).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..300 {
        std::io::Write::write_all(&mut packed, &blanks).unwrap();
    }
    packed.finish().unwrap();
    let said = command("check", &path, &[]);
    assert!(
        said.code == 2 && said.words.contains("more than 256 MiB"),
        "{}",
        said.words
    );
}
