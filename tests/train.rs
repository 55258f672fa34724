//! Training on synthetic molecules, small enough for seconds.

use std::path::Path;

use mdsurrogate::engine::Cpu;
use mdsurrogate::forcefield::TemplateGeometry;
use mdsurrogate::geometry::noise;
use mdsurrogate::network::{TOLD, Tokens};
use mdsurrogate::simulate::Stop;
use mdsurrogate::structure::{Atom, Chain, Element, Residue, Topology};
use mdsurrogate::task::{Loaded, Task, load};
use mdsurrogate::train::Files;
use mdsurrogate::train::config::Config;
use mdsurrogate::train::dataset::{Dataset, System};
use mdsurrogate::train::objective::objective;
use mdsurrogate::train::pairs::Segment;
use mdsurrogate::train::report::Reporter;
use mdsurrogate::train::trainer::Trainer;
use nalgebra::Vector3;
use sha2::Digest;

const ATOMS: [(&str, Element); 6] = [
    ("N", Element::N),
    ("CA", Element::C),
    ("CB", Element::C),
    ("C", Element::C),
    ("O", Element::O),
    ("OXT", Element::O),
];
const BONDS: [[usize; 2]; 5] = [[0, 1], [1, 2], [1, 3], [3, 4], [3, 5]];

/// Heavy atoms of an alanine, Å.
fn positions() -> Vec<Vector3<f64>> {
    [
        [0.0, 0.0, 0.0],
        [1.46, 0.0, 0.0],
        [2.0, 1.4, 0.3],
        [2.0, -0.8, -1.2],
        [1.3, -1.2, -2.1],
        [3.2, -1.0, -1.2],
    ]
    .map(Vector3::from)
    .to_vec()
}

fn alanine() -> Tokens {
    let atom = |(serial, (name, element)): (usize, (&str, Element))| Atom {
        name: name.into(),
        element,
        residue: 0,
        serial: serial + 1,
        mass: 12.0,
    };
    let topology = Topology {
        atoms: ATOMS.into_iter().enumerate().map(atom).collect(),
        residues: vec![Residue {
            name: "ALA".into(),
            chain: 0,
            number: 1,
            insertion: None,
            atoms: 0..6,
        }],
        chains: vec![Chain {
            id: "A".into(),
            residues: 0..1,
        }],
        bonds: BONDS.to_vec(),
    };
    let x = positions();
    let geometry = TemplateGeometry {
        pairs: BONDS.map(|[i, j]| (i, j, (x[i] - x[j]).norm())).to_vec(),
        centres: vec![],
    };
    Tokens::new(&topology, &geometry).unwrap()
}

/// An alanine whose atoms move about their places by independent noise of 0.3 Å; the forces are
/// those of springs to its bonded atoms, 10 kJ/mol/Å².
fn system(frames: usize) -> System {
    moving(frames, |frame| {
        let mut random = noise::generator(5, 0, frame as u64, 0);
        let noise = noise::centred(&mut random, ATOMS.len());
        noise.into_iter().map(|n| 0.3 * n).collect()
    })
}

/// An alanine whose atoms are so far from their places at each frame.
fn moving(frames: usize, displacement: impl Fn(usize) -> Vec<Vector3<f64>>) -> System {
    let tokens = alanine();
    let frame = |frame| {
        positions()
            .into_iter()
            .zip(displacement(frame))
            .map(|(x, d)| x + d)
            .collect::<Vec<_>>()
    };
    let force = |frame: &Vec<Vector3<f64>>| {
        let mut forces = vec![Vector3::zeros(); frame.len()];
        for [i, j] in BONDS {
            let (apart, rest) = (frame[j] - frame[i], positions()[j] - positions()[i]);
            let pull = 10.0 * (1.0 - rest.norm() / apart.norm()) * apart;
            forces[i] += pull;
            forces[j] -= pull;
        }
        forces
    };
    let all: Vec<_> = (0..frames).map(frame).collect();
    let flat = |of: Vec<Vec<Vector3<f64>>>| {
        of.concat()
            .iter()
            .flat_map(|x| [x.x as f32, x.y as f32, x.z as f32])
            .collect()
    };
    let forces = flat(all.iter().map(force).collect());
    let segment = Segment {
        file: "synthetic".into(),
        tokens: tokens.len(),
        time_step: 1.0,
        positions: flat(all),
        forces,
    };
    System {
        name: "alanine".into(),
        sequence: "A".into(),
        tokens,
        segments: vec![segment],
        rollouts: vec![],
        fold: false,
        weight: 1.0,
    }
}

