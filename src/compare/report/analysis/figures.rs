//! The figures of a run by itself.

use super::AnalysisReport;
use super::over_time;
use crate::compare::analysis::components::{Principal, Slow};
use crate::compare::report::figures::{Figure, Gallery, log, map, pair_squares, shares};
use crate::compare::report::plots::{Axis, Bar, Cell, Chart, Mark, Shade, Tone};
use crate::compare::smooth::Kernel;
use crate::compare::statistics::{deviation, quantile};

/// Free energy at which a surface is as pale as paper, kT.
const PALE: f64 = 6.0;
/// Bins of a free-energy surface along each component.
const BINS: usize = 50;
/// Dots of each half.
const DOTS: usize = 1500;

/// Draws the figures of a section.
type Draw = fn(&mut Gallery, &AnalysisReport);

/// All figures that there is something to show for.
pub(super) fn figures(report: &AnalysisReport) -> Vec<Figure> {
    let mut gallery = Gallery {
        section: "",
        figures: Vec::new(),
    };
    let sections: [(&str, Draw); 6] = [
        ("Over time", over_time::draw),
        ("Distributions, half against half", halves),
        ("Residues", residues),
        ("Contacts and hydrogen bonds", contacts),
        ("Largest and slowest motions", landscape),
        ("The run’s log", run_log),
    ];
    for (name, draw) in sections {
        gallery.section = name;
        draw(&mut gallery, report);
    }
    gallery.figures
}

fn run_log(gallery: &mut Gallery, report: &AnalysisReport) {
    if let Some(known) = &report.log {
        log(gallery, known);
    }
}

/// Rows of the first halves of all trajectories, and of the second.
fn rows_of_halves(report: &AnalysisReport) -> [Vec<usize>; 2] {
    let mut rows = [Vec::new(), Vec::new()];
    for track in &report.analysis.tracks {
        let (first, second) = track.rows.split_at(track.rows.len() / 2);
        rows[0].extend(first);
        rows[1].extend(second);
    }
    rows
}

/// Densities of sizes: of all frames, and of first and second halves.
fn halves(gallery: &mut Gallery, report: &AnalysisReport) {
    let rows = rows_of_halves(report);
    let shown = [
        ("radius_of_gyration", "Radius of gyration", "Rg, Å"),
        ("rmsd", "RMSD to the start structure", "RMSD, Å"),
        ("rmsd_to_mean", "RMSD to the mean structure", "RMSD, Å"),
    ];
    for quantity in &report.analysis.quantities {
        let name = quantity.meaning.name;
        let Some((_, title, axis)) = shown.iter().find(|(known, ..)| *known == name) else {
            continue;
        };
        let values = &quantity.values;
        let width = deviation(values) * (values.len() as f64).powf(-0.2);
        let ends = (quantile(values, 0.001), quantile(values, 0.999));
        if width <= 0.0 || ends.0 >= ends.1 {
            continue;
        }
        let kernel = Kernel {
            range: (ends.0 - 2.0 * width, ends.1 + 2.0 * width),
            width,
        };
        let density = |values: Vec<f64>| -> Vec<(f64, f64)> {
            let counts = kernel.counts(values);
            kernel
                .at()
                .into_iter()
                .zip(kernel.density(&counts))
                .collect()
        };
        let half = |half: usize| density(rows[half].iter().map(|&row| values[row]).collect());
        let marks = vec![
            Mark::Line(Tone::Reference, half(1)),
            Mark::Line(Tone::Guide, density(values.clone())),
            Mark::Line(Tone::Run, half(0)),
        ];
        let axes = [
            Axis::fixed(*axis, kernel.range),
            Axis::fitted("density, 1/Å"),
        ];
        let words = format!("Density of frames, by a Gaussian kernel of {width:.2} Å.");
        let chart = Chart::new(axes, marks).named(["first half", "second half"]);
        gallery.add(title, &words, chart.guided("all"));
    }
}

