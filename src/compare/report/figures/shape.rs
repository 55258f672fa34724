//! Sizes, fluctuations, principal components, structures.

use nalgebra::{DMatrix, Vector3};

use super::{BAND, Gallery, SIDES, band, both};
use crate::compare::report::Report;
use crate::compare::report::plots::{ASPECT, Axis, Cell, Chart, Mark, Tone};
use crate::compare::tica::pca;
use crate::geometry::torsion::next_residues;

pub(super) fn draw(gallery: &mut Gallery, report: &Report) {
    densities(gallery, report);
    fluctuations(gallery, report);
    overlay(gallery, report);
    let dots = |(tone, _): (Tone, &str), points: &[[f64; 2]]| {
        Mark::Dots(tone, 0.35, points.iter().map(|&[x, y]| (x, y)).collect())
    };
    let plane = &report.findings.shape.plane;
    let axes = [
        Axis::fitted("component 1, Å"),
        Axis::fitted("component 2, Å"),
    ];
    gallery.add(
        "Principal components",
        "Frames in the plane of the reference’s first two principal components, per atom as an \
         RMSD is.",
        Chart::new(
            axes,
            vec![dots(SIDES[1], &plane[1]), dots(SIDES[0], &plane[0])],
        ),
    );
}

fn densities(gallery: &mut Gallery, report: &Report) {
    let shape = &report.findings.shape;
    for (title, label, density) in [
        ("Radius of gyration", "Rg, Å", &shape.gyration),
        ("RMSD to the start structure", "RMSD, Å", &shape.rmsd),
    ] {
        let (Some(&low), Some(&high)) = (density.at.first(), density.at.last()) else {
            continue;
        };
        let x = |index: usize| density.at[index];
        let mut marks = Vec::from_iter(band(&density.band, x));
        marks.extend(both(&density.curves, x));
        let words = format!(
            "Density of frames, by a Gaussian kernel of {:.2} Å; {BAND}.",
            density.kernel
        );
        let axes = [
            Axis::fixed(label, (low, high)),
            Axis::fitted("density, 1/Å"),
        ];
        gallery.add(title, &words, Chart::new(axes, marks));
    }
}

fn fluctuations(gallery: &mut Gallery, report: &Report) {
    let shape = &report.findings.shape;
    let looker = report.looker;
    let by_residue = looker.trace.len() != looker.topology.len();
    let place = |index: usize| index as f64 + 1.0;
    let mut marks = Vec::from_iter(band(&shape.rmsf_band, place));
    marks.extend(both(&shape.rmsf, place));
    let mut words = format!(
        "Root mean square fluctuation about the mean, superposed on the start structure; {BAND}."
    );
    let mut chart = Chart::new(
        [Axis::fitted("heavy atom"), Axis::fitted("RMSF, Å")],
        Vec::new(),
    );
    let secondary = &report.findings.residues.secondary[1];
    if by_residue && !secondary.is_empty() {
        let most = shape.rmsf.iter().flatten().copied().fold(0.0, f64::max);
        let residue = |place: usize| looker.topology.atoms[looker.trace[place]].residue;
        // a strip below the curves: helix above, strand beneath it
        let strip = |class: usize| {
            let (low, high) = [(-0.05, -0.02), (-0.09, -0.06)][class];
            let cell = move |place: usize| Cell {
                corners: [
                    place as f64 + 0.5,
                    low * most,
                    place as f64 + 1.5,
                    high * most,
                ],
                opacity: secondary[residue(place)][class],
                value: secondary[residue(place)][class],
            };
            Mark::Cells(Tone::Guide, (0..looker.trace.len()).map(cell).collect())
        };
        marks.extend([strip(0), strip(1)]);
        chart.axes[0].label = "Cα, in sequence".into();
        chart.guide = "helix, strand";
        words += " Below, the share of frames of the reference in which a residue is in a helix \
                  (upper row) or a strand (lower row).";
    } else if by_residue {
        chart.axes[0].label = "Cα, in sequence".into();
    }
    chart.marks = marks;
    gallery.add("Fluctuations", &words, chart);
}

/// A few frames of both sides, superposed, seen along the direction in which the molecule is
/// thinnest.
fn overlay(gallery: &mut Gallery, report: &Report) {
    let looker = report.looker;
    let coordinates = looker.start.iter().flat_map(|x| x.iter().copied());
    let start = DMatrix::from_iterator(3, looker.start.len(), coordinates);
    let Some(axes) = pca(&start, 2) else { return };
    let view = |x: &Vector3<f64>| {
        let along = |axis: usize| -> f64 {
            (0..3)
                .map(|k| axes.vectors[(k, axis)] * (x[k] - axes.mean[k]))
                .sum()
        };
        (along(0), along(1))
    };
    let links = trace_links(report);
    let lines = |(tone, _): (Tone, &str), frames: &[Vec<Vector3<f64>>]| {
        let of_frame = |frame: &Vec<Vector3<f64>>| -> Vec<(f64, f64)> {
            let link =
                |&(i, j): &(usize, usize)| [view(&frame[i]), view(&frame[j]), (f64::NAN, f64::NAN)];
            links.iter().flat_map(link).collect()
        };
        Mark::Thread(tone, frames.iter().flat_map(of_frame).collect())
    };
    let traces = &report.findings.shape.traces;
    // One Å is as long across as upwards.
    let far = |end: f64, (x, y): (f64, f64)| end.max(x.abs() / ASPECT).max(y.abs());
    let ends = traces.iter().flatten().flatten().map(view).fold(0.0, far) + 1.0;
    let axis = |ends: f64| Axis::fixed("Å", (-ends, ends));
    let marks = vec![lines(SIDES[1], &traces[1]), lines(SIDES[0], &traces[0])];
    gallery.add(
        "Structures",
        "Ten evenly spaced frames of each side, superposed, seen along the thinnest direction of \
         the start structure.",
        Chart::new([axis(ASPECT * ends), axis(ends)], marks),
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