const SMALL: &str = "
[model]
scalars = 16
vectors = 8
pair = 8
layers = 2
";

fn config(objective: &str, training: &str) -> Config {
    let text = format!(
        "[data]\nsystems = [{{ name = \"alanine\", topology = \"-\", trajectories = [\"-\"] }}]\n\
         {objective}\n{SMALL}\n{training}\n"
    );
    Config::parse(text, Path::new("test.toml")).unwrap()
}

fn trainer(frames: usize, objective: &str, training: &str) -> Trainer<Cpu<f32>> {
    let config = config(objective, training);
    let dataset = Dataset::split(vec![system(frames)], Vec::new(), &config).unwrap();
    Trainer::new(config, dataset, Cpu::new()).unwrap()
}

fn on_threads<R: Send>(count: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build()
        .unwrap()
        .install(work)
}

const JUMP: &str = "[jump]\nlag = \"1ps\"\n";
const SHORT: &str = "[training]\nupdates = 12\nbatch = 6\nmicro_batch_tokens = 12\n\
                     validation_samples = 8\nvalidate_every = 5";

#[test]
fn threads_do_not_change_a_bit() {
    let parameters = |threads| {
        on_threads(threads, || {
            let mut trainer = trainer(40, JUMP, SHORT);
            (0..5).for_each(|_| assert!(trainer.update().unwrap().loss.is_finite()));
            (
                trainer.parameters().to_vec(),
                trainer.validate().unwrap().unwrap().loss,
            )
        })
    };
    assert_eq!(parameters(1), parameters(2));
}

#[test]
fn a_resumed_training_is_the_uninterrupted_one_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = |trainer: &Trainer<Cpu<f32>>| Reporter::new(trainer.budget(), true);
    let whole = Files::new(&folder.path().join("whole"));
    let mut uninterrupted = trainer(40, JUMP, SHORT);
    let reporter = quiet(&uninterrupted);
    uninterrupted
        .run(&whole, &reporter, &Stop::never())
        .unwrap();

    let cut = Files::new(&folder.path().join("cut"));
    let mut first = trainer(40, JUMP, SHORT);
    (0..7).for_each(|_| assert!(first.update().unwrap().loss.is_finite()));
    // stopped before its next update: what is there is written, and the exit code says that it can
    // be continued
    let stop = Stop::never();
    stop.ask();
    let error = first.run(&cut, &reporter, &stop).unwrap_err();
    assert!(error.exit_code() == 75 && !cut.model.exists(), "{error}");
    let mut second = trainer(40, JUMP, SHORT);
    second.resume(&cut.checkpoint).unwrap();
    assert_eq!(second.updates(), 7);
    second.run(&cut, &reporter, &Stop::never()).unwrap();

    assert_eq!(second.parameters(), uninterrupted.parameters());
    assert_eq!(
        second.checkpoint().average,
        uninterrupted.checkpoint().average
    );
    let of = |files: &Files| load(&files.model, Cpu::<f32>::new()).unwrap();
    let weights = |files: &Files| of(files).network.parameters().unwrap();
    assert_eq!(weights(&whole), weights(&cut));
    let header = of(&whole).header;
    assert!(
        header.provenance.updates == 12
            && header.provenance.samples == 72
            && header.provenance.validation_loss.is_some()
    );
    let table = std::fs::read_to_string(&whole.table).unwrap();
    let updates: Vec<_> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect();
    assert_eq!(updates, ["5", "10", "12"]);
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ckpt");
    trainer(40, JUMP, SHORT).checkpoint().write(&path).unwrap();
    let error = trainer(40, JUMP, &format!("{SHORT}\nseed = 2"))
        .resume(&path)
        .unwrap_err();
    assert!(
        error.exit_code() == 2
            && error.to_string().contains("a.ckpt")
            && error.hint().contains("--fresh"),
        "{error}"
    );
    // how long it goes on may change
    trainer(40, JUMP, &SHORT.replace("12", "99"))
        .resume(&path)
        .unwrap_err(); // micro_batch_tokens changed too
    trainer(40, JUMP, &SHORT.replace("updates = 12", "updates = 99"))
        .resume(&path)
        .unwrap();
}

