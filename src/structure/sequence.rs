//! Sequences that a file gives (SEQRES, entity_poly_seq, REMARK 465) against the residues that it
//! has: what was never seen has no coordinates, and is not simulated.

use std::collections::{BTreeMap, HashSet};

use super::columns::columns;
use super::conformers::Candidate;
use super::contacts::Contact;
use super::order::Ordered;
use super::report::plural;
use super::residues::family;

/// Most residues of sequences that are kept of a file, more than it can have atoms for.
const MOST_RESIDUES: usize = 1 << 20;
/// Most cells of an alignment: beyond it only numbers of residues are compared.
const MOST_CELLS: usize = 1 << 24;
/// Most places of a chain that are listed, and chains that are spoken of.
const LISTED: usize = 6;

/// Costs of an alignment of a sequence to the residues of a chain.
mod cost {
    /// A residue of another name.
    pub const OTHER: u32 = 3;
    /// A residue that the sequence does not have.
    pub const EXTRA: u32 = 4;
    /// Residues without coordinates where the chain has a break.
    pub const GAP: u32 = 1;
    /// The same at an end: less likely than a break that is there, where both would do.
    pub const GAP_AT_END: u32 = 2;
    /// The same between residues that are bonded to each other.
    pub const GAP_IN_BOND: u32 = 8;
}

/// The sequences of a file, by identifiers of chains.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    chains: BTreeMap<String, Vec<String>>,
    /// What gives them.
    record: &'static str,
    /// Residues that REMARK 465 lists.
    unseen: BTreeMap<String, usize>,
    residues: usize,
}

impl Sequences {
    /// Adds a SEQRES record, or a line of REMARK 465.
    pub fn add_pdb(&mut self, line: &str, two_letters: bool) {
        let from = usize::from(two_letters);
        if line.starts_with("SEQRES") {
            let chain = columns(line, 11 - from..12);
            for name in columns(line, 19..70).split_ascii_whitespace() {
                self.add("SEQRES", chain, name);
            }
        } else if columns(line, 15..18).len() == 3 && columns(line, 21..26).parse::<i32>().is_ok() {
            let chain = columns(line, 19 - from..20);
            *self.unseen.entry(chain.to_owned()).or_default() += 1;
        }
    }

    /// Adds the next residue of a chain.
    pub fn add(&mut self, record: &'static str, chain: &str, name: &str) {
        self.record = record;
        if self.residues < MOST_RESIDUES {
            self.residues += 1;
            let residues = self.chains.entry(chain.to_owned()).or_default();
            residues.push(name.to_ascii_uppercase());
        }
    }

    /// Says which residues of the sequences of chains have no coordinates, and which are others.
    pub fn say(
        &self,
        candidates: &[Candidate],
        chains: &[Ordered],
        peptides: &[Contact],
        warnings: &mut Vec<String>,
    ) {
        let bonded: HashSet<[usize; 2]> = peptides
            .iter()
            .map(|bond| bond.ends.map(|(residue, _)| residue))
            .collect();
        let mut present: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for chain in chains {
            let residues = present.entry(chain.id.as_str()).or_default();
            residues.extend(&chain.residues);
        }
        let mut lines = Vec::new();
        for (id, residues) in present {
            let chain = Chain {
                id,
                residues: &residues,
                candidates,
                bonded: &bonded,
            };
            match (self.chains.get(id), self.unseen.get(id)) {
                (Some(sequence), _) => lines.extend(chain.compare(sequence, self.record)),
                (None, Some(&count)) => lines.push(format!(
                    "{}: {} without coordinates (REMARK 465): not simulated",
                    chain.name(),
                    plural(count, "residue")
                )),
                (None, None) => {}
            }
        }
        let more = lines.len().saturating_sub(2 * LISTED);
        lines.truncate(2 * LISTED);
        warnings.append(&mut lines);
        if more > 0 {
            warnings.push(format!("{more} more such lines on other chains"));
        }
    }
}

/// A chain and its residues that have coordinates, in order.
struct Chain<'a> {
    id: &'a str,
    residues: &'a [usize],
    candidates: &'a [Candidate],
    bonded: &'a HashSet<[usize; 2]>,
}

