//! Whether positions are those of a molecule in Å at all: what is looked at before any bond is
//! believed.

use std::collections::{HashMap, HashSet};

use super::conformers::Candidate;
use super::contacts::{At, distance};
use super::models::Model;
use super::perceive::LONGEST_PEPTIDE_BOND;
use super::severed::radius;
use super::source::Source;
use super::whole::Lattice;
use super::{Cell, Element};
use crate::error::Place;
use crate::{Error, Result};

/// Atoms closer than this are at one place, Å: no bond is half as short.
const ONE_PLACE: f64 = 0.1;
/// A bond of heavy atoms longer than this is none that minimisation mends, Å.
const ABSURD: f64 = 4.0;
/// The same of hydrogens, Å.
const ABSURD_HYDROGEN: f64 = 3.0;
/// Shares of their usual length that the median bond must be within.
const SCALE: std::ops::Range<f64> = 0.75..1.33;
/// Coordinates at or beyond this stand for an unknown position, Å.
const PLACEHOLDER: f64 = 999.0;

/// A bond inside a residue with its atoms' places and elements.
struct Inside {
    ends: [At; 2],
    is_heavy: bool,
    /// Sum of covalent radii, Å.
    usual: f64,
}

/// Refuses positions that are no molecule's: not in Å, placeholders, absurd bonds, two atoms at one
/// place. Molecules that a program broke over the border of its periodic cell are made whole: then
/// the cell's lattice is returned.
///
/// A crystal's cell is no periodic box: it counts only where bonds inside residues, or between
/// neighbours in the chain, run over its border.
///
/// # Errors
/// [`Error::Input`] naming the atom.
pub(super) fn examine(
    source: &Source,
    model: &Model,
    candidates: &mut [Candidate],
    cell: Option<Cell>,
) -> Result<Option<Lattice>> {
    let bonds: Vec<Inside> = candidates
        .iter()
        .enumerate()
        .flat_map(|(residue, candidate)| inside(residue, candidate))
        .collect();
    refuse_placeholders(source, model, candidates)?;
    refuse_scale(source, candidates, &bonds)?;
    let lattice = cell.and_then(|cell| Lattice::new(&cell));
    let lattice = lattice.filter(|lattice| is_wrapped(candidates, &bonds, lattice));
    if let Some(lattice) = &lattice {
        make_whole(candidates, &bonds, lattice);
    }
    refuse_one_place(source, model, candidates)?;
    refuse_absurd(source, model, candidates, &bonds)?;
    Ok(lattice)
}

fn inside(residue: usize, candidate: &Candidate) -> Vec<Inside> {
    let Some(family) = candidate.family.filter(|_| candidate.wanted) else {
        return Vec::new();
    };
    let bond = |(a, b): &(String, String)| {
        let elements = [family.elements[a], family.elements[b]];
        Some(Inside {
            ends: [(residue, candidate.site(a)?), (residue, candidate.site(b)?)],
            is_heavy: !elements.contains(&Element::H),
            usual: elements.map(radius).iter().sum(),
        })
    };
    family.bonds.iter().filter_map(bond).collect()
}

fn error(
    source: &Source,
    model: &Model,
    candidates: &[Candidate],
    at: At,
    what: String,
    hint: &str,
) -> Error {
    let candidate = &candidates[at.0];
    let line = model.rows[candidate.sites[at.1].row].line;
    source.error(line, Some(candidate.site_label(at.1)), what, hint)
}

/// Several atoms at exactly one place, or beyond any molecule, were never placed.
fn refuse_placeholders(source: &Source, model: &Model, candidates: &[Candidate]) -> Result<()> {
    let mut sites: Vec<At> = candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| candidate.family.is_some() && candidate.wanted)
        .flat_map(|(residue, candidate)| (0..candidate.sites.len()).map(move |at| (residue, at)))
        .filter(|&(residue, site)| candidates[residue].sites[site].own.is_some())
        .collect();
    let place = |&(residue, site): &At| {
        let at = candidates[residue].sites[site].at;
        [at.x, at.y, at.z].map(|value| (value * 1e3).round() as i64)
    };
    sites.sort_by_key(|at| (place(at), *at));
    for group in sites.chunk_by(|a, b| place(a) == place(b)) {
        let [x, y, z] = place(&group[0]).map(|value| value as f64 / 1e3);
        let is_mark = [x, y, z]
            .iter()
            .all(|value| *value == 0.0 || value.abs() >= PLACEHOLDER);
        // an atom that a file repeats exactly stands at one place with itself
        let is_several = group.iter().any(|at| {
            at.0 != group[0].0
                || candidates[at.0].sites[at.1].own != candidates[group[0].0].sites[group[0].1].own
        });
        if is_mark && is_several {
            let what = format!(
                "stands at ({x}, {y}, {z}) like {} other atoms: a placeholder, it was never placed",
                group.len() - 1
            );
            return Err(error(source, model, candidates, group[0], what, REBUILD));
        }
    }
    Ok(())
}

