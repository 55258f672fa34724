//! Reading what is trained on from files.

use std::path::{Path, PathBuf};

use nalgebra::Vector3;

use super::config::{Config, SystemFiles};
use super::dataset::{Dataset, System};
use super::pairs::Segment;
use crate::error::Place;
use crate::forcefield::{self, ForceField, Precision, template_geometry_at};
use crate::network::{DataFile, Tokens};
use crate::structure::{Frame, ReadOptions, Topology, centroid};
use crate::trajectory::times::{mark, repeated, repeats_note};
use crate::trajectory::{Layout, MoleculeReader};
use crate::{Error, Result};

impl Dataset {
    /// Reads all files of `config` from `folder` and splits their pairs.
    ///
    /// # Errors
    /// [`Error::Input`] naming file, frame and key.
    pub fn load(config: &Config, folder: &Path) -> Result<Dataset> {
        let (mut systems, mut files, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        let entries: Vec<Vec<SystemFiles>> = config
            .data
            .systems
            .iter()
            .map(|entry| entry.expand(folder))
            .collect::<Result<_>>()?;
        for entry in entries.iter().flatten() {
            systems.push(load_system(entry, folder, config, &mut notes)?);
            for path in [&entry.topology]
                .into_iter()
                .chain(&entry.trajectories)
                .chain(&entry.rollouts)
            {
                files.push(data_file(&folder.join(path))?);
            }
        }
        let mut dataset = Dataset::split(systems, files, config)?;
        dataset.notes = notes;
        Ok(dataset)
    }
}

fn load_system(
    entry: &SystemFiles,
    folder: &Path,
    config: &Config,
    notes: &mut Vec<String>,
) -> Result<System> {
    let layout = Layout::load(&folder.join(&entry.topology), &ReadOptions::default())?;
    let topology = layout.topology();
    let geometry = template_geometry_at(topology, &layout.structure.frame.positions)?;
    let tokens = Tokens::new(topology, &geometry)?;
    let mut forces = if config.task.needs_forces() {
        Some(TokenForces::new(topology, &tokens)?)
    } else {
        None
    };
    let mut load = |path: &PathBuf| {
        let path = folder.join(path);
        load_segment(
            &path,
            &layout,
            &tokens.atoms,
            entry.time_step,
            forces.as_mut(),
            notes,
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
        sequence: topology.sequence(),
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
    layout: &Layout,
    tokens: &[usize],
    time_step: Option<f64>,
    mut forces: Option<&mut TokenForces>,
    notes: &mut Vec<String>,
) -> Result<Segment> {
    // forces want all atoms, among which tokens keep their numbers; else only tokens are read
    let all: Vec<usize> = (0..layout.topology().len()).collect();
    let (atoms, places) = if forces.is_some() {
        (&all[..], tokens.to_vec())
    } else {
        (tokens, (0..tokens.len()).collect())
    };
    let mut reader = MoleculeReader::open(layout, path, atoms, None)?;
    let file = reader.file();
    notes.extend(
        file.notes()
            .iter()
            .map(|note| format!("{}: {note}", path.display())),
    );
    let time_step = time_step.or(file.time_step()).ok_or_else(|| {
        let what = "holds no times, or its frames are not evenly spaced";
        Error::input(
            Place::file(path),
            what,
            "set `time_step` of its entry in data.systems, as `time_step = \"1ps\"`",
        )
    })?;
    let frames = file.len();
    let has_times = file.has_own_times();
    let mut segment = Segment {
        file: path.to_owned(),
        tokens: tokens.len(),
        time_step,
        positions: Vec::new(),
        forces: Vec::new(),
    };
    let mut frame = Frame::default();
    let (mut damaged, mut marks) = (Vec::new(), Vec::new());
    for index in 0..frames {
        if let Some(damage) = reader.read_at(index, &mut frame)? {
            damaged.push((index, damage));
            continue;
        }
        let mut kept: Vec<Vector3<f64>> =
            places.iter().map(|&place| frame.positions[place]).collect();
        marks.push(mark(&kept));
        let centre = centroid(&kept);
        kept.iter_mut().for_each(|position| *position -= centre);
        append(&mut segment.positions, &kept);
        if let Some(forces) = &mut forces {
            append(&mut segment.forces, &forces.at(&frame.positions));
        }
    }
    if let Some((index, damage)) = damaged.first() {
        let more = format!("{} of {frames} frames are no molecule", damaged.len());
        return Err(reader.damaged(*index, damage, if damaged.len() > 1 { &more } else { "" }));
    }
    if reader.made_whole() {
        notes.push(format!(
            "{}: molecules broken over the periodic cell were made whole",
            path.display()
        ));
    }
    if !has_times {
        notes.extend(leave_out_repeats(&mut segment, &marks));
    }
    Ok(segment)
}

/// Takes stretches of frames that a restart wrote again once; says which.
fn leave_out_repeats(segment: &mut Segment, marks: &[u64]) -> Option<String> {
    let stretches = repeated(marks);
    let row = 3 * segment.tokens;
    for stretch in stretches.iter().rev() {
        let values = stretch.start * row..stretch.end * row;
        if !segment.forces.is_empty() {
            segment.forces.drain(values.clone());
        }
        segment.positions.drain(values);
    }
    repeats_note(&stretches).map(|note| format!("{}: {note}", segment.file.display()))
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
