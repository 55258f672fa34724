//! Which build this is.
//!
//! The commit is compiled into what calls the library (the program, the Python package), which
//! tells it at its start by `name_commit!`: within the library each commit, were it one of a page,
//! would compile all of it anew.

use std::sync::OnceLock;

// `name_commit!`, which build.rs writes
include!(concat!(env!("OUT_DIR"), "/name_commit.rs"));

/// How many digits of a commit are named.
const DIGITS: usize = 9;
/// Those of a commit's whole name, at least: git's SHA-1.
const WHOLE: usize = 40;

static NAMED: OnceLock<String> = OnceLock::new();

/// The version of the program and, where the program has named it, the commit that it is built
/// from.
pub fn version() -> &'static str {
    NAMED
        .get()
        .map_or(env!("CARGO_PKG_VERSION"), String::as_str)
}

/// Says which commit this is built from; what was said first stands. For `name_commit!` alone.
#[doc(hidden)]
pub fn built_from(commit: Option<[u8; DIGITS]>) {
    if let Some(digits) = commit {
        let digits = String::from_utf8_lossy(&digits);
        NAMED.get_or_init(|| format!("{} ({digits})", env!("CARGO_PKG_VERSION")));
    }
}

/// The commit that a file ends with: git's log of HEAD (`OLD NEW who when what`, the newest line
/// last), or the one word that git writes into an archive. None for anything else. At compile time,
/// so that nothing else of the log gets into the program.
#[doc(hidden)]
pub const fn last_commit(file: &[u8]) -> Option<[u8; DIGITS]> {
    let file = file.trim_ascii_end();
    let mut start = file.len();
    while start > 0 && file[start - 1] != b'\n' {
        start -= 1;
    }
    let mut end = end_of_word(file, start);
    if end < file.len() {
        start = end + 1;
        end = end_of_word(file, start);
    }
    if end < start + WHOLE {
        return None;
    }
    let mut digits = [0; DIGITS];
    let mut at = 0;
    while at < DIGITS {
        digits[at] = file[start + at];
        at += 1;
    }
    Some(digits)
}

/// Where hexadecimal digits from `at` on end.
const fn end_of_word(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at].is_ascii_hexdigit() {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "1f0e4d2a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e";
    const NEW: &str = "2fbad0b5a1c3e7f9d8b6a4c2e0f1d3b5a7c9e8d6";

    #[test]
    fn the_newest_line_of_a_log_is_the_commit() {
        let log = format!(
            "{} {OLD} A <a@b> 1 +0000\tclone: from c\n{OLD} {NEW} A <a@b> 2 +0000\tcommit: d e f\n",
            "0".repeat(40)
        );
        assert_eq!(last_commit(log.as_bytes()), Some(*b"2fbad0b5a"));
        // of SHA-256
        let log = format!("{OLD}{OLD} {NEW}{NEW} A <a@b> 2 +0000\tcommit: d\n");
        assert_eq!(last_commit(log.as_bytes()), Some(*b"2fbad0b5a"));
    }

    #[test]
    fn an_archive_has_its_commit_alone() {
        let word = format!("{NEW}\n");
        assert_eq!(last_commit(word.as_bytes()), Some(*b"2fbad0b5a"));
    }

    #[test]
    fn anything_else_names_none() {
        let short = &NEW[..39];
        for file in ["", "\n", "$Format:%H$\n", short, "ref: refs/heads/main\n"] {
            assert_eq!(last_commit(file.as_bytes()), None, "{file}");
        }
        let log = format!("{OLD} {short} A <a@b> 2 +0000\tcommit: d\n");
        assert_eq!(last_commit(log.as_bytes()), None);
    }
}
