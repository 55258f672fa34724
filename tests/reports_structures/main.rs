//! Structure files made after public reports (tests/data/reports): what every command must say of
//! them, take or refuse, and with which energy. Each stands for its kind; siblings are made by
//! editing them.

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

/// OpenMM 8.6.1 with ff14SB, OBC2 and a bond between the last C and the first N: −67.605 kJ/mol.
#[test]
fn rings_of_peptides_are_closed() {
    let closed = ["A:ALA 6:C – A:GLY 1:N: bonded (1.34 Å)"];
    let all = report("cyclic_hexapeptide_H.pdb");
    case(&all, &[], 0, &closed, Some(-67.605));
    // hydrogens built anew cost a few kJ/mol, not the 112,000 of an end that is none
    let heavy = case(&report("cyclic_hexapeptide.pdb"), &[], 0, &closed, None);
    assert!((-140.0..0.0).contains(&heavy), "{heavy}");
    // the file may start the ring anywhere: its residues in another order, under other chains
    let turned = edited("cyclic_hexapeptide_H.pdb", |line| {
        let is_atom = line.starts_with("ATOM");
        let number: Option<u8> = is_atom.then(|| line[22..26].trim().parse().unwrap());
        let chain = if number.is_some_and(|number| number > 3) {
            "B"
        } else {
            "A"
        };
        Some(if is_atom {
            format!("{}{chain}{}", &line[..21], &line[22..])
        } else {
            line.into()
        })
    });
    let bonds = [
        "A:GLY 3:C – B:ALA 4:N: bonded",
        "B:ALA 6:C – A:GLY 1:N: bonded",
    ];
    case(turned.path(), &[], 0, &bonds, Some(-67.605));
}

#[test]
fn links_between_side_chains_are_refused_by_both_atoms() {
    let said = ["A:LYS 2:NZ", "B:ASN 1:CG", "1.33 Å", "LINK"];
    for more in [&[][..], &["--fix"]] {
        case(&report("isopeptide_lys_asn.pdb"), more, 2, &said, None);
    }
    // without the record, and as a lactam of an aspartate under one chain letter
    let bare = edited("isopeptide_lys_asn.pdb", |line| {
        (!line.starts_with("LINK")).then(|| line.into())
    });
    case(bare.path(), &["--fix"], 2, &said[..3], None);
    let lactam = edited("isopeptide_lys_asn.pdb", |line| {
        let line = line
            .replace("ASN B", "ASP A")
            .replace("LEU B", "LEU A")
            .replace("TYR B", "TYR A");
        (!line.starts_with("LINK")).then_some(line)
    });
    case(lactam.path(), &["--fix"], 2, &["NZ", "CG", "1.33 Å"], None);
    // one of the two alone is a molecule of its own
    let alone = case(
        &report("isopeptide_lys_asn.pdb"),
        &["--chains", "A"],
        0,
        &["left out: B:ASN 1, whose CG is bonded to A:LYS 2:NZ (1.33 Å, LINK)"],
        None,
    );
    assert!(alone < 0.0, "{alone}");
}

#[test]
fn what_is_bonded_is_one_chain_whatever_ter_letters_and_order_say() {
    let without_ter = edited("ter_mid_chain.pdb", |line| {
        (!line.starts_with("TER")).then(|| line.into())
    });
    let whole = case(without_ter.path(), &[], 0, &[], None);
    assert!((-2100.0..-1900.0).contains(&whole), "{whole}");
    case(&report("ter_mid_chain.pdb"), &[], 0, &[], Some(whole));
    let letters = edited("ter_mid_chain.pdb", |line| {
        let behind = line.starts_with("ATOM") && line[22..26].trim().parse::<u8>().unwrap() > 10;
        Some(if behind {
            format!("{}B{}", &line[..21], &line[22..])
        } else {
            line.into()
        })
    });
    case(letters.path(), &[], 0, &["A:GLY 10:C – B:GLY 11:N"], None);
    let loops = case(
        &report("loop_at_end.pdb"),
        &[],
        0,
        &["put in the order of their bonds"],
        None,
    );
    assert!((loops - whole).abs() <= 60.0, "{loops} {whole}");
}

