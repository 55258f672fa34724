//! Integrators over forces with known answers. A mean is held to four of its standard errors,
//! autocorrelation accounted for.

mod thermostats;

use mdsurrogate::Result;
use mdsurrogate::geometry::velocities::kinetic_energy;
use mdsurrogate::observe::drift::mean_with_error;
use mdsurrogate::simulate::{Constraints, Dynamics, Force, Integrator, Settings, Stepper};
use mdsurrogate::structure::Frame;
use mdsurrogate::units::ACCELERATION;
use nalgebra::Vector3;

/// Independent oscillators about the origin: F = −k x, k in kJ/mol/Å².
struct Oscillators(f64);

impl Force for Oscillators {
    fn forces(&mut self, replicas: &[Frame], forces: &mut [Vec<Vector3<f64>>]) -> Result<()> {
        for (frame, forces) in replicas.iter().zip(forces) {
            for (position, force) in frame.positions.iter().zip(forces) {
                *force = -self.0 * position;
            }
        }
        Ok(())
    }
    fn describe(&self) -> String {
        "oscillators".to_owned()
    }
}

/// Every two atoms on a spring of length 2 Å: keeps momentum and angular momentum.
struct Springs(f64);

impl Force for Springs {
    fn forces(&mut self, replicas: &[Frame], forces: &mut [Vec<Vector3<f64>>]) -> Result<()> {
        for (frame, forces) in replicas.iter().zip(forces) {
            #[allow(
                clippy::needless_range_loop,
                reason = "moves one coordinate of many arrays"
            )]
            for i in 0..frame.positions.len() {
                forces[i] = Vector3::zeros();
                for other in &frame.positions {
                    let delta = frame.positions[i] - other;
                    let length = delta.norm().max(1e-9);
                    forces[i] -= delta * (self.0 * (length - 2.0) / length);
                }
            }
        }
        Ok(())
    }
    fn describe(&self) -> String {
        "springs".to_owned()
    }
}

const TEMPERATURE: f64 = 300.0;

fn settings(integrator: Integrator, time_step: f64) -> Settings {
    Settings {
        integrator,
        time_step,
        temperature: TEMPERATURE,
        stop_centre: false,
        seed: 7,
        first_replica: 0,
    }
}

fn dynamics<F: Force>(force: F, masses: &[f64], settings: Settings) -> Dynamics<F> {
    Dynamics::new(force, masses.to_vec(), Constraints::default(), settings).unwrap()
}

/// Fails where `values` do not scatter about `expected` as their standard error says.
fn assert_mean(name: &str, values: &[f64], expected: f64) {
    let (mean, error) = mean_with_error(values);
    let error = error.unwrap();
    assert!(
        (mean - expected).abs() <= 4.0 * error,
        "{name}: {mean} ± {error}, expected {expected}"
    );
    assert!(
        error <= 0.05 * expected.abs(),
        "{name}: an error of {error} beside {expected} tests nothing"
    );
}

#[test]
fn verlet_oscillator_has_its_period_and_phase() {
    let (mass, k, dt) = (12.0, 500.0, 0.001);
    let omega = (k * ACCELERATION / mass).sqrt();
    let mut stepper = dynamics(
        Oscillators(k),
        &[mass],
        settings(Integrator::VelocityVerlet, dt),
    );
    let mut frame = [Frame {
        velocities: Some(vec![Vector3::zeros()]),
        ..Frame::at_rest(vec![Vector3::new(0.3, 0.0, 0.0)])
    }];
    // the scheme's own frequency: 2 sin(ω'dt/2) = ω dt (Hairer, Lubich, Wanner, Geometric Numerical
    // Integration, I.5)
    let discrete = 2.0 * (0.5 * omega * dt).asin() / dt;
    for step in 1..=5000u64 {
        stepper.step(&mut frame).unwrap();
        let time = step as f64 * dt;
        let x = frame[0].positions[0].x;
        assert!(
            (x - 0.3 * (discrete * time).cos()).abs() <= 1e-9,
            "step {step}"
        );
        // and it lags behind the true one by ω³dt²t/24
        let phase = omega.powi(3) * dt * dt * time / 24.0;
        assert!(
            (x - 0.3 * (omega * time).cos()).abs() <= 0.3 * phase * 1.01 + 1e-9,
            "step {step}"
        );
    }
    assert_eq!(frame[0].step, 5000);
    assert!((frame[0].time - 5.0).abs() <= 1e-9);
}

