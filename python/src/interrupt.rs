//! Work that Ctrl-C ends.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use mdsurrogate::Result;
use mdsurrogate::simulate::Stop;
use pyo3::prelude::*;

use crate::error::raise;

/// How often Python is asked whether a signal came.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Does `work` on a thread of its own, Python's lock let go; a signal asks `stop`, and when the
/// work has ended for that, what Python makes of the signal (KeyboardInterrupt) is raised.
///
/// # Errors
/// Those of the work.
pub fn interruptible<T: Send>(
    py: Python<'_>,
    stop: &Stop,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    let (done, signal) = py.detach(|| {
        thread::scope(|scope| {
            let (ended, end) = channel();
            let worker = scope.spawn(move || {
                let done = work();
                // whoever waits may have been told already by the channel's end
                let _ = ended.send(());
                done
            });
            let mut signal = None;
            while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(BETWEEN_LOOKS) {
                if let Err(raised) = Python::attach(|py| py.check_signals()) {
                    stop.ask();
                    signal.get_or_insert(raised);
                }
            }
            match worker.join() {
                Ok(done) => (done, signal),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    });
    match signal {
        Some(signal) => Err(signal),
        None => done.map_err(|error| raise(py, error)),
    }
}
