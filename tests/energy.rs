//! The physical force field against OpenMM's reference platform, term by term and force by force.

#[cfg(feature = "gpu")]
mod support;

use std::fs::File;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
#[cfg(feature = "gpu")]
use mdsurrogate::engine::gpu::Transforms;
#[cfg(feature = "gpu")]
use mdsurrogate::forcefield::gpu::GpuForceField;
use mdsurrogate::forcefield::{
    Energies, ForceField, Precision, PrepareOptions, Prepared, System, prepare,
};
use mdsurrogate::geometry::noise;
use mdsurrogate::geometry::velocities::{
    kinetic_energy, maxwell_boltzmann, repartitioned_masses, stop_centre, temperature,
};
use mdsurrogate::observe::drift::mean_with_error;
use mdsurrogate::simulate::{Constraints, Dynamics, Integrator, Physical, Settings, Stepper};
use mdsurrogate::structure::{Frame, ReadOptions, read};
use nalgebra::Vector3;
use serde::Deserialize;

/// What `golden/NAME.json.gz` holds: kJ/mol and kJ/mol/nm.
#[derive(Deserialize)]
struct Golden {
    #[serde(rename = "energy_kJ_mol")]
    energy: Terms,
    #[serde(rename = "force_kJ_mol_nm")]
    forces: Vec<[f64; 3]>,
}

#[derive(Deserialize)]
struct Terms {
    #[serde(rename = "HarmonicBondForce")]
    bond: f64,
    #[serde(rename = "HarmonicAngleForce")]
    angle: f64,
    #[serde(rename = "PeriodicTorsionForce")]
    torsion: f64,
    #[serde(rename = "NonbondedForce")]
    nonbonded: f64,
    obc2_ace: f64,
    total: f64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forcefield/golden")
}

fn load(name: &str) -> (Prepared, System) {
    let structure = read(
        &folder().join(format!("{name}.pdb.gz")),
        &ReadOptions::default(),
    )
    .unwrap();
    let prepared = prepare(
        &structure.topology,
        &structure.frame,
        &PrepareOptions::default(),
    )
    .unwrap();
    assert_eq!(
        prepared.frame.positions, structure.frame.positions,
        "a complete structure stays as it is"
    );
    let system = System::build(&prepared.topology).unwrap();
    (prepared, system)
}

fn evaluate(field: &mut ForceField, positions: &[Vector3<f64>]) -> (Energies, Vec<Vector3<f64>>) {
    let mut forces = vec![Vector3::repeat(f64::NAN); positions.len()];
    let energies = field.energy_forces(positions, &mut forces);
    (energies, forces)
}

fn golden(name: &str) -> Golden {
    let file = File::open(folder().join(format!("{name}.json.gz"))).unwrap();
    serde_json::from_reader(GzDecoder::new(file)).unwrap()
}

impl Golden {
    /// What was found for a protein, `what` says how, is this but for `tolerance` of each.
    fn holds(
        &self,
        what: &str,
        (energies, forces): &(Energies, Vec<Vector3<f64>>),
        tolerance: f64,
    ) {
        for (term, got, expected) in [
            ("bond", energies.bond, self.energy.bond),
            ("angle", energies.angle, self.energy.angle),
            ("torsion", energies.torsion, self.energy.torsion),
            ("nonbonded", energies.nonbonded, self.energy.nonbonded),
            (
                "obc2 + surface",
                energies.obc2 + energies.surface,
                self.energy.obc2_ace,
            ),
            ("total", energies.total, self.energy.total),
        ] {
            assert!(
                (got - expected).abs() <= tolerance * expected.abs(),
                "{what} {term}: {got} {expected}"
            );
        }
        assert_eq!(forces.len(), self.forces.len());
        let expected = self.forces.iter().map(|force| Vector3::from(*force) / 10.0);
        let (mut difference, mut size) = (0.0, 0.0);
        for (got, expected) in forces.iter().zip(expected) {
            difference += (got - expected).norm_squared();
            size += expected.norm_squared();
        }
        let error = (difference / size).sqrt();
        println!("{what}: forces {error:.1e}");
        assert!(error <= tolerance, "{what} forces: {error:e}");
    }
}

const GOLDEN: [&str; 4] = ["trpcage", "alltypes", "bpti", "ubiquitin"];

#[test]
fn golden_energies_and_forces() {
    for name in GOLDEN {
        let (structure, system) = load(name);
        for (precision, tolerance) in [(Precision::F64, 1e-6), (Precision::F32, 1e-4)] {
            let mut field = ForceField::new(system.clone(), precision);
            let found = evaluate(&mut field, &structure.frame.positions);
            golden(name).holds(&format!("{name} {precision:?}"), &found, tolerance);
        }
    }
}

