//! The same bits whether a run is stopped, resumed or split.

use std::path::Path;
use std::time::Duration;

use mdsurrogate::error::Error;
use mdsurrogate::simulate::checkpoint::{Checkpoint, files};
use mdsurrogate::simulate::{OnGuard, Stop};
use serde_json::json;

use super::case::Case;

#[test]
fn a_run_that_is_stopped_and_resumed_gives_the_same_bits() {
    let whole = tempfile::tempdir().unwrap();
    let mut case = Case::new(whole.path(), 24);
    case.replicas = 2;
    let truth = case.outputs(&case.run().unwrap());

    // an orderly stop after the step in which it is asked for, three times over
    let stopped = tempfile::tempdir().unwrap();
    let mut case = Case {
        folder: stopped.path().to_owned(),
        ..case
    };
    case.rules.prefix = Some(stopped.path().join("run"));
    for step in 1..4 {
        case.rules.stop = Stop::never().after(Some(Duration::ZERO));
        let error = case.run().err().unwrap();
        assert_eq!(error.exit_code(), 75);
        assert!(
            matches!(&error, Error::Interrupted { step: at, checkpoint }
                if *at == step && checkpoint.ends_with("run.ckpt")),
            "{error}"
        );
    }
    case.rules.stop = Stop::never();
    assert_eq!(case.outputs(&case.run().unwrap()), truth);

    // a crash: the process is gone behind step 13, its last checkpoint is of step 10
    let crashed = tempfile::tempdir().unwrap();
    case.folder = crashed.path().to_owned();
    case.rules.prefix = Some(crashed.path().join("run"));
    case.rules.steps = 13;
    let (simulation, _) = case.simulation();
    let mut simulation = std::mem::ManuallyDrop::new(simulation);
    simulation.run().unwrap();
    let [now, before] = files(&crashed.path().join("run"));
    std::fs::rename(before, now).unwrap();
    case.rules.steps = 24;
    let resumed = case.run().unwrap();
    assert_eq!(case.outputs(&resumed), truth);
}

#[test]
fn a_finished_run_goes_on_to_a_later_end() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Case::new(folder.path(), 20);
    let truth = whole.outputs(&whole.run().unwrap());
    let other = tempfile::tempdir().unwrap();
    let mut case = Case::new(other.path(), 7);
    case.run().unwrap();
    case.rules.steps = 20;
    assert_eq!(case.outputs(&case.run().unwrap()), truth);
    // and is left alone once it is there
    assert_eq!(case.outputs(&case.run().unwrap()), truth);
}

#[test]
fn other_settings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 5);
    case.run().unwrap();
    case.rules.settings = json!({ "seed": 12 });
    let error = case.run().err().unwrap();
    assert!(
        error.exit_code() == 2 && error.to_string().contains("seed 11, this command says 12"),
        "{error}"
    );
}

#[test]
fn a_signal_in_the_middle_of_a_step_drops_the_step() {
    let whole = tempfile::tempdir().unwrap();
    let mut case = Case::new(whole.path(), 20);
    case.replicas = 2;
    let truth = case.outputs(&case.run().unwrap());
    let stopped = tempfile::tempdir().unwrap();
    case.folder = stopped.path().to_owned();
    case.rules.prefix = Some(stopped.path().join("run"));
    case.interrupt_at = Some(13);
    let error = case.run().err().unwrap();
    assert!(
        matches!(&error, Error::Interrupted { step: 12, .. }),
        "{error}"
    );
    case.rules.stop = Stop::never();
    case.interrupt_at = None;
    assert_eq!(case.outputs(&case.run().unwrap()), truth);
}

#[test]
fn a_checkpoint_is_made_when_its_time_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 13);
    case.rules.checkpoint_every = 1000;
    case.rules.checkpoint_within = Some(Duration::ZERO);
    case.run().unwrap();
    let [now, before] = files(case.rules.prefix.as_deref().unwrap());
    let step = |file: &Path| Checkpoint::read(file).unwrap().step();
    assert_eq!((step(&now), step(&before)), (13, 12));
    // but where a rolled-back run goes to may not hang on the clock
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case {
        folder: folder.path().to_owned(),
        ..case
    };
    case.rules.prefix = Some(folder.path().join("run"));
    case.rules.on_guard = OnGuard::Rollback;
    case.run().unwrap();
    let [_, before] = files(case.rules.prefix.as_deref().unwrap());
    assert_eq!(step(&before), 0);
}

#[test]
fn files_that_are_not_as_the_run_left_them_are_not_gone_on_with() {
    for name in ["run_r0.xtc", "run_r1.dcd", "run_r0.csv"] {
        let folder = tempfile::tempdir().unwrap();
        let mut case = Case::new(folder.path(), 10);
        case.replicas = 2;
        case.run().unwrap();
        let whole = std::fs::read(case.file(name)).unwrap();
        let mut damaged = whole.clone();
        damaged[whole.len() / 3] ^= 1;
        std::fs::write(case.file(name), damaged).unwrap();
        case.rules.steps = 12;
        let error = case.run().err().unwrap();
        assert!(
            error.exit_code() == 2
                && error
                    .to_string()
                    .contains(&format!("{name}: is not as the run left it"))
                && error.hint().contains("--fresh"),
            "{error}"
        );
        // put back, it is; what another program has put behind is cut off
        std::fs::write(case.file(name), [whole, b"more".to_vec()].concat()).unwrap();
        case.run().unwrap();
    }
}
