//! Where the records of a structure file hold the atoms that were read: what frames of a trajectory
//! of the same system hold in the same order.

use super::Topology;

/// What an atom record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A residue that was read.
    Protein,
    /// Anything else that is left out.
    Other,
    /// A residue of one atom that is left out.
    Ion,
    Water,
}

/// A selection's name, and whether a record is of it.
type Selection = (&'static str, fn(Kind) -> bool);

/// The atom records of a model of a structure file, and which of them are the atoms that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtomRecords {
    /// Of every record, waters and all.
    kinds: Vec<Kind>,
    /// The record of every atom that was read.
    atoms: Vec<usize>,
}

impl AtomRecords {
    /// Those of a model that has so many, of which some are of waters.
    pub(super) fn new(records: usize, waters: &[usize]) -> Self {
        let mut kinds = vec![Kind::Other; records];
        for &record in waters {
            kinds[record] = Kind::Water;
        }
        AtomRecords {
            kinds,
            atoms: Vec::new(),
        }
    }

    /// Says what these records are: those of a residue, which was read or was not.
    pub(super) fn add_residue(&mut self, records: &[usize], is_read: bool) {
        let kind = match (is_read, records) {
            (true, _) => Kind::Protein,
            (false, [_]) => Kind::Ion,
            (false, _) => Kind::Other,
        };
        for &record in records {
            self.kinds[record] = kind;
        }
    }

    /// Says which record every atom that was read is of.
    pub(super) fn set_atoms(&mut self, atoms: Vec<usize>) {
        self.atoms = atoms;
    }

    /// The selections of a system that programs write trajectories of, the largest first: whether a
    /// record is among them.
    fn selections(&self) -> [Selection; 4] {
        [
            ("all its atoms", |_| true),
            ("all but water", |kind| kind != Kind::Water),
            ("all but water and ions", |kind| {
                matches!(kind, Kind::Protein | Kind::Other)
            }),
            ("its protein", |kind| kind == Kind::Protein),
        ]
    }

    /// For every atom of `topology`, which is that of the file, its place in a frame of `count`
    /// atoms, in the file's order: as many as the file has records (all, all but water, all but
    /// water and ions, the protein's), as were read of it, or as it has heavy atoms (hydrogens then
    /// have no place). Nothing for other numbers.
    pub fn places(&self, topology: &Topology, count: usize) -> Option<Vec<Option<usize>>> {
        let mut wanted = vec![false; self.kinds.len()];
        for (_, is_kept) in self.selections() {
            for (wanted, &kind) in wanted.iter_mut().zip(&self.kinds) {
                *wanted = is_kept(kind);
            }
            if wanted.iter().filter(|&&wanted| wanted).count() == count {
                return Some(self.ranks(&wanted));
            }
        }
        let all: Vec<usize> = (0..topology.len()).collect();
        for atoms in [all, topology.heavy_atoms()] {
            if atoms.len() == count {
                wanted.fill(false);
                atoms
                    .iter()
                    .for_each(|&atom| wanted[self.atoms[atom]] = true);
                return Some(self.ranks(&wanted));
            }
        }
        None
    }

    /// For every atom that was read its place among the records that are wanted.
    fn ranks(&self, wanted: &[bool]) -> Vec<Option<usize>> {
        let mut next = 0;
        let places: Vec<Option<usize>> = wanted
            .iter()
            .map(|&wanted| {
                next += usize::from(wanted);
                wanted.then(|| next - 1)
            })
            .collect();
        self.atoms.iter().map(|&record| places[record]).collect()
    }

    /// What frames of this system may hold, in words: `47681 (all its atoms), 3341 (its protein)`.
    pub fn numbers(&self, topology: &Topology) -> String {
        let mut found: Vec<(usize, &str)> = self
            .selections()
            .iter()
            .map(|(name, is_kept)| {
                let kept = self.kinds.iter().filter(|&&kind| is_kept(kind));
                (kept.count(), *name)
            })
            .collect();
        found.push((topology.len(), "those that are read"));
        found.push((topology.heavy_atoms().len(), "heavy atoms of its protein"));
        let mut words: Vec<String> = Vec::new();
        for (index, (count, name)) in found.iter().enumerate() {
            if found[..index].iter().all(|(known, _)| known != count) {
                words.push(format!("{count} ({name})"));
            }
        }
        words.join(", ")
    }
}
