//! What positions say.

use super::{case, command, edited, position, report, scaled, with_position};

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
    for file in ["methyl_names_swapped.pdb", "methyl_names_right.pdb"] {
        let plain = command("check", &report(file), &[]);
        assert!(
            plain.code == 0 && !plain.words.contains("other hand"),
            "{}",
            plain.words
        );
    }
}

/// A cell that the protein does not fit into is the crystal's: its images are none of the energy.
#[test]
fn the_cell_of_a_crystal_changes_no_energy() {
    let file = report("small_crystal_cell.pdb");
    let within = case(&file, &[], 0, &[], None);
    let without = edited("small_crystal_cell.pdb", |line| {
        (!line.starts_with("CRYST1")).then(|| line.to_owned())
    });
    case(without.path(), &[], 0, &[], Some(within));
}
