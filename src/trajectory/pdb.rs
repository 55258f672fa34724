//! Multi-model PDB as a trajectory: coordinates and cell only, every ATOM and HETATM record in
//! order; all models of as many atoms. Where the topology has fewer atoms (it was read without
//! waters, ligands, alternative locations), so are its frames.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use nalgebra::Vector3;

use super::{Contents, Fault, Source, cell};
use crate::error::Place;
use crate::structure::{Cell, Frame, ReadOptions, Topology, read_models};
use crate::{Error, Result};

/// Columns up to the last of a record's coordinates.
const COORDINATES_END: usize = 54;

pub(super) struct Pdb {
    models: Vec<Vec<Vector3<f64>>>,
    /// Of every model.
    cells: Vec<Option<Cell>>,
}

/// Gzipped text may grow by this much without being doubted: frames of a frozen molecule shrink to
/// a thousandth, frames that move to a quarter.
const GROWTH: u64 = 100;
const UNDOUBTED: u64 = 1 << 28;

/// The text of a PDB file, plain or gzipped.
pub(super) fn text(path: &Path) -> Result<String> {
    let reading = |source| Error::reading(path, &source);
    let mut bytes = std::fs::read(path).map_err(reading)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let most = UNDOUBTED.max(GROWTH * bytes.len() as u64);
        let mut text = Vec::new();
        MultiGzDecoder::new(&bytes[..])
            .take(most + 1)
            .read_to_end(&mut text)
            .map_err(reading)?;
        if text.len() as u64 > most {
            return Err(Error::input(
                Place::file(path),
                format!("unpacks to more than {most} bytes"),
                "gunzip it first, if it is what you mean",
            ));
        }
        bytes = text;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn numbers<const N: usize>(line: &str, columns: [(usize, usize); N]) -> Option<[f64; N]> {
    let mut out = [0.0; N];
    for (value, (start, end)) in out.iter_mut().zip(columns) {
        *value = line.get(start..end.min(line.len()))?.trim().parse().ok()?;
    }
    Some(out)
}

/// The text without a last line that ends, without a line break, before its coordinates do: a copy
/// that stopped, or a run that was killed.
fn without_cut_line(text: &str) -> &str {
    let start = text.rfind('\n').map_or(0, |end| end + 1);
    let last = &text[start..];
    let is_atom = last.starts_with("ATOM  ") || last.starts_with("HETATM");
    if is_atom && last.len() < COORDINATES_END {
        &text[..start]
    } else {
        text
    }
}

/// Models as they are found.
struct Models {
    all: Vec<Vec<Vector3<f64>>>,
    /// The cell said last.
    cell: Option<Cell>,
    /// That of every model that has atoms: one record may stand for all, or one before each.
    cells: Vec<Option<Cell>>,
    /// Whether the last model has come to its end (END, ENDMDL).
    ended: bool,
    /// Time of every model, ps, as far as titles say it.
    times: Vec<f64>,
}

/// The time that a title ends with, as GROMACS writes it: `t= 20.00000 step= 1`.
pub(super) fn time_of(title: &str) -> Option<f64> {
    let (_, after) = title.rsplit_once(" t=")?;
    after.split_whitespace().next()?.parse().ok()
}

impl Models {
    fn read(text: &str) -> Result<Self, Fault> {
        let mut models = Models {
            all: vec![Vec::new()],
            cell: None,
            cells: Vec::new(),
            ended: false,
            times: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            models.line(line, index + 1)?;
        }
        Ok(models)
    }

    fn line(&mut self, line: &str, number: usize) -> Result<(), Fault> {
        if line.starts_with("ATOM  ") || line.starts_with("HETATM") {
            let Some(position) = numbers(line, [(30, 38), (38, 46), (46, 54)]) else {
                let what = format!("line {number} has no coordinates in columns 31 to 54");
                return Err(Fault::frame(self.all.len() - 1, what));
            };
            let model = self.all.last_mut().expect("starts with one");
            if model.is_empty() {
                self.cells.push(self.cell);
            }
            model.push(Vector3::from(position));
            self.ended = false;
        } else if line.starts_with("CRYST1") {
            let edges = numbers(line, [(6, 15), (15, 24), (24, 33)])
                .zip(numbers(line, [(33, 40), (40, 47), (47, 54)]));
            self.cell = edges.and_then(|(lengths, angles)| cell::of_edges(lengths, angles));
        } else if line.starts_with("TITLE") {
            self.times.extend(time_of(line));
        } else if line.starts_with("MODEL") || line.starts_with("END") {
            self.ended = true;
            if self.all.last().is_some_and(|model| !model.is_empty()) {
                self.all.push(Vec::new());
            }
        }
        Ok(())
    }
}

impl Pdb {
    pub fn open(text: &str) -> Result<(Contents, Self), Fault> {
        let whole = without_cut_line(text);
        let Models {
            mut all,
            cells,
            ended,
            times,
            ..
        } = Models::read(whole)?;
        all.retain(|model| !model.is_empty());
        let atoms = all.first().map_or(0, Vec::len);
        if all.len() == 1 && whole.len() < text.len() {
            return Err(Fault::cut(0));
        }
        let mut notes = Vec::new();
        if let Some(index) = all.iter().position(|model| model.len() != atoms) {
            let last = index + 1 == all.len() && !ended && all[index].len() < atoms;
            if !last {
                let what = format!("holds {} atoms, the first frame {atoms}", all[index].len());
                return Err(Fault::frame(index, what));
            }
            all.pop();
            notes.push(Fault::cut_note(index));
        }
        let contents = Contents {
            atoms,
            frames: all.len(),
            // a title a model, and perhaps one of a model that is cut
            times: (all.len() > 1 && (0..2).contains(&(times.len() as isize - all.len() as isize)))
                .then(|| times[..all.len()].to_vec()),
            notes,
        };
        Ok((contents, Pdb { models: all, cells }))
    }
}

impl Pdb {
    /// The frames of the protein alone, where the file as it is does not have the atoms of
    /// `topology` and its protein has.
    pub fn protein_of(
        path: &Path,
        topology: Option<&Topology>,
        whole: &Contents,
    ) -> Option<(Contents, Self)> {
        let atoms = topology
            .map(Topology::len)
            .filter(|&atoms| atoms != whole.atoms)?;
        let (first, frames) = read_models(path, &ReadOptions::default()).ok()?;
        let contents = Contents {
            atoms,
            frames: frames.len(),
            ..Contents::default()
        };
        let cells = frames.iter().map(|frame| frame.cell).collect();
        let models = frames.into_iter().map(|frame| frame.positions).collect();
        (first.topology.len() == atoms).then_some((contents, Pdb { models, cells }))
    }
}

impl Source for Pdb {
    fn read(&mut self, index: usize, frame: &mut Frame) -> Result<(), String> {
        frame.step = index as u64;
        frame.velocities = None;
        frame.cell = self.cells[index];
        frame.positions.clear();
        frame.positions.extend(&self.models[index]);
        Ok(())
    }
}
