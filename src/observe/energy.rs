//! The energy monitor: what the physical force field says of every logged frame, and how the
//! conserved quantity drifts.

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::drift::slope_with_error;
use super::{Observer, Record};
use crate::Result;
use crate::forcefield::ForceField;
use crate::geometry::velocities::{kinetic_energy, temperature};
use crate::structure::Frame;

/// Potential energy in the physical force field, kJ/mol.
pub const POTENTIAL: &str = "Potential Energy (kJ/mole)";
/// Kinetic energy, kJ/mol: the mean of those half a step before and after the frame where dynamics
/// made it ([`Frame::kinetic`]), that of its velocities otherwise; `n/a` where it has none.
pub const KINETIC: &str = "Kinetic Energy (kJ/mole)";
/// Potential + kinetic energy, kJ/mol.
pub const TOTAL: &str = "Total Energy (kJ/mole)";
/// Kinetic temperature, K.
pub const TEMPERATURE: &str = "Temperature (K)";
/// What the integrator conserves, kJ/mol: potential energy and the kinetic energy of the frame's
/// velocities, less the heat of thermostats; where the frames' forces are those of a model's own
/// energy, with that as potential.
pub const CONSERVED: &str = "Conserved (kJ/mole)";
/// Slope of the conserved quantity, kJ/mol/ps per atom; of the potential energy where frames have
/// no velocities.
pub const DRIFT: &str = "Drift (kJ/mol/ps/atom)";
/// Standard error of the drift, kJ/mol/ps per atom.
pub const DRIFT_ERROR: &str = "Drift error (kJ/mol/ps/atom)";

/// What is followed: its slope is the drift. A series begins anew where there is more to follow
/// than before: the first frame of a run may have no velocities, and none has the model's own
/// energy before the first step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Quantity {
    /// The physical potential energy: there are no velocities.
    Potential,
    /// Physical energy less heat.
    #[default]
    Physical,
    /// Energy of the model that makes the forces, less heat.
    Own,
}

/// A trend, and of what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Followed {
    #[serde(flatten)]
    trend: Trend,
    #[serde(default)]
    of: Quantity,
}

/// Blocks of frames that a [`Trend`] keeps at most.
const MOST_BLOCKS: usize = 512;

/// A series of any length as the means of at most `MOST_BLOCKS` blocks of equal size, so that its
/// slope costs the same at any time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Sums of (time, value) over full blocks, then over the one being filled.
    blocks: Vec<[f64; 2]>,
    /// Values in the last block.
    filled: usize,
    /// Values in a full block.
    size: usize,
}

impl Trend {
    /// Adds a value at a time, ps.
    pub fn push(&mut self, time: f64, value: f64) {
        if self.filled == self.size {
            if self.blocks.len() == MOST_BLOCKS {
                self.blocks = self
                    .blocks
                    .chunks(2)
                    .map(|pair| [pair[0][0] + pair[1][0], pair[0][1] + pair[1][1]])
                    .collect();
                self.size *= 2;
            }
            self.size = self.size.max(1);
            self.blocks.push([0.0; 2]);
            self.filled = 0;
        }
        let last = self.blocks.last_mut().expect("pushed above");
        last[0] += time;
        last[1] += value;
        self.filled += 1;
    }

    /// Slope by least squares and its standard error, per ps; `None` for fewer than three full
    /// blocks.
    pub fn slope(&self) -> Option<(f64, f64)> {
        let full = self.blocks.len() - usize::from(self.filled < self.size);
        let of = |part: usize| {
            self.blocks[..full]
                .iter()
                .map(|block| block[part] / self.size as f64)
                .collect::<Vec<_>>()
        };
        slope_with_error(&of(0), &of(1))
    }
}

/// Logs energy, temperature and drift. The drift is that of all frames observed so far.
pub struct EnergyMonitor {
    /// The force field, or why there is none.
    field: std::result::Result<ForceField, String>,
    masses: Vec<f64>,
    freedom: usize,
    forces: Vec<Vector3<f64>>,
    followed: Followed,
}

impl EnergyMonitor {
    /// Monitors with `field`, or writes `n/a` where there is none for the reason given. `masses`,
    /// Da, and the number of degrees of freedom are those of the dynamics.
    pub fn new(
        field: std::result::Result<ForceField, String>,
        masses: Vec<f64>,
        freedom: usize,
    ) -> Self {
        let forces = vec![Vector3::zeros(); masses.len()];
        EnergyMonitor {
            field,
            masses,
            freedom,
            forces,
            followed: Followed::default(),
        }
    }

