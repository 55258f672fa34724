//! Residues that were seen too little of to be simulated: the last N before a loop without density,
//! as many crystal structures have, and single residues between two such loops.

use std::collections::HashSet;

use super::conformers::Candidate;
use super::perceive::Bonds;
use super::residues::BACKBONE;

/// Most residues that are listed.
const LISTED: usize = 12;
/// The largest part of all residues that may be left out so, one in: a trace of CA is no protein
/// with frayed ends.
const PART: usize = 4;

/// Leaves out residues at ends of chains, and at breaks, that lack N, CA or C, or that are bonded
/// to no other residue, one behind the other until the ends are whole; says which.
pub(super) fn leave_out(candidates: &mut [Candidate], bonds: &Bonds, warnings: &mut Vec<String>) {
    let is_part = |candidate: &Candidate| {
        candidate.wanted
            && candidate
                .family
                .is_some_and(|family| family.is_amino_acid())
    };
    let lacks = |candidate: &Candidate| {
        let lost = BACKBONE.iter().copied();
        lost.filter(|name| candidate.site(name).is_none())
            .collect::<Vec<_>>()
    };
    let bridges = bonds.disulfides.iter().flat_map(|bond| bond.ends);
    let bridged: HashSet<usize> = bridges.map(|(residue, _)| residue).collect();
    let mut out: Vec<usize> = Vec::new();
    loop {
        let bonded: HashSet<(usize, &str)> = bonds
            .peptides
            .iter()
            .map(|bond| bond.ends.map(|(residue, _)| residue))
            .filter(|ends| !ends.iter().any(|end| out.contains(end)))
            .flat_map(|[c, n]| [(c, "C"), (n, "N")])
            .collect();
        let is_stub = |&residue: &usize| {
            let candidate = &candidates[residue];
            let ends = ["C", "N"].map(|end| bonded.contains(&(residue, end)));
            let is_alone = ends == [false; 2] && !bridged.contains(&residue);
            let is_frayed = ends != [true; 2] && !lacks(candidate).is_empty();
            is_part(candidate) && !out.contains(&residue) && (is_alone || is_frayed)
        };
        let more: Vec<usize> = (0..candidates.len()).filter(is_stub).collect();
        if more.is_empty() {
            break;
        }
        out.extend(more);
    }
    let all = candidates.iter().filter(|&one| is_part(one)).count();
    if out.is_empty() || out.len() * PART > all {
        return;
    }
    out.sort_unstable();
    let say = |&residue: &usize| {
        let candidate = &candidates[residue];
        match lacks(candidate).join(", ") {
            none if none.is_empty() => format!("{} (alone)", candidate.label()),
            lost => format!("{} (no {lost})", candidate.label()),
        }
    };
    let mut words: Vec<String> = out.iter().take(LISTED).map(say).collect();
    if out.len() > LISTED {
        words.push(format!("{} more", out.len() - LISTED));
    }
    warnings.push(format!(
        "left out, as residues at ends of chains or breaks that cannot be completed: {}",
        words.join(", ")
    ));
    for residue in out {
        candidates[residue].wanted = false;
    }
}