#[test]
fn declared_disulfides_are_believed_up_to_a_length() {
    let three = "disulfide I:CYS 14 – I:CYS 38";
    let long = ["I:CYS 14:SG – I:CYS 38:SG (2.75 Å"];
    let believed = case(&report("long_disulfide_ssbond.pdb"), &[], 0, &long, None);
    let check = command("check", &report("long_disulfide_ssbond.pdb"), &[]);
    assert!(check.words.contains(three), "{}", check.words);
    // the names alone say it as well
    let named = case(
        &report("long_disulfide_cyx.pdb"),
        &[],
        0,
        &["2.75 Å", "CYX"],
        None,
    );
    assert!((believed - named).abs() <= 200.0, "{believed} {named}");
    // CONECT alone
    let serial = |residue: &str| {
        let text = std::fs::read_to_string(report("long_disulfide_ssbond.pdb")).unwrap();
        let is_sulfur = |line: &&str| {
            line.starts_with("ATOM")
                && line[12..16].trim() == "SG"
                && line[22..26].trim() == residue
        };
        text.lines().find(is_sulfur).unwrap()[6..11]
            .trim()
            .parse::<usize>()
            .unwrap()
    };
    let conect = format!("CONECT{:>5}{:>5}\nEND", serial("14"), serial("38"));
    let by_conect = edited("long_disulfide_ssbond.pdb", |line| match line {
        _ if line.starts_with("SSBOND") => None,
        "END" => Some(conect.clone()),
        _ => Some(line.into()),
    });
    case(
        by_conect.path(),
        &[],
        0,
        &["2.75 Å", "CONECT"],
        Some(believed),
    );
    // too long to be a bond: said, and both are thiols
    case(&report("reliability/ss_3A.pdb"), &[], 0, &["3.05 Å"], None);
    // to another copy of the crystal: none here, and its cell is no periodic box
    let alone = case(
        &report("disulfide_to_symmetry_mate_no_cell.pdb"),
        &[],
        0,
        &[],
        None,
    );
    let copies = ["another copy of the crystal"];
    case(
        &report("disulfide_to_symmetry_mate.pdb"),
        &[],
        0,
        &copies,
        Some(alone),
    );
}

#[test]
fn hydrogens_on_the_sulfurs_of_disulfides_are_left_out() {
    let said = ["HG is left out: its sulfur is in a disulfide"];
    let energy = case(&report("disulfide_with_hg.pdb"), &[], 0, &said, None);
    assert!(energy < 0.0, "{energy}");
    let lone = ["taken as a thiol (CYS)"];
    for file in ["lone_cyx.pdb", "lone_cyx_H.pdb"] {
        case(&report(file), &[], 0, &lone, None);
    }
}

#[test]
fn residues_that_records_set_apart_stay_in_their_chain() {
    let mse = ["selenomethionine is read as methionine"];
    let plain = case(&report("mse_in_chain.pdb"), &[], 0, &mse, None);
    for file in ["biopython_mse.cif", "mse_seq_dot.cif"] {
        let found = command("check", &report(file), &[]);
        assert!(
            found.code == 0 && found.words.contains("selenomethionine"),
            "{}",
            found.words
        );
        assert!(!found.words.contains("left out"), "{}", found.words);
    }
    let energy = case(&report("biopython_mse.cif"), &[], 0, &mse, None);
    assert!((energy - plain).abs() <= 1.0, "{energy} {plain}");
    case(
        &report("sep_after_ter.pdb"),
        &[],
        2,
        &["SEP 13", "rename the residue to SER"],
        None,
    );
    // a free amino acid is a ligand
    case(
        &report("glu_ligand_no_ter.pdb"),
        &[],
        0,
        &["left out: 1 GLU"],
        None,
    );
}

