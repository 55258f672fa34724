//! Secondary structures: dot-brackets, the loops and stems that they are made of, and the kind of
//! loop that every nucleotide is in.

use std::ops::Range;

/// What a loop is made of, from 5' to 3'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// An unpaired nucleotide.
    Free(usize),
    /// A stem: its first pair, and the number of pairs stacked on each other.
    Stem([usize; 2], usize),
}

/// A loop: what a pair closes, or what no pair does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// The last pair of the stem that it closes; none of the loop outside of all pairs.
    pub closing: Option<[usize; 2]>,
    /// Its parts.
    pub parts: Vec<Part>,
}

/// A secondary structure without pseudoknots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The nucleotide that each is paired with.
    pub partner: Vec<Option<usize>>,
    /// All loops, each behind the one that its stem stands on; the first is the outer one.
    pub loops: Vec<Loop>,
}

/// Kinds of loops as bpRNA (Danaee et al., Nucleic Acids Research 2018) has them: stem, hairpin,
/// bulge, internal loop, multiloop, between stems of the outer loop, its ends. Between stems of the
/// outer loop bpRNA says X of some RNAs and M of others; here it is always X.
pub const KINDS: [&str; 7] = ["S", "H", "B", "I", "M", "X", "E"];

const STEM: u16 = 0;
const HAIRPIN: u16 = 1;
const BULGE: u16 = 2;
const INTERNAL: u16 = 3;
const MULTI: u16 = 4;
const BETWEEN: u16 = 5;
const END: u16 = 6;

impl Fold {
    /// Reads a dot-bracket: `(` and `)` for pairs, `.` for all else.
    ///
    /// # Errors
    /// What is wrong, and at which nucleotide (from 1).
    pub fn parse(text: &str) -> Result<Fold, String> {
        let mut partner = vec![None; text.len()];
        let mut open = Vec::new();
        for (at, letter) in text.bytes().enumerate() {
            match letter {
                b'.' => {}
                b'(' => open.push(at),
                b')' => {
                    let first = open
                        .pop()
                        .ok_or_else(|| format!("nothing opens the pair at {}", at + 1))?;
                    partner[first] = Some(at);
                    partner[at] = Some(first);
                }
                _ => {
                    let letter = char::from(letter);
                    return Err(format!("`{letter}` at {} is none of ( ) .", at + 1));
                }
            }
        }
        if let Some(at) = open.last() {
            return Err(format!("nothing closes the pair at {}", at + 1));
        }
        let loops = loops(&partner);
        Ok(Fold { partner, loops })
    }

    /// The kind of loop that every nucleotide is in, a number of [`KINDS`].
    pub fn kinds(&self) -> Vec<u16> {
        let mut kinds = vec![STEM; self.partner.len()];
        for own in &self.loops {
            for (place, part) in own.parts.iter().enumerate() {
                if let Part::Free(at) = *part {
                    kinds[at] = own.kind(place);
                }
            }
        }
        kinds
    }
}

impl Loop {
    /// The kind of the unpaired nucleotide that is its part number `place`.
    fn kind(&self, place: usize) -> u16 {
        let is_stem = |part: &Part| matches!(part, Part::Stem(..));
        let stems: Vec<usize> = (0..self.parts.len())
            .filter(|&part| is_stem(&self.parts[part]))
            .collect();
        match (self.closing, stems.as_slice()) {
            (None, []) => END,
            (None, [first, .., last]) if (first..=last).contains(&&place) => BETWEEN,
            (None, _) => END,
            (Some(_), []) => HAIRPIN,
            // unpaired on both sides of the stem, or on one
            (Some(_), [stem]) if *stem > 0 && stem + 1 < self.parts.len() => INTERNAL,
            (Some(_), [_]) => BULGE,
            (Some(_), _) => MULTI,
        }
    }
}

/// The parts of a stretch of nucleotides.
fn parts(partner: &[Option<usize>], range: Range<usize>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let Some(other) = partner[at] else {
            parts.push(Part::Free(at));
            at += 1;
            continue;
        };
        // a pair inside the one before it, with nothing between them, stacks on it
        let inner = (1..).take_while(|&k| at + k < other - k && partner[at + k] == Some(other - k));
        parts.push(Part::Stem([at, other], 1 + inner.count()));
        at = other + 1;
    }
    parts
}

fn loops(partner: &[Option<usize>]) -> Vec<Loop> {
    let mut loops = vec![Loop {
        closing: None,
        parts: parts(partner, 0..partner.len()),
    }];
    let mut next = 0;
    while next < loops.len() {
        for part in loops[next].parts.clone() {
            if let Part::Stem([first, last], pairs) = part {
                let [i, j] = [first + pairs - 1, last + 1 - pairs];
                loops.push(Loop {
                    closing: Some([i, j]),
                    parts: parts(partner, i + 1..j),
                });
            }
        }
        next += 1;
    }
    loops
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(structure: &str) -> String {
        let fold = Fold::parse(structure).unwrap();
        let kinds = fold.kinds();
        kinds.iter().map(|&kind| KINDS[usize::from(kind)]).collect()
    }

    /// Structures and letters of OpenVaccine's own file, which bpRNA wrote.
    #[test]
    fn loops_are_called_as_bprna_calls_them() {
        for (structure, expected) in [
            (
                ".....((((((.......)))).)).((.....((..((((((....))))))..)).....))....",
                "EEEEESSSSSSHHHHHHHSSSSBSSXSSIIIIISSIISSSSSSHHHHSSSSSSIISSIIIIISSEEEE",
            ),
            (
                ".((((.((.....((((.(((.....)))..((((......))))..)))).....)).)))).",
                "ESSSSISSIIIIISSSSMSSSHHHHHSSSMMSSSSHHHHHHSSSSMMSSSSIIIIISSISSSSE",
            ),
            ("....", "EEEE"),
        ] {
            assert_eq!(letters(structure), expected);
        }
    }

    #[test]
    fn what_is_no_structure_is_refused_with_its_place() {
        let refused = |text: &str| Fold::parse(text).unwrap_err();
        assert_eq!(refused("..)"), "nothing opens the pair at 3");
        assert_eq!(refused(".((.)"), "nothing closes the pair at 2");
        assert_eq!(refused(".[.]"), "`[` at 2 is none of ( ) .");
    }

    #[test]
    fn every_nucleotide_is_in_one_place() {
        let fold = Fold::parse("..((.((...))..(((....)))))...((..))").unwrap();
        let mut seen = vec![0; fold.partner.len()];
        for own in &fold.loops {
            for part in &own.parts {
                match *part {
                    Part::Free(at) => seen[at] += 1,
                    Part::Stem([i, j], pairs) => (0..pairs).for_each(|k| {
                        seen[i + k] += 1;
                        seen[j - k] += 1;
                    }),
                }
            }
        }
        assert_eq!(seen, vec![1; fold.partner.len()]);
        assert_eq!(fold.loops.len(), 5);
    }
}
