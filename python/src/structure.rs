//! Proteins as Python sees them.

use std::path::PathBuf;

use mdsurrogate::session::Complete;
use mdsurrogate::structure::{self as house, Frame, Topology, write_pdb};
use numpy::{PyArray1, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::arrays;
use crate::error::raise;
use crate::options::completion;

/// A protein with all its atoms, as it is simulated: read from PDB or mmCIF, hydrogens added.
#[pyclass(module = "mdsurrogate", frozen)]
#[derive(Clone)]
pub struct Structure {
    pub structure: house::Structure,
    /// What was added and decided.
    #[pyo3(get)]
    notes: Vec<String>,
}

impl Structure {
    pub fn new(structure: house::Structure) -> Self {
        let notes = Vec::new();
        Structure { structure, notes }
    }

    fn topology(&self) -> &Topology {
        &self.structure.topology
    }

    /// One value an atom, from its residue.
    fn by_residue<T>(&self, value: impl Fn(&house::Residue) -> T) -> Vec<T> {
        let topology = self.topology();
        (0..topology.len())
            .map(|atom| value(topology.residue_of(atom)))
            .collect()
    }
}

#[pymethods]
impl Structure {
    /// Reads a structure file and completes it.
    #[new]
    #[pyo3(signature = (file, *, fix=false, his="hie", chains=None, model_number=None))]
    fn read(
        py: Python<'_>,
        file: PathBuf,
        fix: bool,
        his: &str,
        chains: Option<Vec<String>>,
        model_number: Option<usize>,
    ) -> PyResult<Self> {
        let load = || completion(fix, his, chains, model_number)?.load(&file);
        let Complete { structure, notes } = py.detach(load).map_err(|error| raise(py, error))?;
        Ok(Structure { structure, notes })
    }

    fn __len__(&self) -> usize {
        self.topology().len()
    }

    fn __repr__(&self) -> String {
        let topology = self.topology();
        format!(
            "<mdsurrogate.Structure {}: {} atoms, {} residues, {} chains>",
            self.structure.report.file.display(),
            topology.len(),
            topology.residues.len(),
            topology.chains.len()
        )
    }

    /// Positions, Å: atoms × 3.
    #[getter]
    fn positions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        arrays::of_atoms(py, &self.structure.frame.positions)
    }

    /// Names of atoms.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.topology()
            .atoms
            .iter()
            .map(|atom| atom.name.clone())
            .collect()
    }

    /// Element symbols of atoms.
    #[getter]
    fn elements(&self) -> Vec<String> {
        let atoms = self.topology().atoms.iter();
        atoms.map(|atom| atom.element.symbol().to_owned()).collect()
    }

    /// Masses of atoms, Da.
    #[getter]
    fn masses<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        let masses: Vec<f64> = self.topology().atoms.iter().map(|atom| atom.mass).collect();
        PyArray1::from_vec(py, masses)
    }

    /// Index of each atom's residue, from 0 over all chains.
    #[getter]
    fn residue_indices(&self) -> Vec<usize> {
        self.topology()
            .atoms
            .iter()
            .map(|atom| atom.residue)
            .collect()
    }

    /// Name of each atom's residue.
    #[getter]
    fn residue_names(&self) -> Vec<String> {
        self.by_residue(|residue| residue.name.clone())
    }

    /// Number of each atom's residue, as the file has it.
    #[getter]
    fn residue_numbers(&self) -> Vec<isize> {
        self.by_residue(|residue| residue.number)
    }

    /// Identifier of each atom's chain.
    #[getter]
    fn chains(&self) -> Vec<String> {
        let chains = &self.topology().chains;
        self.by_residue(|residue| chains[residue.chain].id.clone())
    }

    /// Pairs of bonded atoms: bonds × 2.
    #[getter]
    fn bonds<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<i64>>> {
        let bonds = &self.topology().bonds;
        let flat: Vec<i64> = bonds.iter().flatten().map(|atom| *atom as i64).collect();
        use numpy::PyArrayMethods;
        PyArray1::from_vec(py, flat).reshape([bonds.len(), 2])
    }

    /// One letter a residue, chains apart by `/`.
    #[getter]
    fn sequence(&self) -> String {
        self.topology().sequence()
    }

    /// What the file made it necessary to say: changes, what was left out.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        let report = &self.structure.report;
        report
            .left_out_line()
            .into_iter()
            .chain(report.warnings.clone())
            .collect()
    }

    /// Indices of all atoms but hydrogens.
    #[getter]
    fn heavy_atoms<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let heavy = self.topology().heavy_atoms();
        PyArray1::from_vec(py, heavy.into_iter().map(|atom| atom as i64).collect())
    }

    /// Writes a PDB file; positions (atoms × 3, Å) other than its own if they are given.
    #[pyo3(signature = (file, positions=None))]
    fn write_pdb(
        &self,
        py: Python<'_>,
        file: PathBuf,
        positions: Option<PyReadonlyArray2<'_, f64>>,
    ) -> PyResult<()> {
        let positions = arrays::positions(positions, &self.structure.frame.positions)?;
        let frame = Frame {
            positions,
            ..self.structure.frame.clone()
        };
        write_pdb(&file, self.topology(), [&frame]).map_err(|error| raise(py, error))
    }
}