    /// Why there is no potential energy, where there is none.
    pub fn reason(&self) -> Option<&str> {
        self.field.as_ref().err().map(String::as_str)
    }

    /// Drift so far and its standard error, kJ/mol/ps per atom.
    pub fn drift(&self) -> Option<(f64, f64)> {
        let atoms = self.masses.len() as f64;
        self.followed
            .trend
            .slope()
            .map(|(slope, error)| (slope / atoms, error / atoms))
    }
}

impl Observer for EnergyMonitor {
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> Result<()> {
        let potential = self.field.as_mut().ok().map(|field| {
            field
                .energy_forces(&frame.positions, &mut self.forces)
                .total
        });
        // what the integrator conserves is made of the velocities at the frame's own time
        let at_frame = frame
            .velocities
            .as_ref()
            .map(|velocities| kinetic_energy(&self.masses, velocities));
        let kinetic = at_frame.map(|at_frame| frame.kinetic.unwrap_or(at_frame));
        let total = potential
            .zip(kinetic)
            .map(|(potential, kinetic)| potential + kinetic);
        let conserved = at_frame.and_then(|kinetic| {
            let own = frame.potential.map(|own| (Quantity::Own, own));
            own.or(potential.map(|physical| (Quantity::Physical, physical)))
                .map(|(of, potential)| (of, potential + kinetic - frame.heat))
        });
        if let Some((of, value)) = conserved.or(potential
            .filter(|_| kinetic.is_none())
            .map(|value| (Quantity::Potential, value)))
        {
            if of != self.followed.of {
                self.followed = Followed {
                    of,
                    ..Followed::default()
                };
            }
            self.followed.trend.push(frame.time, value);
        }
        let drift = self.drift();
        record.put(POTENTIAL, potential);
        record.put(KINETIC, kinetic);
        record.put(TOTAL, total);
        record.put(
            TEMPERATURE,
            kinetic.map(|kinetic| temperature(kinetic, self.freedom)),
        );
        record.put(CONSERVED, conserved.map(|(_, value)| value));
        record.put(DRIFT, drift.map(|drift| drift.0));
        record.put(DRIFT_ERROR, drift.map(|drift| drift.1));
        Ok(())
    }

    fn state(&mut self) -> Result<Value> {
        Ok(json!(self.followed))
    }

    fn restore(&mut self, state: &Value, _frame: &Frame) -> Result<()> {
        self.followed = serde_json::from_value(state.clone()).unwrap_or_default();
        Ok(())
    }

