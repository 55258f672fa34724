//! Dynamics in the force field on the GPU: system-steps a second by number of proteins, beside what
//! their pairs and their memory would take at least.

use std::path::{Path, PathBuf};
use std::time::Instant;

use mdsurrogate::engine::Gpu;
use mdsurrogate::forcefield::{PrepareOptions, System, prepare};
use mdsurrogate::geometry::velocities::repartitioned_masses;
use mdsurrogate::simulate::gpu::{GpuDynamics, Moved};
use mdsurrogate::simulate::{Constraints, Integrator, Settings};
use mdsurrogate::structure::{Frame, ReadOptions, read};

use super::count::{Card, Cost};

/// Systems of a row: one, and as many as fill a card.
const ROWS: [usize; 3] = [1, 64, 100];

/// Additions and multiplications of an ordered pair in the three sweeps: 35 for the Born integral,
/// 72 for the pair forces, 66 for the forces of the radii, with 10 for an exponential and 4 for a
/// root, as the shaders' lines have them.
const OF_PAIR: f64 = 35.0 + 72.0 + 66.0;
/// Bytes of an atom a step, each array once for every kernel that reads or writes it: places, rests
/// and velocities twice each way around the force, forces, energies, radii, parameters; about 150
/// words of bonded terms.
const OF_ATOM: f64 = 16.0 * 30.0 + 4.0 * 150.0;

/// A protein that moves.
struct Protein {
    system: System,
    masses: Vec<f64>,
    constraints: Constraints,
    frame: Frame,
}

/// The small proteins of the repository, those of about 800 atoms first.
fn proteins() -> mdsurrogate::Result<Vec<Protein>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/small");
    let entries = std::fs::read_dir(&folder).expect("the repository's structures");
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let mut proteins = Vec::new();
    for file in files {
        let structure = read(&file, &ReadOptions::default())?;
        let options = PrepareOptions::default();
        let prepared = prepare(&structure.topology, &structure.frame, &options)?;
        let system = System::build(&prepared.topology)?;
        let masses = repartitioned_masses(&prepared.topology, &system.masses, 3.0);
        proteins.push(Protein {
            constraints: Constraints::of_hydrogens(&prepared.topology, &system, &masses),
            system,
            masses,
            frame: prepared.frame,
        });
    }
    proteins.sort_by_key(|protein| protein.system.len().abs_diff(800));
    Ok(proteins)
}

/// What a step of these proteins must compute and move.
fn cost(proteins: &[&Protein]) -> Cost {
    let each = proteins.iter().map(|protein| protein.system.len() as f64);
    each.fold(Cost::default(), |sum, atoms| {
        sum.plus(Cost {
            bytes: OF_ATOM * atoms,
            flops: OF_PAIR * atoms * atoms,
        })
    })
}

/// A row for each number of systems; without a device: what is counted.
pub fn report(gpu: Option<&Gpu>, card: Card) -> mdsurrogate::Result<()> {
    let proteins = proteins()?;
    println!(
        "\nMD of small proteins, ff14SB + OBC2, bonds of hydrogens held, 4 fs\n\
         | systems | atoms | MB | Mflop | least, us | dispatches | host, us | us | system-steps/s \
         | share of the least |\n|---|---|---|---|---|---|---|---|---|---|"
    );
    for systems in ROWS {
        let chosen: Vec<&Protein> = proteins.iter().cycle().take(systems).collect();
        let atoms: usize = chosen.iter().map(|protein| protein.system.len()).sum();
        let cost = cost(&chosen);
        let least = cost.least(card);
        let counted = format!(
            "{systems} | {atoms} | {:.2} | {:.1} | {:.1}",
            cost.bytes / 1e6,
            cost.flops / 1e6,
            1e6 * least
        );
        let Some(gpu) = gpu else {
            println!("| {counted} | 6 | | | | |");
            continue;
        };
        let measured = measure(gpu, &chosen)?;
        println!(
            "| {counted} | {} | {:.1} | {:.0} | {:.0} | {:.3} |",
            measured.dispatches,
            1e6 * measured.host,
            1e6 * measured.step,
            systems as f64 / measured.step,
            least / measured.step
        );
    }
    Ok(())
}

/// Of one step.
struct Measured {
    dispatches: usize,
    /// Seconds: of the host to record it; of all.
    host: f64,
    step: f64,
}

fn measure(gpu: &Gpu, proteins: &[&Protein]) -> mdsurrogate::Result<Measured> {
    let settings = Settings {
        integrator: Integrator::Langevin { friction: 1.0 },
        time_step: 0.004,
        temperature: 300.0,
        stop_centre: true,
        seed: 1,
        first_replica: 0,
    };
    let moved: Vec<Moved<'_>> = proteins
        .iter()
        .map(|protein| Moved {
            system: &protein.system,
            masses: &protein.masses,
            constraints: &protein.constraints,
            copies: 1,
        })
        .collect();
    let mut dynamics = GpuDynamics::new(gpu, &moved, None, settings)?;
    let mut frames: Vec<Frame> = proteins
        .iter()
        .map(|protein| protein.frame.clone())
        .collect();
    dynamics.make(&mut frames, 1)?;
    let host = dynamics.recording_time(200)? / 200.0;
    let mut steps = 1;
    loop {
        let start = Instant::now();
        dynamics.make(&mut frames, steps)?;
        let seconds = start.elapsed().as_secs_f64();
        if seconds >= super::SECONDS || steps >= 1 << 20 {
            return Ok(Measured {
                dispatches: dynamics.dispatches(),
                host,
                step: seconds / steps as f64,
            });
        }
        steps *= 4;
    }
}
