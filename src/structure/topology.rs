//! What never changes in a simulation: atoms, residues, chains, bonds, masses.

use std::ops::Range;

pub use pdbtbx::Element;

/// One atom of a [`Topology`].
#[derive(Debug, Clone, PartialEq)]
pub struct Atom {
    /// Name, without blanks: `CA`, `HD11`; of structures read from files, that of its
    /// [template](super::residues).
    pub name: String,
    /// Chemical element.
    pub element: Element,
    /// Index of its residue in [`Topology::residues`].
    pub residue: usize,
    /// Serial number that the user's file gives it.
    pub serial: usize,
    /// Mass, Da.
    pub mass: f64,
}

/// One residue of a [`Topology`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Residue {
    /// Three-letter name: `LYS`; of structures read from files, that of its
    /// [template](super::residues).
    pub name: String,
    /// Index of its chain in [`Topology::chains`].
    pub chain: usize,
    /// Number in the file (author numbering).
    pub number: isize,
    /// Insertion code, where there is one.
    pub insertion: Option<char>,
    /// Its atoms, a range of [`Topology::atoms`].
    pub atoms: Range<usize>,
}

/// One chain of a [`Topology`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Identifier in the file; may be empty.
    pub id: String,
    /// Its residues, a range of [`Topology::residues`].
    pub residues: Range<usize>,
}

/// Atoms in file order (chain, residue, atom), with the bonds that residue templates give them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Topology {
    /// All atoms.
    pub atoms: Vec<Atom>,
    /// All residues, in order.
    pub residues: Vec<Residue>,
    /// All chains, in order.
    pub chains: Vec<Chain>,
    /// Bonds `[i, j]`, `i < j`, sorted, without repeats.
    pub bonds: Vec<[usize; 2]>,
}

impl Topology {
    /// Number of atoms.
    pub fn len(&self) -> usize {
        self.atoms.len()
    }
    /// Whether there is no atom.
    pub fn is_empty(&self) -> bool {
        self.atoms.is_empty()
    }
    /// The residue of atom `atom`.
    pub fn residue_of(&self, atom: usize) -> &Residue {
        &self.residues[self.atoms[atom].residue]
    }
    /// `A:LYS 27`, as error messages name a residue.
    pub fn residue_label(&self, residue: usize) -> String {
        let residue = &self.residues[residue];
        let chain = &self.chains[residue.chain].id;
        let colon = if chain.is_empty() { "" } else { ":" };
        let insertion = residue.insertion.map(String::from).unwrap_or_default();
        format!(
            "{chain}{colon}{} {}{insertion}",
            residue.name, residue.number
        )
    }
    /// `A:LYS 27:CG`, as error messages and logs name an atom.
    pub fn atom_label(&self, atom: usize) -> String {
        let atom = &self.atoms[atom];
        format!("{}:{}", self.residue_label(atom.residue), atom.name)
    }
    /// The sequence in one-letter code, chains set apart by `/`; caps are no part of it, and `X`
    /// stands for whatever is not one of the twenty in any of its forms.
    pub fn sequence(&self) -> String {
        let of = |chain: &Chain| -> String {
            let residues = self.residues[chain.residues.clone()].iter();
            let names = residues.map(|residue| residue.name.as_str());
            let inner = names.filter(|name| !["ACE", "NME", "NHE"].contains(name));
            inner.map(letter).collect()
        };
        let chains: Vec<String> = self.chains.iter().map(of).collect();
        chains.join("/")
    }
    /// The atom of this residue with this name.
    pub fn atom_named(&self, residue: usize, name: &str) -> Option<usize> {
        self.residues[residue]
            .atoms
            .clone()
            .find(|&atom| self.atoms[atom].name == name)
    }
    /// Bonded neighbours of every atom, each list sorted.
    pub fn neighbours(&self) -> Vec<Vec<usize>> {
        let mut lists = vec![Vec::new(); self.len()];
        for &[i, j] in &self.bonds {
            lists[i].push(j);
            lists[j].push(i);
        }
        lists.iter_mut().for_each(|list| list.sort_unstable());
        lists
    }
    /// For every atom the atoms within `limit` bonds (itself left out) with their bond-graph
    /// distance, sorted by atom.
    pub fn bond_distances(&self, limit: u8) -> Vec<Vec<(usize, u8)>> {
        let neighbours = self.neighbours();
        let reach = |start: usize| {
            let mut found = vec![(start, 0u8)];
            let mut next = 0;
            while next < found.len() {
                let (atom, distance) = found[next];
                next += 1;
                if distance == limit {
                    break; // breadth first: all later ones are as far
                }
                for &other in &neighbours[atom] {
                    if !found.iter().any(|&(seen, _)| seen == other) {
                        found.push((other, distance + 1));
                    }
                }
            }
            found.remove(0);
            found.sort_unstable();
            found
        };
        (0..self.len()).map(reach).collect()
    }
    /// The sub-topology of `atoms` (ascending indices); residues and chains left without atoms are
    /// dropped.
    pub fn select(&self, atoms: &[usize]) -> Topology {
        let mut out = Topology::default();
        let mut place = vec![usize::MAX; self.len()];
        let (mut last_residue, mut last_chain) = (usize::MAX, usize::MAX);
        for &index in atoms {
            let atom = &self.atoms[index];
            let residue = &self.residues[atom.residue];
            if residue.chain != last_chain {
                last_chain = residue.chain;
                let start = out.residues.len();
                out.chains.push(Chain {
                    id: self.chains[last_chain].id.clone(),
                    residues: start..start,
                });
            }
            if atom.residue != last_residue {
                last_residue = atom.residue;
                let start = out.atoms.len();
                out.residues.push(Residue {
                    chain: out.chains.len() - 1,
                    atoms: start..start,
                    ..residue.clone()
                });
                out.chains.last_mut().expect("pushed above").residues.end += 1;
            }
            place[index] = out.atoms.len();
            out.atoms.push(Atom {
                residue: out.residues.len() - 1,
                ..atom.clone()
            });
            out.residues.last_mut().expect("pushed above").atoms.end += 1;
        }
        let kept = |&[i, j]: &[usize; 2]| {
            Some([place[i], place[j]]).filter(|pair| !pair.contains(&usize::MAX))
        };
        out.bonds = self.bonds.iter().filter_map(kept).collect();
        out
    }
    /// Indices of all atoms that are not hydrogen, ascending: the tokens of the network.
    pub fn heavy_atoms(&self) -> Vec<usize> {
        (0..self.len())
            .filter(|&atom| self.atoms[atom].element != Element::H)
            .collect()
    }
}

/// One-letter code of a residue.
fn letter(name: &str) -> char {
    match name {
        "ALA" => 'A',
        "ARG" | "ARN" => 'R',
        "ASN" => 'N',
        "ASP" | "ASH" => 'D',
        "CYS" | "CYX" | "CYM" => 'C',
        "GLN" => 'Q',
        "GLU" | "GLH" => 'E',
        "GLY" => 'G',
        "HIS" | "HID" | "HIE" | "HIP" => 'H',
        "ILE" => 'I',
        "LEU" => 'L',
        "LYS" | "LYN" => 'K',
        "MET" => 'M',
        "PHE" => 'F',
        "PRO" => 'P',
        "SER" => 'S',
        "THR" => 'T',
        "TRP" => 'W',
        "TYR" => 'Y',
        "VAL" => 'V',
        _ => 'X',
    }
}
