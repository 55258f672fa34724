//! The figures of the page.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, Vector3};

use super::plots::{ASPECT, Axis, Mark, Tone, cells, chart, density};
use super::table::{floor, number};
use super::{Report, runlog};
use crate::compare::histogram::TORSION_BINS;
use crate::compare::measures::{PLANE_BINS, TorsionReport};
use crate::compare::statistics::quantile;
use crate::compare::tica::pca;
use crate::geometry::torsion::next_residues;

/// A drawing with its words.
pub(super) struct Figure {
    /// Heading that it stands under.
    pub section: &'static str,
    pub title: String,
    pub words: String,
    /// One, or run and reference side by side.
    pub panels: Vec<String>,
}

const SIDES: [(Tone, &str); 2] = [(Tone::Run, "run"), (Tone::Reference, "reference")];
const TURN: (f64, f64) = (-180.0, 180.0);
/// Torsions whose histograms are shown.
const SHOWN: usize = 6;
/// Floors smaller than this, JSD, do not make a torsion one to look at.
const LEAST_FLOOR: f64 = 0.002;
/// Distance between the torsions of a residue on its axis, in residues.
const TORSION_STEP: f64 = 0.11;
/// Values of a log that are still shown one by one.
const SEPARATE: usize = 60;
/// Free energy at which a surface is as pale as paper, kT.
const PALE: f64 = 6.0;

/// Collects figures; one that has nothing to show is left out.
struct Gallery {
    section: &'static str,
    figures: Vec<Figure>,
}

impl Gallery {
    fn add(&mut self, title: &str, words: &str, axes: [Axis; 2], marks: &[Mark]) {
        let [x, y] = axes;
        self.push(title, words, chart(&x, &y, marks).into_iter().collect(), 1);
    }

    fn push(&mut self, title: &str, words: &str, panels: Vec<String>, wanted: usize) {
        if panels.len() == wanted {
            self.figures.push(Figure {
                section: self.section,
                title: title.into(),
                words: words.into(),
                panels,
            });
        }
    }

    /// Run and reference side by side: the marks of each, between the same axes.
    fn pair(&mut self, title: &str, words: &str, [x, y]: [Axis; 2], marks: [Mark; 2]) {
        let panels: Vec<String> = marks
            .into_iter()
            .filter_map(|mark| chart(&x, &y, &[mark]))
            .collect();
        self.push(title, words, panels, 2);
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
        ("Torsions", angles),
        ("Slow motions", landscape),
        ("Shape", shape),
        ("Residues", residues),
        ("The run over time", over_time),
        ("The run’s log", run_log),
    ];
    for (name, draw) in sections {
        gallery.section = name;
        draw(&mut gallery, report);
    }
    gallery.figures
}

fn both(values: &[Vec<f64>; 2], x: impl Fn(usize) -> f64) -> Vec<Mark> {
    let line = |((tone, _), values): (&(Tone, &str), &Vec<f64>)| {
        Mark::Line(
            *tone,
            values
                .iter()
                .enumerate()
                .map(|(index, &value)| (x(index), value))
                .collect(),
        )
    };
    SIDES.iter().zip(values).map(line).rev().collect()
}

fn over_time(gallery: &mut Gallery, report: &Report) {
    let times = &report.findings.over_time;
    let (span, unit) = match times.span {
        Some(span) if span >= 1e3 => (span * 1e-3, "time, ns"),
        Some(span) => (span, "time, ps"),
        None => (1.0, "share of the run"),
    };
    let line = |values: &[f64]| {
        Mark::Line(
            Tone::Run,
            times
                .middle
                .iter()
                .map(|share| share * span)
                .zip(values.iter().copied())
                .collect(),
        )
    };
    // What the reference has in the mean, for the eye.
    let level = |name: &str| {
        let known = report
            .findings
            .measures
            .iter()
            .find(|measure| measure.name == name)
            .and_then(|measure| measure.reference);
        Mark::Line(
            Tone::Reference,
            known.map_or(Vec::new(), |value| vec![(0.0, value), (span, value)]),
        )
    };
    let time = || Axis::fixed(unit, (0.0, span));
    let curves: [(&str, &str, Axis, &str, &[f64]); 3] = [
        (
            "Valid frames over time",
            "Share of frames in fifty windows that are molecules: bonds, angles, contacts, chirality, peptide bonds.",
            Axis::fixed("valid", (0.0, 1.02)),
            "valid_fraction",
            &times.valid,
        ),
        (
            "RMSD over time",
            "Mean RMSD to the start structure in fifty windows; reference: its mean.",
            Axis::fitted("RMSD, Å"),
            "rmsd",
            &times.rmsd,
        ),
        (
            "Radius of gyration over time",
            "Its mean in fifty windows; reference: its mean.",
            Axis::fitted("Rg, Å"),
            "radius_of_gyration",
            &times.gyration,
        ),
    ];
    for (title, words, axis, measure, values) in curves {
        gallery.add(
            title,
            words,
            [time(), axis],
            &[level(measure), line(values)],
        );
    }
}

