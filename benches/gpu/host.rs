//! What an evaluation and a training step ask of the host and the device.

use std::time::{Duration, Instant};

use mdsurrogate::engine::Gpu;
use mdsurrogate::engine::gpu::Counts;
use mdsurrogate::network::{Inputs, Network};
use mdsurrogate::task::Task;
use nalgebra::Vector3;

/// Repetitions: enough for a median, few where each is long.
const MOST: usize = 41;
const LEAST: usize = 3;
const SECONDS: f64 = 3.0;

/// One call of many: what it asked for, how long it took, and how long of that the host waited.
struct Call {
    counts: Counts,
    wall: Duration,
}

impl Call {
    fn host(&self) -> f64 {
        1e6 * self
            .wall
            .saturating_sub(self.counts.waiting())
            .as_secs_f64()
    }
}

/// Calls in the steady state: the first two are left out.
fn calls(gpu: &Gpu, mut work: impl FnMut()) -> Vec<Call> {
    work();
    work();
    let began = Instant::now();
    let mut calls = Vec::new();
    while calls.len() < LEAST || (calls.len() < MOST && began.elapsed().as_secs_f64() < SECONDS) {
        let (before, start) = (gpu.counts(), Instant::now());
        work();
        calls.push(Call {
            wall: start.elapsed(),
            counts: gpu.counts() - before,
        });
    }
    calls
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn row(what: &str, tokens: usize, calls: &[Call]) {
    let host = median(calls.iter().map(Call::host).collect());
    let wall = median(calls.iter().map(|call| call.wall.as_secs_f64()).collect());
    let Counts {
        dispatches,
        passes,
        copies,
        bind_groups,
        buffers,
        bound,
        submissions,
        read_backs,
        ..
    } = calls[calls.len() - 1].counts;
    println!(
        "| {what} | {dispatches} | {passes} | {copies} | {bind_groups} | {buffers} | {:.1} | \
         {submissions} | {read_backs} | {host:.0} | {:.2} | {:.0} |",
        bound as f64 / 1e6,
        1e3 * wall,
        tokens as f64 / wall
    );
}

/// Prints a row for an evaluation and one for a training step.
///
/// The host's time is that of a whole call less the time that it waits for the device: nothing is
/// handed over before a call's end, and every call begins with an idle device, so that what is left
/// is making commands and handing them over.
pub fn table(gpu: &Gpu, task: &Task, network: &Network<Gpu>, inputs: &Inputs) {
    println!(
        "\n| call | dispatches | passes | copies | bind groups made | buffers made | MB bound | \
         submissions | read back | host, us | ms | tokens/s |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let tokens = inputs.batch.tokens();
    let forward = || drop(task.predict(network, inputs).expect("the device serves"));
    row("forward", tokens, &calls(gpu, forward));
    let d_answer = vec![Vector3::new(0.1, -0.2, 0.3); tokens];
    let step = || {
        let evaluation = task.forward(network, inputs).expect("the device serves");
        let gradients = task.backward(network, inputs, &evaluation, &d_answer);
        drop(gradients.expect("the device serves"));
    };
    row("training step", tokens, &calls(gpu, step));
}
