//! The architectures that are held beside each other, by name, at equal numbers of parameters.

use mdsurrogate::network::{
    Architecture, Attention, Egnn, Equiformer, FastEgnn, GHyena, Hyena, Interface, LongRange,
    PROTEIN, Program, Transformer, Vocabulary,
};
use mdsurrogate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is held beside what: architectures and ablations of G-Hyena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// G-Hyena
    GHyena,
    /// G-Hyena whose long convolution has its scalar term alone
    GHyenaScalar,
    /// G-Hyena whose long convolution has its vector term alone
    GHyenaVector,
    /// G-Hyena without a local projection
    GHyenaNoLocal,
    /// G-Hyena whose gates are held open, all alike
    GHyenaNoGate,
    /// Attention by scalars and vectors, equivariant
    Attention,
    /// Messages between neighbours that move the positions
    Egnn,
    /// The same with virtual nodes
    FastEgnn,
    /// Attention over neighbourhoods with scalars, vectors and tensors of rank 2
    Equiformer,
    /// Attention over plain numbers
    Transformer,
    /// Long convolutions of plain numbers with implicit filters
    Hyena,
}

/// Sizes of the G-Hyena that the others are matched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Scalar channels of a token.
    pub scalars: usize,
    /// Vector channels of a token.
    pub vectors: usize,
    /// Blocks.
    pub layers: usize,
}

impl Model {
    /// Every architecture; ablations left out.
    pub const ARCHITECTURES: [Model; 7] = [
        Model::GHyena,
        Model::Egnn,
        Model::FastEgnn,
        Model::Equiformer,
        Model::Attention,
        Model::Transformer,
        Model::Hyena,
    ];

    /// Those that see whole sequences, or at least far along them; ablations left out.
    pub const SEQUENCES: [Model; 5] = [
        Model::GHyena,
        Model::Equiformer,
        Model::Attention,
        Model::Transformer,
        Model::Hyena,
    ];

    /// What G-Hyena is held against that lacks one of its parts. It has no global tokens to lack.
    pub const ABLATIONS: [Model; 4] = [
        Model::GHyenaScalar,
        Model::GHyenaVector,
        Model::GHyenaNoLocal,
        Model::GHyenaNoGate,
    ];

