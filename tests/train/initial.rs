//! Trainings that start from a model.

use std::path::Path;

use mdsurrogate::engine::Cpu;
use mdsurrogate::simulate::Stop;
use mdsurrogate::task::{Loaded, Task, load};
use mdsurrogate::train::Files;
use mdsurrogate::train::config::Config;
use mdsurrogate::train::dataset::Dataset;
use mdsurrogate::train::objective::objective;
use mdsurrogate::train::report::Reporter;
use mdsurrogate::train::trainer::Trainer;
use sha2::Digest;

use super::{JUMP, SHORT, system, trainer};

/// A training whose configuration file `here`/b.toml has no table of the network but what `model`
/// says, and starts from `here`/a.safetensors.
pub fn started(here: &Path, objective: &str, model: &str) -> mdsurrogate::Result<Config> {
    let data =
        "[data]\nsystems = [{ name = \"alanine\", topology = \"-\", trajectories = [\"-\"] }]";
    Config::parse(
        format!("{data}\n{objective}\n{model}\n{SHORT}\ninitial = \"a.safetensors\"\n"),
        &here.join("b.toml"),
    )
}

/// A short training of jumps, its files `here`/a.*, and the model that came out.
pub fn first(here: &Path) -> (Files, Loaded<Cpu<f32>>) {
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
