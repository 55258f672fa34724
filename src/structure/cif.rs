//! mmCIF files: the atom table and the cell; everything else is passed over.

use super::Cell;
use super::models::{AtomFields, Collector, Wanted};
use super::pdb::{cell, coordinate};
use super::source::Source;
use crate::Result;

/// One word of a CIF file.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Token<'a> {
    /// Line that it starts on, from 1.
    line: usize,
    text: &'a str,
    /// In quotes or a text block: never a name, a keyword or a missing value.
    quoted: bool,
}

impl<'a> Token<'a> {
    /// `_category.item`, loop_, data_…: anything but a value.
    fn is_structure(&self) -> bool {
        let starts = |word: &str| {
            self.text
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        !self.quoted
            && (self.text.starts_with('_')
                || ["loop_", "data_", "save_", "stop_", "global_"]
                    .into_iter()
                    .any(starts))
    }
    fn is_item(&self, name: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(name)
    }
    /// The value, unless it is `.` (does not apply) or `?` (not known).
    fn value(&self) -> Option<&'a str> {
        Some(self.text).filter(|text| self.quoted || !matches!(*text, "." | "?" | ""))
    }
}

/// Words of a CIF text, one by one (CIF 1.1 syntax).
struct Tokens<'a> {
    source: &'a Source,
    rest: &'a str,
    line: usize,
    line_start: bool,
}

impl<'a> Tokens<'a> {
    fn new(source: &'a Source) -> Self {
        Tokens {
            source,
            rest: &source.text,
            line: 1,
            line_start: true,
        }
    }

    fn skip_blanks(&mut self) {
        while let Some(next) = self.rest.chars().next() {
            match next {
                '\n' => (self.line, self.line_start) = (self.line + 1, true),
                '#' => {
                    self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
                    continue;
                }
                _ if next.is_whitespace() => self.line_start = false,
                _ => return,
            }
            self.rest = &self.rest[1..];
        }
    }

    /// The next word; `None` at the end of the file.
    ///
    /// # Errors
    /// [`crate::Error::Input`] for a quote or text block without an end.
    fn next(&mut self) -> Result<Option<Token<'a>>> {
        self.skip_blanks();
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let line = self.line;
        let (start, end, after) = match first {
            ';' if self.line_start => (1, self.rest.find("\n;"), 2),
            '\'' | '"' => (1, self.closing_quote(first), 1),
            _ => (
                0,
                Some(
                    self.rest
                        .find(char::is_whitespace)
                        .unwrap_or(self.rest.len()),
                ),
                0,
            ),
        };
        let Some(end) = end else {
            let what = if first == ';' {
                "a text block without its closing `;`"
            } else {
                "a quote without its end"
            };
            return Err(self.source.error(
                line,
                None,
                what,
                "the file may be cut short: download or copy it again",
            ));
        };
        let text = &self.rest[start..end];
        self.line += self.rest[..end + after].matches('\n').count();
        self.rest = &self.rest[end + after..];
        self.line_start = false;
        Ok(Some(Token {
            line,
            text,
            quoted: start == 1,
        }))
    }

    /// A quote ends at the same sign followed by a blank, on the same line.
    fn closing_quote(&self, quote: char) -> Option<usize> {
        let line = &self.rest[..self.rest.find('\n').unwrap_or(self.rest.len())];
        let ends = |&(at, _): &(usize, &str)| {
            at > 0
                && line[at + 1..]
                    .chars()
                    .next()
                    .is_none_or(char::is_whitespace)
        };
        line.match_indices(quote).find(ends).map(|(at, _)| at)
    }
}