    /// Its name, as tables hold it.
    pub fn title(self) -> &'static str {
        match self {
            Model::GHyena => "G-Hyena",
            Model::GHyenaScalar => "G-Hyena, scalar convolution alone",
            Model::GHyenaVector => "G-Hyena, vector convolution alone",
            Model::GHyenaNoLocal => "G-Hyena without local projection",
            Model::GHyenaNoGate => "G-Hyena without gate",
            Model::Attention => "equivariant attention",
            Model::Egnn => "EGNN",
            Model::FastEgnn => "FastEGNN",
            Model::Equiformer => "Equiformer-like",
            Model::Transformer => "Transformer",
            Model::Hyena => "Hyena",
        }
    }

    /// Its architecture for sequences of vectors, with as many parameters as the G-Hyena of this
    /// size has, as nearly as its widths allow.
    ///
    /// # Errors
    /// [`Error::Usage`] where no width comes within a tenth.
    pub fn matched(self, size: Size, interface: &Interface) -> Result<Architecture> {
        let reference = self.of_width(size, size.scalars, size.vectors);
        let wanted = parameters(
            &g_hyena(size, size.scalars, size.vectors),
            interface,
            &PROTEIN,
        );
        if matches!(reference, Architecture::GHyena(_)) {
            return Ok(reference);
        }
        // widths are multiples of the number of heads
        let all = (1..=256).map(|width| self.of_width(size, HEADS * width, size.vectors));
        self.nearest(wanted, (interface, &PROTEIN), all)
    }

    /// Its architecture for molecules: of G-Hyena the working one, of the others one of as many
    /// parameters.
    ///
    /// # Errors
    /// Those of [`Model::for_molecules`].
    pub fn working(self, interface: &Interface) -> Result<Architecture> {
        self.for_molecules(&GHyena::default(), interface, &PROTEIN)
    }

    /// Its architecture for molecules: of G-Hyena this one, of the others one of as many
    /// parameters, within a tenth, with as many layers and the same messages.
    ///
    /// # Errors
    /// [`Error::Usage`] where no width comes so near, or it is none for molecules.
    pub fn for_molecules(
        self,
        like: &GHyena,
        interface: &Interface,
        vocabulary: &Vocabulary,
    ) -> Result<Architecture> {
        let wanted = parameters(&Architecture::GHyena(like.clone()), interface, vocabulary);
        let widths = (1..=128).map(|width| 4 * width);
        let all = widths.filter_map(|scalars| self.beside(like, scalars));
        self.nearest(wanted, (interface, vocabulary), all)
    }

    /// Its architecture for molecules beside this G-Hyena, `scalars` wide.
    fn beside(self, like: &GHyena, scalars: usize) -> Option<Architecture> {
        let &GHyena {
            pair,
            layers,
            radial,
            reach,
            neighbours,
            refine,
            templates,
            ..
        } = like;
        Some(match self {
            Model::GHyena => Architecture::GHyena(like.clone()),
            Model::Egnn => Architecture::Egnn(Egnn {
                scalars,
                pair,
                layers,
                radial,
                reach,
                neighbours,
                refine,
                templates,
            }),
            Model::FastEgnn => Architecture::FastEgnn(FastEgnn {
                scalars,
                pair,
                layers,
                radial,
                reach,
                neighbours,
                refine,
                templates,
                ..FastEgnn::default()
            }),
            Model::Attention => Architecture::Attention(Attention {
                scalars,
                vectors: like.vectors,
                pair,
                layers,
                radial,
                reach,
                neighbours,
                refine,
                templates,
                ..Attention::default()
            }),
            Model::Equiformer => Architecture::Equiformer(Equiformer {
                scalars,
                vectors: like.vectors,
                pair,
                layers,
                radial,
                reach,
                neighbours,
                refine,
                templates,
                ..Equiformer::default()
            }),
            Model::Transformer => Architecture::Transformer(Transformer {
                scalars,
                layers,
                ..Transformer::default()
            }),
            Model::Hyena => Architecture::Hyena(Hyena {
                scalars,
                channels: scalars / 4,
                layers,
                ..Hyena::default()
            }),
            Model::GHyenaScalar
            | Model::GHyenaVector
            | Model::GHyenaNoLocal
            | Model::GHyenaNoGate => return None,
        })
    }

    /// Of every number of the parameters, whether it stays zero: without a gate those that gates
    /// are made of, the last of the four heads of equal width. What is left is σ(1) for all.
    pub fn frozen(self, program: &Program) -> Vec<bool> {
        let mut all = Vec::with_capacity(program.parameter_count());
        for (name, shape) in &program.params {
            let [rows, columns] = shape.size;
            let has_gates = self == Model::GHyenaNoGate && name.contains(".heads_scalars.");
            for _ in 0..rows {
                all.extend((0..columns).map(|column| has_gates && 4 * column >= 3 * columns));
            }
        }
        all
    }

    /// The one whose number of parameters is nearest, within a tenth.
    fn nearest(
        self,
        wanted: usize,
        (interface, vocabulary): (&Interface, &Vocabulary),
        all: impl Iterator<Item = Architecture>,
    ) -> Result<Architecture> {
        let off = |architecture: &Architecture| {
            parameters(architecture, interface, vocabulary).abs_diff(wanted) as f64 / wanted as f64
        };
        let best = all.min_by(|a, b| off(a).total_cmp(&off(b)));
        let best = best.filter(|best| off(best) <= 0.1);
        best.ok_or_else(|| {
            let title = self.title();
            Error::usage(
                format!("no {title} has the {wanted} parameters of G-Hyena, within a tenth"),
                "use another size of it, or another model",
            )
        })
    }

    /// Its architecture, `scalars` wide.
    fn of_width(self, size: Size, scalars: usize, vectors: usize) -> Architecture {
        let layers = size.layers;
        match self {
            Model::GHyena | Model::GHyenaNoGate => g_hyena(size, scalars, vectors),
            Model::GHyenaScalar => with_long_range(size, LongRange::Scalar),
            Model::GHyenaVector => with_long_range(size, LongRange::Vector),
            Model::GHyenaNoLocal => match g_hyena(size, scalars, vectors) {
                Architecture::GHyena(sizes) => Architecture::GHyena(GHyena {
                    local: false,
                    short: 0,
                    ..sizes
                }),
                other => other,
            },
            Model::Attention => Architecture::Attention(Attention {
                scalars,
                vectors,
                heads: HEADS,
                layers,
                local: false,
                short: SHORT,
                templates: false,
                refine: false,
                ..Attention::default()
            }),
            Model::Egnn => Architecture::Egnn(Egnn {
                scalars,
                layers,
                neighbours: CHAIN,
                templates: false,
                ..Egnn::default()
            }),
            Model::FastEgnn => Architecture::FastEgnn(FastEgnn {
                scalars,
                layers,
                neighbours: CHAIN,
                templates: false,
                ..FastEgnn::default()
            }),
            // half of the vectors are tensors; as many neighbours as for molecules, since four
            // along the sequence would see no earlier key
            Model::Equiformer => Architecture::Equiformer(Equiformer {
                scalars,
                vectors: vectors.div_ceil(2),
                heads: HEADS,
                pair: 16,
                layers,
                templates: false,
                refine: false,
                ..Equiformer::default()
            }),
            Model::Transformer => Architecture::Transformer(Transformer {
                scalars,
                heads: HEADS,
                layers,
            }),
            Model::Hyena => Architecture::Hyena(Hyena {
                scalars,
                channels: scalars,
                layers,
                short: SHORT,
                ..Hyena::default()
            }),
        }
    }
}