#[test]
fn verlet_energy_error_falls_with_the_square_of_the_step() {
    let masses = [12.0, 14.0, 16.0, 1.0];
    // near a tetrahedron of edge 2 Å, where all springs are at rest
    let edge = 2.0 / 8f64.sqrt();
    let corners = [
        [1.1, 1.0, 1.0],
        [1.0, -1.0, -0.8],
        [-1.2, 1.0, -1.0],
        [-1.0, -0.9, 1.0],
    ];
    let start: Vec<_> = corners
        .iter()
        .map(|corner| Vector3::from(*corner) * edge)
        .collect();
    let energy = |frame: &Frame| {
        let mut potential = 0.0;
        for i in 0..4 {
            for j in 0..i {
                potential +=
                    0.5 * 300.0 * ((frame.positions[i] - frame.positions[j]).norm() - 2.0).powi(2);
            }
        }
        potential + kinetic_energy(&masses, frame.velocities.as_ref().unwrap())
    };
    let deviation = |dt: f64| {
        let mut stepper = dynamics(
            Springs(300.0),
            &masses,
            settings(Integrator::VelocityVerlet, dt),
        );
        let mut frame = [Frame {
            velocities: Some(vec![Vector3::zeros(); 4]),
            ..Frame::at_rest(start.clone())
        }];
        let first = energy(&frame[0]);
        let steps = (2.0 / dt) as usize;
        let mut squares = 0.0;
        for _ in 0..steps {
            stepper.step(&mut frame).unwrap();
            squares += (energy(&frame[0]) - first).powi(2);
        }
        (squares / steps as f64).sqrt()
    };
    let errors = [0.0005, 0.001, 0.002].map(deviation);
    for pair in errors.windows(2) {
        let order = (pair[1] / pair[0]).log2();
        assert!((order - 2.0).abs() <= 0.1, "{errors:?}");
    }
}

#[test]
fn verlet_keeps_momentum_and_angular_momentum() {
    let masses = [12.0, 14.0, 16.0, 1.0, 12.0, 32.0];
    let start: Vec<_> = (0..6)
        .map(|i| {
            Vector3::new(
                f64::from(i) * 1.3,
                (f64::from(i) * 1.7).sin(),
                (f64::from(i) * 0.9).cos(),
            )
        })
        .collect();
    let momenta = |frame: &Frame| {
        let velocities = frame.velocities.as_ref().unwrap();
        let linear: Vector3<f64> = masses.iter().zip(velocities).map(|(&m, v)| m * v).sum();
        let angular: Vector3<f64> = masses
            .iter()
            .zip(velocities)
            .zip(&frame.positions)
            .map(|((&m, v), x)| m * x.cross(v))
            .sum();
        (linear, angular)
    };
    let mut stepper = dynamics(
        Springs(300.0),
        &masses,
        settings(Integrator::VelocityVerlet, 0.001),
    );
    let mut frame = [Frame::at_rest(start)];
    stepper.step(&mut frame).unwrap();
    let (linear, angular) = momenta(&frame[0]);
    assert!(
        linear.norm() > 1.0 && angular.norm() > 1.0,
        "a molecule at rest tests nothing"
    );
    for _ in 0..5000 {
        stepper.step(&mut frame).unwrap();
    }
    let (later, later_angular) = momenta(&frame[0]);
    assert!((later - linear).norm() <= 1e-9 * linear.norm());
    assert!((later_angular - angular).norm() <= 1e-9 * angular.norm());
}