/// A training whose configuration file `here`/b.toml has no table of the network but what `model`
/// says, and starts from `here`/a.safetensors.
fn started(here: &Path, objective: &str, model: &str) -> mdsurrogate::Result<Config> {
    let data =
        "[data]\nsystems = [{ name = \"alanine\", topology = \"-\", trajectories = [\"-\"] }]";
    Config::parse(
        format!("{data}\n{objective}\n{model}\n{SHORT}\ninitial = \"a.safetensors\"\n"),
        &here.join("b.toml"),
    )
}

/// A short training of jumps, its files `here`/a.*, and the model that came out.
fn first(here: &Path) -> (Files, Loaded<Cpu<f32>>) {
    let files = Files::new(&here.join("a"));
    let mut trainer = trainer(40, JUMP, SHORT);
    trainer
        .run(
            &files,
            &Reporter::new(trainer.budget(), true),
            &Stop::never(),
        )
        .unwrap();
    let loaded = load(&files.model, Cpu::<f32>::new()).unwrap();
    (files, loaded)
}

#[test]
fn a_training_starts_from_a_model_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (first, model) = first(here);
    let weights = model.network.parameters().unwrap();

    // other data, whose displacements are of another size: the first weights, sizes and scale are
    // the model's all the same
    let trainer_of = |config: Config| {
        let dataset = Dataset::split(vec![system(9)], Vec::new(), &config).unwrap();
        Trainer::new(config, dataset, Cpu::<f32>::new()).unwrap()
    };
    let mut second = trainer_of(started(here, JUMP, "[model]\nlayers = 2\nreach = 11").unwrap());
    assert_eq!(second.parameters(), weights);
    let files = Files::new(&here.join("b"));
    second
        .run(
            &files,
            &Reporter::new(second.budget(), true),
            &Stop::never(),
        )
        .unwrap();
    let other = load(&files.model, Cpu::<f32>::new()).unwrap();
    assert_eq!(other.task, model.task);
    assert_eq!(other.header.architecture, model.header.architecture);
    assert_ne!(other.network.parameters().unwrap(), weights);
    let (made, header) = (&other.header, &model.header);
    let source = made.provenance.started_from.clone().unwrap();
    let hash = sha2::Sha256::digest(std::fs::read(&first.model).unwrap());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (source.name.as_str(), source.sha256),
        ("a.safetensors", hash)
    );
    assert!(
        header.provenance.started_from.is_none()
            && made
                .provenance
                .summary
                .ends_with("starting from a.safetensors")
    );

    // its checkpoint is that of a training from this model, and of no other
    trainer_of(started(here, JUMP, "").unwrap())
        .resume(&files.checkpoint)
        .unwrap();
    let random = Config {
        initial: None,
        ..started(here, JUMP, "").unwrap()
    };
    assert!(
        trainer_of(random)
            .resume(&files.checkpoint)
            .unwrap_err()
            .to_string()
            .contains("b.ckpt")
    );
    std::fs::copy(&files.model, &first.model).unwrap();
    assert!(
        trainer_of(started(here, JUMP, "").unwrap())
            .resume(&files.checkpoint)
            .unwrap_err()
            .to_string()
            .contains("b.ckpt")
    );

    // another lag time has another scale, which is measured
    let of = |objective| started(here, objective, "").unwrap();
    let task = |config: &Config| -> Task {
        let dataset = Dataset::split(vec![system(40)], Vec::new(), config).unwrap();
        objective(config, &dataset).task()
    };
    let later = of("[jump]\nlag = \"2ps\"");
    let random = Config {
        initial: None,
        ..later.clone()
    };
    assert_eq!(task(&later), task(&random));
    assert_eq!(task(&of(JUMP)), other.task);

    for (objective, model, words) in [
        (
            JUMP,
            "[model]\nlayers = 3",
            ["b.toml", "model.layers", "a.safetensors", "has 2"],
        ),
        (
            JUMP,
            "[model]\nlong_range = \"none\"",
            ["b.toml", "model.long_range", "a.safetensors", "geometric"],
        ),
        (
            "[displacement]\nlag = \"1ps\"",
            "",
            ["b.toml", "training.initial", "[jump]", "[next-frame]"],
        ),
    ] {
        let error = started(here, objective, model).unwrap_err();
        let text = format!("{error} {}", error.hint());
        assert!(
            error.exit_code() == 2 && words.iter().all(|word| text.contains(word)),
            "{words:?}: {text}"
        );
    }
    std::fs::remove_file(&first.model).unwrap();
    assert!(
        started(here, JUMP, "")
            .unwrap_err()
            .to_string()
            .contains("a.safetensors")
    );
}

