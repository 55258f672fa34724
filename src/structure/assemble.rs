//! From the residues of a model to a [`Structure`]: which are protein, what their atoms are, what
//! holds them together.

use nalgebra::Vector3;

use super::links::{LONGEST_PEPTIDE_BOND, link};
use super::models::{Model, ResidueId};
use super::report::{Break, ChainSummary, MissingAtoms, Report, plural};
use super::residues::{Family, family, residue_name};
use super::source::Source;
use super::whole::Molecules;
use super::{Atom, Cell, Chain, Element, Frame, ReadOptions, Residue, Structure, Topology};
use crate::error::Place;
use crate::{Error, Result};

/// Atoms closer than this are at one place, Å: no bond is half as short.
const ONE_PLACE: f64 = 0.1;

/// A residue with one of its alternative locations chosen.
struct Candidate<'a> {
    id: &'a ResidueId,
    /// As the file has it.
    name: String,
    atoms: Vec<&'a pdbtbx::Atom>,
    has_alternatives: bool,
    family: Option<&'static Family>,
}

impl Candidate<'_> {
    fn position(&self, name: &str) -> Option<Vector3<f64>> {
        self.atoms
            .iter()
            .find(|atom| atom.name() == name)
            .map(|atom| position(atom))
    }
    fn label(&self, model: &Model) -> String {
        let chain = &model.segments[self.id.segment];
        let insertion = self.id.insertion.map(String::from).unwrap_or_default();
        format!(
            "{chain}{}{} {}{insertion}",
            if chain.is_empty() { "" } else { ":" },
            self.name,
            self.id.number
        )
    }
}

fn position(atom: &pdbtbx::Atom) -> Vector3<f64> {
    Vector3::new(atom.x(), atom.y(), atom.z())
}

/// Builds the structure of one model. `report` says already what file and model it is.
///
/// # Errors
/// [`Error::Usage`] for chains or alternative locations that the model does not have.
/// [`Error::Input`] for a residue without template inside a chain, two atoms at one place, or
/// nothing that is protein.
pub(super) fn assemble(
    source: &Source,
    model: &Model,
    cell: Option<Cell>,
    options: &ReadOptions,
    report: Report,
) -> Result<Structure> {
    let wanted = wanted_segments(source, model, options)?;
    let report = Report {
        waters: model.waters,
        ..report
    };
    if model.rows.is_empty() {
        return Err(no_protein(source, &report));
    }
    let pdb = model.parse(source)?;
    let mut candidates = candidates(model, &pdb, options.altloc);
    check_altloc(source, &candidates, &pdb, options)?;
    candidates.retain(|candidate| wanted[candidate.id.segment]);
    set_ligands_apart(model, &mut candidates);
    refuse_unknown_in_chain(source, model, &candidates)?;

    let mut assembly = Assembly {
        model,
        topology: Topology::default(),
        positions: Vec::new(),
        lines: Vec::new(),
        twice: Vec::new(),
        report,
    };
    let mut segment = usize::MAX;
    for candidate in &candidates {
        let Some(family) = candidate.family else {
            *assembly
                .report
                .left_out
                .entry(candidate.name.clone())
                .or_default() += 1;
            continue;
        };
        if segment != candidate.id.segment {
            segment = candidate.id.segment;
            let start = assembly.topology.residues.len();
            assembly.topology.chains.push(Chain {
                id: model.segments[segment].clone(),
                residues: start..start,
            });
        }
        assembly.push(candidate, family);
    }
    if !assembly
        .topology
        .residues
        .iter()
        .any(|residue| family(&residue.name).is_some_and(Family::is_amino_acid))
    {
        return Err(no_protein(source, &assembly.report));
    }
    refuse_one_place(source, &assembly)?;
    Ok(assembly.finish(cell))
}

