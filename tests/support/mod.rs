//! What every test of ops shares: random batches, one case an op, and running a case on an engine.
#![allow(dead_code, reason = "each test binary uses its own part")]

use mdsurrogate::engine::{Call, Cpu, Engine};
#[cfg(feature = "gpu")]
use mdsurrogate::engine::{Gpu, gpu::Transforms};
use mdsurrogate::fft::{Convolution, Mixing};
use mdsurrogate::network::{Gradients, Inputs, Network};
use mdsurrogate::ops::{self, Batch, Centre, Edges, Init, Kernel, Op, RELATIONS};
use mdsurrogate::task::Task;
use nalgebra::Vector3;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
#[cfg(feature = "gpu")]
use std::sync::LazyLock;

/// The GPU engine with guard words, opened once a way of transforming; none, with a printed line,
/// where there is no device. With MDSURROGATE_REQUIRE_GPU=1 that is a failure.
#[cfg(feature = "gpu")]
pub fn gpu(transforms: Transforms) -> Option<Gpu> {
    static OPENED: [LazyLock<Option<Gpu>>; 4] = [
        LazyLock::new(|| opened(Transforms::Fastest)),
        LazyLock::new(|| opened(Transforms::Wgsl)),
        LazyLock::new(|| opened(Transforms::VkFft)),
        LazyLock::new(|| opened(Transforms::Direct)),
    ];
    OPENED[transforms as usize].clone()
}

#[cfg(feature = "gpu")]
fn opened(transforms: Transforms) -> Option<Gpu> {
    Gpu::guarded(transforms)
        .map_err(|error| {
            let required = std::env::var("MDSURROGATE_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "MDSURROGATE_REQUIRE_GPU=1, and {error}");
            // past the harness, which keeps the words of tests that pass
            std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("skipped on the GPU: {error}\n"),
            )
            .unwrap();
        })
        .ok()
}

/// A random generator with a seed.
pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// `len` normal numbers.
pub fn normals(rng: &mut impl Rng, len: usize) -> Vec<f64> {
    (0..len).map(|_| rng.sample(StandardNormal)).collect()
}

/// Systems of these sizes with `neighbours` random senders a token, some edges with templates, one
/// centre in four tokens.
pub fn batch(rng: &mut impl Rng, sizes: &[usize], neighbours: usize) -> Batch {
    let mut batch = Batch {
        offsets: vec![0],
        centre_offsets: vec![0],
        ..Batch::default()
    };
    batch.edges = Edges {
        start: vec![0],
        ..Edges::default()
    };
    for &size in sizes {
        let first = batch.kinds.len();
        for token in 0..size {
            batch.kinds.push([
                rng.random_range(0..7),
                rng.random_range(0..5),
                rng.random_range(0..4),
            ]);
            let mut senders: Vec<usize> = (0..neighbours)
                .map(|_| rng.random_range(0..size))
                .filter(|&other| other != token)
                .collect();
            senders.sort_unstable();
            senders.dedup();
            for sender in senders {
                batch.edges.sender.push((first + sender) as u32);
                batch
                    .edges
                    .relation
                    .push(rng.random_range(0..RELATIONS as u8));
                batch.edges.template.push(if rng.random_bool(0.3) {
                    rng.random_range(1.2..2.6)
                } else {
                    0.0
                });
            }
            batch.edges.start.push(batch.edges.sender.len() as u32);
        }
        for centre in 0..size / 4 {
            let tokens = [0, 1, 2, 3].map(|k| (first + 4 * centre + k) as u32);
            let (height, area) = (rng.random_range(-0.5..0.5), rng.random_range(3.0..6.0));
            batch.centres.push(Centre {
                tokens,
                height,
                area,
            });
        }
        batch.centre_offsets.push(batch.centres.len());
        batch.offsets.push(first + size);
        batch.scale.push(rng.random_range(0.2..1.0));
    }
    batch
}

