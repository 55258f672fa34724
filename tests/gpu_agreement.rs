//! `run`, `predict` and `train` with --backend gpu give what they give with --backend cpu: the same
//! noise, the same frames, the same losses.
//!
//! Jumps of the built-in model do not make rounding grow: on lavapipe frames differ by 1e-5 Å after
//! 20 steps as after ten, and losses by 1e-6, their last decimal, after 200 updates.
#![cfg(feature = "gpu")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mdsurrogate::engine::{Cpu, gpu::Transforms};
use mdsurrogate::structure::{self, Frame, ReadOptions};
use mdsurrogate::task::load;
use mdsurrogate::trajectory::Reader;

/// Largest difference of a coordinate after a jump of 3 evaluations, Å: each is off by 1e-6 of a
/// displacement of 3 Å (tests/parity.rs).
const JUMP: f64 = 3.0 * 1e-6 * 3.0;

/// By how much a jump stretches a difference, on average: near a barrier the two sides part, as in
/// MD. Of six seeds five stay below this bound, the sixth is stretched by 1.52 a jump to 6e-3 Å. An
/// error of an op shows in the first jump.
const STRETCH: f64 = 1.5;

/// Largest difference of a coordinate after `jumps` jumps, each off by [`JUMP`], Å.
fn allowed(jumps: usize) -> f64 {
    (0..jumps)
        .map(|jump| JUMP * STRETCH.powi(jump as i32))
        .sum()
}

/// XTC rounds to 0.01 Å: two that are nearly alike can be rounded apart.
const ROUNDED: f64 = 0.01 + JUMP;

/// Largest difference of a loss in 200 updates: ten of its last decimals, of which one is the
/// rounding.
const LOSSES: f64 = 1e-5;

/// A folder with AKLE and 400 frames of its reference MD.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// None, with a printed line, where there is no device (with MDSURROGATE_REQUIRE_GPU=1 that is
    /// a failure).
    fn new() -> Option<Bench> {
        support::gpu(Transforms::Fastest)?;
        let folder = tempfile::tempdir().unwrap();
        for file in ["data/structures/akle.pdb", "tests/data/compare/akle_a.xtc"] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            std::fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
        }
        Some(Bench { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program here; it must end well and, asked for the GPU, say so.
    fn run(&self, words: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsurrogate"));
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        // Mesa's Vulkan drivers complain on stderr where it is not set, as in a container
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words}\n{text}");
        assert_eq!(
            text.to_lowercase().contains("on the gpu") || text.contains("gpu-f32"),
            words.contains("--backend gpu"),
            "{words}\n{text}"
        );
    }

    fn frames(&self, name: &str) -> Vec<Frame> {
        let topology = structure::read(&self.path("akle.pdb"), &ReadOptions::default())
            .unwrap()
            .topology;
        let mut reader = Reader::open(self.path(name), Some(&topology)).unwrap();
        let (mut frame, mut frames) = (Frame::default(), Vec::new());
        while reader.read(&mut frame).unwrap() {
            frames.push(frame.clone());
        }
        frames
    }

    /// Losses of training and validation, a row a validation.
    fn losses(&self, name: &str) -> Vec<[f64; 2]> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        let column =
            |line: &str, index: usize| line.split(',').nth(index).unwrap().parse::<f64>().unwrap();
        assert!(
            text.starts_with(
                "Update,Time (min),Learning rate,Training loss,Gradient norm,Validation loss"
            ),
            "{text}"
        );
        text.lines()
            .skip(1)
            .map(|line| [column(line, 3), column(line, 5)])
            .collect()
    }
}

/// Largest difference of a coordinate, Å; NaN where any is.
fn apart(left: &[Frame], right: &[Frame]) -> f64 {
    assert_eq!(left.len(), right.len());
    let differences = left
        .iter()
        .zip(right)
        .flat_map(|(a, b)| a.positions.iter().zip(&b.positions))
        .map(|(a, b)| (a - b).amax());
    differences.fold(0.0, |worst, error| {
        if error.is_nan() {
            f64::NAN
        } else {
            worst.max(error)
        }
    })
}