const REBUILD: &str =
    "give the atom its true position, or delete it: --fix builds side chains that lack atoms";

/// Least number of residues with absurd bonds that speak of a periodic box.
const SEVERAL: usize = 2;
const WRAPPED: &str = "several residues have such bonds: is the molecule broken over the border of \
                       a periodic box? make it whole (gmx trjconv -pbc whole, cpptraj autoimage), \
                       or give the box as CRYST1";

/// Refuses coordinates in nm, pm or bohr: all bonds are wrong by one factor.
fn refuse_scale(source: &Source, candidates: &[Candidate], bonds: &[Inside]) -> Result<()> {
    let mut shares: Vec<f64> = bonds
        .iter()
        .filter(|bond| bond.is_heavy)
        .map(|bond| distance(candidates, bond.ends) / bond.usual)
        .collect();
    if shares.len() < 3 {
        return Ok(());
    }
    shares.sort_by(f64::total_cmp);
    let median = shares[shares.len() / 2];
    if SCALE.contains(&median) || median == 0.0 {
        return Ok(());
    }
    let near = |factor: f64| (median / factor - 1.0).abs() <= 0.1;
    let (unit, hint) = if near(0.1) {
        (" (nm)", "multiply all coordinates by 10")
    } else if near(10.0) {
        ("", "divide all coordinates by 10")
    } else if near(100.0) {
        (" (pm)", "divide all coordinates by 100")
    } else if near(1.89) {
        (" (bohr)", "multiply all coordinates by 0.529177")
    } else if near(0.529) {
        ("", "divide all coordinates by 0.529177")
    } else {
        (
            "",
            "check the units and the columns of the coordinates; an average over frames is no \
             structure",
        )
    };
    let what = format!(
        "the coordinates are not in Å{unit}: bonds are {median:.3} times as long as they should be"
    );
    Err(Error::input(Place::file(&source.path), what, hint))
}

/// Whether bonds run over the border of the cell.
fn is_wrapped(candidates: &[Candidate], bonds: &[Inside], lattice: &Lattice) -> bool {
    let crosses = |[a, b]: [At; 2], longest: f64| {
        let at = |(residue, site): At| candidates[residue].sites[site].at;
        let apart = at(b) - at(a);
        apart.norm() > ABSURD && lattice.nearest(apart).norm() <= longest
    };
    bonds
        .iter()
        .any(|bond| crosses(bond.ends, LONGEST_PEPTIDE_BOND))
        || (1..candidates.len())
            .filter_map(|after| neighbours(candidates, after))
            .any(|ends| crosses(ends, 1.6))
}

/// C of the residue before and N of `after`, of one molecule.
fn neighbours(candidates: &[Candidate], after: usize) -> Option<[At; 2]> {
    let before = after - 1;
    let same = candidates[before].segment == candidates[after].segment;
    let [c, n] = [candidates[before].site("C")?, candidates[after].site("N")?];
    same.then_some([(before, c), (after, n)])
}

/// Moves atoms by lattice vectors until residues are whole and beside their neighbours.
fn make_whole(candidates: &mut [Candidate], bonds: &[Inside], lattice: &Lattice) {
    let mut bonds = bonds.iter().peekable();
    for residue in 0..candidates.len() {
        let mut own: Vec<[usize; 2]> = Vec::new();
        while let Some(bond) = bonds.next_if(|bond| bond.ends[0].0 == residue) {
            own.push(bond.ends.map(|(_, site)| site));
        }
        let anchor = residue
            .checked_sub(1)
            .and_then(|_| neighbours(candidates, residue));
        let start = anchor.map_or(0, |[_, (_, n)]| n);
        if let Some([(before, c), _]) = anchor {
            let from = candidates[before].sites[c].at;
            let site = &mut candidates[residue].sites[start];
            let apart = site.at - from;
            let nearest = lattice.nearest(apart);
            if nearest.norm() <= LONGEST_PEPTIDE_BOND {
                site.at = from + nearest;
            }
        }
        let sites = &mut candidates[residue].sites;
        let mut reached = vec![start];
        let mut next = 0;
        while next < reached.len() {
            let from = reached[next];
            next += 1;
            for bond in &own {
                let to = match *bond {
                    [a, b] if a == from => b,
                    [a, b] if b == from => a,
                    _ => continue,
                };
                if !reached.contains(&to) {
                    sites[to].at = sites[from].at + lattice.nearest(sites[to].at - sites[from].at);
                    reached.push(to);
                }
            }
        }
    }
}

