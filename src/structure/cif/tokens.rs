//! Words of a CIF text, one by one (CIF 1.1 syntax).

use crate::Result;
use crate::structure::source::Source;

/// One word of a CIF file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Token<'a> {
    /// Line that it starts on, from 1.
    pub line: usize,
    pub text: &'a str,
    /// In quotes or a text block: never a name, a keyword or a missing value.
    pub quoted: bool,
}

impl<'a> Token<'a> {
    /// `_category.item`, loop_, data_…: anything but a value.
    pub fn is_structure(&self) -> bool {
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
    pub fn is_item(&self, name: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(name)
    }
    /// The value, unless it is `.` (does not apply) or `?` (not known).
    pub fn value(&self) -> Option<&'a str> {
        Some(self.text).filter(|text| self.quoted || !matches!(*text, "." | "?" | ""))
    }
}

/// Words of a CIF text, one by one (CIF 1.1 syntax).
pub(super) struct Tokens<'a> {
    source: &'a Source,
    rest: &'a str,
    line: usize,
    line_start: bool,
}

impl<'a> Tokens<'a> {
    pub fn new(source: &'a Source) -> Self {
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
    pub fn next(&mut self) -> Result<Option<Token<'a>>> {
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
