//! What a model file is, as Python sees it.

use std::ffi::OsString;
use std::path::PathBuf;

use mdsurrogate::network::Provenance;
use mdsurrogate::session::{ModelInfo, ModelSource, TOKENS};
use mdsurrogate::task::Task;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::raise;

/// A model file, or the built-in model, found whole: what it is, what it was made for and how.
#[pyclass(module = "mdsurrogate", frozen)]
pub struct Model {
    source: ModelSource,
    info: ModelInfo,
}

/// A model as it is handed over: a file, or one that was looked at.
#[derive(FromPyObject)]
pub enum Given<'py> {
    Model(Bound<'py, Model>),
    File(PathBuf),
}

impl From<Given<'_>> for ModelSource {
    fn from(given: Given<'_>) -> Self {
        match given {
            Given::Model(model) => model.get().source.clone(),
            Given::File(file) => ModelSource::File(file),
        }
    }
}

/// A model that was handed over; none: the built-in one.
pub fn source(given: Option<Given<'_>>) -> ModelSource {
    given.map_or(ModelSource::BuiltIn, ModelSource::from)
}

impl Model {
    fn provenance(&self) -> &Provenance {
        &self.info.header.provenance
    }
}

#[pymethods]
impl Model {
    /// Reads a model file; without one, the built-in model.
    #[new]
    #[pyo3(signature = (file=None))]
    fn new(py: Python<'_>, file: Option<PathBuf>) -> PyResult<Self> {
        let source = ModelSource::from(file);
        let info = py.detach(|| source.info());
        let info = info.map_err(|error| raise(py, error))?;
        Ok(Model { source, info })
    }

    fn __repr__(&self) -> String {
        format!(
            "<mdsurrogate.Model {}: {}, {} of {} parameters>",
            self.info.name,
            self.task(),
            self.architecture(),
            self.parameters()
        )
    }

    /// What `mdsurrogate model info` prints, without the list of files.
    fn __str__(&self) -> String {
        self.info.words()
    }

    /// Its file, where it has one: models are paths for whatever takes one.
    fn __fspath__(&self) -> PyResult<OsString> {
        let file = self.source.file().map(Into::into);
        file.ok_or_else(|| PyTypeError::new_err("the built-in model has no file"))
    }

    /// Its file; None of the built-in model.
    #[getter]
    fn file(&self) -> Option<PathBuf> {
        self.source.file().map(Into::into)
    }

    /// What it is for: `jump`, `next-frame` or `force`.
    #[getter]
    fn task(&self) -> &'static str {
        self.info.task.name()
    }

    /// Name of what its network is made of, as `G-Hyena`.
    #[getter]
    fn architecture(&self) -> &'static str {
        self.info.header.architecture.name()
    }

    /// Its network in words: layers, channels, reach.
    #[getter]
    fn network(&self) -> String {
        self.info.header.architecture.describe()
    }

    /// Number of its weights.
    #[getter]
    fn parameters(&self) -> usize {
        self.info.parameters
    }

    /// What its tokens are.
    #[getter]
    fn tokens(&self) -> &'static str {
        TOKENS
    }

    /// Shortest and longest time of a step, ps; None of a model of forces.
    #[getter]
    fn lags(&self) -> Option<(f64, f64)> {
        self.info
            .task
            .lag_times()
            .map(|[least, most]| (least, most))
    }

    /// Time of a step where nothing else is asked for or usual, ps; None of a model of forces.
    #[getter]
    fn lag(&self) -> Option<f64> {
        match self.info.task {
            Task::Jump(jump) => Some(jump.lag_time),
            Task::NextFrame(next) => Some(next.lag_time),
            Task::Force(_) => None,
        }
    }

    /// Lag times that molecules of some sizes get where nobody asks for another: (lag in ps, fewest
    /// residues, most residues).
    #[getter]
    fn usual_lags(&self) -> Vec<(f64, usize, usize)> {
        let usual = self.provenance().usual.iter();
        usual
            .map(|usual| (usual.lag, usual.residues[0], usual.residues[1]))
            .collect()
    }

    /// Where it was judged against reference MD: (lag in ps, residues of the largest protein).
    #[getter]
    fn validated(&self) -> Vec<(f64, usize)> {
        let validated = self.provenance().validated.iter();
        validated.map(|at| (at.lag, at.residues)).collect()
    }

    /// Temperature of what it was trained on, K; None where it does not say.
    #[getter]
    fn temperature(&self) -> Option<f64> {
        self.provenance().temperature
    }

    /// One line: what it was trained on.
    #[getter]
    fn trained_on(&self) -> &str {
        &self.provenance().summary
    }

    /// Sequences of the proteins that it was trained on, by name, where it says: one letter a
    /// residue, chains apart by `/`.
    #[getter]
    fn sequences<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let sequences = PyDict::new(py);
        for (name, sequence) in &self.provenance().sequences {
            sequences.set_item(name, sequence)?;
        }
        Ok(sequences)
    }

    /// SHA-256 of its contents, hexadecimal.
    #[getter]
    fn sha256(&self) -> &str {
        &self.info.header.sha256
    }

    /// All that its file says of itself, as `mdsurrogate model info --json` prints it.
    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = self.info.json().map_err(|error| raise(py, error))?;
        py.import("json")?
            .call_method1("loads", (json.to_string(),))
    }
}
