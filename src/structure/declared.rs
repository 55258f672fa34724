//! Bonds that a file declares: SSBOND, LINK, LINKR and CONECT records of PDB, struct_conn of mmCIF.

use std::fmt;

use super::columns::{columns, serial};

/// Which record declares a bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Record {
    Ssbond,
    /// LINK, and REFMAC's LINKR.
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

/// `A:52A:SG`, `serial number 1203`
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Named {
                chain,
                number,
                insertion,
                atom,
            } => {
                let colon = if chain.is_empty() { "" } else { ":" };
                let insertion = insertion.map(String::from).unwrap_or_default();
                write!(f, "{chain}{colon}{number}{insertion}:{atom}")
            }
            End::Serial(serial) => write!(f, "serial number {serial}"),
        }
    }
}

/// A bond that the file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub record: Record,
    /// Line in the file, from 1.
    pub line: usize,
    pub ends: [End; 2],
    /// Whether the two ends are in different copies of the crystal's asymmetric unit.
    pub other_copy: bool,
}

/// The bonds that a file declares.
#[derive(Debug, Default)]
pub(super) struct DeclaredBonds {
    pub bonds: Vec<Declared>,
    /// Records and lines that do not say which atoms they mean.
    pub unread: Vec<(Record, usize)>,
}

/// Chain, number and insertion code of a residue; the number starts at column `number`.
fn residue(
    line: &str,
    chain: std::ops::Range<usize>,
    number: usize,
) -> Option<(String, isize, Option<char>)> {
    let insertion = columns(line, number + 4..number + 5).chars().next();
    let value = columns(line, number..number + 4).parse().ok()?;
    Some((columns(line, chain).to_owned(), value, insertion))
}

fn named((chain, number, insertion): (String, isize, Option<char>), atom: &str) -> End {
    End::Named {
        chain,
        number,
        insertion,
        atom: atom.to_ascii_uppercase(),
    }
}

impl DeclaredBonds {
    /// Adds what line `number` of a PDB file declares (wwPDB format 3.3, connectivity sections);
    /// `two_letters`: whether identifiers of chains have two columns.
    pub fn add_pdb(&mut self, line: &str, number: usize, two_letters: bool) {
        let from = usize::from(two_letters);
        let chain = |at: usize| at - from..at + 1;
        let (record, ends) = if line.starts_with("SSBOND") {
            let residues = [residue(line, chain(15), 17), residue(line, chain(29), 31)];
            (Record::Ssbond, residues.map(|one| Some(named(one?, "SG"))))
        } else if line.starts_with("LINK ") || line.starts_with("LINKR ") {
            let atoms = [columns(line, 12..16), columns(line, 42..46)];
            let residues = [residue(line, chain(21), 22), residue(line, chain(51), 52)];
            let end = |index: usize| {
                let known = residues[index].clone().filter(|_| !atoms[index].is_empty());
                Some(named(known?, atoms[index]))
            };
            (Record::Link, [end(0), end(1)])
        } else {
            if line.starts_with("CONECT") {
                self.add_conect(line, number);
            }
            return;
        };
        let [Some(a), Some(b)] = ends else {
            self.unread.push((record, number));
            return;
        };
        // LINKR has the name of a link of REFMAC's in the columns of the copies
        let copies = [columns(line, 59..65), columns(line, 66..72)];
        let other_copy = copies[0] != copies[1] && !copies.contains(&"");
        self.bonds.push(Declared {
            record,
            line: number,
            ends: [a, b],
            other_copy: other_copy && !line.starts_with("LINKR"),
        });
    }

    /// Most programs write each bond twice, once from each end, some from one of them only.
    fn add_conect(&mut self, line: &str, number: usize) {
        let column = |start: usize| columns(line, start..start + 5);
        let others = [11, 16, 21, 26]
            .map(column)
            .into_iter()
            .filter(|text| !text.is_empty());
        let others: Vec<Option<usize>> = others.map(serial).collect();
        let first = serial(column(6));
        if first.is_none() || others.contains(&None) {
            self.unread.push((Record::Conect, number));
        }
        let Some(first) = first else { return };
        for other in others.into_iter().flatten().filter(|&other| other != first) {
            self.bonds.push(Declared {
                record: Record::Conect,
                line: number,
                ends: [End::Serial(first), End::Serial(other)],
                other_copy: false,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(chain: &str, number: isize, insertion: Option<char>, atom: &str) -> End {
        named((chain.into(), number, insertion), atom)
    }

    #[test]
    fn records_are_read_by_their_columns() {
        let mut found = DeclaredBonds::default();
        for (index, line) in [
            "SSBOND   1 CYS A   13    CYS A   20                          1555   2655  2.05  ",
            "LINK         NZ  LYS A   2A                CG  ASN B   1     1555   1555  1.33  ",
            "CONECT   12   11   13  140",
            "SSBOND",
            "LINK         NZ",
            "CONECTA0000   1x",
            "LINKR        NZ  LYS A   2A                CG  ASN B   1                LYSCG-AB",
        ]
        .into_iter()
        .enumerate()
        {
            found.add_pdb(line, index + 1, false);
        }
        let bonds = &found.bonds;
        assert_eq!(bonds.len(), 6);
        assert_eq!(
            bonds[0].ends,
            [end("A", 13, None, "SG"), end("A", 20, None, "SG")]
        );
        assert!(bonds[0].other_copy && !bonds[1].other_copy && !bonds[5].other_copy);
        let link = [end("A", 2, Some('A'), "NZ"), end("B", 1, None, "CG")];
        assert_eq!([&bonds[1].ends, &bonds[5].ends], [&link, &link]);
        for (bond, other) in bonds[2..5].iter().zip([11, 13, 140]) {
            assert_eq!(bond.ends, [End::Serial(12), End::Serial(other)]);
        }
        let unread = [(Record::Ssbond, 4), (Record::Link, 5), (Record::Conect, 6)];
        assert_eq!(found.unread, unread);
    }

    #[test]
    fn chains_of_two_letters_and_serial_numbers_beyond_five_digits_are_read() {
        let mut found = DeclaredBonds::default();
        let line = "SSBOND   1 CYSAB   13    CYSAC   20";
        found.add_pdb(line, 1, true);
        found.add_pdb("CONECTA0000A0001", 2, true);
        let sulfurs = [end("AB", 13, None, "SG"), end("AC", 20, None, "SG")];
        assert_eq!(found.bonds[0].ends, sulfurs);
        let serials = [End::Serial(100_000), End::Serial(100_001)];
        assert_eq!(found.bonds[1].ends, serials);
        assert_eq!(serials[0].to_string(), "serial number 100000");
        assert_eq!(sulfurs[0].to_string(), "AB:13:SG");
    }
}
