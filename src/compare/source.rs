//! What is compared: the files of both sides, and the way from their frames to the heavy atoms that
//! all share.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use nalgebra::Vector3;

use super::beside::{beside, trajectories};
use super::matching::match_heavy_atoms;
use crate::error::Place;
use crate::files::is_same;
use crate::geometry::superpose::pick;
use crate::structure::{Frame, Molecules, ReadOptions, Topology};
use crate::trajectory::{Format, Judge, Layout, Reader};
use crate::{Error, Result};

/// The files that a user gives.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Trajectories of the run, one or its replicas, or its prefix.
    pub run: Vec<PathBuf>,
    /// Reference trajectories, one or replicas, or prefixes.
    pub reference: Vec<PathBuf>,
    /// Structure of the run; not needed for PDB trajectories, nor where one of the trajectory's
    /// name lies beside it.
    pub run_top: Option<PathBuf>,
    /// Structure of the reference; by default that of the run.
    pub reference_top: Option<PathBuf>,
    /// The run is not compared itself: rollouts begin with its frames, which may be the
    /// reference's.
    pub run_is_start: bool,
}

/// One trajectory and where its frames hold the common atoms.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Number of its frames.
    pub frames: usize,
    /// Time between frames, ps, where the file knows it.
    pub time_step: Option<f64>,
    /// Whether the file holds times.
    pub has_own_times: bool,
    /// The first frame that is looked at, from 0.
    pub first: usize,
    /// For every common atom its index in a frame of this file.
    pub picks: Vec<usize>,
    /// For every hydrogen that is looked at its index in a frame of this file; of a comparison,
    /// none.
    pub hydrogens: Vec<usize>,
}

impl Source {
    /// Number of frames that are looked at.
    pub fn looked_at(&self) -> usize {
        self.frames - self.first
    }
}

/// Two sides, ready to be read.
#[derive(Debug, Clone)]
pub struct Sides {
    /// The heavy atoms that all files share, in the run's order.
    pub topology: Topology,
    /// Where they are in the structure of the reference (of the run, where both use one), Å,
    /// molecules whole.
    pub start: Vec<Vector3<f64>>,
    /// Trajectories of the run.
    pub run: Vec<Source>,
    /// Trajectories of the reference.
    pub reference: Vec<Source>,
    /// What could not be matched, and how the rest was.
    pub notes: Vec<String>,
}

impl Sides {
    /// Sets the time between frames, ps: `run` for every trajectory of the run, `reference` for
    /// every one of the reference. Where only the run's is given, it also stands for reference
    /// files that hold no times.
    pub fn set_time_steps(&mut self, run: Option<f64>, reference: Option<f64>) {
        let give = |source: &mut Source, time_step: Option<f64>| {
            source.time_step = time_step.or(source.time_step);
        };
        self.run.iter_mut().for_each(|source| give(source, run));
        for source in &mut self.reference {
            give(source, reference.or(run.filter(|_| !source.has_own_times)));
        }
    }
}

/// Lengths of bonds between heavy atoms, Å: in molecules they run from 1.1 (C=O, vibrating) to 2.2
/// (S–S).
const BONDS: Range<f64> = 0.8..2.4;

