//! From the frames of a trajectory to the atoms of a structure.
//!
//! Trajectories hold more atoms than a structure that was read (waters, ions) or fewer (no
//! hydrogens). Everything that reads trajectories finds its atoms here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::damage::{Damage, Judge};
use super::{Format, Reader};
use crate::error::Place;
use crate::structure::{Frame, Molecules, ReadOptions, Structure, Topology, read};
use crate::{Error, Result};

/// A structure file, and where the frames that go with it hold its atoms.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The file.
    pub path: PathBuf,
    /// What was read of it.
    pub structure: Structure,
}

impl Layout {
    /// Reads a structure.
    ///
    /// # Errors
    /// Those of [`read()`].
    pub fn load(path: &Path, options: &ReadOptions) -> Result<Self> {
        Ok(Layout {
            path: path.to_owned(),
            structure: read(path, options)?,
        })
    }

    /// The topology.
    pub fn topology(&self) -> &Topology {
        &self.structure.topology
    }

    /// The atoms that a trajectory's frames hold at these places.
    ///
    /// # Errors
    /// Those of [`Layout::open`].
    pub fn atoms_at(&self, trajectory: &Path, places: &[usize]) -> Result<Vec<usize>> {
        let (_, all) = self.open(trajectory)?;
        let atoms: HashMap<usize, usize> = all
            .iter()
            .enumerate()
            .filter_map(|(atom, place)| Some(((*place)?, atom)))
            .collect();
        Ok(places
            .iter()
            .filter_map(|place| atoms.get(place).copied())
            .collect())
    }

    /// Opens a trajectory; for every atom of the topology its place in a frame, none for hydrogens
    /// that the frames lack.
    ///
    /// # Errors
    /// Those of [`Reader::open`]; [`Error::Input`] where the frames hold another number of atoms.
    pub fn open(&self, trajectory: &Path) -> Result<(Reader, Vec<Option<usize>>)> {
        let reader = Reader::open(trajectory, None)?;
        let count = reader.n_atoms();
        let (topology, records) = (self.topology(), &self.structure.report.records);
        if let Some(places) = records.places(topology, count) {
            return Ok((reader, places));
        }
        if Format::of_file(trajectory)? == Format::Pdb {
            // its protein may be the structure's
            let reader = Reader::open(trajectory, Some(topology))?;
            return Ok((reader, (0..topology.len()).map(Some).collect()));
        }
        let what = format!(
            "holds {count} atoms a frame; of {} it may hold {}",
            self.path.display(),
            records.numbers(topology)
        );
        Err(Error::input(
            Place::file(trajectory),
            what,
            "give the structure that it was made with, all its atoms in order",
        ))
    }
}

/// Frames of some atoms of a structure, whole and judged.
pub struct MoleculeReader {
    reader: Reader,
    /// Place in the file's frames of every atom that is read.
    places: Vec<usize>,
    topology: Topology,
    molecules: Molecules,
    judge: Judge,
    raw: Frame,
    made_whole: bool,
}

impl MoleculeReader {
    /// Opens a trajectory for `atoms` (ascending) of a structure; `time_step` (ps) stands for that
    /// of the file.
    ///
    /// # Errors
    /// Those of [`Layout::open`]; [`Error::Input`] where the frames lack one of the atoms.
    pub fn open(
        layout: &Layout,
        trajectory: &Path,
        atoms: &[usize],
        time_step: Option<f64>,
    ) -> Result<Self> {
        let (mut reader, places) = layout.open(trajectory)?;
        if let Some(time_step) = time_step {
            reader = reader.with_time_step(time_step);
        }
        let place = |&atom: &usize| {
            places[atom].ok_or_else(|| {
                let label = layout.topology().atom_label(atom);
                let what = format!("holds no hydrogens, as {label}");
                let hint = "give a trajectory of all atoms, or a structure without hydrogens";
                Error::input(Place::file(trajectory), what, hint)
            })
        };
        let topology = layout.topology().select(atoms);
        Ok(MoleculeReader {
            places: atoms.iter().map(place).collect::<Result<_>>()?,
            molecules: Molecules::new(&topology),
            judge: Judge::new(&topology),
            topology,
            reader,
            raw: Frame::default(),
            made_whole: false,
        })
    }

    /// The file.
    pub fn file(&self) -> &Reader {
        &self.reader
    }
    /// The atoms that are read.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }
    /// Whether molecules of a frame read so far were broken over the cell, and made whole.
    pub fn made_whole(&self) -> bool {
        self.made_whole
    }

    /// Reads frame `index`, or the first behind it (from the start again behind the last) that is a
    /// molecule.
    ///
    /// # Errors
    /// Those of [`Reader::read_at`]; [`Error::Input`] where no frame is a molecule.
    pub fn read_sound(&mut self, index: usize, frame: &mut Frame) -> Result<()> {
        let count = self.reader.len();
        let mut first = None;
        for place in (index..count).chain(0..index) {
            match self.read_at(place, frame)? {
                None => return Ok(()),
                Some(damage) => first = first.or(Some((place, damage))),
            }
        }
        let (place, damage) = first.expect("a trajectory has a frame");
        Err(self.damaged(place, &damage, "and no other frame is a molecule"))
    }

    /// The error of a frame that is no molecule.
    pub fn damaged(&self, index: usize, damage: &Damage, more: &str) -> Error {
        let place = Place::file(self.reader.path()).at_frame(self.reader.number(index));
        let comma = if more.is_empty() { "" } else { "; " };
        let what = format!("{}{comma}{more}", damage.describe(&self.topology));
        let hint = match damage {
            Damage::Torn(..) => {
                "make molecules whole first where a periodic box cuts them, and check that the \
                 topology is this trajectory's"
            }
            _ => "leave this frame out of the trajectory: it was never written whole",
        };
        Error::input(place, what, hint)
    }

    /// Reads frame `index`: positions in the order of the atoms, Å, molecules whole and beside each
    /// other, no velocities. Gives back what is wrong with it where it is no molecule.
    ///
    /// # Errors
    /// Those of [`Reader::read_at`].
    pub fn read_at(&mut self, index: usize, frame: &mut Frame) -> Result<Option<Damage>> {
        self.reader.read_at(index, &mut self.raw)?;
        frame.step = self.raw.step;
        frame.time = self.raw.time;
        frame.cell = self.raw.cell;
        frame.velocities = None;
        frame.positions.clear();
        let positions = self.places.iter().map(|&place| self.raw.positions[place]);
        frame.positions.extend(positions);
        let damage = self.judge.damage(&frame.positions, frame.cell.as_ref());
        if let (None, Some(cell)) = (damage, &frame.cell) {
            let moved = self.molecules.make_whole(&mut frame.positions, cell)
                + self.molecules.bring_together(&mut frame.positions, cell);
            self.made_whole |= moved > 0;
        }
        Ok(damage)
    }
}
