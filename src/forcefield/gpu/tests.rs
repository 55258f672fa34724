//! The force field on the device against that of the CPU in f64.

use nalgebra::Vector3;

use super::super::testing::chain;
use super::super::{Energies, ForceField, Precision, System};
use super::*;
use crate::engine::{Gpu, gpu::Transforms};

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

/// Energies and forces by the CPU in f64.
fn oracle(
    system: &System,
    positions: &[Vector3<f64>],
    cutoff: Option<f64>,
) -> (Energies, Vec<Vector3<f64>>) {
    let mut field = ForceField::with_cutoff(system.clone(), Precision::F64, cutoff);
    let mut forces = vec![Vector3::zeros(); positions.len()];
    let energies = field.energy_forces(positions, &mut forces);
    (energies, forces)
}

fn slices(positions: &[Vec<Vector3<f64>>]) -> Vec<&[Vector3<f64>]> {
    positions.iter().map(Vec::as_slice).collect()
}

/// ‖a − b‖/‖b‖.
fn distance(a: &[Vector3<f64>], b: &[Vector3<f64>]) -> f64 {
    let difference: f64 = a.iter().zip(b).map(|(a, b)| (a - b).norm_squared()).sum();
    (difference / b.iter().map(Vector3::norm_squared).sum::<f64>()).sqrt()
}

/// Chains of several lengths, of which some are there twice, at places far from the origin.
fn chains() -> (Vec<System>, Vec<usize>, Vec<Vec<Vector3<f64>>>) {
    let sizes = [(1, 1), (17, 2), (90, 1), (150, 2)];
    let (mut systems, mut positions) = (Vec::new(), Vec::new());
    for (seed, (atoms, copies)) in (30..).zip(sizes) {
        let (system, at) = chain(atoms, seed);
        systems.push(system);
        for copy in 0..copies {
            let shift = Vector3::new(500.0, -300.0 * f64::from(copy), 20.0);
            positions.push(
                at.iter()
                    .map(|x| x * (1.0 + 0.01 * f64::from(copy)) + shift)
                    .collect(),
            );
        }
    }
    (
        systems,
        sizes.map(|(_, copies)| copies as usize).to_vec(),
        positions,
    )
}

#[test]
fn many_systems_at_once_are_each_as_on_the_cpu() {
    let Some(gpu) = gpu() else { return };
    let (systems, copies, positions) = chains();
    for cutoff in [None, Some(9.0)] {
        let molecules: Vec<_> = systems.iter().zip(copies.iter().copied()).collect();
        let mut field = GpuForceField::new(&gpu, &molecules, cutoff).unwrap();
        let (energies, forces) = field.energy_forces(&slices(&positions)).unwrap();
        let of = molecules
            .iter()
            .flat_map(|&(system, copies)| std::iter::repeat_n(system, copies));
        for (index, system) in of.enumerate() {
            let (exact, exact_forces) = oracle(system, &positions[index], cutoff);
            for ((name, found), (_, exact)) in energies[index].terms().iter().zip(exact.terms()) {
                assert!(
                    (found - exact).abs() <= 1e-5 * exact.abs(),
                    "{cutoff:?}, system {index}, {name}: {found} {exact}"
                );
            }
            let error = distance(&forces[index], &exact_forces);
            let is_alone = system.len() == 1;
            assert!(
                is_alone || error <= 1e-5,
                "{cutoff:?}, system {index}: {error:e}"
            );
        }
    }
}

#[test]
fn a_system_does_not_see_those_beside_it() {
    let Some(gpu) = gpu() else { return };
    let (systems, copies, positions) = chains();
    let evaluated = |molecules: &[(&System, usize)], positions: &[Vec<Vector3<f64>>]| {
        let mut field = GpuForceField::new(&gpu, molecules, None).unwrap();
        field.energy_forces(&slices(positions)).unwrap()
    };
    let molecules: Vec<_> = systems.iter().zip(copies.iter().copied()).collect();
    let together = evaluated(&molecules, &positions);
    let alone = evaluated(&[(&systems[3], 1)], &positions[5..]);
    assert_eq!((together.0[5], &together.1[5]), (alone.0[0], &alone.1[0]));
}
