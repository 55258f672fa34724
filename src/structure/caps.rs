//! Caps that CHARMM writes into the first and last amino acid: residues of their own here.
//!
//! Its patches ACE and ACED add CAY, CY and OY, CT3 adds NT and CAT, CT2 adds NT alone
//! (top_all36_prot.rtf).

use super::conformers::{Candidate, Site};

const ACETYL: [&str; 7] = ["CAY", "CY", "OY", "HY", "HY1", "HY2", "HY3"];
const AMIDE: [&str; 6] = ["NT", "CAT", "HNT", "HT1", "HT2", "HT3"];

/// Takes caps out of amino acids; says each in `warnings`.
pub(super) fn split(candidates: &mut Vec<Candidate>, warnings: &mut Vec<String>) {
    let mut out = Vec::with_capacity(candidates.len());
    for mut candidate in candidates.drain(..) {
        let is_amino_acid = candidate
            .family
            .is_some_and(|family| family.is_amino_acid());
        if !is_amino_acid {
            out.push(candidate);
            continue;
        }
        let before = has(&candidate, "CY").then(|| take_acetyl(&mut candidate));
        let after = has(&candidate, "NT").then(|| take_amide(&mut candidate));
        for cap in before.iter().chain(&after) {
            let atoms: Vec<&str> = cap.sites.iter().map(|site| site.raw.as_str()).collect();
            warnings.push(format!(
                "{}: the cap inside this residue ({}) is read as {} {}",
                candidate.label(),
                atoms.join(", "),
                cap.name,
                cap.number
            ));
        }
        out.extend(before);
        out.push(candidate);
        out.extend(after);
    }
    *candidates = out;
}

fn has(candidate: &Candidate, raw: &str) -> bool {
    candidate.sites.iter().any(|site| site.raw == raw)
}

fn take_acetyl(from: &mut Candidate) -> Candidate {
    let number = from.number.saturating_sub(1);
    take(from, "ACE", number, |site| {
        ACETYL.contains(&site.raw.as_str())
    })
}

fn take_amide(from: &mut Candidate) -> Candidate {
    // HT1 to HT3 are also the hydrogens of a first nitrogen: theirs is the nearer one
    let at = |raw: &str| {
        let site = from.sites.iter().find(|site| site.raw == raw);
        site.map(|site| site.at)
    };
    let (own, cap) = (at("N"), [at("NT"), at("CAT")]);
    let is_cap = |site: &Site| {
        let from_cap = cap.iter().flatten().map(|end| (site.at - end).norm());
        let from_own = own.map_or(f64::INFINITY, |end| (site.at - end).norm());
        AMIDE.contains(&site.raw.as_str())
            && (!site.raw.starts_with("HT") || from_cap.fold(f64::INFINITY, f64::min) < from_own)
    };
    let name = if at("CAT").is_some() { "NME" } else { "NHE" };
    let number = from.number.saturating_add(1);
    take(from, name, number, is_cap)
}

fn take(
    from: &mut Candidate,
    name: &str,
    number: isize,
    belongs: impl Fn(&Site) -> bool,
) -> Candidate {
    let (taken, left) = std::mem::take(&mut from.sites)
        .into_iter()
        .partition(|site| belongs(site));
    from.sites = left;
    Candidate {
        name: name.to_owned(),
        number,
        family: super::residues::family(name),
        sites: taken,
        ..from.clone()
    }
}
