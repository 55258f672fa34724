//! The table of declared bonds of an mmCIF file (struct_conn).

use super::tokens::Token;
use crate::structure::declared::{Declared, DeclaredBonds, End, Record};

/// Adds the bond that a row of the table declares: `names` are the items without their category.
/// Hydrogen bonds are none.
pub(super) fn add(names: &[String], row: &[Token], into: &mut DeclaredBonds) {
    let value = |item: &str| {
        let column = names.iter().position(|name| name == item)?;
        row.get(column)?.value()
    };
    let kind = value("conn_type_id")
        .unwrap_or_default()
        .to_ascii_lowercase();
    if !["covale", "disulf", "metalc"]
        .iter()
        .any(|known| kind.starts_with(known))
    {
        return;
    }
    let end = |partner: usize| {
        // author names first, as those of the atoms
        let either = |item: &str| {
            value(&format!("ptnr{partner}_auth_{item}"))
                .or_else(|| value(&format!("ptnr{partner}_label_{item}")))
        };
        let insertion = value(&format!("pdbx_ptnr{partner}_pdb_ins_code"));
        Some(End::Named {
            // a chain without an identifier is `.`, as in the table of atoms
            chain: either("asym_id").unwrap_or_default().to_owned(),
            number: either("seq_id")?.parse().ok()?,
            insertion: insertion.and_then(|code| code.chars().next()),
            atom: value(&format!("ptnr{partner}_label_atom_id"))?.to_ascii_uppercase(),
        })
    };
    let copies = [value("ptnr1_symmetry"), value("ptnr2_symmetry")];
    let line = row.first().map_or(0, |word| word.line);
    if let (Some(a), Some(b)) = (end(1), end(2)) {
        into.bonds.push(Declared {
            record: Record::StructConn,
            line,
            ends: [a, b],
            other_copy: matches!(copies, [Some(a), Some(b)] if a != b),
        });
    } else {
        into.unread.push((Record::StructConn, line));
    }
}
