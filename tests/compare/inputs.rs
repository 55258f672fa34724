//! What people really give: other atom orders, formats and cells, missing hydrogens, too few
//! frames.

use std::path::PathBuf;

use mdsurrogate::compare::measures::Findings;
use mdsurrogate::compare::source::{Inputs, open};
use mdsurrogate::structure::{Cell, Element, Frame, Topology, write_pdb};
use nalgebra::Vector3;

use crate::data::{
    Compared, Input, Positions, Trajectory, compare, compare_within, data, stored, structure,
    topology, write,
};

/// A molecule with its atoms in another order: residues as they were, atoms within them reversed.
fn reversed(topology: &Topology) -> (Topology, Vec<usize>) {
    let order: Vec<usize> = topology
        .residues
        .iter()
        .flat_map(|residue| residue.atoms.clone().rev())
        .collect();
    let mut place = vec![0; order.len()];
    order
        .iter()
        .enumerate()
        .for_each(|(new, &old)| place[old] = new);
    let mut other = topology.clone();
    other.atoms = order
        .iter()
        .map(|&old| topology.atoms[old].clone())
        .collect();
    other.bonds = topology
        .bonds
        .iter()
        .map(|&[i, j]| [place[i].min(place[j]), place[i].max(place[j])])
        .collect();
    (other, order)
}

fn picked(frames: &[Positions], order: &[usize]) -> Vec<Positions> {
    frames
        .iter()
        .map(|frame| order.iter().map(|&atom| frame[atom]).collect())
        .collect()
}

fn akle() -> Vec<Positions> {
    Trajectory::read("akle_a.xtc").into_frames()
}

fn assert_same(left: &Compared, right: &Compared, tolerance: f64) {
    assert_eq!(left.findings.measures.len(), right.findings.measures.len());
    for (a, b) in left.findings.measures.iter().zip(&right.findings.measures) {
        let (x, y) = (a.value.unwrap(), b.value.unwrap());
        assert!((x - y).abs() <= tolerance, "{}: {x} {y}", a.name);
    }
}

#[test]
fn another_atom_order_missing_hydrogens_and_another_format_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (topology, frames, reference) = (topology("akle"), akle(), stored("akle_b.xtc", "akle"));
    let plain = compare(&stored("akle_a.xtc", "akle"), &reference).unwrap();
    assert!(plain.sides.notes.is_empty(), "{:?}", plain.sides.notes);

    let (other, order) = reversed(&topology);
    let moved = picked(&frames, &order);
    write_pdb(
        &path("reversed.pdb"),
        &other,
        [&Frame::at_rest(moved[0].clone())],
    )
    .unwrap();
    write(&path("reversed.xtc"), &moved, 50.0, None);
    let reversed: Input = (path("reversed.xtc"), path("reversed.pdb"));
    // surfaces are sampled on spheres around atoms in their order, sums run in another order
    assert_same(&plain, &compare(&reversed, &reference).unwrap(), 1e-6);

    let heavy = topology.heavy_atoms();
    let bare = picked(&frames, &heavy);
    write_pdb(
        &path("heavy.pdb"),
        &topology.select(&heavy),
        [&Frame::at_rest(bare[0].clone())],
    )
    .unwrap();
    write(&path("heavy.xtc"), &bare, 50.0, None);
    let without = compare(&(path("heavy.xtc"), path("heavy.pdb")), &reference).unwrap();
    assert_same(&plain, &without, 1e-9);
    // heavy atoms beside the structure with all atoms
    assert_same(
        &plain,
        &compare(&(path("heavy.xtc"), structure("akle")), &reference).unwrap(),
        1e-9,
    );

    write(&path("frames.dcd"), &frames, 50.0, None);
    assert_same(
        &plain,
        &compare(&(path("frames.dcd"), structure("akle")), &reference).unwrap(),
        1e-4,
    );

    let models: Vec<Frame> = frames
        .iter()
        .map(|positions| Frame::at_rest(positions.clone()))
        .collect();
    write_pdb(&path("models.pdb"), &topology, &models).unwrap();
    let models = compare(&(path("models.pdb"), structure("akle")), &reference).unwrap();
    // a PDB knows no times
    assert!(
        models
            .findings
            .notes
            .iter()
            .any(|note| note.contains("no measures of dynamics") && note.contains("run"))
    );
    let (ours, theirs) = (
        models.measure("torsion_jsd").value.unwrap(),
        plain.measure("torsion_jsd").value.unwrap(),
    );
    assert!((ours - theirs).abs() <= 1e-9, "{ours} {theirs}");
}

