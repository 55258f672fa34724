//! Reading real structures: counts and bonds as independent programs find them; writing them back.

mod cif;
#[path = "../clients/mod.rs"]
mod clients;
mod writing;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use mdsurrogate::structure::{ReadOptions, Structure, Topology, read};
use nalgebra::Vector3;
use sha2::{Digest, Sha256};

fn shipped(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        root.join("data/structures"),
        root.join("tests/data/structures"),
    ];
    folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| folders[1].join(name))
}

fn read_shipped(name: &str) -> Structure {
    read(&shipped(name), &ReadOptions::default()).unwrap()
}

/// Bonds as expected.py digests them.
fn digest(topology: &Topology) -> String {
    let lines = topology
        .bonds
        .iter()
        .fold(String::new(), |mut lines, [i, j]| {
            writeln!(lines, "{i} {j}").unwrap();
            lines
        });
    Sha256::digest(lines)
        .iter()
        .take(8)
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

#[test]
fn atoms_and_bonds_are_those_of_mdtraj_and_openmm() {
    let more = std::env::var_os("MDSURROGATE_STRUCTURES").map(PathBuf::from);
    let expected = std::fs::read_to_string(shipped("expected.csv")).unwrap();
    let (mut checked, mut skipped) = (0, 0);
    for line in expected.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let path = Some(shipped(columns[0])).filter(|path| path.is_file());
        let path =
            path.or_else(|| Some(more.as_ref()?.join(columns[0])).filter(|path| path.is_file()));
        let Some(path) = path else {
            skipped += 1;
            continue;
        };
        let structure = read(&path, &ReadOptions::default()).unwrap();
        let report = &structure.report;
        let found = [
            report.chains.len(),
            report.residues,
            report.atoms,
            report.hydrogens,
            report.bonds,
            report.disulfides.len(),
        ];
        assert_eq!(
            found.map(|count| count.to_string()),
            columns[1..7],
            "{line}"
        );
        assert_eq!(digest(&structure.topology), columns[7], "{line}");
        assert_eq!(report.breaks, [], "{line}");
        checked += 1;
    }
    if skipped > 0 {
        println!(
            "skipped: {skipped} structures that are not shipped (set MDSURROGATE_STRUCTURES to \
             their folder)"
        );
    }
    assert!(checked >= 9, "{checked}");
}

