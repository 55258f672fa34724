//! Atoms of the file under the names of their residue's template.

use super::Element;
use super::conformers::{Candidate, Site};
use super::residues::Family;

/// Longest bond of a hydrogen, Å: C–H is 1.09, S–H 1.34.
const LONGEST_HYDROGEN_BOND: f64 = 1.45;

/// Distance from which a hydrogen is not bonded to the atom that its name says, Å.
const FAR_FROM_ITS_ATOM: f64 = 1.8;

/// Atoms whose hydrogens tell charge states apart, with the names of those.
const TITRATABLE: [(&str, &[&str]); 10] = [
    ("N", &["H1", "H2", "H3", "H"]),
    ("ND1", &["HD1"]),
    ("NE2", &["HE2"]),
    ("NZ", &["HZ1", "HZ2", "HZ3"]),
    ("SG", &["HG"]),
    ("OH", &["HH"]),
    ("OD1", &["HD2"]),
    ("OD2", &["HD2"]),
    ("OE1", &["HE2"]),
    ("OE2", &["HE2"]),
];

/// Gives every atom of a residue its template's name, where it has one; what that changes in the
/// meaning of the file goes to `warnings`.
pub(super) fn identify(candidate: &mut Candidate, warnings: &mut Vec<String>) {
    let Some(family) = candidate.family else {
        return;
    };
    let raw = |name: &str| family.atom_name(name);
    let has = |wanted: &str| {
        let mut sites = candidate.sites.iter();
        sites.any(|site| raw(&site.raw) == Some(wanted))
    };
    // many programs call the hydrogens of a chain's first nitrogen H, H2, H3: their H is our H1
    let first_is_h = has("H2") && has("H3") && !has("H1");
    let is_selenium = candidate.name == "MSE";
    for site in &mut candidate.sites {
        site.own = match site.raw.as_str() {
            "SE" if is_selenium => Some("SD"),
            "H" if first_is_h => Some("H1"),
            name => raw(name),
        };
    }
    if is_selenium {
        warnings.push(format!(
            "{}: selenomethionine is read as methionine",
            candidate.label()
        ));
    }
    unname_end_proton(candidate);
    let misplaced = misplaced_hydrogens(candidate, family);
    for &index in &misplaced {
        candidate.sites[index].own = None;
    }
    name_charged_hydrogens(candidate, family);
    for index in misplaced {
        rename_hydrogen(candidate, family, index);
    }
    match family.name.as_str() {
        "ASP" => turn_acid(candidate, ["OD1", "OD2"], "HD2", warnings),
        "GLU" => turn_acid(candidate, ["OE1", "OE2"], "HE2", warnings),
        _ => {}
    }
    leave_out_end_proton(candidate, warnings);
}

/// The heavy atom that a hydrogen is bonded to: the nearest.
fn holder(candidate: &Candidate, hydrogen: usize) -> Option<&'static str> {
    let at = candidate.sites[hydrogen].at;
    let heavy = candidate.sites.iter().filter(|site| !site.is_hydrogen());
    let nearest = heavy
        .map(|site| ((site.at - at).norm(), site.own))
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    nearest.1.filter(|_| nearest.0 <= LONGEST_HYDROGEN_BOND)
}

/// CHARMM calls the proton of a neutral C-terminus as one of the first nitrogen (HT2): it is no
/// such hydrogen.
fn unname_end_proton(candidate: &mut Candidate) {
    for index in 0..candidate.sites.len() {
        let is_first = matches!(candidate.sites[index].own, Some("H1" | "H2" | "H3"));
        if is_first && matches!(holder(candidate, index), Some("O" | "OXT")) {
            candidate.sites[index].own = None;
        }
    }
}

/// Names of what is bonded to an atom in any form of its residue.
fn bonded_to<'a>(
    family: &'static Family,
    name: &'a str,
) -> impl Iterator<Item = &'static str> + 'a {
    family.bonds.iter().filter_map(move |(a, b)| match name {
        _ if a == name => Some(b.as_str()),
        _ if b == name => Some(a.as_str()),
        _ => None,
    })
}

/// Hydrogens that are bonded to another atom of their residue than the one that their name says:
/// names of the two sides of an aromatic ring are exchanged in some files, while the atoms are
/// right.
fn misplaced_hydrogens(candidate: &Candidate, family: &'static Family) -> Vec<usize> {
    let is_misplaced = |&index: &usize| {
        let site = &candidate.sites[index];
        let Some(name) = site.own.filter(|_| site.is_hydrogen()) else {
            return false;
        };
        let said = bonded_to(family, name).next();
        let is_far =
            |other: usize| (candidate.sites[other].at - site.at).norm() > FAR_FROM_ITS_ATOM;
        let apart = said
            .and_then(|said| candidate.site(said))
            .is_some_and(is_far);
        apart && holder(candidate, index).is_some_and(|holder| said.is_some_and(|x| x != holder))
    };
    (0..candidate.sites.len()).filter(is_misplaced).collect()
}

