//! G-Hyena (Moskalev et al., ICML 2025): blocks of local messages → q, k, v → long convolution →
//! gate → product with v → residual → token-wise layers, each of which moves the answer.
//!
//! O(N log N) in tokens. What it has beyond the paper, and why, is in docs/network.md: more vector
//! channels than one, pair features of the jump, template heights, refinement of the positions.

use serde::{Deserialize, Serialize};

use super::parts::{self, Local, Near, Sizes, State};
use super::{Own, check_sizes, refuse};
use crate::Result;
use crate::fft::{Convolution, Terms};
use crate::network::program::{Builder, Interface, Program, Slot};
use crate::network::vocabulary::Vocabulary;
use crate::ops::gate::Gate;
use crate::ops::long_conv::LongConv;
use crate::ops::tuple::Tuple;

/// Which long convolution mixes the tokens; the paper ablates them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LongRange {
    /// Scalars and vectors together ([`crate::ops::long_conv`]).
    Geometric,
    /// Scalars only.
    Scalar,
    /// Vectors only.
    Vector,
    /// None: messages between neighbours are all.
    None,
}

/// Sizes and choices of a G-Hyena network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GHyena {
    /// Scalar channels C of a token.
    pub scalars: usize,
    /// Vector channels K of a token; scalar and vector channel k make one tuple in the long
    /// convolution.
    pub vectors: usize,
    /// Whether neighbours exchange messages, the local projection; without, `pair`, `radial`,
    /// `reach` and `neighbours` do nothing.
    pub local: bool,
    /// Tokens to either side along the sequence that a short convolution mixes into q, k and v, as
    /// in Hyena; 0: none.
    pub short: usize,
    /// Channels P of a pair message: 8, 16, 32 or 64.
    pub pair: usize,
    /// Blocks.
    pub layers: usize,
    /// B-splines of the pair distance.
    pub radial: usize,
    /// Distance at which the radial features end, Å.
    pub reach: f64,
    /// Nearest neighbours that a token receives messages from, beside its template pairs.
    pub neighbours: usize,
    /// The long convolution.
    pub long_range: LongRange,
    /// Its conventions.
    pub convolution: Convolution,
    /// Whether every block moves the candidate positions and the next recomputes its pair geometry
    /// from them. Forces move nothing.
    pub refine: bool,
    /// Whether template distances and signed heights are seen.
    pub templates: bool,
}

impl Default for GHyena {
    /// The working model.
    fn default() -> Self {
        GHyena {
            scalars: 64,
            vectors: 16,
            local: true,
            short: 0,
            pair: 32,
            layers: 4,
            radial: 14,
            reach: 11.0,
            neighbours: 32,
            long_range: LongRange::Geometric,
            convolution: Convolution::WORKING,
            refine: true,
            templates: true,
        }
    }
}

impl GHyena {
    /// As published: one vector channel, circular convolution scaled by 1/N, no templates, no
    /// refinement.
    pub fn paper() -> Self {
        GHyena {
            vectors: 1,
            convolution: Convolution::PAPER,
            refine: false,
            templates: false,
            ..GHyena::default()
        }
    }

    fn local(&self) -> Local {
        Local {
            pair: self.pair,
            radial: self.radial,
            reach: self.reach,
            templates: self.templates,
        }
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            c: self.scalars,
            k: self.vectors,
        }
    }

    /// One block: local messages, long convolution, token-wise layers, its share of the answer.
    fn block(&self, b: &mut Builder<'_>, name: &str, state: &mut State, vectors: &mut Slot) {
        let near = if self.local {
            parts::messages(b, name, self.local(), self.scalars, state)
        } else {
            parts::heights(b, name, self.templates, self.scalars, state)
        };
        let far = self.long_range(b, name, &near, *vectors);
        parts::mix_in(b, name, self.sizes(), &near, far, state, vectors);
        parts::token_wise(b, name, self.sizes(), state, vectors);
        let own = (*vectors, self.vectors);
        let moves = [vec![own], near.vectors].concat();
        parts::answer(b, name, self.scalars, state, &moves, self.refine, Some(own));
    }

    /// q, k, v heads, long convolution, gate and product with v: K scalars and K vectors.
    fn long_range(
        &self,
        b: &mut Builder<'_>,
        name: &str,
        near: &Near,
        vectors: Slot,
    ) -> Option<[(Slot, usize); 2]> {
        let k = self.vectors;
        let convolution = self.convolution_op()?;
        let at = |part: &str| format!("{name}.{part}");
        let widths = [4 * k, 3 * k];
        let heads = parts::heads(b, name, self.sizes(), near, vectors, widths);
        let (scalars, vectors) = parts::along_sequence(b, name, self.short, heads, widths);
        let mut head = |index: usize, part: &str| {
            let tuple = Tuple {
                channels: k,
                scalars: (4 * k, index * k),
                vectors: (3 * k, index * k),
            };
            b.call(&at(part), tuple, &[scalars, vectors])[0]
        };
        let (q, key, v) = (head(0, "q"), head(1, "k"), head(2, "v"));
        let u = b.call(&at("convolution"), convolution, &[q, key])[0];
        let gate = Gate {
            channels: k,
            gates: (4 * k, 3 * k),
        };
        let outputs = b.call(&at("gate"), gate, &[u, v, scalars]);
        Some([(outputs[0], k), (outputs[1], k)])
    }

    fn convolution_op(&self) -> Option<LongConv> {
        let terms = match self.long_range {
            LongRange::Geometric => Terms::Geometric,
            LongRange::Scalar => Terms::Scalar,
            LongRange::Vector => Terms::Vector,
            LongRange::None => return None,
        };
        Some(LongConv {
            channels: self.vectors,
            terms,
            convolution: self.convolution,
        })
    }
}

impl Own for GHyena {
    fn check(&self, _interface: &Interface) -> Result<()> {
        self.local().check()?;
        if !self.local && self.long_range == LongRange::None {
            return refuse("long_range", "a long convolution, or `local = true`");
        }
        if self.short > 64 {
            return refuse("short", "0 to 64");
        }
        check_sizes(&[
            ("scalars", self.scalars, 4096),
            ("vectors", self.vectors, 1024),
            ("layers", self.layers, 64),
            ("neighbours", self.neighbours, 4096),
        ])
    }

    fn build(&self, interface: &Interface, vocabulary: &Vocabulary) -> Program {
        let neighbours = if self.local { self.neighbours } else { 0 };
        let mut builder = Builder::new(interface, neighbours);
        let b = &mut builder;
        let mut state = parts::start(b, self.scalars, vocabulary);
        let mut vectors = parts::first_vectors(b, self.vectors);
        for layer in 0..self.layers {
            self.block(b, &format!("layer {layer}"), &mut state, &mut vectors);
        }
        let answer = parts::finish(b, self.scalars, &state);
        builder.finish(answer)
    }

    fn describe(&self) -> String {
        let near = parts::describe_near(self.local.then_some((self.pair, self.neighbours)));
        format!(
            "G-Hyena, {} layers, {} scalars, {} vectors, {near}, {:?} convolution",
            self.layers, self.scalars, self.vectors, self.long_range
        )
    }
}
