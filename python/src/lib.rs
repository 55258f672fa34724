//! `mdsurrogate` for Python: a third client of the session layer, beside the command line and the
//! examples.
//!
//! Arrays are NumPy's: positions of replicas × atoms × 3 in Å. Everything that computes lets other
//! Python threads run meanwhile and hears Ctrl-C within a step.

mod analysis;
mod arrays;
mod energy;
mod error;
mod finetune;
mod forces;
mod interrupt;
mod model;
mod options;
mod reference;
mod simulation;
mod structure;

use std::ffi::OsString;
use std::io::Write;

use pyo3::prelude::*;

/// The program itself: what `mdsurrogate` with these words (its name first) would do, and its exit
/// code.
#[pyfunction]
fn main(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| match mdsurrogate::cli::main(words) {
        Ok(()) => 0,
        Err(error) => {
            // whoever reads it may be gone
            let _ = writeln!(std::io::stderr(), "{}", mdsurrogate::cli::render(&error));
            error.exit_code()
        }
    })
}

#[pymodule]
fn _mdsurrogate(module: &Bound<'_, PyModule>) -> PyResult<()> {
    mdsurrogate::name_commit!();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    error::register(module)?;
    module.add_class::<structure::Structure>()?;
    module.add_class::<simulation::Simulation>()?;
    module.add_class::<energy::Energy>()?;
    module.add_class::<forces::ModelForces>()?;
    module.add_class::<model::Model>()?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(reference::reference, module)?)?;
    module.add_function(wrap_pyfunction!(finetune::finetune_model, module)?)?;
    module.add_function(wrap_pyfunction!(analysis::analyze_run, module)?)?;
    module.add_function(wrap_pyfunction!(analysis::compare_runs, module)?)?;
    module.add_function(wrap_pyfunction!(simulation::devices, module)?)
}
