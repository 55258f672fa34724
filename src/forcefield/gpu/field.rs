//! The force fields of many systems on one device.

use nalgebra::Vector3;

use super::super::pairs::SWITCH;
use super::super::{Energies, SHORTEST_CUTOFF, System};
use super::layout::{Layout, Place};
use super::sources::{self, Kernel};
use crate::Result;
use crate::engine::Gpu;
use crate::engine::gpu::{Bound, Buffer, Dispatch, LANES, Named};
use crate::structure::centroid;

/// Energies of every system, and forces, kJ/mol/Å.
pub type Evaluated = (Vec<Energies>, Vec<Vec<Vector3<f64>>>);

/// Arrays by atom and by system that every evaluation reads or writes, and what is fixed.
struct Memory {
    systems: Buffer,
    group_systems: Buffer,
    running: Buffer,
    kinds: Buffer,
    screens: Buffer,
    starts: Buffer,
    terms: Buffer,
    first_masks: Buffer,
    masks: Buffer,
    places: Buffer,
    rests: Buffer,
    boxes: Buffer,
    radii: Buffer,
    slopes: Buffer,
    forces: Buffer,
    energies: Buffer,
    totals: Buffer,
}

impl Memory {
    fn new(gpu: &Gpu, layout: &Layout) -> Result<Memory> {
        let rows = layout.rows;
        let systems = layout.places.len();
        // a buffer has one word at least
        let words = |words: &[u32]| gpu.holding(if words.is_empty() { &[0] } else { words });
        Ok(Memory {
            systems: words(&layout.systems())?,
            group_systems: words(&layout.group_systems)?,
            running: words(&vec![1; systems])?,
            kinds: words(&layout.kinds)?,
            screens: words(&layout.screens)?,
            starts: words(&layout.terms.starts)?,
            terms: words(&layout.terms.words)?,
            first_masks: words(&layout.masks.first)?,
            masks: words(&layout.masks.words)?,
            places: gpu.cleared(4 * rows)?,
            rests: gpu.cleared(4 * rows)?,
            boxes: gpu.cleared(8 * layout.groups())?,
            radii: gpu.cleared(4 * rows)?,
            slopes: gpu.cleared(rows)?,
            forces: gpu.cleared(4 * rows)?,
            energies: gpu.cleared(8 * rows)?,
            totals: gpu.cleared(16 * systems)?,
        })
    }

    fn bound(&self) -> [Bound<'_>; 20] {
        [
            // the same for kernels that write there
            ("goes_on", Some(&self.running)),
            ("moved", Some(&self.places)),
            ("left", Some(&self.rests)),
            ("systems", Some(&self.systems)),
            ("group_systems", Some(&self.group_systems)),
            ("running", Some(&self.running)),
            ("kinds", Some(&self.kinds)),
            ("screens", Some(&self.screens)),
            ("starts", Some(&self.starts)),
            ("terms", Some(&self.terms)),
            ("first_masks", Some(&self.first_masks)),
            ("masks", Some(&self.masks)),
            ("places", Some(&self.places)),
            ("rests", Some(&self.rests)),
            ("boxes", Some(&self.boxes)),
            ("radii", Some(&self.radii)),
            ("slopes", Some(&self.slopes)),
            ("forces", Some(&self.forces)),
            ("energies", Some(&self.energies)),
            ("totals", Some(&self.totals)),
        ]
    }
}

/// The force fields of many systems on one device: energy and forces of all of them in a handful
/// of dispatches, in f32.
///
/// The systems are copies (replicas) of one or several molecules; what a system's atoms feel does
/// not depend on the others. Bits depend on the device and the input alone.
pub struct GpuForceField {
    gpu: Gpu,
    layout: Layout,
    memory: Memory,
    evaluation: Vec<Dispatch>,
    add_up: Dispatch,
    /// Middle of each system, Å: places on the device are counted from there.
    middles: Vec<Vector3<f64>>,
}