fn angles(gallery: &mut Gallery, report: &Report) {
    let angles = &report.findings.angles;
    let plane = |side: usize| {
        cells(SIDES[side].0, &angles.plane[side], [TURN; 2], |share| {
            share.powf(0.4)
        })
    };
    let words = format!(
        "All residues, {PLANE_BINS} × {PLANE_BINS} bins; the stronger the colour, the more frames."
    );
    gallery.pair(
        "Ramachandran planes",
        &words,
        [Axis::fixed("φ, °", TURN), Axis::fixed("ψ, °", TURN)],
        [plane(0), plane(1)],
    );
    let residues = report.looker.topology.residues.len() as f64;
    let places = |value: &dyn Fn(&TorsionReport) -> Option<f64>| -> Vec<(f64, f64)> {
        let place = |torsion: &TorsionReport| {
            torsion.residue as f64 + 1.0 + TORSION_STEP * (torsion.kind.place() - 3.0)
        };
        angles
            .torsions
            .iter()
            .map(|torsion| (place(torsion), value(torsion).unwrap_or(f64::NAN)))
            .collect()
    };
    let (values, floors) = (
        places(&|torsion| torsion.measure.value),
        places(&|torsion| torsion.measure.high),
    );
    gallery.add(
        "Divergence of every torsion",
        "Dots: run against reference. Line: upper end of the floor. In each residue from left to right: φ, ψ, ω, χ1, …",
        [Axis::fixed("residue, in sequence", (0.5, residues + 0.5)), Axis::fitted("JSD")],
        &[Mark::Line(Tone::Guide, floors), Mark::Dots(Tone::Run, 0.9, values)],
    );
    let mut worst: Vec<&TorsionReport> = angles.torsions.iter().collect();
    let excess = |torsion: &TorsionReport| {
        torsion.measure.value.unwrap_or(0.0) / torsion.measure.high.unwrap_or(0.0).max(LEAST_FLOOR)
    };
    worst.sort_by(|a, b| excess(b).total_cmp(&excess(a)));
    for torsion in worst.into_iter().take(SHOWN) {
        let share = |counts: &[f64]| {
            let all: f64 = counts.iter().sum();
            counts.iter().map(|count| count / all).collect::<Vec<f64>>()
        };
        let degrees = |bin: usize| 360.0 * (bin as f64 + 0.5) / TORSION_BINS as f64 - 180.0;
        let marks = both(
            &[share(&torsion.histograms[0]), share(&torsion.histograms[1])],
            degrees,
        );
        let measure = &torsion.measure;
        let verdict = measure
            .verdict
            .map_or(String::new(), |verdict| format!(": {}", verdict.word()));
        let words = format!(
            "JSD {}, floor {}{verdict}. One of the {SHOWN} torsions that are farthest beyond their floors, or nearest to them.",
            number(measure.value),
            floor(measure)
        );
        gallery.add(
            &torsion.label,
            &words,
            [
                Axis::fixed("angle, °", TURN),
                Axis::fitted("share of frames"),
            ],
            &marks,
        );
    }
}

fn shape(gallery: &mut Gallery, report: &Report) {
    let shape = &report.findings.shape;
    for (title, label, values) in [
        ("Radius of gyration", "Rg, Å", &shape.gyration),
        ("RMSD to the start structure", "RMSD, Å", &shape.rmsd),
    ] {
        let all: Vec<f64> = values.iter().flatten().copied().collect();
        let range = (quantile(&all, 0.001), quantile(&all, 0.999));
        if range.1 > range.0 {
            let marks: Vec<Mark> = SIDES
                .into_iter()
                .zip(values)
                .map(|((tone, _), values)| density(tone, values, range, 60))
                .collect();
            gallery.add(
                title,
                "Density of frames.",
                [Axis::fixed(label, range), Axis::fitted("density, 1/Å")],
                &marks,
            );
        }
    }
    let trace = if report.looker.trace.len() == report.looker.topology.len() {
        "heavy atom"
    } else {
        "Cα, in sequence"
    };
    gallery.add(
        "Fluctuations",
        "Root mean square fluctuation about the mean, superposed on the start structure.",
        [Axis::fitted(trace), Axis::fitted("RMSF, Å")],
        &both(&shape.rmsf, |index| index as f64 + 1.0),
    );
    overlay(gallery, report);
    let dots = |(tone, _): (Tone, &str), points: &[[f64; 2]]| {
        Mark::Dots(tone, 0.35, points.iter().map(|&[x, y]| (x, y)).collect())
    };
    gallery.add(
        "Principal components",
        "Frames in the plane of the reference’s first two principal components, per atom as an RMSD is.",
        [Axis::fitted("component 1, Å"), Axis::fitted("component 2, Å")],
        &[dots(SIDES[1], &shape.plane[1]), dots(SIDES[0], &shape.plane[0])],
    );
}

