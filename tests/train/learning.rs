//! What trainings learn.

use mdsurrogate::engine::Cpu;
use mdsurrogate::geometry::noise;
use mdsurrogate::network::TOLD;
use mdsurrogate::train::dataset::{Dataset, System};
use mdsurrogate::train::trainer::Trainer;

use super::initial::{first, started};
use super::{ATOMS, config, moving, system};

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