impl GpuForceField {
    /// Prepares so many systems of each molecule; the systems of a molecule follow one another.
    /// With `cutoff`, Å, as [`super::super::ForceField::with_cutoff`].
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    ///
    /// # Panics
    /// Where a molecule has no atom, or there is no system.
    pub fn new(gpu: &Gpu, molecules: &[(&System, usize)], cutoff: Option<f64>) -> Result<Self> {
        let copies: usize = molecules.iter().map(|&(_, copies)| copies).sum();
        let is_empty = molecules.iter().any(|(system, _)| system.is_empty());
        assert!(copies > 0 && !is_empty, "systems with atoms");
        let cutoff = cutoff.map(|cutoff| cutoff.max(SHORTEST_CUTOFF));
        let layout = Layout::new(molecules, cutoff);
        let memory = Memory::new(gpu, &layout)?;
        let end = cutoff.map_or(0.0, |cutoff| cutoff * cutoff);
        let steepness = cutoff.map_or(0.0, |_| 1.0 / (end - end * SWITCH * SWITCH));
        let sizes: [Named; 4] = [
            ("groups", layout.groups().into()),
            ("systems", layout.places.len().into()),
            ("end", end.into()),
            ("steepness", steepness.into()),
        ];
        let bind = |kernel: Kernel, groups| gpu.bind(kernel, &sizes, &memory.bound(), groups);
        let variant = sources::variant(cutoff.is_some(), layout.periods);
        let [boxes, rest @ ..] = sources::evaluation(variant);
        let mut evaluation = Vec::new();
        if cutoff.is_some() {
            evaluation.push(bind(boxes, layout.groups().div_ceil(LANES))?);
        }
        for kernel in rest {
            evaluation.push(bind(kernel, layout.groups())?);
        }
        let add_up = bind(sources::totals(variant), layout.places.len())?;
        let middles = vec![Vector3::zeros(); layout.places.len()];
        Ok(GpuForceField {
            gpu: gpu.clone(),
            layout,
            memory,
            evaluation,
            add_up,
            middles,
        })
    }

    /// Number of systems.
    pub fn len(&self) -> usize {
        self.layout.places.len()
    }

    /// Whether there is no system: never.
    pub fn is_empty(&self) -> bool {
        self.layout.places.is_empty()
    }

    /// Dispatches of an evaluation of forces, whatever the number of systems.
    pub fn dispatches(&self) -> usize {
        self.evaluation.len()
    }

    /// Energies of every system and the forces on its atoms, kJ/mol/Å, at its `positions`, Å.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    ///
    /// # Panics
    /// Where `positions` are not those of every system, one an atom.
    pub fn energy_forces(&mut self, positions: &[&[Vector3<f64>]]) -> Result<Evaluated> {
        self.place(positions);
        let kernels: Vec<&Dispatch> = self.evaluation.iter().collect();
        self.gpu.repeat(&kernels, 1);
        Ok((self.add_up()?, self.forces()?))
    }

    /// The device.
    pub(crate) fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Rows of arrays by atom: atoms of all systems.
    pub(crate) fn rows(&self) -> usize {
        self.layout.rows
    }

    /// Ordered pairs of all systems, as without a cutoff.
    pub(crate) fn pairs(&self) -> f64 {
        let atoms = self
            .layout
            .places
            .iter()
            .map(|place| place.rows.len() as f64);
        atoms.map(|atoms| atoms * atoms).sum()
    }

    /// All buffers by their names in shaders.
    pub(crate) fn bound(&self) -> [Bound<'_>; 20] {
        self.memory.bound()
    }

    /// The kernels of an evaluation of the forces, in their order.
    pub(crate) fn evaluation(&self) -> &[Dispatch] {
        &self.evaluation
    }