/// Refuses the atom whose bonds are longest beyond all sense.
fn refuse_absurd(
    source: &Source,
    model: &Model,
    candidates: &[Candidate],
    bonds: &[Inside],
) -> Result<()> {
    let length = |bond: &Inside| distance(candidates, bond.ends);
    let limit = |bond: &Inside| {
        if bond.is_heavy {
            ABSURD
        } else {
            ABSURD_HYDROGEN
        }
    };
    let is_absurd = |bond: &&Inside| length(bond) > limit(bond);
    let Some(worst) = bonds.iter().filter(is_absurd).max_by(|a, b| {
        // a hydrogen goes with its heavy atom: it is not to blame
        let by_kind = a.is_heavy.cmp(&b.is_heavy);
        by_kind.then(length(a).total_cmp(&length(b)))
    }) else {
        return Ok(());
    };
    // to blame is the end of which most bonds are absurd
    let share = |end: At| {
        let own: Vec<&Inside> = bonds
            .iter()
            .filter(|bond| bond.ends.contains(&end))
            .collect();
        let bad = own.iter().filter(|bond| is_absurd(bond)).count();
        bad as f64 / own.len() as f64
    };
    let [a, b] = worst.ends;
    let (at, other) = if share(a) > share(b) { (a, b) } else { (b, a) };
    let value = candidates[at.0].sites[at.1].at;
    let is_mark = value
        .iter()
        .all(|value| *value == 0.0 || value.abs() >= PLACEHOLDER);
    let what = format!(
        "its bond to {} is {:.1} Å long{}",
        candidates[other.0].sites[other.1].raw,
        length(worst),
        if is_mark {
            ": its position is a placeholder"
        } else {
            ""
        }
    );
    // one atom is misplaced; several residues are those of a molecule that a periodic box cut
    let cut = bonds.iter().filter(|bond| bond.is_heavy && is_absurd(bond));
    let cut: HashSet<usize> = cut.map(|bond| bond.ends[0].0).collect();
    let hint = if cut.len() >= SEVERAL && !is_mark {
        WRAPPED
    } else {
        REBUILD
    };
    Err(error(source, model, candidates, at, what, hint))
}

/// Refuses two atoms at one place, found by a grid.
fn refuse_one_place(source: &Source, model: &Model, candidates: &[Candidate]) -> Result<()> {
    /// Edge of the grid's cells, Å: few atoms in each.
    const EDGE: f64 = 1.0;
    let mut cells: HashMap<[i32; 3], Vec<At>> = HashMap::new();
    for (residue, candidate) in candidates.iter().enumerate() {
        if candidate.family.is_none() || !candidate.wanted {
            continue;
        }
        let mut known: Vec<&str> = Vec::new();
        for (site, entry) in candidate.sites.iter().enumerate() {
            // a name that a residue has twice is read once
            let Some(own) = entry.own.filter(|own| !known.contains(own)) else {
                continue;
            };
            known.push(own);
            let here = (residue, site);
            let scaled = entry.at / EDGE;
            let [x, y, z] = [scaled.x, scaled.y, scaled.z].map(|value| value.floor() as i32);
            let around = (0..27).map(|n| [x + n / 9 - 1, y + n / 3 % 3 - 1, z + n % 3 - 1]);
            let twin = around
                .filter_map(|key| cells.get(&key))
                .flatten()
                .find(|&&other| distance(candidates, [other, here]) < ONE_PLACE);
            if let Some(&other) = twin {
                return Err(at_one_place(source, model, candidates, [other, here]));
            }
            cells.entry([x, y, z]).or_default().push(here);
        }
    }
    Ok(())
}

fn at_one_place(source: &Source, model: &Model, candidates: &[Candidate], ends: [At; 2]) -> Error {
    let row = |(residue, site): At| candidates[residue].sites[site].row;
    let [a, b] = ends;
    let (first, second) = if row(a) < row(b) { (a, b) } else { (b, a) };
    let line = match model.rows[row(first)].line {
        0 => String::new(), // of formats that say nothing of lines
        line => format!(" (line {line})"),
    };
    let what = format!(
        "lies {:.3} Å from {}{line}",
        distance(candidates, ends),
        candidates[first.0].site_label(first.1)
    );
    let hint = "delete one of the two atoms, or give them true positions";
    error(source, model, candidates, second, what, hint)
}
