//! Attention over neighbourhoods with channels of degrees 0, 1 and 2, in the manner of Equiformer
//! (Liao & Smidt, "Equiformer: Equivariant Graph Attention Transformer for 3D Atomistic Graphs",
//! ICLR 2023): scalars, vectors and symmetric traceless tensors of rank 2, mixed across degrees by
//! products with the spherical harmonics of the direction to each neighbour
//! ([`crate::ops::near_attention`]), within a degree by linear maps, and opened by scalars.
//!
//! ```text
//! a, b = W (norm f, |v|, |T|)                    what messages and so scores are made of
//! S, V, M = near_attention(a, b, …, W f, W v, W T)
//! f += W S,   v += W (V, ν),   T += W M
//! f += MLP(norm f, |v|, |T|),   v ← limit(v + σ(g) v U),   T ← limit(T + σ(g') T U')
//! ```
//!
//! Unlike the published network it keeps tensors as five numbers ([`crate::ops::rank2`]), has
//! B-splines and the pair features of [`crate::ops::message`] for a radial network, and goes by the
//! nearest neighbours and template pairs that all architectures here have. O(N) in tokens.

use serde::{Deserialize, Serialize};

use super::parts::{self, Channels, Local, Near, State};
use super::{Own, check_sizes, refuse};
use crate::Result;
use crate::network::program::{Builder, Given, Interface, Program, Slot};
use crate::network::vocabulary::Vocabulary;
use crate::ops::invariants::Invariants;
use crate::ops::linear::Linear;
use crate::ops::near_attention::NearAttention;
use crate::ops::norm::Norm;
use crate::ops::update::Update;

/// Sizes of an Equiformer-like network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Equiformer {
    /// Scalar channels of a token.
    pub scalars: usize,
    /// Vector channels of a token, and as many of tensors of rank 2.
    pub vectors: usize,
    /// Heads, a divisor of `pair`.
    pub heads: usize,
    /// Channels of a message, and of every degree of what is attended to: 8, 16, 32 or 64.
    pub pair: usize,
    /// Blocks.
    pub layers: usize,
    /// B-splines of the pair distance.
    pub radial: usize,
    /// Distance at which they end, Å.
    pub reach: f64,
    /// Nearest neighbours that a token attends to, beside its template pairs.
    pub neighbours: usize,
    /// Whether every block sees the positions that the one before it moved.
    pub refine: bool,
    /// Whether signed template heights are seen: without them mirror images look the same.
    pub templates: bool,
}

impl Default for Equiformer {
    fn default() -> Self {
        Equiformer {
            scalars: 64,
            vectors: 16,
            heads: 4,
            pair: 32,
            layers: 4,
            radial: 14,
            reach: 11.0,
            neighbours: 32,
            refine: true,
            templates: true,
        }
    }
}

/// Vectors and tensors of a token, running; no tensors before the first block, since nothing that a
/// task hands over is one.
struct Degrees {
    vectors: Slot,
    tensors: Option<Slot>,
}

/// What a block attended to: S, V and M.
type Seen = [(Slot, usize); 3];

/// Standard deviation of what a mean over neighbours adds at first for unit channels: means are
/// some times smaller than what they are of.
const GAIN: f64 = 2.0;

impl Equiformer {
    fn local(&self) -> Local {
        Local {
            pair: self.pair,
            radial: self.radial,
            reach: self.reach,
            templates: self.templates,
        }
    }

    fn block(&self, b: &mut Builder<'_>, name: &str, state: &mut State, degrees: &mut Degrees) {
        let near = parts::heights(b, name, self.templates, self.scalars, state);
        let seen = self.attend(b, name, &near, degrees, state.geometry);
        self.mix_in(b, name, (&near, seen), degrees, state);
        self.token_wise(b, name, state, degrees);
        let own = (degrees.vectors, self.vectors);
        let moves = [vec![own, seen[1]], near.vectors].concat();
        parts::answer(b, name, self.scalars, state, &moves, self.refine, Some(own));
    }

    /// f with the lengths of vectors and, where there are any, of tensors.
    fn invariants(
        &self,
        b: &mut Builder<'_>,
        name: &str,
        norm: Slot,
        degrees: &Degrees,
    ) -> Channels {
        let k = self.vectors;
        let of_vectors = Invariants::of_vectors(k);
        let lengths = b.call(&format!("{name}_lengths"), of_vectors, &[degrees.vectors])[0];
        let mut all = vec![(norm, self.scalars), (lengths, k)];
        if let Some(tensors) = degrees.tensors {
            let of_tensors = Invariants::of_tensors(k);
            let lengths = b.call(&format!("{name}_sizes"), of_tensors, &[tensors])[0];
            all.push((lengths, k));
        }
        all
    }

