//! What is left out of a file although it is bonded to the protein (metals, glycans, ligands), and
//! the charge states that follow.

use std::collections::BTreeMap;

use super::Element;
use super::conformers::Candidate;
use super::contacts::{At, Contact, NEAR};
use super::declared::Record;
use super::identify::element_of;
use super::perceive::Bonds;

/// How much longer than the sum of covalent radii a bond may be, Å.
const TOLERANCE: f64 = 0.25;
/// Most left-out residues and atoms of one of them that are listed.
const LISTED: usize = 12;

/// Whether an element is a metal that proteins hold: all elements but those of organic molecules.
pub(super) fn is_metal(element: Element) -> bool {
    use Element::{Ar, He, Kr, Ne, Xe};
    use Element::{As, At, B, Br, C, Cl, F, H, I, N, O, P, S, Se, Si, Te};
    !matches!(
        element,
        H | B
            | C
            | N
            | O
            | F
            | Si
            | P
            | S
            | Cl
            | As
            | Se
            | Br
            | Te
            | I
            | At
            | He
            | Ne
            | Ar
            | Kr
            | Xe
    )
}

/// A bond of the protein to what is left out.
struct Cut {
    /// Atom of the protein.
    inside: At,
    outside: At,
    distance: f64,
    record: Option<Record>,
    is_metal: bool,
}

/// Says what is left out and was bonded to the protein, and takes the residues that held a metal
/// in the charge state that they had with it, where the file's hydrogens do not say another.
pub(super) fn sever(
    candidates: &mut [Candidate],
    contacts: &[Contact],
    bonds: &Bonds,
    warnings: &mut Vec<String>,
) {
    let cuts: Vec<Cut> = contacts
        .iter()
        .filter_map(|contact| cut(candidates, contact, bonds))
        .collect();
    let mut groups: BTreeMap<usize, Vec<&Cut>> = BTreeMap::new();
    for cut in &cuts {
        groups.entry(cut.outside.0).or_default().push(cut);
    }
    for (&outside, group) in groups.iter().take(LISTED) {
        warnings.push(left_out(candidates, outside, group));
    }
    if groups.len() > LISTED {
        warnings.push(format!(
            "left out: {} more residues that are bonded to the protein",
            groups.len() - LISTED
        ));
    }
    let held: Vec<&Cut> = cuts.iter().filter(|cut| cut.is_metal).collect();
    let mut residues: Vec<usize> = held.iter().map(|cut| cut.inside.0).collect();
    residues.sort_unstable();
    residues.dedup();
    for residue in residues {
        let metals: Vec<&&Cut> = held.iter().filter(|cut| cut.inside.0 == residue).collect();
        hold(candidates, residue, &metals, warnings);
    }
}

/// Whether a contact is a bond of the protein to what is left out.
pub(super) fn is_cut(candidates: &[Candidate], contact: &Contact, bonds: &Bonds) -> bool {
    cut(candidates, contact, bonds).is_some()
}

fn cut(candidates: &[Candidate], contact: &Contact, bonds: &Bonds) -> Option<Cut> {
    let is_inside =
        |&(residue, _): &At| candidates[residue].family.is_some() && candidates[residue].wanted;
    let [a, b] = contact.ends;
    let [inside, outside] = match [is_inside(&a), is_inside(&b)] {
        [true, false] => [a, b],
        [false, true] => [b, a],
        _ => return None,
    };
    let (distance, record) = (contact.distance, contact.declared);
    let own = candidates[inside.0].sites[inside.1].own?;
    let other = &candidates[outside.0];
    let element = element_of(other, outside.1)?;
    let is_metal = other.family.is_none() && is_metal(element);
    let is_bonded = if other.family.is_some() {
        // of a chain that the user leaves out
        bonds.joins([inside, outside]) || record.is_some() && distance <= LONGEST_DECLARED
    } else if is_metal {
        distance <= NEAR && own.starts_with(['N', 'O', 'S'])
    } else {
        let reach = radius(Element::from_symbol(&own[..1])?) + radius(element) + TOLERANCE;
        distance <= reach || record.is_some() && distance <= LONGEST_DECLARED
    };
    is_bonded.then_some(Cut {
        inside,
        outside,
        distance,
        record,
        is_metal,
    })
}

/// Longest bond to what is left out that is believed because it is declared, Å.
const LONGEST_DECLARED: f64 = 2.2;

/// Single-bond covalent radius, Å (Cordero et al. 2008, Dalton Trans., 2832).
pub(super) fn radius(element: Element) -> f64 {
    match element {
        Element::H => 0.31,
        Element::C => 0.76,
        Element::N => 0.71,
        Element::O => 0.66,
        Element::F => 0.57,
        Element::S => 1.05,
        Element::P => 1.07,
        Element::Cl => 1.02,
        _ => 1.2,
    }
}

fn left_out(candidates: &[Candidate], outside: usize, group: &[&Cut]) -> String {
    let mut ends: Vec<String> = group
        .iter()
        .map(|cut| {
            let record = cut.record.map(|record| format!(", {record}"));
            format!(
                "{} ({:.2} Å{})",
                candidates[cut.inside.0].site_label(cut.inside.1),
                cut.distance,
                record.unwrap_or_default()
            )
        })
        .collect();
    if ends.len() > LISTED {
        ends.truncate(LISTED);
        ends.push("…".into());
    }
    let ends = ends.join(", ");
    let other = &candidates[outside];
    if group.iter().all(|cut| cut.is_metal) {
        format!("left out: {}, bound to {ends}", other.label())
    } else {
        let atom = &other.sites[group[0].outside.1].raw;
        format!(
            "left out: {}, whose {atom} is bonded to {ends}: the bond is cut, and \
             what it leaves open gets hydrogen",
            other.label()
        )
    }
}

/// The charge state of a residue without the metal that it held.
fn hold(
    candidates: &mut [Candidate],
    residue: usize,
    metals: &[&&Cut],
    warnings: &mut Vec<String>,
) {
    let holds = |name: &str| {
        metals
            .iter()
            .find(|cut| candidates[residue].sites[cut.inside.1].own == Some(name))
            .map(|cut| candidates[cut.outside.0].label())
    };
    let candidate = &candidates[residue];
    let has = |name: &str| candidate.site(name).is_some();
    let family = candidate.family.map_or("", |family| family.name.as_str());
    let label = candidate.label();
    let (form, words) = match family {
        "CYS" => match holds("SG") {
            Some(metal) if has("HG") => (
                None,
                format!("{label}: a thiol, as its HG says, though SG is bound to {metal}"),
            ),
            Some(metal) => (
                Some("CYM"),
                format!("{label}: SG is bound to {metal}: taken as a thiolate (CYM)"),
            ),
            None => return,
        },
        "HIS" => match [holds("ND1"), holds("NE2")] {
            [Some(a), Some(b)] => (
                None,
                format!("{label}: bound to {a} and {b}: ff14SB has no form of it without a proton"),
            ),
            [Some(metal), None] if !has("HD1") => (
                Some("HIE"),
                format!("{label}: ND1 is bound to {metal}: taken as HIE"),
            ),
            [None, Some(metal)] if !has("HE2") => (
                Some("HID"),
                format!("{label}: NE2 is bound to {metal}: taken as HID"),
            ),
            [None, None] => return,
            _ => (
                None,
                format!("{label}: protonated as the file has it, though a metal is bound there"),
            ),
        },
        _ => return,
    };
    let changes = form.is_some_and(|form| form != candidate.name);
    if changes || form.is_none() {
        warnings.push(words);
    }
    candidates[residue].form = form.filter(|_| changes).or(candidates[residue].form);
}
