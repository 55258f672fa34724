//! The chains of a protein: residues in the order of their bonds.

use super::conformers::Candidate;
use super::contacts::Contact;

/// A chain: its identifier and its residues among the candidates, in order.
pub(super) struct Ordered {
    pub id: String,
    pub residues: Vec<usize>,
}

/// Puts residues with templates that the user wants into chains. Molecules of one chain identifier
/// that a peptide bond joins are one chain, whatever TER says; residues follow each other as their
/// bonds do, whatever their order in the file; that is said in `warnings`.
pub(super) fn chains(
    candidates: &[Candidate],
    peptides: &[Contact],
    warnings: &mut Vec<String>,
) -> Vec<Ordered> {
    let is_part =
        |&residue: &usize| candidates[residue].family.is_some() && candidates[residue].wanted;
    let mut next: Vec<Option<usize>> = vec![None; candidates.len()];
    let mut previous = next.clone();
    let segments = candidates
        .iter()
        .map(|candidate| candidate.segment + 1)
        .max();
    let mut group: Vec<usize> = (0..segments.unwrap_or(0)).collect();
    for bond in peptides {
        let [from, to] = bond.ends.map(|(residue, _)| residue);
        let same_chain = candidates[from].chain == candidates[to].chain;
        if is_part(&from) && is_part(&to) && same_chain {
            (next[from], previous[to]) = (Some(to), Some(from));
            let roots = [from, to].map(|residue| root(&group, candidates[residue].segment));
            group[roots[0].max(roots[1])] = roots[0].min(roots[1]);
        }
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); group.len()];
    for residue in (0..candidates.len()).filter(is_part) {
        members[root(&group, candidates[residue].segment)].push(residue);
    }
    members.retain(|members| !members.is_empty());
    let chain = |mut members: Vec<usize>| {
        members.sort_by_key(|&residue| (candidates[residue].order, residue));
        let residues = walk(&members, &next, &previous);
        let moved = residues
            .windows(2)
            .zip(members.windows(2))
            .find(|(a, b)| a != b);
        if let Some((pair, _)) = moved {
            warnings.push(format!(
                "residues of a chain are put in the order of their bonds: {} follows {}",
                candidates[pair[1]].label(),
                candidates[pair[0]].label()
            ));
        }
        Ordered {
            id: candidates[residues[0]].chain.clone(),
            residues,
        }
    };
    members.into_iter().map(chain).collect()
}

fn root(group: &[usize], mut at: usize) -> usize {
    while group[at] != at {
        at = group[at];
    }
    at
}

/// The residues of a chain, each followed by the one that it is bonded to; fragments in the order
/// of the file, a ring from its first residue there.
fn walk(members: &[usize], next: &[Option<usize>], previous: &[Option<usize>]) -> Vec<usize> {
    let mut done = vec![false; next.len()];
    let mut out = Vec::with_capacity(members.len());
    let heads = members
        .iter()
        .filter(|&&residue| previous[residue].is_none());
    // what no head leads to is a ring
    for &start in heads.chain(members) {
        let mut at = Some(start);
        while let Some(residue) = at.filter(|&residue| !done[residue]) {
            done[residue] = true;
            out.push(residue);
            at = next[residue];
        }
    }
    out
}
