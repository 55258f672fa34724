//! The measures as a table for the terminal, and numbers as people read them.

use std::fmt::Write;

use crate::compare::floor::{Measure, Verdict};

impl Verdict {
    /// The verdict as a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Within => "within",
            Verdict::Near => "near",
            Verdict::Outside => "outside",
        }
    }
}

/// A number with three significant digits, or all of those before the point; a dash for none.
pub fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) if value.abs() < 1e-4 => format!("{value:.1e}").replace('-', "−"),
        Some(value) => {
            let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 6.0) as usize;
            format!("{value:.digits$}").replace('-', "−")
        }
    }
}

/// The floor with its interval: `0.0087 (0.0061–0.012)`.
pub fn floor(measure: &Measure) -> String {
    match (measure.low, measure.high) {
        (Some(low), Some(high)) => format!("{} ({}–{})", number(measure.floor), number(Some(low)), number(Some(high))),
        _ => number(measure.floor),
    }
}

/// A label with its unit.
pub fn title(measure: &Measure) -> String {
    if measure.unit.is_empty() { measure.label.clone() } else { format!("{}, {}", measure.label, measure.unit) }
}

/// The table, a line a measure.
pub fn table(measures: &[Measure]) -> String {
    let heads = ["measure", "run", "reference", "value", "floor (95 %)", ""].map(str::to_owned);
    let row = |measure: &Measure| {
        let verdict = measure.verdict.map_or("", Verdict::word).to_owned();
        [title(measure), number(measure.run), number(measure.reference), number(measure.value), floor(measure), verdict]
    };
    let rows: Vec<[String; 6]> = std::iter::once(heads).chain(measures.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let mut line = format!("{:<1$}", row[0], widths[0]);
        for (cell, width) in row[1..5].iter().zip(&widths[1..]) {
            write!(line, "  {cell:>width$}").expect("writing to memory");
        }
        writeln!(text, "{line}  {}", row[5]).expect("writing to memory");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_short() {
        let cases = [(0.0, "0"), (0.012_345, "0.0123"), (1.0, "1.00"), (-12.345, "−12.3"), (1234.5, "1234"), (3.2e-7, "3.2e−7")];
        for (value, text) in cases {
            assert_eq!(number(Some(value)), text);
        }
        assert_eq!(number(None), "–");
    }
}
