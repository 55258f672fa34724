//! Residues of a model with one of their alternative locations chosen.

use std::collections::HashSet;

use nalgebra::Vector3;

use super::models::{Model, is_hydrogen};
use super::residues::{Family, family};
use super::source::Source;
use super::{Element, ReadOptions};
use crate::{Error, Result};

/// An atom of a [`Candidate`].
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// Name in the file.
    pub raw: String,
    /// Name in its residue's template, where it has one.
    pub own: Option<&'static str>,
    pub element: Option<Element>,
    /// Å
    pub at: Vector3<f64>,
    /// Formal charge, where the file has one that is not 0.
    pub charge: Option<i8>,
    /// Its place in [`Model::rows`].
    pub row: usize,
}

impl Site {
    pub fn is_hydrogen(&self) -> bool {
        is_hydrogen(self.own.unwrap_or(&self.raw), self.element)
    }
}

/// A residue of the file, of which it is to be found out whether it is part of the protein.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub chain: String,
    /// Index of its molecule in [`Model::segments`].
    pub segment: usize,
    /// Place of its first atom in the file.
    pub order: usize,
    pub number: isize,
    pub insertion: Option<char>,
    pub hetero: bool,
    pub polymer: Option<bool>,
    /// Whether the user wants its chain.
    pub wanted: bool,
    /// As the file has it.
    pub name: String,
    /// Template that its atoms are matched against; none: it cannot be part of the protein.
    pub family: Option<&'static Family>,
    /// Our name, where the file's does not say the charge state and something else does.
    pub form: Option<&'static str>,
    pub sites: Vec<Site>,
    pub has_alternatives: bool,
    /// Names of other residues that alternative locations of it are.
    pub also: Vec<String>,
}

impl Candidate {
    /// `A:LYS 27`, as the user knows it.
    pub fn label(&self) -> String {
        let colon = if self.chain.is_empty() { "" } else { ":" };
        let insertion = self.insertion.map(String::from).unwrap_or_default();
        format!(
            "{}{colon}{} {}{insertion}",
            self.chain, self.name, self.number
        )
    }

    /// `A:LYS 27:CG`
    pub fn site_label(&self, site: usize) -> String {
        format!("{}:{}", self.label(), self.sites[site].raw)
    }

    /// The atom with this name in the template.
    pub fn site(&self, own: &str) -> Option<usize> {
        self.sites.iter().position(|site| site.own == Some(own))
    }
}

/// All residues of a model, molecule by molecule. Names and templates are the file's still.
pub(super) fn candidates(model: &Model, altloc: Option<char>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::with_capacity(model.residues.len());
    for id in &model.residues {
        let Some(&first) = id.rows.first() else {
            continue;
        };
        let (name, rows, has_alternatives) = choose(model, &id.rows, altloc);
        let site = |&row: &usize| {
            let entry = &model.rows[row];
            Site {
                raw: entry.name.clone(),
                own: None,
                element: entry.element,
                at: entry.position,
                charge: entry.charge,
                row,
            }
        };
        found.push(Candidate {
            chain: model.segments[id.segment].clone(),
            segment: id.segment,
            order: first,
            number: id.number,
            insertion: id.insertion,
            hetero: id.hetero,
            polymer: id.polymer,
            wanted: true,
            name: name.to_owned(),
            family: family(name),
            form: None,
            sites: rows.iter().map(site).collect(),
            has_alternatives,
            also: also(model, &id.rows, name),
        });
    }
    found.sort_by_key(|candidate| (candidate.segment, candidate.order));
    found
}

/// Names beside `name` that the rows of a residue have.
fn also(model: &Model, rows: &[usize], name: &str) -> Vec<String> {
    let mut names: Vec<String> = rows
        .iter()
        .map(|&row| model.rows[row].residue.clone())
        .filter(|other| other != name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// An alternative location, the residue's name there, its rows.
type Location<'a> = (char, &'a str, Vec<usize>);

/// Rows of a residue by alternative location and name, and those without a location.
fn by_location<'a>(model: &'a Model, rows: &[usize]) -> (Vec<Location<'a>>, Vec<usize>) {
    let mut groups: Vec<Location<'a>> = Vec::new();
    let mut chosen = Vec::new();
    for &row in rows {
        let entry = &model.rows[row];
        let Some(altloc) = entry.altloc else {
            chosen.push(row);
            continue;
        };
        let same =
            |group: &&mut Location<'_>| group.0 == altloc && group.1 == entry.residue.as_str();
        match groups.iter_mut().find(same) {
            Some(group) => group.2.push(row),
            None => groups.push((altloc, &entry.residue, vec![row])),
        }
    }
    (groups, chosen)
}

