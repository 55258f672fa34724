//! PQR files: PDB with charge and radius where occupancy and B factor would be, in columns or with
//! blanks between words of any width.

/// How the atom records of a file are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Layout {
    /// In the columns of PDB.
    #[default]
    Pdb,
    /// In the columns of PDB, with charge and radius.
    Pqr,
    /// In words, with charge and radius.
    Words,
}

/// The words of an atom record of a PQR file.
struct Words<'a> {
    names: [&'a str; 2],
    chain: &'a str,
    number: &'a str,
    position: [&'a str; 3],
}

impl Layout {
    /// Tells it by all atom records of a file; a file of other words is PDB.
    pub fn of<'a>(mut atoms: impl Iterator<Item = &'a str> + Clone) -> Self {
        let is_pqr = |line: &str| has_charge(line) || words(line).is_some_and(|found| found.1);
        if !atoms.clone().take(100).any(is_pqr) {
            return Layout::Pdb;
        }
        let in_columns = |line: &str| {
            let at = |start| line.get(start..start + 8).unwrap_or_default().trim();
            words(line).is_none_or(|(words, _)| words.position == [30, 38, 46].map(at))
        };
        if atoms.clone().all(in_columns) {
            Layout::Pqr
        } else if atoms.all(|line| words(line).is_some()) {
            Layout::Words
        } else {
            Layout::Pdb
        }
    }
}

/// Whether what stands behind the position is a charge, and not an occupancy: two numbers, the
/// first with four decimals or more.
fn has_charge(line: &str) -> bool {
    let mut behind = line.get(54..).unwrap_or_default().split_ascii_whitespace();
    let (Some(charge), Some(radius), None) = (behind.next(), behind.next(), behind.next()) else {
        return false;
    };
    is_number(radius) && is_charge(charge)
}

fn is_charge(word: &str) -> bool {
    let decimals = word
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    is_number(word) && decimals >= 4
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

/// The words of a record, and whether they end with a charge; none if they are not those of PQR:
/// record, serial, name, residue, chain perhaps, number, x, y, z, charge, radius.
fn words(line: &str) -> Option<(Words<'_>, bool)> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (chain, rest) = match words.len() {
        10 => ("", &words[4..]),
        11 => (words[4], &words[5..]),
        _ => return None,
    };
    let is_number_of_residue = |word: &str| {
        let digits = word.strip_prefix('-').unwrap_or(word);
        let digits = digits
            .strip_suffix(|c: char| c.is_ascii_uppercase())
            .unwrap_or(digits);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let fits = rest[1..].iter().all(|word| is_number(word)) && is_number_of_residue(rest[0]);
    let found = Words {
        names: [words[2], words[3]],
        chain,
        number: rest[0],
        position: [rest[1], rest[2], rest[3]],
    };
    fits.then(|| (found, is_charge(rest[4])))
}

/// A record in words as one in columns; none where a word does not fit its columns.
pub(super) fn in_columns(line: &str) -> Option<String> {
    let (words, _) = words(line)?;
    let record = line.get(..6)?.split_ascii_whitespace().next()?;
    let serial = line.split_ascii_whitespace().nth(1)?;
    let [name, residue] = words.names;
    let letter = words.number.len() - words.number.trim_end_matches(char::is_alphabetic).len();
    let (number, insertion) = words.number.split_at(words.number.len() - letter);
    let fits = name.len() <= 4
        && residue.len() <= 4
        && words.chain.len() <= 1
        && number.len() <= 4
        && words.position.iter().all(|word| word.len() <= 8);
    let serial = if serial.len() <= 5 { serial } else { "" };
    let [x, y, z] = words.position;
    let chain = words.chain;
    let residue = match residue.len() {
        4 => residue.to_owned(),
        _ => format!("{residue:>3} "),
    };
    fits.then(|| {
        format!(
            "{record:<6}{serial:>5} {name:<4} {residue}{chain:1}{number:>4}{insertion:1}   \
             {x:>8}{y:>8}{z:>8}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PDB: &str = "ATOM      1  N   MET A   1      27.340  24.430   2.614  1.00  9.67";
    const PQR: &str = "ATOM      1  N   MET A   1      27.340  24.430   2.614  0.1592 1.8240";
    const WORDS: &str = "ATOM 1 N MET A 60A 27.340 24.430 2.614 0.1592 1.8240";

    #[test]
    fn layouts_are_told_by_charges_and_columns() {
        for (line, layout) in [
            (PDB, Layout::Pdb),
            (PQR, Layout::Pqr),
            (WORDS, Layout::Words),
        ] {
            assert_eq!(Layout::of([line].into_iter()), layout, "{line}");
        }
        assert_eq!(Layout::of([WORDS, "ATOM nothing"].into_iter()), Layout::Pdb);
    }

    #[test]
    fn words_are_put_into_columns() {
        assert_eq!(
            in_columns(WORDS).unwrap(),
            "ATOM      1 N    MET A  60A     27.340  24.430   2.614"
        );
        assert_eq!(in_columns(&WORDS.replace("MET", "METHIONINE")), None);
    }
}
