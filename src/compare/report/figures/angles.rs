//! Torsions: planes, divergences, distributions.

use super::{BAND, Gallery, TURN, band, both, largest_change, maps, shares};
use crate::compare::histogram::TORSION_BINS;
use crate::compare::measures::{KERNEL, PLANE_BINS, TorsionReport};
use crate::compare::report::Report;
use crate::compare::report::plots::{Axis, Bar, Chart, Mark, Shade, Tone};
use crate::compare::report::table::{floor, number};
use crate::compare::smooth::around_turn;
use crate::compare::verdict::excess;

/// Torsions whose histograms are shown.
const SHOWN: usize = 6;
/// Distance between the torsions of a residue on its axis, in residues.
const TORSION_STEP: f64 = 0.11;

pub(super) fn draw(gallery: &mut Gallery, report: &Report) {
    planes(gallery, report);
    divergences(gallery, report);
    let mut worst: Vec<&TorsionReport> = report.findings.angles.torsions.iter().collect();
    let far = |torsion: &TorsionReport| {
        torsion
            .measures()
            .filter_map(excess)
            .fold(f64::NEG_INFINITY, f64::max)
    };
    worst.sort_by(|a, b| far(b).total_cmp(&far(a)));
    worst
        .into_iter()
        .take(SHOWN)
        .for_each(|torsion| distribution(gallery, torsion));
}

fn planes(gallery: &mut Gallery, report: &Report) {
    let planes = report
        .findings
        .angles
        .plane
        .each_ref()
        .map(|plane| shares(plane));
    let [run, reference] = planes.each_ref().map(Vec::as_slice);
    let most = run.iter().chain(reference).copied().fold(0.0, f64::max);
    let words = format!("All residues, {PLANE_BINS} × {PLANE_BINS} bins.");
    gallery.three(
        "Ramachandran planes",
        &words,
        maps(
            [Axis::fixed("φ, °", TURN), Axis::fixed("ψ, °", TURN)],
            [run, reference],
            |tone| Bar {
                label: "share of frames".into(),
                range: (0.0, most.max(1e-6)),
                shade: Shade::More(tone, 0.4),
            },
            ("difference of shares", largest_change([run, reference])),
        ),
    );
}

fn divergences(gallery: &mut Gallery, report: &Report) {
    let torsions = &report.findings.angles.torsions;
    let residues = report.looker.topology.residues.len() as f64;
    let places = |value: &dyn Fn(&TorsionReport) -> Option<f64>| -> Vec<(f64, f64)> {
        let place = |torsion: &TorsionReport| {
            torsion.residue as f64 + 1.0 + TORSION_STEP * (torsion.kind.place() - 3.0)
        };
        let value = |torsion| (place(torsion), value(torsion).unwrap_or(f64::NAN));
        torsions.iter().map(value).collect()
    };
    let values = places(&|torsion| torsion.measure.value);
    let floors = places(&|torsion| torsion.measure.high);
    let axes = [
        Axis::fixed("residue, in sequence", (0.5, residues + 0.5)),
        Axis::fitted("JSD"),
    ];
    let marks = vec![
        Mark::Line(Tone::Guide, floors),
        Mark::Dots(Tone::Run, 0.9, values),
    ];
    gallery.add(
        "Divergence of every torsion",
        "In each residue from left to right: φ, ψ, ω, χ1, …",
        Chart::new(axes, marks).guided("MD of its length up to"),
    );
}

fn distribution(gallery: &mut Gallery, torsion: &TorsionReport) {
    let end = TURN.1 / torsion.kind.fold();
    let bin = 2.0 * end / TORSION_BINS as f64;
    let smooth = |counts: &Vec<f64>| around_turn(&shares(counts), KERNEL);
    let degrees = |index: usize| bin * (index as f64 + 0.5) - end;
    let mut marks = Vec::from_iter(band(&torsion.band, degrees));
    marks.extend(both(&torsion.histograms.each_ref().map(smooth), degrees));
    let measure = &torsion.measure;
    let verdict = measure
        .verdict
        .map_or(String::new(), |verdict| format!(": {}", verdict.word()));
    let words = format!(
        "JSD {}, floor {}{verdict}. One of the {SHOWN} torsions that are farthest beyond their \
         floors, or nearest to them. Smoothed by {:.1}°; {BAND}.",
        number(measure.value),
        floor(measure),
        KERNEL * bin
    );
    let axes = [
        Axis::fixed("angle, °", (-end, end)),
        Axis::fitted(format!("share of a bin of {bin:.1}°")),
    ];
    gallery.add(&torsion.label, &words, Chart::new(axes, marks));
}
