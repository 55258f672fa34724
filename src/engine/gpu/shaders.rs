//! The shaders: text bound to the ops by name at compile time, read and checked by naga.

use naga::valid::{Capabilities, ValidationFlags, Validator};

use crate::ops::Op;

const COMMON: &str = include_str!("../../../shaders/shared/common.wgsl");
const CONVOLUTION: &str = include_str!("../../../shaders/shared/convolution.wgsl");
const PAIR: &str = include_str!("../../../shaders/shared/pair.wgsl");
const TRANSFORM: &str = include_str!("../../../shaders/shared/transform.wgsl");
const SUM: &str = include_str!("../../../shaders/shared/sum.wgsl");

/// One kernel's source: what a pipeline is compiled of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source {
    /// Name of the file in `shaders`, without its ending.
    pub name: &'static str,
    /// The file before it, beside the common one.
    before: &'static str,
    text: &'static str,
    /// Declarations that the op's sizes fix.
    constants: Constants,
}

/// What is compiled into a shader, since arrays in shared memory or whole branches depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Constants {
    None,
    /// `message`: channels, and whether backward goes by sender.
    Message {
        channels: usize,
        sending: bool,
    },
    /// `attention`: scalars and vectors of a head.
    Attention {
        scalars: usize,
        vectors: usize,
    },
    /// The transforms of a long convolution: its parts and its term of λ, and whether spectra are
    /// in natural order.
    Parts {
        scalar: bool,
        vector: bool,
        term: usize,
        natural: bool,
    },
}

/// Adds up the partial sums of other kernels.
pub(super) const SUMS: Source = Source {
    name: "sum",
    before: "",
    text: SUM,
    constants: Constants::None,
};

/// The kernels of an op. `sending`: those of `message` that go by sender.
pub(super) fn source(op: &Op, sending: bool) -> Source {
    let (before, constants) = match op {
        Op::Message(message) => (
            PAIR,
            Constants::Message {
                channels: message.channels,
                sending,
            },
        ),
        Op::GeometricConv(_) | Op::ScalarConv(_) | Op::VectorConv(_) => {
            (CONVOLUTION, Constants::None)
        }
        Op::Attention(attention) => (
            "",
            Constants::Attention {
                scalars: attention.scalars,
                vectors: attention.vectors,
            },
        ),
        _ => ("", Constants::None),
    };
    Source {
        name: op.name(),
        before,
        text: op.shader(),
        constants,
    }
}

/// The transforms of a long convolution of which these parts take part; `term`: which of the five
/// its λ is, 5 for all; `natural`: around another's transforms, which leave spectra in natural
/// order.
pub(super) fn transforms(scalar: bool, vector: bool, term: usize, natural: bool) -> Source {
    Source {
        name: "transform",
        before: "",
        text: TRANSFORM,
        constants: Constants::Parts {
            scalar,
            vector,
            term,
            natural,
        },
    }
}

impl Source {
    /// The whole text.
    pub fn wgsl(&self) -> String {
        let constants = match self.constants {
            Constants::None => String::new(),
            Constants::Message { channels, sending } => {
                // four arrays of a block's channels in 16 KiB of shared memory, which every device
                // has
                let edges = if channels > 32 { 8 } else { 16 };
                format!(
                    "const CHANNELS = {channels}u;\nconst EDGES = {edges}u;\nconst SENDING = {sending};\n"
                )
            }
            Constants::Attention { scalars, vectors } => {
                // two arrays of a block's numbers in 16 KiB of shared memory
                let block = (2000 / (scalars + 3 * vectors)).clamp(1, 64);
                format!(
                    "const SCALARS = {scalars}u;\nconst VECTORS = {vectors}u;\nconst BLOCK = {block}u;\n"
                )
            }
            Constants::Parts {
                scalar,
                vector,
                term,
                natural,
            } => {
                format!(
                    "const SCALAR = {scalar};\nconst VECTOR = {vector};\nconst TERM = {term}u;\nconst NATURAL = {natural};\n"
                )
            }
        };
        [COMMON, &constants, self.before, self.text].concat()
    }

