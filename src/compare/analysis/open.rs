//! The files of a run that is looked at by itself.

use std::path::PathBuf;

use nalgebra::Vector3;

use crate::compare::gather::Origin;
use crate::compare::hydrogen_bonds::{HydrogenBonds, polar_hydrogens};
use crate::compare::row::Looker;
use crate::compare::source::{Source, Structures, common_atoms, source};
use crate::geometry::superpose::pick;
use crate::structure::{Frame, Molecules, ReadOptions, Topology};
use crate::trajectory::{MoleculeReader, Reader};
use crate::{Error, Result};

/// A run, ready to be read.
#[derive(Debug, Clone)]
pub struct Run {
    /// The heavy atoms that all its files share.
    pub topology: Topology,
    /// Where they are in the structure, Å, molecules whole.
    pub start: Vec<Vector3<f64>>,
    /// The file of that structure.
    pub structure: PathBuf,
    /// Its trajectories.
    pub sources: Vec<Source>,
    /// What could not be matched. One line each.
    pub notes: Vec<String>,
    /// Heavy atoms that the hydrogens of [`Source::hydrogens`] are bonded to; none where frames
    /// hold no hydrogens.
    donors: Vec<usize>,
    structures: Structures,
    /// Which structure goes with each trajectory.
    tops: Vec<usize>,
}

/// Opens a run: its trajectories, with one structure or with the PDB beside each.
///
/// # Errors
/// Those of [`crate::compare::source::open`].
pub fn open(paths: &[PathBuf], top: Option<&PathBuf>, options: &ReadOptions) -> Result<Run> {
    let options = &ReadOptions {
        lenient: true,
        ..options.clone()
    };
    let mut structures = Structures::default();
    let tops = structures.of(paths, top, options)?;
    let Some(&base) = tops.first() else {
        let hint = "the PREFIX of a run, or a trajectory";
        return Err(Error::usage("nothing to analyze", hint));
    };
    let (places, mut notes) = common_atoms(&structures.loaded, base)?;
    let topology = structures.topology(&places, base);
    let start = structures.positions(&places, base, &topology);
    let mut sources = Vec::new();
    for (path, &top) in paths.iter().zip(&tops) {
        let atoms = places.iter().map(|place| place[top]);
        let layout = &structures.loaded[top];
        sources.push(source(path, layout, atoms, &topology, &mut notes)?);
    }
    notes.dedup();
    let mut run = Run {
        topology,
        start,
        structure: structures.loaded[base].path.clone(),
        sources,
        notes,
        donors: Vec::new(),
        structures,
        tops,
    };
    let base: Vec<usize> = places.iter().map(|place| place[base]).collect();
    run.find_hydrogens(&base)?;
    Ok(run)
}

impl Run {
    /// Finds the hydrogens on N and O, where all trajectories share one structure and hold them.
    /// `heavy` are the common atoms in the structure.
    fn find_hydrogens(&mut self, heavy: &[usize]) -> Result<()> {
        let first = self.tops[0];
        if self.tops.iter().any(|&top| top != first) {
            return Ok(());
        }
        let layout = &self.structures.loaded[first];
        let mut pairs: Vec<[usize; 2]> = Vec::new();
        for [hydrogen, donor] in polar_hydrogens(layout.topology()) {
            if let Ok(place) = heavy.binary_search(&donor) {
                pairs.push([hydrogen, place]);
            }
        }
        let mut found = Vec::new();
        for source in &self.sources {
            let (_, places) = layout.open(&source.path)?;
            let of_file: Option<Vec<usize>> = pairs.iter().map(|pair| places[pair[0]]).collect();
            let Some(of_file) = of_file else {
                return Ok(());
            };
            found.push(of_file);
        }
        self.donors = pairs.iter().map(|pair| pair[1]).collect();
        for (source, hydrogens) in self.sources.iter_mut().zip(found) {
            source.hydrogens = hydrogens;
        }
        Ok(())
    }

    /// What looks at its frames, hydrogen bonds included.
    pub fn looker(&self) -> Looker {
        let mut looker = Looker::new(&self.topology, &self.start);
        looker.hydrogen_bonds = Some(if self.donors.is_empty() {
            HydrogenBonds::of_backbone(&self.topology)
        } else {
            HydrogenBonds::by_geometry(&self.topology, self.donors.clone())
        });
        looker
    }

    /// Sets the time between frames of every trajectory, ps.
    pub fn set_time_step(&mut self, time_step: f64) {
        for source in &mut self.sources {
            source.time_step = Some(time_step);
        }
    }

    /// Leaves the first frames of every trajectory out: `frames` says how many, of a trajectory of
    /// so many frames, so far apart in time (ps, where it is known).
    ///
    /// # Errors
    /// What `frames` refuses; [`Error::Usage`] where fewer than two frames are left of one.
    pub fn skip(&mut self, frames: impl Fn(usize, Option<f64>) -> Result<usize>) -> Result<()> {
        for source in &mut self.sources {
            let first = frames(source.frames, source.time_step)?;
            if first > 0 && first + 2 > source.frames {
                let what = format!(
                    "--skip leaves nothing of {}, which holds {} frames",
                    source.path.display(),
                    source.frames
                );
                return Err(Error::usage(what, "skip less: --skip 20%"));
            }
            source.first = first;
        }
        Ok(())
    }

    /// Frames that rows come from, whole, Å: all atoms, hydrogens where they are there, or the
    /// common heavy atoms where trajectories have structures of their own.
    ///
    /// # Errors
    /// Those of reading them.
    pub fn frames(&self, origins: &[Origin]) -> Result<(Topology, Vec<Frame>)> {
        let first = self.tops[0];
        if self.tops.iter().any(|&top| top != first) {
            let frames = origins.iter().map(|origin| self.common_atoms_of(origin));
            return Ok((self.topology.clone(), frames.collect::<Result<_>>()?));
        }
        let layout = &self.structures.loaded[first];
        let (_, places) = layout.open(&self.sources[0].path)?;
        let atoms: Vec<usize> = (0..places.len())
            .filter(|&atom| places[atom].is_some())
            .collect();
        let read = |origin: &Origin| -> Result<Frame> {
            let path = &self.sources[origin.trajectory].path;
            let mut reader = MoleculeReader::open(layout, path, &atoms, None)?;
            let mut frame = Frame::default();
            reader.read_at(origin.frame, &mut frame)?;
            frame.cell = None;
            Ok(frame)
        };
        let frames: Result<Vec<Frame>> = origins.iter().map(read).collect();
        Ok((layout.topology().select(&atoms), frames?))
    }

    fn common_atoms_of(&self, origin: &Origin) -> Result<Frame> {
        let source = &self.sources[origin.trajectory];
        let mut frame = Frame::default();
        Reader::open(&source.path, None)?.read_at(origin.frame, &mut frame)?;
        let mut positions = pick(&frame.positions, &source.picks);
        if let Some(cell) = &frame.cell {
            let molecules = Molecules::new(&self.topology);
            molecules.make_whole(&mut positions, cell);
            molecules.bring_together(&mut positions, cell);
        }
        Ok(Frame {
            step: frame.step,
            time: frame.time,
            ..Frame::at_rest(positions)
        })
    }
}
