//! The tables of the page.

use super::escaped;
use crate::compare::effort::Effort;
use crate::compare::floor::Measure;
use crate::compare::measures::TorsionReport;
use crate::compare::report::table::{floor, number, title};
use crate::compare::report::{Report, Side};
use crate::compare::resample::DRAWS;
use crate::compare::sampling::Sampling;
use crate::compare::verdict::{Verdict, excess};

fn verdict(measure: &Measure) -> String {
    measure.verdict.map_or("–".to_owned(), |verdict| {
        format!("<span class=\"verdict {0}\">{0}</span>", verdict.word())
    })
}

/// Cells of a row; a narrow screen shows each with its head, and those with nothing in them not at
/// all.
fn cells(heads: &[&str], cells: &[String]) -> String {
    let one = |(head, cell): (&&str, &String)| {
        let class = if cell == &number(None) {
            " class=\"none\""
        } else {
            ""
        };
        let short = head.split(" (").next().unwrap_or(head);
        format!("<td{class} data-head=\"{short}\">{cell}</td>")
    };
    heads.iter().zip(cells).map(one).collect()
}

/// A table; rows that begin a group carry its name.
pub(in crate::compare::report) fn rows(
    heads: &[&str],
    rows: impl Iterator<Item = (Option<&'static str>, Vec<String>)>,
) -> String {
    let head: String = heads
        .iter()
        .map(|head| format!("<th scope=\"col\">{head}</th>"))
        .collect();
    let group = |name: &str| {
        format!(
            "<tr class=\"group\"><th colspan=\"{}\" scope=\"rowgroup\">{name}</th></tr>\n",
            heads.len()
        )
    };
    let body: String = rows
        .map(|(name, row)| {
            format!(
                "{}<tr>{}</tr>\n",
                name.map(group).unwrap_or_default(),
                cells(heads, &row)
            )
        })
        .collect();
    format!("<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n")
}

/// The group that a measure belongs to.
fn section(name: &str) -> &'static str {
    match name {
        "next_frame_mse" => "Prediction",
        "bond_deviation" | "angle_deviation" | "clashes" | "chirality" | "valid_fraction" => {
            "Geometry"
        }
        "rmsd" | "radius_of_gyration" | "rmsf_r" | "rmsf_difference" | "pairwise_rmsd"
        | "pca_w2" => "Shape",
        "torsion_jsd" | "backbone_jsd" | "side_chain_jsd" | "omega_jsd" | "ramachandran_jsd"
        | "well_share" | "torsion_width" => "Torsions",
        "contacts"
        | "weak_contacts_j"
        | "exposed_j"
        | "side_chain_area"
        | "secondary_structure" => "Residues",
        _ => "Slow motions",
    }
}

pub(super) fn measures(measures: &[Measure]) -> String {
    let heads = [
        "Measure",
        "Run",
        "Reference",
        "Value",
        "Floor (95 % interval)",
        "A tenth of the MD",
        "Verdict",
    ];
    let mut group = "";
    let row = |measure: &Measure| {
        // the first of a group carries its name
        let name = section(&measure.name);
        let head = if std::mem::replace(&mut group, name) == name {
            None
        } else {
            Some(name)
        };
        let row = vec![
            escaped(&title(measure)),
            with_error(measure.run, measure.run_error),
            with_error(measure.reference, measure.reference_error),
            number(measure.value),
            floor(measure),
            number(measure.tenth),
            verdict(measure),
        ];
        (head, row)
    };
    format!(
        "<h2>Measures</h2>\n<p class=\"soft\">Each value is a distance between run and reference \
         (for r and J: a likeness). The floor is what MD as long as the run, with as many frames, \
         gives: median and 95 % interval of {DRAWS} draws from the reference. Within: no farther \
         than the upper end of the interval, or than a tolerance too small to matter (see the \
         definitions). Outside: so far that 95 % of MD runs like this one have none of their \
         measures there. “A tenth of the MD”: the same of a tenth of the reference.</p>\n{}",
        rows(&heads, measures.iter().map(row))
    )
}