#[test]
fn charge_states_are_kept_or_the_change_is_said() {
    let truth = case(&report("all_types_truth.pdb"), &[], 0, &[], Some(-3364.548));
    let turned = case(
        &report("acid_proton_on_first_oxygen.pdb"),
        &[],
        0,
        &["change names"],
        None,
    );
    // the same molecule; its two oxygens take part in impropers in the order of their names
    assert!((turned - truth).abs() <= 0.5, "{turned} {truth}");
    case(
        &report("neutral_n_terminus.pdb"),
        &[],
        0,
        &["A:ALA 1: 2 of 3 hydrogens on N"],
        None,
    );
    case(
        &report("neutral_arginine.pdb"),
        &[],
        0,
        &["4 of 5 hydrogens on NE, NH1, NH2"],
        None,
    );
    case(
        &report("neutral_c_terminus.pdb"),
        &[],
        0,
        &["A:ALA 26: its proton HXT is left out", "the end is charged"],
        None,
    );
    // heavy atoms alone say nothing, and nothing is said
    let bare = command("check", &repository("data/structures/1ubi.pdb.gz"), &[]);
    assert!(!bare.words.contains("warning"), "{}", bare.words);
}

#[test]
fn caps_inside_residues_are_residues() {
    let said = ["is read as ACE 0", "is read as NME"];
    let inside = case(&report("charmm_capped_peptide.pdb"), &[], 0, &said, None);
    let truth = case(&report("capped_peptide_truth.pdb"), &[], 0, &[], None);
    assert!((inside - truth).abs() <= 0.01, "{inside} {truth}");
    case(
        &report("hydroxyproline_first.pdb"),
        &[],
        2,
        &["no form of HYP", "put ACE before"],
        None,
    );
}

#[test]
fn positions_of_no_molecule_are_refused() {
    case(
        &report("placeholder_9999.pdb"),
        &[],
        2,
        &["A:LYS 8:NZ", "placeholder"],
        None,
    );
    case(
        &report("nanometres.pdb"),
        &[],
        2,
        &["not in Å (nm)", "multiply all coordinates by 10"],
        None,
    );
    case(
        &report("times_ten.pdb"),
        &[],
        2,
        &["divide all coordinates by 10"],
        None,
    );
    let pm = scaled("two_residues.pdb", 100.0);
    case(pm.path(), &[], 2, &["(pm)"], None);
    let zeros = scaled("two_residues.pdb", 0.0);
    case(zeros.path(), &[], 2, &["placeholder"], None);
    // one atom 16.7 Å away
    let stretched = edited("akle_run.pdb", |line| {
        let is_carbon = line.get(12..20) == Some(" CE  LYS");
        Some(if is_carbon {
            let [x, y, z] = position(line);
            with_position(line, [x + 16.7, y, z])
        } else {
            line.to_owned()
        })
    });
    case(stretched.path(), &[], 2, &["A:LYS 2:CE", "Å long"], None);
    // one ring atom under the name of another
    let exchanged = edited("ring_pierced.pdb", |line| {
        let name = line.get(12..16).unwrap_or_default();
        let is_ring = line.get(17..20) == Some("PHE");
        let other = match name.trim() {
            "CD1" => " CE2",
            "CE2" => " CD1",
            _ => name,
        };
        let change = is_ring && other != name;
        Some(if change {
            format!("{}{other}{}", &line[..12], &line[16..])
        } else {
            line.into()
        })
    });
    case(
        exchanged.path(),
        &[],
        2,
        &["names of ring atoms exchanged"],
        None,
    );
}

#[test]
fn bonds_through_rings_are_refused_by_every_command() {
    for file in [
        "ring_pierced.pdb",
        "reliability/p3_phe_CD.pdb",
        "reliability/p3_phe_CD_minimized.pdb",
    ] {
        let said = ["runs through the ring of", "PHE", "LYS"];
        case(&report(file), &[], 2, &said, None);
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.pdb");
        let relaxed = command("minimize", &report(file), &["-o", out.to_str().unwrap()]);
        assert!(
            relaxed.code == 2 && !relaxed.words.contains("done"),
            "{}",
            relaxed.words
        );
        let prefix = folder.path().join("run");
        let run = command(
            "run",
            &report(file),
            &["--steps", "1", "-o", prefix.to_str().unwrap()],
        );
        assert!(
            run.code == 2 && run.words.contains("runs through"),
            "{}",
            run.words
        );
    }
}

