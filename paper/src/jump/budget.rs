//! How many updates a time is enough for. It is measured once, in processor seconds, and kept: a
//! training by the clock would suffer from what else the machine does, and by a number of updates
//! it has the same bits every time.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use mdsurrogate::engine::Cpu;
use mdsurrogate::error::Place;
use mdsurrogate::train::dataset::Dataset;
use mdsurrogate::train::trainer::Trainer;
use mdsurrogate::{Error, Result, files};
use serde::{Deserialize, Serialize};

use super::{Course, Line, Options};
use crate::courses::hash_of;
use crate::speed::processor_seconds;

/// Updates that a time is enough for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Processor time of an update, ms.
    pub milliseconds: f64,
    /// Updates.
    pub updates: u64,
}

/// Seconds that an update is measured for, at most, and updates before them.
const MEASURED: f64 = 5.0;
const WARM: u64 = 3;

impl Budget {
    /// That of a course: of another seed's line of results, where there is one, else as it was
    /// measured before, else measured now.
    ///
    /// # Errors
    /// Those of data, training and files.
    pub fn of(options: &Options, course: &Course, done: &[Line]) -> Result<Budget> {
        let without_seed = |course: &Course| Course {
            seed: 0,
            ..course.clone()
        };
        let own = without_seed(course);
        let same = |line: &&Line| without_seed(&line.course) == own;
        if let Some(line) = done.iter().find(same) {
            return Ok(line.budget);
        }
        let name = format!("jump-{}.budget.json", hash_of(&own)?);
        let path = options.place.work.join(name);
        if path.exists() {
            return read(&path);
        }
        let budget = measure(options, course)?;
        let text = serde_json::to_string(&budget)
            .map_err(|error| Error::output(&path, error.to_string(), "report this"))?;
        files::write_atomically(&path, |file| file.write_all(text.as_bytes()))?;
        Ok(budget)
    }
}

fn read(path: &Path) -> Result<Budget> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::reading(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let what = format!("is no budget of this program: {error}");
        Error::input(Place::file(path), what, "remove the file")
    })
}

/// Processor seconds of this process, or those of the clock where the kernel does not count them.
fn seconds(since: Instant) -> f64 {
    processor_seconds().unwrap_or_else(|| since.elapsed().as_secs_f64())
}

fn measure(options: &Options, course: &Course) -> Result<Budget> {
    let config = options.config(course, u64::MAX)?;
    let dataset = Dataset::load(&config, &config.data_folder(None))?;
    let mut trainer = Trainer::new(config, dataset, Cpu::<f32>::new())?;
    for _ in 0..WARM {
        trainer.update()?;
    }
    let allowed = MEASURED.min(6.0 * course.minutes);
    let begin = Instant::now();
    let before = seconds(begin);
    let mut updates = 0.0;
    // processor time is counted in hundredths of a second
    while seconds(begin) - before < allowed.max(0.1) {
        trainer.update()?;
        updates += 1.0;
    }
    let each = (seconds(begin) - before) / updates;
    Ok(Budget {
        milliseconds: 1000.0 * each,
        updates: (60.0 * course.minutes / each).round().max(1.0) as u64,
    })
}
