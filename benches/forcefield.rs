//! Speed of dynamics in the physical force field, beside OpenMM's CPU platform with its native
//! GBSAOBCForce: same proteins, same time step (4 fs, bonds to hydrogen held, hydrogens of 3 Da),
//! same threads, one run. The two take turns; each number is the median of its turns. On a machine
//! that does other work too, the ratio of processor times is the steadier one: it leaves out what
//! others took.
//!
//! `cargo bench --bench forcefield`; OpenMM is asked where `MDSURROGATE_CLIENTS` names a Python
//! that has it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mdsurrogate::forcefield::{
    ForceField, Minimizer, Precision, PrepareOptions, Prepared, System, prepare,
};
use mdsurrogate::geometry::velocities::repartitioned_masses;
use mdsurrogate::simulate::{Constraints, Dynamics, Integrator, Physical, Settings, Stepper};
use mdsurrogate::structure::{Frame, ReadOptions, Topology, read, write_pdb};

const TIME_STEP: f64 = 0.004;
const MEASURE: Duration = Duration::from_secs(2);
/// Turns of each program.
const TURNS: usize = 3;

/// What a step costs.
#[derive(Clone, Copy)]
struct Cost {
    /// Wall time, ms.
    wall: f64,
    /// Time of all processors together, ms.
    processor: f64,
    /// Memory of the process, MB: ours now, OpenMM's at its peak, Python included.
    memory: f64,
}

/// The protein of a file of the repository, its first `residues` residues, complete and relaxed.
fn protein(file: &str, residues: usize) -> (Topology, Frame, System) {
    let structure = read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(file),
        &ReadOptions::default(),
    )
    .unwrap();
    let kept: Vec<usize> = (0..structure.topology.len())
        .filter(|&atom| structure.topology.atoms[atom].residue < residues)
        .collect();
    let positions = kept
        .iter()
        .map(|&atom| structure.frame.positions[atom])
        .collect();
    let Prepared {
        topology,
        mut frame,
        ..
    } = prepare(
        &structure.topology.select(&kept),
        &Frame::at_rest(positions),
        &PrepareOptions::default(),
    )
    .unwrap();
    let system = System::build(&topology).unwrap();
    Minimizer {
        steps: 200,
        ..Minimizer::default()
    }
    .run(
        &mut ForceField::new(system.clone(), Precision::F32),
        &mut frame.positions,
    );
    (topology, frame, system)
}

/// Processor time of this process, s, as Linux counts it (hundredths of a second); NaN elsewhere.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // user and system time, fields 14 and 15, counted behind the name in parentheses, which is
    // field 2
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2);
    fields
        .map(|ticks| ticks.parse::<f64>().unwrap_or(f64::NAN))
        .reduce(|a, b| a + b)
        .unwrap_or(f64::NAN)
        / 100.0
}

/// Memory that this process holds, MB; NaN where it is not Linux.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim_end_matches("kB").trim().parse::<f64>().ok())
        .map_or(f64::NAN, |kilobytes| kilobytes / 1024.0)
}

/// What our step costs.
fn measure(topology: &Topology, frame: &Frame, system: &System, threads: usize) -> Cost {
    let masses = repartitioned_masses(topology, &system.masses, 3.0);
    let constraints = Constraints::of_hydrogens(topology, system, &masses);
    let integrator = Integrator::Langevin { friction: 1.0 };
    let settings = Settings {
        integrator,
        time_step: TIME_STEP,
        temperature: 300.0,
        stop_centre: true,
        seed: 1,
        first_replica: 0,
    };
    let field = ForceField::new(system.clone(), Precision::F32);
    let mut stepper = Dynamics::new(Physical::new(field), masses, constraints, settings).unwrap();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let mut frames = [frame.clone()];
    pool.install(|| {
        (0..20).for_each(|_| stepper.step(&mut frames).unwrap());
        let (start, busy, mut steps) = (Instant::now(), processor_time(), 0);
        while start.elapsed() < MEASURE {
            (0..10).for_each(|_| stepper.step(&mut frames).unwrap());
            steps += 10;
        }
        assert!(
            frames[0]
                .positions
                .iter()
                .all(|position| position.norm().is_finite())
        );
        let per_step = 1e3 / f64::from(steps);
        Cost {
            wall: start.elapsed().as_secs_f64() * per_step,
            processor: (processor_time() - busy) * per_step,
            memory: memory(),
        }
    })
}

/// The same of OpenMM; none where it cannot be asked.
fn openmm(topology: &Topology, frame: &Frame, threads: usize) -> Option<Cost> {
    let python = std::env::var_os("MDSURROGATE_CLIENTS")?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("protein.pdb");
    write_pdb(&file, topology, [frame]).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/openmm_reference.py");
    let arguments = [
        threads.to_string(),
        (TIME_STEP * 1e3).to_string(),
        MEASURE.as_secs_f64().to_string(),
    ];
    let output = Command::new(python)
        .arg(script)
        .arg(&file)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let [wall, processor, memory] =
        ["ms_per_step", "processor_ms_per_step", "peak_mb"].map(|key| found[key].as_f64().unwrap());
    Some(Cost {
        wall,
        processor,
        memory,
    })
}

/// The median of one part of the costs; NaN where there are none.
fn median(costs: &[Cost], part: impl Fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<f64> = costs.iter().map(part).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() {
    println!(
        "atoms  threads  ms/step  ns/day  OpenMM ms/step  ns/day  wall ratio  processor ratio  MB  \
         OpenMM MB"
    );
    for (file, residues) in [
        ("data/structures/akle.pdb", usize::MAX),
        ("data/structures/trpcage.pdb", usize::MAX),
        ("data/structures/1ubi.pdb.gz", 37),
        ("data/structures/1ubi.pdb.gz", usize::MAX),
    ] {
        let (topology, frame, system) = protein(file, residues);
        for threads in [1, 2] {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..TURNS {
                ours.push(measure(&topology, &frame, &system, threads));
                theirs.extend(openmm(&topology, &frame, threads));
            }
            let per_day = |ms: f64| TIME_STEP * 1e-3 / ms * 86_400e3;
            let [wall, other] = [&ours, &theirs].map(|costs| median(costs, |cost| cost.wall));
            let [busy, other_busy] =
                [&ours, &theirs].map(|costs| median(costs, |cost| cost.processor));
            let [memory, other_memory] =
                [&ours, &theirs].map(|costs| median(costs, |cost| cost.memory));
            println!(
                "{:5}  {threads:7}  {wall:7.3}  {:6.1}  {other:14.3}  {:6.1}  {:10.2}  {:15.2}  \
                 {memory:3.0}  {other_memory:9.0}",
                topology.len(),
                per_day(wall),
                per_day(other),
                other / wall,
                other_busy / busy
            );
        }
    }
}
