//! Bonds that a file declares: SSBOND, LINK and CONECT records of PDB, struct_conn of mmCIF.

use std::fmt;

/// Which record declares a bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    Ssbond,
    Link,
    Conect,
    StructConn,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Record::Ssbond => "SSBOND",
            Record::Link => "LINK",
            Record::Conect => "CONECT",
            Record::StructConn => "struct_conn",
        })
    }
}

/// One end of a declared bond.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum End {
    Named {
        chain: String,
        number: isize,
        insertion: Option<char>,
        atom: String,
    },
    Serial(usize),
}

/// A bond that the file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub record: Record,
    pub ends: [End; 2],
    /// Whether the two ends are in different copies of the crystal's asymmetric unit.
    pub other_copy: bool,
}

/// Columns of a line, from 0, without blanks around; empty beyond its end.
fn columns(line: &str, range: std::ops::Range<usize>) -> &str {
    line.get(range.start..range.end.min(line.len()))
        .unwrap_or_default()
        .trim()
}

/// Chain, number and insertion code of a residue; the number starts at column `number`.
fn residue(line: &str, chain: usize, number: usize) -> Option<(String, isize, Option<char>)> {
    let insertion = columns(line, number + 4..number + 5).chars().next();
    let value = columns(line, number..number + 4).parse().ok()?;
    Some((columns(line, chain..chain + 1).to_owned(), value, insertion))
}

fn named((chain, number, insertion): (String, isize, Option<char>), atom: &str) -> End {
    End::Named {
        chain,
        number,
        insertion,
        atom: atom.to_ascii_uppercase(),
    }
}

/// Adds what a line of a PDB file declares (wwPDB format 3.3, connectivity sections). What does not
/// fit the columns declares nothing: many programs write these records half.
pub(super) fn from_pdb(line: &str, into: &mut Vec<Declared>) {
    let other_copy = |[a, b]: [std::ops::Range<usize>; 2]| {
        let (a, b) = (columns(line, a), columns(line, b));
        !a.is_empty() && !b.is_empty() && a != b
    };
    if line.starts_with("SSBOND") {
        if let (Some(a), Some(b)) = (residue(line, 15, 17), residue(line, 29, 31)) {
            into.push(Declared {
                record: Record::Ssbond,
                ends: [named(a, "SG"), named(b, "SG")],
                other_copy: other_copy([59..65, 66..72]),
            });
        }
    } else if line.starts_with("LINK ") {
        let atoms = [columns(line, 12..16), columns(line, 42..46)];
        if let (Some(a), Some(b), false) = (
            residue(line, 21, 22),
            residue(line, 51, 52),
            atoms.contains(&""),
        ) {
            into.push(Declared {
                record: Record::Link,
                ends: [named(a, atoms[0]), named(b, atoms[1])],
                other_copy: other_copy([59..65, 66..72]),
            });
        }
    } else if line.starts_with("CONECT") {
        let serial = |start: usize| columns(line, start..start + 5).parse::<usize>().ok();
        let Some(first) = serial(6) else { return };
        for other in [11, 16, 21, 26].into_iter().filter_map(serial) {
            // most programs write each bond twice, once from each end, some from one of them only
            if first != other {
                into.push(Declared {
                    record: Record::Conect,
                    ends: [End::Serial(first), End::Serial(other)],
                    other_copy: false,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_by_their_columns() {
        let mut found = Vec::new();
        for line in [
            "SSBOND   1 CYS A   13    CYS A   20                          1555   2655  2.05  ",
            "LINK         NZ  LYS A   2A                CG  ASN B   1     1555   1555  1.33  ",
            "CONECT   12   11   13  140",
            "SSBOND",
            "LINK         NZ",
        ] {
            from_pdb(line, &mut found);
        }
        let end = |chain: &str, number, insertion, atom: &str| {
            named((chain.into(), number, insertion), atom)
        };
        assert_eq!(found.len(), 5);
        assert_eq!(
            found[0].ends,
            [end("A", 13, None, "SG"), end("A", 20, None, "SG")]
        );
        assert!(found[0].other_copy && !found[1].other_copy);
        assert_eq!(
            found[1].ends,
            [end("A", 2, Some('A'), "NZ"), end("B", 1, None, "CG")]
        );
        for (bond, other) in found[2..].iter().zip([11, 13, 140]) {
            assert_eq!(bond.ends, [End::Serial(12), End::Serial(other)]);
        }
    }
}
