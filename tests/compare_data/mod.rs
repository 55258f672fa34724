//! What the tests of `compare` read.

use std::path::{Path, PathBuf};

use mdsurrogate::structure::{Atom, Chain, Element, Residue, Topology};
use nalgebra::Vector3;

/// A trajectory in memory.
pub struct Trajectory(Vec<Vec<Vector3<f64>>>);

impl Trajectory {
    /// Reads a file of `tests/data`.
    pub fn read(name: &str) -> Self {
        Trajectory::open(&data(name))
    }
    fn open(path: &Path) -> Self {
        let mut file = chemfiles::Trajectory::open(path, 'r').unwrap();
        let mut frame = chemfiles::Frame::new();
        let read = |_| {
            file.read(&mut frame).unwrap();
            frame.positions().iter().map(|&x| Vector3::from(x)).collect()
        };
        let steps = chemfiles::Trajectory::open(path, 'r').unwrap().nsteps();
        Trajectory((0..steps).map(read).collect())
    }
    pub fn frames(&self) -> impl Iterator<Item = &[Vector3<f64>]> {
        self.0.iter().map(Vec::as_slice)
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A full reference trajectory, where this checkout lies beside them.
pub fn reference(name: &str) -> Option<Trajectory> {
    let root = std::env::var_os("MDSURROGATE_REFERENCE").map(PathBuf::from)?;
    Some(root.join(name)).filter(|path| path.is_file()).map(|path| Trajectory::open(&path))
}

/// What independent programs read in the test trajectories.
pub fn expected() -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(data("compare.json")).unwrap()).unwrap()
}

pub fn numbers(list: &serde_json::Value) -> impl Iterator<Item = f64> + '_ {
    list.as_array().unwrap().iter().map(|value| value.as_f64().unwrap())
}

pub fn heavy(topology: &Topology) -> Vec<usize> {
    topology.heavy_atoms()
}

/// AKLE with the bonds that its distances give.
pub fn topology() -> Topology {
    let text = std::fs::read_to_string(data("akle.pdb")).unwrap();
    let mut topology = Topology { chains: vec![Chain { id: "A".into(), residues: 0..0 }], ..Topology::default() };
    let mut positions = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("ATOM")) {
        let field = |range: std::ops::Range<usize>| line[range].trim();
        let number: isize = field(22..26).parse().unwrap();
        let index = topology.atoms.len();
        if topology.residues.last().is_none_or(|last| last.number != number) {
            topology.residues.push(Residue { name: field(17..20).into(), chain: 0, number, insertion: None, atoms: index..index });
        }
        topology.residues.last_mut().unwrap().atoms.end = index + 1;
        let (element, mass) = match field(76..78) {
            "H" => (Element::H, 1.008),
            "C" => (Element::C, 12.011),
            "N" => (Element::N, 14.007),
            _ => (Element::O, 15.999),
        };
        let residue = topology.residues.len() - 1;
        topology.atoms.push(Atom { name: field(12..16).into(), element, residue, serial: index + 1, mass });
        positions.push(Vector3::from([30..38, 38..46, 46..54].map(|range| field(range).parse::<f64>().unwrap())));
    }
    topology.chains[0].residues.end = topology.residues.len();
    for (i, a) in topology.atoms.iter().enumerate() {
        for (j, b) in topology.atoms.iter().enumerate().skip(i + 1) {
            let hydrogens = [a, b].iter().filter(|atom| atom.element == Element::H).count();
            let limit = [1.8, 1.3, 0.0][hydrogens];
            if (positions[i] - positions[j]).norm() < limit {
                topology.bonds.push([i, j]);
            }
        }
    }
    topology
}
