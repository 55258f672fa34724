//! The host side of the shaders, a file an op: which entries it runs, on which buffers, in how many
//! groups.

mod edges;

use super::buffers::Buffer;
use super::recorder::Bound;
use super::shaders::{LANES, SUMS, Source, Variant, has_entry};
use super::values::Named;
use super::{Gpu, Prepared};
use crate::Result;
use crate::ops::{Op, ops};

/// Most chunks that a sum over tokens is cut into: by their number alone, whatever the device.
const CHUNKS: usize = 64;

/// Where an op's kernels run.
pub(super) struct Launch<'a> {
    pub gpu: &'a Gpu,
    pub batch: &'a Prepared,
    pub source: Source,
}

/// Buffers of a call forward, in the order of the op's signature.
pub(super) struct Forward<'a> {
    pub inputs: &'a [&'a Buffer],
    pub params: &'a [&'a Buffer],
    pub outputs: &'a [&'a Buffer],
}

/// Buffers of a call backward, in the order of the op's signature; gradients of inputs and
/// parameters are added to.
pub(super) struct Backward<'a> {
    pub inputs: &'a [&'a Buffer],
    pub params: &'a [&'a Buffer],
    pub outputs: &'a [&'a Buffer],
    pub d_outputs: &'a [&'a Buffer],
    pub d_inputs: &'a [&'a Buffer],
    pub d_params: &'a [&'a Buffer],
}

impl Launch<'_> {
    /// Records an entry of the op's shader; `sizes` and buffers by their names there.
    fn run(&self, entry: &'static str, sizes: &[Named], bound: &[Bound<'_>], groups: usize) {
        self.gpu
            .dispatch(self.source, entry, self.batch, sizes, bound, groups);
    }

    /// The same by another shader of the op.
    fn of(&self, source: Source) -> Self {
        Launch { source, ..*self }
    }

    /// total += Σ over `chunks` of rows of `stride` numbers in `partial`, of the part that begins
    /// at `offset`.
    fn sum(&self, partial: &Buffer, chunks: usize, stride: usize, offset: usize, total: &Buffer) {
        self.sum_part(partial, [chunks, stride, offset], total, 0..total.len);
    }

    /// The same for a range of the total.
    fn sum_part(
        &self,
        partial: &Buffer,
        [chunks, stride, offset]: [usize; 3],
        total: &Buffer,
        range: std::ops::Range<usize>,
    ) {
        let sizes = [
            ("len", range.len().into()),
            ("chunks", chunks.into()),
            ("stride", stride.into()),
            ("offset", offset.into()),
            ("start", range.start.into()),
        ];
        let bound = [("partial", Some(partial)), ("total", Some(total))];
        if chunks <= CHUNKS {
            let groups = range.len().div_ceil(LANES);
            return self.of(SUMS).run("columns", &sizes, &bound, groups);
        }
        self.of(SUMS).run("sum", &sizes, &bound, range.len());
    }

    fn tokens(&self) -> usize {
        self.batch.tokens
    }
}

/// Each with its name, as far as there are any.
fn named<'a, const N: usize>(names: [&'static str; N], buffers: &[&'a Buffer]) -> Vec<Bound<'a>> {
    names
        .into_iter()
        .enumerate()
        .map(|(index, name)| (name, buffers.get(index).copied()))
        .collect()
}

/// The GPU's side of an op: in the file of its name in this folder.
pub(super) trait Shader {
    /// Text before the op's own, beside what is common to all.
    const SHARED: &'static str = "";
    /// Constants of the shader that the CPU's kernel has too.
    const CONSTANTS: &'static [Named] = &[];
    /// What is written for the op before its shader's own text.
    fn generated(&self) -> &'static str {
        ""
    }
    /// What the op's sizes fix in the shader's text.
    fn variant(&self) -> Variant {
        Variant::default()
    }
    /// Records what overwrites the outputs.
    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()>;
    /// Records what adds the gradients.
    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()>;
    /// Sources beside its own that the op's kernels are compiled of, for the test that reads all.
    #[cfg(test)]
    fn others(&self, _own: Source) -> Vec<Source> {
        Vec::new()
    }
}

macro_rules! shaders {
    ($($variant:ident = $module:ident),* $(,)?) => {
        $(mod $module;)*

        /// The source of an op's kernels: it does not compile without its file and both entries.
        pub(super) fn source(op: &Op) -> Source {
            fn of<S: Shader>(op: &S, name: &'static str, text: &'static str) -> Source {
                Source {
                    name,
                    shared: S::SHARED,
                    text,
                    generated: op.generated(),
                    constants: S::CONSTANTS,
                    variant: op.variant(),
                }
            }
            match op { $(Op::$variant(op) => {
                const NAME: &str = stringify!($module);
                const TEXT: &str =
                    include_str!(concat!("../../../../shaders/", stringify!($module), ".wgsl"));
                const { assert!(has_entry(TEXT, "forward"), "a shader has the entry forward") };
                const { assert!(has_entry(TEXT, "backward"), "a shader has the entry backward") };
                of(op, NAME, TEXT)
            }),* }
        }

        /// Records what overwrites the outputs.
        pub(super) fn forward(launch: &Launch<'_>, op: &Op, call: &Forward<'_>) -> Result<()> {
            match op { $(Op::$variant(op) => Shader::forward(op, launch, call)),* }
        }

        /// Records what adds the gradients.
        pub(super) fn backward(launch: &Launch<'_>, op: &Op, call: &Backward<'_>) -> Result<()> {
            match op { $(Op::$variant(op) => Shader::backward(op, launch, call)),* }
        }

        /// All sources of an op's kernels.
        #[cfg(test)]
        pub(super) fn sources(op: &Op) -> Vec<Source> {
            let own = source(op);
            let others = match op { $(Op::$variant(op) => op.others(own)),* };
            [vec![own], others].concat()
        }
    };
}
ops!(shaders);
pub(super) use chain::fits;
