//! Kinds that structure files of other programs' test suites showed: each small input is made here.

use super::{Edited, case, command, edited, position, report, with_position};

/// Twenty residues, heavy atoms and hydrogens.
const TRPCAGE: &str = "../../../data/structures/trpcage.pdb";

fn is_atom(line: &str) -> bool {
    line.starts_with("ATOM") || line.starts_with("HETATM")
}

pub(super) fn name(line: &str) -> &str {
    line.get(12..16).unwrap_or_default().trim()
}

pub(super) fn number(line: &str) -> i32 {
    line[22..26].trim().parse().unwrap()
}

fn is_hydrogen(line: &str) -> bool {
    name(line)
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with('H')
}

/// Trp-cage's atoms, each as the lines that `change` makes of it.
pub(super) fn changed(change: impl Fn(&str) -> Vec<String>) -> Edited {
    edited(TRPCAGE, |line| {
        let lines = if is_atom(line) {
            change(line)
        } else {
            Vec::new()
        };
        (!lines.is_empty()).then(|| lines.join("\n"))
    })
}

/// Trp-cage's heavy atoms, each as the lines that `change` makes of it.
pub(super) fn heavy(change: impl Fn(&str) -> Vec<String>) -> Edited {
    changed(|line| {
        if is_hydrogen(line) {
            Vec::new()
        } else {
            change(line)
        }
    })
}

/// `check` must end with `code`, say all of `says` and nothing of `not`.
#[track_caller]
pub(super) fn checked(file: &Edited, more: &[&str], code: i32, says: &[&str], not: &[&str]) {
    let said = command("check", file.path(), more);
    assert_eq!(said.code, code, "{}", said.words);
    for text in says {
        assert!(said.words.contains(text), "no `{text}`: {}", said.words);
    }
    for text in not {
        assert!(!said.words.contains(text), "`{text}`: {}", said.words);
    }
}

pub(super) fn moved(line: &str, by: [f64; 3]) -> String {
    let [x, y, z] = position(line);
    with_position(line, [x + by[0], y + by[1], z + by[2]])
}

#[test]
fn a_ter_does_not_hide_that_residues_are_missing() {
    let gap = heavy(|line| match number(line) {
        9 if name(line) == "N" => vec!["TER".into()],
        9 => Vec::new(),
        _ => vec![line.into()],
    });
    checked(
        &gap,
        &[],
        0,
        &["chain break between A:LYS 8 and A:GLY 10"],
        &[],
    );
    // a molecule that ends with its OXT is another one, whatever its letter; caps end one, too
    let capped = edited("capped_peptide_truth.pdb", |line| Some(line.into()));
    let text = std::fs::read_to_string(capped.path()).unwrap();
    let second = text.lines().filter(|line| is_atom(line)).map(|line| {
        let line = format!("{}{:>4}{}", &line[..22], number(line) + 100, &line[26..]);
        moved(&line, [60.0, 0.0, 0.0])
    });
    let first = text.lines().filter(|line| is_atom(line)).map(str::to_owned);
    let both: Vec<String> = first.chain(second).collect();
    std::fs::write(capped.path(), both.join("\n") + "\n").unwrap();
    checked(&capped, &[], 0, &["run accepts it"], &["chain break"]);
}

/// Two copies of a chain that lie on each other, as loops of models do: bonds follow the sequence,
/// though the other copy's atom is nearer.
#[test]
fn residues_that_follow_each_other_are_bonded_first() {
    const AKLE: &str = "../../../data/structures/akle.pdb";
    let text = std::fs::read_to_string(report(AKLE)).unwrap();
    let is_heavy = |line: &&str| is_atom(line) && !is_hydrogen(line);
    let lines: Vec<&str> = text.lines().filter(is_heavy).collect();
    let at = |residue: i32, atom: &str| {
        let mut lines = lines.iter();
        let line = lines.find(|line| number(line) == residue && name(line) == atom);
        position(line.unwrap())
    };
    let (c, n) = (at(1, "C"), at(2, "N"));
    let toward = [0, 1, 2].map(|axis| 0.15 * (c[axis] - n[axis]));
    let two = edited(AKLE, |_| None);
    let copy = lines.iter().map(|line| {
        let line = format!("{}{:>4}{}", &line[..22], number(line) + 4, &line[26..]);
        moved(&line, toward)
    });
    let all: Vec<String> = lines
        .iter()
        .map(|line| (*line).to_owned())
        .chain(copy)
        .collect();
    std::fs::write(two.path(), all.join("\n") + "\n").unwrap();
    let not = ["does not follow", "put in the order"];
    checked(
        &two,
        &[],
        0,
        &["too near for atoms that are not bonded"],
        &not,
    );
}

