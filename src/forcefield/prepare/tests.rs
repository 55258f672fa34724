use std::path::Path;

use super::*;
use crate::forcefield::{Histidine, template_geometry_at};
use crate::structure::{Atom, Element, ReadOptions, Structure, read};

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
