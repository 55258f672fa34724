//! The numbers of a run as lists for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{AnalysisReport, finite};
use crate::compare::fluctuation::temperature_factor;

fn quoted(words: &str) -> String {
    format!("\"{}\"", words.replace('"', "\"\""))
}

/// A number, or `n/a`.
fn number(value: Option<f64>) -> String {
    let known = value.filter(|value| value.is_finite());
    known.map_or("n/a".to_owned(), |value| value.to_string())
}

fn line(text: &mut String, cells: &[String]) {
    writeln!(text, "{}", cells.join(",")).expect("writing to memory");
}

/// A line a quantity: mean, spread, convergence.
pub(super) fn summary(report: &AnalysisReport) -> String {
    let mut text = "name,label,unit,mean,error,deviation,lowest,highest,samples,drifting_share,\
                    first_half,second_half,halves_errors,scale_reduction\n"
        .to_owned();
    let analysis = report.analysis;
    let known = &analysis.convergence.quantities;
    for (quantity, known) in analysis.quantities.iter().zip(known) {
        let meaning = quantity.meaning;
        let halves = known.halves;
        let cells = [
            meaning.name.to_owned(),
            quoted(meaning.label),
            meaning.unit.to_owned(),
            number(Some(known.mean)),
            number(known.estimate.map(|found| found.error)),
            number(Some(known.deviation)),
            number(Some(known.range[0])),
            number(Some(known.range[1])),
            number(known.estimate.map(|found| found.samples)),
            number(Some(known.drift.map_or(0.0, |(_, drift)| drift.share))),
            number(halves.map(|halves| halves.first)),
            number(halves.map(|halves| halves.second)),
            number(halves.map(|halves| halves.errors)),
            number(known.scale_reduction),
        ];
        line(&mut text, &cells);
    }
    text
}

/// A line a frame: every quantity, cluster, components.
pub(super) fn frames(report: &AnalysisReport) -> String {
    let analysis = report.analysis;
    let unit = if report.run.time_step.is_some() {
        "time (ps)"
    } else {
        "frame of the trajectory"
    };
    let mut heads = vec!["trajectory".to_owned(), unit.to_owned()];
    for quantity in &analysis.quantities {
        let meaning = quantity.meaning;
        let unit = if meaning.unit.is_empty() {
            String::new()
        } else {
            format!(" ({})", meaning.unit)
        };
        heads.push(format!("{}{unit}", meaning.name));
    }
    let more = ["cluster", "pc1 (Å)", "pc2 (Å)", "tic1", "tic2"];
    heads.extend(more.map(str::to_owned));
    let mut text = String::new();
    line(&mut text, &heads);
    for track in &analysis.tracks {
        for (&row, time) in track.rows.iter().zip(&track.times) {
            let mut cells = vec![(track.trajectory + 1).to_string(), time.to_string()];
            let values = analysis.quantities.iter();
            cells.extend(values.map(|quantity| number(Some(quantity.values[row]))));
            let cluster = analysis.clusters.assigned[row];
            cells.push(cluster.map_or("n/a".to_owned(), |cluster| (cluster + 1).to_string()));
            let planes = [
                analysis.principal.as_ref().map(|shape| shape.points[row]),
                analysis.slow.as_ref().map(|slow| slow.points[row]),
            ];
            for point in planes {
                cells.push(number(point.map(|point| point[0])));
                cells.push(number(point.map(|point| point[1])));
            }
            line(&mut text, &cells);
        }
    }
    text
}

/// What is known of each residue: label, RMSF of its Cα, helix, strand, side-chain area.
fn of_residues(report: &AnalysisReport) -> Vec<(String, [Option<f64>; 4])> {
    let found = &report.analysis.residues;
    let topology = &report.looker.topology;
    let mut rmsf = vec![None; topology.residues.len()];
    for (&atom, &value) in report.looker.trace.iter().zip(&found.rmsf) {
        if topology.atoms[atom].name == "CA" {
            rmsf[topology.atoms[atom].residue] = Some(value);
        }
    }
    let of = |residue: usize| {
        let shares = found.secondary[residue];
        let numbers = [
            rmsf[residue],
            Some(shares[0]),
            Some(shares[1]),
            finite(found.areas[residue]),
        ];
        (topology.residue_label(residue), numbers)
    };
    (0..topology.residues.len()).map(of).collect()
}

/// A line a residue.
pub(super) fn residues(report: &AnalysisReport) -> String {
    let mut text =
        "residue,rmsf of Cα (Å),B factor (Å²),helix,strand,side-chain area (Å²)\n".to_owned();
    for (label, [rmsf, helix, strand, area]) in of_residues(report) {
        let factor = rmsf.map(temperature_factor);
        let numbers = [rmsf, factor, helix, strand, area].map(number);
        line(&mut text, &[&[quoted(&label)], &numbers[..]].concat());
    }
    text
}

pub(super) fn residues_json(report: &AnalysisReport) -> Value {
    let one = |(label, [rmsf, helix, strand, area]): (String, [Option<f64>; 4])| {
        json!({
            "residue": label,
            "rmsf_A": rmsf,
            "b_factor_A2": rmsf.map(temperature_factor),
            "helix": helix,
            "strand": strand,
            "side_chain_area_A2": area,
        })
    };
    of_residues(report).into_iter().map(one).collect()
}

/// Residue pairs in contact in 1 % of the frames or more.
pub(super) fn contacts(report: &AnalysisReport) -> String {
    let topology = &report.looker.topology;
    let mut text = "residue,residue,share of frames\n".to_owned();
    for &(i, j, share) in &report.analysis.residues.contacts {
        let [one, other] = [i, j].map(|residue| quoted(&topology.residue_label(residue)));
        line(&mut text, &[one, other, share.to_string()]);
    }
    text
}

pub(super) fn contacts_json(report: &AnalysisReport) -> Value {
    let topology = &report.looker.topology;
    let found = report.analysis.residues.contacts.iter();
    let one = |&(i, j, share): &(usize, usize, f64)| {
        json!([topology.residue_label(i), topology.residue_label(j), share])
    };
    found.map(one).collect()
}

/// Hydrogen bonds in 1 % of the frames or more: donor, acceptor, share.
pub(super) fn bonds_of(report: &AnalysisReport) -> Vec<(String, String, f64)> {
    let topology = &report.looker.topology;
    let found = report.analysis.residues.hydrogen_bonds.iter();
    let label = |atom: u32| topology.atom_label(atom as usize);
    found
        .map(|&([donor, acceptor], share)| (label(donor), label(acceptor), share))
        .collect()
}

pub(super) fn bonds(report: &AnalysisReport) -> String {
    let mut text = "donor,acceptor,share of frames\n".to_owned();
    for (donor, acceptor, share) in bonds_of(report) {
        line(
            &mut text,
            &[quoted(&donor), quoted(&acceptor), share.to_string()],
        );
    }
    text
}

pub(super) fn bonds_json(report: &AnalysisReport) -> Value {
    let found = bonds_of(report).into_iter();
    let list: Value = found
        .map(|(donor, acceptor, share)| json!([donor, acceptor, share]))
        .collect();
    let definition = report.looker.hydrogen_bonds.as_ref();
    json!({
        "definition": definition.map(|bonds| bonds.definition()),
        "donor_acceptor_share": list,
    })
}
