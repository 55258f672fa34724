//! Numbers over time, trajectory by trajectory.

use super::AnalysisReport;
use crate::compare::analysis::Track;
use crate::compare::report::figures::Gallery;
use crate::compare::report::plots::{Axis, Bar, Cell, Chart, Mark, Shade, Tone};
use crate::compare::secondary::Class;

/// Windows of the thick line, the mean over trajectories.
const WINDOWS: usize = 60;
/// Points of a trajectory's thin line.
const POINTS: usize = 600;
/// Trajectories that have a map of their own.
const MAPS: usize = 6;
/// Residues of a map that have a row of their own; neighbours of larger proteins share one.
const MAP_ROWS: usize = 400;

/// Time as it is shown: factor to ps (or frames), and the words of the axis.
pub(super) fn clock(report: &AnalysisReport) -> (f64, &'static str) {
    let tracks = &report.analysis.tracks;
    let last = tracks.iter().filter_map(|track| track.times.last());
    let span = last.copied().fold(0.0, f64::max);
    match report.run.time_step {
        Some(_) if span >= 1e3 => (1e-3, "time, ns"),
        Some(_) => (1.0, "time, ps"),
        None => (1.0, "frame"),
    }
}

pub(super) fn draw(gallery: &mut Gallery, report: &AnalysisReport) {
    let analysis = report.analysis;
    let value = |name: &str| {
        let found = analysis.quantities.iter();
        let mut found = found.filter(|quantity| quantity.meaning.name == name);
        found.next().map(|quantity| quantity.values.as_slice())
    };
    let single = [
        ("rmsd", "RMSD to the start structure over time", "RMSD, Å"),
        (
            "rmsd_to_mean",
            "RMSD to the mean structure over time",
            "RMSD, Å",
        ),
        (
            "radius_of_gyration",
            "Radius of gyration over time",
            "Rg, Å",
        ),
        (
            "kept_contacts",
            "Contacts of the start structure that are kept",
            "share",
        ),
        ("contacts", "Number of contacts over time", "contacts"),
        (
            "hydrogen_bonds",
            "Number of hydrogen bonds over time",
            "hydrogen bonds",
        ),
    ];
    for (name, title, axis) in single {
        let Some(values) = value(name) else { continue };
        curve(gallery, report, title, axis, &[(Tone::Run, values)]);
    }
    let (helix, strand) = (value("helix"), value("strand"));
    if let (Some(helix), Some(strand)) = (helix, strand)
        && helix.iter().chain(strand).any(|&share| share > 0.0)
    {
        let lines = [(Tone::Reference, strand), (Tone::Run, helix)];
        curve(
            gallery,
            report,
            "Secondary structure, shares",
            "share of residues",
            &lines,
        );
    }
    surface(gallery, report);
}

/// Lines over time: a thin one a trajectory, and the mean of all in windows.
fn curve(
    gallery: &mut Gallery,
    report: &AnalysisReport,
    title: &str,
    axis: &str,
    lines: &[(Tone, &[f64])],
) {
    let tracks = &report.analysis.tracks;
    let (factor, words) = clock(report);
    let mut marks = Vec::new();
    for (tone, values) in lines {
        for track in tracks {
            let every = track.rows.len().div_ceil(POINTS);
            let points = track.rows.iter().zip(&track.times).step_by(every);
            let points = points.map(|(&row, time)| (time * factor, values[row]));
            marks.push(Mark::Thread(*tone, points.collect()));
        }
        marks.push(Mark::Line(*tone, means(tracks, values, factor)));
    }
    let names = if lines.len() > 1 {
        ["helix", "strand"]
    } else {
        ["", ""]
    };
    let axes = [Axis::fitted(words), Axis::fitted(axis)];
    let said = if tracks.len() > 1 {
        format!(
            "Thin: {} trajectories; thick: the mean of all in windows.",
            tracks.len()
        )
    } else {
        "Thin: frames; thick: means in windows.".to_owned()
    };
    gallery.add(title, &said, Chart::new(axes, marks).named(names));
}

/// Means of all trajectories in windows of time.
fn means(tracks: &[Track], values: &[f64], factor: f64) -> Vec<(f64, f64)> {
    let longest = tracks.iter().map(|track| track.rows.len()).max();
    let longest = longest.unwrap_or(0);
    let last = tracks.iter().filter_map(|track| track.times.last());
    let span = last.copied().fold(0.0, f64::max);
    let windows = WINDOWS.min(longest / 3).max(1);
    let mut sums = vec![(0.0, 0.0); windows];
    for track in tracks {
        for (&row, time) in track.rows.iter().zip(&track.times) {
            let share = if span > 0.0 { time / span } else { 0.0 };
            let window = ((share * windows as f64) as usize).min(windows - 1);
            sums[window].0 += values[row];
            sums[window].1 += 1.0;
        }
    }
    let middle = |window: usize| (window as f64 + 0.5) / windows as f64 * span * factor;
    let sums = sums.into_iter().enumerate();
    sums.map(|(window, (sum, count))| (middle(window), sum / count))
        .collect()
}

