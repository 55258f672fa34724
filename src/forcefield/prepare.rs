//! From a structure as files have it to a complete one: charge states, termini, hydrogens, missing
//! side chains.

use std::collections::BTreeMap;

use nalgebra::Vector3;

use super::choice::Choice;
use super::forms::{Links, missing};
use super::place::Placer;
use super::{ForceField, Minimizer, Precision, System};
use crate::error::Place;
use crate::structure::residues::Template;
use crate::structure::{Atom, Element, Frame, Residue, Topology};
use crate::{Error, Result};

/// Root-mean-square force at which added atoms are relaxed enough, kJ/mol/Å: what is left moves
/// them by less than 0.01 Å.
const RELAXED: f64 = 2.0;
/// Cutoff of that relaxation, Å.
const RELAXATION_CUTOFF: f64 = 10.0;
/// Most steps of that relaxation.
const RELAXATION_STEPS: usize = 100;

/// Form of histidines whose hydrogens and name say nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Histidine {
    /// Neutral, hydrogen on Nδ1
    Hid,
    /// Neutral, hydrogen on Nε2
    #[default]
    Hie,
    /// Positive, hydrogens on both
    Hip,
}

impl Histidine {
    fn form(self) -> &'static str {
        match self {
            Histidine::Hid => "HID",
            Histidine::Hie => "HIE",
            Histidine::Hip => "HIP",
        }
    }
}

/// What [`prepare`] may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrepareOptions {
    /// Whether missing heavy side-chain atoms are built.
    pub fix: bool,
    /// Form of histidines that say nothing themselves.
    pub his: Histidine,
}

/// A structure with all atoms of ff14SB's forms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prepared {
    /// All atoms with their bonds. Residues that lacked atoms have them in template order, and then
    /// all serial numbers are new, from 1.
    pub topology: Topology,
    /// Positions of all atoms. Those that the input had are unmoved; velocities are kept only where
    /// nothing was added.
    pub frame: Frame,
    /// Number of hydrogens added.
    pub hydrogens: usize,
    /// Heavy atoms added, as `A:LYS 27:CG`.
    pub built: Vec<String>,
    /// What was decided that the input does not say, one line each.
    pub notes: Vec<String>,
}

/// Completes a structure: picks each residue's form at pH 7, adds hydrogens and terminal oxygens,
/// and with [`PrepareOptions::fix`] builds missing side-chain atoms; then relaxes what was added
/// with everything else fixed.
///
/// Hydrogens that are there decide charge states (HD2 on aspartate: ASH; HD1 and HE2 on histidine:
/// HIP); a disulfide makes CYX; ends of chains, breaks too, are charged unless capped. A structure
/// with all its atoms is returned unmoved.
///
/// # Errors
/// [`Error::Input`] naming chain, residue and atoms: a heavy atom is missing (with what would be
/// built), an atom is too many, or ff14SB has no such form at that place in a chain.
pub fn prepare(topology: &Topology, frame: &Frame, options: &PrepareOptions) -> Result<Prepared> {
    let (mut named, neighbours) = (topology.clone(), topology.neighbours());
    let choice = Choice {
        links: &Links::of(topology),
        neighbours: &neighbours,
        histidine: options.his.form(),
    };
    let mut forms = Vec::with_capacity(topology.residues.len());
    for residue in 0..topology.residues.len() {
        let form = choice.form_of(&mut named, residue)?;
        refuse_incomplete(&named, residue, form, options.fix)?;
        forms.push(form);
    }
    let mut prepared = Prepared {
        notes: notes(&named, choice.links, &forms),
        ..Prepared::default()
    };
    if named.len() == forms.iter().map(|form| form.atoms.len()).sum::<usize>() {
        (prepared.topology, prepared.frame) = (named, frame.clone());
        return Ok(prepared);
    }
    let (complete, known) = completed(&named, &forms, &frame.positions);
    let added: Vec<usize> = (0..complete.len())
        .filter(|&atom| known[atom].is_none())
        .collect();
    let is_heavy = |&&atom: &&usize| complete.atoms[atom].element != Element::H;
    prepared.built = added
        .iter()
        .filter(is_heavy)
        .map(|&atom| complete.atom_label(atom))
        .collect();
    prepared.hydrogens = added.len() - prepared.built.len();
    let fixed = known.iter().map(Option::is_some).collect();
    let mut positions = Placer::new(&complete, &Links::of(&complete), &forms, known).place()?;
    relax(&complete, &mut positions, fixed)?;
    prepared.frame = Frame {
        positions,
        velocities: None,
        ..frame.clone()
    };
    prepared.topology = complete;
    Ok(prepared)
}

