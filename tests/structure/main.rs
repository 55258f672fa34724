//! Reading real structures: counts and bonds as independent programs find them; writing them back.

mod clients;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use mdsurrogate::structure::{
    Atom, Cell, Chain, Frame, ReadOptions, Residue, Structure, Topology, centroid, read,
    read_models, write_pdb,
};
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
            "skipped: {skipped} structures that are not shipped (set MDSURROGATE_STRUCTURES to their folder)"
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

#[test]
fn a_written_structure_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "1ubi.pdb.gz",
        "7etn.cif.gz",
        "1i8nA.pdb.gz",
        "2beg.pdb.gz",
        "trpcage.pdb",
    ] {
        let structure = read_shipped(name);
        let path = folder.path().join("out.pdb");
        write_pdb(&path, &structure.topology, [&structure.frame]).unwrap();
        let back = read(&path, &ReadOptions::default()).unwrap();
        assert_eq!(back.topology.bonds, structure.topology.bonds, "{name}");
        assert_eq!(
            back.topology.residues, structure.topology.residues,
            "{name}"
        );
        assert_eq!(back.topology.chains, structure.topology.chains, "{name}");
        let largest = structure
            .frame
            .positions
            .iter()
            .zip(&back.frame.positions)
            .map(|(a, b)| (a - b).amax())
            .fold(0.0, f64::max);
        assert!(largest <= 5.001e-4, "{name}: {largest}");
        let text = std::fs::read_to_string(&path).unwrap();
        let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(count("TER"), structure.topology.chains.len(), "{name}");
        assert_eq!(
            count("CRYST1"),
            usize::from(structure.frame.cell.is_some()),
            "{name}"
        );
        assert_eq!(
            count("CONECT"),
            2 * structure.report.disulfides.len(),
            "{name}"
        );
        assert!(
            text.lines()
                .filter(|line| line.starts_with("ATOM"))
                .all(|line| line.len() == 78 && !line[76..].trim().is_empty())
        );
    }
}

#[test]
fn several_frames_become_models_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("models.pdb");
    let structure = read_shipped("akle.pdb");
    let moved = |shift: f64| Frame {
        positions: structure
            .frame
            .positions
            .iter()
            .map(|p| p.add_scalar(shift))
            .collect(),
        ..Frame::default()
    };
    let frames = [moved(0.0), moved(1.25), moved(-7.5)];
    write_pdb(&path, &structure.topology, &frames).unwrap();
    let (first, back) = read_models(&path, &ReadOptions::default()).unwrap();
    assert_eq!(
        (first.topology, first.report.models),
        (structure.topology.clone(), 3)
    );
    for (index, (back, frame)) in back.iter().zip(&frames).enumerate() {
        assert_eq!((back.step, back.time), (index as u64, index as f64));
        let largest = back
            .positions
            .iter()
            .zip(&frame.positions)
            .map(|(a, b)| (a - b).amax())
            .fold(0.0, f64::max);
        assert!(largest <= 5.001e-4, "{largest}");
    }
    let options = ReadOptions {
        model_number: Some(3),
        ..ReadOptions::default()
    };
    assert_eq!(
        read(&path, &options).unwrap().frame.positions,
        back[2].positions
    );
}

/// `copies` of a structure side by side.
fn repeated(structure: &Structure, copies: usize) -> (Topology, Frame) {
    let one = &structure.topology;
    let (mut topology, mut frame) = (Topology::default(), Frame::default());
    for copy in 0..copies {
        let [atoms, residues, chains] = [
            one.len() * copy,
            one.residues.len() * copy,
            one.chains.len() * copy,
        ];
        let shifted = |range: &std::ops::Range<usize>, by: usize| range.start + by..range.end + by;
        topology.atoms.extend(one.atoms.iter().map(|atom| Atom {
            residue: atom.residue + residues,
            ..atom.clone()
        }));
        topology
            .residues
            .extend(one.residues.iter().map(|residue| Residue {
                chain: residue.chain + chains,
                atoms: shifted(&residue.atoms, atoms),
                ..residue.clone()
            }));
        topology.chains.extend(one.chains.iter().map(|chain| Chain {
            residues: shifted(&chain.residues, residues),
            ..chain.clone()
        }));
        topology
            .bonds
            .extend(one.bonds.iter().map(|bond| bond.map(|atom| atom + atoms)));
        frame.positions.extend(
            structure
                .frame
                .positions
                .iter()
                .map(|p| p + Vector3::x() * 80.0 * copy as f64),
        );
    }
    (topology, frame)
}

