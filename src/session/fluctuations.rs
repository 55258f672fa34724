//! The topology of a finished run, with the fluctuations of its atoms as temperature factors.
//!
//! They are read off the trajectories that the run has written, so that a run that was stopped and
//! went on ends with the bytes of one that nothing happened to.

use std::io::Write;
use std::path::Path;

use super::files::Files;
use crate::compare::fluctuation::{Moments, temperature_factors};
use crate::compare::row::trace_atoms;
use crate::files::write_atomically;
use crate::geometry::superpose::{pick, superpose};
use crate::structure::{Frame, Topology};
use crate::trajectory::Reader;
use crate::{Error, Result};

/// Columns of a PDB file's temperature factor.
const FACTOR: std::ops::Range<usize> = 60..66;
/// The largest that they hold.
const MOST: f64 = 999.99;

/// Sets the temperature factors of `PREFIX.pdb` to 8π²/3·RMSF² over all replicas, superposed on
/// frame 0; leaves them where no trajectory has two frames.
///
/// # Errors
/// Those of reading the trajectories and of writing the file.
pub(super) fn note(files: &Files, topology: &Topology) -> Result<()> {
    let path = files.topology();
    if !path.is_file() {
        return Ok(());
    }
    let Some(factors) = factors(files, topology)? else {
        return Ok(());
    };
    let text = std::fs::read_to_string(&path).map_err(|source| Error::reading(&path, &source))?;
    set(&path, &text, &factors)?;
    if let Some(cif) = files.cif() {
        let text = std::fs::read_to_string(&cif).map_err(|source| Error::reading(&cif, &source))?;
        set(&cif, &text, &factors)?;
    }
    Ok(())
}

fn factors(files: &Files, topology: &Topology) -> Result<Option<Vec<f64>>> {
    let trace = trace_atoms(topology);
    let mut frame = Frame::default();
    // as it was written: what a run goes on with has more digits
    Reader::open(files.topology(), None)?.read_at(0, &mut frame)?;
    let start = pick(&frame.positions, &trace);
    let mut moments = Moments::about(start.clone());
    for replica in 0..files.replicas.len() {
        let mut reader = Reader::open(files.trajectory(replica), None)?;
        while reader.read(&mut frame)? {
            let positions = pick(&frame.positions, &trace);
            let fit = superpose(&positions, &start);
            moments.add(positions.iter().map(|x| fit.apply(x)));
        }
    }
    let known = moments.frames >= 2.0;
    Ok(known.then(|| temperature_factors(topology, &trace, &moments.rmsf())))
}

/// Writes a structure file again with other temperature factors, one an atom record: in the columns
/// of a PDB file, or as the last value of an mmCIF file's line.
fn set(path: &Path, text: &str, factors: &[f64]) -> Result<()> {
    let is_pdb = path.extension().is_some_and(|ending| ending == "pdb");
    let mut next = factors.iter();
    write_atomically(path, |out| {
        for line in text.lines() {
            let is_atom = line.starts_with("ATOM ") || line.starts_with("HETATM");
            let factor = if is_atom { next.next() } else { None };
            match factor.map(|factor| factor.min(MOST)) {
                None => writeln!(out, "{line}")?,
                Some(factor) if is_pdb => {
                    let (before, after) = (&line[..FACTOR.start], &line[FACTOR.end..]);
                    writeln!(out, "{before}{factor:6.2}{after}")?;
                }
                Some(factor) => {
                    let before = line.rsplit_once(' ').map_or(line, |(before, _)| before);
                    writeln!(out, "{before} {factor:.2}")?;
                }
            }
        }
        Ok(())
    })
}
