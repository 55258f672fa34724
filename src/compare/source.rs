//! What is compared: the files of both sides, and the way from their frames to the heavy atoms that
//! all share.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use nalgebra::Vector3;

use super::matching::match_heavy_atoms;
use crate::error::Place;
use crate::geometry::superpose::pick;
use crate::structure::{Frame, Molecules, ReadOptions, Topology, read};
use crate::trajectory::{Format, Reader};
use crate::{Error, Result};

/// The files that a user gives.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Trajectories of the run: one, or its replicas.
    pub run: Vec<PathBuf>,
    /// Reference trajectories: one, or replicas.
    pub reference: Vec<PathBuf>,
    /// Structure of the run; not needed for PDB trajectories, nor where one of the trajectory's
    /// name lies beside it.
    pub run_top: Option<PathBuf>,
    /// Structure of the reference; by default that of the run.
    pub reference_top: Option<PathBuf>,
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
    /// For every common atom its index in a frame of this file.
    pub picks: Vec<usize>,
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

/// Lengths of bonds between heavy atoms, Å: in molecules they run from 1.1 (C=O, vibrating) to 2.2
/// (S–S).
const BONDS: Range<f64> = 0.8..2.4;

/// A structure file, and how many atom records its file holds.
struct Loaded {
    path: PathBuf,
    topology: Topology,
    frame: Frame,
    /// Number of atom records (waters and all) and the record of every atom, where the format
    /// tells.
    records: Option<(usize, Vec<usize>)>,
}

/// Opens both sides and matches their atoms.
///
/// # Errors
/// [`Error::Usage`] where a structure is needed and not given, or where less than half of the atoms
/// match; [`Error::Input`] for files that cannot be read, hold no frames, or hold atoms that are
/// not those of their structure (another number, or bonds of impossible lengths).
pub fn open(inputs: &Inputs) -> Result<Sides> {
    let mut loaded: Vec<Loaded> = Vec::new();
    let mut load_for = |path: &PathBuf, top: Option<&PathBuf>| -> Result<usize> {
        let top = structure_of(path, top)?;
        if let Some(known) = loaded.iter().position(|loaded| loaded.path == top) {
            return Ok(known);
        }
        loaded.push(load(&top)?);
        Ok(loaded.len() - 1)
    };
    let run: Vec<usize> = inputs
        .run
        .iter()
        .map(|path| load_for(path, inputs.run_top.as_ref()))
        .collect::<Result<_>>()?;
    let reference_top = inputs.reference_top.as_ref().or(inputs.run_top.as_ref());
    let reference: Vec<usize> = inputs
        .reference
        .iter()
        .map(|path| load_for(path, reference_top))
        .collect::<Result<_>>()?;
    let (Some(&base), Some(&start)) = (run.first(), reference.first()) else {
        return Err(Error::usage(
            "nothing to compare",
            "give a trajectory and --reference with another",
        ));
    };

    let (places, mut notes) = common_atoms(&loaded, base)?;
    let atoms: Vec<usize> = places.iter().map(|place| place[base]).collect();
    let topology = loaded[base].topology.select(&atoms);
    let bare = |loaded: &&Loaded| loaded.topology.heavy_atoms().len() == loaded.topology.len();
    if (1..loaded.len()).contains(&loaded.iter().filter(bare).count()) {
        notes.push("hydrogens, which one side lacks, are not compared".to_owned());
    }
    let there: Vec<usize> = places.iter().map(|place| place[start]).collect();
    let mut positions = pick(&loaded[start].frame.positions, &there);
    if let Some(cell) = &loaded[start].frame.cell {
        let molecules = Molecules::new(&topology);
        molecules.make_whole(&mut positions, cell);
        molecules.bring_together(&mut positions, cell);
    }
    let sources = |paths: &[PathBuf], tops: &[usize]| -> Result<Vec<Source>> {
        let source = |(path, &top): (&PathBuf, &usize)| {
            source(path, &loaded[top], places.iter().map(|place| place[top]))
        };
        paths.iter().zip(tops).map(source).collect()
    };
    let (run, reference) = (
        sources(&inputs.run, &run)?,
        sources(&inputs.reference, &reference)?,
    );
    run.iter()
        .chain(&reference)
        .try_for_each(|source| refuse_other_atoms(source, &topology))?;
    Ok(Sides {
        topology,
        start: positions,
        run,
        reference,
        notes,
    })
}

/// The structure that goes with a trajectory: itself where it is one, the one given, or the PDB of
/// the same name beside it.
fn structure_of(trajectory: &Path, top: Option<&PathBuf>) -> Result<PathBuf> {
    if Format::of(trajectory)? == Format::Pdb {
        return Ok(trajectory.to_owned());
    }
    let beside = trajectory.with_extension("pdb");
    match top {
        Some(top) => Ok(top.clone()),
        None if beside.is_file() => Ok(beside),
        None => Err(Error::usage(
            format!("{} does not say what atoms it holds", trajectory.display()),
            "--top with the PDB or mmCIF file of its structure",
        )),
    }
}