/// Finds the atoms of the wanted models, and the cell, of the first data block that has atoms.
///
/// # Errors
/// [`crate::Error::Input`] naming the line of an unfinished row or quote, of a position that is no
/// finite number, or of missing names.
pub(super) fn lex(source: &Source, wanted: Wanted) -> Result<(Collector, Option<Cell>)> {
    const CELL: [&str; 6] = [
        "length_a",
        "length_b",
        "length_c",
        "angle_alpha",
        "angle_beta",
        "angle_gamma",
    ];
    let mut collector = Collector::new(wanted);
    let mut edges = [None; 6];
    let mut tokens = Tokens::new(source);
    let mut next = tokens.next()?;
    while let Some(token) = next {
        next = tokens.next()?;
        if token.is_item("loop_") {
            next = lex_loop(source, &mut tokens, next, &mut collector)?;
        } else if let (Some(edge), Some(value)) = (
            CELL.iter()
                .position(|edge| token.is_item(&format!("_cell.{edge}"))),
            next,
        ) {
            edges[edge] = value
                .value()
                .and_then(|value| plain_number(value).parse::<f64>().ok());
        } else if token.is_structure()
            && !token.text.starts_with('_')
            && !collector.numbers.is_empty()
        {
            break; // another data block
        }
    }
    collector.finish(source)?;
    let cell = match edges {
        [
            Some(a),
            Some(b),
            Some(c),
            Some(alpha),
            Some(beta),
            Some(gamma),
        ] => cell([a, b, c], [alpha, beta, gamma]),
        _ => None,
    };
    Ok((collector, cell))
}

/// Reads a loop from its first word on; gives back the first word after it.
fn lex_loop<'a>(
    source: &'a Source,
    tokens: &mut Tokens<'a>,
    first: Option<Token<'a>>,
    into: &mut Collector,
) -> Result<Option<Token<'a>>> {
    let mut next = first;
    let mut names = Vec::new();
    while let Some(token) = next.filter(|token| !token.quoted && token.text.starts_with('_')) {
        names.push(token.text.to_ascii_lowercase());
        next = tokens.next()?;
    }
    let table = names
        .iter()
        .any(|name| name == "_atom_site.cartn_x")
        .then(|| AtomTable::new(source, &names, next.map_or(1, |token| token.line)));
    let mut table = table.transpose()?;
    let mut row: Vec<Token> = Vec::with_capacity(names.len());
    while let Some(token) = next.filter(|token| !token.is_structure()) {
        next = tokens.next()?;
        let Some(table) = &mut table else { continue };
        row.push(token);
        if row.len() == names.len() {
            table.add(&row, into)?;
            row.clear();
        }
    }
    if let Some(token) = row.first() {
        let what = format!(
            "the last row of the atom table has {} of {} values",
            row.len(),
            names.len()
        );
        return Err(source.error(
            token.line,
            None,
            what,
            "the file may be cut short: download or copy it again",
        ));
    }
    Ok(next)
}

/// A number without its standard uncertainty: `12.34(5)`.
fn plain_number(text: &str) -> &str {
    text.split('(').next().unwrap_or(text)
}

/// Columns of the atom table, by what they mean to us; author names first, as users know them from
/// publications.
struct AtomTable<'a> {
    source: &'a Source,
    position: [usize; 3],
    names: [usize; 4],
    fallbacks: [Option<usize>; 4],
    columns: [Option<usize>; 8],
    model: Option<String>,
}

const NAMES: [[&str; 2]; 4] = [
    ["label_atom_id", "auth_atom_id"],
    ["auth_comp_id", "label_comp_id"],
    ["auth_asym_id", "label_asym_id"],
    ["auth_seq_id", "label_seq_id"],
];
const OPTIONAL: [&str; 8] = [
    "id",
    "group_pdb",
    "label_alt_id",
    "label_asym_id",
    "label_seq_id",
    "pdbx_pdb_ins_code",
    "occupancy",
    "pdbx_pdb_model_num",
];

impl<'a> AtomTable<'a> {
    fn new(source: &'a Source, names: &[String], line: usize) -> Result<Self> {
        let column = |name: &str| {
            names
                .iter()
                .position(|known| known.strip_prefix("_atom_site.") == Some(name))
        };
        let needed = |any: &[&str]| {
            any.iter().find_map(|name| column(name)).ok_or_else(|| {
                let what = format!("the atom table has no column _atom_site.{}", any[0]);
                source.error(
                    line,
                    None,
                    what,
                    "write the file with a program that follows the mmCIF dictionary",
                )
            })
        };
        let position = [
            needed(&["cartn_x"])?,
            needed(&["cartn_y"])?,
            needed(&["cartn_z"])?,
        ];
        let mut found = [0; 4];
        for (found, names) in found.iter_mut().zip(&NAMES) {
            *found = needed(names)?;
        }
        Ok(AtomTable {
            source,
            position,
            names: found,
            fallbacks: NAMES.map(|names| column(names[1])),
            columns: OPTIONAL.map(column),
            model: None,
        })
    }

