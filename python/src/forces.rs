//! A model of forces as Python sees it.

use std::sync::Mutex;

use mdsurrogate::session::Forces;
use nalgebra::Vector3;
use numpy::{PyArray1, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::arrays;
use crate::error::raise;
use crate::model::{Given, source};
use crate::options;
use crate::structure::Structure;

/// The forces of a model of forces on a protein: those that `mdsurrogate run` integrates.
///
/// Its particles are the heavy atoms, which carry their hydrogens: their masses and the forces on
/// them.
#[pyclass(module = "mdsurrogate", frozen)]
pub struct ModelForces {
    forces: Mutex<Forces>,
    start: Vec<Vector3<f64>>,
    atoms: Vec<usize>,
    masses: Vec<f64>,
    /// Whether forces are the gradient of an energy of the model.
    #[pyo3(get)]
    conservative: bool,
}

/// Energy, where there is one, and forces, in the library's units.
type Found<'py> = (Option<f64>, Bound<'py, PyArray2<f64>>);

#[pymethods]
impl ModelForces {
    /// Prepares a structure for evaluation by a model (a file, or a Model).
    #[new]
    #[pyo3(signature = (structure, model, *, backend="auto"))]
    fn new(
        py: Python<'_>,
        structure: &Structure,
        model: Given<'_>,
        backend: &str,
    ) -> PyResult<Self> {
        let model = source(Some(model));
        let structure = &structure.structure;
        let open = || Forces::open(structure, &model, options::backend(backend)?);
        let forces = py.detach(open).map_err(|error| raise(py, error))?;
        let (atoms, masses) = (forces.atoms().to_vec(), forces.masses().to_vec());
        Ok(ModelForces {
            start: atoms
                .iter()
                .map(|&atom| structure.frame.positions[atom])
                .collect(),
            atoms,
            masses,
            conservative: forces.is_conservative(),
            forces: Mutex::new(forces),
        })
    }

    fn __len__(&self) -> usize {
        self.atoms.len()
    }

    /// Indices of the particles among the atoms of the structure.
    #[getter]
    fn atoms<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let atoms = self.atoms.iter().map(|&atom| atom as i64);
        PyArray1::from_vec(py, atoms.collect())
    }

    /// Masses of the particles with those of the hydrogens that they carry, Da.
    #[getter]
    fn masses<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.masses)
    }

    /// Energy, kJ/mol up to a constant of the molecule (None of forces that are no gradient), and
    /// forces, kJ/mol/Å, at positions of the particles in Å (particles × 3; without: those of the
    /// structure).
    #[pyo3(signature = (positions=None))]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        positions: Option<PyReadonlyArray2<'py, f64>>,
    ) -> PyResult<Found<'py>> {
        let positions = arrays::positions(positions, &self.start)?;
        let found = py.detach(|| {
            let mut forces = self.forces.lock().unwrap_or_else(|held| held.into_inner());
            forces.evaluate(positions)
        });
        let (energy, forces) = found.map_err(|error| raise(py, error))?;
        Ok((energy, arrays::of_atoms(py, &forces)?))
    }
}