/// All four at once, so that each is one of many.
#[cfg(feature = "gpu")]
#[test]
fn golden_energies_and_forces_on_the_device() {
    let Some(gpu) = support::gpu(Transforms::Fastest) else {
        return;
    };
    let (structures, systems): (Vec<_>, Vec<_>) = GOLDEN.map(load).into_iter().unzip();
    let molecules: Vec<_> = systems.iter().map(|system| (system, 1)).collect();
    let mut field = GpuForceField::new(&gpu, &molecules, None).unwrap();
    let places: Vec<_> = structures.iter().map(|s| &s.frame.positions[..]).collect();
    let (energies, forces) = field.energy_forces(&places).unwrap();
    for (name, found) in GOLDEN.iter().zip(energies.into_iter().zip(forces)) {
        golden(name).holds(&format!("{name} on the device"), &found, 1e-4);
    }
}

/// The force on an atom along an axis, by energies 1e-4 Å to both sides.
fn central_difference(
    field: &mut ForceField,
    positions: &mut [Vector3<f64>],
    [atom, axis]: [usize; 2],
) -> f64 {
    let h = 1e-4;
    let mut at = |shift: f64| {
        positions[atom][axis] += shift;
        let energy = evaluate(field, positions).0.total;
        positions[atom][axis] -= shift;
        energy
    };
    -(at(h) - at(-h)) / (2.0 * h)
}

#[test]
fn forces_of_a_protein_are_central_differences() {
    let (structure, system) = load("trpcage");
    let mut positions = structure.frame.positions;
    let mut field = ForceField::new(system, Precision::F64);
    let (_, forces) = evaluate(&mut field, &positions);
    for (atom, force) in forces.iter().enumerate().step_by(17) {
        for axis in 0..3 {
            let numeric = central_difference(&mut field, &mut positions, [atom, axis]);
            assert!(
                (numeric - force[axis]).abs() <= 1e-4,
                "atom {atom}: {numeric} {}",
                force[axis]
            );
        }
    }
}

/// Standard deviation of the total energy, kJ/mol, over `time` ps of constant-energy dynamics of
/// trp-cage from 300 K. Hydrogens weigh 3 Da: at their own mass, 2 fs are a fifth of their period,
/// and the error no longer falls as its leading term.
fn swing(cutoff: Option<f64>, time_step: f64, time: f64) -> f64 {
    let (structure, system) = load("trpcage");
    let masses = repartitioned_masses(&structure.topology, &system.masses, 3.0);
    let mut velocities = maxwell_boltzmann(&masses, 300.0, &mut noise::generator(5, 0, 0, 0));
    stop_centre(&masses, &mut velocities);
    let mut field = ForceField::with_cutoff(system, Precision::F32, cutoff);
    let settings = Settings {
        integrator: Integrator::VelocityVerlet,
        time_step,
        temperature: 300.0,
        stop_centre: true,
        seed: 1,
        first_replica: 0,
    };
    let mut stepper = Dynamics::new(
        Physical::new(field.clone()),
        masses.clone(),
        Constraints::default(),
        settings,
    )
    .unwrap();
    let mut frame = [Frame {
        velocities: Some(velocities),
        ..structure.frame
    }];
    let mut energies = Vec::new();
    for _ in 0..(time / time_step).round() as usize {
        stepper.step(&mut frame).unwrap();
        let potential = evaluate(&mut field, &frame[0].positions).0.total;
        energies.push(potential + kinetic_energy(&masses, frame[0].velocities.as_ref().unwrap()));
    }
    let mean = energies.iter().sum::<f64>() / energies.len() as f64;
    (energies
        .iter()
        .map(|energy| (energy - mean).powi(2))
        .sum::<f64>()
        / energies.len() as f64)
        .sqrt()
}

#[test]
fn energy_of_trpcage_is_conserved_to_second_order() {
    let swings = [0.0005, 0.001, 0.002].map(|time_step| swing(None, time_step, 0.4));
    for pair in swings.windows(2) {
        let order = (pair[1] / pair[0]).log2();
        assert!((order - 2.0).abs() <= 0.2, "{swings:?}");
    }
    // of about 1100 kJ/mol of kinetic energy
    assert!(swings[1] <= 2.0, "{swings:?}");
}

#[test]
fn energy_is_conserved_with_a_cutoff() {
    // trp-cage is 27 Å across: pairs cross the switch and the cutoff all the time
    let swing = swing(Some(10.0), 0.001, 0.4);
    assert!(swing <= 2.0, "{swing}");
}

