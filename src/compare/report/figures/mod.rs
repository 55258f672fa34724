//! The figures of the page.

mod angles;
mod landscape;
mod residues;
mod shape;
mod time;

use std::collections::BTreeMap;

use super::Report;
use super::plots::{Axis, Bar, Chart, Mark, Shade, Tone};
pub(super) use time::log;

/// A drawing with its words.
pub(super) struct Figure {
    /// Heading that it stands under.
    pub section: &'static str,
    pub title: String,
    pub words: String,
    /// What each panel is, where there are several.
    pub sides: Vec<String>,
    /// One, or run, reference and their difference side by side.
    pub panels: Vec<Chart>,
}

impl Figure {
    /// Name of its files: the title in small letters and hyphens.
    pub fn file_name(&self) -> String {
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        };
        let words: String = self.title.to_lowercase().chars().map(plain).collect();
        let parts: Vec<&str> = words.split('-').filter(|part| !part.is_empty()).collect();
        parts.join("-")
    }

    /// Name of the files of one panel.
    pub fn panel_name(&self, place: usize) -> String {
        let side = self.sides.get(place).map_or("", String::as_str);
        let panel = match (place, side) {
            (0, _) => String::new(),
            (_, "reference") => "-reference".to_owned(),
            (_, "run − reference") => "-difference".to_owned(),
            _ => format!("-{}", place + 1),
        };
        self.file_name() + &panel
    }
}

const TURN: (f64, f64) = (-180.0, 180.0);
const SIDES: [(Tone, &str); 2] = [(Tone::Run, "run"), (Tone::Reference, "reference")];
/// What a band of the reference's tone is.
const BAND: &str = "pale band: 95 % of MD runs as long as this one";

/// Collects figures; one that has nothing to show is left out.
pub(super) struct Gallery {
    pub section: &'static str,
    pub figures: Vec<Figure>,
}

impl Gallery {
    pub fn add(&mut self, title: &str, words: &str, chart: Chart) {
        self.push(title, words, Vec::new(), vec![chart]);
    }

    /// Run, reference and what the run has more, or less.
    fn three(&mut self, title: &str, words: &str, panels: [Chart; 3]) {
        let sides = ["run", "reference", "run − reference"].map(str::to_owned);
        self.push(title, words, sides.into(), panels.into());
    }

    pub fn push(&mut self, title: &str, words: &str, sides: Vec<String>, panels: Vec<Chart>) {
        if panels.iter().all(|chart| chart.svg().is_some()) {
            self.figures.push(Figure {
                section: self.section,
                title: title.into(),
                words: words.into(),
                sides,
                panels,
            });
        }
    }
}

/// Draws the figures of a section.
type Draw = fn(&mut Gallery, &Report);

/// All figures that there is something to show for.
pub(super) fn figures(report: &Report) -> Vec<Figure> {
    let mut gallery = Gallery {
        section: "",
        figures: Vec::new(),
    };
    let sections: [(&str, Draw); 6] = [
        ("Torsions", angles::draw),
        ("Slow motions", landscape::draw),
        ("Shape", shape::draw),
        ("Residues", residues::draw),
        ("The run over time", time::draw),
        ("The run’s log", time::draw_log),
    ];
    for (name, draw) in sections {
        gallery.section = name;
        draw(&mut gallery, report);
    }
    gallery.figures
}

/// A line for each side, the run's on top.
fn both(values: &[Vec<f64>; 2], x: impl Fn(usize) -> f64) -> Vec<Mark> {
    let line = |((tone, _), values): (&(Tone, &str), &Vec<f64>)| {
        let points = values
            .iter()
            .enumerate()
            .map(|(index, &value)| (x(index), value));
        Mark::Line(*tone, points.collect())
    };
    SIDES.iter().zip(values).map(line).rev().collect()
}

/// What MD as long as the run looks like, beneath such lines; nothing where that is not known.
fn band(ends: &[[f64; 2]], x: impl Fn(usize) -> f64) -> Option<Mark> {
    let points = ends
        .iter()
        .enumerate()
        .map(|(index, &[low, high])| [x(index), low, high]);
    (!ends.is_empty()).then(|| Mark::Band(Tone::Reference, points.collect()))
}

/// A map over two axes (values with the first slowest), with its colour bar.
pub(super) fn map(axes: [Axis; 2], values: &[f64], bar: Bar) -> Chart {
    let ranges = axes.each_ref().map(|axis| axis.range.unwrap_or((0.0, 1.0)));
    let marks = bar.cells(squares(values, ranges));
    Chart::new(axes, marks).barred(bar)
}

/// Maps of run, reference and their difference between the same axes: `bar` is that of the first
/// two, for the tone of each; `label` and `most` are those of the difference.
fn maps(
    axes: [Axis; 2],
    values: [&[f64]; 2],
    bar: impl Fn(Tone) -> Bar,
    (label, most): (&str, f64),
) -> [Chart; 3] {
    let sides = [0, 1].map(|side| map(axes.clone(), values[side], bar(SIDES[side].0)));
    let change: Vec<f64> = values[0]
        .iter()
        .zip(values[1])
        .map(|(run, other)| run - other)
        .collect();
    let most = most.max(1e-6);
    let bar = Bar {
        label: label.into(),
        range: (-most, most),
        shade: Shade::Difference,
    };
    let [run, reference] = sides;
    [run, reference, map(axes, &change, bar)]
}

/// Largest absolute difference of two lists.
fn largest_change(values: [&[f64]; 2]) -> f64 {
    let changes = values[0].iter().zip(values[1]).map(|(a, b)| (a - b).abs());
    changes
        .filter(|change| change.is_finite())
        .fold(0.0, f64::max)
}

fn squares(values: &[f64], ranges: [(f64, f64); 2]) -> Vec<([f64; 4], f64)> {
    let bins = (values.len() as f64).sqrt().round() as usize;
    let edge = move |axis: usize, bin: usize| {
        ranges[axis].0 + (ranges[axis].1 - ranges[axis].0) * bin as f64 / bins as f64
    };
    let corners = move |index: usize| {
        let (i, j) = (index / bins, index % bins);
        [edge(0, i), edge(1, j), edge(0, i + 1), edge(1, j + 1)]
    };
    values
        .iter()
        .enumerate()
        .map(|(index, &value)| (corners(index), value))
        .collect()
}

/// Shares of all counts.
pub(super) fn shares(counts: &[f64]) -> Vec<f64> {
    let all: f64 = counts.iter().sum();
    counts.iter().map(|count| count / all).collect()
}

/// Cells of most residues along an edge of a contact map: larger proteins share a cell among
/// neighbours.
const MAP_CELLS: usize = 300;

/// Cells of residue pairs; of pairs that share a cell the largest number counts.
pub(super) fn pair_squares(
    pairs: impl Iterator<Item = (usize, usize, f64)>,
    residues: usize,
) -> Vec<([f64; 4], f64)> {
    let size = residues.div_ceil(MAP_CELLS);
    let mut most: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for (i, j, value) in pairs.filter(|(.., value)| *value != 0.0) {
        let cell = most.entry((i / size, j / size)).or_default();
        if value.abs() > cell.abs() {
            *cell = value;
        }
    }
    let edge = |place: usize| (place * size) as f64 + 0.5;
    let cell = |((x, y), value)| ([edge(x), edge(y), edge(x + 1), edge(y + 1)], value);
    most.into_iter().map(cell).collect()
}