fn residues(gallery: &mut Gallery, report: &AnalysisReport) {
    fluctuations(gallery, report);
    over_time::maps(gallery, report);
    let found = &report.analysis.residues;
    let line = |tone: Tone, class: usize| {
        let shares = found.secondary.iter().enumerate();
        let points = shares.map(|(residue, shares)| (residue as f64 + 1.0, shares[class]));
        Mark::Line(tone, points.collect())
    };
    if found
        .secondary
        .iter()
        .any(|shares| shares[0] + shares[1] > 0.0)
    {
        let axes = [
            Axis::fitted("residue, in sequence"),
            Axis::fixed("share of frames", (0.0, 1.02)),
        ];
        let marks = vec![line(Tone::Reference, 1), line(Tone::Run, 0)];
        gallery.add(
            "Helix and strand",
            "Share of frames in which a residue is so by its hydrogen bonds.",
            Chart::new(axes, marks).named(["helix", "strand"]),
        );
    }
    let areas = found.areas.iter().enumerate();
    let points = areas.map(|(residue, &area)| (residue as f64 + 1.0, area));
    let axes = [
        Axis::fitted("residue, in sequence"),
        Axis::fitted("area, Å²"),
    ];
    let marks = vec![Mark::Line(Tone::Run, points.collect())];
    gallery.add(
        "Side-chain surface",
        "Mean solvent-accessible area of each side chain.",
        Chart::new(axes, marks).named(["", ""]),
    );
}

fn fluctuations(gallery: &mut Gallery, report: &AnalysisReport) {
    let looker = report.looker;
    let found = &report.analysis.residues;
    let by_residue = looker.trace.len() != looker.topology.len();
    let points = found.rmsf.iter().enumerate();
    let points = points.map(|(place, &value)| (place as f64 + 1.0, value));
    let mut marks = vec![Mark::Line(Tone::Run, points.collect())];
    let mut words =
        "Root mean square fluctuation about the mean, superposed on the start structure."
            .to_owned();
    let across = if by_residue {
        let most = found.rmsf.iter().copied().fold(0.0, f64::max);
        // a strip below the curve: helix above, strand beneath it
        for (class, (low, high)) in [(-0.05, -0.02), (-0.09, -0.06)].into_iter().enumerate() {
            let mut cells = Vec::new();
            for (place, &atom) in looker.trace.iter().enumerate() {
                let share = found.secondary[looker.topology.atoms[atom].residue][class];
                let [from, to] = [0.5, 1.5].map(|edge| place as f64 + edge);
                cells.push(Cell {
                    corners: [from, low * most, to, high * most],
                    opacity: share,
                    value: share,
                });
            }
            marks.push(Mark::Cells(Tone::Guide, cells));
        }
        words += " Below, the share of frames in which a residue is in a helix (upper row) or a \
                  strand (lower row).";
        "Cα, in sequence"
    } else {
        "heavy atom"
    };
    let axes = [Axis::fitted(across), Axis::fitted("RMSF, Å")];
    let chart = Chart::new(axes, marks).named(["", ""]);
    gallery.add("Fluctuations", &words, chart.guided("helix, strand"));
}

fn contacts(gallery: &mut Gallery, report: &AnalysisReport) {
    let residues = report.looker.topology.residues.len();
    let ends = (0.5, residues as f64 + 0.5);
    let bar = Bar {
        label: "share of frames".into(),
        range: (0.0, 1.0),
        // by their roots, so that seldom ones can be seen too
        shade: Shade::More(Tone::Run, 0.5),
    };
    let found = report.analysis.residues.contacts.iter();
    let both = found.flat_map(|&(i, j, share)| [(i, j, share), (j, i, share)]);
    let mut marks = bar.cells(pair_squares(both, residues));
    let diagonal = vec![(ends.0, ends.0), (ends.1, ends.1)];
    marks.push(Mark::Line(Tone::Guide, diagonal));
    let axes = [
        Axis::fixed("residue, in sequence", ends),
        Axis::fixed("residue, in sequence", ends),
    ];
    gallery.add(
        "Contacts",
        "Residues three or more apart whose closest heavy atoms are nearer than 4.5 Å.",
        Chart::new(axes, marks).named(["", ""]).barred(bar),
    );
    over_time::bonds(gallery, report);
}

fn landscape(gallery: &mut Gallery, report: &AnalysisReport) {
    if let Some(shape) = &report.analysis.principal {
        principal(gallery, report, shape);
    }
    if let Some(slow) = &report.analysis.slow {
        slow_motions(gallery, report, slow);
    }
    clusters(gallery, report);
}

fn principal(gallery: &mut Gallery, report: &AnalysisReport, shape: &Principal) {
    let percent: Vec<f64> = shape.shares.iter().map(|share| 100.0 * share).collect();
    let label = |component: usize| {
        let percent = percent.get(component).copied().unwrap_or(0.0);
        format!("component {} ({percent:.0} %), Å", component + 1)
    };
    let axes = || [Axis::fitted(label(0)), Axis::fitted(label(1))];
    gallery.add(
        "Principal components",
        "Frames in the plane of the two largest motions of the trace atoms, per atom as an RMSD \
         is; how much of the variance each has.",
        scatter(report, &shape.points, axes()),
    );
    surface(
        gallery,
        "Free energy along principal components",
        "−ln(share of frames) above the fullest bin, in the plane of the two largest motions.",
        &shape.points,
        [label(0), label(1)],
    );
}

