//! The page: one self-contained HTML file, with everything inline.

use std::fmt::Write;

use super::figures::{Figure, figures};
use super::table::{floor, number, title};
use super::{Report, Side};
use crate::compare::floor::{BLOCKS, DEALS, Measure, Verdict};

/// Text as HTML has it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let mut page = String::new();
    let name = |side: &Side| side.files.iter().map(|path| file_name(path)).collect::<Vec<_>>().join(", ");
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
        summary(report),
        facts(report),
        measures(&report.findings.measures),
        torsions(report),
        gallery(figures(report)),
        definitions(&report.findings.measures),
        footer(),
    ];
    page.extend(body);
    page.push_str("</body>\n</html>\n");
    page
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn summary(report: &Report) -> String {
    let count = |wanted| report.findings.measures.iter().filter(|measure| measure.verdict == Some(wanted)).count();
    let item = |(verdict, words): (Verdict, &str)| {
        format!(
            "<span class=\"verdict {}\">{} {}</span> <span class=\"soft\">{words}</span>",
            verdict.word(),
            count(verdict),
            verdict.word()
        )
    };
    let items = [
        (Verdict::Within, "as close to the reference as it is to itself"),
        (Verdict::Near, "up to twice as far"),
        (Verdict::Outside, "farther"),
    ];
    let items: String = items.into_iter().map(|entry| format!("<span>{}</span>", item(entry))).collect();
    format!(
        "<p class=\"counts\">{items}</p>\n\
         <p>In every figure: <span class=\"run\">run</span>, <span class=\"reference\">reference</span>.</p>\n",
    )
}

fn facts(report: &Report) -> String {
    let mut list = String::new();
    let mut fact = |name: &str, value: String| writeln!(list, "<dt>{name}</dt><dd>{}</dd>", escaped(&value)).expect("writing to memory");
    fact("Molecule", report.molecule());
    fact("Run", report.run.describe());
    fact("Reference", report.reference.describe());
    let notes: String = report.notes.iter().map(|note| format!("<li>{}</li>\n", escaped(note))).collect();
    let notes = if notes.is_empty() { String::new() } else { format!("<ul>\n{notes}</ul>\n") };
    format!("<dl>\n{list}</dl>\n{notes}")
}

fn verdict(measure: &Measure) -> String {
    measure.verdict.map_or("–".to_owned(), |verdict| format!("<span class=\"verdict {0}\">{0}</span>", verdict.word()))
}

/// Cells of a row; a narrow screen shows each with its head, and those with nothing in them not at all.
fn cells(heads: &[&str], cells: &[String]) -> String {
    let one = |(head, cell): (&&str, &String)| {
        let class = if cell == &number(None) { " class=\"none\"" } else { "" };
        let short = head.split(" (").next().unwrap_or(head);
        format!("<td{class} data-head=\"{short}\">{cell}</td>")
    };
    heads.iter().zip(cells).map(one).collect()
}

fn rows(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let body: String = rows.map(|row| format!("<tr>{}</tr>\n", cells(heads, &row))).collect();
    format!("<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n")
}

fn measures(measures: &[Measure]) -> String {
    let with_pieces = measures.iter().any(|measure| measure.same_length.is_some());
    let mut heads = vec!["Measure", "Run", "Reference", "Value", "Floor (95 % interval)", "Verdict"];
    if with_pieces {
        heads.insert(5, "Pieces as long as the run");
    }
    let row = |measure: &Measure| {
        let mut row = vec![escaped(&title(measure)), number(measure.run), number(measure.reference), number(measure.value), floor(measure)];
        if with_pieces {
            row.push(number(measure.same_length));
        }
        row.push(verdict(measure));
        row
    };
    let pieces = " A run shorter than half of the reference also stands beside reference pieces of its own length, against the rest.";
    format!(
        "<h2>Measures</h2>\n<p class=\"soft\">Each value is a distance between run and reference (for r and J: a likeness). The floor is \
         the same measure between the halves of the reference, its interval from dealing about {BLOCKS} blocks of it into two halves \
         {DEALS} times.{}</p>\n{}",
        if with_pieces { pieces } else { "" },
        rows(&heads, measures.iter().map(row))
    )
}

/// The torsions that differ most, of those outside their floors.
fn torsions(report: &Report) -> String {
    let mut outside: Vec<&Measure> =
        report.findings.angles.torsions.iter().map(|torsion| &torsion.measure).filter(|m| m.verdict == Some(Verdict::Outside)).collect();
    outside.sort_by(|a, b| b.value.unwrap_or(0.0).total_cmp(&a.value.unwrap_or(0.0)));
    if outside.is_empty() {
        return "<h2>Torsions</h2>\n<p>No torsion is outside its floor.</p>\n".to_owned();
    }
    let all = report.findings.angles.torsions.len();
    let heads = ["Torsion", "JSD", "Floor (95 % interval)", "Verdict"];
    let row = |measure: &&Measure| vec![escaped(&measure.label), number(measure.value), floor(measure), verdict(measure)];
    let shown = rows(&heads, outside.iter().take(12).map(row));
    format!("<h2>Torsions</h2>\n<p>{} of {all} torsions are outside their floors; the farthest:</p>\n{shown}", outside.len())
}

fn gallery(figures: Vec<Figure>) -> String {
    let one = |figure: Figure| {
        let class = if figure.panels.len() > 1 { " class=\"pair\"" } else { "" };
        format!(
            "<figure{class}>\n<div class=\"panels\">\n{}</div>\n<figcaption><b>{}</b>{}</figcaption>\n</figure>\n",
            figure.panels.concat(),
            escaped(&figure.title),
            escaped(&figure.words)
        )
    };
    format!("<h2>Figures</h2>\n<div class=\"figures\">\n{}</div>\n", figures.into_iter().map(one).collect::<String>())
}

fn definitions(measures: &[Measure]) -> String {
    let one = |measure: &Measure| format!("<dt>{}</dt><dd>{}</dd>\n", escaped(&measure.label), escaped(&measure.source));
    let list: String = measures.iter().map(one).collect();
    format!("<h2>Definitions</h2>\n<dl class=\"definitions\">\n{list}</dl>\n")
}

fn footer() -> String {
    format!("<p class=\"soft\">Made by mdsurrogate {} <code>compare</code>.</p>\n", env!("CARGO_PKG_VERSION"))
}
