//! What reading a structure found, left out and put right.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::atom_records::AtomRecords;
use super::source::Format;

/// A chain of the topology.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChainSummary {
    /// Identifier in the file; may be empty.
    pub id: String,
    /// Number of residues.
    pub residues: usize,
    /// Number of atoms.
    pub atoms: usize,
    /// First and last residue, as `LYS 27`.
    pub ends: [String; 2],
}

/// Heavy atoms that a residue should have and has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingAtoms {
    /// `A:LYS 27`
    pub residue: String,
    /// Names in template order.
    pub atoms: Vec<String>,
    /// Whether one of them is N, CA or C, which cannot be built from a template.
    pub backbone: bool,
}

/// Two residues that follow each other in a chain without a bond.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Break {
    /// `A:LYS 27`
    pub before: String,
    /// `A:GLY 31`
    pub after: String,
    /// C–N distance, Å; none where one of the two atoms is missing.
    pub distance: Option<f64>,
}

/// What reading a structure found, left out and put right.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The file.
    pub file: PathBuf,
    /// What it is written in.
    pub format: Format,
    /// Whether it is gzipped.
    pub compressed: bool,
    /// Number of models in the file.
    pub models: usize,
    /// Number of the model that was read.
    pub model: usize,
    /// Chains read.
    pub chains: Vec<ChainSummary>,
    /// Residues read.
    pub residues: usize,
    /// Atoms read.
    pub atoms: usize,
    /// Those that are not hydrogen: the tokens of the network.
    pub heavy_atoms: usize,
    /// Those that are.
    pub hydrogens: usize,
    /// Bonds found.
    pub bonds: usize,
    /// Edges a, b, c in Å and angles α, β, γ in degrees of the periodic cell, where there is one.
    pub cell: Option<[f64; 6]>,
    /// Waters left out.
    pub waters: usize,
    /// Other residues left out (ions, ligands, nucleic acids), by name.
    pub left_out: BTreeMap<String, usize>,
    /// Atoms left out of residues that were read, for want of a place in their template: `A:LYS
    /// 27:C99`.
    pub unknown_atoms: Vec<String>,
    /// Residues of which one of several alternative locations was chosen.
    pub alternatives: usize,
    /// Atoms that repeat another exactly, read once.
    pub repeated_atoms: usize,
    /// Names put right and how often: `HSD → HID`, `ILE:CD → CD1`.
    pub renamed: BTreeMap<String, usize>,
    /// Incomplete residues. OXT is not missed: many files end a chain without it.
    pub missing: Vec<MissingAtoms>,
    /// Where chains are interrupted.
    pub breaks: Vec<Break>,
    /// Disulfides, as pairs of residues.
    pub disulfides: Vec<[String; 2]>,
    /// Bonds that run through rings, in words: no simulation can start from them.
    pub pierced: Vec<String>,
    /// Which atom records of the file are the atoms that were read.
    #[serde(skip)]
    pub records: AtomRecords,
    /// Residues and bonds inside chains that [`ReadOptions::lenient`](super::ReadOptions) left out,
    /// one line each.
    pub passed_over: Vec<String>,
    /// Everything that a user should know before trusting the result, one line each.
    pub warnings: Vec<String>,
}

impl Report {
    /// One line that counts what was left out, or nothing if all was read.
    pub fn left_out_line(&self) -> Option<String> {
        let waters = (self.waters > 0).then(|| plural(self.waters, "water"));
        let others = self
            .left_out
            .iter()
            .map(|(name, count)| format!("{count} {name}"));
        let parts: Vec<String> = waters.into_iter().chain(others).collect();
        (!parts.is_empty()).then(|| format!("left out: {}", parts.join(", ")))
    }

    /// What every command says of a structure before it begins: what was left out, and the
    /// warnings.
    pub fn lines(&self) -> Vec<String> {
        let warnings = self.warnings.iter();
        let warnings = warnings.map(|warning| format!("warning: {warning}"));
        self.left_out_line().into_iter().chain(warnings).collect()
    }
}

/// `1 water`, `2 waters`
pub(crate) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