#[test]
fn molecules_broken_over_the_cell_are_made_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.xtc");
    let cell = Cell {
        lengths: [14.0, 15.0, 16.0],
        angles: [90.0; 3],
    };
    let wrap = |x: &Vector3<f64>| {
        Vector3::from_fn(|axis, _| {
            x[axis] - cell.lengths[axis] * (x[axis] / cell.lengths[axis]).floor()
        })
    };
    let broken: Vec<Positions> = akle()
        .iter()
        .map(|frame| frame.iter().map(wrap).collect())
        .collect();
    write(&path, &broken, 50.0, Some(cell));
    let reference = stored("akle_b.xtc", "akle");
    let found = compare(&(path, structure("akle")), &reference).unwrap();
    assert!(found.run.made_whole && !found.reference.made_whole);
    let plain = compare(&stored("akle_a.xtc", "akle"), &reference).unwrap();
    // XTC rounds the wrapped positions to 0.01 Å once more
    for name in [
        "rmsd",
        "radius_of_gyration",
        "rmsf_difference",
        "bond_deviation",
    ] {
        let (ours, theirs) = (
            found.measure(name).value.unwrap(),
            plain.measure(name).value.unwrap(),
        );
        assert!((ours - theirs).abs() <= 5e-3, "{name}: {ours} {theirs}");
    }
}

#[test]
fn thinned_rows_stay_within_memory_and_say_so() {
    let reference = stored("akle_b.xtc", "akle");
    let whole = compare(&stored("akle_a.xtc", "akle"), &reference).unwrap();
    let size: usize = whole.run.rows.iter().map(|row| row.size()).sum();
    let thin = compare_within(&stored("akle_a.xtc", "akle"), &reference, size / 3).unwrap();
    assert_eq!(
        (thin.run.stride, thin.run.rows.len(), thin.run.frames),
        (4, 100, 400)
    );
    assert!((thin.run.time_step().unwrap() - 200.0).abs() <= 1e-9);
    assert_eq!(thin.run.rows[3].torsions, whole.run.rows[12].torsions);
}

#[test]
fn replicas_are_pooled() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |name: &str| {
        let path = folder.path().join(name);
        std::fs::copy(data("akle_b.xtc"), &path).unwrap();
        path
    };
    let inputs = Inputs {
        run: vec![data("akle_a.xtc")],
        reference: vec![data("akle_b.xtc"), copy("b.xtc"), copy("c.xtc")],
        run_top: Some(structure("akle")),
        reference_top: None,
        run_is_start: false,
    };
    let sides = open(&inputs).unwrap();
    let looker = mdsurrogate::compare::row::Looker::new(&sides.topology, &sides.start);
    let read =
        |sources| mdsurrogate::compare::gather::gather(sources, &looker, 1 << 28, &|_| ()).unwrap();
    let (run, reference) = (read(&sides.run), read(&sides.reference));
    assert_eq!((reference.rows.len(), reference.segments.len()), (1200, 3));
    let findings =
        mdsurrogate::compare::measures::measure(&run, &reference, &looker, Default::default());
    let jsd = |findings: &Findings| {
        let mut measures = findings.measures.iter();
        measures
            .find(|measure| measure.name == "torsion_jsd")
            .unwrap()
            .value
            .unwrap()
    };
    // three copies are distributed as one is
    let one = compare(&stored("akle_a.xtc", "akle"), &stored("akle_b.xtc", "akle")).unwrap();
    assert!((jsd(&findings) - jsd(&one.findings)).abs() <= 1e-12);
}

fn refusal(run: &Input, reference: &Input) -> String {
    let error = compare(run, reference)
        .err()
        .expect("this is to be refused");
    assert_eq!(error.exit_code(), 2);
    assert!(!error.hint().is_empty(), "{error}");
    error.to_string()
}

