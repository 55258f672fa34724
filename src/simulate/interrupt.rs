//! When a run is to stop before its end: a signal, or the time limit.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::Error;

/// Tells whether the run is to stop after the step that it is in.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    signal: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// Never, unless told so.
    pub fn never() -> Self {
        Stop::default()
    }

    /// On SIGINT, SIGTERM or SIGHUP: the first asks for an orderly stop, the second ends the
    /// process at once with exit code 130.
    ///
    /// Where the signals cannot be caught (another handler has them), the run can only be killed; a
    /// resumed run goes on from the last checkpoint then.
    pub fn on_signals() -> Self {
        static SIGNAL: OnceLock<Arc<AtomicBool>> = OnceLock::new();
        let signal = SIGNAL.get_or_init(|| {
            let signal = Arc::new(AtomicBool::new(false));
            let seen = signal.clone();
            let handler = move || {
                if seen.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
            };
            let _ = ctrlc::set_handler(handler);
            signal
        });
        Stop {
            signal: signal.clone(),
            deadline: None,
        }
    }

    /// Also when this much wall time from now has passed.
    pub fn after(mut self, limit: Option<Duration>) -> Self {
        self.deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        self
    }

    /// Asks for a stop.
    pub fn ask(&self) {
        self.signal.store(true, Ordering::Relaxed);
    }

    /// Whether a signal asks for a stop: steps that take seconds end for that, but not for the time
    /// limit, which waits for the step's end so that a run always gets on.
    pub fn is_asked(&self) -> bool {
        self.signal.load(Ordering::Relaxed)
    }

    /// The error of a step that ends for that.
    pub fn interrupted(step: u64) -> Error {
        Error::Interrupted {
            step,
            checkpoint: PathBuf::new(),
        }
    }

    /// Why the run is to stop, if it is.
    pub fn reason(&self) -> Option<&'static str> {
        if self.is_asked() {
            Some("interrupted by a signal")
        } else if self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            Some("the time limit (--maxh) is reached")
        } else {
            None
        }
    }
}
