//! A structure from a file, through everything that an evaluation needs, with what each step takes:
//! the file read, tokens, neighbours, one evaluation of the working network, the moved structure
//! written.

use std::path::Path;
use std::time::Instant;

use mdsurrogate::engine::Cpu;
use mdsurrogate::forcefield::template_geometry;
use mdsurrogate::network::{Architecture, Network, PROTEIN, Tokens, vectors};
use mdsurrogate::structure::{Annotations, ReadOptions, read, write_cif};
use mdsurrogate::task::Task;
use mdsurrogate::{Error, Result};

use super::case::{memory, peak_memory, start_threads};
use super::task;

/// Says what each step took.
struct Clock {
    begin: Instant,
}

impl Clock {
    fn said<T>(&mut self, step: &str, done: T) -> T {
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        println!(
            "{step:<32} {:>8.2} s {:>7.2} GiB now {:>7.2} GiB at most",
            self.begin.elapsed().as_secs_f64(),
            gib(memory()),
            gib(peak_memory())
        );
        self.begin = Instant::now();
        done
    }
}

/// Carries a structure through everything; the moved one goes to `output`, as mmCIF.
///
/// # Errors
/// Those of the file and of the network.
pub fn run(path: &Path, output: Option<&Path>, threads: usize) -> Result<()> {
    start_threads(threads);
    let mut clock = Clock {
        begin: Instant::now(),
    };
    let mut structure = clock.said("read", read(path, &ReadOptions::default())?);
    let topology = &structure.topology;
    let tokens = Tokens::new(topology, &template_geometry(topology)?)?;
    let positions = tokens.positions(&structure.frame.positions);
    clock.said(&format!("{} tokens", tokens.len()), ());

    let Task::NextFrame(next) = task() else {
        return Err(Error::usage("no next-frame task", "a bug of this program"));
    };
    let program = Architecture::default().build(&task().interface(), &PROTEIN);
    let inputs = next.inputs(program.neighbours, [(&tokens, &positions[..])]);
    let edges = inputs.batch.edges.sender.len();
    clock.said(&format!("{edges} edges"), ());

    let network = Network::initial(program, Cpu::<f32>::new(), 1)?;
    let answer = clock.said("forward", network.answer(&inputs)?);
    let mut square = 0.0;
    let middle = inputs.centroids[0];
    for (moved, &atom) in vectors(&answer).iter().zip(&tokens.atoms) {
        let place = &mut structure.frame.positions[atom];
        square += (moved + middle - *place).norm_squared();
        *place = moved + middle;
    }
    if let Some(output) = output {
        let notes = Annotations::default();
        write_cif(output, &structure.topology, &structure.frame, &notes)?;
    }
    let moved = (square / tokens.len() as f64).sqrt();
    clock.said(&format!("moved by {moved:.3} A, written"), ());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_goes_through_and_comes_out_moved() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let name = format!("paper-giant-{}.cif", std::process::id());
        let output = std::env::temp_dir().join(name);
        let protein = root.join("data/structures/1ubi.pdb.gz");
        run(&protein, Some(&output), 1).unwrap();
        let options = ReadOptions::default();
        let (before, after) = (read(&protein, &options), read(&output, &options));
        let (before, after) = (before.unwrap(), after.unwrap());
        assert_eq!(after.topology.len(), before.topology.len());
        let places = before.frame.positions.iter().zip(&after.frame.positions);
        let moved = places.map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
        assert!(moved > 1e-3 && moved < 5.0, "{moved}");
        std::fs::remove_file(&output).unwrap();
    }
}