    fn results(&self) -> Option<(&'static str, Value)> {
        let (drift, error) = self.drift().unzip();
        Some((
            "energy",
            json!({
                "drift_kj_mol_ps_atom": drift,
                "drift_standard_error": error,
                "not_available": self.reason(),
            }),
        ))
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forcefield::{Precision, System};

    /// Two atoms on a bond of 1000 kJ/mol/Å² at 1.5 Å, without any other term.
    fn dumbbell() -> System {
        let mut system = System {
            masses: vec![12.0; 2],
            charges: vec![0.0; 2],
            sigmas: vec![1.0; 2],
            ..System::default()
        };
        system.epsilons = vec![0.0; 2];
        system.radii = vec![1.7; 2];
        system.screens = vec![0.72; 2];
        system.bonds.push(crate::forcefield::Bond {
            atoms: [0, 1],
            length: 1.5,
            k: 1000.0,
        });
        system
    }

    fn frame(time: f64, stretch: f64) -> Frame {
        Frame {
            time,
            ..Frame::at_rest(vec![
                Vector3::zeros(),
                Vector3::new(1.5 + stretch, 0.0, 0.0),
            ])
        }
    }

    #[test]
    fn columns_are_the_energies_by_hand() {
        let mut monitor = EnergyMonitor::new(
            Ok(ForceField::new(dumbbell(), Precision::F64)),
            vec![12.0; 2],
            6,
        );
        let mut at_rest = Record::default();
        monitor.observe(&frame(0.0, 0.0), &mut at_rest).unwrap();
        let mut record = Record::default();
        let velocities = Some(vec![
            Vector3::new(3.0, 0.0, 0.0),
            Vector3::new(0.0, -4.0, 0.0),
        ]);
        monitor
            .observe(
                &Frame {
                    velocities,
                    heat: 0.25,
                    ..frame(1.0, 0.1)
                },
                &mut record,
            )
            .unwrap();
        // ½·1000·0.1² = 5 more than at rest but for the surface term; ½·12·(9 + 16)/100 = 1.5
        let get = |name: &str| record.get(name).unwrap();
        assert!((get(POTENTIAL) - at_rest.get(POTENTIAL).unwrap() - 5.0).abs() <= 0.1);
        assert!((get(KINETIC) - 1.5).abs() <= 1e-12);
        assert!((get(TOTAL) - get(POTENTIAL) - 1.5).abs() <= 1e-9);
        assert!((get(CONSERVED) - get(TOTAL) + 0.25).abs() <= 1e-9);
        assert!((get(TEMPERATURE) - 1.5 / 3.0 / crate::units::BOLTZMANN).abs() <= 1e-9);
        assert_eq!(at_rest.get(KINETIC), None);
        assert_eq!(at_rest.get(CONSERVED), None);
    }

    #[test]
    fn the_models_own_energy_is_the_conserved_one_and_starts_its_own_series() {
        let mut monitor = EnergyMonitor::new(
            Ok(ForceField::new(dumbbell(), Precision::F64)),
            vec![12.0; 2],
            6,
        );
        let velocities = Some(vec![
            Vector3::new(3.0, 0.0, 0.0),
            Vector3::new(0.0, -4.0, 0.0),
        ]);
        monitor
            .observe(&frame(0.0, 0.1), &mut Record::default())
            .unwrap();
        let state = monitor.state().unwrap();
        let mut record = Record::default();
        for step in 1..=4 {
            let time = f64::from(step);
            let potential = Some(-20.0 + 2.0 * time);
            monitor
                .observe(
                    &Frame {
                        velocities: velocities.clone(),
                        heat: 0.25,
                        potential,
                        ..frame(time, 0.0)
                    },
                    &mut record,
                )
                .unwrap();
        }
        let last = |name: &str| {
            record
                .values
                .iter()
                .rfind(|(column, _)| *column == name)
                .unwrap()
                .1
                .unwrap()
        };
        assert!((last(CONSERVED) - (-12.0 + 1.5 - 0.25)).abs() <= 1e-12);
        assert!((last(TOTAL) - last(POTENTIAL) - 1.5).abs() <= 1e-9);
        // 2 kJ/mol/ps over two atoms: the first frame, of which the physical energy alone is known,
        // has no part in it
        assert!((last(DRIFT) - 1.0).abs() <= 1e-12);
        // a state from before series had a name is one of the physical energy
        let mut old = state.clone();
        old.as_object_mut().unwrap().remove("of");
        monitor.restore(&old, &frame(0.0, 0.0)).unwrap();
        assert!(
            monitor.followed.of == Quantity::Physical && monitor.followed.trend.blocks.len() == 1
        );
    }

    #[test]
    fn without_parameters_everything_potential_is_unknown() {
        let mut monitor =
            EnergyMonitor::new(Err("A:HEM 1 has no parameters".into()), vec![12.0; 2], 6);
        let mut record = Record::default();
        let velocities = Some(vec![Vector3::x(); 2]);
        monitor
            .observe(
                &Frame {
                    velocities,
                    ..frame(0.0, 0.0)
                },
                &mut record,
            )
            .unwrap();
        for name in [POTENTIAL, TOTAL, CONSERVED, DRIFT] {
            assert_eq!(record.get(name), None, "{name}");
        }
        assert!((record.get(KINETIC).unwrap() - 0.12).abs() <= 1e-12);
        assert_eq!(monitor.reason(), Some("A:HEM 1 has no parameters"));
    }

    #[test]
    fn a_long_trend_keeps_its_slope() {
        for count in [3usize, 512, 513, 10_000] {
            let mut trend = Trend::default();
            for step in 0..count {
                let time = 0.5 * step as f64;
                trend.push(time, 7.0 - 0.25 * time + 1e-3 * (step as f64 * 1.7).sin());
            }
            let (slope, error) = trend.slope().unwrap();
            assert!(
                (slope + 0.25).abs() <= (4.0 * error).max(1e-9) && error <= 1e-2,
                "{count}: {slope} ± {error}"
            );
            assert!(trend.blocks.len() <= MOST_BLOCKS);
        }
        assert_eq!(Trend::default().slope(), None);
    }
}
