use mdsurrogate::network::PROTEIN;
use mdsurrogate::task::Recall;

use super::*;
use crate::models::{Size, parameters};

fn course(model: Model, updates: u64) -> Course<Recall> {
    let size = Size {
        scalars: 24,
        vectors: 16,
        layers: 1,
    };
    Course {
        task: Recall {
            tokens: 6,
            words: 1,
            fixed: false,
        },
        model,
        architecture: model.matched(size, &Recall::interface()).unwrap(),
        batch: 16,
        updates,
        learning_rate: 1e-2,
        seed: 1,
    }
}

fn trained(training: &mut Training<'_, Recall>, updates: u64) {
    for _ in 0..updates {
        training.update().unwrap();
    }
}

/// One word: the answer is the second vector, whose mean square is a third. Equivariant networks
/// of one block find it.
#[test]
fn equivariant_models_learn_a_vocabulary_of_one_word() {
    for model in [Model::GHyena, Model::Attention] {
        let mut training = Training::new(course(model, 300), &()).unwrap();
        trained(&mut training, 300);
        training.validate().unwrap();
        let error = training.test().unwrap()[0];
        println!("{}: {error:.4}", model.title());
        assert!(error <= 0.1 / 3.0, "{}: {error}", model.title());
    }
}

#[test]
fn every_model_has_the_parameters_of_g_hyena_within_a_tenth_and_a_loss() {
    let interface = Recall::interface();
    let own = |model| parameters(&course(model, 1).architecture, &interface, &PROTEIN);
    let wanted = own(Model::GHyena) as f64;
    for model in Model::SEQUENCES {
        let off = own(model) as f64 / wanted - 1.0;
        assert!(off.abs() <= 0.1, "{}: {off}", model.title());
        let mut training = Training::new(course(model, 3), &()).unwrap();
        trained(&mut training, 3);
        let loss = training.validate().unwrap();
        assert!(loss.is_finite() && loss > 0.0, "{}: {loss}", model.title());
    }
}

/// The gates of a network of 16 tuples are made of a quarter of the numbers of two parameters.
#[test]
fn a_network_without_gates_is_trained_without_them() {
    let mut training = Training::new(course(Model::GHyenaNoGate, 20), &()).unwrap();
    let frozen = training.frozen.clone();
    assert_eq!(
        frozen.iter().filter(|frozen| **frozen).count(),
        (24 + 1) * 16
    );
    trained(&mut training, 20);
    let gates = training.state.values.iter().zip(&frozen);
    assert!(
        gates
            .clone()
            .all(|(value, frozen)| !frozen || *value == 0.0)
    );
    let open = Training::new(course(Model::GHyena, 20), &()).unwrap();
    assert!(open.frozen.iter().all(|frozen| !frozen));
    assert_eq!(open.parameters(), training.parameters());
    let own = open.state.values.iter().zip(&frozen);
    assert!(own.clone().any(|(value, frozen)| *frozen && *value != 0.0));
}

#[test]
fn a_training_that_was_interrupted_goes_on_to_the_bit() {
    let folder = std::env::temp_dir().join(format!("paper-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("checkpoint.json");
    let mut whole = Training::new(course(Model::GHyena, 8), &()).unwrap();
    trained(&mut whole, 4);
    whole.validate().unwrap();
    whole.save(&path).unwrap();
    trained(&mut whole, 4);
    let mut resumed = Training::new(course(Model::GHyena, 8), &()).unwrap();
    resumed.resume(&path).unwrap();
    assert_eq!(resumed.updates(), 4);
    trained(&mut resumed, 4);
    assert!(resumed.state == whole.state && resumed.best == whole.best);
    let mut other = Training::new(course(Model::GHyena, 9), &()).unwrap();
    assert_eq!(other.resume(&path).unwrap_err().exit_code(), 2);
    std::fs::remove_dir_all(&folder).unwrap();
}