    /// Puts the atoms of every system at its `positions`, Å.
    pub(crate) fn place(&mut self, positions: &[&[Vector3<f64>]]) {
        assert_eq!(positions.len(), self.len(), "positions of every system");
        let mut places = Vec::with_capacity(4 * self.layout.rows);
        let mut rests = Vec::with_capacity(4 * self.layout.rows);
        let all = self.layout.places.iter().zip(positions);
        for ((place, positions), middle) in all.zip(&mut self.middles) {
            assert_eq!(positions.len(), place.rows.len(), "one position an atom");
            *middle = centroid(positions);
            for position in *positions {
                let exact = position - *middle;
                let near = exact.map(|x| x as f32);
                let rest = (exact - near.map(f64::from)).map(|x| x as f32);
                places.extend([near.x, near.y, near.z, 0.0].map(f32::to_bits));
                rests.extend([rest.x, rest.y, rest.z, 0.0].map(f32::to_bits));
            }
        }
        self.gpu.overwrite(&self.memory.places, 0, &places);
        self.gpu.overwrite(&self.memory.rests, 0, &rests);
    }

    /// Where the atoms of every system are, Å.
    pub(crate) fn positions(&self) -> Result<Vec<Vec<Vector3<f64>>>> {
        let places = self.vectors(&self.gpu.fetched(&self.memory.places)?);
        let rests = self.vectors(&self.gpu.fetched(&self.memory.rests)?);
        let mut positions = places;
        for ((positions, rests), middle) in positions.iter_mut().zip(&rests).zip(&self.middles) {
            for (position, rest) in positions.iter_mut().zip(rests) {
                *position += rest + middle;
            }
        }
        Ok(positions)
    }

    /// The forces that the last evaluation left, kJ/mol/Å, of every system.
    pub(crate) fn forces(&self) -> Result<Vec<Vec<Vector3<f64>>>> {
        Ok(self.vectors(&self.gpu.fetched(&self.memory.forces)?))
    }

    /// The vectors of every system in rows of four words.
    pub(crate) fn vectors(&self, words: &[u32]) -> Vec<Vec<Vector3<f64>>> {
        let row = |row: usize| Vector3::from_fn(|axis, _| wide(words[4 * row + axis]));
        let of_system = |place: &Place| place.rows.clone().map(row).collect();
        self.layout.places.iter().map(of_system).collect()
    }

    /// The kernel that adds up the energies of an evaluation.
    pub(crate) fn adding_up(&self) -> &Dispatch {
        &self.add_up
    }

    /// From now on only these systems are computed; what is not, stays as it is.
    pub(crate) fn run_only(&self, chosen: &[bool]) {
        let words: Vec<u32> = chosen.iter().map(|&chosen| chosen.into()).collect();
        self.gpu.overwrite(&self.memory.running, 0, &words);
    }

    /// Whether each system is computed.
    pub(crate) fn running(&self) -> Result<Vec<bool>> {
        let words = self.gpu.fetched(&self.memory.running)?;
        Ok(words.iter().map(|&word| word != 0).collect())
    }

    /// Adds up the energies that the last evaluation left.
    pub(crate) fn add_up(&self) -> Result<Vec<Energies>> {
        self.gpu.repeat(&[&self.add_up], 1);
        let words = self.gpu.fetched(&self.memory.totals)?;
        Ok(words.chunks(16).map(energies).collect())
    }
}

/// The energies of a system from its words: terms as sums, then what is left of each.
fn energies(words: &[u32]) -> Energies {
    let term = |at: usize| wide(words[at]) + wide(words[8 + at]);
    let mut energies = Energies {
        bond: term(0),
        angle: term(1),
        torsion: term(2),
        nonbonded: term(3) + term(4),
        obc2: term(5),
        surface: term(6),
        total: 0.0,
    };
    energies.total = energies.terms().iter().map(|term| term.1).sum();
    energies
}

/// The number of a word.
fn wide(word: u32) -> f64 {
    f32::from_bits(word).into()
}