    fn attend(
        &self,
        b: &mut Builder<'_>,
        name: &str,
        near: &Near,
        degrees: &Degrees,
        geometry: Slot,
    ) -> Seen {
        let (c, k, p) = (self.scalars, self.vectors, self.pair);
        let at = |part: &str| format!("{name}.{part}");
        let known = self.invariants(b, &at("seen"), near.norm, degrees);
        let (widths, known) = (parts::widths(&known), parts::slots(&known));
        let side = Linear::scalars(&widths, p).unbiased();
        let receiver = b.call(&at("receiver"), side.clone(), &known)[0];
        let sender = b.call(&at("sender"), side, &known)[0];
        let scalars = Linear::scalars(&[c], p).unbiased();
        let scalars = b.call(&at("value_scalars"), scalars, &[near.norm])[0];
        let given = [vec![(degrees.vectors, k)], near.vectors.clone()].concat();
        let vectors = Linear::vectors(&parts::widths(&given), p);
        let vectors = b.call(&at("value_vectors"), vectors, &parts::slots(&given))[0];
        let tensors = degrees.tensors.map(|tensors| {
            let values = Linear::tensors(&[k], p);
            b.call(&at("value_tensors"), values, &[tensors])[0]
        });
        let (condition, motion) = (b.must_have(Given::Condition), parts::motion(b));
        let mut inputs = vec![receiver, sender, geometry, condition, motion];
        inputs.extend([scalars, vectors]);
        inputs.extend(tensors);
        let attention = NearAttention {
            channels: p,
            heads: self.heads,
            radial: self.radial,
            reach: self.reach,
            tensors: tensors.is_some(),
        };
        let seen = b.call(&at("attention"), attention, &inputs);
        [seen[0], seen[1], seen[2]].map(|slot| (slot, 3 * p))
    }

    /// Takes what was attended to into the running channels of every degree.
    fn mix_in(
        &self,
        b: &mut Builder<'_>,
        name: &str,
        (near, [scalars, vectors, tensors]): (&Near, Seen),
        degrees: &mut Degrees,
        state: &mut State,
    ) {
        let (c, k) = (self.scalars, self.vectors);
        let at = |part: &str| format!("{name}.{part}_out");
        let out = Linear::scalars(&[scalars.1], c).unbiased().residual();
        let inputs = [scalars.0, state.scalars];
        state.scalars = b.call(&at("scalars"), out.gain(GAIN), &inputs)[0];
        let from = [vec![vectors], near.vectors.clone()].concat();
        let out = Linear::vectors(&parts::widths(&from), k).residual();
        let inputs = [parts::slots(&from), vec![degrees.vectors]].concat();
        degrees.vectors = b.call(&at("vectors"), out.gain(GAIN), &inputs)[0];
        let out = Linear::tensors(&[tensors.1], k).gain(GAIN);
        degrees.tensors = Some(match degrees.tensors {
            Some(before) => b.call(&at("tensors"), out.residual(), &[tensors.0, before])[0],
            None => b.call(&at("tensors"), out, &[tensors.0])[0],
        });
    }

    /// Token-wise layers, which scalars open.
    fn token_wise(
        &self,
        b: &mut Builder<'_>,
        name: &str,
        state: &mut State,
        degrees: &mut Degrees,
    ) {
        let (c, k) = (self.scalars, self.vectors);
        let at = |part: &str| format!("{name}.mlp_{part}");
        let norm = b.call(&at("norm"), Norm { channels: c }, &[state.scalars])[0];
        let known = self.invariants(b, &format!("{name}.mlp"), norm, degrees);
        let hidden = Linear::scalars(&parts::widths(&known), 2 * c).silu();
        let hidden = b.call(&at("in"), hidden, &parts::slots(&known))[0];
        let out = Linear::scalars(&[2 * c], c).residual().gain(0.5);
        state.scalars = b.call(&at("out"), out, &[hidden, state.scalars])[0];
        let gates = || Linear::scalars(&[2 * c], k).gain(0.5);
        let opened = b.call(&at("gates"), gates(), &[hidden])[0];
        let turned = Linear::vectors(&[k], k).gain(0.5);
        let turned = b.call(&at("vectors"), turned, &[degrees.vectors])[0];
        let inputs = [degrees.vectors, turned, opened];
        let update = Update::of_vectors(k);
        degrees.vectors = b.call(&format!("{name}.update"), update, &inputs)[0];
        if let Some(tensors) = &mut degrees.tensors {
            let opened = b.call(&at("tensor_gates"), gates(), &[hidden])[0];
            let turned = Linear::tensors(&[k], k).gain(0.5);
            let turned = b.call(&at("tensors"), turned, &[*tensors])[0];
            let inputs = [*tensors, turned, opened];
            let update = Update::of_tensors(k);
            *tensors = b.call(&format!("{name}.tensor_update"), update, &inputs)[0];
        }
    }
}

impl Own for Equiformer {
    fn check(&self, _interface: &Interface) -> Result<()> {
        self.local().check()?;
        check_sizes(&[
            ("scalars", self.scalars, 4096),
            ("vectors", self.vectors, 1024),
            ("heads", self.heads, self.pair),
            ("layers", self.layers, 64),
            ("neighbours", self.neighbours, 4096),
        ])?;
        if !self.pair.is_multiple_of(self.heads) {
            return refuse("heads", "a number that divides `pair`");
        }
        Ok(())
    }

    fn build(&self, interface: &Interface, vocabulary: &Vocabulary) -> Program {
        let mut builder = Builder::new(interface, self.neighbours);
        let b = &mut builder;
        let mut state = parts::start(b, self.scalars, vocabulary);
        let mut degrees = Degrees {
            vectors: parts::first_vectors(b, self.vectors),
            tensors: None,
        };
        for layer in 0..self.layers {
            self.block(b, &format!("layer {layer}"), &mut state, &mut degrees);
        }
        let answer = parts::finish(b, self.scalars, &state);
        builder.finish(answer)
    }

    fn describe(&self) -> String {
        format!(
            "Equiformer-like, {} layers, {} scalars, {} vectors and tensors, {} heads, {} pair \
             channels, {} neighbours",
            self.layers, self.scalars, self.vectors, self.heads, self.pair, self.neighbours
        )
    }
}
