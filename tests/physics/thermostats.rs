//! Thermostats, drawn velocities, heating, and what a step depends on.

use mdsurrogate::geometry::velocities::{kinetic_energy, maxwell_boltzmann, temperature};
use mdsurrogate::simulate::{Dynamics, Integrator, Settings, Stepper, Stop, heat};
use mdsurrogate::structure::Frame;
use mdsurrogate::units::{ACCELERATION, BOLTZMANN, KINETIC};
use nalgebra::Vector3;

use super::{Oscillators, Springs, TEMPERATURE, assert_mean, dynamics, settings};

/// What is sampled of oscillators, one value a stride.
#[derive(Default)]
struct Samples {
    /// Temperature of the velocities at the end of a step, K.
    at_end: Vec<f64>,
    /// Temperature that the frame says, K.
    said: Vec<f64>,
    /// x², mean over atoms, Å².
    squares: Vec<f64>,
}

/// Samples after 100 strides.
fn sample(
    mut stepper: Dynamics<Oscillators>,
    atoms: usize,
    stride: usize,
    samples: usize,
) -> Samples {
    let masses = stepper.masses().to_vec();
    let freedom = stepper.freedom();
    let mut frame = [Frame::at_rest(vec![Vector3::zeros(); atoms])];
    let mut sampled = Samples::default();
    for sample in 0..samples + 100 {
        for _ in 0..stride {
            stepper.step(&mut frame).unwrap();
        }
        if sample < 100 {
            continue;
        }
        let [frame] = &frame;
        let at_end = kinetic_energy(&masses, frame.velocities.as_ref().unwrap());
        sampled.at_end.push(temperature(at_end, freedom));
        sampled
            .said
            .push(temperature(frame.kinetic.unwrap(), freedom));
        let squares = frame.positions.iter().map(|x| x.norm_squared());
        sampled
            .squares
            .push(squares.sum::<f64>() / (3 * atoms) as f64);
    }
    sampled
}

/// Masses a few percent apart: oscillators of one frequency that start together stay in phase,
/// which a factor on all velocities does not change, and are no sample of anything.
fn masses_about(mean: f64, atoms: usize) -> Vec<f64> {
    let share = |i: usize| 0.9 + 0.2 * (i as f64 + 0.5) / atoms as f64;
    (0..atoms).map(|i| mean * share(i)).collect()
}

#[test]
fn thermostats_keep_temperature_and_its_variance() {
    let (atoms, k, dt) = (20, 50.0, 0.002);
    let masses = masses_about(12.0, atoms);
    let freedom = 3.0 * atoms as f64;
    for integrator in [
        Integrator::Langevin { friction: 10.0 },
        Integrator::Csvr { relaxation: 0.05 },
    ] {
        let stepper = dynamics(Oscillators(k), &masses, settings(integrator, dt));
        let Samples { said, .. } = sample(stepper, atoms, 25, 8000);
        assert_mean("temperature", &said, TEMPERATURE);
        // var(T) = 2⟨T⟩²/N for N degrees of freedom
        let deviations = said.iter().map(|t| (t - TEMPERATURE).powi(2));
        assert_mean(
            "variance of the temperature",
            &deviations.collect::<Vec<_>>(),
            2.0 * TEMPERATURE.powi(2) / freedom,
        );
    }
}

#[test]
fn the_thermometer_and_averages_do_not_depend_on_the_time_step() {
    // as stiff as C=O with the masses of C and O: ω about 286/ps, 1,520 cm⁻¹
    let (atoms, k) = (20, 5600.0);
    let masses = masses_about(6.86, atoms);
    let squares = masses.iter().map(|mass| k * ACCELERATION / mass);
    let square = squares.sum::<f64>() / atoms as f64;
    assert!((square.sqrt() - 286.0).abs() <= 2.0, "{square}");
    for dt in [0.001, 0.002, 0.004] {
        // what the velocities at the end of a step read: about 200 K at 4 fs
        let cold = 1.0 - square * dt * dt / 4.0;
        for integrator in [
            Integrator::Langevin { friction: 10.0 },
            Integrator::Csvr { relaxation: 0.05 },
        ] {
            let stepper = dynamics(Oscillators(k), &masses, settings(integrator, dt));
            let sampled = sample(stepper, atoms, (0.05 / dt) as usize, 4000);
            let name = |what: &str| format!("{what} at {dt} ps, {integrator:?}");
            assert_mean(&name("temperature"), &sampled.said, TEMPERATURE);
            assert_mean(&name("at the end"), &sampled.at_end, TEMPERATURE * cold);
            let expected = BOLTZMANN * TEMPERATURE / k;
            assert_mean(&name("mean square"), &sampled.squares, expected);
        }
    }
}

