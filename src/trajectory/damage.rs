//! Frames that are no molecule: zeros where positions were never written, numbers that overflowed,
//! molecules torn apart.
//!
//! One judge for everything that reads trajectories. It does not ask whether the geometry is good
//! (`geometry::validity` does), but whether the frame can be a snapshot of the molecule at all.

use nalgebra::Vector3;

use crate::structure::{Cell, Lattice, Topology};

/// Longest bond of a frame that is a molecule, Å: S–S, the longest, is 2.05 Å at rest.
pub const LONGEST_BOND: f64 = 3.0;
/// Shortest, Å: files round to 0.01 Å, and a bond of hydrogen is 1 Å.
const SHORTEST_BOND: f64 = 0.05;
/// No coordinate is farther from the origin, Å: XTC of 0.01 Å reaches as far.
const FARTHEST: f64 = 1e8;

/// Why a frame is no molecule. Atoms are indices into the topology of the [`Judge`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Damage {
    /// A coordinate of this atom is no finite number.
    NotFinite(usize),
    /// A coordinate of this atom is farther from the origin than files can tell atoms apart.
    Overflow(usize),
    /// All atoms are at one point.
    OnePoint,
    /// Two atoms that follow each other are at one point.
    Coincident([usize; 2]),
    /// A bond of this length, Å, which no molecule has.
    Torn([usize; 2], f64),
}

impl Damage {
    /// In words, atoms named by their topology.
    pub fn describe(&self, topology: &Topology) -> String {
        let label = |atom: usize| topology.atom_label(atom);
        match *self {
            Damage::NotFinite(atom) => format!("{} is at no finite position", label(atom)),
            Damage::Overflow(atom) => {
                format!(
                    "{} is more than {FARTHEST:e} Å from the origin",
                    label(atom)
                )
            }
            Damage::OnePoint => "all atoms are at one point".to_owned(),
            Damage::Coincident([i, j]) => format!("{} and {} are at one point", label(i), label(j)),
            Damage::Torn([i, j], length) => {
                let length = if length < 1e4 {
                    format!("{length:.1}")
                } else {
                    format!("{length:.1e}")
                };
                format!("the bond {} – {} is {length} Å long", label(i), label(j))
            }
        }
    }
}

/// Judges frames of one topology.
#[derive(Debug, Clone)]
pub struct Judge {
    bonds: Vec<[usize; 2]>,
}

impl Judge {
    /// For frames that hold the atoms of `topology` in its order.
    pub fn new(topology: &Topology) -> Self {
        Judge {
            bonds: topology.bonds.clone(),
        }
    }

    /// What is wrong with a frame (Å), if anything. Molecules may be broken over the cell.
    pub fn damage(&self, positions: &[Vector3<f64>], cell: Option<&Cell>) -> Option<Damage> {
        let first = |is_bad: &dyn Fn(&Vector3<f64>) -> bool| positions.iter().position(is_bad);
        if let Some(atom) = first(&|x| !x.iter().all(|value| value.is_finite())) {
            return Some(Damage::NotFinite(atom));
        }
        if let Some(atom) = first(&|x| x.amax() > FARTHEST) {
            return Some(Damage::Overflow(atom));
        }
        let same = |pair: &[Vector3<f64>]| pair[0] == pair[1];
        if positions.len() > 1 && positions.windows(2).all(same) {
            return Some(Damage::OnePoint);
        }
        if let Some(atom) = positions.windows(2).position(same) {
            return Some(Damage::Coincident([atom, atom + 1]));
        }
        let lattice = cell.and_then(Lattice::new);
        self.bonds.iter().find_map(|&[i, j]| {
            let apart = positions[j] - positions[i];
            let length = lattice
                .as_ref()
                .map_or(apart, |lattice| lattice.nearest(apart))
                .norm();
            let whole = (SHORTEST_BOND..=LONGEST_BOND).contains(&length);
            (!whole).then_some(Damage::Torn([i, j], length))
        })
    }
}

/// A frame that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedFrame {
    /// Its number in the file, from 0.
    pub frame: usize,
    /// What is wrong with it, in words.
    pub what: String,
}

