//! Units. Inside the library: Å, ps, Da, K, rad, kJ/mol. Conversion happens here, at file and
//! command-line borders.
//!
//! Consequence: a force in kJ/mol/Å accelerates a mass in Da by `ACCELERATION · F / m` Å/ps².

use crate::{Error, Result};

/// Boltzmann (molar gas) constant, kJ/mol/K (CODATA 2018).
pub const BOLTZMANN: f64 = 0.008_314_462_618_153_24;
/// Å/ps² per (kJ/mol/Å)/Da: 1 kJ/mol = 100 Da·Å²/ps².
pub const ACCELERATION: f64 = 100.0;
/// kJ/mol per Da·Å²/ps², the unit of ½mv².
pub const KINETIC: f64 = 0.01;
/// Å in one nm.
pub const ANGSTROM_PER_NM: f64 = 10.0;
/// ps in one AKMA time unit, the unit of DCD headers.
pub const PS_PER_AKMA: f64 = 0.048_888_21;

/// What a quantity typed by the user measures, with the units that it may carry and their size in
/// ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// ps inside
    Time,
    /// K inside
    Temperature,
    /// Å inside
    Length,
    /// 1/ps inside
    Rate,
}

impl Dimension {
    fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Dimension::Time => &[
                ("fs", 1e-3),
                ("ps", 1.0),
                ("ns", 1e3),
                ("us", 1e6),
                ("µs", 1e6),
            ],
            Dimension::Temperature => &[("K", 1.0)],
            Dimension::Length => &[("A", 1.0), ("Å", 1.0), ("nm", 10.0)],
            Dimension::Rate => &[("/ps", 1.0), ("/fs", 1e3), ("/ns", 1e-3)],
        }
    }

    fn example(self) -> &'static str {
        match self {
            Dimension::Time => "2fs, 100ps or 1ns",
            Dimension::Temperature => "300K",
            Dimension::Length => "10A or 1nm",
            Dimension::Rate => "1/ps",
        }
    }

    /// What a bare number may have been meant as: the number with its likeliest unit, and the
    /// others.
    fn completed(self, number: &str) -> String {
        match self {
            Dimension::Time => format!("{number}ps (or fs, ns, us)"),
            Dimension::Temperature => format!("{number}K"),
            Dimension::Length => format!("{number}A (or nm)"),
            Dimension::Rate => format!("{number}/ps"),
        }
    }
}

/// Parses a number with its unit (`2fs`, `100ps`, `300K`, `10A`, `1/ps`) into the library's unit of
/// that dimension.
///
/// ```
/// use mdsurrogate::units::{Dimension, parse};
///
/// assert_eq!(parse("2fs", Dimension::Time)?, 0.002); // ps
/// assert_eq!(parse("1nm", Dimension::Length)?, 10.0); // Å
/// assert!(parse("300", Dimension::Temperature).is_err()); // of what?
/// # Ok::<(), mdsurrogate::Error>(())
/// ```
///
/// # Errors
/// [`Error::Usage`] for a bare number, an unknown unit, a negative or a non-finite value; the
/// message shows the right form.
pub fn parse(text: &str, dimension: Dimension) -> Result<f64> {
    let text = text.trim();
    let refuse = |what: &str| {
        Error::usage(
            format!("`{text}` {what}"),
            format!("write it with its unit: {}", dimension.example()),
        )
    };
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .unwrap_or(text.len());
    // an exponent belongs to the number: 1e3ps
    let split = match text[split..].strip_prefix(['e', 'E']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => {
            let digits = rest[1..]
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len() - 1);
            split + 2 + digits
        }
        _ => split,
    };
    let (number, unit) = (&text[..split], text[split..].trim());
    let value: f64 = number
        .parse()
        .map_err(|_| refuse("is not a number with a unit"))?;
    if unit.is_empty() {
        let hint = if value.is_finite() && value >= 0.0 {
            dimension.completed(number)
        } else {
            format!("write it with its unit: {}", dimension.example())
        };
        return Err(Error::usage(format!("`{text}` has no unit"), hint));
    }
    let size = dimension
        .units()
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, size)| *size);
    let size = size.ok_or_else(|| refuse(&format!("carries an unknown unit `{unit}`")))?;
    if !value.is_finite() || value < 0.0 {
        return Err(refuse("is not a finite, positive quantity"));
    }
    Ok(value * size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_carry_units() {
        for (text, dimension, value) in [
            ("2fs", Dimension::Time, 0.002),
            ("1.5 ns", Dimension::Time, 1500.0),
            ("1e3ps", Dimension::Time, 1000.0),
            ("300K", Dimension::Temperature, 300.0),
            ("1nm", Dimension::Length, 10.0),
            ("1/ps", Dimension::Rate, 1.0),
        ] {
            let got = parse(text, dimension).unwrap();
            assert!((got - value).abs() <= 1e-12 * value, "{text}: {got}");
        }
    }

    #[test]
    fn a_bare_number_is_answered_with_its_units() {
        for (text, dimension, hint) in [
            ("300", Dimension::Temperature, "300K"),
            (" 1e3 ", Dimension::Time, "1e3ps (or fs, ns, us)"),
            ("12", Dimension::Length, "12A (or nm)"),
            ("0.5", Dimension::Rate, "0.5/ps"),
            (
                "-300",
                Dimension::Temperature,
                "write it with its unit: 300K",
            ),
        ] {
            let error = parse(text, dimension).unwrap_err();
            assert_eq!(error.hint(), hint, "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_the_right_form() {
        for text in [
            "", "ps", "1e", "1e+", "-5ps", "nanps", "3parsec", "1..2ps", "5µ", "1eps",
        ] {
            let error = parse(text, Dimension::Time).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{text}");
            assert!(error.hint().contains("100ps"), "{text}: {error}");
        }
    }
}
