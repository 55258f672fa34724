//! Where each system's atoms are in the arrays of the device, and what those of a molecule share.

use std::ops::Range;

use super::super::born::integral_at;
use super::super::{OBC_OFFSET, System};
use super::masks::Masks;
use super::sources::ATOMS;
use super::terms::{Terms, periods};

/// One system: a copy of a molecule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its rows in arrays by atom.
    pub rows: Range<usize>,
    /// Its molecule.
    pub molecule: usize,
    /// First row of its molecule in arrays by kind.
    kind: usize,
    /// First group of lanes, and that of its molecule.
    group: usize,
    kind_group: usize,
}

/// All systems, and words for the device.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub places: Vec<Place>,
    /// System of each group of lanes.
    pub group_systems: Vec<u32>,
    /// Charge, σ/2, 2√ε and ρ̃ of each atom by kind.
    pub kinds: Vec<u32>,
    /// Screened radius, and what it adds to a Born integral at the cutoff, by kind.
    pub screens: Vec<u32>,
    pub terms: Terms,
    pub masks: Masks,
    pub periods: usize,
    /// Rows of arrays by atom.
    pub rows: usize,
}

impl Layout {
    /// Systems of these molecules, each so many times, one molecule after another.
    pub fn new(molecules: &[(&System, usize)], cutoff: Option<f64>) -> Layout {
        let periods = periods(molecules.iter().map(|&(system, _)| system));
        let mut layout = Layout {
            periods,
            ..Layout::default()
        };
        let mut kind_group = 0;
        for (molecule, &(system, copies)) in molecules.iter().enumerate() {
            let groups = system.len().div_ceil(ATOMS);
            let kind = layout.screens.len() / 2;
            for _ in 0..copies {
                let place = Place {
                    rows: layout.rows..layout.rows + system.len(),
                    molecule,
                    kind,
                    group: layout.group_systems.len(),
                    kind_group,
                };
                layout.rows += system.len();
                let number = layout.places.len() as u32;
                let systems = std::iter::repeat_n(number, groups);
                layout.group_systems.extend(systems);
                layout.places.push(place);
            }
            kind_group += groups;
            layout.add_kinds(system, cutoff);
            layout.terms.add(system, periods);
            layout.masks.add(system.len(), &system.exclusions);
        }
        layout
    }

    fn add_kinds(&mut self, system: &System, cutoff: Option<f64>) {
        let bits = |number: f64| (number as f32).to_bits();
        for atom in 0..system.len() {
            let radius = system.radii[atom] - OBC_OFFSET;
            let screened = radius * system.screens[atom];
            let edge = cutoff.map_or(0.0, |cutoff| integral_at(cutoff, screened));
            let traits = [
                system.charges[atom],
                0.5 * system.sigmas[atom],
                2.0 * system.epsilons[atom].sqrt(),
                radius,
            ];
            self.kinds.extend(traits.map(bits));
            self.screens.extend([screened, edge].map(bits));
        }
    }

    /// The words of `systems` in `shaders/forcefield/systems.wgsl`.
    pub fn systems(&self) -> Vec<u32> {
        let words = self.places.iter().flat_map(|place| {
            let Place {
                rows,
                kind,
                group,
                kind_group,
                ..
            } = place;
            [rows.start, rows.len(), *kind, *group, *kind_group]
        });
        words.map(|word| word as u32).collect()
    }

    /// Number of groups of lanes.
    pub fn groups(&self) -> usize {
        self.group_systems.len()
    }
}