/// A few frames of both sides, superposed, seen along the direction in which the molecule is
/// thinnest.
fn overlay(gallery: &mut Gallery, report: &Report) {
    let looker = report.looker;
    let start = DMatrix::from_iterator(
        3,
        looker.start.len(),
        looker.start.iter().flat_map(|x| x.iter().copied()),
    );
    let Some(axes) = pca(&start, 2) else { return };
    let view = |x: &Vector3<f64>| {
        let place = |axis: usize| {
            (0..3)
                .map(|k| axes.vectors[(k, axis)] * (x[k] - axes.mean[k]))
                .sum::<f64>()
        };
        (place(0), place(1))
    };
    let links = trace_links(report);
    let lines = |(tone, _): (Tone, &str), frames: &[Vec<Vector3<f64>>]| {
        let of_frame = |frame: &Vec<Vector3<f64>>| -> Vec<(f64, f64)> {
            links
                .iter()
                .flat_map(|&(i, j)| [view(&frame[i]), view(&frame[j]), (f64::NAN, f64::NAN)])
                .collect()
        };
        Mark::Thread(tone, frames.iter().flat_map(of_frame).collect())
    };
    let traces = &report.findings.shape.traces;
    // One Å is as long across as upwards.
    let ends = traces
        .iter()
        .flatten()
        .flatten()
        .map(&view)
        .fold(0.0f64, |end, (x, y)| end.max(x.abs() / ASPECT).max(y.abs()))
        + 1.0;
    let axis = |ends: f64| Axis::fixed("Å", (-ends, ends));
    let words = "Ten evenly spaced frames of each side, superposed, seen along the thinnest direction of the start structure.";
    gallery.add(
        "Structures",
        words,
        [axis(ASPECT * ends), axis(ends)],
        &[lines(SIDES[1], &traces[1]), lines(SIDES[0], &traces[0])],
    );
}

/// Trace atoms that a line joins: bonded ones, and Cα of residues that follow each other in a
/// chain.
fn trace_links(report: &Report) -> Vec<(usize, usize)> {
    let looker = report.looker;
    let topology = &looker.topology;
    if looker.trace.len() == topology.len() {
        return topology.bonds.iter().map(|&[i, j]| (i, j)).collect();
    }
    let next = next_residues(topology);
    let residue = |place: usize| topology.atoms[looker.trace[place]].residue;
    (1..looker.trace.len())
        .filter(|&place| next[residue(place - 1)] == Some(residue(place)))
        .map(|place| (place - 1, place))
        .collect()
}

fn landscape(gallery: &mut Gallery, report: &Report) {
    if let Some(found) = &report.findings.landscape {
        let surface = |side: usize| {
            cells(
                SIDES[side].0,
                &found.surfaces[side],
                found.ranges,
                |share| (1.0 + share.ln() / PALE).max(0.03),
            )
        };
        let axes = [
            Axis::fixed("slow component 1", found.ranges[0]),
            Axis::fixed("slow component 2", found.ranges[1]),
        ];
        let words = format!(
            "−ln(share of frames) in the plane of the reference’s two slowest components, lag {} ps; the fullest bin is strongest, {PALE} kT above it palest; frames beyond the reference are in the bins at the edge.",
            found.lag
        );
        gallery.pair(
            "Free-energy surfaces",
            &words,
            axes,
            [surface(0), surface(1)],
        );
        let ends = (0.5, found.transitions[0].nrows() as f64 + 0.5);
        let matrix = |side: usize| {
            let rows: Vec<f64> = found.transitions[side]
                .transpose()
                .iter()
                .copied()
                .collect();
            cells(SIDES[side].0, &rows, [ends; 2], |share| share)
        };
        let words = format!(
            "Probabilities of going from state to state in {} ps; the states are the reference’s, most populated first.",
            found.lag
        );
        gallery.pair(
            "Transitions",
            &words,
            [
                Axis::fixed("from state", ends),
                Axis::fixed("to state", ends),
            ],
            [matrix(0), matrix(1)],
        );
    }
    if let Some(found) = &report.findings.dynamics {
        let points: Vec<(f64, f64)> = found.times[1]
            .iter()
            .zip(&found.times[0])
            .map(|(x, y)| (x.log10(), y.log10()))
            .collect();
        let finite: Vec<f64> = points
            .iter()
            .flat_map(|&(x, y)| [x, y])
            .filter(|value| value.is_finite())
            .collect();
        let ends = (quantile(&finite, 0.0) - 0.1, quantile(&finite, 1.0) + 0.1);
        let diagonal = Mark::Line(Tone::Guide, vec![(ends.0, ends.0), (ends.1, ends.1)]);
        gallery.add(
            "Decorrelation times",
            "Each dot a torsion; on the line the run forgets as fast as the reference.",
            [
                Axis::fixed("log₁₀ τ reference, ps", ends),
                Axis::fixed("log₁₀ τ run, ps", ends),
            ],
            &[diagonal, Mark::Dots(Tone::Run, 0.8, points)],
        );
    }
}

