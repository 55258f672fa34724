//! Formal charges of a file's atoms (columns 79–80 of PDB, `pdbx_formal_charge` of mmCIF), held
//! against the charge states that residues are read in.
//!
//! Hydrogens and names of the file decide first. Where they say nothing, a charge that ff14SB has a
//! form for gives the residue that form; every charge that the residue does not get is a line.

use super::conformers::Candidate;
use super::contacts::At;
use super::perceive::Bonds;
use super::residues::{Family, residue_name};

/// Atoms over which the charge of a side chain is counted, by family.
const SIDE_CHAINS: [(&str, &[&str]); 7] = [
    ("ASP", &["CG", "OD1", "OD2"]),
    ("GLU", &["CD", "OE1", "OE2"]),
    ("LYS", &["NZ"]),
    ("ARG", &["NE", "CZ", "NH1", "NH2"]),
    ("HIS", &["CG", "ND1", "CE1", "NE2", "CD2"]),
    ("CYS", &["SG"]),
    ("TYR", &["OH"]),
];

/// The charge of columns 79–80 (`1+`, `+1`, `2-`), or of mmCIF (`1`, `-1`); none where there is
/// none, or something else stands there.
pub(super) fn charge(text: &str) -> Option<i8> {
    let digit = |c: char| c.to_digit(10).map(|digit| digit as i8);
    let characters: Vec<char> = text.chars().collect();
    let value = match characters[..] {
        [size, '+'] | ['+', size] | [size] => digit(size)?,
        [size, '-'] | ['-', size] => -digit(size)?,
        _ => return None,
    };
    (value != 0).then_some(value)
}

/// Takes residues in the states that their charges say, where nothing else does, and says what of
/// the charges is not kept.
pub(super) fn settle(candidates: &mut [Candidate], bonds: &Bonds, warnings: &mut Vec<String>) {
    for index in 0..candidates.len() {
        let candidate = &candidates[index];
        let is_read = candidate.wanted && candidate.family.is_some_and(Family::is_amino_acid);
        if !is_read || candidate.sites.iter().all(|site| site.charge.is_none()) {
            continue;
        }
        if let Some((form, words)) = form(candidates, index, bonds) {
            warnings.push(words);
            candidates[index].form = Some(form);
        }
        warnings.extend(lost(candidates, index, bonds));
    }
}

/// The atoms of a family's side chain that charges are counted over.
fn side_chain(candidate: &Candidate) -> &'static [&'static str] {
    let family = candidate.family.map_or("", |family| family.name.as_str());
    let known = SIDE_CHAINS.iter().find(|(name, _)| *name == family);
    known.map_or(&[], |(_, atoms)| atoms)
}

/// Sum of the charges that the file gives these atoms, and the atoms that have one: `ND1 +1`.
fn given(candidate: &Candidate, is_meant: impl Fn(&str) -> bool) -> (i32, Vec<String>) {
    let mut sum = 0;
    let mut atoms = Vec::new();
    for site in &candidate.sites {
        if let (Some(charge), true) = (site.charge, site.own.is_some_and(&is_meant)) {
            sum += i32::from(charge);
            atoms.push(format!("{} {charge:+}", site.raw));
        }
    }
    (sum, atoms)
}

/// The form that a residue's charge says and nothing else does: HIP for +1, CYM for −1.
fn form(candidates: &[Candidate], index: usize, bonds: &Bonds) -> Option<(&'static str, String)> {
    let candidate = &candidates[index];
    let atoms = side_chain(candidate);
    let (sum, list) = given(candidate, |name| atoms.contains(&name));
    let family = candidate.family?.name.as_str();
    let has = |name: &str| candidate.site(name).is_some();
    let says_nothing = candidate.form.is_none() && residue_name(&candidate.name) == Some(family);
    let form = match (family, sum) {
        ("HIS", 1) if !has("HD1") && !has("HE2") => "HIP",
        ("CYS", -1) if !has("HG") => {
            let sulfur = candidate.site("SG")?;
            bonds.partner((index, sulfur)).is_none().then_some("CYM")?
        }
        _ => return None,
    };
    let words = format!(
        "{}: taken as {form}, as the file gives {}",
        candidate.label(),
        list.join(", ")
    );
    says_nothing.then_some((form, words))
}

/// The charge that the side chain of a residue has as it is read.
fn of_state(candidate: &Candidate, family: &str) -> i32 {
    let has = |name: &str| candidate.site(name).is_some();
    let named = residue_name(&candidate.name).unwrap_or(family);
    let state = candidate.form.unwrap_or(named);
    let hydrogens = |names: &[&str]| names.iter().filter(|name| has(name)).count();
    match family {
        "ASP" => -i32::from(state != "ASH" && !has("HD2")),
        "GLU" => -i32::from(state != "GLH" && !has("HE2")),
        "LYS" => i32::from(state != "LYN" && hydrogens(&["HZ1", "HZ2", "HZ3"]) != 2),
        "ARG" => 1,
        "HIS" => i32::from(state == "HIP" || has("HD1") && has("HE2")),
        "CYS" => -i32::from(state == "CYM"),
        _ => 0,
    }
}

/// A line where charges of the file are not those that the residue has as it is read.
fn lost(candidates: &[Candidate], index: usize, bonds: &Bonds) -> Option<String> {
    let candidate = &candidates[index];
    let family = candidate.family?.name.as_str();
    let atoms = side_chain(candidate);
    let is_end = |name: &str| {
        let site = candidate.site(name);
        site.is_none_or(|site| !is_bonded((index, site), bonds))
    };
    let (first, last) = (i32::from(is_end("N")), -i32::from(is_end("C")));
    let backbone = ["N", "C", "O", "OXT"];
    let groups = [
        (
            given(candidate, |name| atoms.contains(&name)),
            of_state(candidate, family),
        ),
        (given(candidate, |name| name == "N"), first),
        (given(candidate, |name| backbone[1..].contains(&name)), last),
        (
            given(candidate, |name| {
                !atoms.contains(&name) && !backbone.contains(&name)
            }),
            0,
        ),
    ];
    let mut wrong = Vec::new();
    for ((sum, atoms), own) in groups {
        if !atoms.is_empty() && sum != own {
            wrong.push(format!("{}, where it has {own:+} here", atoms.join(", ")));
        }
    }
    (!wrong.is_empty()).then(|| {
        format!(
            "{}: not kept: the charge of {}, by its hydrogens, name and bonds",
            candidate.label(),
            wrong.join("; ")
        )
    })
}

/// Whether an atom has a peptide bond.
fn is_bonded(at: At, bonds: &Bonds) -> bool {
    bonds.peptides.iter().any(|bond| bond.ends.contains(&at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_are_read_as_both_formats_write_them() {
        for (text, value) in [
            ("1+", Some(1)),
            ("2-", Some(-2)),
            ("+1", Some(1)),
            ("-1", Some(-1)),
            ("1", Some(1)),
            ("0", None),
            ("0+", None),
            ("", None),
            ("A", None),
            ("HD", None),
            ("+-", None),
        ] {
            assert_eq!(charge(text), value, "{text}");
        }
    }
}
