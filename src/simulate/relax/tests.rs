use std::path::Path;

use super::*;
use crate::forcefield::{Precision, PrepareOptions, Prepared, System, prepare};
use crate::geometry::velocities::{kinetic_energy, temperature};
use crate::structure::{ReadOptions, read};

/// Stretches a bond by 0.3 Å: more than any thermal motion.
struct Strain;

impl Stepper for Strain {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        for frame in replicas {
            let along = (frame.positions[0] - frame.positions[1]).normalize();
            frame.positions[0] += 0.3 * along;
            frame.step += 1;
        }
        Ok(())
    }
    fn clock(&self) -> Clock {
        Clock::Jumps(1.0)
    }
    fn motion(&self) -> Option<Motion> {
        None
    }
    fn identity(&self) -> Map<String, Value> {
        Map::new()
    }
    fn describe(&self) -> String {
        "strain".into()
    }
    fn reseed(&mut self, _: u64) {}
}

fn relaxed(steps: usize, first_replica: u64) -> (Relaxed<Strain>, Frame) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
    let structure = read(&file, &ReadOptions::default()).unwrap();
    let Prepared {
        topology,
        mut frame,
        ..
    } = prepare(
        &structure.topology,
        &structure.frame,
        &PrepareOptions::default(),
    )
    .unwrap();
    let mut field = ForceField::new(System::build(&topology).unwrap(), Precision::F32);
    Minimizer::default().run(&mut field, &mut frame.positions);
    let relaxation = Relaxation {
        steps,
        temperature: 300.0,
        seed: 5,
        first_replica,
    };
    (Relaxed::new(Strain, &topology, field, relaxation), frame)
}

#[test]
fn a_torn_bond_closes_and_the_frame_is_at_its_temperature() {
    let (mut stepper, frame) = relaxed(100, 0);
    let mut field = stepper.field.clone();
    let mut energy = |frame: &Frame| {
        field
            .energy_forces(
                &frame.positions,
                &mut vec![Vector3::zeros(); frame.positions.len()],
            )
            .bond
    };
    let mut frames = vec![frame; 20];
    stepper.step(&mut frames).unwrap();
    let freedom = stepper.freedom();
    let kelvin: Vec<f64> = frames
        .iter()
        .map(|f| {
            temperature(
                kinetic_energy(stepper.masses(), f.velocities.as_ref().unwrap()),
                freedom,
            )
        })
        .collect();
    let mean = kelvin.iter().sum::<f64>() / 20.0;
    // independent frames: T has a standard deviation of T·√(2/freedom); from a minimum, a tenth
    // may still be missing after 0.4 ps
    let error = 300.0 * (2.0 / freedom as f64).sqrt() / 20f64.sqrt();
    assert!(
        mean >= 270.0 - 4.0 * error && mean <= 300.0 + 4.0 * error,
        "{mean}"
    );
    let strained = {
        let mut frames = [frames[0].clone()];
        Strain.step(&mut frames).unwrap();
        energy(&frames[0])
    };
    // the stretched N–CA bond alone costs k·0.3² ≈ 120 kJ/mol; 68 bonds at 300 K have about
    // 68·kT/2 = 85, the 31 that are free 39
    for frame in &frames {
        assert!(energy(frame) <= 85.0 * 1.6, "{}", energy(frame));
    }
    assert!(strained > energy(&frames[0]) + 50.0);
}

#[test]
fn what_dynamics_throws_apart_is_left_minimised() {
    let (stepper, frame) = relaxed(100, 0);
    let field = stepper.field.clone();
    // ten times the step that bonds bear
    let settings = Settings {
        integrator: Integrator::Langevin { friction: FRICTION },
        time_step: 10.0 * TIME_STEP,
        temperature: 300.0,
        stop_centre: true,
        seed: 1,
        first_replica: 0,
    };
    let physical = Physical::new(field.clone());
    let wild = Dynamics::new(
        physical,
        stepper.masses.clone(),
        stepper.constraints.clone(),
        settings,
    )
    .unwrap();
    let mut after = frame.clone();
    let mut corrector = Corrector {
        field,
        dynamics: wild,
        shortfall: None,
    };
    corrector.relax(&mut after, 100, &Stop::never()).unwrap();
    assert!(after.velocities.is_none());
    assert!(corrector.shortfall.unwrap().contains("apart twice"));
    let farthest = after
        .positions
        .iter()
        .zip(&frame.positions)
        .map(|(a, b)| (a - b).norm())
        .fold(0.0, f64::max);
    // from a minimum: only lengths that are held change
    assert!(farthest <= 0.3, "{farthest}");
}

#[test]
fn a_replica_is_the_same_alone() {
    let (mut all, frame) = relaxed(10, 0);
    let mut frames = vec![frame; 3];
    let (mut alone, frame) = relaxed(10, 2);
    let mut one = vec![frame];
    for _ in 0..2 {
        all.step(&mut frames).unwrap();
        alone.step(&mut one).unwrap();
    }
    assert_eq!(frames[2], one[0]);
    assert_ne!(frames[1].positions, one[0].positions);
}
