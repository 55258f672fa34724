//! Dynamics in the forces of a network: what holds whatever its weights are.

use std::path::Path;

use mdsurrogate::engine::Cpu;
use mdsurrogate::forcefield::{PrepareOptions, Prepared, prepare, template_geometry_at};
use mdsurrogate::network::{Architecture, Tokens};
use mdsurrogate::simulate::{Integrator, Learned, Riding, Settings, Stepper};
use mdsurrogate::structure::{Element, Frame, ReadOptions, Topology, read};
use mdsurrogate::task::{Force, Form, Task};
use nalgebra::{Rotation3, Vector3};

const SETTINGS: Settings = Settings {
    integrator: Integrator::VelocityVerlet,
    time_step: 0.0005,
    temperature: 300.0,
    stop_centre: true,
    seed: 3,
    first_replica: 0,
};

fn akle() -> (Topology, Frame) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
    let structure = read(&file, &ReadOptions::default()).unwrap();
    let Prepared {
        topology, frame, ..
    } = prepare(
        &structure.topology,
        &structure.frame,
        &PrepareOptions::default(),
    )
    .unwrap();
    (topology, frame)
}

/// A network of random weights on AKLE.
fn force(scale: f64, form: Form) -> Learned<Cpu<f64>> {
    let (topology, frame) = akle();
    let geometry = template_geometry_at(&topology, &frame.positions).unwrap();
    let tokens = Tokens::new(&topology, &geometry).unwrap();
    let force = Force::new(scale, form);
    let network = Task::Force(force)
        .initial(&Architecture::default(), Cpu::new(), 1)
        .unwrap();
    Learned::new(network, force, tokens)
}

fn riding() -> (Riding<Cpu<f64>>, Topology, Frame) {
    let (topology, frame) = akle();
    (
        Riding::new(
            force(50.0, Form::Direct),
            &topology,
            &frame.positions,
            SETTINGS,
        )
        .unwrap(),
        topology,
        frame,
    )
}

#[test]
fn momentum_is_conserved_and_hydrogens_ride() {
    let (mut riding, topology, start) = riding();
    let mut frames = [start.clone()];
    (0..5).for_each(|_| riding.step(&mut frames).unwrap());
    let velocities = frames[0].velocities.as_ref().unwrap();
    let momentum: Vector3<f64> = riding
        .masses()
        .iter()
        .zip(velocities)
        .map(|(&mass, velocity)| mass * velocity)
        .sum();
    assert!(momentum.norm() <= 1e-9, "{momentum}");
    let total: f64 = topology.atoms.iter().map(|atom| atom.mass).sum();
    assert!((riding.masses().iter().sum::<f64>() - total).abs() <= 1e-9);
    for &[i, j] in topology.bonds.iter().filter(|bond| {
        bond.iter()
            .any(|&atom| topology.atoms[atom].element == Element::H)
    }) {
        let length = |frame: &Frame| (frame.positions[i] - frame.positions[j]).norm();
        assert!((length(&frames[0]) - length(&start)).abs() <= 1e-9);
    }
    assert!(frames[0].positions[0] != start.positions[0] && frames[0].step == 5);
}

#[test]
fn a_step_does_not_depend_on_how_many_replicas_share_it() {
    let (mut riding, _, start) = riding();
    let mut other = start.clone();
    other.positions[4].x += 0.05;
    let (mut alone, mut together) = ([start.clone()], [start, other]);
    riding.step(&mut alone).unwrap();
    riding.step(&mut together).unwrap();
    assert_eq!(alone[0], together[0]);
    assert!(together[0].positions != together[1].positions);
}

#[test]
fn forces_turn_with_the_molecule() {
    let (riding, _, frame) = riding();
    let rotation = Rotation3::new(Vector3::new(0.4, -1.1, 2.0));
    let (error, op) = riding
        .probe()
        .unwrap()
        .equivariance(&frame, &rotation, &Vector3::new(5.0, -2.0, 1.0))
        .unwrap();
    assert!(error <= 1e-9, "{error} {op}");
}

/// Velocity Verlet in conservative forces: the error of the model's own energy falls with the
/// square of the time step.
#[test]
fn conservative_forces_conserve_the_models_own_energy() {
    let spread = |time_step: f64, steps: usize| {
        let (topology, frame) = akle();
        let settings = Settings {
            time_step,
            ..SETTINGS
        };
        let force = force(90.0, Form::Conservative);
        let mut riding = Riding::new(force, &topology, &frame.positions, settings).unwrap();
        let mut frames = [frame];
        let mut energies = Vec::new();
        for _ in 0..steps {
            riding.step(&mut frames).unwrap();
            let moving = frames[0]
                .velocities
                .as_ref()
                .unwrap()
                .iter()
                .zip(riding.masses());
            let kinetic: f64 = moving
                .map(|(v, mass)| 0.5 * mass * v.norm_squared() / 100.0)
                .sum();
            energies.push(frames[0].potential.unwrap() + kinetic);
        }
        let potential = frames[0].potential.unwrap();
        let mean = energies.iter().sum::<f64>() / energies.len() as f64;
        (
            (energies.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / energies.len() as f64)
                .sqrt(),
            potential,
        )
    };
    let ((coarse, _), (fine, potential)) = (spread(0.002, 20), spread(0.001, 40));
    println!(
        "spread of the conserved energy: {coarse:.2e} kJ/mol at 2 fs, {fine:.2e} at 1 fs; \
         potential {potential}"
    );
    assert!(
        fine > 0.0 && (3.0..=5.0).contains(&(coarse / fine)),
        "{coarse:e} {fine:e}"
    );
}