fn wanted_segments(source: &Source, model: &Model, options: &ReadOptions) -> Result<Vec<bool>> {
    let Some(chains) = &options.chains else {
        return Ok(vec![true; model.segments.len()]);
    };
    // A blank identifier cannot be typed: `_` stands for it.
    let matches = |id: &String, wanted: &String| id == wanted || (id.is_empty() && wanted == "_");
    if let Some(absent) = chains
        .iter()
        .find(|wanted| !model.segments.iter().any(|id| matches(id, wanted)))
    {
        let mut ids: Vec<&str> = model
            .segments
            .iter()
            .map(|id| if id.is_empty() { "_" } else { id })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let what = format!("{} has no chain `{absent}`", source.path.display());
        return Err(Error::usage(
            what,
            format!("--chains with some of {}", ids.join(",")),
        ));
    }
    Ok(model
        .segments
        .iter()
        .map(|id| chains.iter().any(|wanted| matches(id, wanted)))
        .collect())
}

fn no_protein(source: &Source, report: &Report) -> Error {
    let what = match report.left_out_line() {
        Some(line) => format!("holds no protein ({line})"),
        None => "holds no protein".to_owned(),
    };
    Error::input(
        Place::file(&source.path),
        what,
        "give a file with amino acids; other molecules have no templates",
    )
}

/// Chooses among alternative locations and names the families; in the order of the model's
/// residues.
fn candidates<'a>(
    model: &'a Model,
    pdb: &'a pdbtbx::PDB,
    altloc: Option<char>,
) -> Vec<Candidate<'a>> {
    let mut found: Vec<(usize, Candidate)> = Vec::new();
    for residue in pdb.residues() {
        // Model::parse numbers residues by their index.
        let Some((index, id)) = usize::try_from(residue.serial_number())
            .ok()
            .and_then(|index| Some((index, model.residues.get(index)?)))
        else {
            continue;
        };
        let (name, atoms) = choose(residue, altloc);
        let family = family(&name);
        let has_alternatives = residue
            .conformers()
            .filter(|conformer| conformer.alternative_location().is_some())
            .count()
            > 1;
        found.push((
            index,
            Candidate {
                id,
                name,
                atoms,
                has_alternatives,
                family,
            },
        ));
    }
    found.sort_by_key(|(index, candidate)| (candidate.id.segment, *index));
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The residue's name and atoms at the wanted alternative location, else at that of highest mean
/// occupancy (the first of equals). Atoms that the chosen location lacks come from the others, best
/// first: a residue may have A and B in one place, C and D in another.
fn choose(residue: &pdbtbx::Residue, wanted: Option<char>) -> (String, Vec<&pdbtbx::Atom>) {
    let mut serials: std::collections::HashMap<usize, usize> = std::collections::HashMap::new();
    residue
        .atoms()
        .for_each(|atom| *serials.entry(atom.serial_number()).or_default() += 1);
    let several = residue.conformer_count() > 1;
    let mut conformers: Vec<(f64, &pdbtbx::Conformer)> = residue
        .conformers()
        .map(|conformer| {
            // pdbtbx copies atoms without alternatives into every conformer: they say nothing about
            // this one.
            let own: Vec<f64> = conformer
                .atoms()
                .filter(|atom| !several || serials[&atom.serial_number()] == 1)
                .map(pdbtbx::Atom::occupancy)
                .collect();
            let is_wanted = wanted.is_some_and(|wanted| {
                conformer.alternative_location() == Some(wanted.to_string().as_str())
            });
            let score = if is_wanted {
                f64::INFINITY
            } else {
                own.iter().sum::<f64>() / own.len().max(1) as f64
            };
            (score, conformer)
        })
        .collect();
    conformers.sort_by(|a, b| b.0.total_cmp(&a.0));
    let name = conformers
        .first()
        .map(|(_, conformer)| conformer.name().to_owned())
        .unwrap_or_default();
    let mut atoms: Vec<&pdbtbx::Atom> = Vec::new();
    for (_, conformer) in conformers
        .iter()
        .filter(|(_, conformer)| conformer.name() == name)
    {
        let known = atoms.len();
        for atom in conformer.atoms() {
            if !atoms[..known]
                .iter()
                .any(|taken| taken.name() == atom.name())
            {
                atoms.push(atom);
            }
        }
    }
    atoms.sort_by_key(|atom| atom.serial_number());
    (name, atoms)
}

