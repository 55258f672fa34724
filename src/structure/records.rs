//! What a file says beside its atoms that bears on them: bonds, sequences, and what whoever keeps
//! it says of it as a whole.

use super::columns::columns;
use super::declared::DeclaredBonds;
use super::pqr::Layout;
use super::sequence::Sequences;

/// Most characters of a caveat that are repeated.
const MOST_WORDS: usize = 200;

/// What a file says beside its atoms.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub declared: DeclaredBonds,
    pub sequences: Sequences,
    /// CAVEAT: what is known to be wrong with the entry.
    caveat: String,
    /// OBSLTE: whether the entry is withdrawn, and what replaces it.
    withdrawn: Option<String>,
    /// SPLIT: the files that the molecule is spread over.
    split: String,
    /// How the atoms are written.
    pub layout: Layout,
    /// Another data block with atoms, which is not read.
    pub other_block: Option<String>,
}

impl Records {
    /// Of a file whose atoms are written so.
    pub fn in_layout(layout: Layout) -> Self {
        Records {
            layout,
            ..Records::default()
        }
    }

    /// Adds what line `number` (from 1) of a PDB file says; `two_letters`: whether identifiers of
    /// chains have two columns.
    pub fn add_pdb(&mut self, line: &str, number: usize, two_letters: bool) {
        if line.starts_with("SEQRES") || line.starts_with("REMARK 465") {
            self.sequences.add_pdb(line, two_letters);
        } else if line.starts_with("CAVEAT") {
            self.add_caveat(columns(line, 19..79));
        } else if line.starts_with("OBSLTE") {
            self.withdraw(columns(line, 31..75));
        } else if line.starts_with("SPLIT ") {
            add(&mut self.split, columns(line, 11..80));
        } else {
            self.declared.add_pdb(line, number, two_letters);
        }
    }

    /// Words of a caveat, which go on from line to line.
    pub fn add_caveat(&mut self, words: &str) {
        add(&mut self.caveat, words);
    }

    /// The entry is withdrawn; what replaces it, where something does.
    pub fn withdraw(&mut self, after: &str) {
        self.withdrawn.get_or_insert_with(|| after.to_owned());
    }

    /// What is to be said of the file, one line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.caveat.is_empty() {
            lines.push(format!("the file's own caveat: {}", self.caveat));
        }
        if let Some(after) = &self.withdrawn {
            let by = if after.is_empty() {
                "nothing".to_owned()
            } else {
                after
                    .split_ascii_whitespace()
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            lines.push(format!("the entry is withdrawn (OBSLTE), replaced by {by}"));
        }
        if !self.split.is_empty() {
            lines.push(format!(
                "a part of a molecule that is spread over several files (SPLIT): {}",
                self.split
            ));
        }
        if self.layout != Layout::Pdb {
            lines.push("a PQR file: its charges and radii are not read".to_owned());
        }
        if let Some(name) = &self.other_block {
            lines.push(format!(
                "not read: atoms of another data block, {name}; give it as a file of its own"
            ));
        }
        lines
    }
}

fn add(text: &mut String, words: &str) {
    for word in words.split_ascii_whitespace() {
        if text.len() + word.len() < MOST_WORDS {
            let blank = if text.is_empty() { "" } else { " " };
            text.push_str(blank);
            text.push_str(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_an_entry_is_repeated() {
        let mut records = Records::default();
        for line in [
            "CAVEAT     1ABC    CHIRALITY ERROR AT THE CA CENTER OF LYS",
            "CAVEAT   2 1ABC    A 27",
            "OBSLTE     31-JAN-94 1MBP      2MBP",
            "SPLIT      1VOQ 1VOR",
            "SITE     1 AC1  3 HIS A  94",
        ] {
            records.add_pdb(line, 1, false);
        }
        assert_eq!(
            records.lines(),
            [
                "the file's own caveat: CHIRALITY ERROR AT THE CA CENTER OF LYS A 27",
                "the entry is withdrawn (OBSLTE), replaced by 2MBP",
                "a part of a molecule that is spread over several files (SPLIT): 1VOQ 1VOR",
            ]
        );
        records.add_caveat(&"word ".repeat(1000));
        assert!(records.lines()[0].len() <= 2 * MOST_WORDS);
    }
}