/// Heads of attention over sequences.
const HEADS: usize = 2;

/// Neighbours along the sequence that messages come from.
const CHAIN: usize = 4;

/// Tokens to either side that short convolutions see.
const SHORT: usize = 1;

/// The models that were asked for, or else all of these.
pub fn chosen(asked: &[Model], all: &[Model]) -> Vec<Model> {
    let own = if asked.is_empty() { all } else { asked };
    own.to_vec()
}

/// The G-Hyena for molecules that the others are matched with, where a task says nothing else.
pub fn small() -> GHyena {
    GHyena {
        scalars: 32,
        vectors: 8,
        pair: 16,
        layers: 2,
        ..GHyena::default()
    }
}

fn g_hyena(size: Size, scalars: usize, vectors: usize) -> Architecture {
    Architecture::GHyena(GHyena {
        scalars,
        vectors,
        layers: size.layers,
        local: false,
        short: SHORT,
        convolution: mdsurrogate::fft::Convolution {
            scale: mdsurrogate::fft::Scale::InverseRoot,
            ..mdsurrogate::fft::Convolution::PAPER
        },
        templates: false,
        refine: false,
        ..GHyena::default()
    })
}

fn with_long_range(size: Size, long_range: LongRange) -> Architecture {
    match g_hyena(size, size.scalars, size.vectors) {
        Architecture::GHyena(sizes) => Architecture::GHyena(GHyena {
            long_range,
            ..sizes
        }),
        other => other,
    }
}

/// Number of parameters.
pub fn parameters(
    architecture: &Architecture,
    interface: &Interface,
    vocabulary: &Vocabulary,
) -> usize {
    architecture.build(interface, vocabulary).parameter_count()
}
