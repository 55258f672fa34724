//! The corrector on the device beside that of the CPU.

use super::super::tests::{Strain, relaxed_by};
use super::super::{Effort, Relaxed};
use crate::engine::{Gpu, gpu::Transforms};
use crate::geometry::velocities::{kinetic_energy, temperature};
use crate::simulate::Stepper;
use crate::simulate::relax::corrector::{Band, WIDTHS};
use crate::structure::Frame;
use nalgebra::Vector3;

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

const EFFORT: Effort = Effort {
    least: 40,
    most: 150,
};

/// A corrector on the device with a band that ends at its mean, which is given.
fn choosy(gpu: &Gpu, first_replica: u64, mean: f64) -> (Relaxed<Strain>, Frame) {
    let (stepper, frame) = relaxed_by(EFFORT, first_replica);
    let mut stepper = stepper.on_device(gpu);
    let width = 100.0;
    stepper.band = Some(Band {
        mean: mean - WIDTHS * width,
        width,
    });
    (stepper, frame)
}

/// Potential energy, kJ/mol.
fn potential(stepper: &Relaxed<Strain>, frame: &Frame) -> f64 {
    let mut forces = vec![Vector3::zeros(); frame.positions.len()];
    let energies = stepper
        .field
        .clone()
        .energy_forces(&frame.positions, &mut forces);
    energies.total
}

#[test]
fn frames_are_corrected_as_on_the_cpu() {
    let Some(gpu) = gpu() else { return };
    let (cpu, frame) = relaxed_by(Effort::exactly(100), 0);
    let (there, _) = relaxed_by(Effort::exactly(100), 0);
    let mut found = Vec::new();
    for mut stepper in [cpu, there.on_device(&gpu)] {
        let mut frames = vec![frame.clone(); 12];
        stepper.step(&mut frames).unwrap();
        let freedom = stepper.freedom();
        let mut sums = [0.0; 2];
        for (replica, frame) in frames.iter().enumerate() {
            assert_eq!((frame.step, stepper.shortfall(replica)), (1, None));
            assert_eq!(stepper.corrected(replica), Some(100));
            let velocities = frame.velocities.as_ref().unwrap();
            let kinetic = kinetic_energy(stepper.masses(), velocities);
            sums[0] += temperature(kinetic, freedom) / 12.0;
            sums[1] += potential(&stepper, frame) / 12.0;
        }
        found.push((sums, frames, freedom as f64));
    }
    let [(cpu, _, freedom), (gpu, frames, _)] = &found[..] else {
        panic!("two")
    };
    // deviations of one frame: T·√(2/f), kT·√(f/2); of the difference of two means of twelve
    let kelvin = 300.0 * (2.0 / freedom).sqrt() * (2f64 / 12.0).sqrt();
    let energy = 2.494 * (0.5 * freedom).sqrt() * (2f64 / 12.0).sqrt();
    assert!((cpu[0] - gpu[0]).abs() <= 4.0 * kelvin, "{cpu:?} {gpu:?}");
    assert!((cpu[1] - gpu[1]).abs() <= 4.0 * energy, "{cpu:?} {gpu:?}");
    assert_ne!(frames[0].positions, frames[1].positions);
}

#[test]
fn a_replica_ends_where_it_has_settled_whoever_else_is_there() {
    let Some(gpu) = gpu() else { return };
    let (stepper, frame) = relaxed_by(EFFORT, 0);
    let mean = potential(&stepper, &frame) + 0.5 * 2.494 * stepper.freedom() as f64;
    let (mut all, frame) = choosy(&gpu, 0, mean);
    let (mut alone, _) = choosy(&gpu, 2, mean);
    let mut frames = vec![frame.clone(); 4];
    let mut one = vec![frame.clone()];
    let mut counts = Vec::new();
    for _ in 0..2 {
        all.step(&mut frames).unwrap();
        alone.step(&mut one).unwrap();
        assert_eq!(alone.corrected(0), all.corrected(2));
        counts.extend((0..4).map(|replica| all.corrected(replica).unwrap()));
    }
    assert_eq!(frames[2], one[0]);
    assert!(
        counts.iter().all(|count| (40..=150).contains(count)),
        "{counts:?}"
    );
    assert!(counts.iter().any(|&count| count < 150), "{counts:?}");
    // a jump that is drawn again is corrected by itself, with other numbers
    let mut again = frame;
    all.redraw(2, 1, &mut again)
        .expect_err("strain has no second draw");
    // a band that no frame reaches: every one gets its most
    let (mut strict, frame) = choosy(&gpu, 0, mean - 1000.0);
    strict.step(&mut [frame]).unwrap();
    assert_eq!(strict.corrected(0), Some(150));
}
