//! mmCIF files: the atom table, the cell, and the tables that bear on both; everything else is
//! passed over.

mod atoms;
mod bonds;
mod tables;
mod tokens;

use self::atoms::AtomTable;
use self::tables::{Category, Tables, item};
use self::tokens::{Token, Tokens};
use super::collector::{Collector, Wanted};
use super::pdb::{Lexed, cell};
use super::source::Source;
use crate::Result;

/// Finds the atoms of the wanted models, the cell, and what other tables say of both, in the first
/// data block that has atoms.
///
/// # Errors
/// [`crate::Error::Input`] naming the line of an unfinished row or quote, of a position that is no
/// finite number, or of missing names.
pub(super) fn lex(source: &Source, wanted: Wanted) -> Result<Lexed> {
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
    let mut beside = Tables::default();
    let mut single = SingleRows::default();
    let mut tokens = Tokens::new(source);
    let mut next = tokens.next()?;
    while let Some(token) = next {
        next = tokens.next()?;
        if token.is_item("loop_") {
            next = lex_loop(source, &mut tokens, next, &mut collector, &mut beside)?;
        } else if let (Some(edge), Some(value)) = (
            CELL.iter()
                .position(|edge| token.is_item(&format!("_cell.{edge}"))),
            next,
        ) {
            edges[edge] = value
                .value()
                .and_then(|value| plain_number(value).parse::<f64>().ok());
        } else if let (false, Some((category, name)), Some(value)) =
            (token.quoted, item(token.text), next)
        {
            single.add(category, name, value);
        } else if token.is_structure() && !token.text.starts_with('_') && collector.has_models() {
            beside.records.other_block = block_with_atoms(source, token);
            break; // another data block
        }
    }
    for (category, names, row) in single.0 {
        beside.add(category, &names, &row);
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
    Ok(Lexed {
        collector,
        cell,
        records: beside.finish(),
    })
}

/// Tables of one row, which may be written as items, without loop_.
#[derive(Default)]
struct SingleRows<'a>(Vec<(Category, Vec<String>, Vec<Token<'a>>)>);

impl<'a> SingleRows<'a> {
    fn add(&mut self, category: Category, name: String, value: Token<'a>) {
        match self.0.iter_mut().find(|(known, ..)| *known == category) {
            Some((_, names, row)) => {
                names.push(name);
                row.push(value);
            }
            None => self.0.push((category, vec![name], vec![value])),
        }
    }
}

/// The name of a data block from `start` on that has atoms, if there is one.
fn block_with_atoms(source: &Source, start: Token) -> Option<String> {
    let starts = |word: &str, with: &str| {
        word.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let mut block = None;
    for line in source.text.lines().skip(start.line - 1) {
        let word = line.split_ascii_whitespace().next().unwrap_or_default();
        if starts(word, "data_") {
            block = Some(word);
        } else if starts(word, "_atom_site.") {
            return block.map(str::to_owned);
        }
    }
    None
}

/// Reads a loop from its first word on; gives back the first word after it.
fn lex_loop<'a>(
    source: &'a Source,
    tokens: &mut Tokens<'a>,
    first: Option<Token<'a>>,
    into: &mut Collector,
    beside: &mut Tables<'a>,
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
    let items: Option<Vec<(Category, String)>> = names.iter().map(|name| item(name)).collect();
    let other = items.filter(|items| !items.is_empty()).map(|items| {
        (
            items[0].0,
            items.into_iter().map(|item| item.1).collect::<Vec<_>>(),
        )
    });
    let mut row: Vec<Token> = Vec::with_capacity(names.len());
    while let Some(token) = next.filter(|token| !token.is_structure()) {
        next = tokens.next()?;
        if table.is_none() && other.is_none() {
            continue;
        }
        row.push(token);
        if row.len() == names.len() {
            if let Some(table) = &mut table {
                table.add(&row, into)?;
            } else if let Some((category, names)) = &other {
                beside.add(*category, names, &row);
            }
            row.clear();
        }
    }
    if let Some(table) = &mut table {
        beside.entities.append(&mut table.entities);
    }
    if let (Some(token), true) = (row.first(), table.is_some()) {
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