/// A number with its standard error.
pub(in crate::compare::report) fn with_error(value: Option<f64>, error: Option<f64>) -> String {
    match error.filter(|error| *error > 0.0) {
        Some(error) if value.is_some() => format!("{} ± {error:.1$}", number(value), places(error)),
        _ => number(value),
    }
}

/// Digits behind the point of an error with two digits that count.
fn places(error: f64) -> usize {
    (1.0 - error.log10().floor()).clamp(0.0, 6.0) as usize
}

/// Effective sample sizes, and what they cost.
pub(super) fn sampling(report: &Report) -> String {
    let heads = [
        "",
        "Frames",
        "Effective samples, median",
        "Effective samples, fewest",
        "ns a processor-hour",
        "Effective samples a processor-hour",
        "Of the slowest",
    ];
    let sides = [("run", &report.run), ("reference", &report.reference)];
    let row = |((name, side), sampling): ((&str, &Side), &Sampling)| {
        let slowest = sampling.slowest();
        let fewest = slowest.map_or(number(None), |slowest| {
            format!(
                "{} ({})",
                number(Some(slowest.samples)),
                escaped(&slowest.label)
            )
        });
        let effort = |value: fn(&Effort) -> f64| number(side.effort.as_ref().map(value));
        let cells = vec![
            format!("<span class=\"{name}\">{name}</span>"),
            sampling.frames.to_string(),
            number(sampling.median),
            fewest,
            effort(|effort| effort.speed),
            effort(|effort| effort.effective_speed),
            effort(|effort| effort.slowest_speed),
        ];
        (None, cells)
    };
    let rows = rows(
        &heads,
        sides.into_iter().zip(&report.findings.sampling).map(row),
    );
    let words = report.gain().unwrap_or_else(|| {
        "The cost of a side is known where its summary (PREFIX.summary.json) lies beside it.".into()
    });
    format!(
        "<h2>How much of it is new</h2>\n<p class=\"soft\">Frames that repeat each other are no \
         sampling. Effective samples: frames over the statistical inefficiency of the RMSD, the \
         radius of gyration and every φ ψ χ (Chodera et al. 2007). {words}</p>\n{rows}"
    )
}

/// What is asked of single torsions, and is outside.
pub(super) fn torsions(report: &Report) -> String {
    let asked = |measure: &Measure| match measure.name.as_str() {
        "well_share" => "share of a well",
        "torsion_width" => "width in its wells, °",
        "decorrelation" => "decorrelation time, ps",
        _ => "distribution, JSD",
    };
    let each = &report.findings.angles.torsions;
    let mut outside: Vec<&Measure> = each
        .iter()
        .flat_map(TorsionReport::measures)
        .filter(|measure| measure.verdict == Some(Verdict::Outside))
        .collect();
    let far = |measure: &Measure| excess(measure).unwrap_or(f64::INFINITY);
    outside.sort_by(|a, b| far(b).total_cmp(&far(a)));
    let title = "<h2>Single torsions outside</h2>\n";
    let words = "<p class=\"soft\">Of every torsion are asked its distribution, the shares of its \
                 wells, its width within them, and how fast it forgets; outside is what is farther \
                 than any of these is in 95 % of MD runs.</p>\n";
    if outside.is_empty() {
        return format!("{title}{words}<p>None.</p>\n");
    }
    let heads = [
        "Torsion",
        "What",
        "Run",
        "Reference",
        "Value",
        "Floor (95 % interval)",
        "Verdict",
    ];
    let row = |measure: &&Measure| {
        let cells = vec![
            escaped(&measure.label),
            asked(measure).to_owned(),
            number(measure.run),
            number(measure.reference),
            number(measure.value),
            floor(measure),
            verdict(measure),
        ];
        (None, cells)
    };
    let shown = rows(&heads, outside.iter().take(SHOWN).map(row));
    let (all, torsions) = (outside.len(), each.len());
    format!("{title}{words}<p>{all}, of {torsions} torsions; the farthest:</p>\n{shown}")
}

/// Rows of that table.
const SHOWN: usize = 12;
