//! Every architecture for the task `recall`: gradients, engines, symmetry, company.

mod support;

#[cfg(feature = "gpu")]
use mdsurrogate::engine::gpu::Transforms;
use mdsurrogate::engine::{Cpu, Engine};
use mdsurrogate::network::{Architecture, Attention, GHyena, Hyena, Network, PROTEIN, Transformer};
use mdsurrogate::task::Recall;
use mdsurrogate::task::recall::Question;
use nalgebra::{Rotation3, Vector3};
use support::{flat, normals, random, relative_error};

fn questions(count: usize) -> Vec<Question> {
    let recall = recall(false);
    let rng = &mut random(1);
    let one = |_| {
        let vocabulary = recall.vocabulary(rng);
        recall.question(&vocabulary, rng)
    };
    (0..count).map(one).collect()
}

fn recall(fixed: bool) -> Recall {
    Recall {
        tokens: 32,
        words: 4,
        fixed,
    }
}

#[test]
fn the_key_that_is_asked_for_occurred_with_the_value() {
    for fixed in [false, true] {
        let rng = &mut random(1);
        let vocabulary = recall(fixed).vocabulary(rng);
        let mut keys = 0;
        for _ in 0..100 {
            let question = recall(fixed).question(&vocabulary, rng);
            assert_eq!(question.sequence.len(), 32);
            assert_eq!(question.sequence[31], Vector3::zeros());
            let asked = question.sequence[30];
            for word in question.sequence[..30].chunks_exact(2) {
                if (word[0] - asked).norm() <= 1e-12 {
                    assert!((word[1] - question.answer).norm() <= 1e-12);
                    keys += 1;
                }
            }
        }
        // the word that is asked for, and 14 others of which a quarter is the same: 4.5 a sequence
        assert!((400..500).contains(&keys), "{keys}");
    }
}

/// The mean square of a coordinate: (1 + V + V²)/9 for lengths from 1 to V.
#[test]
fn who_answers_zero_is_wrong_by_seven_thirds() {
    assert!((recall(false).error_of_zero() - 7.0 / 3.0).abs() <= 1e-12);
    let questions = questions(4000);
    let inputs = Recall::inputs(2, &questions);
    let zeros = vec![Vector3::zeros(); questions.len()];
    let (losses, _) = Recall::losses(&inputs.batch, &questions, &zeros);
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    // the standard deviation of |v|²/3 is 1.6, that of the mean .025
    assert!((mean - 7.0 / 3.0).abs() <= 0.1, "{mean}");
}

#[test]
fn losses_have_their_gradient() {
    let questions = questions(3);
    let batch = Recall::inputs(4, &questions).batch;
    let mut answer: Vec<f64> = (0..3 * batch.tokens()).map(|i| (i as f64).sin()).collect();
    let value = |answer: &[f64]| -> f64 {
        let answers = Recall::answers(&batch, answer);
        let (losses, _) = Recall::losses(&batch, &questions, &answers);
        losses.iter().sum()
    };
    let answers = Recall::answers(&batch, &answer);
    let (_, gradient) = Recall::losses(&batch, &questions, &answers);
    for at in [0, 100, 287] {
        let middle = answer[at];
        answer[at] = middle + 1e-3;
        let above = value(&answer);
        answer[at] = middle - 1e-3;
        let slope = (above - value(&answer)) / 2e-3;
        answer[at] = middle;
        assert!((slope - gradient[at]).abs() <= 1e-9, "{at}: {slope}");
    }
}

fn g_hyena(local: bool) -> Architecture {
    Architecture::GHyena(GHyena {
        scalars: 8,
        vectors: 8,
        pair: 8,
        layers: 2,
        local,
        short: 1,
        neighbours: 4,
        templates: false,
        ..GHyena::default()
    })
}

fn equivariant() -> Vec<Architecture> {
    let attention = Attention {
        scalars: 8,
        vectors: 8,
        heads: 2,
        layers: 2,
        local: false,
        short: 1,
        templates: false,
        ..Attention::default()
    };
    vec![
        g_hyena(false),
        g_hyena(true),
        Architecture::Attention(attention),
    ]
}

fn plain() -> Vec<Architecture> {
    let transformer = Transformer {
        scalars: 16,
        heads: 2,
        layers: 2,
    };
    let hyena = Hyena {
        scalars: 16,
        channels: 8,
        layers: 2,
        ..Hyena::default()
    };
    vec![
        Architecture::Transformer(transformer),
        Architecture::Hyena(hyena),
    ]
}

fn network<E: Engine>(architecture: &Architecture, engine: E) -> Network<E> {
    let interface = Recall::interface();
    architecture.check(&interface).unwrap();
    let program = architecture.build(&interface, &PROTEIN);
    Network::initial(program, engine, 5).unwrap()
}