#[test]
fn runs_agree_over_20_steps() {
    let Some(bench) = Bench::new() else { return };
    // the lag time that `JUMP` was measured for: longer jumps go farther
    let words = "run akle.pdb --lag 20ps --relax 0 --steps 20 --levels 3 --method euler \
                 --guard warn --traj-format dcd";
    for (name, backend) in [("gpu", "gpu"), ("cpu", "cpu"), ("other", "cpu --seed 2")] {
        bench.run(&format!("{words} -o {name} --backend {backend}"));
    }
    let [gpu, cpu, other] = ["gpu.dcd", "cpu.dcd", "other.dcd"].map(|name| bench.frames(name));
    assert_eq!(gpu.len(), 21);
    let errors: Vec<f64> = gpu
        .iter()
        .zip(&cpu)
        .map(|(gpu, cpu)| apart(std::slice::from_ref(gpu), std::slice::from_ref(cpu)))
        .collect();
    println!(
        "run: {:.1e} Å apart after one step, {:.1e} Å after 20",
        errors[1], errors[20]
    );
    for (jumps, &error) in errors.iter().enumerate() {
        assert!(error <= allowed(jumps), "{jumps}: {error:e}");
    }
    // other noise is far away, so that agreeing says something
    assert!(apart(&gpu[1..2], &other[1..2]) > 0.1 && apart(&gpu[..1], &gpu[20..]) > 0.1);
}

#[test]
fn predictions_agree_for_20_frames() {
    let Some(bench) = Bench::new() else { return };
    for backend in ["gpu", "cpu"] {
        bench.run(&format!(
            "predict akle_a.xtc --top akle.pdb --every 20 --relax 0 --levels 3 --method euler \
             -o {backend} --backend {backend}"
        ));
    }
    let (gpu, cpu) = (bench.frames("gpu_next.xtc"), bench.frames("cpu_next.xtc"));
    assert_eq!(gpu.len(), 20);
    let error = apart(&gpu, &cpu);
    println!("predict: {error:.1e} Å apart");
    assert!(error <= ROUNDED, "{error:e}");
    assert!(apart(&gpu[..1], &gpu[1..2]) > 0.1);
}

const TRAINING: &str = "
[data]
systems = [{ topology = \"akle.pdb\", trajectories = [\"akle_a.xtc\"] }]
[jump]
lag = \"50ps\"
[model]
scalars = 8
vectors = 4
pair = 8
layers = 1
neighbours = 8
[optimizer]
warmup = 10
[training]
updates = 200
batch = 2
validation_samples = 4
validate_every = 10
";

#[test]
fn losses_agree_over_200_updates() {
    let Some(bench) = Bench::new() else { return };
    std::fs::write(bench.path("t.toml"), TRAINING).unwrap();
    for backend in ["gpu", "cpu"] {
        bench.run(&format!("train t.toml -o {backend} --backend {backend}"));
    }
    let (gpu, cpu) = (bench.losses("gpu.train.csv"), bench.losses("cpu.train.csv"));
    assert_eq!((gpu.len(), cpu.len()), (20, 20));
    let differences = gpu
        .iter()
        .flatten()
        .zip(cpu.iter().flatten())
        .map(|(a, b)| (a - b).abs());
    let error = differences.fold(0.0, |worst: f64, error| {
        if error.is_nan() {
            f64::NAN
        } else {
            worst.max(error)
        }
    });
    let values = |name| {
        load(&bench.path(name), Cpu::<f32>::new())
            .unwrap()
            .network
            .parameters()
            .unwrap()
    };
    let weights = support::relative_error(&values("gpu.safetensors"), &values("cpu.safetensors"));
    println!("train: losses {error:.1e} apart, weights {weights:.1e} of their norm");
    assert!(error <= LOSSES, "{error:e}");
    assert!(weights <= 1e-5, "{weights:e}");
    assert!(
        cpu[0][1] - cpu[19][1] > 0.05,
        "it has learnt something: {cpu:?}"
    );
}
