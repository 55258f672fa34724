//! The measures as files for programs: JSON and CSV.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::figures::Figure;
use crate::compare::floor::Measure;
use crate::files::write_atomically;
use crate::{Error, Result};

/// Writes JSON.
///
/// # Errors
/// [`crate::Error::Output`] where the file cannot be written.
pub fn write_json(path: &Path, value: &Value) -> Result<()> {
    write_atomically(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        writeln!(file)
    })
}

/// Columns of the CSV, in order.
const COLUMNS: [&str; 14] = [
    "name",
    "label",
    "unit",
    "value",
    "floor",
    "low",
    "high",
    "verdict",
    "edge",
    "tenth",
    "run",
    "run_error",
    "reference",
    "reference_error",
];

/// Writes measures as CSV; what is not known is `n/a`.
///
/// # Errors
/// [`crate::Error::Output`] where the file cannot be written.
pub fn write_csv(path: &Path, measures: &[&Measure]) -> Result<()> {
    write_atomically(path, |file| {
        writeln!(file, "{}", COLUMNS.join(","))?;
        measures
            .iter()
            .try_for_each(|measure| writeln!(file, "{}", line(measure)))
    })
}

/// Writes every panel of every figure as SVG and its numbers as CSV; says which files.
///
/// # Errors
/// [`crate::Error::Output`] where one cannot be written.
pub fn write_figures(folder: &Path, figures: &[Figure]) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).map_err(|source| Error::writing(folder, &source))?;
    let mut written = Vec::new();
    for figure in figures {
        for (place, chart) in figure.panels.iter().enumerate() {
            let name = figure.panel_name(place);
            let drawn = chart.svg().unwrap_or_default();
            for (ending, text) in [("svg", drawn), ("csv", chart.csv())] {
                let path = folder.join(format!("{name}.{ending}"));
                write_atomically(&path, |file| file.write_all(text.as_bytes()))?;
                written.push(path);
            }
        }
    }
    Ok(written)
}

fn line(measure: &Measure) -> String {
    let number = |value: Option<f64>| value.map_or("n/a".to_owned(), |value| value.to_string());
    let verdict = measure
        .verdict
        .map_or("n/a".to_owned(), |verdict| verdict.word().to_owned());
    let words = [&measure.name, &measure.label, &measure.unit].map(|words| quoted(words));
    let numbers = [measure.value, measure.floor, measure.low, measure.high].map(number);
    let rest = [
        measure.edge,
        measure.tenth,
        measure.run,
        measure.run_error,
        measure.reference,
        measure.reference_error,
    ]
    .map(number);
    words
        .into_iter()
        .chain(numbers)
        .chain([verdict])
        .chain(rest)
        .collect::<Vec<_>>()
        .join(",")
}

fn quoted(words: &str) -> String {
    if words.contains([',', '"', '\n']) {
        format!("\"{}\"", words.replace('"', "\"\""))
    } else {
        words.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::floor::{Better, Definition};
    use crate::compare::verdict::judge_together;

    #[test]
    fn both_files_hold_what_is_known_and_nothing_else() {
        let definition = Definition {
            name: "a",
            label: "A, \"b\"",
            unit: "Å",
            source: "s",
            better: Better::Lower,
            tolerance: 0.0,
        };
        let mut measures = [
            Measure::among(&definition, 0.5, vec![0.25, 0.25, 0.25]),
            Measure::bare(&definition, f64::NAN),
        ];
        judge_together(&mut measures);
        let folder = tempfile::tempdir().unwrap();
        let (json, csv) = (folder.path().join("m.json"), folder.path().join("m.csv"));
        write_json(&json, &serde_json::to_value(&measures).unwrap()).unwrap();
        write_csv(&csv, &measures.iter().collect::<Vec<_>>()).unwrap();
        let read: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
        assert_eq!(read[0]["verdict"], "outside");
        assert_eq!(
            (read[0]["value"].as_f64(), read[0]["high"].as_f64()),
            (Some(0.5), Some(0.25))
        );
        assert!(read[1]["value"].is_null() && read[1]["verdict"].is_null());
        let text = std::fs::read_to_string(csv).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1],
            "a,\"A, \"\"b\"\"\",Å,0.5,0.25,0.25,0.25,outside,0.25,n/a,n/a,n/a,n/a,n/a"
        );
        assert_eq!(
            lines[2],
            "a,\"A, \"\"b\"\"\",Å,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a"
        );
    }
}