/// Sum of the losses of all questions, and its gradient by the weights.
fn loss<E: Engine>(network: &Network<E>, questions: &[Question]) -> (f64, Vec<f64>) {
    let inputs = Recall::inputs(network.program().neighbours, questions);
    let activations = network.forward(&inputs).unwrap();
    let answers = Recall::answers(&inputs.batch, &activations.answer);
    let (losses, d_answer) = Recall::losses(&inputs.batch, questions, &answers);
    let gradients = network.backward(&inputs, &activations, &d_answer).unwrap();
    (losses.iter().sum(), gradients.params)
}

fn answers<E: Engine>(network: &Network<E>, questions: &[Question]) -> Vec<Vector3<f64>> {
    let inputs = Recall::inputs(network.program().neighbours, questions);
    Recall::answers(&inputs.batch, &network.answer(&inputs).unwrap())
}

#[test]
fn the_loss_has_its_gradient() {
    let questions = questions(3);
    for architecture in [equivariant(), plain()].concat() {
        let mut network = network(&architecture, Cpu::<f64>::new());
        let (_, gradient) = loss(&network, &questions);
        let start = network.parameters().unwrap();
        let direction = normals(&mut random(2), start.len());
        let mut value = |h: f64| {
            let moved: Vec<f64> = start
                .iter()
                .zip(&direction)
                .map(|(x, d)| x + h * d)
                .collect();
            network.set_parameters(&moved).unwrap();
            loss(&network, &questions).0
        };
        let mut slope = |h: f64| (value(h) - value(-h)) / (2.0 * h);
        let analytic: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let errors = [2e-5, 1e-4, 4e-4].map(|h| {
            let numeric = (4.0 * slope(h) - slope(2.0 * h)) / 3.0;
            (analytic - numeric).abs() / numeric.abs().max(1e-3)
        });
        println!("{}: {errors:?}", architecture.name());
        let best = errors.iter().any(|&error| error <= 1e-6);
        assert!(best, "{architecture:?}: {errors:?}");
    }
}

fn agrees<E: Engine>(architecture: &Architecture, engine: E, bound: f64) {
    let questions = questions(5);
    let quick = network(architecture, engine);
    let oracle = network(architecture, Cpu::<f64>::new());
    let answer = relative_error(
        &flat(&answers(&quick, &questions)),
        &flat(&answers(&oracle, &questions)),
    );
    let gradient = relative_error(&loss(&quick, &questions).1, &loss(&oracle, &questions).1);
    let name = quick.engine().name();
    println!(
        "{}, {name}: answer {answer:.1e}, gradient {gradient:.1e}",
        architecture.name()
    );
    assert!(
        answer <= bound && gradient <= bound,
        "{name}: {answer:e} {gradient:e}"
    );
}

#[test]
fn f32_and_the_gpu_answer_as_f64() {
    for architecture in [equivariant(), plain()].concat() {
        agrees(&architecture, Cpu::<f32>::new(), 1e-4);
        #[cfg(feature = "gpu")]
        if let Some(gpu) = support::gpu(Transforms::Fastest) {
            agrees(&architecture, gpu, 1e-4);
        }
    }
}

#[test]
fn answers_turn_with_their_questions() {
    let rotation = Rotation3::new(Vector3::new(0.4, -1.1, 2.0));
    let plain_questions = questions(4);
    let turned: Vec<Question> = plain_questions
        .iter()
        .map(|question| Question {
            sequence: question.sequence.iter().map(|x| rotation * x).collect(),
            answer: rotation * question.answer,
        })
        .collect();
    let error = |architecture: &Architecture| {
        let network = network(architecture, Cpu::<f64>::new());
        let expected = answers(&network, &plain_questions);
        let expected: Vec<Vector3<f64>> = expected.iter().map(|v| rotation * v).collect();
        relative_error(&flat(&answers(&network, &turned)), &flat(&expected))
    };
    for architecture in equivariant() {
        let error = error(&architecture);
        assert!(error <= 1e-10, "{architecture:?}: {error:e}");
    }
    for architecture in plain() {
        let error = error(&architecture);
        assert!(error >= 0.1, "{architecture:?}: {error:e}");
    }
}

#[test]
fn questions_of_a_batch_do_not_see_one_another() {
    let questions = questions(3);
    for architecture in [equivariant(), plain()].concat() {
        let network = network(&architecture, Cpu::<f64>::new());
        let together = answers(&network, &questions);
        let apart: Vec<Vector3<f64>> = questions
            .chunks(1)
            .flat_map(|own| answers(&network, own))
            .collect();
        let error = relative_error(&flat(&together), &flat(&apart));
        assert!(error <= 1e-12, "{architecture:?}: {error:e}");
    }
}