    fn add(&mut self, row: &[Token<'a>], into: &mut Collector) -> Result<()> {
        let [
            serial,
            group,
            altloc,
            part,
            sequence,
            insertion,
            occupancy,
            model,
        ] = self
            .columns
            .map(|column| column.and_then(|column| row[column].value()));
        if self.model.as_deref() != Some(model.unwrap_or_default()) {
            self.model = Some(model.unwrap_or_default().to_owned());
            into.begin(model.and_then(|model| model.parse().ok()));
        }
        let Some(target) = into.current() else {
            return Ok(());
        };
        let line = row[self.position[0]].line;
        let mut names = [None; 4];
        for (index, name) in names.iter_mut().enumerate() {
            *name = row[self.names[index]]
                .value()
                .or_else(|| row[self.fallbacks[index]?].value());
        }
        let [Some(name), Some(residue), chain, Some(number)] = names else {
            return Err(self.source.error(
                line,
                None,
                "an atom without a name, residue or residue number",
                "check this row of the atom table",
            ));
        };
        let mut fields = AtomFields {
            line,
            serial: serial
                .and_then(|serial| serial.parse().ok())
                .unwrap_or(target.rows.len() + 1),
            hetero: group == Some("HETATM"),
            name,
            altloc: altloc.and_then(|altloc| altloc.chars().next()),
            residue,
            chain: chain.unwrap_or_default(),
            part: part.unwrap_or_default(),
            number: 0,
            insertion: insertion.and_then(|insertion| insertion.chars().next()),
            position: [0.0; 3],
            occupancy: occupancy
                .and_then(|value| plain_number(value).parse().ok())
                .filter(|value: &f64| value.is_finite())
                .unwrap_or(1.0),
            polymer: self.columns[4].map(|_| sequence.is_some()),
        };
        fields.number = number.parse().map_err(|_| {
            self.source.error(
                line,
                None,
                format!("`{number}` is no residue number"),
                "check this row of the atom table",
            )
        })?;
        for (axis, column) in self.position.into_iter().enumerate() {
            fields.position[axis] = coordinate(plain_number(row[column].text)).map_err(|what| {
                let what = format!("{} {what}", ["x", "y", "z"][axis]);
                self.source.error(
                    line,
                    Some(fields.label()),
                    what,
                    "check this row of the atom table",
                )
            })?;
        }
        target.add(&fields);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(usize, String, bool)> {
        let source = Source {
            text: text.into(),
            ..Source::default()
        };
        let mut tokens = Tokens::new(&source);
        std::iter::from_fn(|| tokens.next().unwrap())
            .map(|token| (token.line, token.text.to_owned(), token.quoted))
            .collect()
    }

    #[test]
    fn words_follow_the_cif_grammar() {
        assert_eq!(
            words("# note\n_x \"O5'\" 'it's a b'\n;two\nlines\n; ; #end\nlast'quote"),
            [
                (2, "_x".to_owned(), false),
                (2, "O5'".to_owned(), true),
                (2, "it's a b".to_owned(), true),
                (3, "two\nlines".to_owned(), true),
                (5, ";".to_owned(), false),
                (6, "last'quote".to_owned(), false),
            ]
        );
    }

    #[test]
    fn open_quotes_are_refused_with_their_line() {
        for text in ["a\n'open\n", "a\n;open\n", "a\n\"open"] {
            let source = Source {
                text: text.into(),
                path: "x.cif".into(),
                ..Source::default()
            };
            let mut tokens = Tokens::new(&source);
            assert!(tokens.next().is_ok());
            let error = tokens.next().unwrap_err().to_string();
            assert!(error.starts_with("x.cif:2: "), "{error}");
        }
    }
}
