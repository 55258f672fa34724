//! Writing structures, and reading back what was written.

use mdsurrogate::structure::{
    Atom, Cell, Chain, Frame, ReadOptions, Residue, Structure, Topology, centroid, read,
    read_models, write_pdb,
};
use nalgebra::Vector3;

use super::{clients, read_shipped};

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
