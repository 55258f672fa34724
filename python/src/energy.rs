//! The force field as Python sees it.

use std::sync::Mutex;

use mdsurrogate::forcefield::{ForceField, Minimizer, Precision, System};
use nalgebra::Vector3;
use numpy::{PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays;
use crate::error::raise;
use crate::options::named;
use crate::structure::Structure;

/// Energy and forces of a protein in ff14SB with OBC2 implicit water, all pairs, f64.
#[pyclass(module = "mdsurrogate", frozen)]
pub struct Energy {
    field: Mutex<ForceField>,
    start: Vec<Vector3<f64>>,
}

/// Energies by term and forces, both in the library's units.
type Found<'py> = (Bound<'py, PyDict>, Bound<'py, PyArray2<f64>>);

#[pymethods]
impl Energy {
    /// Prepares a structure for evaluation.
    #[new]
    #[pyo3(signature = (structure, *, precision="f64"))]
    fn new(py: Python<'_>, structure: &Structure, precision: &str) -> PyResult<Self> {
        let known = [("f32", Precision::F32), ("f64", Precision::F64)];
        let prepare = || {
            let precision = named("precision", precision, &known)?;
            let system = System::build(&structure.structure.topology)?;
            Ok(ForceField::new(system, precision))
        };
        Ok(Energy {
            field: Mutex::new(prepare().map_err(|error| raise(py, error))?),
            start: structure.structure.frame.positions.clone(),
        })
    }

    /// Energies by term, kJ/mol (`total` is their sum), and forces, kJ/mol/Å, at positions in Å
    /// (atoms × 3; without: those of the structure).
    #[pyo3(signature = (positions=None))]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        positions: Option<PyReadonlyArray2<'py, f64>>,
    ) -> PyResult<Found<'py>> {
        let positions = arrays::positions(positions, &self.start)?;
        let mut forces = vec![Vector3::zeros(); positions.len()];
        let energies = py.detach(|| {
            let mut field = self.field.lock().unwrap_or_else(|held| held.into_inner());
            field.energy_forces(&positions, &mut forces)
        });
        let terms = PyDict::new(py);
        for (term, energy) in energies.terms() {
            terms.set_item(term, energy)?;
        }
        terms.set_item("total", energies.total)?;
        Ok((terms, arrays::of_atoms(py, &forces)?))
    }

    /// Positions (Å) after a minimisation to an RMS force of `tolerance` kJ/mol/Å, at most
    /// `steps` steps, and the energy there, kJ/mol.
    #[pyo3(signature = (positions=None, *, tolerance=0.5, steps=2000))]
    fn minimize<'py>(
        &self,
        py: Python<'py>,
        positions: Option<PyReadonlyArray2<'py, f64>>,
        tolerance: f64,
        steps: usize,
    ) -> PyResult<(Bound<'py, PyArray2<f64>>, f64)> {
        let mut positions = arrays::positions(positions, &self.start)?;
        let minimizer = Minimizer {
            tolerance,
            steps,
            ..Minimizer::default()
        };
        let done = py.detach(|| {
            let mut field = self.field.lock().unwrap_or_else(|held| held.into_inner());
            minimizer.run(&mut field, &mut positions)
        });
        Ok((arrays::of_atoms(py, &positions)?, done.after.total))
    }
}
