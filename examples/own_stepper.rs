//! A stepper of one's own: Brownian dynamics (Ermak and McCammon, J. Chem. Phys. 69, 1352, 1978)
//! in ff14SB + OBC2, run by the same loop as every other:
//!
//!     cargo run --release --example own_stepper -- data/structures/akle.pdb 200

use mdsurrogate::forcefield::{ForceField, Precision, System};
use mdsurrogate::geometry::noise;
use mdsurrogate::observe::Journal;
use mdsurrogate::simulate::{Clock, Motion, Rules, Simulation, Stepper};
use mdsurrogate::structure::{Frame, ReadOptions, read};
use mdsurrogate::units::{ACCELERATION, BOLTZMANN};
use serde_json::{Map, Value, json};

const TIME_STEP: f64 = 1e-4; // ps
const FRICTION: f64 = 100.0; // 1/ps
const TEMPERATURE: f64 = 300.0; // K

/// x += M F Δt + √(2 kT M Δt) n, with the mobility M = 1/(m γ) of every atom.
struct Brownian {
    field: ForceField,
    attempt: u64,
}

impl Stepper for Brownian {
    fn step(&mut self, replicas: &mut [Frame]) -> mdsurrogate::Result<()> {
        for (replica, frame) in (0..).zip(replicas) {
            // random numbers of this step and replica alone: resuming and threads change no bit
            let mut random = noise::generator(1, self.attempt, replica, frame.step);
            let normal = noise::centred(&mut random, frame.positions.len());
            let mut forces = normal.clone();
            let energies = self.field.energy_forces(&frame.positions, &mut forces);
            let masses = &self.field.system().masses;
            for (atom, x) in frame.positions.iter_mut().enumerate() {
                let drift = ACCELERATION * TIME_STEP / (FRICTION * masses[atom]); // Å²·mol/kJ
                let spread = (2.0 * BOLTZMANN * TEMPERATURE * drift).sqrt(); // Å
                *x += drift * forces[atom] + spread * normal[atom];
            }
            frame.potential = Some(energies.total);
            frame.step += 1;
            frame.time = frame.step as f64 * TIME_STEP;
        }
        Ok(())
    }
    fn clock(&self) -> Clock {
        Clock::Dynamics(TIME_STEP)
    }
    fn motion(&self) -> Option<Motion> {
        None // there are no velocities
    }
    fn identity(&self) -> Map<String, Value> {
        Map::from_iter([("friction (1/ps)".to_owned(), json!(FRICTION))])
    }
    fn describe(&self) -> String {
        format!("Brownian dynamics at {TEMPERATURE} K, friction {FRICTION}/ps")
    }
    fn reseed(&mut self, attempt: u64) {
        self.attempt = attempt;
    }
}

fn main() -> mdsurrogate::Result<()> {
    let mut typed = std::env::args().skip(1);
    let protein = typed.next().unwrap_or("data/structures/akle.pdb".into());
    let steps = typed.next().and_then(|steps| steps.parse().ok());

    let structure = read(protein.as_ref(), &ReadOptions::default())?;
    let field = ForceField::new(System::build(&structure.topology)?, Precision::F64);
    let stepper = Box::new(Brownian { field, attempt: 0 });
    println!("{}", stepper.describe());

    // `Simulation::watch` adds observers; see own_observer.rs
    let rules = Rules::in_memory(steps.unwrap_or(200));
    let mut simulation = Simulation::new(stepper, vec![structure.frame], rules, Journal::silent());
    simulation.run()?;
    let last = &simulation.frames()[0];
    let potential = last.potential.expect("the stepper sets it");
    println!("{:.4} ps: {potential:.1} kJ/mol", last.time);
    Ok(())
}
