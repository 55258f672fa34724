//! Writing mmCIF, temperature factors and remarks, and reading them back.

use mdsurrogate::structure::{
    Annotations, ReadOptions, outgrows_pdb, read, write_cif, write_pdb_with,
};

use super::read_shipped;

#[test]
fn a_structure_comes_back_from_mmcif_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "1ubi.pdb.gz",
        "7etn.cif.gz",
        "1i8nA.pdb.gz",
        "2beg.pdb.gz",
        "trpcage.pdb",
    ] {
        let structure = read_shipped(name);
        let path = folder.path().join("out.cif");
        let notes = Annotations {
            remarks: vec!["made by a test".into()],
            temperature_factors: (0..structure.topology.len()).map(|k| k as f64).collect(),
        };
        write_cif(&path, &structure.topology, &structure.frame, &notes).unwrap();
        let back = read(&path, &ReadOptions::default()).unwrap();
        assert_eq!(back.topology.bonds, structure.topology.bonds, "{name}");
        assert_eq!(
            back.topology.residues, structure.topology.residues,
            "{name}"
        );
        let ids = |topology: &mdsurrogate::structure::Topology| -> Vec<String> {
            topology
                .chains
                .iter()
                .map(|chain| chain.id.clone())
                .collect()
        };
        let named = ids(&structure.topology).iter().all(|id| !id.is_empty());
        assert!(
            !named || ids(&back.topology) == ids(&structure.topology),
            "{name}"
        );
        let pairs = structure.frame.positions.iter().zip(&back.frame.positions);
        let largest = pairs.map(|(a, b)| (a - b).amax()).fold(0.0, f64::max);
        assert!(largest <= 5.001e-4, "{name}: {largest}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("# made by a test"));
        let last = text
            .lines()
            .rfind(|line| line.starts_with("ATOM "))
            .unwrap();
        let last_factor = (structure.topology.len() - 1) as f64;
        assert!(last.ends_with(&format!(" {last_factor:.2}")), "{last}");
    }
}

#[test]
fn names_that_a_pdb_file_cuts_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.cif");
    let mut structure = read_shipped("trpcage.pdb");
    assert!(!outgrows_pdb(&structure.topology));
    structure.topology.chains[0].id = "AAA-2".into();
    assert!(outgrows_pdb(&structure.topology));
    write_cif(
        &path,
        &structure.topology,
        &structure.frame,
        &Annotations::default(),
    )
    .unwrap();
    let back = read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(back.topology.chains[0].id, "AAA-2");
    structure.topology.chains[0].id = "A".into();
    structure.topology.residues[0].number = 10_000;
    assert!(outgrows_pdb(&structure.topology));
}

#[test]
fn temperature_factors_and_remarks_stand_in_their_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pdb");
    let structure = read_shipped("trpcage.pdb");
    let mut factors = vec![12.345; structure.topology.len()];
    factors[1] = 1e6;
    let notes = Annotations {
        remarks: vec!["x".repeat(100), "Å of a test".into()],
        temperature_factors: factors,
    };
    write_pdb_with(&path, &structure.topology, [&structure.frame], &notes).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("REMARK   6 {}", "x".repeat(68)));
    assert_eq!(lines[1], format!("REMARK   6 {}", "x".repeat(32)));
    assert_eq!(lines[2], "REMARK   6 ? of a test");
    assert_eq!((&lines[3][60..66], &lines[4][60..66]), (" 12.35", "999.99"));
    assert!(lines.iter().all(|line| line.len() <= 80));
    assert_eq!(
        read(&path, &ReadOptions::default()).unwrap().topology.bonds,
        structure.topology.bonds
    );
}
