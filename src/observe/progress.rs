//! Progress: a bar or lines with speed and time left, and an event a logged row for programs.

use serde_json::{Map, Value};

use super::log::{SPEED, STEP, TIME};
use super::{Journal, Observer, Record};
use crate::Result;
use crate::structure::Frame;

/// Shows the user how far the run is; comes after the log, whose speed it shows.
pub struct Progress {
    steps: u64,
    replica: usize,
    journal: Journal,
}

impl Progress {
    /// For a run to step `steps`. Only replica 0 moves the bar; every replica's rows are events.
    pub fn new(steps: u64, replica: usize, journal: Journal) -> Self {
        Progress {
            steps,
            replica,
            journal,
        }
    }
}

impl Observer for Progress {
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> Result<()> {
        if self.replica == 0 {
            let speed = record.get(SPEED).map_or_else(String::new, |speed| {
                format!(", {} ns/day", three_digits(speed))
            });
            self.journal.progress(
                frame.step,
                self.steps,
                &format!("{} ps{speed}", three_digits(frame.time)),
            );
        }
        let mut fields = Map::new();
        fields.insert("replica".into(), self.replica.into());
        fields.insert(STEP.into(), frame.step.into());
        fields.insert(TIME.into(), frame.time.into());
        fields.extend(
            record
                .values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value))),
        );
        fields.extend(
            record
                .words
                .iter()
                .map(|(name, words)| ((*name).to_owned(), Value::from(words.clone()))),
        );
        self.journal.event("row", Value::Object(fields));
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.journal.end_progress();
        Ok(())
    }
}

/// A number with three significant digits, or all of those before the point.
pub(crate) fn three_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 6.0);
    format!("{value:.0$}", digits as usize)
}

#[cfg(test)]
mod tests {
    use super::three_digits;

    #[test]
    fn numbers_are_short_and_say_enough() {
        for (value, text) in [
            (0.0, "0"),
            (0.01234, "0.0123"),
            (1.5, "1.50"),
            (12.345, "12.3"),
            (123.4, "123"),
            (123_456.7, "123457"),
        ] {
            assert_eq!(three_digits(value), text);
        }
    }
}
