//! A trajectory whose next frames are predicted: its frames, what of its atoms is looked at, and
//! which pairs of frames are for what.

use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use clap::ValueEnum;
use mdsurrogate::error::Place;
use mdsurrogate::files;
use mdsurrogate::geometry::superpose::{pick, superpose};
use mdsurrogate::network::{DataFile, PROTEIN, Tokens, Vocabulary};
use mdsurrogate::structure::{Element, Frame, ReadOptions, Topology};
use mdsurrogate::trajectory::{Layout, MoleculeReader};
use mdsurrogate::{Error, Result};
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

/// Which atoms are predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Atoms {
    /// N, CA, C and O
    Backbone,
    /// All but hydrogens
    Heavy,
    /// All
    All,
}

impl Atoms {
    /// Its name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Atoms::Backbone => "backbone",
            Atoms::Heavy => "heavy",
            Atoms::All => "all",
        }
    }

    /// These of a topology. Of a last residue's two oxygens none is of the backbone: so there are
    /// 855 of adenylate kinase, as in the published tables, whose topology calls them OT1 and OT2.
    fn of(self, topology: &Topology) -> Vec<usize> {
        let is_last = |residue: usize| topology.atom_named(residue, "OXT").is_some();
        let is_in = |&index: &usize| {
            let atom = &topology.atoms[index];
            match self {
                Atoms::All => true,
                Atoms::Heavy => atom.element != Element::H,
                Atoms::Backbone => match atom.name.as_str() {
                    "N" | "CA" | "C" => true,
                    "O" => !is_last(atom.residue),
                    _ => false,
                },
            }
        };
        (0..topology.len()).filter(is_in).collect()
    }
}

/// The alphabet of proteins, and one letter more for all hydrogens.
static ALPHABET: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary {
    name: "protein and hydrogens",
    atoms: Vec::leak([PROTEIN.atoms, &["H"]].concat()),
    residues: PROTEIN.residues,
    places: PROTEIN.places,
    forms: PROTEIN.forms,
    backbone: PROTEIN.backbone,
});

/// What tokens are told apart by.
pub fn alphabet() -> &'static Vocabulary {
    &ALPHABET
}

/// SHA-256 of the trajectory of adenylate kinase that the published numbers are of,
/// `1ake_007-nowater-core-dt240ps.dcd` (Seyler & Beckstein 2017, doi 10.6084/m9.figshare.5108170).
pub const ADK: &str = "598fcbcfcc425f6eafbe9997238320fcacc6a4613ecce061e1521732bab734bf";
/// Pairs of it that are trained on, validated on, tested on.
const ADK_SPLIT: [usize; 3] = [2481, 827, 863];

/// A trajectory.
pub struct System {
    /// Name of its file, without ending.
    pub name: String,
    /// First 16 digits of the hash of its file.
    pub hash: String,
    /// Whether it is that of the published numbers.
    pub is_adk: bool,
    /// The atoms that are looked at.
    pub atoms: Atoms,
    /// How networks see them.
    pub tokens: Tokens,
    /// Their positions, Å.
    pub frames: Vec<Vec<Vector3<f64>>>,
}

impl System {
    /// Reads a trajectory. Frames are superposed on the first one by the backbone, but those of the
    /// published numbers, which are superposed on the domain CORE as they come.
    ///
    /// # Errors
    /// [`Error::Input`] naming file, atom or frame.
    pub fn load(topology: &Path, trajectory: &Path, atoms: Atoms) -> Result<System> {
        let bytes =
            std::fs::read(trajectory).map_err(|error| Error::reading(trajectory, &error))?;
        let hash = DataFile::of(trajectory, &bytes).sha256;
        drop(bytes);
        let is_adk = hash == ADK;
        let layout = Layout::load(topology, &ReadOptions::default())?;
        let indices = atoms.of(layout.topology());
        let mut reader = MoleculeReader::open(&layout, trajectory, &indices, None)?;
        let own = reader.topology().clone();
        let backbone = Atoms::Backbone.of(&own);
        let mut frames: Vec<Vec<Vector3<f64>>> = Vec::new();
        let mut frame = Frame::default();
        for index in 0..reader.file().len() {
            if let Some(damage) = reader.read_at(index, &mut frame)? {
                return Err(reader.damaged(index, &damage, ""));
            }
            let mut positions = frame.positions.clone();
            if let Some(first) = frames.first().filter(|_| !is_adk) {
                let fit = superpose(&pick(&positions, &backbone), &pick(first, &backbone));
                fit.apply_all(&mut positions);
            }
            frames.push(positions);
        }
        let name = files::file_name(trajectory);
        let (name, _) = name.split_once('.').unwrap_or((&name, ""));
        Ok(System {
            name: name.to_owned(),
            hash: hash[..16].to_owned(),
            is_adk,
            atoms,
            tokens: Tokens::of_kinds(&own, kinds(&own)?),
            frames,
        })
    }