/// Opens both sides and matches their atoms.
///
/// # Errors
/// [`Error::Usage`] where a structure is needed and not given, or where less than half of the atoms
/// match; [`Error::Input`] for files that cannot be read, hold no frames, or hold atoms that are
/// not those of their structure (another number, or bonds of impossible lengths).
pub fn open(inputs: &Inputs) -> Result<Sides> {
    let options = ReadOptions {
        lenient: true,
        ..ReadOptions::default()
    };
    let mut structures = Structures::default();
    let run_files = trajectories(&inputs.run)?;
    let run = structures.of(&run_files, inputs.run_top.as_ref(), &options)?;
    let reference_top = inputs.reference_top.as_ref().or(inputs.run_top.as_ref());
    let reference_files = trajectories(&inputs.reference)?;
    let reference = structures.of(&reference_files, reference_top, &options)?;
    let in_both = |file: &&PathBuf| reference_files.iter().any(|other| is_same(file, other));
    let in_both = (run_files.iter().filter(|_| !inputs.run_is_start)).find(in_both);
    let in_both = in_both.map(|file| {
        format!(
            "{} is in the run and in the reference: that it is like itself says nothing",
            file.display()
        )
    });
    let (Some(&base), Some(&start)) = (run.first(), reference.first()) else {
        return Err(Error::usage(
            "nothing to compare",
            "give a trajectory and --reference with another",
        ));
    };
    let (places, mut notes) = common_atoms(&structures.loaded, base)?;
    notes.extend(in_both);
    let topology = structures.topology(&places, base);
    if structures.some_lack_hydrogens() {
        notes.push("hydrogens, which one side lacks, are not compared".to_owned());
    }
    let positions = structures.positions(&places, start, &topology);
    let mut sources = |paths: &[PathBuf], tops: &[usize]| -> Result<Vec<Source>> {
        let source = |(path, &top): (&PathBuf, &usize)| {
            let atoms = places.iter().map(|place| place[top]);
            source(path, &structures.loaded[top], atoms, &topology, &mut notes)
        };
        paths.iter().zip(tops).map(source).collect()
    };
    let run = sources(&run_files, &run)?;
    let reference = sources(&reference_files, &reference)?;
    Ok(Sides {
        topology,
        start: positions,
        run,
        reference,
        notes,
    })
}

/// Structures that were read, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Structures {
    /// In the order in which they were met.
    pub loaded: Vec<Layout>,
}

impl Structures {
    /// The structure that goes with each trajectory, as a place in the list.
    pub(super) fn of(
        &mut self,
        trajectories: &[PathBuf],
        top: Option<&PathBuf>,
        options: &ReadOptions,
    ) -> Result<Vec<usize>> {
        let mut places = Vec::new();
        for trajectory in trajectories {
            let top = structure_of(trajectory, top)?;
            let known = self.loaded.iter().position(|loaded| loaded.path == top);
            if known.is_none() {
                self.loaded.push(Layout::load(&top, options)?);
            }
            places.push(known.unwrap_or(self.loaded.len() - 1));
        }
        Ok(places)
    }

    /// The topology of the common atoms, as structure `base` has it.
    pub(super) fn topology(&self, places: &[Vec<usize>], base: usize) -> Topology {
        let atoms: Vec<usize> = places.iter().map(|place| place[base]).collect();
        self.loaded[base].topology().select(&atoms)
    }

    /// Where structure `which` has the common atoms, Å, molecules whole.
    pub(super) fn positions(
        &self,
        places: &[Vec<usize>],
        which: usize,
        topology: &Topology,
    ) -> Vec<Vector3<f64>> {
        let there: Vec<usize> = places.iter().map(|place| place[which]).collect();
        let frame = &self.loaded[which].structure.frame;
        let mut positions = pick(&frame.positions, &there);
        if let Some(cell) = &frame.cell {
            let molecules = Molecules::new(topology);
            molecules.make_whole(&mut positions, cell);
            molecules.bring_together(&mut positions, cell);
        }
        positions
    }

    fn some_lack_hydrogens(&self) -> bool {
        let bare =
            |loaded: &&Layout| loaded.topology().heavy_atoms().len() == loaded.topology().len();
        let count = self.loaded.iter().filter(bare).count();
        (1..self.loaded.len()).contains(&count)
    }
}

/// The structure that goes with a trajectory: itself where it is PDB; the one given, or the PDB of
/// the same name beside it; itself where it names its atoms in another format.
fn structure_of(trajectory: &Path, top: Option<&PathBuf>) -> Result<PathBuf> {
    let format = Format::of_file(trajectory)?;
    if format == Format::Pdb {
        return Ok(trajectory.to_owned());
    }
    match top.cloned().or_else(|| beside(trajectory, "pdb")) {
        Some(top) => Ok(top),
        None if format.names_atoms() => Ok(trajectory.to_owned()),
        None => Err(Error::usage(
            format!("{} does not say what atoms it holds", trajectory.display()),
            "--top with the PDB or mmCIF file of its structure",
        )),
    }
}

/// Most residues and bonds that are named one by one.
const NAMED: usize = 4;

/// What of a structure's chains is not looked at, one line each.
fn passed_over(layout: &Layout) -> Vec<String> {
    let all = &layout.structure.report.passed_over;
    let path = layout.path.display();
    let named = all.iter().take(NAMED);
    let mut lines: Vec<String> = named.map(|what| format!("{path}: {what}")).collect();
    if all.len() > NAMED {
        lines.push(format!("{path}: and {} more alike", all.len() - NAMED));
    }
    lines
}

