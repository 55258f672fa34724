//! Numbers that shaders get by name: constants of their text, members of their `Sizes`.

use std::fmt;

/// A number for a shader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    Flag(bool),
    Count(u32),
    /// The bits of an f64: constants are keys of compiled pipelines.
    Number(u64),
}

/// A number and its name in the shader.
pub(crate) type Named = (&'static str, Value);

impl Value {
    pub const fn count(value: usize) -> Value {
        Value::Count(value as u32)
    }

    pub const fn number(value: f64) -> Value {
        Value::Number(value.to_bits())
    }

    /// The word of a member of `Sizes`.
    pub fn word(self) -> u32 {
        match self {
            Value::Flag(flag) => flag.into(),
            Value::Count(count) => count,
            Value::Number(bits) => (f64::from_bits(bits) as f32).to_bits(),
        }
    }

    /// Whether a member of `Sizes` for it is an f32; a u32 otherwise.
    pub fn is_float(self) -> bool {
        matches!(self, Value::Number(_))
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Value {
        Value::count(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Flag(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::number(value)
    }
}

/// As WGSL writes it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Count(count) => write!(f, "{count}u"),
            Value::Number(bits) => write!(f, "{:?}", f64::from_bits(*bits)),
        }
    }
}

/// Declarations of constants, a line each.
pub(super) fn declared(constants: impl IntoIterator<Item = Named>) -> String {
    constants
        .into_iter()
        .map(|(name, value)| format!("const {name} = {value};\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_written_as_wgsl() {
        let constants = [
            ("A", true.into()),
            ("B", 7.into()),
            ("C", 1e-6.into()),
            ("D", 2.0.into()),
        ];
        assert_eq!(
            declared(constants),
            "const A = true;\nconst B = 7u;\nconst C = 1e-6;\nconst D = 2.0;\n"
        );
    }

    #[test]
    fn words_have_the_bits_of_their_type() {
        let values: [Value; 3] = [true.into(), 7.into(), 0.5.into()];
        assert_eq!(values.map(Value::word), [1, 7, 0.5f32.to_bits()]);
        assert_eq!(values.map(Value::is_float), [false, false, true]);
    }
}