#[test]
fn hydrogens_are_those_of_the_atom_that_holds_them() {
    let plain = changed(|line| vec![line.into()]);
    let truth = case(plain.path(), &[], 0, &[], None);
    let exchanged = changed(|line| {
        let other = match name(line) {
            "HD1" => " HD2",
            "HD2" => " HD1",
            "HE1" => " HE2",
            "HE2" => " HE1",
            _ => return vec![line.into()],
        };
        let is_ring = line.get(17..20) == Some("TYR");
        vec![if is_ring {
            format!("{}{other}{}", &line[..12], &line[16..])
        } else {
            line.into()
        }]
    });
    case(exchanged.path(), &[], 0, &[], Some(truth));
    // a first proline whose hydrogens other programs call H1 and H2
    let proline = changed(|line| {
        let mut lines = vec![line.to_owned()];
        if number(line) < 17 || number(line) == 17 && name(line) == "H" {
            return Vec::new();
        }
        if number(line) == 17 && name(line) == "N" {
            for (index, by) in [[0.71, 0.71, 0.0], [0.0, -0.71, 0.71]]
                .into_iter()
                .enumerate()
            {
                let other = format!("{} H{} {}", &line[..12], index + 1, &line[16..76]);
                lines.push(moved(&other, by));
            }
        }
        lines
    });
    checked(
        &proline,
        &[],
        0,
        &["run accepts it"],
        &["hydrogens on N in the file"],
    );
}

/// A ring as badly placed as His B 2 of 4hhb is kept, with a word; exchanged names are not.
#[test]
fn a_badly_placed_ring_is_no_exchange_of_names() {
    let text = std::fs::read_to_string(report(TRPCAGE)).unwrap();
    let at = |atom: &str| {
        let mut lines = text.lines().filter(|line| is_atom(line));
        position(
            lines
                .find(|line| number(line) == 3 && name(line) == atom)
                .unwrap(),
        )
    };
    let (corner, across) = (at("CE1"), at("CD2"));
    let out = [0, 1, 2].map(|axis| 0.45 * (corner[axis] - across[axis]));
    let placed = heavy(|line| {
        let is_corner = number(line) == 3 && name(line) == "CE1";
        vec![if is_corner {
            moved(line, out)
        } else {
            line.into()
        }]
    });
    checked(
        &placed,
        &[],
        0,
        &["of unusual length", "A:TYR 3:CE1"],
        &["exchanged"],
    );
}

/// Lysine in two places of which the better one alone has hydrogens on its nitrogen, as in 1dy5.
#[test]
fn an_alternative_location_keeps_to_its_own_hydrogens() {
    let shift = |name: &str| match name {
        "CG" => Some(0.7),
        "CD" => Some(1.4),
        "CE" => Some(2.3),
        "NZ" => Some(3.2),
        _ => None,
    };
    let placed = |line: &str, letter: char, occupancy: f64| {
        format!(
            "{}{letter}{}{occupancy:6.2}{}",
            &line[..16],
            &line[17..54],
            &line[60..]
        )
    };
    let two = changed(|line| {
        let is_lysine = line.get(17..20) == Some("LYS");
        let ammonium = name(line).starts_with("HZ");
        match shift(name(line)).filter(|_| is_lysine) {
            Some(by) => vec![
                placed(line, 'A', 0.49),
                placed(&moved(line, [-by, 0.0, 0.0]), 'B', 0.51),
            ],
            None if is_lysine && ammonium => {
                vec![placed(&moved(line, [-3.2, 0.0, 0.0]), 'B', 0.51)]
            }
            None if is_lysine && name(line).starts_with("HB") => vec![placed(line, 'A', 1.0)],
            None if is_lysine && is_hydrogen(line) && name(line).len() == 3 => Vec::new(),
            None => vec![line.into()],
        }
    });
    for more in [&[][..], &["--altloc", "A"], &["--altloc", "B"]] {
        let says = ["1 residue with alternative locations", "run accepts it"];
        checked(
            &two,
            more,
            0,
            &says,
            &["of unusual length, the worst A:LYS 8:HZ"],
        );
    }
}