    /// Reads and checks the text.
    ///
    /// # Panics
    /// Where naga refuses it: a bug of the shader, which the test below finds without any device.
    pub fn module(&self) -> (naga::Module, naga::valid::ModuleInfo) {
        let text = self.wgsl();
        let module = naga::front::wgsl::parse_str(&text)
            .unwrap_or_else(|error| panic!("{}: {}", self.name, error.emit_to_string(&text)));
        let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
            .validate(&module)
            .unwrap_or_else(|error| panic!("{}: {}", self.name, error.emit_to_string(&text)));
        (module, info)
    }
}

#[cfg(test)]
impl Source {
    /// The same with a part of its text replaced, which must be there.
    pub fn with(self, replaced: &str, by: &str) -> Source {
        assert!(self.text.contains(replaced));
        Source {
            text: Box::leak(self.text.replacen(replaced, by, 1).into_boxed_str()),
            ..self
        }
    }
}

/// Whether a shader declares an entry of this name, for the compiler to ask.
pub(crate) const fn has_entry(text: &str, entry: &str) -> bool {
    // "\nfn NAME(" right after its @compute line
    let (text, entry) = (text.as_bytes(), entry.as_bytes());
    let start = b"@compute @workgroup_size(64)\nfn ";
    let mut at = 0;
    while at + start.len() + entry.len() < text.len() {
        if matches(text, at, start)
            && matches(text, at + start.len(), entry)
            && text[at + start.len() + entry.len()] == b'('
        {
            return true;
        }
        at += 1;
    }
    false
}

const fn matches(text: &[u8], at: usize, part: &[u8]) -> bool {
    let mut index = 0;
    while index < part.len() {
        if text[at + index] != part[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fft::Convolution;
    use crate::ops;

    /// Every shader with every set of constants that the network can ask for.
    fn sources() -> Vec<Source> {
        let convolution = Convolution::WORKING;
        let mut ops: Vec<Op> = vec![
            ops::embed::Embed {
                channels: 8,
                tables: [3, 2, 4],
            }
            .into(),
            ops::linear::Linear::scalars(&[3], 4).into(),
            ops::norm::Norm { channels: 4 }.into(),
            ops::heights::Heights.into(),
            ops::tuple::Tuple {
                channels: 2,
                scalars: (2, 0),
                vectors: (2, 0),
            }
            .into(),
            ops::gate::Gate {
                channels: 2,
                gates: (2, 0),
            }
            .into(),
            ops::invariants::Invariants { channels: 2 }.into(),
            ops::update::Update { channels: 2 }.into(),
            ops::readout::Readout { vectors: vec![2] }.into(),
            ops::pool::Pool.into(),
            ops::attention::Attention {
                heads: 2,
                scalars: 4,
                vectors: 3,
            }
            .into(),
            ops::geometric_conv::GeometricConv {
                channels: 2,
                convolution,
            }
            .into(),
            ops::scalar_conv::ScalarConv {
                channels: 2,
                convolution,
            }
            .into(),
            ops::vector_conv::VectorConv {
                channels: 2,
                convolution,
            }
            .into(),
        ];
        for channels in [8, 16, 32, 64] {
            ops.push(
                ops::message::Message {
                    channels,
                    radial: 14,
                    reach: 11.0,
                }
                .into(),
            );
        }
        let of_ops = ops
            .iter()
            .flat_map(|op| [source(op, false), source(op, true)]);
        let transforms = [false, true].into_iter().flat_map(|natural| {
            [
                transforms(true, true, 5, natural),
                transforms(true, false, 0, natural),
                transforms(false, true, 4, natural),
            ]
        });
        of_ops.chain([SUMS]).chain(transforms).collect()
    }

    #[test]
    fn naga_accepts_every_shader() {
        for source in sources() {
            let (module, _) = source.module();
            let memory: u32 = module
                .global_variables
                .iter()
                .filter(|(_, variable)| variable.space == naga::AddressSpace::WorkGroup)
                .map(|(_, variable)| module.types[variable.ty].inner.size(module.to_ctx()))
                .sum();
            assert!(
                memory <= 16 << 10,
                "{}: {memory} bytes of shared memory",
                source.name
            );
        }
    }

    #[test]
    fn entries_are_found_by_their_whole_name() {
        let text = "@compute @workgroup_size(64)\nfn forward_all(\n";
        assert!(
            has_entry(text, "forward_all")
                && !has_entry(text, "forward")
                && !has_entry(text, "backward")
        );
    }
}
