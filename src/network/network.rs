//! The network as a program of ops: embedding, then blocks of local messages → q, k, v → long
//! convolution → gate → product with v → residual → token-wise MLP, each of which moves the answer
//! (spec jump.md § 1–2, g-hyena.md § 2).

use super::config::{Config, LongRange, Regime};
use super::program::{Builder, Program};
use super::tokens::VOCABULARY;
use crate::ops::embed::Embed;
use crate::ops::gate::Gate;
use crate::ops::geometric_conv::GeometricConv;
use crate::ops::heights::Heights;
use crate::ops::invariants::Invariants;
use crate::ops::linear::Linear;
use crate::ops::message::Message;
use crate::ops::norm::Norm;
use crate::ops::pool::Pool;
use crate::ops::readout::Readout;
use crate::ops::scalar_conv::ScalarConv;
use crate::ops::tuple::Tuple;
use crate::ops::update::Update;
use crate::ops::vector_conv::VectorConv;
use crate::ops::{Op, Shape};

/// Scalars that tell a system the logarithm of one number: sine and cosine at 8 frequencies.
pub const TOLD: usize = 16;

impl Config {
    /// Scalars that a system is told: two noise levels, and the lag time where the network takes
    /// several.
    pub fn conditioning(&self) -> usize {
        if self.regime.is_told_lags() {
            3 * TOLD
        } else {
            2 * TOLD
        }
    }
}

/// A network's program and the slots that the host fills and reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The calls.
    pub program: Program,
    /// Input: y, the candidate positions, Å (1 vector a token).
    pub candidate: usize,
    /// Input: x, the condition, Å (1 vector a token).
    pub condition: usize,
    /// Input: n, the scaled noisy displacement or velocity (1 vector a token).
    pub noisy: usize,
    /// Input: x in units that keep the first layer's vectors of order one.
    pub place: usize,
    /// Input: where the fold is from x, of a network that is given one (1 vector a token).
    pub fold: Option<usize>,
    /// Input: [`Config::conditioning`] scalars a system.
    pub conditioning: usize,
    /// The answer: y moved by all blocks (1 vector a token), forces added to n by all of them, or
    /// the energy of the conservative form (1 scalar a system).
    pub answer: usize,
}

/// Slots that a block reads and replaces.
struct State {
    scalars: usize,
    vectors: usize,
    /// Positions whose geometry the pair ops see.
    geometry: usize,
    answer: usize,
    /// Energy of every token so far (conservative form).
    energy: Option<usize>,
}

struct Inputs {
    condition: usize,
    noisy: usize,
}

impl Network {
    /// The network that a configuration describes.
    pub fn new(config: &Config) -> Network {
        let mut b = Builder::default();
        let (c, k) = (config.scalars, config.vectors);
        let [candidate, condition, noisy, place] = [(); 4].map(|()| b.input(Shape::vectors(1)));
        let fold = config.fold.then(|| b.input(Shape::vectors(1)));
        let told = config.conditioning();
        let conditioning = b.input(Shape::per_system(told));
        let hidden = b.call(
            "conditioning.0",
            Linear::scalars(&[told], c).per_system().silu(),
            &[conditioning],
        )[0];
        let e = b.call(
            "conditioning.1",
            Linear::scalars(&[c], c).per_system(),
            &[hidden],
        )[0];
        let scalars = b.call(
            "embed",
            Embed {
                channels: c,
                tables: VOCABULARY,
            },
            &[e],
        )[0];
        let given: Vec<usize> = [noisy, place].into_iter().chain(fold).collect();
        let vectors = b.call("vectors", Linear::vectors(&vec![1; given.len()], k), &given)[0];
        // forces are no positions, beside which they would lose digits: they start from n, which
        // the host knows
        let start = if matches!(config.regime, Regime::Force { .. }) {
            noisy
        } else {
            candidate
        };
        let mut state = State {
            scalars,
            vectors,
            geometry: candidate,
            answer: start,
            energy: None,
        };
        for layer in 0..config.layers {
            block(
                &mut b,
                config,
                &format!("layer {layer}"),
                &mut state,
                &Inputs { condition, noisy },
            );
        }
        if let Some(energy) = state.energy {
            state.answer = b.call("energy", Pool, &[energy])[0];
        }
        Network {
            program: b.finish(),
            candidate,
            condition,
            noisy,
            place,
            fold,
            conditioning,
            answer: state.answer,
        }
    }
}

