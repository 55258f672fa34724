//! Columns of a PDB file's lines, and the numbers that overflow them.

/// Columns of a line, from 0, without blanks around; empty beyond its end.
pub(super) fn columns(line: &str, range: std::ops::Range<usize>) -> &str {
    line.get(range.start..range.end.min(line.len()))
        .unwrap_or_default()
        .trim()
}

/// One column of a line, unless it is blank.
pub(super) fn column(line: &str, at: usize) -> Option<char> {
    line.as_bytes()
        .get(at)
        .map(|&byte| char::from(byte))
        .filter(|character| !character.is_whitespace())
}

/// Serial number of an atom, as a decimal or hybrid-36 number of five columns.
pub(super) fn serial(text: &str) -> Option<usize> {
    text.parse()
        .ok()
        .or_else(|| usize::try_from(hybrid36(text, 5)?).ok())
}

/// Hybrid-36 numbers of `width` characters that start with a letter: `A000` is 10,000
/// (cctbx.sourceforge.net/hybrid_36).
pub(super) fn hybrid36(text: &str, width: u32) -> Option<isize> {
    let first = text.chars().next()?;
    let one_case = |case: fn(&u8) -> bool| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || case(&byte))
    };
    let is_upper = first.is_ascii_uppercase() && one_case(u8::is_ascii_uppercase);
    let is_lower = first.is_ascii_lowercase() && one_case(u8::is_ascii_lowercase);
    if text.len() != width as usize || !(is_upper || is_lower) {
        return None;
    }
    // Decimals come first, then 26 · 36^(width − 1) numbers in capitals, then as many in small
    // letters.
    let letters = if is_lower {
        26 * 36_isize.pow(width - 1)
    } else {
        0
    };
    let value = isize::from_str_radix(text, 36).ok()?;
    Some(value - 10 * 36_isize.pow(width - 1) + 10_isize.pow(width) + letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrid36_matches_its_published_examples() {
        for (text, width, value) in [
            ("A000", 4, 10_000),
            ("A001", 4, 10_001),
            ("ZZZZ", 4, 1_223_055),
            ("a000", 4, 1_223_056),
            ("A0000", 5, 100_000),
            ("ZZZZZ", 5, 43_770_015),
        ] {
            assert_eq!(hybrid36(text, width), Some(value), "{text}");
        }
        for text in ["", "1000", "A00", "Aa00", "A0-0", "A00 "] {
            assert_eq!(hybrid36(text, 4), None, "{text}");
        }
    }
}
