//! Networks whose token-wise calls are joined: the same numbers, fewer calls; on the GPU few
//! dispatches and, once a batch is known, nothing made anew.

mod support;

use std::path::Path;
#[cfg(feature = "gpu")]
use std::time::Instant;

use mdsurrogate::engine::{Call, Cpu, Engine};
#[cfg(feature = "gpu")]
use mdsurrogate::engine::{
    Gpu, Learned, Rates,
    gpu::{Counts, Transforms},
};
use mdsurrogate::forcefield::template_geometry;
use mdsurrogate::network::{
    Architecture, Attention, Egnn, Equiformer, FastEgnn, GHyena, Hyena, Inputs, Network, PROTEIN,
    Tokens, Transformer,
};
use mdsurrogate::ops::Batch;
use mdsurrogate::ops::chain::Chain;
use mdsurrogate::structure::{ReadOptions, read};
use mdsurrogate::task::{Jump, JumpInput, Task};
use nalgebra::Vector3;
use support::{normals, random, relative_error};

/// The oracle, joining whatever can be joined.
struct Joining(Cpu<f64>);

impl Engine for Joining {
    type Buffer = Vec<f64>;
    type Batch<'a> = &'a Batch;

    fn name(&self) -> String {
        "joining".into()
    }
    fn group(&self) -> usize {
        self.0.group()
    }
    fn joins(&self, chain: &Chain) -> bool {
        chain.is_uniform()
    }
    fn prepare<'a>(&self, batch: &'a Batch) -> mdsurrogate::Result<&'a Batch> {
        self.0.prepare(batch)
    }
    fn zeros(&self, len: usize) -> mdsurrogate::Result<Vec<f64>> {
        self.0.zeros(len)
    }
    fn upload(&self, values: &[f64]) -> mdsurrogate::Result<Vec<f64>> {
        self.0.upload(values)
    }
    fn download(&self, buffer: &Vec<f64>) -> mdsurrogate::Result<Vec<f64>> {
        self.0.download(buffer)
    }
    fn forward(
        &self,
        call: &Call,
        batch: &&Batch,
        params: &[Vec<f64>],
        slots: &mut [Vec<f64>],
    ) -> mdsurrogate::Result<()> {
        self.0.forward(call, batch, params, slots)
    }
    fn backward(
        &self,
        call: &Call,
        batch: &&Batch,
        params: &[Vec<f64>],
        slots: &[Vec<f64>],
        d_slots: &mut [Vec<f64>],
        d_params: &mut [Vec<f64>],
    ) -> mdsurrogate::Result<()> {
        self.0
            .backward(call, batch, params, slots, d_slots, d_params)
    }
}

fn task() -> Task {
    Task::Jump(Jump {
        lag_time: 20.0,
        sigma_data: 1.0,
        lag_range: None,
        fold: false,
    })
}

/// So many copies of AKLE, each with its own noise.
fn peptides(count: usize, neighbours: usize) -> Inputs {
    let path = Path::new("data/structures/akle.pdb");
    let structure = read(path, &ReadOptions::default()).unwrap();
    let geometry = template_geometry(&structure.topology).unwrap();
    let tokens = Tokens::new(&structure.topology, &geometry).unwrap();
    let condition = tokens.positions(&structure.frame.positions);
    let mut rng = random(3);
    let noisy: Vec<Vec<Vector3<f64>>> = (0..count)
        .map(|_| {
            let noise = normals(&mut rng, 3 * condition.len());
            let shifts = noise.chunks_exact(3).map(Vector3::from_column_slice);
            condition
                .iter()
                .zip(shifts)
                .map(|(x, n)| x + 0.3 * n)
                .collect()
        })
        .collect();
    let systems = noisy.iter().map(|noisy| JumpInput {
        tokens: &tokens,
        condition: &condition,
        noisy,
        sigma: 0.3,
        condition_noise: 0.05,
        fold: None,
        lag_time: 20.0,
    });
    let Task::Jump(jump) = task() else {
        unreachable!("made above")
    };
    jump.inputs(neighbours, &systems.collect::<Vec<_>>())
}

fn run<E: Engine>(network: &Network<E>, inputs: &Inputs) -> [Vec<f64>; 2] {
    let task = task();
    let evaluation = task.forward(network, inputs).unwrap();
    let d_answer: Vec<Vector3<f64>> = evaluation.answer.iter().map(|x| x.map(f64::sin)).collect();
    let gradients = task
        .backward(network, inputs, &evaluation, &d_answer)
        .unwrap();
    [support::flat(&evaluation.answer), gradients.params]
}