#[test]
fn what_cannot_be_compared_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let akle_b = stored("akle_b.xtc", "akle");
    let other_molecule = refusal(&stored("trpcage.xtc", "trpcage"), &akle_b);
    assert!(other_molecule.contains("heavy atoms"), "{other_molecule}");
    let other_top = refusal(&stored("trpcage.xtc", "akle"), &akle_b);
    assert!(
        other_top.contains("304") && other_top.contains("69"),
        "{other_top}"
    );
    let empty = folder.path().join("empty.xtc");
    std::fs::write(&empty, []).unwrap();
    assert!(refusal(&(empty, structure("akle")), &akle_b).contains("empty"));
    let absent: PathBuf = folder.path().join("absent.xtc");
    assert!(refusal(&(absent, structure("akle")), &akle_b).contains("absent.xtc"));
    // as many atoms as the structure, but in another order, or in nm
    let (topology, frames) = (topology("akle"), akle());
    let path = |name: &str| folder.path().join(name);
    write(
        &path("reversed.xtc"),
        &picked(&frames, &reversed(&topology).1),
        50.0,
        None,
    );
    let other_order = refusal(&(path("reversed.xtc"), structure("akle")), &akle_b);
    assert!(
        other_order.contains("reversed.xtc, frame 0") && other_order.contains("another order"),
        "{other_order}"
    );
    let small: Vec<Positions> = frames
        .iter()
        .map(|frame| frame.iter().map(|x| 0.1 * x).collect())
        .collect();
    write(&path("small.dcd"), &small, 50.0, None);
    let small = refusal(&akle_b, &(path("small.dcd"), structure("akle")));
    assert!(
        small.contains("31 of 31 bonds") && small.contains("not in Å"),
        "{small}"
    );
    // without --top, and no structure of that name beside it
    let inputs = Inputs {
        run: vec![data("akle_a.xtc")],
        reference: vec![data("akle_b.xtc")],
        ..Inputs::default()
    };
    assert!(open(&inputs).unwrap_err().hint().contains("--top"));
}

#[test]
fn a_trace_without_torsions_is_compared_by_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let topology = topology("akle");
    let alphas: Vec<usize> = (0..topology.len())
        .filter(|&atom| topology.atoms[atom].name == "CA")
        .collect();
    let frames = picked(&akle(), &alphas);
    write_pdb(
        &path("trace.pdb"),
        &topology.select(&alphas),
        [&Frame::at_rest(frames[0].clone())],
    )
    .unwrap();
    write(&path("trace.xtc"), &frames, 50.0, None);
    let found = compare(
        &(path("trace.xtc"), path("trace.pdb")),
        &stored("akle_b.xtc", "akle"),
    )
    .unwrap();
    assert!(
        found
            .findings
            .notes
            .iter()
            .any(|note| note.contains("no φ, ψ or χ")),
        "{:?}",
        found.findings.notes
    );
    assert_eq!(
        (found.looker.topology.len(), found.looker.torsions.len()),
        (4, 0)
    );
    let plain = compare(&stored("akle_a.xtc", "akle"), &stored("akle_b.xtc", "akle")).unwrap();
    assert!(
        plain.looker.torsions.len() == 18 && found.measure("rmsd").run < plain.measure("rmsd").run
    );
    assert!(
        found
            .findings
            .notes
            .iter()
            .any(|note| note.contains("have no bonds")),
        "{:?}",
        found.findings.notes
    );
    let absent = [
        "valid_fraction",
        "torsion_jsd",
        "side_chain_area",
        "decorrelation",
    ];
    assert!(
        found
            .findings
            .measures
            .iter()
            .all(|measure| !absent.contains(&measure.name.as_str()))
    );
}

#[test]
fn a_mutant_is_compared_where_it_is_the_same_and_the_rest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let topology = topology("akle");
    // Leu 3 cut back to Ala
    let leucine = topology
        .residues
        .iter()
        .position(|residue| residue.name == "LEU")
        .unwrap();
    let kept = ["N", "H", "CA", "HA", "C", "O", "CB"];
    let atoms: Vec<usize> = (0..topology.len())
        .filter(|&atom| {
            topology.atoms[atom].residue != leucine
                || kept.contains(&topology.atoms[atom].name.as_str())
        })
        .collect();
    let mut mutant = topology.select(&atoms);
    mutant.residues[leucine].name = "ALA".into();
    let frames = picked(&akle(), &atoms);
    write_pdb(
        &path("mutant.pdb"),
        &mutant,
        [&Frame::at_rest(frames[0].clone())],
    )
    .unwrap();
    write(&path("mutant.xtc"), &frames, 50.0, None);
    let found = compare(
        &(path("mutant.xtc"), path("mutant.pdb")),
        &stored("akle_b.xtc", "akle"),
    )
    .unwrap();
    assert!(
        found
            .sides
            .notes
            .iter()
            .any(|note| note.contains("A:ALA 3:N")),
        "{:?}",
        found.sides.notes
    );
    assert!(
        found
            .sides
            .notes
            .iter()
            .any(|note| note.contains("A:LEU 3:N")),
        "{:?}",
        found.sides.notes
    );
    assert!(
        found
            .looker
            .topology
            .atoms
            .iter()
            .all(|atom| atom.element != Element::H)
    );
    assert_eq!(found.looker.topology.len(), 32 - 8);
}
