//! Multi-model PDB as a trajectory: coordinates and cell only, every ATOM and HETATM record in
//! order; all models of as many atoms. Where the topology has fewer atoms (it was read without
//! waters, ligands, alternative locations), so are its frames.

use std::io::Read;
use std::path::Path;

use nalgebra::Vector3;

use super::{Contents, Fault, Source, cell};
use crate::structure::{Cell, Frame, ReadOptions, Topology, read_models};
use crate::{Error, Result};

pub(super) struct Pdb {
    models: Vec<Vec<Vector3<f64>>>,
    cell: Option<Cell>,
}

/// The text of a PDB file, plain or gzipped.
pub(super) fn text(path: &Path) -> Result<String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let bytes = std::fs::read(path)?;
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            return Ok(bytes);
        }
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text)?;
        Ok(text)
    };
    let bytes = read().map_err(|source| Error::reading(path, &source))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn numbers<const N: usize>(line: &str, columns: [(usize, usize); N]) -> Option<[f64; N]> {
    let mut out = [0.0; N];
    for (value, (start, end)) in out.iter_mut().zip(columns) {
        *value = line.get(start..end.min(line.len()))?.trim().parse().ok()?;
    }
    Some(out)
}

impl Pdb {
    pub fn open(text: &str) -> Result<(Contents, Self), Fault> {
        let mut models: Vec<Vec<Vector3<f64>>> = vec![Vec::new()];
        let mut cell = None;
        for (index, line) in text.lines().enumerate() {
            if line.starts_with("ATOM  ") || line.starts_with("HETATM") {
                let Some(position) = numbers(line, [(30, 38), (38, 46), (46, 54)]) else {
                    return Err(Fault::frame(
                        models.len() - 1,
                        format!("line {} has no coordinates in columns 31 to 54", index + 1),
                    ));
                };
                let model = models.last_mut().expect("starts with one");
                model.push(Vector3::from(position));
            } else if line.starts_with("CRYST1") {
                let edges = numbers(line, [(6, 15), (15, 24), (24, 33)])
                    .zip(numbers(line, [(33, 40), (40, 47), (47, 54)]));
                cell = edges.and_then(|(lengths, angles)| cell::of_edges(lengths, angles));
            } else if (line.starts_with("MODEL") || line.starts_with("END"))
                && models.last().is_some_and(|model| !model.is_empty())
            {
                models.push(Vec::new());
            }
        }
        models.retain(|model| !model.is_empty());
        let atoms = models.first().map_or(0, Vec::len);
        if let Some(index) = models.iter().position(|model| model.len() != atoms) {
            let what = format!(
                "holds {} atoms, the first frame {atoms}",
                models[index].len()
            );
            return Err(Fault::frame(index, what));
        }
        Ok((
            Contents {
                atoms,
                frames: models.len(),
                times: None,
            },
            Pdb { models, cell },
        ))
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
            times: None,
        };
        let models = frames.into_iter().map(|frame| frame.positions).collect();
        (first.topology.len() == atoms).then_some((
            contents,
            Pdb {
                models,
                cell: first.frame.cell,
            },
        ))
    }
}

impl Source for Pdb {
    fn read(&mut self, index: usize, frame: &mut Frame) -> Result<(), String> {
        frame.step = index as u64;
        frame.velocities = None;
        frame.cell = self.cell;
        frame.positions.clear();
        frame.positions.extend(&self.models[index]);
        Ok(())
    }
}
