//! Residues that records set apart, charge states, caps, and what is left out.

use super::{case, command, edited, position, report, repository};

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
    // CHARMM calls that proton HT2, as it does a hydrogen of the first nitrogen
    let charmm = edited("neutral_c_terminus.pdb", |line| {
        Some(line.replace(" HXT ", " HT2 "))
    });
    let said = &["A:ALA 26: its proton HT2 is left out", "the end is charged"];
    case(charmm.path(), &[], 0, said, None);
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