/// Name and rows of a residue at the wanted alternative location, else at that whose heavy atoms
/// have the highest mean occupancy (the one with most of them, the first of equals), and whether
/// there are several. Atoms that the chosen location lacks come from the others, best first: a
/// residue may have A and B in one place, C and D in another. But hydrogens of another location
/// come only where the heavy atom that they are nearest to is chosen.
fn choose<'a>(
    model: &'a Model,
    rows: &[usize],
    wanted: Option<char>,
) -> (&'a str, Vec<usize>, bool) {
    let (mut groups, mut chosen) = by_location(model, rows);
    groups.sort_by(|a, b| {
        let [(a, in_a), (b, in_b)] = [a, b].map(|group| score(model, group, wanted));
        b.total_cmp(&a).then(in_b.cmp(&in_a))
    });
    let several = groups.len() > 1;
    let Some(&(_, name, _)) = groups.first() else {
        return (model.rows[rows[0]].residue.as_str(), chosen, several);
    };
    let mut known: HashSet<&str> = HashSet::new();
    let mut is_first = true;
    for (_, _, own) in groups.iter().filter(|group| group.1 == name) {
        let new = own
            .iter()
            .filter(|&&row| !known.contains(model.rows[row].name.as_str()));
        let (mut new, hydrogens): (Vec<usize>, Vec<usize>) =
            new.copied().partition(|&row| is_heavy(model, row));
        for row in hydrogens {
            let holder = nearest_heavy(model, rows, row);
            let is_read = |holder: usize| chosen.contains(&holder) || new.contains(&holder);
            if is_first || holder.is_some_and(is_read) {
                new.push(row);
            }
        }
        is_first = false;
        let both = chosen.iter().chain(&new);
        known.extend(both.map(|&row| model.rows[row].name.as_str()));
        chosen.extend(new);
    }
    chosen.sort_unstable();
    (name, chosen, several)
}

fn is_heavy(model: &Model, row: usize) -> bool {
    let row = &model.rows[row];
    !is_hydrogen(&row.name, row.element)
}

/// The heavy atom of these rows that is nearest to another row.
fn nearest_heavy(model: &Model, rows: &[usize], row: usize) -> Option<usize> {
    let here = model.rows[row].position;
    let apart = |other: usize| (model.rows[other].position - here).norm();
    let heavy = rows.iter().copied().filter(|&row| is_heavy(model, row));
    heavy.min_by(|&a, &b| apart(a).total_cmp(&apart(b)))
}

/// How an alternative location ranks: by the wish for it, its mean occupancy, its heavy atoms.
/// Hydrogens may have another occupancy than what they are bonded to.
fn score(model: &Model, (altloc, _, rows): &Location<'_>, wanted: Option<char>) -> (f64, usize) {
    let mut heavy = rows.clone();
    heavy.retain(|&row| is_heavy(model, row));
    if wanted == Some(*altloc) {
        return (f64::INFINITY, heavy.len());
    }
    let counted = if heavy.is_empty() { rows } else { &heavy };
    let sum: f64 = counted.iter().map(|&row| model.rows[row].occupancy).sum();
    (sum / counted.len() as f64, heavy.len())
}

/// Refuses an alternative location that the model does not have.
///
/// # Errors
/// [`Error::Usage`] with those that it has.
pub(super) fn check_altloc(source: &Source, model: &Model, options: &ReadOptions) -> Result<()> {
    let Some(wanted) = options.altloc else {
        return Ok(());
    };
    let mut known: Vec<char> = model.rows.iter().filter_map(|row| row.altloc).collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&wanted) {
        return Ok(());
    }
    let hint = if known.is_empty() {
        "leave --altloc out: the file has no alternative locations".to_owned()
    } else {
        let known: Vec<String> = known.into_iter().map(String::from).collect();
        format!("--altloc with one of {}", known.join(", "))
    };
    Err(Error::usage(
        format!(
            "{} has no alternative location `{wanted}`",
            source.path.display()
        ),
        hint,
    ))
}
