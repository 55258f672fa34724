//! The text of shaders: what they all have, what an op's sizes fix, the op's own file; read and
//! checked by naga.

use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use naga::valid::{Capabilities, ValidationFlags, Validator};

use super::graph;
use super::values::{Named, declared};

const COMMON: &str = include_str!("../../../shaders/shared/common.wgsl");

/// Lanes of a group, in all shaders.
pub(crate) const LANES: usize = 64;

/// Before every shader: the constants that it shares with the engine, so that nothing stands twice,
/// and what all shaders call.
static PRELUDE: LazyLock<String> = LazyLock::new(|| {
    let constants = [("LANES", LANES.into())];
    declared(constants.into_iter().chain(graph::constants())) + COMMON
});

/// What is compiled into a shader, since arrays in shared memory or whole branches depend on it.
pub(crate) type Variant = [Option<Named>; 5];

/// A variant of fewer constants than there is room for.
pub(crate) fn variant<const N: usize>(constants: [Named; N]) -> Variant {
    let mut variant = Variant::default();
    for (place, constant) in variant.iter_mut().zip(constants) {
        *place = Some(constant);
    }
    variant
}

/// One kernel's source: what a pipeline is compiled of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// Name of the file in `shaders`, without its ending.
    pub name: &'static str,
    /// The file before it, beside the common one.
    pub shared: &'static str,
    pub text: &'static str,
    /// What is written for the op, before its own text; kept for good, as all text is.
    pub generated: &'static str,
    /// Constants that the CPU's kernel has too.
    pub constants: &'static [Named],
    pub variant: Variant,
}

/// Adds up the partial sums of other kernels.
pub(super) const SUMS: Source = Source {
    name: "sum",
    shared: "",
    text: include_str!("../../../shaders/shared/sum.wgsl"),
    generated: "",
    constants: &[],
    variant: [None; 5],
};

// A source is a key for every call: its text, thousands of letters, is not hashed.
impl PartialEq for Source {
    fn eq(&self, other: &Source) -> bool {
        let same_text = std::ptr::eq(self.text, other.text) || self.text == other.text;
        let same_generated = std::ptr::eq(self.generated, other.generated);
        self.variant == other.variant && same_text && same_generated
    }
}

impl Eq for Source {}

impl Hash for Source {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.variant.hash(state);
        self.generated.as_ptr().hash(state);
    }
}

impl Source {
    /// The whole text.
    pub fn wgsl(&self) -> String {
        let own = self.constants.iter().copied();
        let constants = declared(own.chain(self.variant.into_iter().flatten()));
        [
            &PRELUDE,
            &*constants,
            self.shared,
            self.generated,
            self.text,
        ]
        .concat()
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
pub(super) const fn has_entry(text: &str, entry: &str) -> bool {
    // "\nfn NAME(" right after its @compute line
    let (text, entry) = (text.as_bytes(), entry.as_bytes());
    let start = b"@compute @workgroup_size(LANES)\nfn ";
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
    use crate::engine::gpu::kernels;
    use crate::ops::{Kernel, Op};

    /// The shaders of every example of every op, and the one that is no op's.
    #[test]
    fn naga_accepts_every_shader() {
        let of_ops = Op::examples();
        let sources = of_ops.iter().flat_map(kernels::sources).chain([SUMS]);
        for source in sources {
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
        let text = "@compute @workgroup_size(LANES)\nfn forward_all(\n";
        assert!(
            has_entry(text, "forward_all")
                && !has_entry(text, "forward")
                && !has_entry(text, "backward")
        );
    }
}