/// Area of all side chains, of the frames in which it is known.
fn surface(gallery: &mut Gallery, report: &AnalysisReport) {
    let (factor, words) = clock(report);
    let known = &report.analysis.residues.area_over_time;
    let mut marks = Vec::new();
    for track in &report.analysis.tracks {
        let time = |row: usize| Some(track.times[track.rows.binary_search(&row).ok()?]);
        let points = known.iter();
        let points = points.filter_map(|&(row, area)| Some((time(row)? * factor, area)));
        marks.push(Mark::Line(Tone::Run, points.collect()));
    }
    let axes = [Axis::fitted(words), Axis::fitted("area, Å²")];
    gallery.add(
        "Side-chain surface over time",
        "Solvent-accessible area of all side chains together, in up to 500 frames.",
        Chart::new(axes, marks).named(["", ""]),
    );
}

/// Secondary structure of every residue over time, a map a trajectory.
pub(super) fn maps(gallery: &mut Gallery, report: &AnalysisReport) {
    let (factor, words) = clock(report);
    let analysis = report.analysis;
    let residues = report.looker.topology.residues.len();
    let size = residues.div_ceil(MAP_ROWS);
    let shares = analysis.residues.secondary.iter();
    if shares
        .map(|shares| shares[0] + shares[1])
        .all(|share| share <= 0.0)
    {
        return;
    }
    let mut panels = Vec::new();
    for map in analysis.residues.maps.iter().take(MAPS) {
        let mut marks = Vec::new();
        for (tone, class) in [(Tone::Run, Class::Helix), (Tone::Reference, Class::Strand)] {
            let mut cells = Vec::new();
            for residue in (0..residues).step_by(size) {
                let so: Vec<bool> = map.classes.iter().map(|of| of[residue] == class).collect();
                for (from, to) in stretches(&so) {
                    let place = residue as f64 + 0.5;
                    let [start, end] = [from, to].map(|edge| map.edges[edge] * factor);
                    cells.push(Cell {
                        corners: [start, place, end, place + size as f64],
                        opacity: 0.85,
                        value: 1.0,
                    });
                }
            }
            marks.push(Mark::Cells(tone, cells));
        }
        let end = map.edges.last().copied().unwrap_or(1.0) * factor;
        let start = map.edges.first().copied().unwrap_or(0.0) * factor;
        // a trajectory without any has a map all the same
        marks.push(Mark::Thread(Tone::Guide, vec![(start, 0.5), (end, 0.5)]));
        let axes = [
            Axis::fixed(words, (start, end)),
            Axis::fixed("residue, in sequence", (0.5, residues as f64 + 0.5)),
        ];
        panels.push(Chart::new(axes, marks).named(["helix", "strand"]));
    }
    let sides = sides(report, panels.len());
    let said = format!(
        "The commonest class of each residue in {} windows of time by its hydrogen bonds (Kabsch \
         & Sander 1983).{}",
        analysis
            .residues
            .maps
            .first()
            .map_or(0, |map| map.classes.len()),
        of_many(report)
    );
    gallery.push("Secondary structure over time", &said, sides, panels);
}

/// Names of the panels of trajectories; none where there is one.
fn sides(report: &AnalysisReport, panels: usize) -> Vec<String> {
    if panels < 2 {
        return Vec::new();
    }
    let tracks = report.analysis.tracks.iter().take(panels);
    tracks
        .map(|track| format!("trajectory {}", track.trajectory + 1))
        .collect()
}

fn of_many(report: &AnalysisReport) -> String {
    let all = report.analysis.tracks.len();
    if all > MAPS {
        format!(" The first {MAPS} of {all} trajectories.")
    } else {
        String::new()
    }
}

/// Runs of `true`, from and up to.
fn stretches(list: &[bool]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for (place, so) in list.iter().copied().chain([false]).enumerate() {
        match (so, start) {
            (true, None) => start = Some(place),
            (false, Some(from)) => {
                found.push((from, place));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// The commonest hydrogen bonds over time, a map a trajectory.
pub(super) fn bonds(gallery: &mut Gallery, report: &AnalysisReport) {
    let (factor, words) = clock(report);
    let found = &report.analysis.residues;
    let mut panels = Vec::new();
    for map in found.bonds_over_time.iter().take(MAPS) {
        let count = map.shares.first().map_or(0, Vec::len);
        let bar = Bar {
            label: "share of frames".into(),
            range: (0.0, 1.0),
            shade: Shade::More(Tone::Run, 1.0),
        };
        let mut cells = Vec::new();
        for (window, shares) in map.shares.iter().enumerate() {
            for (bond, &share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let place = bond as f64 + 0.5;
                let [start, end] = [window, window + 1].map(|edge| map.edges[edge] * factor);
                cells.push(([start, place, end, place + 1.0], share));
            }
        }
        let end = map.edges.last().copied().unwrap_or(1.0) * factor;
        let start = map.edges.first().copied().unwrap_or(0.0) * factor;
        let axes = [
            Axis::fixed(words, (start, end)),
            Axis::fixed("hydrogen bond, as in the table", (0.5, count as f64 + 0.5)),
        ];
        panels.push(
            Chart::new(axes, bar.cells(cells))
                .named(["", ""])
                .barred(bar),
        );
    }
    let sides = sides(report, panels.len());
    let said = format!(
        "The hydrogen bonds of the table, the commonest first, in windows of time.{}",
        of_many(report)
    );
    gallery.push("Hydrogen bonds over time", &said, sides, panels);
}