/// Heavy atoms must be there, but for the terminal oxygen, and for side chains that may be built.
fn refuse_incomplete(
    topology: &Topology,
    residue: usize,
    form: &'static Template,
    fix: bool,
) -> Result<()> {
    const BACKBONE: [&str; 5] = ["N", "CA", "C", "O", "CH3"];
    let is_heavy = |name: &&str| {
        form.atoms
            .iter()
            .any(|(known, element)| known == name && *element != Element::H)
    };
    let lost: Vec<_> = missing(topology, residue, form)
        .into_iter()
        .filter(|name| is_heavy(name) && *name != "OXT")
        .collect();
    let is_backbone = |name: &&str| BACKBONE.contains(name);
    let (what, hint) = if lost.iter().any(is_backbone) {
        (
            format!("misses {}", lost.join(", ")),
            "backbone atoms cannot be built: complete the residue, or leave the chain out with --chains".into(),
        )
    } else if !fix && !lost.is_empty() {
        (
            format!("misses {}", lost.join(", ")),
            format!(
                "--fix to build {} from the template of {}",
                lost.join(", "),
                form.name
            ),
        )
    } else {
        return Ok(());
    };
    Err(Error::input(
        Place::atom(topology.residue_label(residue)),
        what,
        hint,
    ))
}

