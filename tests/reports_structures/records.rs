//! Records beside the atoms: what they name and the file lacks, sequences that are longer than the
//! coordinates, what is known of an entry. Nothing of them is passed over in silence.

use std::path::{Path, PathBuf};

use super::{case, command, edited, report};

/// `check` of a file's text with these lines in front of its first line; what it says.
fn with_lines(name: &str, lines: &str, without: &str) -> String {
    let text = std::fs::read_to_string(report(name)).unwrap();
    let rest = text
        .lines()
        .filter(|line| without.is_empty() || !line.starts_with(without));
    let rest: Vec<&str> = rest.collect();
    words(name, &format!("{lines}\n{}\n", rest.join("\n")))
}

fn words(name: &str, text: &str) -> String {
    let (_folder, path) = written(name, text);
    let said = command("check", &path, &[]);
    assert_eq!(said.code, 0, "{}", said.words);
    said.words
}

fn written(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[track_caller]
fn says(words: &str, text: &str) {
    assert!(words.contains(text), "no `{text}` in: {words}");
}

#[test]
fn bonds_that_name_what_is_not_there_are_said_one_by_one() {
    let line = |second: &str| {
        let first = "SSBOND   1 CYS I    5    CYS I   55";
        with_lines(
            "long_disulfide_ssbond.pdb",
            &format!("{first}\n{second}"),
            "SSBOND",
        )
    };
    for (record, text) in [
        (
            "SSBOND   2 CYS I   14    CYS I   99",
            "warning: SSBOND in line 2: no residue is I:99:SG",
        ),
        (
            "SSBOND   2 CYS I   14    CYS X   38",
            "SSBOND in line 2: no residue is X:38:SG: there is no chain `X`",
        ),
        (
            "SSBOND   2 CYS I   14    CYS I   38A",
            "SSBOND in line 2: no residue is I:38A:SG, but there is I:CYS 38",
        ),
        (
            "SSBOND   2 CYS I   14    ALA I   16",
            "SSBOND in line 2: I:ALA 16 has no atom SG",
        ),
        (
            "SSBOND   2 CYS I   14    CYS I   14",
            "SSBOND in line 2: I:CYS 14:SG – itself: not taken",
        ),
        (
            "SSBOND 2 CYS I 14 CYS I 38",
            "1 SSBOND record not read, first line 2",
        ),
        (
            "LINK         OG  SER I  47                 C1  NAG I 301",
            "LINK in line 2: no residue is I:301:C1",
        ),
        (
            "LINK         NZ  LYS I  15                 CA  LYS I  15",
            "LINK in line 2: I:LYS 15:NZ – I:LYS 15:CA: declared, but not taken: the",
        ),
        (
            "LINK         OG  SER I  47                 OG  SER I  47     1555   3655",
            "LINK in line 2: I:SER 47:OG – I:SER 47:OG: not taken: it is to another copy",
        ),
    ] {
        says(&line(record), text);
    }
    // a sulfur has one partner
    let both = "SSBOND   2 CYS I    5    CYS I   55\nSSBOND   3 CYS I    5    CYS I   14";
    says(&line(both), "I:CYS 5:SG – I:CYS 14:SG");
    // REFMAC's
    let linkr = edited("isopeptide_lys_asn.pdb", |line| {
        Some(line.replace("LINK ", "LINKR"))
    });
    case(linkr.path(), &["--fix"], 2, &["B:ASN 1:CG", "LINK"], None);
    // a hundred of them are twelve lines and a number
    let many: Vec<String> = (0..100)
        .map(|index| format!("SSBOND {index:3} CYS I   14    CYS I {:>4}", 300 + index))
        .collect();
    let words = line(&many.join("\n"));
    assert_eq!(words.matches("SSBOND in line").count(), 12, "{words}");
    says(&words, "nothing comes of 88 more records of declared bonds");
}

#[test]
fn conect_records_are_counted() {
    let lysine = "two_residues.pdb";
    // serial numbers of deleted atoms
    let deleted: Vec<String> = (0..40)
        .map(|index| format!("CONECT{:>5}{:>5}", 9000 + index, 9001 + index))
        .collect();
    let words = with_lines(lysine, &deleted.join("\n"), "");
    assert_eq!(words.matches("CONECT").count(), 2, "{words}");
    says(
        &words,
        "40 bonds of CONECT records, first CONECT in line 1: no atom has serial number 9000",
    );
    // within a residue: its own bonds, and one that it does not have
    let own = with_lines(lysine, "CONECT    1    2\nCONECT    2    1    3", "");
    assert!(!own.contains("CONECT"), "{own}");
    says(
        &with_lines(lysine, "CONECT    1    4", ""),
        "CONECT in line 1: A:LYS 2:N – A:LYS 2:O: declared, but not taken: the residue has no such",
    );
    // atoms that are numbered anew: bonds of others
    let text = std::fs::read_to_string(report("times_ten.pdb")).unwrap();
    assert!(text.lines().filter(|line| line.starts_with("ATOM")).count() > 10);
    let far = with_lines("all_hetatm.pdb", "CONECT    2  100\nCONECT    2  110", "");
    says(&far, "2 bonds of CONECT records, first CONECT in line 1: ");
    says(&far, "declared, but not taken as a bond");
    says(
        &with_lines(lysine, "CONECT    1   x1", ""),
        "1 CONECT record not read, first line 1",
    );
    // waters among themselves say nothing: they are left out
    let waters: Vec<String> = (0..3)
        .map(|index| {
            let x = 90.0 + 3.0 * f64::from(index);
            format!(
                "HETATM{:>5}  O   HOH W{:>4}    {x:8.3}  90.000  90.000",
                8000 + index,
                index
            )
        })
        .collect();
    let conect = "CONECT 8000 8001 8002\nLINK         O   HOH W   0                 O   HOH W   1";
    let text = format!("{}\n{conect}", waters.join("\n"));
    let words = with_lines(lysine, &text, "");
    says(&words, "left out: 3 waters");
    assert!(
        !words.contains("CONECT") && !words.contains("LINK"),
        "{words}"
    );
}

#[test]
fn an_alternative_location_that_is_not_read_is_named() {
    // two residues in one place: the asparagine, of lower occupancy, is not read
    let atoms = "ATOM    900  ND2BASN A   2      21.000   9.000  28.000  0.40  0.00           N";
    let text = std::fs::read_to_string(report("two_residues.pdb")).unwrap();
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            if line.starts_with("ATOM") && line[17..26].contains("LYS A   2") {
                format!("{}A{}  0.60{}", &line[..16], &line[17..54], &line[60..])
            } else {
                line.to_owned()
            }
        })
        .collect();
    let last = lines
        .iter()
        .rposition(|line| line.contains("LYS A   2"))
        .unwrap();
    let mut all = lines.clone();
    all.insert(last + 1, atoms.into());
    all.insert(
        0,
        "LINK         ND2 ASN A   2                 NZ  LYS A   2".into(),
    );
    all.insert(1, "CONECT  900    1".into());
    let words = words("two_residues.pdb", &(all.join("\n") + "\n"));
    says(
        &words,
        "LINK in line 1: A:LYS 2:ND2 is at an alternative location that is not read",
    );
    says(
        &words,
        "CONECT in line 2: serial number 900 is at an alternative location that is not read",
    );
}

