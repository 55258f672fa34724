//! The figures of the page.

mod angles;
mod landscape;
mod residues;
mod shape;
mod time;

use super::Report;
use super::plots::{Axis, Bar, Chart, Mark, Shade, Tone};

/// A drawing with its words.
pub(super) struct Figure {
    /// Heading that it stands under.
    pub section: &'static str,
    pub title: String,
    pub words: String,
    /// What each panel is, where there are several.
    pub sides: Vec<&'static str>,
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
}

const TURN: (f64, f64) = (-180.0, 180.0);
const SIDES: [(Tone, &str); 2] = [(Tone::Run, "run"), (Tone::Reference, "reference")];
/// What a band of the reference's tone is.
const BAND: &str = "pale band: 95 % of MD runs as long as this one";

/// Collects figures; one that has nothing to show is left out.
struct Gallery {
    section: &'static str,
    figures: Vec<Figure>,
}

impl Gallery {
    fn add(&mut self, title: &str, words: &str, chart: Chart) {
        self.push(title, words, Vec::new(), vec![chart]);
    }

    /// Run, reference and what the run has more, or less.
    fn three(&mut self, title: &str, words: &str, panels: [Chart; 3]) {
        let sides = vec!["run", "reference", "run − reference"];
        self.push(title, words, sides, panels.into());
    }

    fn push(&mut self, title: &str, words: &str, sides: Vec<&'static str>, panels: Vec<Chart>) {
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
fn map(axes: [Axis; 2], values: &[f64], bar: Bar) -> Chart {
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
fn shares(counts: &[f64]) -> Vec<f64> {
    let all: f64 = counts.iter().sum();
    counts.iter().map(|count| count / all).collect()
}
