//! Reading what is trained on from files.

use std::path::{Path, PathBuf};

use nalgebra::Vector3;

use super::config::{Config, SystemFiles};
use super::dataset::{Dataset, System};
use super::pairs::Segment;
use crate::error::Place;
use crate::forcefield::{self, ForceField, Precision, template_geometry_at};
use crate::network::{DataFile, Tokens};
use crate::structure::{self, Frame, ReadOptions, Topology, centroid};
use crate::trajectory::Reader;
use crate::{Error, Result};

/// Longest distance of bonded heavy atoms in a whole molecule, Å; S–S is 2.05 Å.
const LONGEST_BOND: f64 = 3.0;

impl Dataset {
    /// Reads all files of `config` from `folder` and splits their pairs.
    ///
    /// # Errors
    /// [`Error::Input`] naming file, frame and key.
    pub fn load(config: &Config, folder: &Path) -> Result<Dataset> {
        let (mut systems, mut files) = (Vec::new(), Vec::new());
        let entries: Vec<Vec<SystemFiles>> = config
            .data
            .systems
            .iter()
            .map(|entry| entry.expand(folder))
            .collect::<Result<_>>()?;
        for entry in entries.iter().flatten() {
            systems.push(load_system(entry, folder, config)?);
            for path in [&entry.topology]
                .into_iter()
                .chain(&entry.trajectories)
                .chain(&entry.rollouts)
            {
                files.push(data_file(&folder.join(path))?);
            }
        }
        Dataset::split(systems, files, config)
    }
}

fn load_system(entry: &SystemFiles, folder: &Path, config: &Config) -> Result<System> {
    let structure = structure::read(&folder.join(&entry.topology), &ReadOptions::default())?;
    let geometry = template_geometry_at(&structure.topology, &structure.frame.positions)?;
    let topology = structure.topology;
    let tokens = Tokens::new(&topology, &geometry)?;
    let mut forces = if config.task.needs_forces() {
        Some(TokenForces::new(&topology, &tokens)?)
    } else {
        None
    };
    let mut load = |path: &PathBuf| {
        load_segment(
            &folder.join(path),
            &topology,
            &tokens.atoms,
            entry.time_step,
            forces.as_mut(),
        )
    };
    let segments = entry
        .trajectories
        .iter()
        .map(&mut load)
        .collect::<Result<_>>()?;
    let rollouts = entry.rollouts.iter().map(load).collect::<Result<_>>()?;
    let fold = config.task.gives_fold() && entry.fold.unwrap_or_else(|| tokens.is_folded());
    Ok(System {
        name: entry.name(),
        tokens,
        segments,
        rollouts,
        fold,
        weight: entry.weight,
    })
}

/// Reads the tokens' positions of a trajectory, and the forces on them where asked for.
fn load_segment(
    path: &Path,
    topology: &Topology,
    tokens: &[usize],
    time_step: Option<f64>,
    mut forces: Option<&mut TokenForces>,
) -> Result<Segment> {
    let mut reader = Reader::open(path, Some(topology))?;
    let time_step = time_step.or(reader.time_step()).ok_or_else(|| {
        let what = "holds no times, or its frames are not evenly spaced";
        Error::input(
            Place::file(path),
            what,
            "set `time_step` of its entry in data.systems, as `time_step = \"1ps\"`",
        )
    })?;
    let bonds = topology.select(tokens).bonds;
    let mut segment = Segment {
        file: path.to_owned(),
        tokens: tokens.len(),
        time_step,
        positions: Vec::new(),
        forces: Vec::new(),
    };
    let mut frame = Frame::default();
    while reader.read(&mut frame)? {
        let mut kept: Vec<Vector3<f64>> =
            tokens.iter().map(|&atom| frame.positions[atom]).collect();
        if let Some(&[i, j]) = bonds
            .iter()
            .find(|&&[i, j]| (kept[i] - kept[j]).norm() > LONGEST_BOND)
        {
            let label = |token: usize| topology.atom_label(tokens[token]);
            let what = format!(
                "the bond {} – {} is {:.1} Å long",
                label(i),
                label(j),
                (kept[i] - kept[j]).norm()
            );
            let hint = "make molecules whole first where a periodic box cuts them, and check that the topology is this trajectory's";
            return Err(Error::input(
                Place::file(path).at_frame(segment.len()),
                what,
                hint,
            ));
        }
        let centre = centroid(&kept);
        kept.iter_mut().for_each(|position| *position -= centre);
        append(&mut segment.positions, &kept);
        if let Some(forces) = &mut forces {
            append(&mut segment.forces, &forces.at(&frame.positions));
        }
    }
    Ok(segment)
}

fn append(values: &mut Vec<f32>, vectors: &[Vector3<f64>]) {
    values.extend(
        vectors
            .iter()
            .flat_map(|vector| vector.iter().map(|&x| x as f32)),
    );
}

/// The built-in force field's forces on the tokens: those on hydrogens count for the atoms that
/// they are bonded to.
struct TokenForces {
    forcefield: ForceField,
    /// Token of every atom.
    token: Vec<usize>,
    tokens: usize,
    all: Vec<Vector3<f64>>,
}

impl TokenForces {
    fn new(topology: &Topology, tokens: &Tokens) -> Result<Self> {
        let forcefield = ForceField::new(forcefield::System::build(topology)?, Precision::F64);
        let token_of = |atom: usize| tokens.atoms.binary_search(&atom).ok();
        let neighbours = topology.neighbours();
        let token = (0..topology.len()).map(|atom| {
            let owner = token_of(atom)
                .or_else(|| neighbours[atom].iter().find_map(|&other| token_of(other)));
            let place = || Place::atom(topology.atom_label(atom));
            owner.ok_or_else(|| {
                Error::input(
                    place(),
                    "is bonded to no heavy atom",
                    "leave this atom out of topology and trajectory",
                )
            })
        });
        Ok(TokenForces {
            token: token.collect::<Result<_>>()?,
            tokens: tokens.len(),
            all: vec![Vector3::zeros(); topology.len()],
            forcefield,
        })
    }

    fn at(&mut self, positions: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
        self.forcefield.energy_forces(positions, &mut self.all);
        let mut sums = vec![Vector3::zeros(); self.tokens];
        self.token
            .iter()
            .zip(&self.all)
            .for_each(|(&token, force)| sums[token] += force);
        sums
    }
}

/// Name and hash of a file.
fn data_file(path: &Path) -> Result<DataFile> {
    let bytes = std::fs::read(path).map_err(|source| Error::reading(path, &source))?;
    Ok(DataFile::of(path, &bytes))
}