/// Names of the residues of a file, in order.
fn names(text: &str) -> Vec<String> {
    let carbons = text
        .lines()
        .filter(|line| &line[12..16.min(line.len())] == " CA ");
    carbons.map(|line| line[17..20].to_owned()).collect()
}

fn seqres(chain: char, names: &[String]) -> String {
    let rows: Vec<String> = names
        .chunks(13)
        .enumerate()
        .map(|(row, names)| {
            let (row, count) = (row + 1, names.len());
            format!("SEQRES {row:>3} {chain} {count:>4}  {}", names.join(" "))
        })
        .collect();
    rows.join("\n")
}

/// The chain of `ter_mid_chain.pdb` without two of its residues.
fn gapped() -> (String, Vec<String>) {
    let text = std::fs::read_to_string(report("ter_mid_chain.pdb")).unwrap();
    let atoms: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("ATOM"))
        .collect();
    let all = names(&atoms.join("\n"));
    let has_number = |line: &&&str| !["5", "6"].contains(&line[22..26].trim());
    let kept: Vec<&str> = atoms.iter().filter(has_number).copied().collect();
    (kept.join("\n"), all)
}

#[test]
fn residues_without_coordinates_are_said() {
    let (atoms, own) = gapped();
    let extra = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let sequence = [extra(&["MET", "GLY"]), own.clone(), extra(&["HIS"])].concat();
    let gap = words("gap.pdb", &format!("{}\n{atoms}\n", seqres('A', &sequence)));
    let label = |number: usize| format!("A:{} {number}", own[number - 1]);
    let places = format!(
        "2 before {}, 2 between {} and {}, 1 behind {}: not simulated",
        label(1),
        label(4),
        label(7),
        label(own.len())
    );
    let count = format!(
        "chain A: 5 of the {} residues of its sequence (SEQRES) have no coordinates, {places}",
        sequence.len()
    );
    says(&gap, &count);
    // whole: nothing to say
    let text = std::fs::read_to_string(report("ter_mid_chain.pdb")).unwrap();
    let whole = words("whole.pdb", &format!("{}\n{text}", seqres('A', &own)));
    assert!(!whole.contains("sequence"), "{whole}");
    // another residue than the sequence's, and another sequence
    let mut other = own.clone();
    other[2] = "TRP".into();
    let said = words("other.pdb", &format!("{}\n{text}", seqres('A', &other)));
    says(
        &said,
        &format!(
            "not that of its sequence (SEQRES), first {}, there TRP",
            label(3)
        ),
    );
    let strange = vec!["TRP".to_owned(); own.len()];
    let said = words("strange.pdb", &format!("{}\n{text}", seqres('A', &strange)));
    says(&said, "its sequence (SEQRES) is not that of its residues");
    // as the header alone says it
    let remarks =
        "REMARK 465   M RES C SSSEQI\nREMARK 465     MET A    -1\nREMARK 465     GLY A     0";
    says(
        &words("remark.pdb", &format!("{remarks}\n{text}")),
        "chain A: 2 residues without coordinates (REMARK 465): not simulated",
    );
}

