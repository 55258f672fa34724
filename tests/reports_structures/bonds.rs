//! Bonds between residues: rings, links, TER, disulfides.

use super::{case, command, edited, report};

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