/// Every op of the network at small sizes, with its name.
pub fn all_ops() -> Vec<Op> {
    let correlation = Convolution {
        mixing: Mixing::Correlation,
        ..Convolution::WORKING
    };
    let mut all: Vec<Op> = vec![
        ops::embed::Embed {
            channels: 6,
            tables: [7, 5, 4],
        }
        .into(),
        ops::linear::Linear::scalars(&[5, 3], 4)
            .silu()
            .residual()
            .into(),
        ops::linear::Linear::vectors(&[2, 3], 4)
            .residual()
            .gain(0.5)
            .into(),
        ops::linear::Linear::scalars(&[4], 6).per_system().into(),
        ops::norm::Norm { channels: 8 }.into(),
        ops::heights::Heights.into(),
        ops::message::Message {
            channels: 8,
            radial: 12,
            reach: 10.0,
        }
        .into(),
        ops::tuple::Tuple {
            channels: 3,
            scalars: (8, 2),
            vectors: (7, 4),
        }
        .into(),
        ops::gate::Gate {
            channels: 3,
            gates: (9, 5),
        }
        .into(),
        ops::invariants::Invariants { channels: 4 }.into(),
        ops::update::Update { channels: 4 }.into(),
        ops::readout::Readout {
            vectors: vec![3, 4, 2],
        }
        .into(),
        ops::pool::Pool.into(),
        ops::attention::Attention {
            heads: 2,
            scalars: 5,
            vectors: 3,
        }
        .into(),
        ops::attention::Attention {
            heads: 1,
            scalars: 4,
            vectors: 0,
        }
        .into(),
        ops::attention::Attention {
            heads: 3,
            scalars: 0,
            vectors: 2,
        }
        .into(),
    ];
    for convolution in [Convolution::WORKING, Convolution::PAPER, correlation] {
        all.extend(convolved(3, convolution));
    }
    all
}

fn convolved(channels: usize, convolution: Convolution) -> [Op; 3] {
    [
        ops::geometric_conv::GeometricConv {
            channels,
            convolution,
        }
        .into(),
        ops::scalar_conv::ScalarConv {
            channels,
            convolution,
        }
        .into(),
        ops::vector_conv::VectorConv {
            channels,
            convolution,
        }
        .into(),
    ]
}

/// The three long convolutions, chains and rings, by index sum and by offset.
pub fn long_convolutions(channels: usize) -> Vec<Op> {
    let modes = [Convolution::WORKING, Convolution::PAPER];
    let modes = modes.into_iter().flat_map(|mode| {
        [
            mode,
            Convolution {
                mixing: Mixing::Correlation,
                ..mode
            },
        ]
    });
    modes
        .flat_map(|convolution| convolved(channels, convolution))
        .collect()
}

/// An op with a batch, inputs, parameters, and the gradient that its outputs are given.
pub struct Case {
    pub op: Op,
    pub batch: Batch,
    pub inputs: Vec<Vec<f64>>,
    pub params: Vec<Vec<f64>>,
    pub d_outputs: Vec<Vec<f64>>,
}

/// What an engine made of a case.
pub struct Outcome {
    pub outputs: Vec<Vec<f64>>,
    pub d_inputs: Vec<Vec<f64>>,
    pub d_params: Vec<Vec<f64>>,
}

impl Case {
    /// Random inputs for an op; positions (1-channel vectors of pair ops) spread like atoms.
    pub fn random(op: Op, batch: Batch, rng: &mut impl Rng) -> Case {
        let signature = op.signature();
        let spread = if matches!(op, Op::Message(_) | Op::Heights(_)) {
            1.5
        } else {
            1.0
        };
        let input = |shape: &ops::Shape, rng: &mut _| {
            let scale = if shape.components == 3 { spread } else { 1.0 };
            normals(rng, shape.len(&batch))
                .into_iter()
                .map(|x| x * scale)
                .collect()
        };
        let inputs = signature
            .inputs
            .iter()
            .map(|shape| input(shape, rng))
            .collect();
        let param = |shape: &ops::ParamShape, rng: &mut _| {
            let gain = match shape.init {
                Init::Normal { gain } => gain / (shape.size[0] as f64).sqrt(),
                Init::Constant(_) => 0.5,
            };
            normals(rng, shape.size[0] * shape.size[1])
                .into_iter()
                .map(|x| x * gain)
                .collect()
        };
        let params = signature
            .params
            .iter()
            .map(|shape| param(shape, rng))
            .collect();
        let d_outputs = signature
            .outputs
            .iter()
            .map(|shape| normals(rng, shape.len(&batch)))
            .collect::<Vec<_>>();
        // nothing reads what is kept for backward alone
        let read = signature.outputs.len() - op.kept();
        let d_outputs = d_outputs
            .into_iter()
            .enumerate()
            .map(|(k, d)| if k < read { d } else { vec![0.0; d.len()] });
        Case {
            d_outputs: d_outputs.collect(),
            op,
            batch,
            inputs,
            params,
        }
    }

    fn call(&self) -> Call {
        let (inputs, outputs) = (self.inputs.len(), self.d_outputs.len());
        Call {
            op: self.op.clone(),
            inputs: (0..inputs).collect(),
            params: (0..self.params.len()).collect(),
            outputs: (inputs..inputs + outputs).collect(),
        }
    }