fn residues(gallery: &mut Gallery, report: &Report) {
    let found = &report.findings.residues;
    let residues = report.looker.topology.residues.len();
    let count = residues as f64 + 0.5;
    let square = |tone: Tone, which: usize, flipped: bool| {
        Mark::Cells(
            tone,
            contact_cells(&found.contacts, residues, which, flipped),
        )
    };
    gallery.add(
        "Contacts",
        "Residues three or more apart that are in contact, reference above the diagonal, run below; the stronger the colour, the more often.",
        [Axis::fixed("residue, in sequence", (0.5, count)), Axis::fixed("residue, in sequence", (0.5, count))],
        &[Mark::Line(Tone::Guide, vec![(0.5, 0.5), (count, count)]), square(Tone::Reference, 1, false), square(Tone::Run, 0, true)],
    );
    for (class, title) in [(0, "Helix"), (1, "Strand")] {
        let shares = [0, 1].map(|side| {
            found.secondary[side]
                .iter()
                .map(|share| share[class])
                .collect::<Vec<f64>>()
        });
        if shares.iter().flatten().any(|&share| share > 0.0) {
            let axes = [
                Axis::fitted("residue, in sequence"),
                Axis::fixed("share of frames", (0.0, 1.02)),
            ];
            gallery.add(
                title,
                "Share of frames in which a residue is so by its hydrogen bonds.",
                axes,
                &both(&shares, |index| index as f64 + 1.0),
            );
        }
    }
    gallery.add(
        "Side-chain surface",
        "Mean solvent-accessible area of each side chain.",
        [
            Axis::fitted("residue, in sequence"),
            Axis::fitted("area, Å²"),
        ],
        &both(&found.areas, |index| index as f64 + 1.0),
    );
}

/// Cells of most residues along an edge of the contact map: larger proteins share a cell among
/// neighbours.
const MAP_CELLS: usize = 300;

fn contact_cells(
    contacts: &[(usize, usize, [f64; 2])],
    residues: usize,
    which: usize,
    flipped: bool,
) -> Vec<[f64; 5]> {
    let size = residues.div_ceil(MAP_CELLS);
    let mut most: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for &(i, j, shares) in contacts.iter().filter(|(_, _, shares)| shares[which] > 0.0) {
        let place = if flipped {
            (j / size, i / size)
        } else {
            (i / size, j / size)
        };
        let cell = most.entry(place).or_default();
        *cell = cell.max(shares[which]);
    }
    let edge = |place: usize| (place * size) as f64 + 0.5;
    // By their roots, so that seldom ones can be seen too.
    most.into_iter()
        .map(|((x, y), share)| [edge(x), edge(y), edge(x + 1), edge(y + 1), share.sqrt()])
        .collect()
}

fn run_log(gallery: &mut Gallery, report: &Report) {
    let Some(log) = &report.log else { return };
    for column in runlog::COLUMNS {
        let mut points = log.column(column.head);
        if column.logarithmic {
            points
                .iter_mut()
                .for_each(|(_, value)| *value = value.log10());
        }
        let x_label = log.x_label(&mut points);
        // Some numbers are logged seldom: dots show those that no line reaches.
        let dots = Mark::Dots(
            Tone::Run,
            if points.len() <= SEPARATE { 1.0 } else { 0.0 },
            points.clone(),
        );
        gallery.add(
            column.title,
            column.words,
            [Axis::fitted(x_label), Axis::fitted(column.axis)],
            &[Mark::Line(Tone::Run, points), dots],
        );
    }
}
