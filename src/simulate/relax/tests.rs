use std::path::Path;

use super::corrector::WIDTHS;
use super::*;
use crate::forcefield::{Minimizer, Precision, PrepareOptions, Prepared, System, prepare};
use crate::geometry::velocities::{kinetic_energy, temperature};
use crate::structure::{ReadOptions, read};

/// Stretches a bond by 0.3 Å: more than any thermal motion.
pub(super) struct Strain;

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
    relaxed_by(Effort::exactly(steps), first_replica)
}

pub(super) fn relaxed_by(effort: Effort, first_replica: u64) -> (Relaxed<Strain>, Frame) {
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
        effort,
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
    let mut corrector = Corrector::new(field, wild);
    corrector
        .relax(&mut after, Effort::exactly(100), None, &Stop::never())
        .unwrap();
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

/// A corrector that ends by itself, after so many steps at least, and the frame that it began with.
fn free(least: usize, first_replica: u64) -> (Relaxed<Strain>, Frame) {
    let (mut stepper, frame) = relaxed_by(Effort { least, most: 300 }, first_replica);
    stepper.begin(&frame.positions);
    stepper.prepare(1).unwrap();
    stepper.find_band().unwrap();
    (stepper, frame)
}

/// The same with a band that ends at its mean: half of the thermal frames, which those of the
/// minimum are after 0.4 ps, lie above it.
fn choosy(first_replica: u64) -> (Relaxed<Strain>, Frame) {
    let (mut stepper, frame) = free(100, first_replica);
    let band = stepper.band.unwrap();
    stepper.band = Some(Band {
        mean: band.mean - WIDTHS * band.width,
        ..band
    });
    (stepper, frame)
}

#[test]
fn a_replica_ends_where_it_has_settled_whoever_else_is_there() {
    let (mut all, frame) = choosy(0);
    let mut frames = vec![frame; 4];
    let (mut alone, frame) = choosy(2);
    let mut one = vec![frame];
    let mut counts = Vec::new();
    for _ in 0..3 {
        all.step(&mut frames).unwrap();
        alone.step(&mut one).unwrap();
        assert_eq!(alone.corrected(0), all.corrected(2));
        counts.extend((0..4).map(|replica| all.corrected(replica).unwrap()));
    }
    assert_eq!(frames[2], one[0]);
    // some end early, and not all at the same step; none before its time
    assert!(
        counts.iter().all(|count| (100..=300).contains(count)),
        "{counts:?}"
    );
    assert!(counts.iter().any(|&count| count < 300), "{counts:?}");
    assert!(counts.iter().any(|&count| count != counts[0]), "{counts:?}");
    // a run that goes on is told what it began with, and makes the same step
    let (mut resumed, _) = choosy(0);
    let mut again = frames.clone();
    all.step(&mut frames).unwrap();
    resumed.step(&mut again).unwrap();
    assert_eq!(again, frames);
}

#[test]
fn a_frame_above_the_band_gets_the_most() {
    let (mut stepper, frame) = free(40, 0);
    let mut frames = vec![frame.clone()];
    stepper.step(&mut frames).unwrap();
    let band = stepper.band.unwrap();
    // kT√(f/2) of the 69 atoms and 37 held bonds of AKLE
    let freedom = stepper.freedom() as f64;
    assert!(
        (band.width - 2.494 * (0.5 * freedom).sqrt()).abs() <= 0.01,
        "{band:?}"
    );
    // the mean is that of the same dynamics for ten times as long, but for what it had no time for
    let mut corrector = stepper.corrector(7).unwrap();
    let mut long = Frame::at_rest(frame.positions);
    let effort = Effort::exactly(5000);
    corrector
        .relax(&mut long, effort, None, &Stop::never())
        .unwrap();
    let later = &corrector.potentials[500..];
    let mean = later.iter().sum::<f64>() / later.len() as f64;
    assert!(
        (band.mean - mean).abs() <= 2.0 * band.width,
        "{band:?} {mean}"
    );
    stepper.band = Some(Band {
        mean: band.mean - 10.0 * band.width,
        ..band
    });
    stepper.step(&mut frames).unwrap();
    assert_eq!(stepper.corrected(0), Some(300));
    stepper.band = Some(Band {
        mean: band.mean + 10.0 * band.width,
        ..band
    });
    stepper.step(&mut frames).unwrap();
    assert_eq!(stepper.corrected(0), Some(40));
    // a run that was not told what it began with has no band
    let (mut untold, frame) = relaxed_by(
        Effort {
            least: 40,
            most: 60,
        },
        0,
    );
    untold.step(&mut [frame]).unwrap();
    assert_eq!((untold.band, untold.corrected(0)), (None, Some(60)));
}