/// Frames of first and second halves as dots.
fn scatter(report: &AnalysisReport, points: &[[f64; 2]], axes: [Axis; 2]) -> Chart {
    let [first, second] = rows_of_halves(report);
    let dots = |tone: Tone, rows: Vec<usize>| {
        let every = rows.len().div_ceil(DOTS).max(1);
        let rows = rows.into_iter().step_by(every);
        Mark::Dots(tone, 0.4, rows.map(|row| points[row].into()).collect())
    };
    let marks = vec![dots(Tone::Reference, second), dots(Tone::Run, first)];
    Chart::new(axes, marks).named(["first half", "second half"])
}

fn surface(
    gallery: &mut Gallery,
    title: &str,
    words: &str,
    points: &[[f64; 2]],
    labels: [String; 2],
) {
    // fewer frames than bins are dots, not a surface
    if points.len() < 4 * BINS {
        return;
    }
    let range = |axis: usize| {
        let values = points.iter().map(|point| point[axis]);
        let low = values.clone().fold(f64::INFINITY, f64::min);
        (low, values.fold(f64::NEG_INFINITY, f64::max) + 1e-9)
    };
    let ranges = [range(0), range(1)];
    let place = |value: f64, axis: usize| crate::compare::histogram::bin(value, ranges[axis], BINS);
    let mut counts = vec![0.0; BINS * BINS];
    for point in points {
        counts[place(point[0], 0) * BINS + place(point[1], 1)] += 1.0;
    }
    let shares = shares(&counts);
    let most = shares.iter().copied().fold(0.0, f64::max);
    let energy = |share: &f64| {
        if *share > 0.0 {
            -(share / most).ln()
        } else {
            f64::NAN
        }
    };
    let energies: Vec<f64> = shares.iter().map(energy).collect();
    let bar = Bar {
        label: "free energy, kT".into(),
        range: (0.0, PALE),
        shade: Shade::Less(Tone::Run),
    };
    let [x, y] = labels;
    let axes = [Axis::fixed(x, ranges[0]), Axis::fixed(y, ranges[1])];
    gallery.add(title, words, map(axes, &energies, bar).named(["", ""]));
}

fn slow_motions(gallery: &mut Gallery, report: &AnalysisReport, slow: &Slow) {
    let label = |component: usize| {
        let time = slow.times.get(component).copied().flatten();
        let words = time.map(crate::compare::report::table::duration);
        let words = words.map_or(String::new(), |time| format!(" ({time})"));
        format!("slow component {}{words}", component + 1)
    };
    let labels = || [label(0), label(1)];
    let axes = labels().map(Axis::fitted);
    gallery.add(
        "Slow components",
        &format!(
            "Frames in the plane of the two slowest motions of φ, ψ and χ (TICA, lag {} ps); the \
             time in which each forgets.",
            slow.lag
        ),
        scatter(report, &slow.points, axes),
    );
    surface(
        gallery,
        "Free energy along slow components",
        "−ln(share of frames) above the fullest bin, in the plane of the two slowest motions.",
        &slow.points,
        labels(),
    );
}

/// Cluster of every frame over time.
fn clusters(gallery: &mut Gallery, report: &AnalysisReport) {
    let found = &report.analysis.clusters;
    let (factor, words) = over_time::clock(report);
    let mut points = Vec::new();
    for track in &report.analysis.tracks {
        for (&row, time) in track.rows.iter().zip(&track.times) {
            if let Some(cluster) = found.assigned[row] {
                points.push((time * factor, cluster as f64 + 1.0));
            }
        }
    }
    let every = points.len().div_ceil(3 * DOTS).max(1);
    let points: Vec<(f64, f64)> = points.into_iter().step_by(every).collect();
    let most = found.sizes.len() as f64 + 0.5;
    let axes = [Axis::fitted(words), Axis::fixed("cluster", (0.5, most))];
    let marks = vec![Mark::Dots(Tone::Run, 0.4, points)];
    gallery.add(
        "Clusters over time",
        "The cluster of each frame, as in the table.",
        Chart::new(axes, marks).named(["", ""]),
    );
}
