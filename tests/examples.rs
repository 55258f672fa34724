//! The examples run, on the data of the repository, and print what they promise.

#[allow(dead_code, reason = "each test uses a part of it")]
mod program;

use std::path::PathBuf;
use std::process::Command;

use program::repository;

/// An example as it was built, no older than its source: `cargo test` builds all of them, but
/// `cargo test --test examples` does not.
fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(|folder| folder.parent()).unwrap();
    let built = folder.join("examples").join(name);
    let source = repository(&format!("examples/{name}.rs"));
    let time = |path: &PathBuf| std::fs::metadata(path).and_then(|found| found.modified());
    let is_new = time(&built).is_ok_and(|built| built >= time(&source).unwrap());
    let wanted = "is not built, or older than its source: cargo build --examples, for this profile";
    assert!(is_new, "{} {wanted}", built.display());
    built
}

/// Lines that an example prints.
fn lines(name: &str, words: &[&str]) -> Vec<String> {
    let run = Command::new(example(name))
        .args(words)
        .current_dir(repository(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{name} {words:?}: {said}");
    let printed = String::from_utf8(run.stdout).unwrap();
    printed.lines().map(str::to_owned).collect()
}

/// The number that stands before a word.
fn number(line: &str, before: &str) -> f64 {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| *word == before);
    let at = at.unwrap_or_else(|| panic!("no `{before}` in: {line}"));
    words[at - 1].parse().unwrap_or_else(|_| panic!("{line}"))
}

const AKLE: &str = "data/structures/akle.pdb";

#[test]
fn a_model_moves_a_peptide() {
    let printed = lines("run_model", &[AKLE, "2"]);
    let moves: Vec<&String> = printed
        .iter()
        .filter(|line| line.contains(" ps: "))
        .collect();
    assert_eq!(moves.len(), 2, "{printed:#?}");
    for line in moves {
        let moved = number(line, "Å");
        assert!(moved > 0.1 && moved < 10.0, "{line}");
    }
}

#[test]
fn a_stepper_of_ones_own_is_run() {
    let printed = lines("own_stepper", &[AKLE, "50"]);
    assert!(printed[0].contains("Brownian"), "{printed:#?}");
    let last = printed.last().unwrap();
    assert!(last.starts_with("0.0050 ps"), "{last}");
    // `mdsurrogate energy` has −751 kJ/mol for the start, 217 of which are strain of bonds and
    // angles that may go; the 207 coordinates can take up no more than their ½ kT each: 258 kJ/mol
    let energy = number(last, "kJ/mol");
    assert!(energy > -751.5 - 217.0 && energy < -751.5 + 258.0, "{last}");
}

#[test]
fn an_observer_of_ones_own_sees_every_frame() {
    let printed = lines("own_observer", &[AKLE, "3"]);
    let (mean, frames) = printed.split_last().unwrap();
    assert_eq!(frames.len(), 4, "{printed:#?}");
    let sum: f64 = frames.iter().map(|line| number(line, "Å")).sum();
    // both are printed to 0.01
    assert!(
        (number(mean, "Å") - sum / 4.0).abs() <= 0.011,
        "{printed:#?}"
    );
}

#[test]
fn a_training_learns_and_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("akle.safetensors");
    let printed = lines("train", &["40", model.to_str().unwrap()]);
    let losses: Vec<f64> = printed
        .iter()
        .filter(|line| line.contains("loss"))
        .map(|line| number(line, "on"))
        .collect();
    assert_eq!(losses.len(), 3, "{printed:#?}");
    assert!(losses[2] < losses[0], "{printed:#?}");
    let task = mdsurrogate::task::load(&model, mdsurrogate::engine::Cpu::<f32>::new());
    let task = task.map(|loaded| loaded.task).unwrap();
    assert!(matches!(task, mdsurrogate::task::Task::NextFrame(_)));
}
