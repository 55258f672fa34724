//! Dynamics on the device: against the same steps on the host, and what is known of its averages.

use std::path::Path;

use nalgebra::Vector3;
use rand::Rng;

use super::*;
use crate::engine::{Gpu, gpu::Transforms};
use crate::forcefield::{ForceField, Precision, System};
use crate::geometry::noise;
use crate::geometry::velocities::{
    kinetic_energy, repartitioned_masses, stop_centre, temperature, thermal_speed,
};
use crate::observe::drift::mean_with_error;
use crate::simulate::{Constraints, Dynamics, Integrator, Physical, Settings, Stepper};
use crate::structure::{Frame, ReadOptions, read};
use crate::units::ACCELERATION;

/// The device, or none with a printed line; with MDSURROGATE_REQUIRE_GPU=1 none is a failure.
fn gpu() -> Option<Gpu> {
    Gpu::guarded(Transforms::Fastest)
        .map_err(|error| {
            let required = std::env::var("MDSURROGATE_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "MDSURROGATE_REQUIRE_GPU=1, and {error}");
            eprintln!("skipped on the GPU: {error}");
        })
        .ok()
}

/// A protein that moves.
struct Protein {
    system: System,
    masses: Vec<f64>,
    constraints: Constraints,
    positions: Vec<Vector3<f64>>,
}

impl Protein {
    fn akle(is_held: bool) -> Protein {
        Protein::read("akle.pdb", is_held)
    }

    fn read(name: &str, is_held: bool) -> Protein {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures");
        let file = folder.join(name);
        let structure = read(&file, &ReadOptions::default()).unwrap();
        let topology = &structure.topology;
        let system = System::build(topology).unwrap();
        let masses = repartitioned_masses(topology, &system.masses, 3.0);
        let constraints = match is_held {
            true => Constraints::of_hydrogens(topology, &system, &masses),
            false => Constraints::default(),
        };
        Protein {
            system,
            masses,
            constraints,
            positions: structure.frame.positions,
        }
    }

    fn moved(&self, copies: usize) -> Moved<'_> {
        Moved {
            system: &self.system,
            masses: &self.masses,
            constraints: &self.constraints,
            copies,
        }
    }

    fn field(&self) -> ForceField {
        ForceField::new(self.system.clone(), Precision::F64)
    }
}

fn settings(integrator: Integrator) -> Settings {
    Settings {
        integrator,
        time_step: 0.002,
        temperature: 300.0,
        stop_centre: true,
        seed: 0x1234_5678_9abc,
        first_replica: 3,
    }
}

fn farthest(a: &[Vector3<f64>], b: &[Vector3<f64>]) -> f64 {
    let distances = a.iter().zip(b).map(|(a, b)| (a - b).norm());
    distances.fold(0.0, f64::max)
}

#[test]
fn verlet_is_that_of_the_cpu() {
    let Some(gpu) = gpu() else { return };
    for is_held in [false, true] {
        let protein = Protein::akle(is_held);
        let settings = settings(Integrator::VelocityVerlet);
        let mut there = GpuDynamics::new(&gpu, &[protein.moved(1)], None, settings).unwrap();
        let mut here = Dynamics::new(
            Physical::new(protein.field()),
            protein.masses.clone(),
            protein.constraints.clone(),
            settings,
        )
        .unwrap();
        let mut on_gpu = [Frame::at_rest(protein.positions.clone())];
        let mut on_cpu = on_gpu.clone();
        there.make(&mut on_gpu, 20).unwrap();
        for _ in 0..20 {
            here.step(&mut on_cpu).unwrap();
        }
        assert_eq!(on_gpu[0].step, 20);
        let way = farthest(&on_cpu[0].positions, &protein.positions);
        let error = farthest(&on_gpu[0].positions, &on_cpu[0].positions);
        assert!(
            way > 0.1 && error <= 1e-5,
            "held {is_held}: {error:e} after {way} Å"
        );
        let [v, exact] = [&on_gpu, &on_cpu].map(|frames| frames[0].velocities.clone().unwrap());
        let error = farthest(&v, &exact);
        assert!(error <= 2e-3, "held {is_held}: {error:e} Å/ps");
        let [found, exact] = [&on_gpu, &on_cpu].map(|frames| frames[0].kinetic.unwrap());
        assert!((found - exact).abs() <= 1e-4 * exact, "{found} {exact}");
    }
}