#[test]
fn marks_in_space_are_bonded_to_nothing() {
    let with = |residue: &str, atom: &str| {
        let start = format!("HETATM 9000  {atom}   {residue}  ");
        heavy(move |found| {
            let mut lines = vec![found.to_owned()];
            // one mark on each of twenty CA
            if name(found) == "CA" {
                let mark = format!("{start}{:>4}    {}", 900 + number(found), &found[30..54]);
                lines.push(moved(&mark, [0.4, 0.3, 0.0]));
            }
            lines
        })
    };
    for (residue, atom) in [("DUM", "O"), ("MMB", "C")] {
        let says = format!("left out: 20 {residue}");
        checked(&with(residue, atom), &[], 0, &[&says], &["is bonded to"]);
    }
    let nameless = heavy(|line| {
        let ion = "HETATM 9000      UNK L   1       5.000   5.000  55.000  1.00  0.00          Li";
        let is_last = number(line) == 20 && name(line) == "OXT";
        [line, ion]
            .into_iter()
            .take(1 + usize::from(is_last))
            .map(str::to_owned)
            .collect()
    });
    checked(&nameless, &[], 0, &["left out: 1 UNK"], &[]);
    // charges on springs and lone pairs of a polarisable force field
    let plain = changed(|line| vec![line.into()]);
    let truth = case(plain.path(), &[], 0, &[], None);
    let drude = changed(|line| {
        let site = |name: &str| format!("{}{name:<4}{}          EP", &line[..12], &line[16..66]);
        match name(line) {
            "OD1" => vec![line.into(), moved(&site("DOD1"), [0.0, 0.05, 0.0])],
            "O" => vec![line.into(), moved(&site("LPOA"), [0.2, 0.2, 0.0])],
            _ => vec![line.into()],
        }
    });
    case(
        drude.path(),
        &[],
        0,
        &["sites that are no atoms"],
        Some(truth),
    );
}

#[test]
fn mmcif_without_names_is_mmcif() {
    let block = edited("gemmi_mse.cif", |line| {
        (!line.starts_with("data_")).then(|| line.into())
    });
    checked(&block, &[], 0, &["mmCIF", "20 residues"], &[]);
    let conn = edited("label_asym_dot.cif", |line| Some(line.into()));
    let text = std::fs::read_to_string(conn.path()).unwrap();
    let table = "loop_\n_struct_conn.conn_type_id\n_struct_conn.ptnr1_auth_asym_id\n\
                 _struct_conn.ptnr1_auth_seq_id\n_struct_conn.ptnr1_label_atom_id\n\
                 _struct_conn.ptnr2_auth_asym_id\n_struct_conn.ptnr2_auth_seq_id\n\
                 _struct_conn.ptnr2_label_atom_id\ncovale . 1 C . 2 N\n";
    std::fs::write(conn.path(), format!("{text}\n#\n{table}")).unwrap();
    checked(&conn, &[], 0, &[], &["not read"]);
}

#[test]
fn fix_builds_carbonyls_and_leaves_out_what_has_no_backbone() {
    let frayed = heavy(|line| {
        let lost = match number(line) {
            5 | 7 => true,
            10 => name(line) == "O",
            20 => name(line) != "N",
            _ => false,
        };
        if lost { Vec::new() } else { vec![line.into()] }
    });
    checked(&frayed, &[], 2, &["try: --fix"], &[]);
    let says = [
        "cannot be completed: A:TRP 6 (alone), A:SER 20 (no CA, C)",
        "to be built: A:ILE 4:OXT",
        "A:GLY 10:O",
        "run accepts it: 16 residues",
    ];
    checked(&frayed, &["--fix"], 0, &says, &[]);
    let whole = heavy(|line| vec![line.into()]);
    let truth = case(whole.path(), &[], 0, &[], None);
    let opened = heavy(|line| {
        let is_lost = [5, 10].contains(&number(line)) && name(line) == "O";
        if is_lost {
            Vec::new()
        } else {
            vec![line.into()]
        }
    });
    let built = case(opened.path(), &["--fix"], 0, &["A:GLY 10:O"], None);
    assert!((built - truth).abs() <= 40.0, "{built} {truth}");
    let trace = heavy(|line| {
        if name(line) == "CA" {
            vec![line.into()]
        } else {
            Vec::new()
        }
    });
    for more in [&[][..], &["--fix"]] {
        checked(&trace, more, 2, &["a trace of CA"], &[]);
    }
    let alone = heavy(|line| {
        if number(line) == 6 {
            vec![line.into()]
        } else {
            Vec::new()
        }
    });
    checked(
        &alone,
        &[],
        2,
        &["trpcage.pdb, A:TRP 6", "bonded to no other residue"],
        &[],
    );
}
