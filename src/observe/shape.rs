//! Moves of atoms, RMSD to the first frame, radius of gyration.

use nalgebra::Vector3;
use serde_json::Value;

use super::{Observer, Record};
use crate::Result;
use crate::geometry::superpose::{pick, radius_of_gyration, rmsd};
use crate::structure::{Frame, Topology};

/// Largest distance that an atom moved in the last step, Å.
pub const LARGEST_MOVE: &str = "Max |dx| (A)";
/// RMSD of the heavy atoms to frame 0 after the best superposition, Å.
pub const RMSD: &str = "RMSD (A)";
/// Mass-weighted radius of gyration of all atoms, Å.
pub const RG: &str = "Rg (A)";

/// Logs the largest move of an atom in one step; to be asked at every step.
#[derive(Debug, Default)]
pub struct Moves {
    /// Step and positions of the last frame.
    last: Option<(u64, Vec<Vector3<f64>>)>,
    /// Those of the one before, which a frame that is drawn again has moved from.
    before: Option<(u64, Vec<Vector3<f64>>)>,
}

impl Observer for Moves {
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> Result<()> {
        if self
            .last
            .as_ref()
            .is_some_and(|(step, _)| *step != frame.step)
        {
            std::mem::swap(&mut self.last, &mut self.before);
        }
        if let Some((step, before)) = &self.before
            && step + 1 == frame.step
        {
            let squares = before
                .iter()
                .zip(&frame.positions)
                .map(|(a, b)| (b - a).norm_squared());
            record.put(LARGEST_MOVE, squares.reduce(f64::max).map(f64::sqrt));
        }
        let (_, mut positions) = self.last.take().unwrap_or_default();
        positions.clone_from(&frame.positions);
        self.last = Some((frame.step, positions));
        Ok(())
    }

    fn restore(&mut self, _state: &Value, frame: &Frame) -> Result<()> {
        self.last = Some((frame.step, frame.positions.clone()));
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Logs RMSD and radius of gyration.
#[derive(Debug)]
pub struct Shape {
    heavy: Vec<usize>,
    masses: Vec<f64>,
    first: Vec<Vector3<f64>>,
    last: Option<[f64; 2]>,
}

impl Shape {
    /// Measures against `first`, the positions of frame 0.
    pub fn new(topology: &Topology, first: &[Vector3<f64>]) -> Self {
        let heavy = topology.heavy_atoms();
        let masses = topology.atoms.iter().map(|atom| atom.mass).collect();
        Shape {
            first: pick(first, &heavy),
            heavy,
            masses,
            last: None,
        }
    }
}

impl Observer for Shape {
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> Result<()> {
        let values = [
            rmsd(&pick(&frame.positions, &self.heavy), &self.first),
            radius_of_gyration(&frame.positions, &self.masses),
        ];
        record.put(RMSD, Some(values[0]));
        record.put(RG, Some(values[1]));
        self.last = Some(values);
        Ok(())
    }

    fn results(&self) -> Option<(&'static str, Value)> {
        let [rmsd, rg] = self.last?;
        Some((
            "shape",
            serde_json::json!({ "last_rmsd_angstrom": rmsd, "last_rg_angstrom": rg }),
        ))
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
