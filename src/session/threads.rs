//! Thread pools of a session's own: the process's global pool is its owner's to make.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, Result};

/// Most threads that are started: more are a mistake, and take down the machine that tries.
pub const MOST_THREADS: usize = 4096;

/// A pool of so many threads.
///
/// # Errors
/// [`Error::Device`] where they cannot be started.
pub fn thread_pool(threads: usize) -> Result<ThreadPool> {
    let failed = |why: &dyn std::fmt::Display| Error::Device {
        what: format!("{threads} threads cannot be started: {why}"),
        hint: "fewer threads".into(),
    };
    if threads > MOST_THREADS {
        return Err(failed(&format!("{MOST_THREADS} is the most")));
    }
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| failed(&error))
}

/// Does `work` in the pool, or where the caller is.
pub(super) fn within<R: Send>(pool: Option<&ThreadPool>, work: impl FnOnce() -> R + Send) -> R {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}
