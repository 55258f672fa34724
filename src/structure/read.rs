//! Reading structures: PDB and mmCIF, plain or gzipped, and what chemfiles reads for us.

use std::path::Path;

use super::assemble::assemble;
use super::collector::Wanted;
use super::models::Model;
use super::pdb::Lexed;
use super::records::Records;
use super::report::plural;
use super::residues::family;
use super::source::{Format, Source, load};
use super::{Cell, Frame, ReadOptions, Report, Structure, Topology, cif, pdb};
use crate::error::Place;
use crate::{Error, Result};

/// Reads the protein of a PDB or mmCIF file, plain or gzipped (told by content, not by name), or,
/// by its name, of another format that chemfiles reads.
///
/// ```
/// use mdsurrogate::structure::{ReadOptions, read};
///
/// let akle = read("data/structures/akle.pdb".as_ref(), &ReadOptions::default())?;
/// assert_eq!(akle.topology.sequence(), "AKLE");
/// assert_eq!(akle.topology.heavy_atoms().len(), 32);
/// assert_eq!(akle.topology.atom_label(0), "A:ALA 1:N");
/// assert_eq!(akle.frame.positions.len(), akle.topology.len()); // Å
/// # Ok::<(), mdsurrogate::Error>(())
/// ```
///
/// # Errors
/// [`Error::Input`] naming file, line and atom: no such file, empty, cut short, no structure, a
/// position that is no finite number, two atoms at one place, a residue without template inside a
/// chain, no protein. [`Error::Usage`]: no such model, chain or alternative.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Structure> {
    let wanted = options.model_number.map_or(Wanted::First, Wanted::Number);
    let mut reading = Reading::new(path, wanted)?;
    reading.models.truncate(1);
    reading
        .structures(options)
        .next()
        .unwrap_or_else(|| Err(reading.no_model()))
}

/// Reads all models of a file as frames of one topology, that of the first.
///
/// The format knows no times: frame *i* is given step *i* and time *i* ps.
///
/// # Errors
/// Those of [`read()`], and [`Error::Input`] naming a model whose atoms differ from the first
/// one's.
pub fn read_models(path: &Path, options: &ReadOptions) -> Result<(Structure, Vec<Frame>)> {
    let reading = Reading::new(
        path,
        options.model_number.map_or(Wanted::All, Wanted::Number),
    )?;
    let mut structures = reading.structures(options);
    let first = structures
        .next()
        .unwrap_or_else(|| Err(reading.no_model()))?;
    let mut frames = vec![first.frame.clone()];
    for (index, other) in structures.enumerate() {
        let other = other?;
        if let Some(what) = difference(&first.topology, &other.topology) {
            let place = Place::file(path).at_frame(index + 1);
            let what = format!(
                "model {} differs from model {}: {what}",
                other.report.model, first.report.model
            );
            return Err(Error::input(
                place,
                what,
                "read one of them with --model-number",
            ));
        }
        frames.push(Frame {
            step: index as u64 + 1,
            time: index as f64 + 1.0,
            ..other.frame
        });
    }
    Ok((first, frames))
}

/// In what two topologies' atoms differ. Bonds may, and charge states: both depend on the
/// positions.
fn difference(a: &Topology, b: &Topology) -> Option<String> {
    let label = |topology: &Topology, atom: usize| {
        if atom < topology.len() {
            topology.atom_label(atom)
        } else {
            "nothing".to_owned()
        }
    };
    let identity = |topology: &Topology, atom: usize| {
        let entry = topology.atoms.get(atom)?;
        let residue = topology.residue_of(atom);
        let family = family(&residue.name).map(|family| family.name.clone());
        let chain = topology.chains[residue.chain].id.clone();
        Some((
            chain,
            residue.number,
            residue.insertion,
            family,
            entry.name.clone(),
        ))
    };
    let same = |&atom: &usize| identity(a, atom) == identity(b, atom);
    let atom = (0..a.len().max(b.len())).find(|atom| !same(atom))?;
    Some(format!("{} instead of {}", label(b, atom), label(a, atom)))
}

/// A file whose wanted models have been found.
struct Reading {
    source: Source,
    numbers: Vec<usize>,
    models: Vec<(usize, Model)>,
    cell: Option<Cell>,
    records: Records,
    /// What is to be said of the file.
    warnings: Vec<String>,
}

impl Reading {
    fn new(path: &Path, wanted: Wanted) -> Result<Self> {
        let source = load(path)?;
        let Lexed {
            collector,
            cell,
            records,
        } = match source.format {
            Format::Pdb => pdb::lex(&source, wanted)?,
            Format::Mmcif => cif::lex(&source, wanted)?,
            #[cfg(feature = "chemfiles")]
            Format::Foreign(kind) => super::foreign::lex(&source, kind, wanted)?,
            #[cfg(not(feature = "chemfiles"))]
            Format::Foreign(kind) => return Err(kind.not_built_in(path)),
        };
        let numbers = collector.numbers();
        let mut warnings: Vec<String> = collector.behind_end.into_iter().collect();
        warnings.extend(records.lines());
        let mut models = collector.models;
        let joined = models
            .iter_mut()
            .map(|(_, model)| model.join_hydrogens())
            .max();
        if let Some(joined) = joined.filter(|&joined| joined > 0) {
            warnings.push(format!(
                "{} that stand apart from their residues are joined to them by chain and number",
                plural(joined, "hydrogen")
            ));
        }
        Ok(Reading {
            source,
            numbers,
            models,
            cell,
            records,
            warnings,
        })
    }

    fn structures(&self, options: &ReadOptions) -> impl Iterator<Item = Result<Structure>> {
        self.models.iter().map(|(number, model)| {
            let Source {
                path,
                format,
                compressed,
                ..
            } = &self.source;
            let report = Report {
                file: path.clone(),
                format: *format,
                compressed: *compressed,
                models: self.numbers.len(),
                model: *number,
                warnings: self.warnings.clone(),
                ..Report::default()
            };
            assemble(
                &self.source,
                model,
                &self.records,
                self.cell,
                options,
                report,
            )
        })
    }

    fn no_model(&self) -> Error {
        Error::input(
            Place::file(&self.source.path),
            "holds no model",
            "give a structure as PDB or mmCIF text",
        )
    }
}
