//! Trajectories that chemfiles reads, in its own process.

use std::path::Path;

use nalgebra::Vector3;

use super::pdb::time_of;
use super::times::known;
use super::{Contents, Source, cell};
use crate::Result;
use crate::foreign::{Kind, Reader};
use crate::structure::Frame;

pub(super) struct Foreign {
    reader: Reader,
    atoms: usize,
}

/// Opens a file; its frames have the times that it says, or that GROMACS wrote into their titles.
///
/// # Errors
/// Those of [`Reader::open`].
pub(super) fn open(path: &Path, kind: &Kind) -> Result<(Contents, Foreign)> {
    let (reader, found) = Reader::open(path, kind)?;
    let frames = found.times.iter().zip(&found.titles);
    let times: Option<Vec<f64>> = frames
        .map(|(time, title)| time.or_else(|| time_of(title.as_deref()?)))
        .collect();
    let contents = Contents {
        atoms: found.atoms,
        frames: found.times.len(),
        times: times.and_then(known),
        notes: found.notes,
    };
    let atoms = found.atoms;
    Ok((contents, Foreign { reader, atoms }))
}

impl Source for Foreign {
    fn read(&mut self, index: usize, frame: &mut Frame) -> Result<(), String> {
        let (numbers, edges) = self.reader.positions(index)?;
        if numbers.len() != 3 * self.atoms {
            let what = format!(
                "holds {} atoms now, {} before",
                numbers.len() / 3,
                self.atoms
            );
            return Err(what);
        }
        frame.step = index as u64;
        // their units differ from format to format, and nothing asks for them
        frame.velocities = None;
        frame.cell = edges.and_then(|[a, b, c, alpha, beta, gamma]| {
            cell::of_edges([a, b, c], [alpha, beta, gamma])
        });
        frame.positions.clear();
        let positions = numbers.chunks_exact(3).map(Vector3::from_column_slice);
        frame.positions.extend(positions);
        Ok(())
    }

    fn hint(&self) -> &'static str {
        self.reader.hint()
    }
}
