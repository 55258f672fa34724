//! What a run says: words for the console, lines of `PREFIX.log`, events for programs, and the list
//! of warnings for the summary.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::error::printable;
use crate::{Error, Result};

/// Where words go that are for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// Nowhere: only errors are printed, by the caller.
    Quiet,
    /// To stderr, line by line.
    Lines,
    /// To stderr, above a progress bar.
    Bar,
}

impl Console {
    /// A bar on a terminal, lines elsewhere; nothing where the user wants it quiet.
    pub fn suited(quiet: bool) -> Self {
        match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Console::Quiet,
            (false, true) => Console::Bar,
            (false, false) => Console::Lines,
        }
    }
}

/// Warnings of one kind that are printed; the log has all of them.
const PRINTED: u64 = 5;
/// Warnings that the summary lists; it counts all of them.
const LISTED: usize = 100;
/// Progress lines are at least this far apart.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// How often a bar shows that it lives.
const TICK: Duration = Duration::from_millis(250);

/// A handle on what a run says; clones share it.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    start: Instant,
    console: Console,
    verbose: bool,
    json: bool,
    bar: Option<ProgressBar>,
    last_line: Option<Instant>,
    /// When progress was first shown, and the step of then.
    first_step: Option<(Instant, u64)>,
    log: Option<(PathBuf, File)>,
    failed: Option<Error>,
    counts: BTreeMap<String, u64>,
    warnings: Vec<Value>,
}

impl Journal {
    /// A journal without a log file. With `json`, events go to stdout, one JSON object a line.
    pub fn new(console: Console, verbose: bool, json: bool) -> Self {
        let (counts, warnings) = (BTreeMap::new(), Vec::new());
        let inner = Inner {
            start: Instant::now(),
            console,
            verbose,
            json,
            bar: None,
            last_line: None,
            first_step: None,
            log: None,
            failed: None,
            counts,
            warnings,
        };
        Journal {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// A journal that keeps what it is told to itself: warnings can be asked for.
    pub fn silent() -> Self {
        Journal::new(Console::Quiet, false, false)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a log at `path` from now on, behind what stands there if `append`.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be written.
    pub fn log_to(&self, path: &Path, append: bool) -> Result<()> {
        let file = File::options()
            .append(append)
            .write(true)
            .create(true)
            .truncate(!append)
            .open(path);
        let file = file.map_err(|source| Error::writing(path, &source))?;
        self.lock().log = Some((path.to_owned(), file));
        Ok(())
    }

    /// Says something to the user and the log.
    pub fn say(&self, words: &str) {
        let mut inner = self.lock();
        inner.write_log(words);
        inner.print(words);
    }

    /// Says something to the log, and to the user who wants to know more (`-v`).
    pub fn detail(&self, words: &str) {
        let mut inner = self.lock();
        inner.write_log(words);
        if inner.verbose {
            inner.print(words);
        }
    }

    /// Warns at a step. Of each kind the first few are printed; the log has all, the summary lists
    /// and counts them.
    pub fn warn(&self, step: u64, kind: &str, words: &str) {
        self.event(
            "warning",
            json!({ "step": step, "kind": kind, "what": words }),
        );
        let mut inner = self.lock();
        inner.write_log(&format!("warning: step {step}: {words}"));
        let count = inner.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        match *count {
            count if count < PRINTED => inner.print(&format!("warning: step {step}: {words}")),
            PRINTED => inner.print(&format!(
                "warning: step {step}: {words} (the log has further warnings of this kind)"
            )),
            _ => {}
        }
        if inner.warnings.len() < LISTED {
            inner
                .warnings
                .push(json!({ "step": step, "kind": kind, "what": words }));
        }
    }

    /// An event for programs: `fields` and its name.
    pub fn event(&self, name: &str, fields: Value) {
        if self.lock().json {
            let mut object = json!({ "event": name });
            if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
                object.extend(fields);
            }
            // whoever reads the events may stop reading; the run goes on
            let _ = writeln!(std::io::stdout(), "{object}");
        }
    }

    /// Shows how far the run is; `words` are its speed and the like.
    pub fn progress(&self, step: u64, steps: u64, words: &str) {
        let mut inner = self.lock();
        inner.first_step.get_or_insert((Instant::now(), step));
        match inner.console {
            Console::Quiet => {}
            Console::Bar => {
                let bar = inner.bar.get_or_insert_with(|| {
                    let style = ProgressStyle::with_template(
                        "{spinner} {bar:30} {pos}/{len} steps, {msg}, {elapsed} so far, {eta} left",
                    )
                    .expect("a valid template");
                    let bar = ProgressBar::new(steps)
                        .with_position(step)
                        .with_style(style);
                    // a step may take a minute: the bar shows that there is life in it
                    bar.enable_steady_tick(TICK);
                    bar
                });
                bar.set_message(words.to_owned());
                bar.set_position(step);
            }
            Console::Lines => {
                if inner
                    .last_line
                    .is_none_or(|last| last.elapsed() >= BETWEEN_LINES)
                    || step == steps
                {
                    inner.last_line = Some(Instant::now());
                    let left = inner.left(step, steps);
                    inner.print(&format!("step {step} of {steps}, {words}{left}"));
                }
            }
        }
    }

    /// Takes the progress bar away.
    pub fn end_progress(&self) {
        if let Some(bar) = self.lock().bar.take() {
            bar.finish_and_clear();
        }
    }

    /// All warnings (the first hundred of them) and their counts by kind.
    pub fn warnings(&self) -> Value {
        let inner = self.lock();
        json!({ "counts": inner.counts, "first": inner.warnings })
    }

    /// Whether the log could be written so far.
    ///
    /// # Errors
    /// The first [`Error::Output`] that writing the log met.
    pub fn check(&self) -> Result<()> {
        self.lock().failed.take().map_or(Ok(()), Err)
    }
}

impl Inner {
    /// `, 5 minutes left`: what the steps that are to come will take, by those that were made.
    fn left(&self, step: u64, steps: u64) -> String {
        let Some((start, from)) = self
            .first_step
            .filter(|(_, from)| step > *from && step < steps)
        else {
            return String::new();
        };
        let share = (steps - step) as f64 / (step - from) as f64;
        let left = Duration::try_from_secs_f64(start.elapsed().as_secs_f64() * share);
        left.map_or(String::new(), |left| {
            format!(", {} left", HumanDuration(left))
        })
    }

    fn write_log(&mut self, words: &str) {
        let seconds = self.start.elapsed().as_secs_f64();
        if let Some((path, file)) = &mut self.log
            && let Err(source) = writeln!(file, "[{seconds:10.1} s] {}", printable(words))
            && self.failed.is_none()
        {
            self.failed = Some(Error::writing(path, &source));
        }
    }

    fn print(&self, words: &str) {
        match (&self.bar, self.console) {
            (_, Console::Quiet) => {}
            (Some(bar), _) => bar.suspend(|| error_line(words)),
            (None, _) => error_line(words),
        }
    }
}

/// A line to stderr. Whoever read it may be gone (`2>&1 | head`, a closed terminal, a full disk):
/// that is no reason to end a run.
fn error_line(words: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable(words));
}
