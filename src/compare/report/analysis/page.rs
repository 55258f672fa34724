//! The page of a run by itself.

use super::{AnalysisReport, lists};
use crate::compare::analysis::convergence::Settling;
use crate::compare::analysis::quantities::{Meaning, Quantity};
use crate::compare::analysis::residues::FOLLOWED;
use crate::compare::report::figures::Figure;
use crate::compare::report::html::tables::{rows, with_error};
use crate::compare::report::html::{escaped, footer, gallery, head, list, name};
use crate::compare::report::molecule;
use crate::compare::report::provenance::{made, sequence};
use crate::compare::report::table::number;
use crate::compare::report::view::{Shown, scene};

/// The whole page.
pub(super) fn page(report: &AnalysisReport, figures: Vec<Figure>) -> String {
    let mut page = head(&name(&report.run));
    let sentence = escaped(&report.analysis.sentence());
    let body = [
        facts(report),
        format!("<p class=\"sentence\">{sentence}</p>\n"),
        quantities(report),
        view(report),
        clusters(report),
        gallery(figures),
        bonds(report),
        definitions(report),
        footer(&report.command, &report.date),
    ];
    page.extend(body);
    page.push_str("</body>\n</html>\n");
    page
}

fn facts(report: &AnalysisReport) -> String {
    let mut facts = vec![
        ("Molecule", molecule(report.looker)),
        ("Run", report.run.describe()),
        ("Sequence", sequence(&report.looker.topology)),
    ];
    facts.extend(made(&report.run).map(|words| ("Made by", words)));
    list(&facts, &report.notes)
}

/// A label with its unit.
fn title(meaning: Meaning) -> String {
    match meaning.unit {
        "" => meaning.label.to_owned(),
        unit => format!("{}, {unit}", meaning.label),
    }
}

fn quantities(report: &AnalysisReport) -> String {
    let heads = [
        "Quantity",
        "Mean",
        "Deviation",
        "Lowest",
        "Highest",
        "Effective samples",
        "Drifting at the start",
        "Halves (first, second)",
        "R̂",
    ];
    let row = |(quantity, known): (&Quantity, &Settling)| {
        let halves = known.halves.map_or(number(None), |halves| {
            let class = if halves.differ() { "outside" } else { "" };
            let [first, second] = [halves.first, halves.second].map(|mean| number(Some(mean)));
            format!("<span class=\"{class}\">{first}, {second}</span>")
        });
        let drift = known.drift.map_or(number(None), |(_, drift)| {
            format!(
                "<span class=\"outside\">{:.0} %</span>",
                100.0 * drift.share
            )
        });
        let cells = vec![
            escaped(&title(quantity.meaning)),
            with_error(Some(known.mean), known.estimate.map(|found| found.error)),
            number(Some(known.deviation)),
            number(Some(known.range[0])),
            number(Some(known.range[1])),
            number(known.estimate.map(|found| found.samples)),
            drift,
            halves,
            number(known.scale_reduction),
        ];
        (None, cells)
    };
    let analysis = report.analysis;
    let each = analysis
        .quantities
        .iter()
        .zip(&analysis.convergence.quantities);
    format!(
        "<h2>In numbers</h2>\n<p class=\"soft\">Means with standard errors from effective samples. \
         Coloured: a start that is unlike the rest, and halves that differ by more than three \
         standard errors of their difference. R̂ compares replicas: above 1.1 they differ by more \
         than each varies in time.</p>\n{}",
        rows(&heads, each.map(row))
    )
}

fn view(report: &AnalysisReport) -> String {
    let Some(viewer) = &report.viewer else {
        return String::new();
    };
    let rmsf = &report.analysis.residues.rmsf;
    let middles = report.representatives.of_clusters();
    let shown = [
        Shown {
            name: "frames",
            label: "frames, by RMSF",
            frames: &report.ensemble,
            rmsf,
            each: false,
        },
        Shown {
            name: "clusters",
            label: "middles of clusters",
            frames: &middles,
            rmsf,
            each: true,
        },
    ];
    let words = format!(
        "{} evenly spaced frames, superposed on the start structure, or the frame in the middle of \
         each cluster.",
        report.ensemble.len()
    );
    scene(viewer, report.looker, &words, "", &shown)
}