/// What was decided that a reader of the input might not expect.
fn notes(topology: &Topology, links: &Links, forms: &[&'static Template]) -> Vec<String> {
    let mut counts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut lines = Vec::new();
    for (residue, form) in forms.iter().enumerate() {
        let label = topology.residue_label(residue);
        let base = if form.name.len() == 4 {
            &form.name[1..]
        } else {
            &form.name
        };
        if base != topology.residues[residue].name && base != "CYX" {
            counts.entry(base).or_default().push(label.clone());
        }
        let last_of_chain = topology.chains[topology.residues[residue].chain]
            .residues
            .end
            == residue + 1;
        if form.family != "NME"
            && form.family != "NHE"
            && links.next[residue].is_none()
            && !last_of_chain
        {
            lines.push(format!(
                "the chain is broken after {label}: both ends are charged"
            ));
        }
    }
    let states = counts
        .into_iter()
        .map(|(form, labels)| format!("taken as {form}: {}", labels.join(", ")));
    states.chain(lines).collect()
}

/// The topology with all atoms of the forms, and the position of each that the input has.
fn completed(
    topology: &Topology,
    forms: &[&'static Template],
    positions: &[Vector3<f64>],
) -> (Topology, Vec<Option<Vector3<f64>>>) {
    let mut complete = Topology {
        chains: topology.chains.clone(),
        ..Topology::default()
    };
    let mut known = Vec::new();
    let mut place = vec![0; topology.len()];
    for (index, (residue, form)) in topology.residues.iter().zip(forms).enumerate() {
        let start = complete.atoms.len();
        let whole = residue.atoms.len() == form.atoms.len();
        let order: Vec<&str> = match whole {
            true => topology.atoms[residue.atoms.clone()]
                .iter()
                .map(|atom| atom.name.as_str())
                .collect(),
            false => form.atoms.iter().map(|(name, _)| name.as_str()).collect(),
        };
        for name in order {
            let old = topology.atom_named(index, name);
            let serial = complete.atoms.len() + 1;
            if let Some(old) = old {
                place[old] = complete.atoms.len();
                complete.atoms.push(Atom {
                    serial,
                    ..topology.atoms[old].clone()
                });
            } else {
                let element = form
                    .atoms
                    .iter()
                    .find(|(known, _)| known == name)
                    .map_or(Element::H, |(_, element)| *element);
                let mass = element.weight().unwrap_or_default();
                complete.atoms.push(Atom {
                    name: name.to_owned(),
                    element,
                    residue: index,
                    serial,
                    mass,
                });
            }
            known.push(old.map(|old| positions[old]));
        }
        complete.residues.push(Residue {
            atoms: start..complete.atoms.len(),
            ..residue.clone()
        });
        let at = |atom: usize| complete.atom_named(index, &form.atoms[atom].0);
        let inside = form
            .bonds
            .iter()
            .filter_map(|&[a, b]| Some([at(a)?, at(b)?]))
            .collect::<Vec<_>>();
        complete.bonds.extend(inside);
    }
    let between = topology
        .bonds
        .iter()
        .filter(|[i, j]| topology.atoms[*i].residue != topology.atoms[*j].residue);
    complete
        .bonds
        .extend(between.map(|&[i, j]| [place[i], place[j]]));
    complete
        .bonds
        .iter_mut()
        .for_each(|bond| bond.sort_unstable());
    complete.bonds.sort_unstable();
    (complete, known)
}

/// Relaxes the atoms that are not `fixed`. What is far away has no say in it, so pairs are cut off.
fn relax(topology: &Topology, positions: &mut [Vector3<f64>], fixed: Vec<bool>) -> Result<()> {
    let mut field = ForceField::with_cutoff(
        System::build(topology)?,
        Precision::F32,
        Some(RELAXATION_CUTOFF),
    );
    Minimizer {
        tolerance: RELAXED,
        steps: RELAXATION_STEPS,
        fixed,
        ..Minimizer::default()
    }
    .run(&mut field, positions);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::forcefield::template_geometry_at;
    use crate::structure::{ReadOptions, Structure, read};

    /// A structure with all its hydrogens, under the names of their forms.
    fn complete(name: &str) -> Structure {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/data/forcefield/golden/{name}.pdb.gz"));
        let structure = read(&path, &ReadOptions::default()).unwrap();
        let prepared = prepare(
            &structure.topology,
            &structure.frame,
            &PrepareOptions::default(),
        )
        .unwrap();
        assert!(prepared.frame == structure.frame && prepared.hydrogens == 0);
        Structure {
            topology: prepared.topology,
            ..structure
        }
    }

    /// The structure without the atoms that `lost` names.
    fn without(structure: &Structure, lost: impl Fn(&Atom) -> bool) -> (Topology, Frame) {
        let kept: Vec<usize> = (0..structure.topology.len())
            .filter(|&atom| !lost(&structure.topology.atoms[atom]))
            .collect();
        let positions = kept
            .iter()
            .map(|&atom| structure.frame.positions[atom])
            .collect();
        (structure.topology.select(&kept), Frame::at_rest(positions))
    }

    fn energy(topology: &Topology, positions: &[Vector3<f64>]) -> f64 {
        let mut forces = vec![Vector3::zeros(); positions.len()];
        ForceField::new(System::build(topology).unwrap(), Precision::F64)
            .energy_forces(positions, &mut forces)
            .total
    }

    /// OpenMM built and minimised these hydrogens: ours must lie where theirs do wherever the heavy
    /// atoms fix the place, and cost no more than thermal energy a residue.
    #[test]
    fn hydrogens_come_back() {
        for (name, his) in [
            ("trpcage", Histidine::Hie),
            ("bpti", Histidine::Hie),
            ("ubiquitin", Histidine::Hid),
        ] {
            let structure = complete(name);
            let topology = &structure.topology;
            let (bare, frame) = without(&structure, |atom| atom.element == Element::H);
            let prepared = prepare(
                &bare,
                &frame,
                &PrepareOptions {
                    his,
                    ..PrepareOptions::default()
                },
            )
            .unwrap();
            assert_eq!(
                (prepared.topology.len(), prepared.topology.bonds.len()),
                (topology.len(), topology.bonds.len())
            );
            assert_eq!(prepared.hydrogens, topology.len() - bare.len());
            let neighbours = topology.neighbours();
            let (mut sum, mut count) = (0.0, 0.0);
            for (index, atom) in topology.atoms.iter().enumerate() {
                let same = prepared
                    .topology
                    .atom_named(atom.residue, &atom.name)
                    .unwrap();
                let distance =
                    (prepared.frame.positions[same] - structure.frame.positions[index]).norm();
                let parent = neighbours[index][0];
                let fixed = neighbours[parent]
                    .iter()
                    .filter(|&&other| topology.atoms[other].element != Element::H)
                    .count()
                    == 3;
                if atom.element != Element::H {
                    assert!(distance == 0.0);
                } else if fixed {
                    assert!(
                        distance <= 0.3,
                        "{}: {distance:.3}",
                        topology.atom_label(index)
                    );
                    sum += distance;
                    count += 1.0;
                }
            }
            let cost = energy(&prepared.topology, &prepared.frame.positions)
                - energy(topology, &structure.frame.positions);
            let cost = cost / topology.residues.len() as f64;
            println!(
                "{name}: {:.3} Å off on average, {cost:.2} kJ/mol a residue",
                sum / count
            );
            assert!(sum / count <= 0.05 && cost <= 2.5);
        }
    }

    #[test]
    fn side_chains_are_built_where_allowed() {
        let structure = complete("ubiquitin");
        let kept = ["N", "CA", "C", "O", "CB", "OXT"];
        let (bare, frame) = without(&structure, |atom| !kept.contains(&atom.name.as_str()));
        let error = prepare(&bare, &frame, &PrepareOptions::default()).unwrap_err();
        assert!(
            error.to_string().contains("A:MET 1: misses CG, SD, CE"),
            "{error}"
        );
        assert!(
            error.hint().contains("--fix to build CG, SD, CE"),
            "{}",
            error.hint()
        );
        let prepared = prepare(
            &bare,
            &frame,
            &PrepareOptions {
                fix: true,
                ..PrepareOptions::default()
            },
        )
        .unwrap();
        let Prepared {
            topology,
            frame: Frame { positions, .. },
            built,
            ..
        } = &prepared;
        assert_eq!(topology.len(), structure.topology.len());
        assert_eq!(
            built.len(),
            structure.topology.heavy_atoms().len() - bare.len()
        );
        assert!(
            template_geometry_at(topology, positions).unwrap()
                == crate::forcefield::template_geometry(topology).unwrap()
        );
        for (i, j, distance) in template_geometry_at(topology, positions).unwrap().pairs {
            let found = (positions[i] - positions[j]).norm();
            let labels = [topology.atom_label(i), topology.atom_label(j)];
            assert!(
                (found - distance).abs() <= 0.35,
                "{labels:?}: {found:.2} instead of {distance:.2}"
            );
        }
        let exclusions = System::build(topology).unwrap().exclusions;
        for i in 0..topology.len() {
            for j in i + 1..topology.len() {
                let distance = (positions[i] - positions[j]).norm();
                let labels = || [topology.atom_label(i), topology.atom_label(j)];
                assert!(
                    distance >= 1.5 || exclusions.binary_search(&[i, j]).is_ok(),
                    "{:?}: {distance:.2}",
                    labels()
                );
            }
        }
    }

    #[test]
    fn forms_follow_hydrogens_names_and_wishes() {
        let structure = complete("alltypes");
        let bare = without(&structure, |atom| atom.element == Element::H);
        let form = |topology: &Topology, residue: usize| {
            let links = Links::of(topology);
            super::super::forms::exact(topology, &links, residue)
                .unwrap()
                .name
                .clone()
        };
        // at pH 7, whatever it was before
        let prepared = prepare(
            &bare.0,
            &bare.1,
            &PrepareOptions {
                his: Histidine::Hid,
                ..PrepareOptions::default()
            },
        )
        .unwrap();
        for (residue, entry) in prepared.topology.residues.iter().enumerate() {
            let expected = if entry.name == "HIS" {
                "HID"
            } else {
                entry.name.as_str()
            };
            assert!(
                form(&prepared.topology, residue).ends_with(expected),
                "{} {}",
                form(&prepared.topology, residue),
                entry.name
            );
        }
        // as the hydrogens say where some are there
        let polar = ["HD1", "HD2", "HE2", "HZ1", "HZ2"];
        let (topology, frame) = without(&structure, |atom| {
            atom.element == Element::H && !polar.contains(&atom.name.as_str())
        });
        let prepared = prepare(&topology, &frame, &PrepareOptions::default()).unwrap();
        let forms: Vec<_> = (0..structure.topology.residues.len())
            .map(|residue| form(&prepared.topology, residue))
            .collect();
        for state in ["ASH", "GLH", "HIP"] {
            assert!(forms.iter().any(|form| form == state), "{forms:?}");
        }
        assert_eq!(forms[0], "NALA");
        assert_eq!(forms.last().unwrap(), "CALA");
    }

    #[test]
    fn what_no_form_has_is_refused() {
        let structure = complete("trpcage");
        let (topology, frame) = without(&structure, |atom| {
            atom.element == Element::H || (atom.residue == 4 && atom.name == "C")
        });
        let error = prepare(
            &topology,
            &frame,
            &PrepareOptions {
                fix: true,
                ..PrepareOptions::default()
            },
        )
        .unwrap_err();
        assert!(
            error.to_string().contains("A:GLN 5: misses C") && error.hint().contains("--chains"),
            "{error} {}",
            error.hint()
        );
        let (mut topology, frame) = without(&structure, |_| false);
        let atom = topology.atom_named(3, "HG12").unwrap();
        topology.atoms[atom].name = "OXT".into();
        topology.atoms[atom].element = Element::O;
        let error = prepare(&topology, &frame, &PrepareOptions::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("A:ILE 4: has OXT beyond the atoms of ILE"),
            "{error}"
        );
        let lone: Vec<usize> = structure.topology.residues[3].atoms.clone().collect();
        let positions = lone
            .iter()
            .map(|&atom| structure.frame.positions[atom])
            .collect();
        let error = prepare(
            &structure.topology.select(&lone),
            &Frame::at_rest(positions),
            &PrepareOptions::default(),
        )
        .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no form of ILE with these bonds"),
            "{error}"
        );
    }
}