/// The bound is that of tests/energy.rs for f32 on the CPU.
#[test]
fn energy_of_trpcage_is_conserved() {
    let Some(gpu) = gpu() else { return };
    let protein = Protein::read("trpcage.pdb", false);
    let settings = Settings {
        time_step: 0.001,
        ..settings(Integrator::VelocityVerlet)
    };
    let mut there = GpuDynamics::new(&gpu, &[protein.moved(1)], None, settings).unwrap();
    let mut frame = [Frame::at_rest(protein.positions.clone())];
    let mut energies = Vec::new();
    for _ in 0..80 {
        there.make(&mut frame, 5).unwrap();
        let velocities = frame[0].velocities.as_ref().unwrap();
        let potential = there.energies().unwrap()[0].total;
        energies.push(potential + kinetic_energy(&protein.masses, velocities));
    }
    let mean = energies.iter().sum::<f64>() / energies.len() as f64;
    let squares = energies.iter().map(|energy| (energy - mean).powi(2));
    let swing = (squares.sum::<f64>() / energies.len() as f64).sqrt();
    println!("energy of trp-cage over 0.4 ps: {swing:.2} kJ/mol (s.d.)");
    assert!(swing <= 2.0, "{swing}");
}

/// The device's normal numbers of an atom, by the generator of the host.
fn normal(settings: Settings, replica: u64, step: u64, atom: usize) -> Vector3<f64> {
    let mut random = noise::generator(settings.seed, 0, replica, step);
    let start = random.get_word_pos();
    random.set_word_pos(start + 16 * atom as u128);
    let words: [f64; 4] = std::array::from_fn(|_| random.next_u32().into());
    let whole = 2f64.powi(32);
    let span = |word: f64| (-2.0 * ((word + 1.0) / whole).ln()).sqrt();
    let turn = |word: f64| std::f64::consts::TAU * word / whole;
    Vector3::new(
        span(words[0]) * turn(words[1]).cos(),
        span(words[0]) * turn(words[1]).sin(),
        span(words[2]) * turn(words[3]).cos(),
    )
}

/// One step of BAOAB with these forces before and behind it.
fn langevin_step(
    protein: &Protein,
    field: &mut ForceField,
    frame: &mut Frame,
    settings: Settings,
    replica: u64,
) {
    let Integrator::Langevin { friction } = settings.integrator else {
        panic!("Langevin")
    };
    let time = settings.time_step;
    let Protein {
        masses,
        constraints,
        ..
    } = protein;
    let mut forces = vec![Vector3::zeros(); masses.len()];
    let mut v = frame.velocities.take().unwrap();
    let mut kick = |x: &[Vector3<f64>], v: &mut [Vector3<f64>]| {
        field.energy_forces(x, &mut forces);
        for ((v, force), mass) in v.iter_mut().zip(&forces).zip(masses) {
            *v += force * (0.5 * time * ACCELERATION / mass);
        }
        constraints.stop_stretching(x, v);
    };
    let drift = |x: &mut Vec<Vector3<f64>>, v: &mut [Vector3<f64>]| {
        let before = x.clone();
        x.iter_mut()
            .zip(v.iter())
            .for_each(|(x, v)| *x += v * (0.5 * time));
        constraints.hold_lengths(&before, x);
        for ((v, after), before) in v.iter_mut().zip(x.iter()).zip(&before) {
            *v = (after - before) / (0.5 * time);
        }
        constraints.stop_stretching(x, v);
    };
    kick(&frame.positions, &mut v);
    drift(&mut frame.positions, &mut v);
    let keep = (-friction * time).exp();
    let before = kinetic_energy(masses, &v);
    for (atom, (v, &mass)) in v.iter_mut().zip(masses).enumerate() {
        let speed = (1.0 - keep * keep).sqrt() * thermal_speed(mass, settings.temperature);
        *v = *v * keep + normal(settings, replica, frame.step, atom) * speed;
    }
    constraints.stop_stretching(&frame.positions, &mut v);
    stop_centre(masses, &mut v);
    frame.heat += kinetic_energy(masses, &v) - before;
    drift(&mut frame.positions, &mut v);
    kick(&frame.positions, &mut v);
    frame.velocities = Some(v);
    frame.step += 1;
}