fn check_altloc(
    source: &Source,
    candidates: &[Candidate],
    pdb: &pdbtbx::PDB,
    options: &ReadOptions,
) -> Result<()> {
    let Some(wanted) = options.altloc.map(String::from) else {
        return Ok(());
    };
    let mut known: Vec<&str> = pdb
        .conformers()
        .filter_map(pdbtbx::Conformer::alternative_location)
        .collect();
    known.sort_unstable();
    known.dedup();
    if candidates.is_empty() || known.contains(&wanted.as_str()) {
        return Ok(());
    }
    let hint = if known.is_empty() {
        "leave --altloc out: the file has no alternative locations".to_owned()
    } else {
        format!("--altloc with one of {}", known.join(", "))
    };
    Err(Error::usage(
        format!(
            "{} has no alternative location `{wanted}`",
            source.path.display()
        ),
        hint,
    ))
}

/// Amino acids that are not part of a chain are ligands: mmCIF says so; in PDB they are HETATM
/// records after the chain's TER.
fn set_ligands_apart(model: &Model, candidates: &mut [Candidate]) {
    let says_polymer = model.residues.iter().any(|id| id.polymer == Some(true));
    let segments = model.segments.len();
    let mut has_atom_records = vec![false; segments];
    model
        .residues
        .iter()
        .for_each(|id| has_atom_records[id.segment] |= !id.hetero);
    let continues = |segment: usize| model.segments[..segment].contains(&model.segments[segment]);
    for candidate in candidates {
        let by_file = says_polymer && candidate.id.polymer == Some(false);
        let after_chain = !says_polymer
            && !has_atom_records[candidate.id.segment]
            && continues(candidate.id.segment);
        if by_file || after_chain {
            candidate.family = None;
        }
    }
}

/// A residue without template that is bonded to its neighbours in the chain cannot be left out.
fn refuse_unknown_in_chain(source: &Source, model: &Model, candidates: &[Candidate]) -> Result<()> {
    for (at, candidate) in candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| candidate.family.is_none())
    {
        let neighbour = |at: Option<usize>, name: &str| {
            let other = candidates
                .get(at?)
                .filter(|other| other.id.segment == candidate.id.segment)?;
            other.position(name)
        };
        let ends = [
            neighbour(at.checked_sub(1), "C"),
            neighbour(Some(at + 1), "N"),
        ];
        let is_bonded = |atom: &&pdbtbx::Atom| {
            ends.iter()
                .flatten()
                .any(|end| (end - position(atom)).norm() <= LONGEST_PEPTIDE_BOND)
        };
        let Some(atom) = candidate.atoms.iter().find(|atom| is_bonded(atom)) else {
            continue;
        };
        let line = model.rows[atom.serial_number()].line;
        let hint = match parent(&candidate.name) {
            Some(parent) => format!("rename the residue to {parent} and delete its extra atoms, or leave the chain out with --chains"),
            None => "model the residue as one of the twenty amino acids, or leave its chain out with --chains".to_owned(),
        };
        let what = format!(
            "the chain holds {}, a residue without template",
            candidate.name
        );
        return Err(source.error(line, Some(candidate.label(model)), what, hint));
    }
    Ok(())
}

/// The amino acid that a common modified residue was made from.
fn parent(name: &str) -> Option<&'static str> {
    let parents: [(&str, &[&str]); 8] = [
        ("SER", &["SEP", "SAC", "OAS"]),
        ("THR", &["TPO"]),
        ("TYR", &["PTR", "TYS", "TPQ"]),
        (
            "CYS",
            &[
                "CSO", "CSD", "CME", "OCS", "CSS", "CAS", "SMC", "CSX", "SEC",
            ],
        ),
        ("LYS", &["MLY", "M3L", "MLZ", "ALY", "KCX", "LLP"]),
        ("MET", &["FME", "MHO", "SME"]),
        ("HIS", &["HIC", "MHS"]),
        ("GLU", &["PCA", "CGU"]),
    ];
    parents
        .iter()
        .find(|(_, modified)| modified.contains(&name))
        .map(|(parent, _)| *parent)
}