/// Gives a hydrogen without a name a free one of those that its heavy atom's hydrogens have.
fn rename_hydrogen(candidate: &mut Candidate, family: &'static Family, index: usize) {
    let Some(holder) = holder(candidate, index).filter(|_| candidate.sites[index].own.is_none())
    else {
        return;
    };
    let mut free = bonded_to(family, holder)
        .filter(|name| family.elements.get(*name) == Some(&Element::H))
        .filter(|name| candidate.site(name).is_none());
    candidate.sites[index].own = free.next();
}

/// Takes out sites of models that are no atoms: lone pairs, charges on springs of polarisable ones
/// (Drude), which stand on the atom that they are named after, and pseudo-atoms of NMR (QB), which
/// stand for several hydrogens. Returns how many.
pub(super) fn leave_out_virtual(candidate: &mut Candidate) -> usize {
    /// Farthest that such a charge is from its atom, Å.
    const SPRING: f64 = 0.8;
    let sites = candidate.sites.clone();
    let is_virtual = |site: &Site| {
        let on_atom = |name: &str| {
            let mut atoms = sites.iter().filter(|other| other.raw == name);
            atoms.any(|other| (other.at - site.at).norm() <= SPRING)
        };
        let is_named = site.raw.starts_with("LP") || site.raw.starts_with('Q');
        let is_pseudo = is_named && site.element.is_none();
        is_pseudo || site.raw.strip_prefix('D').is_some_and(on_atom)
    };
    candidate.sites.retain(|site| !is_virtual(site));
    sites.len() - candidate.sites.len()
}

/// Hydrogens of unknown name are left out and built anew, but not those that make a charge state.
fn name_charged_hydrogens(candidate: &mut Candidate, family: &'static Family) {
    for index in 0..candidate.sites.len() {
        let site = &candidate.sites[index];
        if site.own.is_some() || !site.is_hydrogen() {
            continue;
        }
        let Some(holder) = holder(candidate, index) else {
            continue;
        };
        let names = TITRATABLE.iter().find(|(heavy, _)| *heavy == holder);
        let is_free =
            |name: &&&str| family.elements.contains_key(**name) && candidate.site(name).is_none();
        let is_bonded = |name: &&&str| {
            let pair = |(a, b): &(String, String)| {
                [a.as_str(), b.as_str()] == [holder, **name]
                    || [b.as_str(), a.as_str()] == [holder, **name]
            };
            // either oxygen of an acid may hold its proton
            holder.starts_with('O') || family.bonds.iter().any(pair)
        };
        let free = names.and_then(|(_, names)| names.iter().filter(is_bonded).find(is_free));
        candidate.sites[index].own = free.copied();
    }
}

/// ff14SB's neutral acids hold their proton on the second oxygen: where the file's is on the first,
/// the two oxygens change names.
fn turn_acid(
    candidate: &mut Candidate,
    [first, second]: [&'static str; 2],
    proton: &'static str,
    warnings: &mut Vec<String>,
) {
    let Some(hydrogen) = candidate.site(proton) else {
        return;
    };
    if holder(candidate, hydrogen) != Some(first) {
        return;
    }
    let raw = candidate.sites[hydrogen].raw.clone();
    for site in &mut candidate.sites {
        site.own = match site.own {
            Some(name) if name == first => Some(second),
            Some(name) if name == second => Some(first),
            name => name,
        };
    }
    warnings.push(format!(
        "{}: a neutral acid with its proton {raw} on {first}: {first} and {second} change names",
        candidate.label()
    ));
}

/// ff14SB has no neutral C-terminus: its proton is left out, and the change of charge said.
fn leave_out_end_proton(candidate: &mut Candidate, warnings: &mut Vec<String>) {
    for index in 0..candidate.sites.len() {
        let site = &candidate.sites[index];
        let is_proton = site.own.is_none() && site.is_hydrogen();
        let is_named = ["HXT", "HOXT"].contains(&site.raw.as_str());
        let on_oxygen = || matches!(holder(candidate, index), Some("O" | "OXT"));
        if is_proton && (is_named || on_oxygen()) {
            warnings.push(format!(
                "{}: its proton {} is left out: ff14SB has no neutral C-terminus, the end is \
                 charged",
                candidate.label(),
                site.raw
            ));
        }
    }
}

/// The element of an atom of a residue without template: as the file says, else by its name, where
/// the residue is that one atom.
pub(super) fn element_of(candidate: &Candidate, site: usize) -> Option<Element> {
    let entry = &candidate.sites[site];
    let letters: String = entry
        .raw
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect();
    entry.element.or_else(|| {
        let alone = candidate.sites.len() == 1;
        let whole = Element::from_symbol(&letters).filter(|_| alone || letters == "FE");
        whole.or_else(|| Element::from_symbol(letters.get(..1)?))
    })
}
