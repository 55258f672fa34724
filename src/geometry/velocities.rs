//! Velocities: kinetic energy, temperature, Maxwell–Boltzmann, motion of the centre of mass.

use nalgebra::Vector3;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::structure::{Element, Topology};
use crate::units::{BOLTZMANN, KINETIC};

/// Kinetic energy, kJ/mol, of masses in Da and velocities in Å/ps.
pub fn kinetic_energy(masses: &[f64], velocities: &[Vector3<f64>]) -> f64 {
    0.5 * KINETIC
        * masses
            .iter()
            .zip(velocities)
            .map(|(mass, velocity)| mass * velocity.norm_squared())
            .sum::<f64>()
}

/// Temperature, K, of a kinetic energy, kJ/mol, in `freedom` degrees of freedom.
pub fn temperature(kinetic: f64, freedom: usize) -> f64 {
    2.0 * kinetic / (BOLTZMANN * freedom.max(1) as f64)
}

/// Velocities, Å/ps, drawn from the Maxwell–Boltzmann distribution at `temperature`, K.
pub fn maxwell_boltzmann(
    masses: &[f64],
    temperature: f64,
    random: &mut impl Rng,
) -> Vec<Vector3<f64>> {
    let mut draw = |mass: &f64| {
        thermal_speed(*mass, temperature)
            * Vector3::from_fn(|_, _| random.sample::<f64, _>(StandardNormal))
    };
    masses.iter().map(&mut draw).collect()
}

/// √(kT/m), Å/ps: the standard deviation of one component of the velocity.
pub fn thermal_speed(mass: f64, temperature: f64) -> f64 {
    (BOLTZMANN * temperature / (KINETIC * mass)).sqrt()
}

/// Takes the velocity of the centre of mass off all velocities.
pub fn stop_centre(masses: &[f64], velocities: &mut [Vector3<f64>]) {
    let momentum: Vector3<f64> = masses
        .iter()
        .zip(velocities.iter())
        .map(|(&mass, velocity)| mass * velocity)
        .sum();
    let drift = momentum / masses.iter().sum::<f64>();
    velocities
        .iter_mut()
        .for_each(|velocity| *velocity -= drift);
}

/// `masses`, Da, with each hydrogen's raised to `hydrogen` at the cost of the heavy atom that it is
/// bonded to, so that the fastest vibrations slow down while every average over positions stays
/// what it is (Feenstra, Hess, Berendsen, J. Comput. Chem. 20, 786 (1999)). A hydrogen stays as it
/// is where its heavy atom would become lighter than itself.
pub fn repartitioned_masses(topology: &Topology, masses: &[f64], hydrogen: f64) -> Vec<f64> {
    let mut masses = masses.to_vec();
    let is_hydrogen = |atom: usize| topology.atoms[atom].element == Element::H;
    for &[i, j] in &topology.bonds {
        let (light, heavy) = if is_hydrogen(i) { (i, j) } else { (j, i) };
        let moved = hydrogen - masses[light];
        if is_hydrogen(light)
            && !is_hydrogen(heavy)
            && moved > 0.0
            && masses[heavy] - moved >= hydrogen
        {
            masses[light] += moved;
            masses[heavy] -= moved;
        }
    }
    masses
}