/// Mean losses of the first and the last tenth of a training.
fn losses(frames: usize, objective: &str, updates: usize, training: &str) -> [f64; 2] {
    losses_of(system(frames), objective, updates, training)
}

fn losses_of(system: System, objective: &str, updates: usize, training: &str) -> [f64; 2] {
    let config = config(
        objective,
        &format!("{training}\n[training]\nupdates = {updates}\nbatch = 8\nmicro_batch_tokens = 48"),
    );
    let dataset = Dataset::split(vec![system], Vec::new(), &config).unwrap();
    let mut trainer = Trainer::new(config, dataset, Cpu::<f32>::new()).unwrap();
    let losses: Vec<f64> = (0..updates)
        .map(|_| trainer.update().unwrap().loss)
        .collect();
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    [
        mean(&losses[..updates / 10]),
        mean(&losses[updates - updates / 10..]),
    ]
}

const FAST: &str =
    "[split]\nvalidation_share = 0.0\n[optimizer]\nlearning_rate = 5e-3\nwarmup = 10";

#[test]
fn few_pairs_are_learned_by_heart() {
    // two pairs without reversal: what comes a lag later is a function of what is
    let [before, after] = losses(
        3,
        "[jump]\nlag = \"1ps\"\nreversed = 0.0\ncondition_noise = \"0.01A\"",
        400,
        FAST,
    );
    assert!(
        before <= 1.5 && after <= before / 4.0,
        "jump: {before} → {after}"
    );
    let [before, after] = losses(3, "[next-frame]\nlag = \"1ps\"", 200, FAST);
    assert!(
        before <= 1.5 && after <= before / 1000.0,
        "next frame: {before} → {after}"
    );
    let [before, after] = losses(3, "[force]", 200, FAST);
    assert!(
        before <= 3.0 && after <= before / 1000.0,
        "force: {before} → {after}"
    );
    let [before, after] = losses(3, "[force]\nform = \"conservative\"", 200, FAST);
    assert!(
        before <= 3.0 && after <= before / 30.0,
        "conservative force: {before} → {after}"
    );
}

#[test]
fn a_network_that_is_told_the_lag_time_learns_several() {
    // there and back: after one frame everything is elsewhere, after two it is where it was, which
    // no network can know untold
    let swing = noise::centred(&mut noise::generator(6, 0, 0, 0), ATOMS.len());
    let swinging = || {
        moving(9, |frame| {
            swing
                .iter()
                .map(|n| if frame % 2 == 0 { 0.5 * n } else { -0.5 * n })
                .collect()
        })
    };
    let both = "[jump]\nlag = \"1ps\"\nlongest_lag = \"2ps\"\ncondition_noise = \"0.01A\"\n\
                log_sigma_mean = 0.0\nlog_sigma_std = 0.5";
    let [before, after] = losses_of(swinging(), both, 400, FAST);
    assert!(before <= 2.0 && after <= before / 4.0, "{before} → {after}");
}

#[test]
fn several_lag_times_may_follow_one_and_begin_with_its_answers() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (_, model) = first(here);
    let more = "[jump]\nlag = \"1ps\"\nlongest_lag = \"5ps\"\n";
    let config = started(here, more, "").unwrap();
    assert_eq!(config.lags(), [1.0, 2.0, 4.0]);
    let dataset = Dataset::split(vec![system(40)], Vec::new(), &config).unwrap();
    // 36 training frames less the gap before the last 10 %, for each lag time
    assert_eq!(
        dataset.training.len(),
        (36 - 1 - 1) + (36 - 2 - 2) + (36 - 4 - 4)
    );
    let second = Trainer::new(config, dataset, Cpu::<f32>::new()).unwrap();
    // the weights of what it is told of lag times come after those of the noise levels, and are
    // none
    let (own, others) = (second.parameters(), model.network.parameters().unwrap());
    const SCALARS: usize = 16;
    let (at, told) = (2 * TOLD * SCALARS, TOLD * SCALARS);
    assert_eq!(own.len(), others.len() + told);
    assert!(
        own[..at] == others[..at]
            && own[at..at + told].iter().all(|&w| w == 0.0)
            && own[at + told..] == others[at..]
    );

    let refused = started(here, "[jump]\nlag = \"2ps\"\nlongest_lag = \"3ps\"", "")
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("jump.longest_lag") && refused.contains("twice"),
        "{refused}"
    );
}