fn refuse_one_place(source: &Source, assembly: &Assembly) -> Result<()> {
    let Assembly {
        topology,
        positions,
        lines,
        ..
    } = assembly;
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by(|&i, &j| positions[i].x.total_cmp(&positions[j].x));
    for (at, &i) in order.iter().enumerate() {
        let near = order[at + 1..]
            .iter()
            .take_while(|&&j| positions[j].x - positions[i].x < ONE_PLACE);
        for &j in near {
            let distance = (positions[j] - positions[i]).norm();
            if distance < ONE_PLACE {
                let (i, j) = (i.min(j), i.max(j));
                let what = format!(
                    "lies {distance:.3} Å from {} (line {})",
                    topology.atom_label(i),
                    lines[i]
                );
                return Err(source.error(
                    lines[j],
                    Some(topology.atom_label(j)),
                    what,
                    "delete one of the two atoms, or give them true positions",
                ));
            }
        }
    }
    Ok(())
}

struct Assembly<'a> {
    model: &'a Model,
    topology: Topology,
    positions: Vec<Vector3<f64>>,
    /// Lines of the atoms in the user's file.
    lines: Vec<usize>,
    /// Atoms that their residue names twice, at different places.
    twice: Vec<String>,
    report: Report,
}

impl Assembly<'_> {
    fn push(&mut self, candidate: &Candidate, family: &Family) {
        let index = self.topology.residues.len();
        let name = residue_name(&candidate.name).unwrap_or(&family.name);
        let start = self.topology.atoms.len();
        let label = candidate.label(self.model);
        if name != candidate.name {
            self.note_renamed(format!("{} → {name}", candidate.name));
        }
        if candidate.name == "MSE" {
            self.report
                .warnings
                .push(format!("{label}: selenomethionine is read as methionine"));
        }
        self.report.alternatives += usize::from(candidate.has_alternatives);
        let has = |name| {
            candidate
                .atoms
                .iter()
                .any(|atom| family.atom_name(atom.name()) == Some(name))
        };
        // many programs call the hydrogens of a chain's first nitrogen H, H2, H3: their H is our H1
        let first_is_h = has("H2") && has("H3") && !has("H1");
        for atom in &candidate.atoms {
            let raw = match atom.name() {
                "SE" if candidate.name == "MSE" => "SD",
                "H" if first_is_h => "H1",
                name => name,
            };
            self.push_atom(atom, raw, family, index, start, &label);
        }
        let ResidueId {
            number, insertion, ..
        } = *candidate.id;
        let chain = self.topology.chains.len() - 1;
        self.topology.residues.push(Residue {
            name: name.to_owned(),
            chain,
            number,
            insertion,
            atoms: start..self.topology.atoms.len(),
        });
        self.topology.chains[chain].residues.end = self.topology.residues.len();
        let has = |atom: &String| {
            self.topology.atoms[start..]
                .iter()
                .any(|known| known.name == *atom)
        };
        let atoms: Vec<String> = family
            .heavy
            .iter()
            .filter(|atom| !has(atom))
            .cloned()
            .collect();
        if !atoms.is_empty() {
            let backbone = atoms
                .iter()
                .any(|atom| ["N", "CA", "C", "O"].contains(&atom.as_str()));
            self.report.missing.push(MissingAtoms {
                residue: label,
                atoms,
                backbone,
            });
        }
    }

    fn push_atom(
        &mut self,
        atom: &pdbtbx::Atom,
        raw: &str,
        family: &Family,
        residue: usize,
        start: usize,
        label: &str,
    ) {
        let Some(name) = family.atom_name(raw) else {
            self.report.unknown_atoms.push(format!("{label}:{raw}"));
            return;
        };
        let here = position(atom);
        if let Some(known) = (start..self.topology.atoms.len())
            .find(|&known| self.topology.atoms[known].name == name)
        {
            if self.positions[known] == here {
                self.report.repeated_atoms += 1;
            } else {
                self.twice.push(format!("{label}:{raw}"));
            }
            return;
        }
        if name != raw {
            self.note_renamed(format!("{}:{raw} → {name}", family.name));
        }
        let row = self.model.rows[atom.serial_number()];
        let element = family.elements[name];
        let mass = element.weight().expect("templates hold common elements");
        self.topology.atoms.push(Atom {
            name: name.to_owned(),
            element,
            residue,
            serial: row.serial,
            mass,
        });
        self.positions.push(here);
        self.lines.push(row.line);
    }

    fn note_renamed(&mut self, what: String) {
        *self.report.renamed.entry(what).or_default() += 1;
    }

    fn finish(mut self, cell: Option<Cell>) -> Structure {
        let links = link(&self.topology, &self.positions, cell.as_ref());
        let topology = Topology {
            bonds: links.bonds,
            ..self.topology
        };
        let report = &mut self.report;
        report.breaks = links
            .breaks
            .iter()
            .map(|gap| Break {
                before: topology.residue_label(gap.after),
                after: topology.residue_label(gap.after + 1),
                distance: gap.distance,
            })
            .collect();
        let residue = |atom: usize| topology.residue_label(topology.atoms[atom].residue);
        report.disulfides = links
            .disulfides
            .iter()
            .map(|&[i, j]| [residue(i), residue(j)])
            .collect();
        count(report, &topology);
        report.cell = cell.map(|cell| {
            [cell.lengths, cell.angles]
                .concat()
                .try_into()
                .expect("six numbers")
        });
        if let Some(first) = self.twice.first() {
            let atoms = plural(self.twice.len(), "atom");
            report
                .warnings
                .push(format!("{atoms} named twice in a residue, at different places, first {first}: the first of each is read"));
        }
        let mut frame = Frame {
            cell,
            ..Frame::at_rest(self.positions)
        };
        let moved = frame.cell.map_or(0, |cell| {
            Molecules::new(&topology).make_whole(&mut frame.positions, &cell)
        });
        if moved > 0 {
            report.warnings.push(format!(
                "molecules broken over the cell's border were made whole: {} moved",
                plural(moved, "atom")
            ));
        }
        warn(report);
        Structure {
            topology,
            frame,
            report: self.report,
        }
    }
}

