//! What a model does, case by case: the model card on a page, and what goes with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::board::leaderboard;
use super::case::{CaseReport, measures_of};
use super::table::{duration, markdown, number};
use crate::compare::floor::Measure;
use crate::compare::rollout::Outcome;
use crate::compare::verdict::{Verdict, excess};
use crate::network::Header;
use crate::task::Task;

/// What `validate` writes of a model.
pub struct Card {
    /// One page: what the model is, what was measured, where it holds and where it does not.
    pub page: String,
    /// Every measure of every molecule.
    pub measures: String,
    /// Hashes of its weights and of the files that it was trained on, as `sha256sum` writes them.
    pub hashes: String,
}

/// The card of a model of some name. `command` is what measured it, `beside` the names of the files
/// of all measures and of hashes.
pub fn card(
    name: &str,
    (header, parameters): (&Header, usize),
    cases: &[CaseReport],
    command: &str,
    beside: [&str; 2],
) -> Card {
    let made = &header.provenance;
    let mut hashes = format!("{}  {name}\n", header.sha256);
    for file in &made.data {
        writeln!(hashes, "{}  {}", file.sha256, file.name).expect("writing to memory");
    }
    let mut measures = format!("# Every measure of {name}\n\nMade by `{command}`; do not edit.\n");
    for case in cases {
        measures += &section(case);
    }
    Card {
        page: page(name, (header, parameters), cases, command, beside),
        measures,
        hashes,
    }
}

fn page(
    name: &str,
    (header, parameters): (&Header, usize),
    cases: &[CaseReport],
    command: &str,
    [measures, hashes]: [&str; 2],
) -> String {
    let made = &header.provenance;
    let mut text = format!(
        "# {name}\n\nMade by `{command}`; do not edit.\n\n## What it is\n\n| | |\n|---|---|\n"
    );
    let known = |value: Option<String>| value.unwrap_or_else(|| "not known".into());
    let lines = [
        (
            "answers",
            Task::of(header).map_or_else(|error| error.to_string(), |task| task.to_string()),
        ),
        ("parameters", parameters.to_string()),
        ("trained on", made.summary.clone()),
        (
            "temperature",
            known(made.temperature.map(|kelvin| format!("{kelvin} K"))),
        ),
        ("training", made.training()),
        ("validation loss", known(made.loss())),
        ("hashes", format!("of weights and data: `{hashes}`")),
    ];
    for (what, value) in lines {
        writeln!(text, "| {what} | {} |", value.replace('|', "\\|")).expect("writing to memory");
    }
    write!(
        text,
        "\n## Measured\n\nBeside each value stands what MD as long as the rollouts, with as many \
         frames, gives (the floor), or MD itself. Compared are the second halves of the rollouts; \
         speed is that of the machine that measured. Definitions: `docs/measures.md`; every \
         measure of every molecule: `{measures}`.\n\n{}\n## Where it holds, and where not\n\n",
        markdown(&leaderboard(cases))
    )
    .expect("writing to memory");
    text += &often_outside(cases);
    text += &beyond(cases, header);
    text
}