/// Root mean square and largest of the differences of forces, kJ/mol/Å.
fn difference(a: &[Vector3<f64>], b: &[Vector3<f64>]) -> [f64; 2] {
    let squares = || a.iter().zip(b).map(|(a, b)| (a - b).norm_squared());
    let mean = squares().sum::<f64>() / a.len() as f64;
    [mean, squares().fold(0.0, f64::max)].map(f64::sqrt)
}

#[test]
fn a_cutoff_errs_by_little_beside_the_noise_of_the_corrector() {
    for name in ["trpcage", "bpti", "ubiquitin"] {
        let (structure, system) = load(name);
        let positions = &structure.frame.positions;
        let exact = &mut ForceField::new(system.clone(), Precision::F64);
        let exact = evaluate(exact, positions).1;
        let mut before = f64::INFINITY;
        // docs/physics.md has what was measured at thermal frames
        for (cutoff, bound) in [(12.0, 3.0), (16.0, 1.5), (20.0, 1.0)] {
            let mut field = ForceField::with_cutoff(system.clone(), Precision::F64, Some(cutoff));
            let [error, _] = difference(&evaluate(&mut field, positions).1, &exact);
            assert!(
                error <= bound && error < before,
                "{name} {cutoff} Å: {error}"
            );
            before = error;
        }
    }
}

#[test]
fn forces_of_a_protein_with_a_cutoff_are_central_differences() {
    for name in ["trpcage", "bpti", "ubiquitin"] {
        let (structure, system) = load(name);
        let mut positions = structure.frame.positions;
        let mut field = ForceField::with_cutoff(system, Precision::F64, Some(12.0));
        let (_, forces) = evaluate(&mut field, &positions);
        for atom in (3..positions.len()).step_by(positions.len() / 5) {
            for (axis, force) in forces[atom].iter().enumerate() {
                let numeric = central_difference(&mut field, &mut positions, [atom, axis]);
                let error = (numeric - force).abs();
                assert!(error <= 1e-4, "{name} atom {atom}: {error:e}");
            }
        }
    }
}

/// Temperature that frames say, K, and energy of bonds and angles, kJ/mol, of AKLE with the bonds
/// of hydrogens held: values 0.02 ps apart over `time` ps of Langevin dynamics, after 2 ps.
fn sampled(time_step: f64, time: f64) -> [Vec<f64>; 2] {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
    let structure = read(&file, &ReadOptions::default()).unwrap();
    let system = System::build(&structure.topology).unwrap();
    let masses = repartitioned_masses(&structure.topology, &system.masses, 3.0);
    let constraints = Constraints::of_hydrogens(&structure.topology, &system, &masses);
    let mut field = ForceField::new(system, Precision::F32);
    let settings = Settings {
        integrator: Integrator::Langevin { friction: 10.0 },
        time_step,
        temperature: 300.0,
        stop_centre: true,
        seed: 3,
        first_replica: 0,
    };
    let physical = Physical::new(field.clone());
    let mut stepper = Dynamics::new(physical, masses, constraints, settings).unwrap();
    let freedom = stepper.freedom();
    let mut frame = [structure.frame];
    let stride = (0.02 / time_step).round() as usize;
    let mut samples = [Vec::new(), Vec::new()];
    for sample in 0..((time + 2.0) / 0.02) as usize {
        for _ in 0..stride {
            stepper.step(&mut frame).unwrap();
        }
        if sample >= 100 {
            let energies = evaluate(&mut field, &frame[0].positions).0;
            samples[0].push(temperature(frame[0].kinetic.unwrap(), freedom));
            samples[1].push(energies.bond + energies.angle);
        }
    }
    samples
}

#[test]
fn a_peptide_reads_its_temperature_at_any_time_step() {
    let mut strains = Vec::new();
    for time_step in [0.004, 0.002, 0.001] {
        let [kelvin, strain] = sampled(time_step, 30.0).map(|values| mean_with_error(&values));
        let (mean, error) = (kelvin.0, kelvin.1.unwrap());
        // by the velocities at the end of a step it reads 255 K at 4 fs
        assert!(
            (mean - 300.0).abs() <= 4.0 * error && error <= 4.0,
            "{mean} ± {error} K at {time_step} ps"
        );
        strains.push((strain.0, strain.1.unwrap()));
    }
    // what is averaged over positions does not drift with the time step
    let (fine, fine_error) = strains[2];
    for (mean, error) in &strains[..2] {
        let error = error.hypot(fine_error);
        assert!(
            (mean - fine).abs() <= 4.0 * error && error <= 0.04 * fine,
            "{strains:?}"
        );
    }
}