#[test]
fn more_atoms_than_serials_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.pdb");
    let (topology, frame) = repeated(&read_shipped("1i8nA.pdb.gz"), 150);
    assert!(topology.len() > 100_000);
    write_pdb(&path, &topology, [&frame]).unwrap();
    let back = read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(back.topology.bonds, topology.bonds);
    // each chain before an atom has taken a serial for its TER
    let last = back.topology.atoms.last().unwrap().serial;
    assert_eq!(last, topology.len() + topology.chains.len() - 1);
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pdb");
    let structure = read_shipped("akle.pdb");
    for (atom, value) in [(3, f64::NAN), (68, 1e7), (0, f64::NEG_INFINITY)] {
        let mut frame = structure.frame.clone();
        frame.positions[atom].y = value;
        let error = write_pdb(&path, &structure.topology, [&frame]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error
                .to_string()
                .contains(&structure.topology.atom_label(atom)),
            "{error}"
        );
        assert!(!path.exists());
    }
}

#[test]
fn molecules_broken_over_the_cell_are_made_whole() {
    let whole = read_shipped("1i8nA.pdb.gz");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.pdb");
    for angles in [[90.0; 3], [80.0, 95.0, 70.0], [109.47; 3]] {
        let cell = Cell {
            lengths: [61.0, 62.5, 64.0],
            angles,
        };
        // put the molecule on a corner of the cell and wrap every atom into it
        let corner = centroid(&whole.frame.positions);
        let vectors = cell.vectors().transpose();
        let inside =
            |p: Vector3<f64>| p - vectors * (vectors.try_inverse().unwrap() * p).map(f64::floor);
        let positions: Vec<Vector3<f64>> = whole
            .frame
            .positions
            .iter()
            .map(|p| inside(p - corner))
            .collect();
        let broken = Frame {
            cell: Some(cell),
            ..Frame::at_rest(positions)
        };
        assert!(
            whole
                .topology
                .bonds
                .iter()
                .any(|&[i, j]| (broken.positions[i] - broken.positions[j]).norm() > 10.0),
            "{angles:?}"
        );
        write_pdb(&path, &whole.topology, [&broken]).unwrap();
        let back = read(&path, &ReadOptions::default()).unwrap();
        assert_eq!(back.topology.bonds, whole.topology.bonds, "{angles:?}");
        assert!(
            back.report
                .warnings
                .iter()
                .any(|warning| warning.contains("made whole")),
            "{:?}",
            back.report.warnings
        );
        let shift = back.frame.positions[0] - whole.frame.positions[0];
        let largest = back
            .frame
            .positions
            .iter()
            .zip(&whole.frame.positions)
            .map(|(a, b)| (a - b - shift).amax())
            .fold(0.0, f64::max);
        assert!(largest <= 2e-3, "{angles:?}: {largest}"); // positions are rounded to 0.001 Å
    }
}

#[test]
fn other_programs_read_what_we_write() {
    let folder = tempfile::tempdir().unwrap();
    for (name, frames) in [("2beg.pdb.gz", 1), ("7etn.cif.gz", 1), ("akle.pdb", 3)] {
        let path = folder.path().join("out.pdb");
        let structure = read_shipped(name);
        write_pdb(&path, &structure.topology, vec![&structure.frame; frames]).unwrap();
        let Some(found) = clients::read_back(&path, &path) else {
            return;
        };
        for client in ["MDAnalysis", "mdtraj"] {
            let found = &found[client];
            assert_eq!(
                found["positions"].as_array().unwrap().len(),
                frames,
                "{client} {name}"
            );
            for (atom, [x, y, z]) in structure
                .frame
                .positions
                .iter()
                .map(|p| <[f64; 3]>::from(*p))
                .enumerate()
            {
                let read = &found["positions"][frames - 1][atom];
                let error = [x, y, z]
                    .iter()
                    .enumerate()
                    .map(|(axis, value)| (read[axis].as_f64().unwrap() - value).abs())
                    .fold(0.0, f64::max);
                assert!(error <= 5.1e-4, "{client} {name}: {error}");
            }
            let edge = found["cells"][0]
                .as_array()
                .map(|cell| cell[0].as_f64().unwrap());
            match (edge, structure.frame.cell) {
                (Some(edge), Some(cell)) => assert!(
                    (edge - cell.lengths[0]).abs() <= 1e-3,
                    "{client} {name}: {edge}"
                ),
                (edge, cell) => assert_eq!(edge.is_some(), cell.is_some(), "{client} {name}"),
            }
        }
        // mdtraj renames the first hydrogens of a chain; MDAnalysis keeps all names
        let names: Vec<&str> = structure
            .topology
            .atoms
            .iter()
            .map(|atom| atom.name.as_str())
            .collect();
        assert_eq!(
            found["MDAnalysis"]["names"],
            serde_json::json!(names),
            "{name}"
        );
    }
}
