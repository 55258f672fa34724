//! Training on synthetic molecules, small enough for seconds.

mod initial;
mod learning;
mod ranks;

use std::path::Path;

use mdsurrogate::engine::Cpu;
use mdsurrogate::forcefield::TemplateGeometry;
use mdsurrogate::geometry::noise;
use mdsurrogate::network::Tokens;
use mdsurrogate::simulate::Stop;
use mdsurrogate::structure::{Atom, Chain, Element, Residue, Topology};
use mdsurrogate::task::load;
use mdsurrogate::train::Files;
use mdsurrogate::train::config::Config;
use mdsurrogate::train::dataset::{Dataset, System};
use mdsurrogate::train::pairs::Segment;
use mdsurrogate::train::report::Reporter;
use mdsurrogate::train::trainer::Trainer;
use nalgebra::Vector3;

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
