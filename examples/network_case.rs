//! Writes a random model and one case of it (inputs, answer, gradient) for benches/network_jax.py
//! to check.
//!
//! `cargo run --release --example network_case -- data/structures/akle.pdb case.json
//! model.safetensors`

use std::path::Path;

use mdsurrogate::engine::Cpu;
use mdsurrogate::forcefield::template_geometry;
use mdsurrogate::network::{Architecture, GHyena, Given, Inputs, Provenance, Tokens};
use mdsurrogate::structure::{ReadOptions, read};
use mdsurrogate::task::{Jump, JumpInput, Task, load, save};
use nalgebra::Vector3;
use rand::{RngExt, SeedableRng};
use serde_json::json;

fn main() -> mdsurrogate::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, structure, case, weights] = args.as_slice() else {
        panic!("STRUCTURE CASE.json MODEL.safetensors")
    };
    let structure = read(Path::new(structure), &ReadOptions::default())?;
    let tokens = Tokens::new(
        &structure.topology,
        &template_geometry(&structure.topology)?,
    )?;
    let jump = Jump {
        lag_time: 20.0,
        sigma_data: 1.0,
        lag_range: None,
        fold: false,
    };
    let task = Task::Jump(jump);
    let architecture = Architecture::GHyena(GHyena {
        neighbours: 4096,
        ..GHyena::default()
    });
    let (file, engine) = (Path::new(weights), Cpu::<f64>::new());
    let random = task.initial(&architecture, engine, 1)?;
    save(file, &random, &architecture, &task, &Provenance::default())?;
    let network = load(file, engine)?.network; // rounded to f32, as the reader sees them

    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
    let mut noise = || Vector3::from_fn(|_, _| rng.random_range(-0.7..0.7));
    let condition = tokens.positions(&structure.frame.positions);
    let noisy: Vec<_> = condition.iter().map(|x| x + noise()).collect();
    let d_answer: Vec<_> = condition.iter().map(|_| noise()).collect();
    let system = JumpInput {
        tokens: &tokens,
        condition: &condition,
        noisy: &noisy,
        sigma: 0.4,
        condition_noise: 0.05,
        fold: None,
        lag_time: 20.0,
    };
    let inputs = jump.inputs(network.program().neighbours, &[system]);
    let evaluation = task.forward(&network, &inputs)?;
    let gradients = task.backward(&network, &inputs, &evaluation, &d_answer)?;
    let numbers =
        |vectors: &[Vector3<f64>]| vectors.iter().map(|v| [v.x, v.y, v.z]).collect::<Vec<_>>();
    let answer: Vec<_> = evaluation
        .answer
        .iter()
        .map(|x| x - inputs.centroids[0])
        .collect();
    let parameters: Vec<&String> = network
        .program()
        .params
        .iter()
        .map(|(name, _)| name)
        .collect();
    let case_json = json!({
        "input": table(&inputs), "answer": numbers(&answer), "d_answer": numbers(&d_answer),
        "gradient": gradients.params, "parameters": parameters,
    });
    std::fs::write(case, case_json.to_string())
        .map_err(|error| mdsurrogate::Error::writing(case, &error))
}

/// The inputs of one system with all its pairs as neighbours, as dense tables.
fn table(inputs: &Inputs) -> serde_json::Value {
    let (batch, edges) = (&inputs.batch, &inputs.batch.edges);
    let width = batch.tokens() - 1;
    let rows = |flat: &[f64]| flat.chunks(3).map(<[f64]>::to_vec).collect::<Vec<_>>();
    json!({
        "condition": rows(&inputs[Given::Condition]), "candidate": rows(&inputs[Given::Candidate]),
        "noisy": rows(&inputs[Given::Noisy]), "place": rows(&inputs[Given::Place]),
        "conditioning": [inputs[Given::Conditioning]],
        "scale": batch.scale[0], "kinds": batch.kinds,
        "sender": edges.sender.chunks(width).collect::<Vec<_>>(),
        "relation": edges.relation.chunks(width).collect::<Vec<_>>(),
        "template": edges.template.chunks(width).collect::<Vec<_>>(),
        "present": vec![vec![1.0; width]; batch.tokens()],
        "centres": batch.centres.iter().map(|centre| centre.tokens).collect::<Vec<_>>(),
        "height": batch.centres.iter().map(|centre| centre.height).collect::<Vec<_>>(),
        "area": batch.centres.iter().map(|centre| centre.area).collect::<Vec<_>>(),
    })
}
