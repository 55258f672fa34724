//! What the tests of `compare` read and write.

use std::path::{Path, PathBuf};

use mdsurrogate::Result;
use mdsurrogate::compare::floor::Measure;
use mdsurrogate::compare::gather::{Series, gather};
use mdsurrogate::compare::measures::{Findings, Options, measure};
use mdsurrogate::compare::row::Looker;
use mdsurrogate::compare::source::{Inputs, Sides, open};
use mdsurrogate::structure::{Cell, Frame, ReadOptions, Topology, read};
use mdsurrogate::trajectory::{Reader, Writer};
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
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/compare")
        .join(name)
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
    Some(root.join(name))
        .filter(|path| path.is_file())
        .map(|path| Trajectory::open(&path))
}

/// What independent programs read in the trajectories of a molecule.
pub fn expected(molecule: &str) -> serde_json::Value {
    let all: serde_json::Value =
        serde_json::from_slice(&std::fs::read(data("expected.json")).unwrap()).unwrap();
    all[molecule].clone()
}

pub fn numbers(list: &serde_json::Value) -> impl Iterator<Item = f64> + '_ {
    list.as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap())
}

/// The topology of a molecule.
pub fn topology(molecule: &str) -> Topology {
    read(&structure(molecule), &ReadOptions::default())
        .unwrap()
        .topology
}

/// Positions of all atoms in one frame, Å.
pub type Positions = Vec<Vector3<f64>>;

impl Trajectory {
    pub fn into_frames(self) -> Vec<Positions> {
        self.0
    }
}

/// Writes frames `step` ps apart.
pub fn write(path: &Path, frames: &[Positions], step: f64, cell: Option<Cell>) {
    let mut writer = Writer::create(path, frames[0].len(), step).unwrap();
    for (index, positions) in frames.iter().enumerate() {
        let frame = Frame {
            step: index as u64,
            time: step * index as f64,
            cell,
            ..Frame::at_rest(positions.clone())
        };
        writer.write(&frame).unwrap();
    }
    writer.finish().unwrap();
}

/// Both sides of a comparison, read and measured.
pub struct Compared {
    pub sides: Sides,
    pub looker: Looker,
    pub run: Series,
    pub reference: Series,
    pub findings: Findings,
}

impl Compared {
    pub fn measure(&self, name: &str) -> &Measure {
        self.findings
            .measures
            .iter()
            .find(|measure| measure.name == name)
            .unwrap_or_else(|| panic!("no measure {name}"))
    }
}

/// A trajectory with the structure of its atoms.
pub type Input = (PathBuf, PathBuf);

/// A trajectory of `tests/data/compare` with its structure.
pub fn stored(name: &str, molecule: &str) -> Input {
    (data(name), structure(molecule))
}

/// Compares, keeping at most `memory` bytes of rows a side.
pub fn compare_within(run: &Input, reference: &Input, memory: usize) -> Result<Compared> {
    let inputs = Inputs {
        run: vec![run.0.clone()],
        reference: vec![reference.0.clone()],
        run_top: Some(run.1.clone()),
        reference_top: Some(reference.1.clone()),
        run_is_start: false,
    };
    let sides = open(&inputs)?;
    let looker = Looker::new(&sides.topology, &sides.start);
    let read = |sources| gather(sources, &looker, memory, &|_| ());
    let (run, reference) = (read(&sides.run)?, read(&sides.reference)?);
    let findings = measure(&run, &reference, &looker, Options::default());
    Ok(Compared {
        sides,
        looker,
        run,
        reference,
        findings,
    })
}

pub fn compare(run: &Input, reference: &Input) -> Result<Compared> {
    compare_within(run, reference, 1 << 28)
}