    /// Runs forward and backward, from outputs full of NaN.
    pub fn run<E: Engine>(&self, engine: &E) -> Outcome {
        let upload = |values: &Vec<f64>| engine.upload(values).unwrap();
        let call = self.call();
        let params: Vec<_> = self.params.iter().map(upload).collect();
        let dirty = self
            .d_outputs
            .iter()
            .map(|d| engine.upload(&vec![f64::NAN; d.len()]).unwrap());
        let mut slots: Vec<_> = self.inputs.iter().map(upload).chain(dirty).collect();
        let batch = engine.prepare(&self.batch).unwrap();
        engine.forward(&call, &batch, &params, &mut slots).unwrap();
        let zeros = |values: &Vec<f64>| engine.zeros(values.len()).unwrap();
        let mut d_slots: Vec<_> = self
            .inputs
            .iter()
            .map(zeros)
            .chain(self.d_outputs.iter().map(upload))
            .collect();
        let mut d_params: Vec<_> = self.params.iter().map(zeros).collect();
        engine
            .backward(&call, &batch, &params, &slots, &mut d_slots, &mut d_params)
            .unwrap();
        let download = |buffers: &[E::Buffer]| {
            buffers
                .iter()
                .map(|buffer| engine.download(buffer).unwrap())
                .collect::<Vec<_>>()
        };
        let count = self.inputs.len();
        Outcome {
            outputs: download(&slots[count..]),
            d_inputs: download(&d_slots[..count]),
            d_params: download(&d_params),
        }
    }

    /// Σ outputs · d_outputs: the scalar whose gradients `run` computes.
    pub fn value<E: Engine>(&self, engine: &E) -> f64 {
        let upload = |values: &Vec<f64>| engine.upload(values).unwrap();
        let params: Vec<_> = self.params.iter().map(upload).collect();
        let mut slots: Vec<_> = self
            .inputs
            .iter()
            .chain(&self.d_outputs)
            .map(upload)
            .collect();
        engine
            .forward(
                &self.call(),
                &engine.prepare(&self.batch).unwrap(),
                &params,
                &mut slots,
            )
            .unwrap();
        let output = |(slot, d): (&E::Buffer, &Vec<f64>)| {
            engine
                .download(slot)
                .unwrap()
                .iter()
                .zip(d)
                .map(|(&y, &d)| if d == 0.0 { 0.0 } else { y * d })
                .sum::<f64>()
        };
        slots[self.inputs.len()..]
            .iter()
            .zip(&self.d_outputs)
            .map(output)
            .sum()
    }
}

/// The numbers of vectors, one after the other.
pub fn flat(vectors: &[Vector3<f64>]) -> Vec<f64> {
    vectors.iter().flat_map(|v| [v.x, v.y, v.z]).collect()
}

/// Asserts that `gradients` are those of Σ d·answer by the parameters, along one random direction
/// of each tensor: to a relative error of `tolerance`, absolute where the slope is below `floor`.
pub fn assert_slopes(
    task: &Task,
    network: &mut Network<Cpu<f64>>,
    inputs: &Inputs,
    d: &[Vector3<f64>],
    gradients: &Gradients,
    rng: &mut impl Rng,
    [floor, tolerance]: [f64; 2],
) {
    let start = network.parameters().unwrap();
    let mut at = 0;
    for (name, shape) in network.program().params.clone() {
        let range = at..at + shape.size[0] * shape.size[1];
        at = range.end;
        let direction = normals(rng, range.len());
        let mut value = |h: f64| {
            let mut moved = start.clone();
            moved[range.clone()]
                .iter_mut()
                .zip(&direction)
                .for_each(|(x, d)| *x += h * d);
            network.set_parameters(&moved).unwrap();
            task.predict(network, inputs)
                .unwrap()
                .iter()
                .zip(d)
                .map(|(a, d)| a.dot(d))
                .sum::<f64>()
        };
        let mut slope = |h: f64| (value(h) - value(-h)) / (2.0 * h);
        let numeric = (4.0 * slope(1e-4) - slope(2e-4)) / 3.0;
        let analytic: f64 = gradients.params[range]
            .iter()
            .zip(&direction)
            .map(|(g, d)| g * d)
            .sum();
        let error = (analytic - numeric).abs() / numeric.abs().max(floor);
        assert!(error <= tolerance, "{name}: {analytic} {numeric} {error:e}");
    }
}

/// ‖a − b‖ / ‖b‖ (absolute where b is 0); NaN where any element is.
pub fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(a, b)| a - b));
    let size = norm(&mut b.iter().copied());
    if size == 0.0 {
        difference
    } else {
        difference / size
    }
}