#[test]
fn joined_calls_give_the_same_numbers() {
    let small = GHyena {
        scalars: 16,
        vectors: 8,
        pair: 8,
        layers: 2,
        neighbours: 12,
        ..GHyena::default()
    };
    let all = [
        Architecture::GHyena(small),
        Architecture::Egnn(Egnn::default()),
        Architecture::Attention(Attention::default()),
        Architecture::Equiformer(Equiformer::default()),
    ];
    for architecture in all {
        let plain = task().initial(&architecture, Cpu::<f64>::new(), 5).unwrap();
        let joined = task()
            .initial(&architecture, Joining(Cpu::new()), 5)
            .unwrap();
        assert!(joined.calls() < plain.calls() * 2 / 3, "{}", joined.calls());
        let inputs = peptides(2, plain.program().neighbours);
        let [answer, gradient] = run(&joined, &inputs);
        let [expected, d_expected] = run(&plain, &inputs);
        // forward the same sums in the same order; gradients of what several calls read are added
        // in another
        assert!(answer == expected);
        let error = relative_error(&gradient, &d_expected);
        assert!(error <= 1e-13, "{error:e}");
    }
}

/// Evaluations keep nothing for backward, compute some of it twice and write over what is read: to
/// the bit what a forward call computes that keeps everything.
#[test]
fn evaluations_in_little_memory_give_the_same_bits() {
    let all = [
        Architecture::default(),
        Architecture::GHyena(GHyena::paper()),
        Architecture::Egnn(Egnn::default()),
        Architecture::FastEgnn(FastEgnn::default()),
        Architecture::Attention(Attention::default()),
        Architecture::Transformer(Transformer::default()),
        Architecture::Hyena(Hyena::default()),
        Architecture::Equiformer(Equiformer::default()),
    ];
    for architecture in all {
        let network = task().initial(&architecture, Cpu::<f32>::new(), 5).unwrap();
        let least = network.engine().lean_from().unwrap();
        // peptides of 32 tokens: just too few, and enough
        for count in [least / 32 - 1, least / 32 + 1] {
            let inputs = peptides(count, network.program().neighbours);
            let kept = network.forward(&inputs).unwrap().answer;
            assert!(kept.iter().all(|x| x.is_finite()) && kept.len() == 96 * count);
            assert!(network.answer(&inputs).unwrap() == kept, "{architecture:?}");
        }
    }
}

/// docs/network.md: what the working network holds of a token of a long system where it holds
/// most.
#[test]
fn the_working_network_holds_as_little_as_is_written() {
    const BYTES: usize = 2428;
    let program = Architecture::default().build(&task().interface(), &PROTEIN);
    let lean = program.lean();
    let held = lean.held();
    for (bytes, name) in held.iter().map(|numbers| 4 * numbers).zip(&lean.names) {
        println!("{bytes:>5} bytes a token: {name}");
    }
    let most = 4 * held.into_iter().max().unwrap();
    assert_eq!(most, BYTES);
    // the same with nothing made again or written over
    let plain = 4 * program.held().into_iter().max().unwrap();
    assert!(plain > BYTES * 5 / 4, "{plain}");
}

/// What a call asks for in the steady state, and the median of the host's own microseconds.
#[cfg(feature = "gpu")]
fn steady(gpu: &Gpu, work: impl Fn()) -> (Counts, f64) {
    work();
    work();
    let mut host = Vec::new();
    let mut counts = Counts::default();
    for _ in 0..9 {
        let (before, start) = (gpu.counts(), Instant::now());
        work();
        let wall = start.elapsed();
        counts = gpu.counts() - before;
        host.push(1e6 * wall.saturating_sub(counts.waiting()).as_secs_f64());
    }
    host.sort_by(f64::total_cmp);
    (counts, host[4])
}

/// An evaluation and a training step of the working network, and what they ask for, printed.
#[cfg(feature = "gpu")]
fn asked(what: &str, gpu: &Gpu, inputs: &Inputs) -> [Counts; 2] {
    let network = task()
        .initial(&Architecture::default(), gpu.clone(), 5)
        .unwrap();
    let (forward, host) = steady(gpu, || drop(task().predict(&network, inputs).unwrap()));
    println!("{what}, forward: host {host:.0} us, {forward:?}");
    let (step, host) = steady(gpu, || drop(run(&network, inputs)));
    println!("{what}, training step: host {host:.0} us, {step:?}");
    [forward, step]
}

