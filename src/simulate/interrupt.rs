//! When a run is to stop before its end: a signal, or the time limit.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

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

    /// On SIGINT, SIGTERM, SIGHUP or SIGUSR1 (what a batch system sends ahead of its time limit):
    /// the first asks for an orderly stop, the second ends the process at once with exit code 130,
    /// but for SIGUSR1, which is then heard no more. A SIGHUP that the process was started to
    /// ignore (`nohup`) stays ignored.
    ///
    /// Where the signals cannot be caught, the run can only be killed; a resumed run goes on from
    /// the last checkpoint then.
    pub fn on_signals() -> Self {
        static SIGNAL: OnceLock<Arc<AtomicBool>> = OnceLock::new();
        let signal = SIGNAL.get_or_init(|| {
            let asked = Arc::new(AtomicBool::new(false));
            for signal in signals() {
                // the first signal finds the flag down here and raises it in the next line
                let _ = flag::register_conditional_shutdown(signal, 130, asked.clone());
                let _ = flag::register(signal, asked.clone());
            }
            #[cfg(unix)]
            let _ = flag::register(signal_hook::consts::SIGUSR1, asked.clone());
            // a file that may not grow further is an error of the write that met it (`ulimit -f`)
            #[cfg(unix)]
            let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
            asked
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

/// The signals that ask for a stop.
fn signals() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    #[cfg(unix)]
    if !hangups_are_ignored() {
        signals.push(signal_hook::consts::SIGHUP);
    }
    signals
}

/// Whether this process was started to outlive its terminal. Only Linux says so in a file;
/// elsewhere a run under `nohup` stops when its terminal goes.
#[cfg(unix)]
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = (status.lines()).find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal_hook::consts::SIGHUP - 1) & 1 == 1)
}