#[test]
fn drawn_velocities_are_maxwell_boltzmann() {
    let masses: Vec<f64> = (0..40_000)
        .map(|i| if i % 2 == 0 { 1.008 } else { 15.999 })
        .collect();
    let mut random = mdsurrogate::geometry::noise::generator(3, 0, 0, 0);
    let velocities = maxwell_boltzmann(&masses, TEMPERATURE, &mut random);
    for (parity, mass) in [(0, 1.008), (1, 15.999)] {
        let unit = (BOLTZMANN * TEMPERATURE / (KINETIC * mass)).sqrt();
        let speeds: Vec<f64> = velocities
            .iter()
            .skip(parity)
            .step_by(2)
            .map(|v| v.norm() / unit)
            .collect();
        for (power, expected) in [
            (1, (8.0 / std::f64::consts::PI).sqrt()),
            (2, 3.0),
            (4, 15.0),
        ] {
            assert_mean(
                "speed",
                &speeds.iter().map(|s| s.powi(power)).collect::<Vec<_>>(),
                expected,
            );
        }
        // Kolmogorov–Smirnov against the Maxwell distribution: √n·D exceeds 1.95 once in a thousand
        let mut sorted = speeds.clone();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len() as f64;
        let distance = sorted
            .iter()
            .enumerate()
            .map(|(i, &s)| (maxwell(s) - (i as f64 + 0.5) / count).abs())
            .fold(0.0, f64::max);
        assert!(distance * count.sqrt() <= 1.95, "{distance}");
    }
}

/// The Maxwell distribution up to speed `s` (unit variance a component), by Simpson's rule.
fn maxwell(s: f64) -> f64 {
    let density = |v: f64| (2.0 / std::f64::consts::PI).sqrt() * v * v * (-0.5 * v * v).exp();
    let h = s / 200.0;
    let weight = |i: usize| {
        if i == 0 || i == 200 {
            1.0
        } else {
            2.0 + 2.0 * (i % 2) as f64
        }
    };
    (0..=200)
        .map(|i| weight(i) * density(i as f64 * h))
        .sum::<f64>()
        * h
        / 3.0
}

#[test]
fn energy_less_heat_is_conserved() {
    let masses = vec![12.0; 6];
    for integrator in [
        Integrator::Langevin { friction: 5.0 },
        Integrator::Csvr { relaxation: 0.1 },
    ] {
        let mut stepper = dynamics(Oscillators(50.0), &masses, settings(integrator, 0.001));
        let mut frame = [Frame::at_rest(vec![Vector3::new(0.1, 0.0, 0.0); 6])];
        stepper.step(&mut frame).unwrap();
        let total = |frame: &Frame| {
            let potential: f64 = frame
                .positions
                .iter()
                .map(|x| 25.0 * x.norm_squared())
                .sum();
            potential + kinetic_energy(&masses, frame.velocities.as_ref().unwrap())
        };
        let first = total(&frame[0]) - frame[0].heat;
        let (mut worst, mut swing) = (0.0f64, 0.0f64);
        for _ in 0..20_000 {
            stepper.step(&mut frame).unwrap();
            worst = worst.max((total(&frame[0]) - frame[0].heat - first).abs());
            swing = swing.max((total(&frame[0]) - first).abs());
        }
        assert!(swing >= 10.0, "the bath moved nothing: {swing}");
        assert!(worst <= 0.01 * swing, "{integrator:?}: {worst} of {swing}");
    }
}

