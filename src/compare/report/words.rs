//! What is wrong with a run, and where, in a sentence.

use super::table::number;
use crate::compare::floor::Measure;
use crate::compare::measures::{Findings, TorsionReport};
use crate::compare::verdict::{Verdict, excess};
use crate::compare::wells::names;

/// Measures and torsions that are named.
const NAMED: usize = 3;

/// Tells a run from MD, or says that nothing does.
pub(super) fn sentence(findings: &Findings) -> String {
    let judged: Vec<&Measure> = findings
        .measures
        .iter()
        .filter(|measure| measure.verdict.is_some())
        .collect();
    if judged.is_empty() {
        return "No verdict: the reference has too few frames to say how far MD would be from it."
            .to_owned();
    }
    let count = |wanted| {
        judged
            .iter()
            .filter(|measure| measure.verdict == Some(wanted))
            .count()
    };
    let (within, outside) = (count(Verdict::Within), outside(&judged));
    let torsions = torsions(&findings.angles.torsions);
    let all = judged.len();
    if outside.is_empty() && torsions.is_empty() {
        return format!(
            "Nothing tells this run from MD of its length: {within} of {all} measures are within \
             what such MD gives, and neither another measure nor any torsion is outside."
        );
    }
    let mut words = match outside.len() {
        0 => format!("No measure of the whole molecule is outside ({within} of {all} are within)."),
        some => format!(
            "{some} of {all} measures {} outside what MD of its length gives, farthest {}.",
            if some == 1 { "is" } else { "are" },
            outside
                .iter()
                .take(NAMED)
                .map(|measure| of_measure(measure, findings))
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    if !torsions.is_empty() {
        let named: Vec<String> = torsions.iter().take(NAMED).cloned().collect();
        let several = if torsions.len() == 1 {
            "is outside"
        } else {
            "are outside"
        };
        let farthest = if torsions.len() > NAMED {
            ", farthest"
        } else {
            ":"
        };
        let all = findings.angles.torsions.len();
        words += &format!(
            " {} of {all} single torsions {several}{farthest} {}.",
            torsions.len(),
            named.join("; ")
        );
    }
    words
}

/// Those outside, farthest first.
fn outside<'a>(measures: &[&'a Measure]) -> Vec<&'a Measure> {
    let mut found: Vec<&Measure> = measures
        .iter()
        .copied()
        .filter(|measure| measure.verdict == Some(Verdict::Outside))
        .collect();
    let far = |measure: &Measure| excess(measure).unwrap_or(f64::INFINITY);
    found.sort_by(|a, b| far(b).total_cmp(&far(a)));
    found
}

fn of_measure(measure: &Measure, findings: &Findings) -> String {
    let unit = if measure.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", measure.unit)
    };
    match (measure.run, measure.reference) {
        (Some(run), Some(reference)) => format!(
            "{} ({}{unit} in the run, {}{unit} in the reference{})",
            measure.label,
            number(Some(run)),
            number(Some(reference)),
            whose(measure, findings)
        ),
        _ => format!(
            "{} ({}, MD up to {})",
            measure.label,
            number(measure.value),
            number(measure.high)
        ),
    }
}

/// Which centres are inverted, for the measure that counts them.
fn whose(measure: &Measure, findings: &Findings) -> String {
    let centres = findings.inverted.iter().take(NAMED);
    let named: Vec<&str> = centres.map(|(label, _)| label.as_str()).collect();
    if measure.name == "chirality" && !named.is_empty() {
        format!(": {}", named.join(", "))
    } else {
        String::new()
    }
}

/// What is outside of each torsion, farthest first.
fn torsions(all: &[TorsionReport]) -> Vec<String> {
    let mut found: Vec<(f64, String)> = all.iter().filter_map(of_torsion).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, words)| words).collect()
}

/// What is outside of a torsion that says most, and how far it is.
fn of_torsion(torsion: &TorsionReport) -> Option<(f64, String)> {
    let measures: Vec<&Measure> = torsion.measures().collect();
    let found = outside(&measures);
    let far = excess(found.first()?)?;
    // shares, widths and times say more than a divergence
    let telling = found.iter().find(|measure| measure.name != "torsion_jsd");
    let measure = telling.unwrap_or(&found[0]);
    let [run, reference] = [
        measure.run.unwrap_or(f64::NAN),
        measure.reference.unwrap_or(f64::NAN),
    ];
    let well = names(torsion.kind)[torsion.well];
    let label = &torsion.label;
    let words = match measure.name.as_str() {
        "well_share" => format!(
            "{label} is {well} in {:.0} % of frames, in the reference in {:.0} %",
            100.0 * run,
            100.0 * reference
        ),
        "torsion_width" => format!(
            "{label} spreads by {run:.1}° within its wells, in the reference by {reference:.1}°"
        ),
        "decorrelation" => format!(
            "{label} forgets in {} ps, in the reference in {} ps",
            number(Some(run)),
            number(Some(reference))
        ),
        _ => format!(
            "{label} is distributed otherwise (JSD {}, MD up to {})",
            number(measure.value),
            number(measure.high)
        ),
    };
    Some((far, words))
}
