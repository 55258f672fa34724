//! Speed of dynamics in the physical force field, beside OpenMM's CPU platform with its native GBSAOBCForce: same proteins, same time
//! step (4 fs, bonds to hydrogen held, hydrogens of 3 Da), same threads, one run.
//!
//! `cargo bench --bench forcefield`; OpenMM is asked where `MDSURROGATE_CLIENTS` names a Python that has it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mdsurrogate::forcefield::{ForceField, Minimizer, Precision, PrepareOptions, Prepared, System, prepare};
use mdsurrogate::simulate::velocities::repartitioned_masses;
use mdsurrogate::simulate::{Constraints, Dynamics, Integrator, Physical, Settings, Stepper};
use mdsurrogate::structure::{Frame, ReadOptions, Topology, read, write_pdb};

const TIME_STEP: f64 = 0.004;
const MEASURE: Duration = Duration::from_secs(3);

/// The protein of a file of the repository, its first `residues` residues, complete and relaxed.
fn protein(file: &str, residues: usize) -> (Topology, Frame, System) {
    let structure = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file), &ReadOptions::default()).unwrap();
    let kept: Vec<usize> = (0..structure.topology.len()).filter(|&atom| structure.topology.atoms[atom].residue < residues).collect();
    let positions = kept.iter().map(|&atom| structure.frame.positions[atom]).collect();
    let Prepared { topology, mut frame, .. } =
        prepare(&structure.topology.select(&kept), &Frame::at_rest(positions), &PrepareOptions::default()).unwrap();
    let system = System::build(&topology).unwrap();
    Minimizer { steps: 200, ..Minimizer::default() }.run(&mut ForceField::new(system.clone(), Precision::F32), &mut frame.positions);
    (topology, frame, system)
}

/// Wall time of one step, ms.
fn measure(topology: &Topology, frame: &Frame, system: &System, threads: usize) -> f64 {
    let masses = repartitioned_masses(topology, &system.masses, 3.0);
    let constraints = Constraints::of_hydrogens(topology, system, &masses);
    let integrator = Integrator::Langevin { friction: 1.0 };
    let settings = Settings { integrator, time_step: TIME_STEP, temperature: 300.0, stop_centre: true, seed: 1, first_replica: 0 };
    let field = ForceField::new(system.clone(), Precision::F32);
    let mut stepper = Dynamics::new(Physical::new(field), masses, constraints, settings).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let mut frames = [frame.clone()];
    pool.install(|| {
        (0..20).for_each(|_| stepper.step(&mut frames).unwrap());
        let (start, mut steps) = (Instant::now(), 0);
        while start.elapsed() < MEASURE {
            (0..10).for_each(|_| stepper.step(&mut frames).unwrap());
            steps += 10;
        }
        assert!(frames[0].positions.iter().all(|position| position.norm().is_finite()));
        start.elapsed().as_secs_f64() * 1e3 / f64::from(steps)
    })
}

/// The same of OpenMM; none where it cannot be asked.
fn openmm(topology: &Topology, frame: &Frame, threads: usize) -> Option<f64> {
    let python = std::env::var_os("MDSURROGATE_CLIENTS")?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("protein.pdb");
    write_pdb(&file, topology, [frame]).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/openmm_reference.py");
    let arguments = [threads.to_string(), (TIME_STEP * 1e3).to_string(), MEASURE.as_secs_f64().to_string()];
    let output = Command::new(python).arg(script).arg(&file).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["ms_per_step"].as_f64()
}

fn main() {
    println!("atoms  threads  ms/step  ns/day  OpenMM ms/step  ns/day  ratio");
    for (file, residues) in [
        ("data/structures/akle.pdb", usize::MAX),
        ("data/structures/trpcage.pdb", usize::MAX),
        ("data/structures/1ubi.pdb.gz", 37),
        ("data/structures/1ubi.pdb.gz", usize::MAX),
    ] {
        let (topology, frame, system) = protein(file, residues);
        for threads in [1, 2] {
            let ms = measure(&topology, &frame, &system, threads);
            let per_day = |ms: f64| TIME_STEP * 1e-3 / ms * 86_400e3;
            let other = openmm(&topology, &frame, threads);
            let [other_ms, other_day, ratio] = [other, other.map(per_day), other.map(|other| other / ms)]
                .map(|value| value.map_or("n/a".to_owned(), |value| format!("{value:.2}")));
            println!("{:5}  {threads:7}  {ms:7.3}  {:6.1}  {other_ms:>14}  {other_day:>6}  {ratio:>5}", topology.len(), per_day(ms));
        }
    }
}