impl Chain<'_> {
    fn name(&self) -> String {
        let id = if self.id.is_empty() {
            "(blank)"
        } else {
            self.id
        };
        format!("chain {id}")
    }

    fn label(&self, residue: usize) -> String {
        self.candidates[self.residues[residue]].label()
    }

    fn compare(&self, sequence: &[String], record: &str) -> Vec<String> {
        let names: Vec<&str> = self
            .residues
            .iter()
            .map(|&residue| known(&self.candidates[residue].name))
            .collect();
        let sequence: Vec<&str> = sequence.iter().map(|name| known(name)).collect();
        let (of, here) = (sequence.len(), names.len());
        let without = |count: usize, places: &str| {
            format!(
                "{}: {count} of the {} of its sequence ({record}) have no coordinates{places}: \
                 not simulated",
                self.name(),
                plural(of, "residue")
            )
        };
        if of.saturating_mul(here) > MOST_CELLS {
            let missing = of.saturating_sub(here);
            return (missing > 0)
                .then(|| without(missing, ""))
                .into_iter()
                .collect();
        }
        let is_joined = |at: usize| {
            at > 0
                && at < here
                && self
                    .bonded
                    .contains(&[self.residues[at - 1], self.residues[at]])
        };
        let Aligned { missing, others } = align(&sequence, &names, is_joined);
        if 2 * others.len() > here {
            return vec![format!(
                "{}: its sequence ({record}) is not that of its residues",
                self.name()
            )];
        }
        let mut lines = Vec::new();
        let count: usize = missing.iter().sum();
        if count > 0 {
            lines.push(without(count, &self.places(&missing)));
        }
        if let Some(&(residue, name)) = others.first() {
            lines.push(format!(
                "{}: {} not that of its sequence ({record}), first {}, there {}",
                self.name(),
                plural(others.len(), "residue"),
                self.label(residue),
                sequence[name]
            ));
        }
        lines
    }

    /// `, 5 before A:MET 6, 3 between A:GLY 10 and A:SER 14`
    fn places(&self, missing: &[usize]) -> String {
        let last = missing.len() - 1;
        let mut places = missing.iter().enumerate().filter(|(_, count)| **count > 0);
        let mut text: String = (&mut places)
            .take(LISTED)
            .map(|(at, count)| match at {
                0 => format!(", {count} before {}", self.label(0)),
                _ if at == last => format!(", {count} behind {}", self.label(at - 1)),
                _ => format!(
                    ", {count} between {} and {}",
                    self.label(at - 1),
                    self.label(at)
                ),
            })
            .collect();
        if places.next().is_some() {
            text += ", …";
        }
        text
    }
}

/// The name that residues of one kind share.
fn known(name: &str) -> &str {
    family(name).map_or(name, |family| family.name.as_str())
}

/// How residues stand in a sequence.
#[derive(Debug, PartialEq)]
struct Aligned {
    /// Residues of the sequence that are missing before each residue, and behind the last.
    missing: Vec<usize>,
    /// Residues, and places in the sequence, of another name.
    others: Vec<(usize, usize)>,
}

/// Costs of the best alignments of a start of the sequence with starts of the residues: those that
/// end with a residue, and those that end without coordinates.
struct Costs {
    closed: Vec<u32>,
    gap: Vec<u32>,
}

/// How the best alignments came to a cell, as bits.
mod came {
    /// With a residue that the sequence does not have, not with a pair.
    pub const EXTRA: u8 = 1;
    /// The pair before it ended without coordinates.
    pub const PAIR_FROM_GAP: u8 = 2;
    /// The residue before it ended without coordinates.
    pub const EXTRA_FROM_GAP: u8 = 4;
    /// The gap went on.
    pub const GAP_GOES_ON: u8 = 8;
}