/// Measures that are outside of what MD gives, with the number of molecules of which they are.
fn often_outside(cases: &[CaseReport]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for label in cases.iter().flat_map(|case| case.with(Verdict::Outside)) {
        *counts.entry(label).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let listed: Vec<String> = counts
        .iter()
        .map(|(label, count)| format!("{label} ({count})"))
        .collect();
    let listed = if listed.is_empty() {
        "none".to_owned()
    } else {
        listed.join("; ")
    };
    let all = cases.len();
    format!("- Outside of what MD gives, with the number of molecules, of {all}: {listed}.\n")
}

/// All that was found of a case.
fn section(case: &CaseReport) -> String {
    let notes: String = case
        .outcome
        .notes
        .iter()
        .map(|note| format!("- {note}\n"))
        .collect();
    format!(
        "\n## {}\n\n{}\n\n{}\n{}{notes}",
        case.name,
        setting(case),
        markdown(&measures_of(case)),
        verdict_of(case),
    )
}

/// How a case was run, in a sentence or two.
fn setting(case: &CaseReport) -> String {
    let Outcome {
        chains,
        jumps,
        lag_time,
        reference_time,
        valid_by_fifth,
        ..
    } = &case.outcome;
    let fifths: Vec<String> = valid_by_fifth
        .iter()
        .map(|share| number(Some(100.0 * share)))
        .collect();
    let against = reference_time.map_or("a reference of unknown times".to_owned(), |time| {
        format!("{} of reference MD", duration(time))
    });
    let each = duration(lag_time * *jumps as f64);
    let note = if case.note.is_empty() {
        String::new()
    } else {
        format!(" {}", case.note)
    };
    format!(
        "{chains} rollouts of {jumps} jumps ({each} each) against {against}. Valid frames by \
         fifths of the rollouts: {} %.{note}",
        fifths.join(", ")
    )
}

/// Where the model is as good as the reference on a case, and where it is not.
fn verdict_of(case: &CaseReport) -> String {
    let list = |verdict: Verdict| {
        let labels = case.with(verdict);
        if labels.is_empty() {
            "nothing".to_owned()
        } else {
            labels.join("; ")
        }
    };
    let mut text = format!(
        "- Within the floor: {}. Near it: {}. Outside: {}.",
        list(Verdict::Within),
        list(Verdict::Near),
        list(Verdict::Outside)
    );
    let better = |m: &&Measure| {
        m.value
            .zip(m.tenth)
            .is_some_and(|(value, tenth)| m.name.ends_with("_jsd") && value <= tenth)
    };
    let closer: Vec<&str> = case
        .outcome
        .measures
        .iter()
        .filter(better)
        .map(|m| m.label.as_str())
        .collect();
    if !closer.is_empty() {
        write!(
            text,
            " Closer than a tenth of the MD: {}.",
            closer.join("; ")
        )
        .expect("writing to memory");
    }
    text += &single_torsions(case);
    match case.outcome.lost {
        0 => text += "\n",
        lost => writeln!(
            text,
            " {lost} of {} rollouts left finite numbers.",
            case.outcome.chains
        )
        .expect("writing to memory"),
    }
    text
}

/// Torsions of which something is outside, the farthest by name; nothing where none is.
fn single_torsions(case: &CaseReport) -> String {
    let labels = |wanted: &dyn Fn(&&Measure) -> bool| -> BTreeSet<&str> {
        let some = case.outcome.torsions.iter().filter(wanted);
        some.map(|measure| measure.label.as_str()).collect()
    };
    let is_outside = |measure: &&Measure| measure.verdict == Some(Verdict::Outside);
    let (outside, all) = (labels(&is_outside).len(), labels(&|_| true).len());
    if outside == 0 {
        return String::new();
    }
    let mut worst: Vec<&Measure> = case.outcome.torsions.iter().filter(is_outside).collect();
    let far = |measure: &Measure| excess(measure).unwrap_or(0.0);
    worst.sort_by(|a, b| far(b).total_cmp(&far(a)));
    let named: Vec<String> = worst
        .iter()
        .take(3)
        .map(|m| format!("{} {} {}", m.label, m.name, number(m.value)))
        .collect();
    format!(
        " {outside} of {all} torsions have something outside, farthest {}.",
        named.join(", ")
    )
}

/// What nothing is known of.
fn beyond(cases: &[CaseReport], header: &Header) -> String {
    let systems = header.provenance.systems.len();
    let trained = if systems == 0 {
        "what is not known".to_owned()
    } else {
        format!("{systems} molecules (`mdsurrogate model info` lists them)")
    };
    format!(
        "- It was trained on {trained} and tried on the {} of the table; every other molecule, \
         temperature and solvent is an extrapolation that nobody has measured. Tumbling and \
         diffusion of the whole molecule are not sampled.\n",
        cases.len()
    )
}