#[test]
fn centres_of_the_other_hand_and_cis_bonds_are_said() {
    for (file, said) in [
        ("allo_threonine.pdb", "allo-threonine"),
        ("one_d_alanine.pdb", "D residues"),
        ("reliability/d_leu.pdb", "D residues"),
        ("reliability/cis.pdb", "cis peptide bonds"),
        ("reliability/cb_ile.pdb", "allo-isoleucine"),
    ] {
        case(&report(file), &[], 0, &[said], None);
    }
    let plain = command("check", &report("methyl_names_swapped.pdb"), &[]);
    assert!(!plain.words.contains("other hand"), "{}", plain.words);
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
    check("pdb2pqr_free.pqr", 2, &["PQR file"]);
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

#[test]
fn what_was_bonded_to_the_protein_and_is_left_out_is_named() {
    let zinc = [
        "left out: E:ZN 1",
        "A:CYS 13: SG is bound to E:ZN 1: taken as a thiolate (CYM)",
        "D:CYS 13: SG is bound to",
    ];
    case(&report("zinc_four_cysteines.pdb"), &[], 0, &zinc, None);
    let sugar = [
        "left out: A:NAG 101",
        "C1 is bonded to A:ASN 1:ND2 (1.45 Å, LINK)",
    ];
    case(&report("glycan_on_asn.pdb"), &[], 0, &sugar, None);
    // without the record the distance says it
    let bare = edited("glycan_on_asn.pdb", |line| {
        (!line.starts_with("LINK")).then(|| line.into())
    });
    case(
        bare.path(),
        &[],
        0,
        &["C1 is bonded to A:ASN 1:ND2 (1.45 Å)"],
        None,
    );
}

/// A zinc 2.1 Å from a nitrogen of a histidine: the other nitrogen holds the hydrogen.
#[test]
fn histidines_on_metals_hold_their_hydrogen_on_the_other_nitrogen() {
    let text =
        std::fs::read_to_string(repository("tests/data/reports/all_types_truth.pdb")).unwrap();
    let heavy: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("ATOM") && !line[12..16].trim().starts_with('H'))
        .collect();
    let histidine = heavy
        .iter()
        .find(|line| line[17..20].starts_with("HI"))
        .unwrap()[22..26]
        .to_owned();
    let at = |name: &str| {
        let is_atom = |line: &&&str| line[22..26] == histidine && line[12..16].trim() == name;
        position(heavy.iter().find(is_atom).unwrap())
    };
    for (nitrogen, around, form) in [
        ("NE2", ["CD2", "CE1"], "HID"),
        ("ND1", ["CG", "CE1"], "HIE"),
    ] {
        let (n, [a, b]) = (at(nitrogen), around.map(at));
        let out: Vec<f64> = (0..3)
            .map(|axis| n[axis] - 0.5 * (a[axis] + b[axis]))
            .collect();
        let norm = out.iter().map(|value| value * value).sum::<f64>().sqrt();
        let zinc: Vec<f64> = (0..3)
            .map(|axis| n[axis] + 2.1 * out[axis] / norm)
            .collect();
        let mut file: String = heavy
            .iter()
            .map(|line| {
                let is_own = line[22..26] == histidine;
                let name = if is_own { "HIS" } else { &line[17..20] };
                format!("{}{name}{}\n", &line[..17], &line[20..])
            })
            .collect();
        let [x, y, z] = [zinc[0], zinc[1], zinc[2]];
        file += &format!(
            "TER\nHETATM 9999 ZN    ZN Z 500    {x:8.3}{y:8.3}{z:8.3}  1.00  0.00          ZN\n"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zinc.pdb");
        std::fs::write(&path, file).unwrap();
        let said = format!("{nitrogen} is bound to Z:ZN 500: taken as {form}");
        case(&path, &[], 0, &[&said, "left out: Z:ZN 500"], None);
    }
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
        ("not_found.pdb", "no atoms"),
        ("sequence.pdb", "no atoms"),
        ("one.gro", "no atoms"),
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
