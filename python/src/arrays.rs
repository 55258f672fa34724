//! Positions and forces as NumPy arrays.

use nalgebra::Vector3;
use numpy::{PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Vectors as an array of atoms × 3.
pub fn of_atoms<'py>(
    py: Python<'py>,
    vectors: &[Vector3<f64>],
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let numbers: Vec<f64> = vectors.iter().flatten().copied().collect();
    numpy::PyArray1::from_vec(py, numbers).reshape([vectors.len(), 3])
}

/// Vectors of several replicas as an array of replicas × atoms × 3.
pub fn of_replicas<'py>(
    py: Python<'py>,
    replicas: &[&[Vector3<f64>]],
) -> PyResult<Bound<'py, PyArray3<f64>>> {
    let atoms = replicas.first().map_or(0, |vectors| vectors.len());
    let numbers: Vec<f64> = replicas
        .iter()
        .flat_map(|x| x.iter().flatten())
        .copied()
        .collect();
    numpy::PyArray1::from_vec(py, numbers).reshape([replicas.len(), atoms, 3])
}

/// The positions that are given, atoms × 3, or else those of the `start`.
///
/// # Errors
/// ValueError for another shape.
pub fn positions(
    given: Option<PyReadonlyArray2<'_, f64>>,
    start: &[Vector3<f64>],
) -> PyResult<Vec<Vector3<f64>>> {
    given.map_or_else(|| Ok(start.to_vec()), |array| vectors(&array, start.len()))
}

/// An array of atoms × 3 as vectors.
///
/// # Errors
/// ValueError for another shape.
fn vectors(array: &PyReadonlyArray2<'_, f64>, atoms: usize) -> PyResult<Vec<Vector3<f64>>> {
    let view = array.as_array();
    if view.shape() != [atoms, 3] {
        let what = format!(
            "positions of shape {:?}, there are {atoms} atoms",
            view.shape()
        );
        return Err(PyValueError::new_err(what));
    }
    Ok(view
        .rows()
        .into_iter()
        .map(|row| Vector3::new(row[0], row[1], row[2]))
        .collect())
}
