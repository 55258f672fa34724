//! RMSD, RMSF, torsions and contacts of every frame of a trajectory, reading included, on every core.
//!
//! `cargo bench --bench compare -- STRUCTURE TRAJECTORY` prints seconds and what was found, as JSON; `benches/compare.py` makes the
//! trajectories, runs this, mdtraj and MDAnalysis on them, and prints the ratios. Without files there is nothing to time.

use std::path::Path;
use std::time::Instant;

use mdsurrogate::compare::contacts::Contacts;
use mdsurrogate::compare::fluctuation::Moments;
use mdsurrogate::compare::superpose::{pick, superpose};
use mdsurrogate::compare::torsion::torsions;
use mdsurrogate::structure::{Frame, ReadOptions, Topology, read};
use mdsurrogate::trajectory::Reader;
use nalgebra::Vector3;
use rayon::prelude::*;

/// Sums over a stretch of frames.
struct Sums {
    rmsd: f64,
    moments: Moments,
    /// Σ cos of all torsions.
    torsions: f64,
    contacts: usize,
}

/// Frames of one stretch, with a reader of its own.
fn stretch(path: &Path, topology: &Topology, first: &[Vector3<f64>], frames: std::ops::Range<usize>) -> Sums {
    let mut reader = Reader::open(path, Some(topology)).expect("the trajectory opens");
    let heavy = topology.heavy_atoms();
    let (list, contacts) = (torsions(topology), Contacts::new(topology));
    let mut sums = Sums { rmsd: 0.0, moments: Moments::about(first.to_vec()), torsions: 0.0, contacts: 0 };
    let mut frame = Frame::default();
    for index in frames {
        reader.read_at(index, &mut frame).expect("the frame can be read");
        let atoms = pick(&frame.positions, &heavy);
        let fit = superpose(&atoms, first);
        sums.rmsd += fit.rmsd;
        sums.moments.add(atoms.iter().map(|x| fit.apply(x)));
        sums.torsions += list.iter().map(|torsion| torsion.angle(&frame.positions).cos()).sum::<f64>();
        sums.contacts += contacts.heavy(&frame.positions).len();
    }
    sums
}

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let [structure, trajectory] = &files[..] else {
        println!("nothing to time: give STRUCTURE TRAJECTORY, or run benches/compare.py");
        return;
    };
    let topology = read(Path::new(structure), &ReadOptions::default()).expect("the structure can be read").topology;
    let path = Path::new(trajectory);
    let start = Instant::now();
    let mut reader = Reader::open(path, Some(&topology)).expect("the trajectory opens");
    let mut frame = Frame::default();
    reader.read_at(0, &mut frame).expect("the frame can be read");
    let first = pick(&frame.positions, &topology.heavy_atoms());
    let (frames, parts) = (reader.len(), rayon::current_num_threads().min(reader.len()));
    let part = |part: usize| stretch(path, &topology, &first, part * frames / parts..(part + 1) * frames / parts);
    let sums: Vec<Sums> = (0..parts).into_par_iter().map(part).collect();
    let mut moments = Moments::about(first.clone());
    sums.iter().for_each(|sums| moments.merge(&sums.moments));
    let rmsf = moments.rmsf().iter().sum::<f64>() / first.len() as f64;
    let seconds = start.elapsed().as_secs_f64();
    let total = |value: &dyn Fn(&Sums) -> f64| sums.iter().map(value).sum::<f64>() / frames as f64;
    let found = serde_json::json!({
        "seconds": seconds,
        "threads": rayon::current_num_threads(),
        "rmsd": total(&|sums| sums.rmsd),
        "rmsf": rmsf,
        "torsions": total(&|sums| sums.torsions),
        "contacts": total(&|sums| sums.contacts as f64),
    });
    println!("{found}");
}
