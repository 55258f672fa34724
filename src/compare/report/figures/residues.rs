//! Contacts, secondary structure and surface by residue.

use super::{BAND, Gallery, band, both, pair_squares};
use crate::compare::report::Report;
use crate::compare::report::plots::{Axis, Bar, Chart, Mark, Shade, Tone};

pub(super) fn draw(gallery: &mut Gallery, report: &Report) {
    contacts(gallery, report);
    let found = &report.findings.residues;
    let place = |index: usize| index as f64 + 1.0;
    for (class, title) in [(0, "Helix"), (1, "Strand")] {
        let of = |side: usize| {
            found.secondary[side]
                .iter()
                .map(|share| share[class])
                .collect()
        };
        let shares: [Vec<f64>; 2] = [of(0), of(1)];
        if shares.iter().flatten().all(|&share| share <= 0.0) {
            continue;
        }
        let ends: Vec<[f64; 2]> = found
            .secondary_band
            .iter()
            .skip(class)
            .step_by(3)
            .copied()
            .collect();
        let mut marks = Vec::from_iter(band(&ends, place));
        marks.extend(both(&shares, place));
        let axes = [
            Axis::fitted("residue, in sequence"),
            Axis::fixed("share of frames", (0.0, 1.02)),
        ];
        let words =
            format!("Share of frames in which a residue is so by its hydrogen bonds; {BAND}.");
        gallery.add(title, &words, Chart::new(axes, marks));
    }
    let axes = [
        Axis::fitted("residue, in sequence"),
        Axis::fitted("area, Å²"),
    ];
    gallery.add(
        "Side-chain surface",
        "Mean solvent-accessible area of each side chain.",
        Chart::new(axes, both(&found.areas, place)),
    );
}

/// Probabilities of run and reference on either side of the diagonal, and their difference.
fn contacts(gallery: &mut Gallery, report: &Report) {
    let contacts = &report.findings.residues.contacts;
    let residues = report.looker.topology.residues.len();
    let ends = (0.5, residues as f64 + 0.5);
    let axes = || {
        [
            Axis::fixed("residue, in sequence", ends),
            Axis::fixed("residue, in sequence", ends),
        ]
    };
    let bar = |tone: Tone| Bar {
        label: "probability".into(),
        range: (0.0, 1.0),
        // by their roots, so that seldom ones can be seen too
        shade: Shade::More(tone, 0.5),
    };
    let of_side = |side: usize| {
        contacts
            .iter()
            .map(move |&(i, j, shares)| (i, j, shares[side]))
    };
    let mut marks = vec![Mark::Line(
        Tone::Guide,
        vec![(ends.0, ends.0), (ends.1, ends.1)],
    )];
    marks.extend(bar(Tone::Reference).cells(pair_squares(of_side(1), residues)));
    let below = of_side(0).map(|(i, j, share)| (j, i, share));
    marks.extend(bar(Tone::Run).cells(pair_squares(below, residues)));
    gallery.add(
        "Contacts",
        "Residues three or more apart that are in contact: reference above the diagonal, run \
         below.",
        Chart::new(axes(), marks).barred(bar(Tone::Guide)),
    );
    let changes = contacts
        .iter()
        .map(|&(i, j, [run, reference])| (i, j, run - reference));
    let most = changes
        .clone()
        .map(|(.., change)| change.abs())
        .fold(0.0, f64::max)
        .max(1e-6);
    let bar = Bar {
        label: "difference".into(),
        range: (-most, most),
        shade: Shade::Difference,
    };
    let both_ways = changes.flat_map(|(i, j, change)| [(i, j, change), (j, i, change)]);
    let marks = bar.cells(pair_squares(both_ways, residues));
    gallery.add(
        "Contacts, difference",
        "Probability of each contact in the run less that in the reference.",
        Chart::new(axes(), marks).barred(bar),
    );
}