/// The atoms of a PDB text as a table of mmCIF, with numbers of the sequence.
fn mmcif(atoms: &str, sequence: &[String], first: usize) -> String {
    let columns = [
        "group_PDB",
        "id",
        "type_symbol",
        "label_atom_id",
        "label_alt_id",
        "label_comp_id",
        "label_asym_id",
        "label_entity_id",
        "label_seq_id",
        "Cartn_x",
        "Cartn_y",
        "Cartn_z",
        "occupancy",
        "auth_seq_id",
        "auth_asym_id",
    ];
    let mut text =
        "data_test\nloop_\n_entity_poly_seq.entity_id\n_entity_poly_seq.num\n".to_owned();
    text += "_entity_poly_seq.mon_id\n";
    for (index, name) in sequence.iter().enumerate() {
        text += &format!("1 {} {name}\n", index + 1);
    }
    text += "loop_\n";
    for column in columns {
        text += &format!("_atom_site.{column}\n");
    }
    for (index, line) in atoms.lines().enumerate() {
        let field = |range: std::ops::Range<usize>| line[range].trim();
        let number: usize = field(22..26).parse().unwrap();
        text += &format!(
            "ATOM {} {} {} . {} B 1 {} {} {} {} 1.0 {number} A\n",
            index + 1,
            &field(12..16)[..1],
            field(12..16),
            field(17..20),
            number + first,
            field(30..38),
            field(38..46),
            field(46..54),
        );
    }
    text
}

#[test]
fn tables_of_mmcif_are_not_passed_over() {
    let (atoms, own) = gapped();
    let heavy = |line: &&str| !line[12..16].trim().starts_with('H');
    let heavy: Vec<&str> = atoms.lines().filter(heavy).collect();
    let sequence = [vec!["MET".to_owned()], own].concat();
    let text = mmcif(&heavy.join("\n"), &sequence, 1);
    let said = words("gap.cif", &text);
    says(
        &said,
        "chain A: 3 of the 21 residues of its sequence (entity_poly_seq) have no coord",
    );
    says(&said, "1 before A:ASN 1, 2 between");
    let connection = "_struct_conn.id disulf1\n_struct_conn.conn_type_id disulf\n\
        _struct_conn.ptnr1_auth_asym_id A\n_struct_conn.ptnr1_auth_seq_id 3\n\
        _struct_conn.ptnr1_label_atom_id SG\n_struct_conn.ptnr2_auth_asym_id A\n\
        _struct_conn.ptnr2_label_atom_id SG\n_struct_conn.ptnr2_auth_seq_id";
    let said = words("bond.cif", &format!("{text}{connection} 99\n"));
    says(&said, "struct_conn in line");
    says(&said, "A:TYR 3 has no atom SG");
    let said = words("unread.cif", &format!("{text}{connection} ?\n"));
    says(&said, "1 struct_conn record not read");
    let caveat = "_database_PDB_caveat.id 1\n_database_PDB_caveat.text 'wrong hand at LYS 8'\n";
    let said = words("caveat.cif", &format!("{text}{caveat}"));
    says(&said, "the file's own caveat: wrong hand at LYS 8");
    let again = text.replace("data_test", "data_second");
    let said = words("blocks.cif", &format!("{text}{again}"));
    says(&said, "not read: atoms of another data block, data_second");
}

#[test]
fn what_is_known_of_an_entry_and_of_atoms_that_were_not_seen_is_said() {
    let lines = "CAVEAT     1ABC    WRONG HAND AT LYS 2\nOBSLTE     31-JAN-94 1ABC      2ABC\n\
        SPLIT      1VOQ 1VOR";
    let said = with_lines("two_residues.pdb", lines, "");
    says(&said, "the file's own caveat: WRONG HAND AT LYS 2");
    says(&said, "the entry is withdrawn (OBSLTE), replaced by 2ABC");
    says(&said, "spread over several files (SPLIT): 1VOQ 1VOR");
    let zeros = |all: bool| {
        edited("two_residues.pdb", |line| {
            let is_guessed = line.starts_with("ATOM") && (all || line[12..16].trim() == "NZ");
            Some(if is_guessed {
                format!("{}  0.00{}", &line[..54], &line[60..])
            } else {
                line.into()
            })
        })
    };
    case(
        zeros(false).path(),
        &[],
        0,
        &["1 heavy atom of occupancy 0, first A:LYS 2:NZ"],
        None,
    );
    // a program that does not use the column
    let said = command("check", zeros(true).path(), &[]);
    assert!(!said.words.contains("occupancy"), "{}", said.words);
    assert!(Path::new(zeros(true).path()).extension().is_some());
}