fn count(report: &mut Report, topology: &Topology) {
    let end = |residue: &Residue| {
        format!(
            "{} {}{}",
            residue.name,
            residue.number,
            residue.insertion.map(String::from).unwrap_or_default()
        )
    };
    report.chains = topology
        .chains
        .iter()
        .map(|chain| {
            let residues = &topology.residues[chain.residues.clone()];
            let atoms = residues.iter().map(|residue| residue.atoms.len()).sum();
            let ends = [residues.first(), residues.last()]
                .map(|residue| residue.map(end).unwrap_or_default());
            ChainSummary {
                id: chain.id.clone(),
                residues: residues.len(),
                atoms,
                ends,
            }
        })
        .collect();
    (report.residues, report.atoms, report.bonds) = (
        topology.residues.len(),
        topology.len(),
        topology.bonds.len(),
    );
    report.hydrogens = topology
        .atoms
        .iter()
        .filter(|atom| atom.element == Element::H)
        .count();
    report.heavy_atoms = report.atoms - report.hydrogens;
}

/// Puts into words what the report's lists hold.
fn warn(report: &mut Report) {
    let mut warnings = Vec::new();
    if report.models > 1 {
        warnings.push(format!(
            "{} models in the file: model {} is read",
            report.models, report.model
        ));
    }
    if report.alternatives > 0 {
        warnings.push(format!(
            "{} with alternative locations: one of each is read",
            plural(report.alternatives, "residue")
        ));
    }
    if report.repeated_atoms > 0 {
        warnings.push(format!(
            "{} repeated exactly: read once",
            plural(report.repeated_atoms, "atom")
        ));
    }
    if let Some(first) = report.unknown_atoms.first() {
        warnings.push(format!(
            "{} left out that no template knows, first {first}",
            plural(report.unknown_atoms.len(), "atom")
        ));
    }
    for gap in &report.breaks {
        let how = gap
            .distance
            .map_or("an end is missing".to_owned(), |distance| {
                format!("C–N {distance:.2} Å")
            });
        warnings.push(format!(
            "chain break between {} and {}: {how}",
            gap.before, gap.after
        ));
    }
    report.warnings.extend(warnings);
}