#[test]
fn a_step_depends_on_frame_seed_and_replica_only() {
    let masses = vec![12.0; 5];
    let start = || {
        Frame::at_rest(
            (0..5)
                .map(|i| Vector3::new(f64::from(i) * 0.3, 0.1, -0.2))
                .collect(),
        )
    };
    for integrator in [
        Integrator::Langevin { friction: 5.0 },
        Integrator::Csvr { relaxation: 0.1 },
    ] {
        let fresh = |first_replica| {
            let settings = Settings {
                first_replica,
                ..settings(integrator, 0.001)
            };
            dynamics(Springs(100.0), &masses, settings)
        };
        let mut together = [start(), start()];
        let mut stepper = fresh(0);
        (0..20).for_each(|_| stepper.step(&mut together).unwrap());
        // replica 1 alone, in another process after every step
        let mut alone = [start()];
        (0..20).for_each(|_| fresh(1).step(&mut alone).unwrap());
        assert_eq!(alone[0], together[1]);
        assert_ne!(together[0], together[1]);
        let mut again = [start()];
        let mut stepper = fresh(0);
        stepper.reseed(1);
        (0..20).for_each(|_| stepper.step(&mut again).unwrap());
        assert_ne!(again[0], together[0]);
    }
}

#[test]
fn the_centre_of_mass_stays_where_told() {
    let masses = [12.0, 1.0, 16.0, 14.0];
    let start: Vec<_> = (0..4)
        .map(|i| Vector3::new(f64::from(i), 0.5, -f64::from(i % 2)))
        .collect();
    let centre = |frame: &Frame| {
        masses
            .iter()
            .zip(&frame.positions)
            .map(|(&m, x)| m * x)
            .sum::<Vector3<f64>>()
            / 43.0
    };
    for integrator in [
        Integrator::VelocityVerlet,
        Integrator::Langevin { friction: 5.0 },
        Integrator::Csvr { relaxation: 0.1 },
    ] {
        let settings = Settings {
            stop_centre: true,
            ..settings(integrator, 0.001)
        };
        let mut stepper = dynamics(Springs(100.0), &masses, settings);
        assert_eq!(stepper.freedom(), 9);
        let mut frame = [Frame::at_rest(start.clone())];
        let first = centre(&frame[0]);
        (0..2000).for_each(|_| stepper.step(&mut frame).unwrap());
        assert!(
            (centre(&frame[0]) - first).norm() <= 1e-10,
            "{integrator:?}"
        );
        assert!(
            (frame[0].positions[0] - start[0]).norm() >= 1e-2,
            "nothing moved"
        );
    }
}

#[test]
fn heating_ends_at_the_temperature_and_at_step_zero() {
    let masses = vec![12.0; 400];
    let settings = settings(Integrator::VelocityVerlet, 0.002);
    let mut stepper = dynamics(Oscillators(50.0), &masses, settings);
    let mut frame = [Frame {
        step: 7,
        time: 3.0,
        ..Frame::at_rest(vec![Vector3::zeros(); 400])
    }];
    heat(&mut stepper, &mut frame, 4.0, &Stop::never()).unwrap();
    assert_eq!((frame[0].step, frame[0].time, frame[0].heat), (0, 0.0, 0.0));
    assert_eq!(stepper.settings(), settings);
    let asked = Stop::never();
    asked.ask();
    let error = heat(&mut stepper, &mut frame.clone(), 4.0, &asked).unwrap_err();
    assert!(
        error.exit_code() == 75 && error.to_string().contains("starts over"),
        "{error}"
    );
    // 1200 degrees of freedom: ± T·√(2/1200)
    let kinetic = frame[0].kinetic.unwrap();
    let deviation = (temperature(kinetic, 1200) - TEMPERATURE).abs();
    assert!(
        deviation <= 4.0 * TEMPERATURE * (2.0f64 / 1200.0).sqrt(),
        "{deviation}"
    );
    let square = frame[0]
        .positions
        .iter()
        .map(|x| x.norm_squared())
        .sum::<f64>()
        / 1200.0;
    let expected = BOLTZMANN * TEMPERATURE / 50.0;
    assert!(
        (square - expected).abs() <= 4.0 * expected * (2.0f64 / 1200.0).sqrt(),
        "{square} {expected}"
    );
}
