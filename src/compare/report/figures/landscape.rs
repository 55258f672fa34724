//! Slow motions: free energies, transitions, decorrelation times.

use super::{Gallery, largest_change, maps, shares};
use crate::compare::measures::{Dynamics, Landscape};
use crate::compare::report::Report;
use crate::compare::report::plots::{Axis, Bar, Chart, Mark, Shade, Tone};
use crate::compare::statistics::quantile;

/// Free energy at which a surface is as pale as paper, kT.
const PALE: f64 = 6.0;

pub(super) fn draw(gallery: &mut Gallery, report: &Report) {
    if let Some(found) = &report.findings.landscape {
        surfaces(gallery, found);
        transitions(gallery, found);
    }
    if let Some(found) = &report.findings.dynamics {
        times(gallery, found);
    }
}

fn surfaces(gallery: &mut Gallery, found: &Landscape) {
    // above each side's own minimum, kT; nothing where there are no frames
    let energies = found.surfaces.each_ref().map(|counts| {
        let shares = shares(counts);
        let most = shares.iter().copied().fold(0.0, f64::max);
        let energy = |share: &f64| {
            if *share > 0.0 {
                -(share / most).ln()
            } else {
                f64::NAN
            }
        };
        shares.iter().map(energy).collect::<Vec<f64>>()
    });
    let words = format!(
        "−ln(share of frames) above the fullest bin, in the plane of the reference’s two slowest \
         components, lag {} ps; frames beyond the reference are in the bins at the edge. The \
         difference is shown where both sides have frames.",
        found.lag
    );
    let axes = [
        Axis::fixed("slow component 1", found.ranges[0]),
        Axis::fixed("slow component 2", found.ranges[1]),
    ];
    gallery.three(
        "Free-energy surfaces",
        &words,
        maps(
            axes,
            energies.each_ref().map(Vec::as_slice),
            |tone| Bar {
                label: "free energy, kT".into(),
                range: (0.0, PALE),
                shade: Shade::Less(tone),
            },
            ("difference, kT", 0.5 * PALE),
        ),
    );
}

fn transitions(gallery: &mut Gallery, found: &Landscape) {
    let ends = (0.5, found.transitions[0].nrows() as f64 + 0.5);
    let rows = found.transitions.each_ref().map(|matrix| {
        let by_row = matrix.transpose();
        by_row.iter().copied().collect::<Vec<f64>>()
    });
    let [run, reference] = rows.each_ref().map(Vec::as_slice);
    let words = format!(
        "Probabilities of going from state to state in {} ps; the states are the reference’s, most \
         populated first.",
        found.lag
    );
    gallery.three(
        "Transitions",
        &words,
        maps(
            [
                Axis::fixed("from state", ends),
                Axis::fixed("to state", ends),
            ],
            [run, reference],
            |tone| Bar {
                label: "probability".into(),
                range: (0.0, 1.0),
                shade: Shade::More(tone, 1.0),
            },
            ("difference", largest_change([run, reference])),
        ),
    );
}

fn times(gallery: &mut Gallery, found: &Dynamics) {
    let pairs = found.times[1].iter().zip(&found.times[0]);
    let points: Vec<(f64, f64)> = pairs.map(|(x, y)| (x.log10(), y.log10())).collect();
    let all = points.iter().flat_map(|&(x, y)| [x, y]);
    let finite: Vec<f64> = all.filter(|value| value.is_finite()).collect();
    let ends = (quantile(&finite, 0.0) - 0.1, quantile(&finite, 1.0) + 0.1);
    let diagonal = Mark::Line(Tone::Guide, vec![(ends.0, ends.0), (ends.1, ends.1)]);
    let axes = [
        Axis::fixed("log₁₀ τ reference, ps", ends),
        Axis::fixed("log₁₀ τ run, ps", ends),
    ];
    gallery.add(
        "Decorrelation times",
        "Each dot a torsion.",
        Chart::new(axes, vec![diagonal, Mark::Dots(Tone::Run, 0.8, points)]).guided("as fast"),
    );
}
