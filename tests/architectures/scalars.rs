//! Every architecture where scalars of tokens are asked for, as a property of each nucleotide:
//! gradients, engines, and what a rotation does to them.

use mdsurrogate::engine::{Cpu, Engine};
use mdsurrogate::network::{Answer, Architecture, Inputs, Interface, Network, PROTEIN};
use mdsurrogate::task::Task;
use nalgebra::{Rotation3, Vector3};

use super::models::{equivariant, plain};
use super::support::{normals, random, relative_error};
use super::{Molecule, molecule};

/// Scalars of a token.
const COUNT: usize = 3;

fn interface(task: &Task) -> Interface {
    Interface {
        answer: Answer::Scalars(COUNT),
        ..task.interface()
    }
}

/// Architectures for next frames, asked for scalars instead.
fn asked(all: Vec<(Architecture, Task)>) -> Vec<(Architecture, Interface)> {
    let next = |(_, task): &(Architecture, Task)| matches!(task, Task::NextFrame(_));
    let asked = all.into_iter().filter(next);
    asked
        .map(|(architecture, task)| (architecture, interface(&task)))
        .collect()
}

fn network<E: Engine>(architecture: &Architecture, interface: &Interface, engine: E) -> Network<E> {
    architecture.check(interface).unwrap();
    Network::initial(architecture.build(interface, &PROTEIN), engine, 5).unwrap()
}

fn inputs(interface: &Interface, neighbours: usize, molecule: &Molecule) -> Inputs {
    let system = (&molecule.tokens, molecule.condition.as_slice());
    Inputs::at(interface, neighbours, [system])
}

#[test]
fn scalars_have_the_gradient_of_their_answer_and_f32_is_as_f64() {
    let akle = molecule("akle.pdb", 1);
    for (architecture, interface) in asked([equivariant(), plain()].concat()) {
        let mut oracle = network(&architecture, &interface, Cpu::<f64>::new());
        let inputs = inputs(&interface, oracle.program().neighbours, &akle);
        let activations = oracle.forward(&inputs).unwrap();
        let answer = activations.answer.clone();
        assert_eq!(answer.len(), COUNT * akle.tokens.len());
        let rng = &mut random(2);
        let d = normals(rng, answer.len());
        let gradients = oracle.backward(&inputs, &activations, &d).unwrap();
        let start = oracle.parameters().unwrap();
        let direction = normals(rng, start.len());
        let mut value = |h: f64| -> f64 {
            let moved = start.iter().zip(&direction).map(|(x, d)| x + h * d);
            oracle.set_parameters(&moved.collect::<Vec<_>>()).unwrap();
            let answer = oracle.answer(&inputs).unwrap();
            answer.iter().zip(&d).map(|(a, d)| a * d).sum()
        };
        let mut slope = |h: f64| (value(h) - value(-h)) / (2.0 * h);
        let numeric = (4.0 * slope(1e-5) - slope(2e-5)) / 3.0;
        let products = gradients.params.iter().zip(&direction);
        let analytic: f64 = products.map(|(g, d)| g * d).sum();
        let error = (analytic - numeric).abs() / numeric.abs().max(1.0);
        let quick = network(&architecture, &interface, Cpu::<f32>::new());
        let rounding = relative_error(&quick.answer(&inputs).unwrap(), &answer);
        let name = architecture.name();
        println!("{name}: gradient {error:.1e}, f32 {rounding:.1e}");
        assert!(error <= 1e-6, "{name}: {analytic} {numeric}");
        assert!(rounding <= 1e-4, "{name}: {rounding:e}");
    }
}

/// Relative difference between the scalars of a molecule and of the same, turned and moved.
fn change(architecture: &Architecture, interface: &Interface) -> f64 {
    let network = network(architecture, interface, Cpu::<f64>::new());
    let plain = molecule("trpcage.pdb", 7);
    let rotation = Rotation3::new(Vector3::new(0.4, -1.1, 2.0));
    let moved = plain.moved(&rotation, &Vector3::new(5.0, -20.0, 1.0));
    let answer = |molecule: &Molecule| {
        let inputs = inputs(interface, network.program().neighbours, molecule);
        network.answer(&inputs).unwrap()
    };
    relative_error(&answer(&moved), &answer(&plain))
}

#[test]
fn a_rotation_leaves_the_scalars_of_equivariant_networks_as_they_are_and_of_these_alone() {
    for (architecture, interface) in asked(equivariant()) {
        let error = change(&architecture, &interface);
        println!("{}: {error:.1e}", architecture.name());
        assert!(error <= 1e-10, "{}: {error:e}", architecture.name());
    }
    for (architecture, interface) in asked(plain()) {
        let error = change(&architecture, &interface);
        println!("{}: {error:.1e}", architecture.name());
        assert!(error >= 1e-2, "{}: {error:e}", architecture.name());
    }
}
