//! The page: one self-contained HTML file, with everything inline.

use std::fmt::Write;

use super::figures::{Figure, figures};
use super::table::{floor, number, title};
use super::{Report, Side};
use crate::compare::blocks::BLOCKS;
use crate::compare::floor::{DEALS, Measure, Verdict};
use crate::files::file_name;

/// Text as HTML has it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let mut page = String::new();
    let name = |side: &Side| {
        side.files
            .iter()
            .map(|path| file_name(path))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let heading = format!("{} against {}", name(&report.run), name(&report.reference));
    let head = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
        escaped(&heading),
        include_str!("style.css"),
    );
    page.push_str(&head);
    let body = [
        format!("<h1>{}</h1>\n", escaped(&heading)),
        facts(report),
        summary(report),
        measures(&report.findings.measures),
        torsions(report),
        gallery(figures(report)),
        definitions(&report.findings.measures),
        footer(report),
    ];
    page.extend(body);
    page.push_str("</body>\n</html>\n");
    page
}

fn summary(report: &Report) -> String {
    let count = |wanted| {
        report
            .findings
            .measures
            .iter()
            .filter(|measure| measure.verdict == Some(wanted))
            .count()
    };
    let item = |(verdict, words): (Verdict, &str)| {
        format!(
            "<span class=\"verdict {}\">{} {}</span> <span class=\"soft\">{words}</span>",
            verdict.word(),
            count(verdict),
            verdict.word()
        )
    };
    let items = [
        (
            Verdict::Within,
            "as close to the reference as it is to itself",
        ),
        (Verdict::Near, "up to twice as far"),
        (Verdict::Outside, "farther"),
    ];
    let items: String = items
        .into_iter()
        .map(|entry| format!("<span>{}</span>", item(entry)))
        .collect();
    format!(
        "<p class=\"counts\">{items}</p>\n\
         <p>In every figure: <span class=\"run\">run</span>, <span class=\"reference\">reference</span> (the broad, pale line).</p>\n",
    )
}

fn facts(report: &Report) -> String {
    let mut list = String::new();
    let mut fact = |name: &str, value: String| {
        writeln!(list, "<dt>{name}</dt><dd>{}</dd>", escaped(&value)).expect("writing to memory")
    };
    fact("Molecule", report.molecule());
    fact("Run", report.run.describe());
    fact("Reference", report.reference.describe());
    let notes: String = report
        .notes
        .iter()
        .map(|note| format!("<li>{}</li>\n", escaped(note)))
        .collect();
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!("<ul>\n{notes}</ul>\n")
    };
    format!("<dl>\n{list}</dl>\n{notes}")
}

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
fn rows(heads: &[&str], rows: impl Iterator<Item = (Option<&'static str>, Vec<String>)>) -> String {
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
        "torsion_jsd" | "backbone_jsd" | "side_chain_jsd" | "omega_jsd" | "ramachandran_jsd" => {
            "Torsions"
        }
        "contacts"
        | "weak_contacts_j"
        | "exposed_j"
        | "side_chain_area"
        | "secondary_structure" => "Residues",
        _ => "Slow motions",
    }
}

fn measures(measures: &[Measure]) -> String {
    let with_pieces = measures.iter().any(|measure| measure.same_length.is_some());
    let mut heads = vec![
        "Measure",
        "Run",
        "Reference",
        "Value",
        "Floor (95 % interval)",
        "A tenth of the MD",
        "Verdict",
    ];
    if with_pieces {
        heads.insert(5, "MD as long as the run");
    }
    let mut group = "";
    let row = |measure: &Measure| {
        // the first of a group carries its name
        let name = section(&measure.name);
        let head = if std::mem::replace(&mut group, name) == name {
            None
        } else {
            Some(name)
        };
        let mut row = vec![
            escaped(&title(measure)),
            number(measure.run),
            number(measure.reference),
            number(measure.value),
            floor(measure),
        ];
        if with_pieces {
            row.push(number(measure.same_length));
        }
        row.push(number(measure.tenth));
        row.push(verdict(measure));
        (head, row)
    };
    let pieces = " “MD as long as the run”: the same measure of pieces of the reference of the run’s length, against the rest (a short run \
                  cannot come as close as a long one).";
    format!(
        "<h2>Measures</h2>\n<p class=\"soft\">Each value is a distance between run and reference (for r and J: a likeness). The floor is \
         the same measure between the halves of the reference, its interval from dealing about {BLOCKS} blocks of it into two halves \
         {DEALS} times. Within: no farther than the upper end of the interval, or than a tolerance too small to matter (see the \
         definitions).{} “A tenth of the MD”: the same of a tenth of the reference.</p>\n{}",
        if with_pieces { pieces } else { "" },
        rows(&heads, measures.iter().map(row))
    )
}