/// One block: local messages, long convolution, token-wise MLP, readout of a move of the answer or
/// of an energy.
fn block(b: &mut Builder, config: &Config, name: &str, state: &mut State, inputs: &Inputs) {
    let (c, k, p) = (config.scalars, config.vectors, config.pair);
    let at = |part: &str| format!("{name}.{part}");
    let heights = config.templates.then(|| {
        let outputs = b.call(&at("heights"), Heights, &[state.geometry]);
        let into = Linear::scalars(&[6], c).unbiased().residual();
        state.scalars = b.call(&at("heights_in"), into, &[outputs[0], state.scalars])[0];
        outputs[1]
    });
    let f = b.call(&at("norm"), Norm { channels: c }, &[state.scalars])[0];
    let receiver = b.call(&at("receiver"), Linear::scalars(&[c], p).unbiased(), &[f])[0];
    let sender = b.call(&at("sender"), Linear::scalars(&[c], p).unbiased(), &[f])[0];
    let message = Message {
        channels: p,
        radial: config.radial,
        reach: config.reach,
    };
    let local = b.call(
        &at("message"),
        message,
        &[
            receiver,
            sender,
            state.geometry,
            inputs.condition,
            inputs.noisy,
        ],
    );
    let (sums, directions) = (local[0], local[1]);

    // Vector inputs of the heads: the running channels, the messages' directions and, with
    // templates, the heights' normals.
    let local_vectors: Vec<usize> = [directions].into_iter().chain(heights).collect();
    let local_widths: Vec<usize> = [2 * p].into_iter().chain(heights.map(|_| 2)).collect();

    let mixed = long_range(
        b,
        config,
        name,
        state,
        f,
        sums,
        &local_vectors,
        &local_widths,
    );
    let scalar_parts: Vec<usize> = mixed
        .map(|(s, _)| s)
        .into_iter()
        .chain([sums, state.scalars])
        .collect();
    let scalar_widths: Vec<usize> = mixed.map(|_| k).into_iter().chain([p]).collect();
    state.scalars = b.call(
        &at("scalars_out"),
        Linear::scalars(&scalar_widths, c)
            .unbiased()
            .residual()
            .gain(0.7),
        &scalar_parts,
    )[0];
    let vector_parts: Vec<usize> = mixed
        .map(|(_, v)| v)
        .into_iter()
        .chain(local_vectors.clone())
        .chain([state.vectors])
        .collect();
    let vector_widths: Vec<usize> = mixed
        .map(|_| k)
        .into_iter()
        .chain(local_widths.clone())
        .collect();
    state.vectors = b.call(
        &at("vectors_out"),
        Linear::vectors(&vector_widths, k).residual().gain(0.7),
        &vector_parts,
    )[0];

    let f = b.call(&at("mlp_norm"), Norm { channels: c }, &[state.scalars])[0];
    let lengths = b.call(&at("lengths"), Invariants { channels: k }, &[state.vectors])[0];
    let hidden = b.call(
        &at("mlp_in"),
        Linear::scalars(&[c, k], 2 * c).silu(),
        &[f, lengths],
    )[0];
    state.scalars = b.call(
        &at("mlp_out"),
        Linear::scalars(&[2 * c], c).residual().gain(0.5),
        &[hidden, state.scalars],
    )[0];
    let gates = b.call(
        &at("mlp_gates"),
        Linear::scalars(&[2 * c], k).gain(0.5),
        &[hidden],
    )[0];
    let turned = b.call(
        &at("mlp_vectors"),
        Linear::vectors(&[k], k).gain(0.5),
        &[state.vectors],
    )[0];
    state.vectors = b.call(
        &at("update"),
        Update { channels: k },
        &[state.vectors, turned, gates],
    )[0];

    if config.regime.is_conservative() {
        return energy(b, config, name, state);
    }
    let f = b.call(&at("readout_norm"), Norm { channels: c }, &[state.scalars])[0];
    let hidden = b.call(&at("readout_in"), Linear::scalars(&[c], c).silu(), &[f])[0];
    let widths = [vec![k], local_widths].concat();
    let weights = b.call(
        &at("readout_weights"),
        Linear::scalars(&[c], widths.iter().sum()).gain(0.01),
        &[hidden],
    )[0];
    let parts = [vec![state.answer, weights, state.vectors], local_vectors].concat();
    state.answer = b.call(&at("readout"), Readout { vectors: widths }, &parts)[0];
    // forces are no displacements: the layers go on seeing the molecule where it is
    if config.refine && !matches!(config.regime, Regime::Force { .. }) {
        state.geometry = state.answer;
    }
}

