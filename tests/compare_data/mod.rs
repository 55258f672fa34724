//! What the tests of `compare` read.

use std::path::{Path, PathBuf};

use mdsurrogate::structure::{Frame, ReadOptions, Topology, read};
use mdsurrogate::trajectory::Reader;
use nalgebra::Vector3;

/// A trajectory in memory.
pub struct Trajectory(Vec<Vec<Vector3<f64>>>);

impl Trajectory {
    /// Reads a file of `tests/data/compare`.
    pub fn read(name: &str) -> Self {
        Trajectory::open(&data(name))
    }
    fn open(path: &Path) -> Self {
        let mut reader = Reader::open(path, None).unwrap();
        let mut frame = Frame::default();
        let mut frames = Vec::new();
        while reader.read(&mut frame).unwrap() {
            frames.push(frame.positions.clone());
        }
        Trajectory(frames)
    }
    pub fn frames(&self) -> impl Iterator<Item = &[Vector3<f64>]> {
        self.0.iter().map(Vec::as_slice)
    }
    pub fn frame(&self, index: usize) -> &[Vector3<f64>] {
        &self.0[index]
    }
}

/// A file of `tests/data/compare`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compare").join(name)
}

/// Where the structure of a molecule lies.
pub fn structure(molecule: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    match molecule {
        "ubiquitin" => root.join("tests/data/structures/2k39_model1_H.pdb.gz"),
        other => root.join(format!("data/structures/{other}.pdb")),
    }
}

/// A full reference trajectory, where this checkout lies beside them.
pub fn reference(name: &str) -> Option<Trajectory> {
    let root = std::env::var_os("MDSURROGATE_REFERENCE").map(PathBuf::from)?;
    Some(root.join(name)).filter(|path| path.is_file()).map(|path| Trajectory::open(&path))
}

/// What independent programs read in the trajectories of a molecule.
pub fn expected(molecule: &str) -> serde_json::Value {
    let all: serde_json::Value = serde_json::from_slice(&std::fs::read(data("expected.json")).unwrap()).unwrap();
    all[molecule].clone()
}

pub fn numbers(list: &serde_json::Value) -> impl Iterator<Item = f64> + '_ {
    list.as_array().unwrap().iter().map(|value| value.as_f64().unwrap())
}

/// The topology of a molecule.
pub fn topology(molecule: &str) -> Topology {
    read(&structure(molecule), &ReadOptions::default()).unwrap().topology
}