/// Aligns with the least cost, where gaps are cheap at ends and breaks (Gotoh 1982, J. Mol. Biol.
/// 162, 705, with gaps of one side only that cost their opening).
fn align(sequence: &[&str], names: &[&str], is_joined: impl Fn(usize) -> bool) -> Aligned {
    const FAR: u32 = u32::MAX / 4;
    let width = names.len() + 1;
    let opening = |at: usize| {
        if is_joined(at) {
            cost::GAP_IN_BOND
        } else if at == 0 || at + 1 == width {
            cost::GAP_AT_END
        } else {
            cost::GAP
        }
    };
    let opening: Vec<u32> = (0..width).map(opening).collect();
    let mut costs = Costs {
        closed: (0..width as u32).map(|at| at * cost::EXTRA).collect(),
        gap: vec![FAR; width],
    };
    let mut cells = vec![came::EXTRA; width];
    for name in sequence {
        let mut row = Costs {
            closed: vec![FAR; width],
            gap: vec![FAR; width],
        };
        for (at, opening) in opening.iter().enumerate() {
            let mut cell = 0;
            row.gap[at] = costs.closed[at] + opening;
            if costs.gap[at] < row.gap[at] {
                row.gap[at] = costs.gap[at];
                cell |= came::GAP_GOES_ON;
            }
            if let Some(left) = at.checked_sub(1) {
                let other = u32::from(names[left] != *name) * cost::OTHER;
                let pair = costs.closed[left].min(costs.gap[left]) + other;
                let extra = row.closed[left].min(row.gap[left]) + cost::EXTRA;
                row.closed[at] = pair.min(extra);
                cell |= u8::from(extra < pair) * came::EXTRA;
                cell |= u8::from(costs.gap[left] < costs.closed[left]) * came::PAIR_FROM_GAP;
                cell |= u8::from(row.gap[left] < row.closed[left]) * came::EXTRA_FROM_GAP;
            }
            cells.push(cell);
        }
        costs = row;
    }
    let in_gap = costs.gap[width - 1] < costs.closed[width - 1];
    trace(sequence, names, &cells, in_gap)
}

/// The way back through the cells from the last.
fn trace(sequence: &[&str], names: &[&str], cells: &[u8], mut in_gap: bool) -> Aligned {
    let (mut row, mut at) = (sequence.len(), names.len());
    let mut aligned = Aligned {
        missing: vec![0; at + 1],
        others: Vec::new(),
    };
    while row > 0 || at > 0 {
        let cell = cells[row * (names.len() + 1) + at];
        if in_gap {
            aligned.missing[at] += 1;
            in_gap = cell & came::GAP_GOES_ON != 0;
            row -= 1;
        } else if cell & came::EXTRA != 0 {
            in_gap = cell & came::EXTRA_FROM_GAP != 0;
            at -= 1;
        } else {
            in_gap = cell & came::PAIR_FROM_GAP != 0;
            row -= 1;
            at -= 1;
            if sequence[row] != names[at] {
                aligned.others.push((at, row));
            }
        }
    }
    aligned.others.reverse();
    aligned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(sequence: &str, names: &str, joined: &[usize]) -> Aligned {
        let split = |text: &'static str| text.split("").filter(|one| !one.is_empty()).collect();
        let leak = |text: &str| -> &'static str { text.to_owned().leak() };
        let (sequence, names): (Vec<&str>, Vec<&str>) = (split(leak(sequence)), split(leak(names)));
        align(&sequence, &names, |at| joined.contains(&at))
    }

    #[test]
    fn missing_residues_are_found_at_ends_and_breaks() {
        let found = aligned("MKAAAKLE", "AAAKL", &[1, 2, 3, 4]);
        assert_eq!(found.missing, [2, 0, 0, 0, 0, 1]);
        assert!(found.others.is_empty());
        // A–A could be anywhere among the five: where the chain has its break
        let found = aligned("AAAAAK", "AAAK", &[1, 3]);
        assert_eq!(found.missing, [0, 0, 2, 0, 0]);
        let found = aligned("GAKLE", "GAKLE", &[1, 2, 3, 4]);
        assert_eq!(found.missing, [0; 6]);
    }

    #[test]
    fn other_residues_and_those_that_the_sequence_lacks_are_no_gaps() {
        let joined = [1, 2, 3, 4, 5];
        let found = aligned("GAKLE", "GAKVE", &joined);
        assert_eq!((found.others, found.missing), (vec![(3, 3)], vec![0; 6]));
        let found = aligned("GAK", "GAKVE", &joined);
        assert_eq!((found.others, found.missing), (vec![], vec![0; 6]));
        let found = aligned("", "GA", &joined);
        assert_eq!(found.missing, [0; 3]);
    }
}