/// The torsions that differ most, of those outside their floors.
fn torsions(report: &Report) -> String {
    let mut outside: Vec<&Measure> = report
        .findings
        .angles
        .torsions
        .iter()
        .map(|torsion| &torsion.measure)
        .filter(|m| m.verdict == Some(Verdict::Outside))
        .collect();
    outside.sort_by(|a, b| b.value.unwrap_or(0.0).total_cmp(&a.value.unwrap_or(0.0)));
    if outside.is_empty() {
        return "<h2>Torsions outside their floors</h2>\n<p>None of them.</p>\n".to_owned();
    }
    let all = report.findings.angles.torsions.len();
    let heads = ["Torsion", "JSD", "Floor (95 % interval)", "Verdict"];
    let row = |measure: &&Measure| {
        (
            None,
            vec![
                escaped(&measure.label),
                number(measure.value),
                floor(measure),
                verdict(measure),
            ],
        )
    };
    let shown = rows(&heads, outside.iter().take(12).map(row));
    format!(
        "<h2>Torsions outside their floors</h2>\n<p>{} of {all}; the farthest:</p>\n{shown}",
        outside.len()
    )
}

fn gallery(figures: Vec<Figure>) -> String {
    let mut text = String::new();
    for section in figures.chunk_by(|a, b| a.section == b.section) {
        let figures: String = section.iter().map(figure).collect();
        write!(
            text,
            "<h2>{}</h2>\n<div class=\"figures\">\n{figures}</div>\n",
            section[0].section
        )
        .expect("writing to memory");
    }
    text
}

fn figure(figure: &Figure) -> String {
    let title = escaped(&figure.title);
    // for those who hear the page: what a drawing shows, and of which side
    let named = |svg: &String, side: &str| {
        svg.replacen(
            " role=\"img\"",
            &format!(" role=\"img\" aria-label=\"{title}{side}\""),
            1,
        )
    };
    let (class, panels) = match &figure.panels[..] {
        [run, reference] => {
            let panel = |svg, side: &str| {
                format!(
                    "<div><span class=\"{side}\">{side}</span>\n{}</div>\n",
                    named(svg, &format!(", {side}"))
                )
            };
            (
                " class=\"pair\"",
                panel(run, "run") + &panel(reference, "reference"),
            )
        }
        panels => ("", panels.iter().map(|svg| named(svg, "")).collect()),
    };
    format!(
        "<figure{class}>\n<div class=\"panels\">\n{panels}</div>\n<figcaption><b>{title}</b>{}</figcaption>\n</figure>\n",
        escaped(&figure.words)
    )
}

fn definitions(measures: &[Measure]) -> String {
    let one = |measure: &Measure| {
        let unit = if measure.unit.is_empty() {
            String::new()
        } else {
            format!(" {}", measure.unit)
        };
        let tolerance = if measure.tolerance > 0.0 {
            format!(". Tolerance: {}{unit}", measure.tolerance)
        } else {
            String::new()
        };
        let words = escaped(&format!("{}{tolerance}.", measure.source));
        format!("<dt>{}</dt><dd>{words}</dd>\n", escaped(&measure.label))
    };
    let list: String = measures.iter().map(one).collect();
    format!("<h2>Definitions</h2>\n<dl class=\"definitions\">\n{list}</dl>\n")
}

fn footer(report: &Report) -> String {
    let command = escaped(&report.command);
    format!(
        "<p class=\"soft\">Made by mdsurrogate {}: <code>{command}</code></p>\n",
        env!("CARGO_PKG_VERSION")
    )
}
