//! mmCIF files: the atom table, the cell and the declared bonds; everything else is passed over.

mod atoms;
mod bonds;
mod tokens;

use self::atoms::AtomTable;
use self::tokens::{Token, Tokens};
use super::collector::{Collector, Wanted};
use super::declared::Declared;
use super::pdb::{Lexed, cell};
use super::source::Source;
use crate::Result;

const BONDS: &str = "_struct_conn.";

/// Finds the atoms of the wanted models, the cell and the declared bonds of the first data block
/// that has atoms.
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
    let mut declared = Vec::new();
    // a table of one row may be written as items, without loop_
    let (mut bond_names, mut bond_row) = (Vec::new(), Vec::new());
    let mut tokens = Tokens::new(source);
    let mut next = tokens.next()?;
    while let Some(token) = next {
        next = tokens.next()?;
        if token.is_item("loop_") {
            next = lex_loop(source, &mut tokens, next, &mut collector, &mut declared)?;
        } else if let (Some(edge), Some(value)) = (
            CELL.iter()
                .position(|edge| token.is_item(&format!("_cell.{edge}"))),
            next,
        ) {
            edges[edge] = value
                .value()
                .and_then(|value| plain_number(value).parse::<f64>().ok());
        } else if let (Some(name), Some(value)) = (bond_item(&token), next) {
            bond_names.push(name);
            bond_row.push(value);
        } else if token.is_structure() && !token.text.starts_with('_') && collector.has_models() {
            break; // another data block
        }
    }
    bonds::add(&bond_names, &bond_row, &mut declared);
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
        declared,
    })
}

/// The item's name within the table of declared bonds, if a word is one of them.
fn bond_item(token: &Token) -> Option<String> {
    let name = token.text.to_ascii_lowercase();
    name.strip_prefix(BONDS)
        .filter(|_| !token.quoted)
        .map(str::to_owned)
}

/// Reads a loop from its first word on; gives back the first word after it.
fn lex_loop<'a>(
    source: &'a Source,
    tokens: &mut Tokens<'a>,
    first: Option<Token<'a>>,
    into: &mut Collector,
    declared: &mut Vec<Declared>,
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
    let bonds: Option<Vec<String>> = names
        .iter()
        .map(|name| name.strip_prefix(BONDS).map(str::to_owned))
        .collect();
    let bonds = bonds.filter(|names| !names.is_empty());
    let mut row: Vec<Token> = Vec::with_capacity(names.len());
    while let Some(token) = next.filter(|token| !token.is_structure()) {
        next = tokens.next()?;
        if table.is_none() && bonds.is_none() {
            continue;
        }
        row.push(token);
        if row.len() == names.len() {
            if let Some(table) = &mut table {
                table.add(&row, into)?;
            } else if let Some(names) = &bonds {
                bonds::add(names, &row, declared);
            }
            row.clear();
        }
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