/// One line on the frames that a file of `frames` frames lost; nothing where none was.
pub fn summary(damaged: &[DamagedFrame], frames: usize) -> Option<String> {
    let first = damaged.first()?;
    let numbers: Vec<usize> = damaged.iter().map(|damaged| damaged.frame).collect();
    let verb = if damaged.len() == 1 { "is" } else { "are" };
    Some(format!(
        "{} of {frames} frames {verb} no molecule and left out: {}; frame {}: {}",
        damaged.len(),
        ranges(&numbers),
        first.frame,
        first.what
    ))
}

/// Ascending numbers as `3, 7–9, …`, at most [`RANGES`] of them.
pub(crate) fn ranges(numbers: &[usize]) -> String {
    const RANGES: usize = 5;
    let runs: Vec<&[usize]> = numbers.chunk_by(|a, b| a + 1 == *b).collect();
    let mut words: Vec<String> = runs
        .iter()
        .take(RANGES)
        .map(|run| match run {
            [one] => one.to_string(),
            _ => format!("{}–{}", run[0], run[run.len() - 1]),
        })
        .collect();
    if runs.len() > RANGES {
        words.push("…".to_owned());
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::{ReadOptions, read};

    fn akle() -> (Topology, Vec<Vector3<f64>>) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/structures/akle.pdb");
        let structure = read(path.as_ref(), &ReadOptions::default()).unwrap();
        (structure.topology, structure.frame.positions)
    }

    #[test]
    fn a_molecule_is_whole_anywhere_and_broken_over_its_cell() {
        let (topology, positions) = akle();
        let judge = Judge::new(&topology);
        assert_eq!(judge.damage(&positions, None), None);
        let far: Vec<_> = positions.iter().map(|x| x.add_scalar(-3e5)).collect();
        assert_eq!(judge.damage(&far, None), None);
        let cell = Cell {
            lengths: [14.0, 15.0, 16.0],
            angles: [90.0, 80.0, 70.0],
        };
        let rows = cell.vectors();
        let mut broken = positions.clone();
        for (atom, x) in broken
            .iter_mut()
            .enumerate()
            .filter(|(atom, _)| atom % 3 == 0)
        {
            *x += rows.row(atom % 2).transpose();
        }
        assert_eq!(judge.damage(&broken, Some(&cell)), None);
        assert!(matches!(
            judge.damage(&broken, None),
            Some(Damage::Torn(..))
        ));
    }

    #[test]
    fn what_is_no_molecule_is_told_by_kind() {
        let (topology, whole) = akle();
        let judge = Judge::new(&topology);
        let half = whole.len() / 2;
        let broken = |change: &dyn Fn(&mut Vec<Vector3<f64>>)| {
            let mut positions = whole.clone();
            change(&mut positions);
            judge.damage(&positions, None)
        };
        let point = Vector3::new(7.0, -1.0, 0.5);
        assert_eq!(broken(&|x| x.fill(point)), Some(Damage::OnePoint));
        assert_eq!(
            broken(&|x| x[half..].fill(Vector3::zeros())),
            Some(Damage::Coincident([half, half + 1]))
        );
        assert_eq!(broken(&|x| x[5].y = f64::NAN), Some(Damage::NotFinite(5)));
        assert_eq!(broken(&|x| x[5].y = 1e30), Some(Damage::Overflow(5)));
        let torn = broken(&|x| x[half..].iter_mut().for_each(|x| x.z += 30.0));
        assert!(
            matches!(torn, Some(Damage::Torn(_, length)) if (25.0..35.0).contains(&length)),
            "{torn:?}"
        );
        // one atom that was never set
        let lone = broken(&|x| x[4] = Vector3::new(0.0, 0.0, 90.0));
        assert!(
            matches!(lone, Some(Damage::Torn([_, 4] | [4, _], _))),
            "{lone:?}"
        );
        let words = torn.unwrap().describe(&topology);
        assert!(
            words.starts_with("the bond A:") && words.ends_with("Å long"),
            "{words}"
        );
    }

    #[test]
    fn frames_are_named_in_ranges() {
        assert_eq!(ranges(&[70]), "70");
        assert_eq!(ranges(&[1, 3, 4, 5, 9, 11, 13, 15]), "1, 3–5, 9, 11, 13, …");
        let damaged = [70, 71].map(|frame| DamagedFrame {
            frame,
            what: "all atoms are at one point".into(),
        });
        assert_eq!(
            summary(&damaged, 121).unwrap(),
            "2 of 121 frames are no molecule and left out: 70–71; frame 70: all atoms are at one \
             point"
        );
        assert_eq!(summary(&[], 121), None);
    }
}
