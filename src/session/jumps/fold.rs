//! Whether jumps keep to a fold, and how it is written.

use std::fmt;
use std::str::FromStr;

use crate::network::Tokens;
use crate::units::{self, Dimension};
use crate::{Error, Result};

/// Whether jumps keep to the fold that they start from.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Fold {
    /// Where a chain has ten residues or more.
    #[default]
    Auto,
    /// Yes.
    Keep,
    /// To one that follows the frames: their running mean over this time, ps.
    Follow(f64),
    /// No: for disordered chains; folded proteins come apart faster than in MD.
    Free,
}

impl FromStr for Fold {
    type Err = Error;

    /// `auto`, `keep`, `free`, or the time over which it follows, as `2ns`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Fold::Auto),
            "keep" => Ok(Fold::Keep),
            "free" => Ok(Fold::Free),
            time => match units::parse(time, Dimension::Time) {
                Ok(memory) if memory > 0.0 => Ok(Fold::Follow(memory)),
                _ => Err(Error::usage(
                    format!("--fold: {time} is neither auto, keep, free nor a time above zero"),
                    "keep, or 2ns for a fold that follows the frames",
                )),
            },
        }
    }
}

impl fmt::Display for Fold {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fold::Auto => out.write_str("auto"),
            Fold::Keep => out.write_str("keep"),
            Fold::Free => out.write_str("free"),
            Fold::Follow(memory) => write!(out, "{memory}ps"),
        }
    }
}

impl Fold {
    /// Whether this molecule keeps to its fold.
    pub(in crate::session) fn is_kept(self, tokens: &Tokens) -> bool {
        match self {
            Fold::Auto => tokens.is_folded(),
            Fold::Keep | Fold::Follow(_) => true,
            Fold::Free => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_is_written_as_it_is_read() {
        for (text, fold) in [
            ("auto", Fold::Auto),
            ("keep", Fold::Keep),
            ("free", Fold::Free),
            ("2500ps", Fold::Follow(2500.0)),
        ] {
            assert_eq!(text.parse::<Fold>().unwrap(), fold);
            assert_eq!(fold.to_string(), text);
        }
        assert_eq!("2.5ns".parse::<Fold>().unwrap(), Fold::Follow(2500.0));
        for text in ["", "0ps", "-1ns", "3", "loose", "nanps"] {
            let error = text.parse::<Fold>().unwrap_err();
            assert!(
                error.exit_code() == 2 && error.to_string().contains("--fold"),
                "{text}"
            );
        }
    }
}