/// A block's share of the energy of every token, from its scalars and the lengths of its vectors.
fn energy(b: &mut Builder, config: &Config, name: &str, state: &mut State) {
    let (c, k) = (config.scalars, config.vectors);
    let at = |part: &str| format!("{name}.{part}");
    let f = b.call(&at("energy_norm"), Norm { channels: c }, &[state.scalars])[0];
    let lengths = b.call(
        &at("energy_lengths"),
        Invariants { channels: k },
        &[state.vectors],
    )[0];
    let hidden = b.call(
        &at("energy_in"),
        Linear::scalars(&[c, k], c).silu(),
        &[f, lengths],
    )[0];
    // no bias: a constant has no force, and nothing would train it
    let out = Linear::scalars(&[c], 1).unbiased().gain(0.1);
    let own = match state.energy {
        Some(before) => b.call(&at("energy_out"), out.residual(), &[hidden, before]),
        None => b.call(&at("energy_out"), out, &[hidden]),
    };
    state.energy = Some(own[0]);
}

/// q, k, v heads, long convolution, gate and product with v: K scalars and K vectors.
#[allow(
    clippy::too_many_arguments,
    reason = "the slots of one block; a struct would be used once"
)]
fn long_range(
    b: &mut Builder,
    config: &Config,
    name: &str,
    state: &State,
    f: usize,
    sums: usize,
    local_vectors: &[usize],
    local_widths: &[usize],
) -> Option<(usize, usize)> {
    let (c, k, p) = (config.scalars, config.vectors, config.pair);
    let at = |part: &str| format!("{name}.{part}");
    let convolution: Op = match config.long_range {
        LongRange::Geometric => GeometricConv {
            channels: k,
            convolution: config.convolution,
        }
        .into(),
        LongRange::Scalar => ScalarConv {
            channels: k,
            convolution: config.convolution,
        }
        .into(),
        LongRange::Vector => VectorConv {
            channels: k,
            convolution: config.convolution,
        }
        .into(),
        LongRange::None => return None,
    };
    let hidden = b.call(
        &at("heads_in"),
        Linear::scalars(&[c, p], c).silu(),
        &[f, sums],
    )[0];
    let scalars = b.call(
        &at("heads_scalars"),
        Linear::scalars(&[c], 4 * k),
        &[hidden],
    )[0];
    let widths = [&[k], local_widths].concat();
    let parts = [&[state.vectors], local_vectors].concat();
    let vectors = b.call(
        &at("heads_vectors"),
        Linear::vectors(&widths, 3 * k),
        &parts,
    )[0];
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
    Some((outputs[0], outputs[1]))
}