/// The working network: what docs/gpu.md says of an evaluation.
#[cfg(feature = "gpu")]
#[test]
fn an_evaluation_is_few_dispatches_and_makes_nothing() {
    if support::gpu(Transforms::Fastest).is_none() {
        return;
    }
    let gpu = Gpu::joined(true).unwrap();
    let inputs = peptides(4, 32);
    let [forward, step] = asked("joined", &gpu, &inputs);
    let [plain, plain_step] = asked("unjoined", &Gpu::joined(false).unwrap(), &inputs);
    assert!(forward.dispatches <= 30, "{forward:?}");
    assert!(plain.dispatches >= 112 && plain_step.dispatches > 3 * step.dispatches);
    for counts in [forward, step] {
        assert_eq!((counts.bind_groups, counts.buffers), (0, 0), "{counts:?}");
    }
    assert_eq!(
        (forward.submissions, forward.read_backs),
        (1, 1),
        "{forward:?}"
    );
    assert_eq!(forward.passes, 1, "{forward:?}");
    assert_eq!(step.read_backs, 2, "{step:?}");
}

/// The whole working network on the GPU against the oracle.
#[cfg(feature = "gpu")]
#[test]
fn the_working_network_agrees_with_f64() {
    if support::gpu(Transforms::Fastest).is_none() {
        return;
    }
    let architecture = Architecture::default();
    let oracle = task().initial(&architecture, Cpu::<f64>::new(), 5).unwrap();
    let inputs = peptides(2, 32);
    let [expected, d_expected] = run(&oracle, &inputs);
    let network = task()
        .initial(&architecture, Gpu::joined(true).unwrap(), 5)
        .unwrap();
    // again, in memory that is used
    for _ in 0..2 {
        let [answer, gradient] = run(&network, &inputs);
        let error = relative_error(&answer, &expected);
        let d_error = relative_error(&gradient, &d_expected);
        assert!(error <= 1e-6 && d_error <= 1e-5, "{error:e} {d_error:e}");
    }
}

/// 300 updates of numbers that lie in several parameters, against AdamW, clipping and averaging in
/// f64.
#[cfg(feature = "gpu")]
#[test]
fn the_optimiser_on_the_device_follows_adamw() {
    if support::gpu(Transforms::Fastest).is_none() {
        return;
    }
    let gpu = Gpu::best().unwrap();
    let lens = [3, 70, 64, 1];
    let count: usize = lens.iter().sum();
    let mut rng = random(3);
    let mut expected = Learned {
        values: normals(&mut rng, count),
        mean: vec![0.0; count],
        square: vec![0.0; count],
        average: vec![0.0; count],
    };
    let decays: Vec<bool> = (0..count).map(|k| k % 3 == 0).collect();
    let mut learner = gpu.learner(&lens, &decays, &expected).unwrap().unwrap();
    let params = gpu.upload_parts(&expected.values, &lens).unwrap();
    for update in 1..=300 {
        let gradient = normals(&mut rng, count);
        let gradient: Vec<f64> = gradient
            .iter()
            .map(|x| f64::from((0.1 * x) as f32))
            .collect();
        let d_params = gpu.upload_parts(&gradient, &lens).unwrap();
        let rates = Rates {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.1,
            bias1: 1.0 - 0.9f64.powi(update),
            bias2: 1.0 - 0.99f64.powi(update),
            clip: 1.0,
            moved: 0.01,
        };
        let norm = learner.update(&params, &d_params, &rates).unwrap();
        let own = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        assert!((norm - own).abs() <= 1e-6 * own, "{norm} {own}");
        for k in 0..count {
            let g = gradient[k] * (1.0 / own).min(1.0);
            expected.mean[k] += 0.1 * (g - expected.mean[k]);
            expected.square[k] += 0.01 * (g * g - expected.square[k]);
            let root = (expected.square[k] / rates.bias2).sqrt();
            let decay = if decays[k] {
                0.1 * expected.values[k]
            } else {
                0.0
            };
            let change = expected.mean[k] / rates.bias1 / (root + 1e-8) + decay;
            expected.values[k] -= 1e-3 * change;
            expected.average[k] += 0.01 * (expected.values[k] - expected.average[k]);
        }
    }
    let found = learner.learned().unwrap();
    for (found, expected) in [
        (&found.values, &expected.values),
        (&found.mean, &expected.mean),
        (&found.square, &expected.square),
        (&found.average, &expected.average),
    ] {
        let error = relative_error(found, expected);
        assert!(error <= 3e-6, "{error:e}");
    }
    let held = gpu
        .download_all(&params.iter().collect::<Vec<_>>())
        .unwrap();
    assert!(relative_error(&held.concat(), &found.values) <= 1e-7);
}
