//! Formal charges in a file: columns 79–80 of PDB, pdbx_formal_charge of mmCIF.

use super::{Edited, case, command, edited, report};

/// A residue of all_types_truth.pdb, one of its atoms, and the charge that it is given.
type Charge<'a> = (&'a str, &'a str, &'a str);

/// All kinds of residues with these charges in columns 79–80; `heavy` leaves hydrogens out, and
/// `renamed` is the number and name of a residue.
fn all_types(heavy: bool, renamed: (&str, &str), charges: &[Charge]) -> Edited {
    edited("all_types_truth.pdb", |line| {
        if !line.starts_with("ATOM") {
            return Some(line.to_owned());
        }
        let (number, name) = (line[22..26].trim(), line[12..16].trim());
        if heavy && line[76..78].trim() == "H" {
            return None;
        }
        let mut line = format!("{:78}", line);
        if number == renamed.0 {
            line.replace_range(17..20, renamed.1);
        }
        let charge = charges
            .iter()
            .find(|given| given.0 == number && given.1 == name);
        Some(line + charge.map_or("  ", |given| given.2))
    })
}

#[test]
fn a_charge_decides_where_hydrogens_and_names_do_not() {
    let none = ("", "");
    for (residue, atom, charge, form, bare) in [
        ("9", "ND1", "1+", "HIP", "HIS"),
        ("25", "NE2", "1+", "HIP", "HIS"),
        ("5", "SG", "1-", "CYM", "CYS"),
    ] {
        let named = all_types(true, (residue, form), &[]);
        let truth = case(named.path(), &[], 0, &[], None);
        let given = all_types(true, none, &[(residue, atom, charge)]);
        let sign = if charge == "1+" { "+1" } else { "-1" };
        let said = format!("A:{bare} {residue}: taken as {form}, as the file gives {atom} {sign}");
        let found = case(given.path(), &[], 0, &[&said], Some(truth));
        // it is another molecule than the one that would be made without the charge
        let neutral = case(all_types(true, none, &[]).path(), &[], 0, &[], None);
        assert!(
            (found - neutral).abs() >= 10.0,
            "{residue}: {found} {neutral}"
        );
    }
}

#[test]
fn charges_that_agree_are_not_spoken_of_and_others_are() {
    let none = ("", "");
    let agree = [
        ("1", "N", "1+"),
        ("2", "NH2", "1+"),
        ("4", "OD2", "1-"),
        ("7", "OE2", "1-"),
        ("12", "NZ", "1+"),
        ("26", "OXT", "1-"),
        ("3", "CA", "0 "),
    ];
    for heavy in [false, true] {
        let said = command("check", all_types(heavy, none, &agree).path(), &[]);
        assert_eq!(said.code, 0, "{}", said.words);
        assert!(!said.words.contains("as the file gives"), "{}", said.words);
        assert!(!said.words.contains("not kept"), "{}", said.words);
    }
    let truth = case(&report("all_types_truth.pdb"), &[], 0, &[], None);
    for (number, atom, charge, says) in [
        // hydrogens make these neutral
        (
            "21",
            "OD2",
            "1-",
            "A:ASP 21: not kept: the charge of OD2 -1, where it has +0 here",
        ),
        (
            "23",
            "NZ",
            "1+",
            "A:LYS 23: not kept: the charge of NZ +1, where it has +0 here",
        ),
        (
            "9",
            "ND1",
            "1+",
            "A:HIS 9: not kept: the charge of ND1 +1, where it has +0 here",
        ),
        // ff14SB has none of these
        (
            "19",
            "OH",
            "1-",
            "A:TYR 19: not kept: the charge of OH -1, where it has +0 here",
        ),
        (
            "8",
            "N",
            "1+",
            "A:GLY 8: not kept: the charge of N +1, where it has +0 here",
        ),
        (
            "2",
            "NH1",
            "2+",
            "A:ARG 2: not kept: the charge of NH1 +2, where it has +1 here",
        ),
    ] {
        let given = all_types(false, none, &[(number, atom, charge)]);
        // and nothing else changes
        case(given.path(), &[], 0, &[says], Some(truth));
    }
}

#[test]
fn mmcif_says_charges_too() {
    // atom 8 is ND2 of an amide
    let charged = edited("gemmi_atoms_only.cif", |line| {
        Some(if line.starts_with("8 N ND2 ") {
            line.replace(" 0 ? 1 A 1", " 0 1 1 A 1")
        } else {
            line.to_owned()
        })
    });
    let says = "A:ASN 1: not kept: the charge of ND2 +1, where it has +0 here";
    case(charged.path(), &[], 0, &[says], None);
}