/// For every heavy atom that all structures share its index in each of them, in the order of
/// structure `base`.
pub(super) fn common_atoms(
    loaded: &[Layout],
    base: usize,
) -> Result<(Vec<Vec<usize>>, Vec<String>)> {
    let here = loaded[base].topology();
    let heavy = here.heavy_atoms();
    let name = |index: usize| loaded[index].path.display().to_string();
    let mut notes: Vec<String> = Vec::new();
    for layout in loaded {
        notes.extend(passed_over(layout));
    }
    let mut places: HashMap<usize, Vec<usize>> = heavy
        .iter()
        .map(|&atom| (atom, vec![usize::MAX; loaded.len()]))
        .collect();
    for (index, other) in loaded.iter().enumerate() {
        let matching = match_heavy_atoms(here, other.topology(), (&name(base), &name(index)));
        if 2 * matching.pairs.len() < heavy.len().max(6) {
            let what = format!(
                "only {} of the {} heavy atoms of {} are in {}",
                matching.pairs.len(),
                heavy.len(),
                name(base),
                name(index)
            );
            return Err(Error::usage(
                what,
                "give structures of the same molecule: chain, residue number and atom names must \
                 match",
            ));
        }
        notes.extend(matching.notes);
        let there: HashMap<usize, usize> = matching.pairs.into_iter().collect();
        places.retain(|atom, _| there.contains_key(atom));
        places
            .iter_mut()
            .for_each(|(atom, list)| list[index] = there[atom]);
    }
    Ok((
        heavy
            .into_iter()
            .filter_map(|atom| places.remove(&atom))
            .collect(),
        notes,
    ))
}

/// Refuses a trajectory whose first frame that is not damaged is no such molecule: one written
/// with its atoms in another order has the same number of them.
fn refuse_other_atoms(reader: &mut Reader, picks: &[usize], topology: &Topology) -> Result<()> {
    let mut frame = Frame::default();
    let judge = Judge::new(topology);
    let mut sound = 0;
    while sound < reader.len() {
        reader.read_at(sound, &mut frame)?;
        let positions = pick(&frame.positions, picks);
        if judge.damage(&positions, frame.cell.as_ref()).is_none() {
            break;
        }
        sound += 1;
    }
    // where every frame is damaged the first shows why
    if sound == reader.len() {
        sound = 0;
        reader.read_at(sound, &mut frame)?;
    }
    let mut positions = pick(&frame.positions, picks);
    if let Some(cell) = &frame.cell {
        Molecules::new(topology).make_whole(&mut positions, cell);
    }
    let is_odd = |&&[i, j]: &&[usize; 2]| !BONDS.contains(&(positions[i] - positions[j]).norm());
    let odd = topology.bonds.iter().filter(is_odd).count();
    let all = topology.bonds.len();
    if 3 * odd <= all {
        return Ok(());
    }
    let what = format!(
        "{odd} of {all} bonds are not {} to {} Å long: its atoms stand in another order than the \
         structure's, or are not in Å",
        BONDS.start, BONDS.end
    );
    let hint = "give the structure that it was written with: --top, or --reference-top";
    let place = Place::file(reader.path()).at_frame(reader.number(sound));
    Err(Error::input(place, what, hint))
}

/// Opens a trajectory and finds where its frames hold `atoms` of its structure, which are those of
/// `topology`; what there is to say of it is added to the notes.
pub(super) fn source(
    path: &Path,
    top: &Layout,
    atoms: impl Iterator<Item = usize>,
    topology: &Topology,
    notes: &mut Vec<String>,
) -> Result<Source> {
    let (mut reader, places) = top.open(path)?;
    let picks: Vec<usize> = atoms
        .map(|atom| places[atom].expect("heavy atoms are in every frame"))
        .collect();
    refuse_other_atoms(&mut reader, &picks, topology)?;
    let lines = reader.notes().iter();
    notes.extend(lines.map(|note| format!("{}: {note}", path.display())));
    Ok(Source {
        path: path.to_owned(),
        frames: reader.len(),
        time_step: reader.time_step(),
        has_own_times: reader.has_own_times(),
        first: 0,
        picks,
        hydrogens: Vec::new(),
    })
}