#[test]
fn the_first_nitrogens_hydrogens_may_be_h_h2_h3() {
    let text = std::fs::read_to_string(shipped("akle.pdb")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.pdb");
    assert!(text.contains(" H   ALA") && text.contains(" H3  ALA"));
    std::fs::write(&path, text.replace(" H   ALA", " H1  ALA")).unwrap();
    let [ours, theirs] =
        [path, shipped("akle.pdb")].map(|path| read(&path, &ReadOptions::default()).unwrap());
    assert_eq!(ours.topology, theirs.topology);
    assert_eq!(
        (
            ours.topology.atoms[1].name.as_str(),
            theirs.topology.atoms[1].name.as_str()
        ),
        ("H1", "H1")
    );
}

#[test]
fn what_is_no_protein_is_left_out_and_counted() {
    let structure = read_shipped("1ubi.pdb.gz");
    assert_eq!(structure.report.waters, 81);
    assert_eq!(
        structure.report.left_out_line().unwrap(),
        "left out: 81 waters"
    );
    assert_eq!(structure.topology.atoms.last().unwrap().name, "OXT");
    // the crystal's cell is told, but is no periodic box
    let cell = [50.84, 42.77, 28.95, 90.0, 90.0, 90.0];
    assert_eq!(
        (structure.report.cell, structure.frame.cell),
        (Some(cell), None)
    );
    assert_eq!(read_shipped("1yjp.cif.gz").report.waters, 7);
}

#[test]
fn incomplete_side_chains_are_named_and_refused_without_fix() {
    let structure = read_shipped("1i8nA.pdb.gz");
    let missing: Vec<String> = structure
        .report
        .missing
        .iter()
        .map(|m| format!("{} {}", m.residue, m.atoms.join(" ")))
        .collect();
    assert_eq!(missing, ["A:GLU 44 CB CG CD OE1 OE2", "A:LYS 73 CD CE NZ"]);
    let error = structure.require_complete(false).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(
        error
            .to_string()
            .contains("A:GLU 44: misses CB, CG, CD, OE1, OE2; 1 more incomplete"),
        "{error}"
    );
    assert!(error.hint().contains("--fix"));
    structure.require_complete(true).unwrap();
    // no OXT at the chain's end: nothing to complain about
    let whole = read_shipped("2xdgA.pdb.gz");
    assert!(
        whole.topology.atoms.iter().all(|atom| atom.name != "OXT")
            && whole
                .report
                .missing
                .iter()
                .all(|m| !m.atoms.contains(&"OXT".into()))
    );
}

#[test]
fn mmcif_has_the_names_of_the_author() {
    let structure = read_shipped("7etn.cif.gz");
    let labels: Vec<String> = (0..8)
        .map(|residue| structure.topology.residue_label(residue))
        .collect();
    assert_eq!(
        labels,
        [
            "A:PRO 1", "A:PHE 2", "A:LEU 3", "A:ILE 4", "B:PRO 1", "B:PHE 2", "B:LEU 3", "B:ILE 4"
        ]
    );
    let options = ReadOptions {
        chains: Some(vec!["B".into()]),
        ..ReadOptions::default()
    };
    let one = read(&shipped("7etn.cif.gz"), &options).unwrap();
    assert_eq!(
        (one.report.atoms, one.report.chains[0].id.as_str()),
        (75, "B")
    );
    assert_eq!(one.frame.positions, structure.frame.positions[75..]);
}

#[test]
fn positions_elements_and_masses_are_the_files() {
    let structure = read_shipped("2k39_model1_H.pdb.gz");
    let first = structure.frame.positions[0];
    assert!(
        (first - Vector3::new(14.129, 31.501, 14.959)).amax() <= 1e-12,
        "{first}"
    );
    // ubiquitin: C378 N105 O118 S1 in any protonation; 629 hydrogens in this one
    let mut elements = BTreeMap::new();
    structure
        .topology
        .atoms
        .iter()
        .for_each(|atom| *elements.entry(atom.element.symbol()).or_insert(0) += 1);
    assert_eq!(
        elements.into_iter().collect::<Vec<_>>(),
        [("C", 378), ("H", 629), ("N", 105), ("O", 118), ("S", 1)]
    );
    let mass: f64 = structure.topology.atoms.iter().map(|atom| atom.mass).sum();
    let formula = 378.0 * 12.0106 + 629.0 * 1.00798 + 105.0 * 14.0069 + 118.0 * 15.9994 + 32.068;
    assert!((mass - formula).abs() <= 0.5, "{mass} {formula}");
}

/// Bond-graph distances by Floyd and Warshall's algorithm.
fn floyd_warshall(topology: &Topology) -> Vec<Vec<usize>> {
    let n = topology.len();
    let mut distance = vec![vec![usize::MAX / 2; n]; n];
    (0..n).for_each(|i| distance[i][i] = 0);
    topology
        .bonds
        .iter()
        .for_each(|&[i, j]| (distance[i][j], distance[j][i]) = (1, 1));
    for k in 0..n {
        for i in 0..n {
            for j in 0..n {
                distance[i][j] = distance[i][j].min(distance[i][k] + distance[k][j]);
            }
        }
    }
    distance
}

#[test]
fn bond_distances_are_shortest_paths() {
    for name in ["akle.pdb", "trpcage.pdb"] {
        let topology = read_shipped(name).topology;
        let truth = floyd_warshall(&topology);
        for limit in [1, 2, 4, 7] {
            for (atom, near) in topology.bond_distances(limit).into_iter().enumerate() {
                let within = (0..topology.len())
                    .filter(|&other| other != atom && truth[atom][other] <= usize::from(limit));
                let expected: Vec<(usize, u8)> = within
                    .map(|other| (other, truth[atom][other] as u8))
                    .collect();
                assert_eq!(
                    near,
                    expected,
                    "{name} {} {limit}",
                    topology.atom_label(atom)
                );
            }
        }
    }
}
