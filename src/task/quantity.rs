//! Quantities of a configuration: strings of a number and its unit, and back.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::{self, Dimension};

fn quantity<'de, D: Deserializer<'de>>(from: D, dimension: Dimension) -> Result<f64, D::Error> {
    let text = String::deserialize(from)?;
    units::parse(&text, dimension)
        .map_err(|error| serde::de::Error::custom(format!("{error}; try: {}", error.hint())))
}

macro_rules! quantities {
    ($($module:ident, $dimension:ident, $unit:literal, $what:literal;)*) => {$(
        #[doc = $what]
        pub mod $module {
            use super::*;

            /// A string with its unit.
            ///
            /// # Errors
            /// Where it has none, or another dimension's.
            pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
                quantity(from, Dimension::$dimension)
            }

            /// A string with its unit, which reads as the same number.
            ///
            /// # Errors
            /// The serialiser's.
            pub fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&format!(concat!("{}", $unit), value))
            }

            /// Likewise, of a key that may be missing.
            pub mod optional {
                use super::*;

                /// A string with its unit.
                ///
                /// # Errors
                /// Where it has none, or another dimension's.
                pub fn deserialize<'de, D>(from: D) -> Result<Option<f64>, D::Error>
                where
                    D: Deserializer<'de>,
                {
                    quantity(from, Dimension::$dimension).map(Some)
                }

                /// A string with its unit.
                ///
                /// # Errors
                /// The serialiser's.
                pub fn serialize<S: Serializer>(
                    value: &Option<f64>,
                    to: S,
                ) -> Result<S::Ok, S::Error> {
                    let text = value.map(|value| format!(concat!("{}", $unit), value));
                    text.serialize(to)
                }
            }
        }
    )*};
}

quantities! {
    time, Time, "ps", "A time, ps.";
    length, Length, "A", "A length, Å.";
    temperature, Temperature, "K", "A temperature, K.";
}
