//! FastEGNN (Zhang et al., "Improving Equivariant Graph Neural Networks on Large Geometric Graphs
//! via Virtual Nodes Learning", ICML 2024, equations 4–10): an EGNN whose tokens reach each other
//! by way of a few virtual nodes, which begin at the centroid and see every token.
//!
//! ```text
//! d_ic = w_c y_i + z_c                         from token i to virtual node c
//! n_i  = φ_v(h_i, |d_i1| … |d_iC|, s)          what goes by way of them
//! y_i ← y_i + s (… of EGNN + Σ_c φ_z(h_i)_c d_ic)
//! h_i ← h_i + φ_h(h_i, Σ_j m_ij, n_i)
//! z_c ← mean_i limit(z_c + σ(φ_Z(n_i)_c) d_ic)
//! s   ← s + φ_s(mean_i n_i)
//! ```
//!
//! A virtual node is the same numbers at every token of its system, from [`crate::ops::mean`]. The
//! paper's nodes have features each and share one φ_v; here s is of all of them and φ_v sees all
//! distances at once (choice). Lengths are bounded, [`crate::ops::invariants`], moves limited,
//! [`crate::ops::update`].

use serde::{Deserialize, Serialize};

use super::egnn::{answer_with_motion, update_scalars};
use super::parts::{self, Local, State};
use super::{Own, check_sizes};
use crate::Result;
use crate::network::program::{Builder, Interface, Program, Slot};
use crate::network::vocabulary::Vocabulary;
use crate::ops::invariants::Invariants;
use crate::ops::linear::Linear;
use crate::ops::mean::Mean;
use crate::ops::update::Update;

/// Sizes of a FastEGNN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FastEgnn {
    /// Scalar channels of a token.
    pub scalars: usize,
    /// Virtual nodes.
    pub nodes: usize,
    /// Channels of a message: 8, 16, 32 or 64.
    pub pair: usize,
    /// Layers.
    pub layers: usize,
    /// B-splines of the pair distance.
    pub radial: usize,
    /// Distance at which they end, Å.
    pub reach: f64,
    /// Nearest neighbours that a token receives messages from, beside its template pairs.
    pub neighbours: usize,
    /// Whether every layer sees the positions that the one before it moved.
    pub refine: bool,
    /// Whether signed template heights are seen: without them mirror images look the same.
    pub templates: bool,
}

impl Default for FastEgnn {
    fn default() -> Self {
        FastEgnn {
            scalars: 64,
            nodes: 3,
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

/// Virtual nodes: their places, in units of about 8 Å, and what they know.
struct Nodes {
    places: Slot,
    scalars: Slot,
}

/// Share of Å that places of virtual nodes begin with.
const UNIT: f64 = 0.125;

impl FastEgnn {
    fn local(&self) -> Local {
        Local {
            pair: self.pair,
            radial: self.radial,
            reach: self.reach,
            templates: self.templates,
        }
    }

    /// Nodes at the mean of what their tokens begin with: the centroid.
    fn nodes(&self, b: &mut Builder<'_>, state: &State) -> Nodes {
        let first = parts::first_vectors(b, self.nodes);
        let places = self.mean_of_vectors(b, "nodes", first);
        let all = Mean {
            components: 1,
            channels: self.scalars,
        };
        let scalars = b.call("nodes_scalars", all, &[state.scalars])[0];
        Nodes { places, scalars }
    }

    fn mean_of_vectors(&self, b: &mut Builder<'_>, name: &str, vectors: Slot) -> Slot {
        let mean = Mean {
            components: 3,
            channels: self.nodes,
        };
        b.call(name, mean, &[vectors])[0]
    }

    fn layer(&self, b: &mut Builder<'_>, name: &str, state: &mut State, nodes: &mut Nodes) {
        let (c, v) = (self.scalars, self.nodes);
        let at = |part: &str| format!("{name}.{part}");
        let near = parts::messages(b, name, self.local(), c, state);
        let ways = Linear::vectors(&[1], v).gain(UNIT).residual();
        let ways = b.call(&at("ways"), ways, &[state.geometry, nodes.places])[0];
        let lengths = b.call(&at("lengths"), Invariants::of_vectors(v), &[ways])[0];
        let seen = Linear::scalars(&[c, v, c], c).silu();
        let inputs = [near.norm, lengths, nodes.scalars];
        let seen = b.call(&at("seen"), seen, &inputs)[0];
        let inputs = [vec![(near.norm, c)], near.sums, vec![(seen, c)]].concat();
        update_scalars(b, name, c, &inputs, state);
        self.move_nodes(b, name, [seen, ways], nodes);
        let moves = [near.vectors, vec![(ways, v)]].concat();
        answer_with_motion(b, name, c, state, moves, self.refine);
    }

    fn move_nodes(
        &self,
        b: &mut Builder<'_>,
        name: &str,
        [seen, ways]: [Slot; 2],
        nodes: &mut Nodes,
    ) {
        let (c, v) = (self.scalars, self.nodes);
        let at = |part: &str| format!("{name}.nodes_{part}");
        let gates = b.call(&at("gates"), Linear::scalars(&[c], v), &[seen])[0];
        let update = Update::of_vectors(v);
        let moved = b.call(&at("update"), update, &[nodes.places, ways, gates])[0];
        nodes.places = self.mean_of_vectors(b, &at("places"), moved);
        let all = Mean {
            components: 1,
            channels: c,
        };
        let all = b.call(&at("mean"), all, &[seen])[0];
        let out = Linear::scalars(&[c], c).residual().gain(0.5);
        nodes.scalars = b.call(&at("scalars"), out, &[all, nodes.scalars])[0];
    }
}

impl Own for FastEgnn {
    fn check(&self, interface: &Interface) -> Result<()> {
        parts::refuse_fold(interface, "FastEGNN")?;
        self.local().check()?;
        check_sizes(&[
            ("scalars", self.scalars, 4096),
            ("nodes", self.nodes, 256),
            ("layers", self.layers, 64),
            ("neighbours", self.neighbours, 4096),
        ])
    }

    fn build(&self, interface: &Interface, vocabulary: &Vocabulary) -> Program {
        let mut builder = Builder::new(interface, self.neighbours);
        let b = &mut builder;
        let mut state = parts::start(b, self.scalars, vocabulary);
        let mut nodes = self.nodes(b, &state);
        for layer in 0..self.layers {
            self.layer(b, &format!("layer {layer}"), &mut state, &mut nodes);
        }
        let answer = parts::finish(b, self.scalars, &state);
        builder.finish(answer)
    }

    fn describe(&self) -> String {
        let near = parts::describe_near(Some((self.pair, self.neighbours)));
        format!(
            "FastEGNN, {} layers, {} scalars, {} virtual nodes, {near}",
            self.layers, self.scalars, self.nodes
        )
    }
}
