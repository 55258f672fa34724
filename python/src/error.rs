//! The library's errors as Python exceptions, which carry place and hint.

use mdsurrogate::Error;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

create_exception!(
    mdsurrogate,
    UsageError,
    PyValueError,
    "What was asked for cannot be done."
);
create_exception!(
    mdsurrogate,
    InputError,
    PyValueError,
    "A file cannot be used; says where."
);
create_exception!(
    mdsurrogate,
    OutputError,
    PyOSError,
    "A result cannot be written."
);
create_exception!(
    mdsurrogate,
    GuardError,
    PyRuntimeError,
    "A frame is no molecule any more."
);
create_exception!(
    mdsurrogate,
    DeviceError,
    PyRuntimeError,
    "The device or its memory failed."
);
create_exception!(
    mdsurrogate,
    Interrupted,
    PyException,
    "A run was stopped in good order."
);

/// Adds the exceptions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("UsageError", py.get_type::<UsageError>())?;
    module.add("InputError", py.get_type::<InputError>())?;
    module.add("OutputError", py.get_type::<OutputError>())?;
    module.add("GuardError", py.get_type::<GuardError>())?;
    module.add("DeviceError", py.get_type::<DeviceError>())?;
    module.add("Interrupted", py.get_type::<Interrupted>())
}

/// The exception of an error: its message ends with the hint, which also stands alone as `.hint`;
/// `.exit_code` is what the command would exit with, `.step` where a guard stopped or an
/// interruption came, `.file`, `.line`, `.frame` and `.atom` where input is wrong.
pub fn raise(py: Python<'_>, error: Error) -> PyErr {
    let message = match error.hint() {
        "" => error.to_string(),
        hint => format!("{error}\n  try: {hint}"),
    };
    let raised = match error {
        Error::Usage { .. } => UsageError::new_err(message),
        Error::Input { .. } => InputError::new_err(message),
        Error::Output { .. } => OutputError::new_err(message),
        Error::Guard { .. } => GuardError::new_err(message),
        Error::Interrupted { .. } => Interrupted::new_err(message),
        _ => DeviceError::new_err(message),
    };
    match describe(py, &raised, &error) {
        Ok(()) => raised,
        Err(failed) => failed,
    }
}

fn describe(py: Python<'_>, raised: &PyErr, error: &Error) -> PyResult<()> {
    let value = raised.value(py);
    value.setattr("hint", error.hint())?;
    value.setattr("exit_code", error.exit_code())?;
    match error {
        Error::Guard { step, .. } | Error::Interrupted { step, .. } => value.setattr("step", *step),
        Error::Input { place, .. } => {
            value.setattr("file", place.file.clone())?;
            value.setattr("line", place.line)?;
            value.setattr("frame", place.frame)?;
            value.setattr("atom", place.atom.clone())
        }
        _ => Ok(()),
    }
}