    /// First frames of the pairs that are trained on, validated on and tested on, in the order of
    /// time; the frame behind the first is known too, for look-ahead velocities. A lag is left out
    /// between one and the next, but in the published protocol.
    ///
    /// # Errors
    /// [`Error::Usage`] where there are too few frames.
    pub fn split(&self, lag: usize) -> Result<[Range<usize>; 3]> {
        split(self.frames.len(), lag, self.is_adk).ok_or_else(|| {
            let frames = self.frames.len();
            Error::usage(
                format!("{frames} frames are too few for pairs {lag} frames apart"),
                "use a longer trajectory, or a shorter --lag",
            )
        })
    }
}

fn split(frames: usize, lag: usize, is_published: bool) -> Option<[Range<usize>; 3]> {
    let pairs = frames.checked_sub(lag + 1)?;
    if is_published && pairs == ADK_SPLIT.iter().sum::<usize>() {
        let [a, b, _] = ADK_SPLIT;
        return Some([0..a, a..a + b, a + b..pairs]);
    }
    let [a, b] = [6, 8].map(|tenths| tenths * pairs / 10);
    let all = [0..a, a + lag..b, b + lag..pairs];
    all.iter().all(|range| !range.is_empty()).then_some(all)
}

/// Rows of the alphabet's tables of every atom.
fn kinds(topology: &Topology) -> Result<Vec<[u16; 3]>> {
    let of = |index: usize| {
        let atom = &topology.atoms[index];
        let residue = &topology.residues[atom.residue];
        let name = if atom.element == Element::H {
            "H"
        } else {
            &atom.name
        };
        let unknown = || {
            Error::input(
                Place::atom(topology.atom_label(index)),
                "is of no known amino acid",
                "give a protein alone, with standard names",
            )
        };
        let row = alphabet().atom(name).ok_or_else(unknown)?;
        let kind = alphabet().residue(&residue.name).ok_or_else(unknown)?;
        let chain = &topology.chains[residue.chain].residues;
        let is_first = usize::from(atom.residue == chain.start);
        let is_last = usize::from(atom.residue + 1 == chain.end);
        Ok([row, kind, (is_first + 2 * is_last) as u16])
    };
    (0..topology.len()).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 4,187 frames, pairs 15 apart: the numbers of the published protocol.
    #[test]
    fn the_published_split_is_that_of_its_frames() {
        let [training, validation, test] = split(4187, 15, true).unwrap();
        assert_eq!([training.len(), validation.len(), test.len()], ADK_SPLIT);
        assert_eq!((validation.start, test.end), (2481, 4171));
    }

    #[test]
    fn no_pair_of_one_part_reaches_into_the_next() {
        let [training, validation, test] = split(100, 15, false).unwrap();
        assert_eq!(
            [&training, &validation, &test],
            [&(0..50), &(65..67), &(82..84)]
        );
        assert!(training.end - 1 + 15 < validation.start);
        assert!(validation.end - 1 + 15 < test.start && test.end - 1 + 16 < 100);
        assert_eq!(split(20, 15, false), None);
        assert_eq!(split(9, 15, false), None);
    }

    #[test]
    fn atoms_are_chosen_as_published() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let topology = root.join("data/structures/trpcage.pdb");
        let trajectory = root.join("tests/data/compare/trpcage.xtc");
        // 20 residues of 4, less the oxygen of the last
        for (atoms, count) in [
            (Atoms::Backbone, 79),
            (Atoms::Heavy, 154),
            (Atoms::All, 304),
        ] {
            let system = System::load(&topology, &trajectory, atoms).unwrap();
            assert_eq!((system.tokens.len(), system.frames.len()), (count, 100));
            assert!(!system.is_adk && system.name == "trpcage");
        }
        let hydrogen = alphabet().atom("H").unwrap();
        assert_eq!(usize::from(hydrogen) + 1, alphabet().atoms.len());
    }
}
