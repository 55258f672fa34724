//! What a model does, case by case: the leaderboard of `validate`, and the model card.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use super::table::{duration, floor, markdown, number, title};
use crate::compare::floor::Measure;
use crate::compare::rollout::Outcome;
use crate::compare::verdict::{Verdict, excess};
use crate::network::Header;
use crate::task::Task;

/// One molecule that a model was tried on.
#[derive(Debug, Clone, Serialize)]
pub struct CaseReport {
    /// Its name in the list of cases.
    pub name: String,
    /// What is to be known of it: where the reference comes from, whether the model has seen it.
    pub note: String,
    /// What came out.
    pub outcome: Outcome,
}

impl CaseReport {
    fn measure(&self, name: &str) -> Option<&Measure> {
        self.outcome
            .measures
            .iter()
            .find(|measure| measure.name == name)
    }

    /// Titles of the measures with a verdict.
    fn with(&self, verdict: Verdict) -> Vec<&str> {
        self.outcome
            .measures
            .iter()
            .filter(|measure| measure.verdict == Some(verdict))
            .map(|measure| measure.label.as_str())
            .collect()
    }
}

/// Measures of the leaderboard, with their heads.
const BOARD: [(&str, &str); 7] = [
    ("torsion_jsd", "torsion JSD"),
    ("ramachandran_jsd", "Ramachandran JSD"),
    ("rmsf_r", "RMSF r"),
    ("pairwise_rmsd", "Δ pairwise RMSD, Å"),
    ("contacts", "contacts"),
    ("tica_jsd", "TICA JSD"),
    ("decorrelation", "decorrelation, |ln ratio|"),
];

/// The leaderboard: a row a case. Measures are `value / floor / a tenth of the MD`.
pub fn leaderboard(cases: &[CaseReport]) -> Vec<Vec<String>> {
    let mut heads = vec!["case", "valid frames", "bonds, Å (MD)"];
    heads.extend(BOARD.iter().map(|(_, head)| *head));
    heads.extend(["within, near, outside", "ns/day"]);
    let row = |case: &CaseReport| {
        let share = |name: &str| {
            case.measure(name)
                .map_or((None, None), |measure| (measure.run, measure.reference))
        };
        let (bonds, bonds_of_md) = share("bond_deviation");
        let valid = case.outcome.valid_by_fifth.iter().sum::<f64>() / 5.0;
        let valid = if valid.is_finite() {
            format!("{:.2} %", 100.0 * valid)
        } else {
            number(None)
        };
        let mut row = vec![
            case.name.clone(),
            valid,
            format!("{} ({})", number(bonds), number(bonds_of_md)),
        ];
        row.extend(BOARD.iter().map(|(name, _)| {
            case.measure(name).map_or_else(
                || number(None),
                |m| [m.value, m.floor, m.tenth].map(number).join(" / "),
            )
        }));
        row.push(
            [Verdict::Within, Verdict::Near, Verdict::Outside]
                .map(|verdict| case.with(verdict).len().to_string())
                .join(", "),
        );
        row.push(number(Some(case.outcome.ns_per_day)));
        row
    };
    std::iter::once(heads.into_iter().map(str::to_owned).collect())
        .chain(cases.iter().map(row))
        .collect()
}

/// All measures of a case: a row a measure.
pub fn measures_of(case: &CaseReport) -> Vec<Vec<String>> {
    let heads = [
        "measure",
        "model",
        "MD",
        "value",
        "floor (95 %)",
        "MD, a tenth",
        "verdict",
    ]
    .map(str::to_owned);
    let row = |m: &Measure| {
        let verdict = m.verdict.map_or("", Verdict::word).to_owned();
        let [run, reference, value, tenth] = [m.run, m.reference, m.value, m.tenth].map(number);
        vec![title(m), run, reference, value, floor(m), tenth, verdict]
    };
    std::iter::once(heads.to_vec())
        .chain(case.outcome.measures.iter().map(row))
        .collect()
}

/// A model card in Markdown: what the model is and was trained on, what was measured, where it
/// holds and where it does not. `command` is what measured it.
pub fn card(
    name: &str,
    header: &Header,
    parameters: usize,
    cases: &[CaseReport],
    command: &str,
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
        ("weights", format!("SHA-256 `{}`", header.sha256)),
    ];
    let data = made
        .data
        .iter()
        .map(|file| ("data", format!("{}, SHA-256 `{}`", file.name, file.sha256)));
    for (what, value) in lines.into_iter().chain(data) {
        writeln!(text, "| {what} | {} |", value.replace('|', "\\|")).expect("writing to memory");
    }
    text += "\n## Measured\n\nMeasures stand as value / floor / the same of a tenth of the \
             reference MD. The floor is what MD as long as the rollouts, with as many frames, \
             gives. Compared are the second halves of the rollouts. Definitions: \
             `docs/measures.md`.\n\n";
    text += &markdown(&leaderboard(cases));
    text += "\n## Where it holds, and where not\n\n";
    cases.iter().for_each(|case| text += &verdict_of(case));
    text += &beyond(cases, header);
    for case in cases {
        write!(
            text,
            "\n## {}\n\n{}\n\n{}",
            case.name,
            setting(case),
            markdown(&measures_of(case))
        )
        .expect("writing to memory");
        let notes: String = case
            .outcome
            .notes
            .iter()
            .map(|note| format!("- {note}\n"))
            .collect();
        text += &if notes.is_empty() {
            String::new()
        } else {
            format!("\n{notes}")
        };
    }
    text
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
        "- **{}**: within the floor: {}. Near it: {}. Outside: {}.",
        case.name,
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

fn beyond(cases: &[CaseReport], header: &Header) -> String {
    let systems = &header.provenance.systems;
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let trained = if systems.is_empty() {
        "what is not known".to_owned()
    } else {
        systems.join(", ")
    };
    format!(
        "- It was trained on {trained} and tried on {}; every other molecule, temperature and \
         solvent is an extrapolation that nobody has \
         measured. Tumbling and diffusion of the whole molecule are not sampled.\n",
        names.join(", ")
    )
}