#[test]
fn langevin_steps_are_those_of_the_host_with_the_same_noise() {
    let Some(gpu) = gpu() else { return };
    let protein = Protein::akle(true);
    let settings = Settings {
        time_step: 0.004,
        ..settings(Integrator::Langevin { friction: 10.0 })
    };
    let mut there = GpuDynamics::new(&gpu, &[protein.moved(2)], None, settings).unwrap();
    let mut frames = vec![Frame::at_rest(protein.positions.clone()); 2];
    frames.iter_mut().for_each(|frame| frame.step = 7);
    // bonds are held and velocities drawn: the host's steps begin there
    there.make(&mut frames, 0).unwrap();
    let mut exact = frames.clone();
    there.make(&mut frames, 10).unwrap();
    assert_ne!(frames[0].positions, frames[1].positions);
    let mut field = protein.field();
    for (replica, (frame, exact)) in (3..).zip(frames.iter().zip(&mut exact)) {
        for _ in 0..10 {
            langevin_step(&protein, &mut field, exact, settings, replica);
        }
        let error = farthest(&frame.positions, &exact.positions);
        assert!(error <= 2e-5, "replica {replica}: {error:e} Å");
        let error = (frame.heat - exact.heat).abs();
        assert!(error <= 1e-2, "{} {}", frame.heat, exact.heat);
        for group in protein.constraints.groups() {
            for bond in group {
                let [a, b] = bond.atoms;
                let square = (frame.positions[a] - frame.positions[b]).norm_squared();
                assert!((square / bond.square - 1.0).abs() <= 2e-6, "{a} {b}");
            }
        }
    }
}

#[test]
fn the_thermostat_has_its_temperature() {
    let Some(gpu) = gpu() else { return };
    let protein = Protein::akle(true);
    let settings = Settings {
        time_step: 0.004,
        ..settings(Integrator::Langevin { friction: 10.0 })
    };
    let copies = 8;
    let mut there = GpuDynamics::new(&gpu, &[protein.moved(copies)], None, settings).unwrap();
    let mut frames = vec![Frame::at_rest(protein.positions.clone()); copies];
    there.make(&mut frames, 150).unwrap();
    let mut found = Vec::new();
    for _ in 0..20 {
        there.make(&mut frames, 25).unwrap();
        let kelvin = |frame: &Frame| temperature(frame.kinetic.unwrap(), there.freedom(0));
        let each: Vec<f64> = frames.iter().map(kelvin).collect();
        found.push(each.iter().sum::<f64>() / copies as f64);
    }
    let (mean, error) = mean_with_error(&found);
    let error = error.unwrap();
    assert!(
        error <= 5.0 && (mean - 300.0).abs() <= 4.0 * error,
        "{mean} ± {error}"
    );
    // the centre of mass stays where it was
    let momentum = |frame: &Frame| {
        let pairs = frame
            .velocities
            .as_ref()
            .unwrap()
            .iter()
            .zip(&protein.masses);
        pairs.map(|(v, m)| v * *m).sum::<Vector3<f64>>().norm()
    };
    let most = frames.iter().map(momentum).fold(0.0, f64::max);
    assert!(most <= 1e-2, "{most} Da Å/ps");
}

#[test]
fn minimisation_ends_where_that_of_the_cpu_does() {
    let Some(gpu) = gpu() else { return };
    let protein = Protein::akle(false);
    let field = crate::forcefield::gpu::GpuForceField::new(&gpu, &[(&protein.system, 3)], None);
    let mut field = field.unwrap();
    let mut strained = protein.positions.clone();
    strained[0].x += 0.6;
    let starts = [&protein.positions[..], &strained, &protein.positions];
    field.place(&starts);
    let descent = Descent::new(&field).unwrap();
    let goal = Goal {
        tolerance: 0.5,
        largest: 5.0,
        steps: 1000,
    };
    let done = descent
        .run(&field, &[true, true, false], goal, || false)
        .unwrap();
    let ends = field.positions().unwrap();
    assert!(
        farthest(&ends[2], &protein.positions) <= 1e-6,
        "the third was not chosen"
    );
    assert_eq!(done[2].steps, 0);
    let mut exact = protein.field();
    for system in 0..2 {
        assert!(done[system].converged && done[system].steps > 5, "{done:?}");
        let mut forces = vec![Vector3::zeros(); protein.masses.len()];
        let energies = exact.energy_forces(&ends[system], &mut forces);
        let square: f64 = forces.iter().map(Vector3::norm_squared).sum();
        let rms = (square / forces.len() as f64).sqrt();
        assert!(rms <= 0.505, "{rms}");
        assert!(
            (rms - done[system].rms_force).abs() <= 1e-2 * rms,
            "{rms} {done:?}"
        );
        let mut positions = starts[system].to_vec();
        let minimizer = crate::forcefield::Minimizer {
            tolerance: 0.5,
            largest: 5.0,
            ..Default::default()
        };
        let cpu = minimizer.run(&mut exact, &mut positions);
        // two ways downhill, which need not end in one minimum
        let gain = cpu.before.total - cpu.after.total;
        let off = (energies.total - cpu.after.total).abs();
        assert!(off <= 0.1 * gain, "{} {}", energies.total, cpu.after.total);
    }
}
