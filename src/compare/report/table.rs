//! The measures as a table for the terminal, and numbers as people read them.

use std::fmt::Write;

use crate::compare::floor::Measure;
use crate::compare::verdict::Verdict;

/// A number with three significant digits, or all of those before the point; two where it is below
/// a thousandth; a dash for none.
pub fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) if value.abs() < 1e-3 => format!("{value:.1e}").replace('-', "−"),
        Some(value) => {
            let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 6.0) as usize;
            format!("{value:.digits$}").replace('-', "−")
        }
    }
}

/// A time in ps as people read it: `4.02 ns`.
pub fn duration(time: f64) -> String {
    let (value, unit) = match time {
        time if time >= 1e6 => (time * 1e-6, "µs"),
        time if time >= 1e3 => (time * 1e-3, "ns"),
        time => (time, "ps"),
    };
    format!("{} {unit}", number(Some(value)))
}

/// The floor with its interval: `0.0087 (0.0061–0.012)`.
pub fn floor(measure: &Measure) -> String {
    match (measure.low, measure.high) {
        (Some(low), Some(high)) => format!(
            "{} ({}–{})",
            number(measure.floor),
            number(Some(low)),
            number(Some(high))
        ),
        _ => number(measure.floor),
    }
}

/// A label with its unit.
pub fn title(measure: &Measure) -> String {
    if measure.unit.is_empty() {
        measure.label.clone()
    } else {
        format!("{}, {}", measure.label, measure.unit)
    }
}

/// The table, a line a measure.
pub fn table(measures: &[Measure]) -> String {
    let heads = ["measure", "run", "reference", "value", "floor (95 %)", ""].map(str::to_owned);
    let row = |measure: &Measure| {
        let verdict = measure.verdict.map_or("", Verdict::word).to_owned();
        [
            title(measure),
            number(measure.run),
            number(measure.reference),
            number(measure.value),
            floor(measure),
            verdict,
        ]
    };
    aligned(
        &std::iter::once(heads)
            .chain(measures.iter().map(row))
            .map(Vec::from)
            .collect::<Vec<_>>(),
    )
}

/// Rows of cells in columns: the first to the left, the others to the right, the last as it is.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = format!("{:<1$}", row[0], widths[0]);
        for (cell, width) in row[1..columns - 1].iter().zip(&widths[1..]) {
            write!(line, "  {cell:>width$}").expect("writing to memory");
        }
        writeln!(text, "{line}  {}", row[columns - 1]).expect("writing to memory");
    }
    text
}

/// The same rows as a table of Markdown; the first is the head.
pub fn markdown(rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| {
        format!(
            "| {} |\n",
            cells
                .iter()
                .map(|cell| cell.replace('|', "\\|"))
                .collect::<Vec<_>>()
                .join(" | ")
        )
    };
    let Some((head, rows)) = rows.split_first() else {
        return String::new();
    };
    let rule = format!("|---|{}\n", "---:|".repeat(head.len() - 1));
    line(head) + &rule + &rows.iter().map(|row| line(row)).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::{aligned, markdown, number};

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.012_345, "0.0123"),
            (1.0, "1.00"),
            (-12.345, "−12.3"),
            (1234.5, "1234"),
            (3.2e-7, "3.2e−7"),
            (0.000_158, "1.6e−4"),
        ];
        for (value, text) in cases {
            assert_eq!(number(Some(value)), text);
        }
        assert_eq!(number(None), "–");
    }

    #[test]
    fn tables_align_and_escape() {
        let rows =
            [["a", "|x|", "é"], ["long", "1", "z"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows), "a     |x|  é\nlong    1  z\n");
        assert_eq!(
            markdown(&rows),
            "| a | \\|x\\| | é |\n|---|---:|---:|\n| long | 1 | z |\n"
        );
    }
}
