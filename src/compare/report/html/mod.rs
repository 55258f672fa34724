//! The page: one self-contained HTML file, with everything inline.

pub(super) mod tables;

use std::fmt::Write;

use super::figures::Figure;
use super::provenance::{made, sequence};
use super::{Report, Side, molecule, view};
use crate::compare::floor::Measure;
use crate::compare::verdict::Verdict;
use crate::files::file_name;

/// Text as HTML has it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The page asks for nothing: neither scripts nor pictures nor fonts come from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src data: blob:";

/// The page up to its heading.
pub(super) fn head(heading: &str) -> String {
    let heading = escaped(heading);
    let style = include_str!("../style.css");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{heading}</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         <h1>{heading}</h1>\n"
    )
}

/// Names of the files of a side.
pub(super) fn name(side: &Side) -> String {
    let names: Vec<String> = side.files.iter().map(|path| file_name(path)).collect();
    names.join(", ")
}

/// The whole page.
pub(super) fn page(report: &Report, figures: Vec<Figure>) -> String {
    let heading = format!("{} against {}", name(&report.run), name(&report.reference));
    let mut page = head(&heading);
    let body = [
        facts(report),
        summary(report),
        tables::measures(&report.findings.measures),
        tables::torsions(report),
        view::section(report),
        tables::sampling(report),
        gallery(figures),
        definitions(&report.findings.measures),
        footer(&report.command, &report.date),
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
            "as close to the reference as MD of its length",
        ),
        (Verdict::Near, "farther, as one of so many measures may be"),
        (Verdict::Outside, "farther than any of MD"),
    ];
    let items: String = items
        .into_iter()
        .map(|entry| format!("<span>{}</span>", item(entry)))
        .collect();
    format!(
        "<p class=\"sentence\">{}</p>\n<p class=\"counts\">{items}</p>\n",
        escaped(&report.sentence())
    )
}

fn facts(report: &Report) -> String {
    let mut facts = vec![
        ("Molecule", molecule(report.looker)),
        ("Run", report.run.describe()),
        ("Reference", report.reference.describe()),
        ("Sequence", sequence(&report.looker.topology)),
    ];
    facts.extend(made(&report.run).map(|words| ("Run made by", words)));
    facts.extend(made(&report.reference).map(|words| ("Reference made by", words)));
    list(&facts, &report.notes)
}

/// Facts by name, and notes.
pub(super) fn list(facts: &[(&str, String)], notes: &[String]) -> String {
    let mut list = String::new();
    for (name, value) in facts {
        writeln!(list, "<dt>{name}</dt><dd>{}</dd>", escaped(value)).expect("writing to memory");
    }
    let notes: String = notes
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

/// All figures, section by section.
pub(super) fn gallery(figures: Vec<Figure>) -> String {
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
    let named = |place: usize, side: &str| {
        let svg = figure.panels[place].svg().unwrap_or_default();
        let svg = svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
        let label = format!(" role=\"img\" aria-label=\"{title}{side}\"");
        svg.replacen(" role=\"img\"", &label, 1)
    };
    let panel = |place: usize| match figure.sides.get(place) {
        Some(side) => format!(
            "<div><span>{side}</span>\n{}</div>\n",
            named(place, &format!(", {side}"))
        ),
        None => named(place, ""),
    };
    let class = if figure.sides.is_empty() {
        ""
    } else {
        " class=\"wide\""
    };
    let panels: String = (0..figure.panels.len()).map(panel).collect();
    format!(
        "<figure{class}>\n<div class=\"panels\">\n{panels}</div>\n\
         <figcaption><b>{title}</b>{}</figcaption>\n</figure>\n",
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

/// Where the page comes from.
pub(super) fn footer(command: &str, date: &str) -> String {
    let command = escaped(command);
    format!(
        "<p class=\"soft\">Made by mdsurrogate {} on {date}: <code>{command}</code><br>Every \
         figure lies beside this page as SVG and as CSV, in the folder figures; all numbers in \
         metrics.json.</p>\n",
        env!("CARGO_PKG_VERSION"),
    )
}
