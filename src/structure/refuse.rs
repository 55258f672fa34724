//! Bonds of the protein that no force field here has: refused by the names of both atoms.

use std::collections::HashSet;

use super::conformers::Candidate;
use super::contacts::{At, Contact};
use super::declared::Record;
use super::identify::element_of;
use super::models::Model;
use super::perceive::{Bonds, LONGEST_PEPTIDE_BOND};
use super::severed::is_metal;
use super::source::Source;
use crate::{Error, Result};

/// Longest bond of a carbon to nitrogen or oxygen between residues, Å; to sulfur 0.25 Å more.
const LONGEST_LINK: f64 = 1.75;

/// Refuses links between side chains (isopeptides, esters, thioethers): ff14SB has no charges for
/// them. Where the user is `lenient` they are no bonds, and one line each says so.
///
/// # Errors
/// [`Error::Input`] naming both atoms and their distance.
pub(super) fn cross_links(
    source: &Source,
    model: &Model,
    candidates: &[Candidate],
    contacts: &[Contact],
    bonds: &Bonds,
    lenient: bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<String>> {
    let mut passed_over = Vec::new();
    for contact in contacts {
        let is_part =
            |&(residue, _): &At| candidates[residue].family.is_some() && candidates[residue].wanted;
        if !contact.ends.iter().all(is_part) || bonds.joins(contact.ends) {
            continue;
        }
        let [a, b] = contact.ends;
        let reach = longest_link(candidates, [a, b]);
        let links = |open: bool| {
            let one =
                |x, y| is_nucleophile(candidates, x, bonds) && is_acyl(candidates, y, bonds, open);
            contact.distance <= reach && (one(a, b) || one(b, a))
        };
        let is_link = match contact.declared {
            Some(Record::Conect) => links(false),
            Some(_) => contact.distance <= 2.2,
            None => links(true),
        };
        if is_link && lenient {
            let bond = contact.label(candidates);
            passed_over.push(format!("{bond}: a bond between side chains is not taken"));
            continue;
        }
        if is_link {
            let row = &model.rows[candidates[b.0].sites[b.1].row];
            let what = format!(
                "a bond that ff14SB has no parameters for: {}",
                contact.label(candidates)
            );
            return Err(source.error(
                row.line,
                Some(candidates[b.0].site_label(b.1)),
                what,
                "leave one of the two chains out with --chains, \
                 or model both residues without the bond",
            ));
        }
        let sulfurs = [a, b]
            .iter()
            .all(|&(r, s)| candidates[r].sites[s].own == Some("SG"));
        if contact.declared.unwrap_or(Record::Conect) != Record::Conect && !sulfurs {
            warnings.push(format!(
                "{}: declared, but not taken: too far apart for a bond",
                contact.label(candidates)
            ));
        }
    }
    Ok(passed_over)
}

/// How far apart, Å, the ends of a link may be.
fn longest_link(candidates: &[Candidate], ends: [At; 2]) -> f64 {
    if has_sulfur(candidates, ends) {
        LONGEST_LINK + 0.25
    } else {
        LONGEST_LINK
    }
}

fn has_sulfur(candidates: &[Candidate], ends: [At; 2]) -> bool {
    let name = |(residue, site): At| candidates[residue].sites[site].own;
    ends.iter().any(|&end| name(end) == Some("SG"))
}

/// Atoms of proteins that are found bonded to carbonyl carbons of others.
fn is_nucleophile(candidates: &[Candidate], at: At, bonds: &Bonds) -> bool {
    let name = candidates[at.0].sites[at.1].own;
    let knows = ["N", "NZ", "SG", "OG", "OG1", "OH", "ND1", "NE2"];
    name.is_some_and(|name| knows.contains(&name)) && !bonds.holds(at)
}

/// Carbonyl carbons that can hold such an atom; `open`: that lack one of their two partners.
fn is_acyl(candidates: &[Candidate], at: At, bonds: &Bonds, open: bool) -> bool {
    let candidate = &candidates[at.0];
    let family = candidate.family.map_or("", |family| family.name.as_str());
    let partners: &[&str] = match (candidate.sites[at.1].own, family) {
        (Some("C"), _) => &["O", "OXT"],
        (Some("CG"), "ASP" | "ASN") => &["OD1", "OD2", "ND2"],
        (Some("CD"), "GLU" | "GLN") => &["OE1", "OE2", "NE2"],
        _ => return false,
    };
    let there = partners
        .iter()
        .filter(|name| candidate.site(name).is_some());
    !bonds.holds(at) && (!open || there.count() < 2)
}

/// A residue without template that is bonded to the backbone cannot be left out; where the user is
/// `lenient` it is, and one line each says so.
///
/// # Errors
/// [`Error::Input`] naming the residue, and the one that it is made from where that is known.
pub(super) fn unknown_in_chain(
    source: &Source,
    model: &Model,
    candidates: &[Candidate],
    contacts: &[Contact],
    bonds: &Bonds,
    lenient: bool,
) -> Result<Vec<String>> {
    let mut passed_over: Vec<String> = Vec::new();
    let held: HashSet<At> = bonds.peptides.iter().flat_map(|bond| bond.ends).collect();
    let is_open = |at: At| {
        let candidate = &candidates[at.0];
        let name = candidate.sites[at.1].own;
        let is_end = name == Some("N") || name == Some("C") && candidate.site("OXT").is_none();
        candidate.wanted && candidate.family.is_some() && is_end && !held.contains(&at)
    };
    for contact in contacts {
        let [a, b] = contact.ends;
        let unknown = match [is_open(a), is_open(b)] {
            [true, false] => b,
            [false, true] => a,
            _ => continue,
        };
        let candidate = &candidates[unknown.0];
        let metal = element_of(candidate, unknown.1).is_some_and(is_metal);
        if candidate.family.is_some() || metal {
            continue;
        }
        let follows = a.0 + 1 == b.0 && candidates[a.0].segment == candidates[b.0].segment;
        if contact.distance
            <= if follows {
                LONGEST_PEPTIDE_BOND
            } else {
                LONGEST_LINK
            }
        {
            if !lenient {
                return Err(without_template(source, model, candidate, unknown.1));
            }
            let label = candidate.label();
            let line = format!("{label}: a residue without template is left out of its chain");
            if !passed_over.contains(&line) {
                passed_over.push(line);
            }
        }
    }
    Ok(passed_over)
}

fn without_template(source: &Source, model: &Model, candidate: &Candidate, site: usize) -> Error {
    let hint = match parent(&candidate.name) {
        Some(parent) => format!(
            "rename the residue to {parent} and delete its extra atoms, \
             or leave the chain out with --chains"
        ),
        None => "model the residue as one of the twenty amino acids, \
                 or leave its chain out with --chains"
            .to_owned(),
    };
    let what = format!(
        "the chain holds {}, a residue without template",
        candidate.name
    );
    let line = model.rows[candidate.sites[site].row].line;
    source.error(line, Some(candidate.label()), what, hint)
}

/// The amino acid that a common modified residue was made from.
fn parent(name: &str) -> Option<&'static str> {
    let parents: [(&str, &[&str]); 13] = [
        ("SER", &["SEP", "SAC", "OAS", "OLS"]),
        ("THR", &["TPO", "ALO", "OLT"]),
        ("TYR", &["PTR", "TYS", "TPQ"]),
        (
            "CYS",
            &[
                "CSO", "CSD", "CME", "OCS", "CSS", "CAS", "SMC", "CSX", "SEC", "CSE", "CSP",
            ],
        ),
        ("LYS", &["MLY", "M3L", "MLZ", "ALY", "KCX", "LLP"]),
        ("MET", &["FME", "MHO", "SME"]),
        ("HIS", &["HIC", "MHS", "NEP"]),
        ("ASN", &["NLN", "MEN"]),
        ("LEU", &["MLE"]),
        ("TRP", &["0AF", "TRQ"]),
        ("PRO", &["HY3"]),
        ("ARG", &["AGM", "2MR", "DA2"]),
        ("GLU", &["PCA", "CGU"]),
    ];
    parents
        .iter()
        .find(|(_, modified)| modified.contains(&name))
        .map(|(parent, _)| *parent)
}