fn load(path: &Path) -> Result<Loaded> {
    let structure = read(path, &ReadOptions::default())?;
    let mut records = None;
    if Format::of(path).is_ok_and(|format| format == Format::Pdb) {
        let mut first = Frame::default();
        Reader::open(path, None)?.read_at(0, &mut first)?;
        records = Some((
            first.positions.len(),
            records_at(&first.positions, &structure.frame.positions),
        ));
    }
    let records = records.filter(|(_, places)| places.len() == structure.topology.len());
    Ok(Loaded {
        path: path.to_owned(),
        topology: structure.topology,
        frame: structure.frame,
        records,
    })
}

/// Which records stand at these positions, to the thousandth of an Å that a PDB file has: no two
/// atoms share a place.
fn records_at(records: &[Vector3<f64>], positions: &[Vector3<f64>]) -> Vec<usize> {
    let key = |x: &Vector3<f64>| [x.x, x.y, x.z].map(|value| (value * 1000.0).round() as i64);
    let places: HashMap<[i64; 3], usize> = records
        .iter()
        .enumerate()
        .rev()
        .map(|(record, x)| (key(x), record))
        .collect();
    positions
        .iter()
        .filter_map(|x| places.get(&key(x)).copied())
        .collect()
}

/// For every heavy atom that all structures share its index in each of them, in the order of
/// structure `base`.
fn common_atoms(loaded: &[Loaded], base: usize) -> Result<(Vec<Vec<usize>>, Vec<String>)> {
    let here = &loaded[base].topology;
    let heavy = here.heavy_atoms();
    let name = |index: usize| loaded[index].path.display().to_string();
    let mut notes = Vec::new();
    let mut places: HashMap<usize, Vec<usize>> = heavy
        .iter()
        .map(|&atom| (atom, vec![usize::MAX; loaded.len()]))
        .collect();
    for (index, other) in loaded.iter().enumerate() {
        let matching = match_heavy_atoms(here, &other.topology, (&name(base), &name(index)));
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
                "give structures of the same molecule: chain, residue number and atom names must match",
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

/// Refuses a trajectory whose first frame is no such molecule: one written with its atoms in
/// another order has the same number of them.
fn refuse_other_atoms(source: &Source, topology: &Topology) -> Result<()> {
    let mut frame = Frame::default();
    Reader::open(&source.path, None)?.read_at(0, &mut frame)?;
    let mut positions = pick(&frame.positions, &source.picks);
    if let Some(cell) = &frame.cell {
        Molecules::new(topology).make_whole(&mut positions, cell);
    }
    let is_odd = |&&[i, j]: &&[usize; 2]| !BONDS.contains(&(positions[i] - positions[j]).norm());
    let (odd, all) = (
        topology.bonds.iter().filter(is_odd).count(),
        topology.bonds.len(),
    );
    if 3 * odd <= all {
        return Ok(());
    }
    let what = format!(
        "{odd} of {all} bonds are not {} to {} Å long: its atoms stand in another order than the structure's, or are not in Å",
        BONDS.start, BONDS.end
    );
    let hint = "give the structure that it was written with: --top, or --reference-top";
    Err(Error::input(
        Place::file(&source.path).at_frame(0),
        what,
        hint,
    ))
}

/// Opens a trajectory and finds where its frames hold `atoms` of its structure.
fn source(path: &Path, top: &Loaded, atoms: impl Iterator<Item = usize>) -> Result<Source> {
    let reader = Reader::open(path, None)?;
    let count = reader.n_atoms();
    let heavy = top.topology.heavy_atoms();
    let places: Option<HashMap<usize, usize>> = match &top.records {
        Some((records, places)) if count == *records => {
            Some(places.iter().copied().enumerate().collect())
        }
        _ if count == top.topology.len() => Some((0..count).map(|atom| (atom, atom)).collect()),
        _ if count == heavy.len() => Some(
            heavy
                .iter()
                .enumerate()
                .map(|(place, &atom)| (atom, place))
                .collect(),
        ),
        _ => None,
    };
    let Some(places) = places else {
        let more = top
            .records
            .as_ref()
            .filter(|(records, _)| *records != top.topology.len());
        let records = more.map_or(String::new(), |(records, _)| {
            format!(" ({records} with all that is not protein)")
        });
        let what = format!(
            "holds {count} atoms a frame, {} {}{records}",
            top.path.display(),
            top.topology.len()
        );
        return Err(Error::input(
            Place::file(path),
            what,
            "give the structure that it was made with: --top, or --reference-top",
        ));
    };
    let picks = atoms.map(|atom| places[&atom]).collect();
    Ok(Source {
        path: path.to_owned(),
        frames: reader.len(),
        time_step: reader.time_step(),
        picks,
    })
}
