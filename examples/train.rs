//! A training in memory: a small EGNN learns the mean of AKLE's next 50 ps from 20 ns of
//! trajectory, is held against frames that it never saw, and is written as a model:
//!
//!     cargo run --release --example train -- 100 akle.safetensors

use std::path::PathBuf;

use mdsurrogate::engine::Cpu;
use mdsurrogate::train::config::Config;
use mdsurrogate::train::dataset::Dataset;
use mdsurrogate::train::trainer::Trainer;

const CONFIG: &str = r#"
[data]
temperature = "310K"
[[data.systems]]
topology = "data/structures/akle.pdb"
trajectories = ["tests/data/compare/akle_a.xtc"]

[split]
validation_share = 0.2 # the last fifth is held out

[next-frame]
lag = "50ps"

[model]
architecture = "egnn"
scalars = 16
pair = 8
layers = 2

[optimizer]
learning_rate = 2e-3
warmup = 10
average = 0.9

[training]
batch = 4
validation_samples = 64
"#;

fn main() -> mdsurrogate::Result<()> {
    let mut typed = std::env::args().skip(1);
    let updates = typed.next().and_then(|updates| updates.parse().ok());
    let updates: u64 = updates.unwrap_or(100);
    let model = typed.next().map(PathBuf::from);

    let text = format!("{CONFIG}updates = {updates}\n");
    let config = Config::parse(text, "train.rs".as_ref())?;
    let dataset = Dataset::load(&config, "".as_ref())?;
    let mut trainer = Trainer::new(config, dataset, Cpu::<f32>::new())?;
    println!("{}", trainer.describe());
    loop {
        let done = trainer.updates();
        if (done % 20 == 0 || done == updates)
            && let Some(held_out) = trainer.validate()?
        {
            println!(
                "{done:>5} updates: loss {:.4} on held-out frames",
                held_out.loss
            );
        }
        if done == updates {
            break;
        }
        trainer.update()?;
    }
    if let Some(model) = model {
        trainer.save(&model)?;
        println!("wrote {}", model.display());
    }
    Ok(())
}
