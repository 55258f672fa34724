//! RMSD, RMSF, torsions and contacts of every frame of a trajectory, reading included, on every
//! core.
//!
//! `cargo bench --bench compare -- STRUCTURE TRAJECTORY` prints seconds, those of all processors
//! together, and what was found, one measure a pass and all in one, as JSON; `benches/compare.py`
//! makes the trajectories, runs this,
//! mdtraj and MDAnalysis on them, and prints the ratios. Without files there is nothing to time.

use std::path::Path;
use std::time::Instant;

use mdsurrogate::compare::contacts::Contacts;
use mdsurrogate::compare::fluctuation::Moments;
use mdsurrogate::geometry::superpose::{pick, superpose};
use mdsurrogate::geometry::torsion::torsions;
use mdsurrogate::structure::{Frame, ReadOptions, Topology, read};
use mdsurrogate::trajectory::Reader;
use nalgebra::Vector3;
use rayon::prelude::*;

/// What a pass over the trajectory computes; the last is all of them.
const PASSES: [&str; 5] = ["rmsd", "rmsf", "torsions", "contacts", "all"];

/// Sums over a stretch of frames.
struct Sums {
    rmsd: f64,
    moments: Moments,
    /// Σ cos of all torsions.
    torsions: f64,
    contacts: usize,
}

/// Frames of one stretch, with a reader of its own.
fn stretch(
    path: &Path,
    topology: &Topology,
    first: &[Vector3<f64>],
    frames: std::ops::Range<usize>,
    pass: &str,
) -> Sums {
    let wanted = |name: &str| pass == name || pass == "all";
    let mut reader = Reader::open(path, Some(topology)).expect("the trajectory opens");
    let heavy = topology.heavy_atoms();
    let (list, contacts) = (torsions(topology), Contacts::new(topology));
    let mut sums = Sums {
        rmsd: 0.0,
        moments: Moments::about(first.to_vec()),
        torsions: 0.0,
        contacts: 0,
    };
    let mut frame = Frame::default();
    for index in frames {
        reader
            .read_at(index, &mut frame)
            .expect("the frame can be read");
        if wanted("rmsd") || wanted("rmsf") {
            let atoms = pick(&frame.positions, &heavy);
            let fit = superpose(&atoms, first);
            sums.rmsd += fit.rmsd;
            if wanted("rmsf") {
                sums.moments.add(atoms.iter().map(|x| fit.apply(x)));
            }
        }
        if wanted("torsions") {
            sums.torsions += list
                .iter()
                .map(|torsion| torsion.angle(&frame.positions).cos())
                .sum::<f64>();
        }
        if wanted("contacts") {
            sums.contacts += contacts.heavy(&frame.positions).len();
        }
    }
    sums
}

/// One pass over all frames: seconds, and the mean over frames (over atoms, for the RMSF) of each
/// measure that it computes.
fn run(path: &Path, topology: &Topology, pass: &str) -> serde_json::Value {
    let (start, busy) = (Instant::now(), processor_seconds());
    let mut reader = Reader::open(path, Some(topology)).expect("the trajectory opens");
    let mut frame = Frame::default();
    reader
        .read_at(0, &mut frame)
        .expect("the frame can be read");
    let first = pick(&frame.positions, &topology.heavy_atoms());
    let (frames, parts) = (reader.len(), rayon::current_num_threads().min(reader.len()));
    let part = |part: usize| {
        stretch(
            path,
            topology,
            &first,
            part * frames / parts..(part + 1) * frames / parts,
            pass,
        )
    };
    let sums: Vec<Sums> = (0..parts).into_par_iter().map(part).collect();
    let mut moments = Moments::about(first.clone());
    sums.iter().for_each(|sums| moments.merge(&sums.moments));
    let total = |value: &dyn Fn(&Sums) -> f64| sums.iter().map(value).sum::<f64>() / frames as f64;
    let found = [
        ("rmsd", total(&|sums| sums.rmsd)),
        (
            "rmsf",
            moments.rmsf().iter().sum::<f64>() / first.len() as f64,
        ),
        ("torsions", total(&|sums| sums.torsions)),
        ("contacts", total(&|sums| sums.contacts as f64)),
    ];
    let found: serde_json::Map<_, _> = found
        .into_iter()
        .filter(|(name, _)| pass == "all" || pass == *name)
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    serde_json::json!({
        "seconds": start.elapsed().as_secs_f64(),
        "processor": processor_seconds().zip(busy).map(|(after, before)| after - before),
        "found": found,
    })
}

/// Processor time of this process so far, of all its threads, in Linux' ticks of 10 ms; none
/// elsewhere.
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // user and system time, fields 14 and 15; the name before them, in parentheses, may hold spaces
    let fields = stat.rsplit(')').next()?.split_whitespace().skip(11).take(2);
    let ticks: Option<f64> = fields.map(|field| field.parse::<f64>().ok()).sum();
    ticks.map(|ticks| ticks / 100.0)
}

/// Most memory that this process has held, MiB, where the system tells.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(
        line.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<f64>()
            .ok()?
            / 1024.0,
    )
}

fn main() {
    let files: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let [structure, trajectory] = &files[..] else {
        println!("nothing to time: give STRUCTURE TRAJECTORY, or run benches/compare.py");
        return;
    };
    let topology = read(Path::new(structure), &ReadOptions::default())
        .expect("the structure can be read")
        .topology;
    let passes: serde_json::Map<_, _> = PASSES
        .iter()
        .map(|&pass| (pass.to_owned(), run(Path::new(trajectory), &topology, pass)))
        .collect();
    println!(
        "{}",
        serde_json::json!({
            "passes": passes, "peak": peak(), "threads": rayon::current_num_threads(),
        })
    );
}
