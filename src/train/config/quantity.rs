//! Quantities of the configuration: strings of a number and its unit.

use serde::{Deserialize, Deserializer};

use crate::units::{self, Dimension};

fn quantity<'de, D: Deserializer<'de>>(from: D, dimension: Dimension) -> Result<f64, D::Error> {
    let text = String::deserialize(from)?;
    units::parse(&text, dimension)
        .map_err(|error| serde::de::Error::custom(format!("{error}; {}", error.hint())))
}
/// A time with its unit, ps.
pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    quantity(from, Dimension::Time)
}
/// Likewise, where the key may be missing.
pub(super) fn optional_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    time(from).map(Some)
}
/// A temperature with its unit, K, where the key may be missing.
pub(super) fn optional_temperature<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<f64>, D::Error> {
    quantity(from, Dimension::Temperature).map(Some)
}
/// A length with its unit, Å.
pub(super) fn length<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    quantity(from, Dimension::Length)
}