fn clusters(report: &AnalysisReport) -> String {
    let found = &report.analysis.clusters;
    let heads = ["Cluster", "Share of frames", "Middle"];
    let shares = found.shares();
    let row = |(place, share): (usize, &f64)| {
        let number = place + 1;
        let cells = vec![
            format!(
                "<i class=\"swatch\" style=\"background: var(--cluster-{number})\"></i>{number}"
            ),
            format!("{:.1} %", 100.0 * share),
            escaped(&report.representatives.words(number)),
        ];
        (None, cells)
    };
    let rest = match found.left_over() {
        rest if rest > 0.0005 => format!(" {:.1} % are in none of them.", 100.0 * rest),
        _ => String::new(),
    };
    let spread = match found.pairwise {
        mean if mean.is_finite() => format!(" The mean RMSD of two frames is {mean:.2} Å."),
        _ => String::new(),
    };
    format!(
        "<h2>Clusters</h2>\n<p class=\"soft\">Frames within {} Å RMSD of the one in the middle, \
         largest cluster first (Daura et al. 1999); --cutoff sets it.{rest}{spread} The middles \
         are models of clusters.pdb; rmsf.pdb is the frame nearest to the mean, with the RMSF as \
         temperature factors.</p>\n{}",
        found.cutoff,
        rows(&heads, shares.iter().enumerate().map(row))
    )
}

fn bonds(report: &AnalysisReport) -> String {
    let found = lists::bonds_of(report);
    let definition = report.looker.hydrogen_bonds.as_ref();
    let words = definition.map_or("", |bonds| bonds.definition());
    let heads = ["Hydrogen bond", "Donor", "Acceptor", "Share of frames"];
    let row = |(place, (donor, acceptor, share)): (usize, &(String, String, f64))| {
        let cells = vec![
            (place + 1).to_string(),
            escaped(donor),
            escaped(acceptor),
            format!("{:.1} %", 100.0 * share),
        ];
        (None, cells)
    };
    let shown = found.len().min(FOLLOWED);
    let table = if found.is_empty() {
        "<p>None.</p>\n".to_owned()
    } else {
        rows(&heads, found.iter().enumerate().take(FOLLOWED).map(row))
    };
    format!(
        "<h2>Hydrogen bonds</h2>\n<p class=\"soft\">{}. {shown} of {}, the commonest; all in \
         hydrogen_bonds.csv.</p>\n{table}",
        escaped(words),
        found.len()
    )
}

fn definitions(report: &AnalysisReport) -> String {
    let mut list = String::new();
    for quantity in &report.analysis.quantities {
        let Meaning { label, source, .. } = quantity.meaning;
        list += &format!("<dt>{}</dt><dd>{}.</dd>\n", escaped(label), escaped(source));
    }
    let more = [
        (
            "Effective samples",
            "frames over the statistical inefficiency (Chodera et al. 2007, as pymbar)",
        ),
        (
            "Drifting at the start",
            "the start that leaves most effective samples behind it (Chodera 2016, as pymbar), \
             where its mean is more than 4.5 standard errors from that of the rest",
        ),
        (
            "R̂",
            "potential scale reduction over replicas (Gelman & Rubin 1992)",
        ),
        (
            "B factors of rmsf.pdb",
            "8π²/3·RMSF² of each residue’s Cα (of each heavy atom of small molecules)",
        ),
    ];
    for (name, words) in more {
        list += &format!("<dt>{name}</dt><dd>{}.</dd>\n", escaped(words));
    }
    format!("<h2>Definitions</h2>\n<dl class=\"definitions\">\n{list}</dl>\n")
}
